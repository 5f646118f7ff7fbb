#include "common/err.h"
#include "common/log.h"
#include "common/message.h"
#include "common/plain_word.h"
#include "tools/stress/swarm_private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define KEPT_IDLE     4096
#define PENDING_MOST  ((size_t)16 << 20)
#define PORT_RANGE    "/proc/sys/net/ipv4/ip_local_port_range"
#define SOURCES_MOST  64 /* loopback addresses in a row without a port */
#define QUICK_RECEIVE (1 << 20)
#define SLOW_RECEIVE                                                                               \
	4096 /* SO_RCVBUF of a slow reader: what it has not read, waits at the server */

/* ---- the descriptor ---- */

static void want(struct swarm *s, struct client *c, uint32_t events)
{
	if (!c->stream || c->events == events)
		return;
	struct epoll_event e = {.events = events, .data.ptr = c};
	c->events = events;
	(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, stream_fd(c->stream), &e);
}

static bool has_to_write(const struct client *c)
{
	return c->pending_at < c->pending_end ||
	       (c->state >= CLIENT_GREETING && stream_pending(c->stream));
}

static void want_write(struct swarm *s, struct client *c)
{
	uint32_t out = has_to_write(c) ? EPOLLOUT : 0;

	want(s, c, (c->events & ~(uint32_t)EPOLLOUT) | out);
}

void swarm_client_listen(struct swarm *s, struct client *c, bool listen)
{
	want(s, c, (c->events & ~(uint32_t)EPOLLIN) | (listen ? EPOLLIN : 0));
}

void swarm_client_hurry(struct swarm *s, struct client *c)
{
	int size = QUICK_RECEIVE;

	(void)setsockopt(stream_fd(c->stream), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The connection began with so little room that its window would stay as small. */
	(void)setsockopt(stream_fd(c->stream), IPPROTO_TCP, TCP_WINDOW_CLAMP, &size, sizeof(size));
	swarm_client_listen(s, c, true);
}

/* ---- dialing ---- */

/* How many connections one address may have before the kernel has to look long for a free port. */
static uint32_t source_ports(void)
{
	FILE *f = fopen(PORT_RANGE, "re");
	char line[64], *end = line;
	unsigned long low = 0, high = 0;

	if (f && fgets(line, sizeof(line), f)) {
		low = strtoul(line, &end, 10);
		high = strtoul(end, NULL, 10);
	}
	if (f)
		(void)fclose(f);
	return low < high && high < 65536 ? (uint32_t)(high - low) / 4 * 3 : 20000;
}

/* The next loopback address has all of its ports still. False: this is no loopback address, or the
 * last one. */
static bool next_source(struct swarm *s)
{
	struct in_addr *a = &s->source.u.v4.sin_addr;

	if (s->source.length == 0 || ntohl(a->s_addr) >= INADDR_LOOPBACK + 0xfffffd)
		return false;
	a->s_addr = htonl(ntohl(a->s_addr) + 1);
	s->source_used = 0;
	return true;
}

/* As net_connect_from; with EADDRNOTAVAIL, no address has a port left. */
static int connect_from_any(struct swarm *s, int *fd)
{
	if (s->source.length && !s->source_most)
		s->source_most = source_ports();
	if (s->source.length && s->source_used >= s->source_most)
		(void)next_source(s);
	for (int i = 0;; i++) {
		int r = net_connect_from(s->source.length ? &s->source : NULL, s->setting.at, fd);
		if (r != ERR_SYSTEM || errno != EADDRNOTAVAIL || i == SOURCES_MOST ||
			!next_source(s)) {
			s->source_used++;
			return r;
		}
	}
}

/* Its connection could not be begun. */
static void not_dialed(struct swarm *s, struct client *c, int why)
{
	if (why == EADDRNOTAVAIL) {
		s->out_of_ports = true;
		swarm_client_failed(s, c,
			"this machine has no port left to connect from: use fewer --clients, or "
			"more ports (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\")");
		return;
	}
	swarm_client_failed(s, c, strerror(why));
}

static int open_stream(struct swarm *s, struct client *c, int fd)
{
	return s->tls ? stream_new_tls_as(fd, s->tls, c->key, &c->stream)
		      : stream_new_plain(fd, &c->stream);
}

void swarm_client_dial(struct swarm *s, struct client *c)
{
	int fd = -1;
	int r = connect_from_any(s, &fd);
	int why = errno;

	c->state = CLIENT_DIALING;
	c->back_at = 0;
	s->dialing++;
	if (r != 0 && r != ERR_AGAIN) {
		not_dialed(s, c, why);
		return;
	}
	if (c->role == ROLE_SLOW) {
		int size = SLOW_RECEIVE;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	c->events = EPOLLOUT;
	struct epoll_event e = {.events = c->events, .data.ptr = c};
	if (open_stream(s, c, fd) != 0) {
		net_close(fd);
		swarm_client_failed(s, c, err_text(ERR_MEMORY));
	} else if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
		swarm_client_failed(s, c, strerror(errno));
	}
}

static void greet(struct swarm *s, struct client *c)
{
	c->state = CLIENT_GREETING;
	c->peer.step = 0;
	c->peer.expects = 0;
	c->peer.said = 0;
	c->peer.returns = c->was_up;
	s->protocol->greet(&c->peer, &s->out);
	want(s, c, EPOLLIN);
	swarm_client_send(s, c);
}

/* A server that cannot take more says so without TLS. */
static const char *why_no_tls(const struct client *c, int r)
{
	const char *problem = stream_problem(c->stream);
	unsigned code = CODE_NONE;

	if (strcmp(problem, STREAM_NOT_TLS) == 0)
		code = plain_word(stream_fd(c->stream));
	return code != CODE_NONE ? code_text(code) : *problem ? problem : err_text(r);
}

static void shake_hands(struct swarm *s, struct client *c)
{
	int r = stream_handshake(c->stream);

	if (r == 0)
		greet(s, c);
	else if (r != ERR_AGAIN)
		swarm_client_failed(s, c, why_no_tls(c, r));
	else
		want(s, c, EPOLLIN);
}

static void dialed(struct swarm *s, struct client *c)
{
	int r = net_connect_result(stream_fd(c->stream));

	if (r == ERR_AGAIN)
		return;
	if (r) {
		swarm_client_failed(s, c, strerror(errno));
		return;
	}
	c->state = CLIENT_SHAKING;
	shake_hands(s, c);
}

/* ---- sending ---- */

static int keep_pending(struct client *c, const uint8_t *bytes, size_t length)
{
	size_t waiting = c->pending_end - c->pending_at;

	if (waiting + length > PENDING_MOST)
		return ERR_FULL;
	if (c->pending_at && c->pending_size - c->pending_end < length) {
		memmove(c->pending, c->pending + c->pending_at, waiting);
		c->pending_at = 0;
		c->pending_end = waiting;
	}
	if (c->pending_size - c->pending_end < length) {
		size_t size = (waiting + length) * 2;
		uint8_t *more = realloc(c->pending, size);
		if (!more)
			return ERR_MEMORY;
		c->pending = more;
		c->pending_size = size;
	}
	memcpy(c->pending + c->pending_end, bytes, length);
	c->pending_end += length;
	return 0;
}

static int send_pending(struct swarm *s, struct client *c)
{
	int r = stream_flush(c->stream);

	while (r == 0 && c->pending_at < c->pending_end) {
		struct iovec piece = {
			.iov_base = c->pending + c->pending_at,
			.iov_len = c->pending_end - c->pending_at,
		};
		size_t taken = 0;
		r = stream_send(c->stream, &piece, 1, &taken);
		c->pending_at += taken;
		s->tally.bytes_out += taken;
	}
	if (c->pending_at == c->pending_end) {
		free(c->pending);
		c->pending = NULL;
		c->pending_at = c->pending_end = c->pending_size = 0;
	}
	return r == ERR_AGAIN ? 0 : r;
}

/* What can go at once, from where it was written; the rest is kept. */
static int send_out(struct swarm *s, struct client *c)
{
	struct outgoing *o = &s->out;
	struct iovec piece = {.iov_base = o->bytes, .iov_len = o->used};
	size_t taken = 0;
	int r = 0;

	if (o->full)
		return ERR_TOO_BIG;
	if (o->used == 0)
		return 0;
	if (!has_to_write(c))
		r = stream_send(c->stream, &piece, 1, &taken);
	if (r != 0 && r != ERR_AGAIN)
		return r;
	s->tally.bytes_out += taken;
	return taken < o->used ? keep_pending(c, o->bytes + taken, o->used - taken) : 0;
}

void swarm_client_send(struct swarm *s, struct client *c)
{
	int r = send_out(s, c);

	s->out.used = 0;
	s->out.full = false;
	if (r)
		swarm_client_failed(s, c, err_text(r));
	else
		want_write(s, c);
}

/* ---- receiving ---- */

static bool keep_rest(struct client *c, const uint8_t *bytes, size_t length)
{
	if (length > c->kept_size || (length == 0 && c->kept_size > KEPT_IDLE)) {
		free(c->kept);
		c->kept_size = (uint32_t)length;
		c->kept = length ? malloc(length) : NULL;
		if (length && !c->kept)
			return false;
	}
	if (length)
		memcpy(c->kept, bytes, length);
	c->kept_length = (uint32_t)length;
	return true;
}

/* Everything that is whole in s->in; false: the connection is over. */
static bool act_on(struct swarm *s, struct client *c, size_t length)
{
	int64_t now = swarm_now();
	struct stream *stream = c->stream;
	size_t at = 0, used = 0;
	struct event e;
	int r = 0;

	while (at < length && (r = s->protocol->next(&c->peer, s->in + at, length - at, &used, &e,
				       &s->out)) == 0) {
		at += used;
		if (e.kind != EVENT_NONE && !swarm_take(s, c, &e, now))
			return false;
	}
	if (c->stream != stream)
		return false;
	if (r == ERR_PROTOCOL) {
		swarm_client_failed(s, c, "it sent what is not of this protocol");
		return false;
	}
	if (!keep_rest(c, s->in + at, length - at)) {
		swarm_client_failed(s, c, err_text(ERR_MEMORY));
		return false;
	}
	if (s->out.used || s->out.full)
		swarm_client_send(s, c);
	return c->stream == stream;
}

void swarm_client_read(struct swarm *s, struct client *c, size_t most)
{
	for (;;) {
		size_t at = c->kept_length, got = 0;
		size_t size = IN_BYTES - at;

		if (most && most < size)
			size = most;
		if (at)
			memcpy(s->in, c->kept, at);
		int r = stream_recv(c->stream, s->in + at, size, &got);
		if (r == ERR_AGAIN)
			return;
		if (r) {
			swarm_client_failed(s, c, "the server closed the connection");
			return;
		}
		s->tally.bytes_in += got;
		if (!act_on(s, c, at + got) || most || !stream_buffered(c->stream))
			return;
	}
}

void swarm_client_event(struct swarm *s, struct client *c, uint32_t events)
{
	if (!c->stream)
		return; /* closed since epoll told it */
	if (c->state == CLIENT_DIALING) {
		dialed(s, c);
		return;
	}
	if (c->state == CLIENT_SHAKING) {
		shake_hands(s, c);
		if (c->state != CLIENT_GREETING || !stream_buffered(c->stream))
			return;
		events |= EPOLLIN;
	}
	if (events & EPOLLOUT) {
		int r = send_pending(s, c);
		if (r) {
			swarm_client_failed(s, c, err_text(r));
			return;
		}
		want_write(s, c);
		swarm_pace_sent(s, c);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && (c->events & EPOLLIN))
		swarm_client_read(s, c, 0);
}

/* ---- the end ---- */

static void forget(struct swarm *s, struct client *c)
{
	if (c->state == CLIENT_UP)
		s->up--;
	else if (c->state != CLIENT_AWAY && c->state != CLIENT_ENDED)
		s->dialing--;
	stream_free(c->stream);
	c->stream = NULL;
	free(c->kept);
	c->kept = NULL;
	c->kept_length = c->kept_size = 0;
	free(c->pending);
	c->pending = NULL;
	c->pending_at = c->pending_end = c->pending_size = 0;
	c->events = 0;
	c->state = CLIENT_ENDED;
}

void swarm_client_close(struct swarm *s, struct client *c, bool politely)
{
	if (politely && c->state == CLIENT_UP) {
		size_t taken;
		s->protocol->leave(&c->peer, &s->out);
		struct iovec piece = {.iov_base = s->out.bytes, .iov_len = s->out.used};
		if (s->out.used && !has_to_write(c))
			(void)stream_send(c->stream, &piece, 1, &taken);
		s->out.used = 0;
		s->out.full = false;
	}
	forget(s, c);
}

void swarm_client_failed(struct swarm *s, struct client *c, const char *why)
{
	char clean[200];

	/* A server may say anything. */
	log_escape(why, strlen(why), clean, sizeof(clean));
	if (!s->problem[0])
		snprintf(s->problem, sizeof(s->problem), "client %u: %s", c->peer.number, clean);
	s->out.used = 0;
	s->out.full = false;
	c->thrown_out = c->was_up;
	s->senders_out += c->was_up && c->sender;
	if (c->was_up)
		s->disconnected++;
	else
		s->refused++;
	swarm_take_leave(s, c);
	forget(s, c);
	s->progress_at = swarm_now();
}
