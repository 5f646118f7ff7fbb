/*
 * The socket calls of a scenario: made, and written down.
 */
#include "tools/lab/stage_private.h"

#include "common/trace.h"
#include "tools/lab/call_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void choose_congestion(struct stage *s, const struct stage_end *e)
{
	static const char *const names[] = {"cubic", "reno"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = names[i];
		int r = setsockopt(
			e->fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
		if (r != 0 && i == 0)
			continue;
		stage_note(s, e, "setsockopt", r, NULL, "%d, IPPROTO_TCP, TCP_CONGESTION, \"%s\"",
			e->fd, name);
		return;
	}
}

int stage_socket(struct stage *s, enum side side, size_t host, int type, const char *why)
{
	if (stage_stopped(s)) {
		errno = ECANCELED;
		return -1;
	}
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = s->site ? site_socket(s->site, host, AF_INET, type | flags, 0)
			 : socket(AF_INET, type | flags, 0);
	struct stage_end e = {.fd = fd, .side = side, .host = (uint8_t)host, .type = type};
	stage_note(s, &e, "socket", fd, why, "AF_INET, %s, 0", trace_socktype(type));
	if (fd < 0)
		return -1;
	if (stage_end_add(s, &e) != 0) {
		net_close(fd);
		return -1;
	}
	if (type == SOCK_STREAM)
		choose_congestion(s, &e);
	return fd;
}

int stage_bind(struct stage *s, int fd, uint16_t port, const char *why)
{
	struct net_address a;
	struct stage_end e;
	char text[NET_ADDRESS_MAX];

	if (!stage_begin(s, fd, &e))
		return -1;
	stage_own(s, e.host, port, e.type, &a);
	int r = bind(fd, &a.u.any, a.length);
	stage_note(s, &e, "bind", r, why, "%d, %s", fd, net_print(&a, text));
	if (r != 0)
		return r;
	stage_end_bound(s, fd);
	e.bound = true;
	if (stage_place_add(s, &e, port) == 0)
		return 0;
	errno = ENOBUFS;
	return -1;
}

int stage_listen(struct stage *s, int fd, int backlog, const char *why)
{
	struct stage_end e;

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = listen(fd, backlog);
	stage_note(s, &e, "listen", r, why, "%d, %d", fd, backlog);
	if (r == 0 && stage_place_waits(s, &e, true) != 0) {
		errno = ENOBUFS;
		r = -1;
	}
	return r;
}

int stage_accept(struct stage *s, int fd, const char *why)
{
	struct stage_end e;
	struct net_address peer = {.length = sizeof(peer.u)};
	char text[NET_ADDRESS_MAX] = "";

	if (!stage_begin(s, fd, &e))
		return -1;
	int64_t began = stage_ms(s);
	int came =
		e.type == SOCK_STREAM ? stage_await(s, fd, POLLIN, STAGE_PATIENCE_MS, "accept") : 1;
	if (came < 0)
		return -1;
	char waited[STAGE_WAITED];
	if (came == 0)
		why = stage_waited(
			s, began, "nobody came, or the last ACK of the handshake did not", waited);
	int taken = accept4(fd, &peer.u.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	stage_note(s, &e, "accept", taken, why, "%d%s%s", fd, taken < 0 ? "" : ", from ",
		taken < 0 ? "" : net_print(&peer, text));
	if (taken < 0)
		return -1;
	e.fd = taken;
	e.bound = false;
	e.waits_in = NULL;
	e.asked = false;
	if (stage_end_add(s, &e) == 0)
		return taken;
	net_close(taken);
	return -1;
}

int stage_connect(struct stage *s, int fd, size_t host, uint16_t port, const char *why)
{
	struct stage_end e;
	struct net_address a;
	char text[NET_ADDRESS_MAX];
	socklen_t length = sizeof(int);

	if (!stage_begin(s, fd, &e))
		return -1;
	stage_reach(s, host, port, e.type, &a);
	int64_t began = stage_ms(s);
	char waited[STAGE_WAITED];
	int r = connect(fd, &a.u.any, a.length);
	if (r != 0 && errno == EINPROGRESS) {
		int came = stage_await(s, fd, POLLOUT, STAGE_PATIENCE_MS, "connect");
		int error = 0;
		if (came < 0)
			return -1;
		if (came == 0) {
			error = EINPROGRESS;
			why = stage_waited(
				s, began, "no answer; the kernel goes on asking", waited);
		} else {
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
		}
		r = error ? -1 : 0;
		errno = error;
	}
	stage_note(s, &e, "connect", r, why, "%d, %s", fd, net_print(&a, text));
	return r;
}

int stage_option(struct stage *s, int fd, int level, int name, int value, const char *why)
{
	struct stage_end e;
	char text[CALL_TEXT];

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = setsockopt(fd, level, name, &value, sizeof(value));
	stage_note(s, &e, "setsockopt", r, why, "%d, %s, %d", fd,
		call_text_option(level, name, text), value);
	return r;
}

/* The group, and the host's only device, by its address. */
static int describe_group(struct stage *s, const struct stage_end *e, struct ip_mreqn *m)
{
	struct net_address group;

	stage_reach(s, STAGE_GROUP, 0, e->type, &group);
	m->imr_multiaddr = group.u.v4.sin_addr;
	if (!s->site) {
		errno = EOPNOTSUPP;
		return -1;
	}
	m->imr_address = site_address(s->site, e->host);
	return 0;
}

static int group_option(struct stage *s, int fd, int name, const char *why)
{
	struct stage_end e;
	struct ip_mreqn m = {0};
	char group[INET_ADDRSTRLEN] = "?", text[CALL_TEXT];

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = describe_group(s, &e, &m);
	if (r == 0)
		r = setsockopt(fd, IPPROTO_IP, name, &m, sizeof(m));
	(void)inet_ntop(AF_INET, name == IP_MULTICAST_IF ? &m.imr_address : &m.imr_multiaddr, group,
		sizeof(group));
	stage_note(s, &e, "setsockopt", r, why, "%d, %s, %s", fd,
		call_text_option(IPPROTO_IP, name, text), group);
	return r;
}

int stage_join(struct stage *s, int fd, const char *why)
{
	return group_option(s, fd, IP_ADD_MEMBERSHIP, why);
}

int stage_group_by(struct stage *s, int fd, const char *why)
{
	return group_option(s, fd, IP_MULTICAST_IF, why);
}

int stage_shutdown(struct stage *s, int fd, int how, const char *why)
{
	struct stage_end e;

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = shutdown(fd, how);
	stage_note(s, &e, "shutdown", r, why, "%d, %s", fd, call_text_shutdown(how));
	return r;
}

int stage_close_socket(struct stage *s, int fd, const char *why)
{
	struct stage_end e;

	if (!stage_begin(s, fd, &e))
		return -1;
	if (e.bound)
		(void)stage_place_waits(s, &e, false);
	struct tcp_info info;
	if (e.type == SOCK_STREAM)
		(void)stage_end_ask(s, fd, &info);
	stage_end_remove(s, fd);
	int r = close(fd);
	stage_note(s, &e, "close", r, why, "%d", fd);
	return r;
}

/* ---- what is known of a socket ---- */

uint16_t stage_port(struct stage *s, int fd)
{
	struct stage_end e;
	struct net_address a;

	if (!stage_begin(s, fd, &e) || net_local(fd, &a) != 0)
		return 0;
	return stage_place_name(s, e.host, e.type, net_port(&a));
}

bool stage_ends(struct stage *s, int fd, struct net_address *own, struct net_address *peer)
{
	struct stage_end e;

	return stage_begin(s, fd, &e) && net_local(fd, own) == 0 && net_peer(fd, peer) == 0;
}

int stage_error(struct stage *s, int fd, const char *why)
{
	struct stage_end e;
	int error = 0;
	socklen_t length = sizeof(error);

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	stage_note(s, &e, "getsockopt", r, why, "%d, SOL_SOCKET, SO_ERROR: %s", fd,
		error ? call_text_error(error) : "0");
	return r < 0 ? errno : error;
}

int stage_tcp_info(struct stage *s, int fd, struct tcp_info *out)
{
	struct stage_end e;

	memset(out, 0, sizeof(*out));
	if (!stage_begin(s, fd, &e))
		return -1;
	int r = stage_end_ask(s, fd, out);
	stage_note(s, &e, "getsockopt", r, NULL, "%d, IPPROTO_TCP, TCP_INFO: %u retransmissions",
		fd, out->tcpi_total_retrans);
	return r;
}

int64_t stage_drops(struct stage *s, int fd)
{
	struct stage_end e;
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t length = sizeof(memory);

	if (!stage_begin(s, fd, &e))
		return -1;
	int r = getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length);
	stage_note(s, &e, "getsockopt", r, NULL, "%d, SOL_SOCKET, SO_MEMINFO: %u dropped", fd,
		memory[SK_MEMINFO_DROPS]);
	return r == 0 ? (int64_t)memory[SK_MEMINFO_DROPS] : -1;
}
