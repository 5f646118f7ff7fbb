#include "server/lane_socket.h"

#include "common/err.h"
#include "common/trace.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool lane_path_equal(const struct lane_path *a, const struct lane_path *b)
{
	if (a->fd != b->fd || a->local.length != b->local.length || !net_equal(&a->from, &b->from))
		return false;
	return a->local.length == 0 || net_equal(&a->local, &b->local);
}

/* ---- opening ---- */

static int open_at(const struct net_address *listening, uint16_t port, int *fd)
{
	static const char why[] = "each datagram then comes with the address that it was sent to";
	struct net_address local = *listening;
	int s = -1;
	int r = net_udp(local.u.any.sa_family, &s);

	net_set_port(&local, port);
	if (r == 0 && local.u.any.sa_family == AF_INET)
		r = net_set_option(s, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO", why);
	else if (r == 0) {
		r = net_set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY",
			"IPv6 alone, so that an IPv4 socket can have the same port");
		if (r == 0)
			r = net_set_option(
				s, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO", why);
	}
	if (r == 0)
		r = net_bind(s, &local);
	if (r) {
		net_close(s);
		return r;
	}
	*fd = s;
	return 0;
}

/* Where any port will do, the beacon's will not: there the server is to be found. */
static int open_one(const struct net_address *listening, uint16_t port, int *fd)
{
	struct net_address bound;
	int s = -1, other = -1;
	int r = open_at(listening, port, &s);

	if (r || port != 0 || net_local(s, &bound) != 0 || net_port(&bound) != NET_PORT) {
		*fd = s;
		return r;
	}
	/* While that one is taken, it is not given out again. */
	r = open_at(listening, 0, &other);
	net_close(s);
	*fd = other;
	return r;
}

int lane_sockets_open(const struct net_address *listening, size_t count, uint16_t port, int *fds,
	char *error, size_t size)
{
	char where[NET_ADDRESS_MAX];

	for (size_t i = 0; i < count; i++) {
		if (open_one(&listening[i], port, &fds[i]) == 0)
			continue;
		struct net_address wanted = listening[i];
		int saved = errno;
		net_set_port(&wanted, port);
		snprintf(error, size, "no datagram lane at UDP %s: %s", net_print(&wanted, where),
			strerrordesc_np(saved));
		while (i-- > 0)
			net_close(fds[i]);
		return ERR_SYSTEM;
	}
	return 0;
}

/* An IPv4 address in the clothes of IPv6 is what a socket of both families tells. */
static struct net_address plain(const struct net_address *a)
{
	struct net_address v4 = {.length = sizeof(v4.u.v4), .u.v4 = {.sin_family = AF_INET}};

	if (a->u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.v6.sin6_addr))
		return *a;
	memcpy(&v4.u.v4.sin_addr, a->u.v6.sin6_addr.s6_addr + 12, 4);
	return v4;
}

static bool is_wildcard(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
}

uint16_t lane_sockets_port(const int *fds, size_t count, const struct net_address *local)
{
	struct net_address wanted = plain(local);

	for (size_t i = 0; i < count; i++) {
		struct net_address bound;
		if (net_local(fds[i], &bound) != 0 ||
			bound.u.any.sa_family != wanted.u.any.sa_family)
			continue;
		uint16_t port = net_port(&bound);
		net_set_port(&wanted, port);
		if (is_wildcard(&bound) || net_equal(&bound, &wanted))
			return port;
	}
	return 0;
}

/* ---- receiving and sending ---- */

/* Room for one of either family, aligned as CMSG_FIRSTHDR expects. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void take_local(struct msghdr *m, struct net_address *local)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
			c->cmsg_len >= CMSG_LEN(sizeof(v4))) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			*local = (struct net_address){.length = sizeof(local->u.v4),
				.u.v4 = {.sin_family = AF_INET, .sin_addr = v4.ipi_spec_dst}};
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
			   c->cmsg_len >= CMSG_LEN(sizeof(v6))) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			*local = (struct net_address){.length = sizeof(local->u.v6),
				.u.v6 = {.sin6_family = AF_INET6, .sin6_addr = v6.ipi6_addr}};
		}
	}
}

/* The interface is left to the routes, but where the other end's address names one (RFC 4007). */
static void put_local(struct msghdr *m, const struct net_address *local)
{
	struct cmsghdr *c = m->msg_control;

	if (local->u.any.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = local->u.v4.sin_addr};
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_addr = local->u.v6.sin6_addr};
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

int lane_socket_receive(int fd, uint8_t *bytes, size_t size, size_t *length, struct lane_path *path)
{
	struct lane_path came = {.fd = fd};
	union control control;
	char text[NET_ADDRESS_MAX];
	struct iovec piece = {.iov_base = bytes, .iov_len = size};
	struct msghdr m = {
		.msg_name = &came.from.u,
		.msg_namelen = sizeof(came.from.u),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(fd, &m, MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		/* What an ICMP message tells of somebody is an error of the socket, once. */
		return errno == EAGAIN ? ERR_AGAIN : ERR_SYSTEM;
	came.from.length = m.msg_namelen;
	take_local(&m, &came.local);
	if (trace_on())
		trace_callf(got, "one datagram, from whoever it says", "recvmsg(%d, from %s)", fd,
			net_print(&came.from, text));
	if ((size_t)got > size)
		return ERR_TOO_BIG;
	*length = (size_t)got;
	*path = came;
	return 0;
}

int lane_socket_send(const struct lane_path *path, const uint8_t *bytes, size_t length)
{
	union control control = {.bytes = {0}};
	struct net_address to = path->from;
	char text[NET_ADDRESS_MAX];
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr m = {
		.msg_name = &to.u,
		.msg_namelen = to.length,
		.msg_iov = &piece,
		.msg_iovlen = 1,
	};
	ssize_t sent;

	if (path->local.length) {
		m.msg_control = &control;
		put_local(&m, &path->local);
	}
	do
		sent = sendmsg(path->fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (trace_on())
		trace_callf(sent, "one datagram, with the source address that was asked",
			"sendmsg(%d, to %s, %zu bytes)", path->fd, net_print(&to, text), length);
	return sent < 0 ? ERR_AGAIN : 0;
}
