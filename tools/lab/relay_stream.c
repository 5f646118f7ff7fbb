/*
 * Streams: bytes from one connection to the other, ends and resets as they come.
 */
#include "tools/lab/relay_private.h"

#include "common/err.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void relay_stream_end(struct stream_pair *t, bool reset)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	for (int i = 0; i < 2; i++) {
		/* SO_LINGER with no time closes by a reset: socket(7). */
		if (reset && t->fd[i] >= 0)
			(void)setsockopt(t->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		net_close(t->fd[i]);
		t->fd[i] = -1;
	}
}

static struct stream_pair *free_pair(const struct relay *r)
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		if (r->streams[i].fd[0] < 0)
			return &r->streams[i];
	}
	return NULL;
}

bool relay_stream_room(const struct relay *r)
{
	return free_pair(r) != NULL;
}

/* The second half of the way: to the target, from who came. */
static int dial(const struct net_address *target, bool *connecting)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int buffer = RELAY_BUFFER, on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*connecting = connect(fd, &target->u.any, target->length) != 0;
	if (!*connecting || errno == EINPROGRESS)
		return fd;
	net_close(fd);
	return -1;
}

void relay_stream_accept(struct relay *r, const struct route *way)
{
	struct stream_pair *t;
	int on = 1;

	while ((t = free_pair(r)) != NULL) {
		int fd = accept4(way->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		*t = (struct stream_pair){.fd = {fd, -1}, .toward = way->toward};
		t->fd[1] = dial(&way->target, &t->connecting);
		if (t->fd[1] < 0)
			relay_stream_end(t, true);
	}
}

/* ---- one half ---- */

static bool has_room(const struct half *h)
{
	return !h->ended && h->used < RELAY_BUFFER && h->marks_count < RELAY_MARKS;
}

static bool is_due(const struct half *h, uint64_t now)
{
	return h->marks_count && h->marks[h->first_mark].due_ns <= now;
}

/* Read what there is. False: the connection is broken. */
static bool fill(struct relay *r, struct stream_pair *t, int from, uint64_t now)
{
	struct half *h = &t->half[from];
	const struct impairment *how = &r->direction[t->toward ^ (unsigned)from].now;
	uint64_t due = relay_due(r, now, now + how->delay_ns);

	while (has_room(h)) {
		size_t end = (h->start + h->used) % RELAY_BUFFER;
		size_t room = end < h->start ? h->start - end : RELAY_BUFFER - end;
		if (room > RELAY_BUFFER - h->used)
			room = RELAY_BUFFER - h->used;
		ssize_t n = recv(t->fd[from], h->bytes + end, room, 0);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0) {
			h->ended = true;
			h->end_due_ns = due;
			return true;
		}
		size_t mark = (h->first_mark + h->marks_count++) % RELAY_MARKS;
		h->marks[mark].due_ns = due;
		h->marks[mark].length = (size_t)n;
		h->used += (size_t)n;
		r->counting[SIDE_TCP].bytes += (uint64_t)n;
	}
	return true;
}

/* Write what is due. False: the connection is broken. */
static bool drain(struct stream_pair *t, int from, uint64_t now)
{
	struct half *h = &t->half[from];

	while (is_due(h, now)) {
		size_t length = h->marks[h->first_mark].length;
		if (length > RELAY_BUFFER - h->start)
			length = RELAY_BUFFER - h->start;
		ssize_t n = send(t->fd[!from], h->bytes + h->start, length, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		h->start = (h->start + (size_t)n) % RELAY_BUFFER;
		h->used -= (size_t)n;
		h->marks[h->first_mark].length -= (size_t)n;
		if (h->marks[h->first_mark].length == 0) {
			h->first_mark = (h->first_mark + 1) % RELAY_MARKS;
			h->marks_count--;
		}
	}
	if (h->ended && !h->passed_on && h->marks_count == 0 && h->end_due_ns <= now) {
		net_shutdown(t->fd[!from], SHUT_WR);
		h->passed_on = true;
	}
	return true;
}

/* ---- turns ---- */

/* False while it is not decided, or when it failed. */
static bool is_connected(struct stream_pair *t)
{
	if (!t->connecting)
		return true;
	int e = net_connect_result(t->fd[1]);
	if (e == 0)
		t->connecting = false;
	else if (e != ERR_AGAIN)
		relay_stream_end(t, true);
	return e == 0;
}

void relay_stream_turn(struct relay *r, uint64_t now)
{
	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		struct stream_pair *t = &r->streams[i];
		if (t->fd[0] < 0 || !is_connected(t))
			continue;
		bool good = true;
		for (int from = 0; from < 2 && good; from++)
			good = fill(r, t, from, now) && drain(t, from, now);
		if (!good)
			relay_stream_end(t, true);
		else if (t->half[0].passed_on && t->half[1].passed_on)
			relay_stream_end(t, false);
	}
}

static void sooner(uint64_t *due, uint64_t other)
{
	if (other < *due)
		*due = other;
}

/* What one end of a pair waits for. Of one that has nothing more to say poll tells for ever, so it is
 * not asked then: false. */
static bool end_events(const struct stream_pair *x, int from, uint64_t now, short *events)
{
	const struct half *in = &x->half[from], *out = &x->half[!from];

	if (x->connecting)
		*events = from ? POLLOUT : 0;
	else
		*events = (short)((has_room(in) ? POLLIN : 0) | (is_due(out, now) ? POLLOUT : 0));
	return *events || !in->ended;
}

/* When something of this half is due next, in the future. */
static void half_due(const struct half *h, uint64_t now, uint64_t *due_ns)
{
	if (h->marks_count && !is_due(h, now))
		sooner(due_ns, h->marks[h->first_mark].due_ns);
	if (h->ended && !h->passed_on && h->marks_count == 0)
		sooner(due_ns, h->end_due_ns);
}

nfds_t relay_stream_poll(const struct relay *r, struct pollfd *p, uint64_t *due_ns)
{
	uint64_t now = relay_now();
	nfds_t n = 0;

	for (size_t i = 0; i < RELAY_STREAMS; i++) {
		const struct stream_pair *x = &r->streams[i];
		for (int from = 0; from < 2 && x->fd[0] >= 0; from++) {
			short events = 0;
			if (end_events(x, from, now, &events))
				p[n++] = (struct pollfd){.fd = x->fd[from], .events = events};
			half_due(&x->half[from], now, due_ns);
		}
	}
	return n;
}
