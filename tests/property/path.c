#include "tests/property/path.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"
#include "server/thread.h"

#include <assert.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PATIENCE 20000 /* milliseconds after which what has to come is given up */
#define CHUNK    65536

/* ---- bytes ---- */

static void append(struct bytes *b, const uint8_t *bytes, size_t length)
{
	if (b->start == b->end)
		b->start = b->end = 0;
	if (b->size - b->end < length) {
		b->size = (b->end + length) * 2;
		b->bytes = realloc(b->bytes, b->size);
		assert(b->bytes);
	}
	memcpy(b->bytes + b->end, bytes, length);
	b->end += length;
}

/* ---- where the session's thread is ---- */

/* Of this thread, if it is a session's. */
static _Thread_local struct parking *parked;

static void move(struct parking *p, bool waiting, bool over)
{
	lock_take(&p->lock);
	p->waiting = waiting;
	p->over = over;
	PTHREAD_OK(pthread_cond_broadcast(&p->moved));
	lock_drop(&p->lock);
}

/* The linker puts this in poll()'s place (--wrap=poll). */
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (!parked)
		return __real_poll(fds, count, timeout);
	move(parked, true, false);
	int r = __real_poll(fds, count, timeout);
	move(parked, false, false);
	return r;
}

static void *run(void *argument)
{
	struct path *p = argument;

	parked = &p->parking;
	session_run(p->session, NULL, NULL);
	move(&p->parking, false, true);
	return NULL;
}

static bool is_taken(const struct path *p)
{
	int left = 0;

	return ioctl(p->fd, SIOCOUTQ, &left) != 0 || left == 0;
}

/* Until the session has taken all bytes, acted on them and waits for more, or is over. The order
 * matters: a thread that has taken the bytes is not waiting until it has acted on them. */
static void await_session(struct path *p)
{
	int64_t deadline = clock_ms() + PATIENCE;

	lock_take(&p->parking.lock);
	while (!p->parking.over && !(is_taken(p) && p->parking.waiting) && clock_ms() < deadline)
		lock_wait(&p->parking.lock, &p->parking.moved, deadline);
	if (!p->parking.over && clock_ms() >= deadline)
		verdict_complain(p->truth->verdict, "a session does not take what comes");
	lock_drop(&p->parking.lock);
}

/* ---- life ---- */

struct path *path_open(struct chat *c, struct truth *t, int inbox, int buffer)
{
	struct path *p = calloc(1, sizeof(*p));
	struct net_address nowhere = {0};
	struct stream *stream;
	int fds[2];

	assert(p && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	if (buffer > 0)
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	p->fd = fds[0];
	p->truth = t;
	p->streams = t->streams;
	p->stream_count = t->stream_count;
	p->inbox = inbox;
	lock_init(&p->parking.lock, LOCK_LEAF);
	lock_cond_init(&p->parking.moved);
	int r = stream_new_plain(fds[1], &stream);
	if (r == 0)
		r = session_new(c, stream, &nowhere, &p->session);
	if (r == 0)
		r = thread_start(&p->thread, "session", thread_stack(), run, p);
	assert(r == 0);
	await_session(p);
	return p;
}

/* ---- to the server ---- */

void path_send(struct path *p, const uint8_t *bytes, size_t length)
{
	append(&p->up, bytes, length);
}

void path_deliver(struct path *p, size_t length)
{
	size_t sent = 0;

	if (length > p->up.end - p->up.start)
		length = p->up.end - p->up.start;
	if (length == 0 || !p->session)
		return;
	struct iovec piece = {.iov_base = p->up.bytes + p->up.start, .iov_len = length};
	int r = net_sendv(p->fd, &piece, 1, &sent);
	if (r == 0)
		p->up.start += sent;
	else if (r != ERR_AGAIN)
		p->up.start = p->up.end; /* nobody is there */
	await_session(p);
}

/* ---- from the server ---- */

static int stream_of_room(const struct path *p, struct span room)
{
	struct stream_key key;

	if (room.length == 0)
		return p->inbox;
	if (stream_key_room(room.text, room.length, &key) != 0)
		return -1;
	for (size_t i = 0; i < p->stream_count; i++) {
		if (stream_key_compare(&key, &p->streams[i]) == 0)
			return (int)i;
	}
	return -1;
}

static void owe(struct path *p, struct span room, bool owed)
{
	int stream = stream_of_room(p, room);

	if (stream >= 0)
		p->owed[stream] = owed;
}

static void note(struct path *p, const struct frame *f)
{
	union message m;

	if (message_decode(f, &m) != 0)
		return;
	if (f->type == MESSAGE_LOGGED_IN) {
		p->owed[p->inbox] = true;
		p->inbox_last = truth_last(p->truth, p->inbox, UINT64_MAX);
	} else if (f->type == MESSAGE_JOINED) {
		owe(p, m.joined.room, true);
	} else if (f->type == MESSAGE_PARTED) {
		owe(p, m.parted.room, false);
	} else if (f->type == MESSAGE_CAUGHT_UP) {
		owe(p, m.caught_up.room, false);
	} else if (f->type == MESSAGE_PONG) {
		p->answered = m.pong.token;
	}
}

static void scan(struct path *p)
{
	struct bytes *b = &p->down;
	struct frame f;

	while (frame_decode(b->bytes + b->start + p->scanned, b->end - b->start - p->scanned,
		       FRAME_PAYLOAD_MAX, &f, NULL) == 0) {
		note(p, &f);
		p->scanned += FRAME_HEADER + (size_t)f.length;
	}
}

void path_collect(struct path *p)
{
	uint8_t chunk[CHUNK];
	size_t got;
	int r = ERR_AGAIN;

	while (!p->stalled && !p->ended && (r = net_recv(p->fd, chunk, sizeof(chunk), &got)) == 0)
		append(&p->down, chunk, got);
	if (r != 0 && r != ERR_AGAIN)
		p->ended = true;
	if (p->down.end > p->down.start)
		scan(p);
}

static bool owes(const struct path *p)
{
	bool any = false;

	for (size_t i = 0; i < p->stream_count; i++)
		any = any || p->owed[i];
	return any;
}

/* Another login of the same client has come: what is left is its last word. */
static bool is_replaced(const struct path *p)
{
	return p->session && atomic_load(&p->session->stopping) != CODE_NONE;
}

bool path_await(struct path *p)
{
	int64_t deadline = clock_ms() + PATIENCE;
	struct pollfd poller = {.fd = p->fd, .events = POLLIN};

	path_collect(p);
	while (!p->stalled && !p->ended && (owes(p) || is_replaced(p))) {
		if (poll(&poller, 1, clock_poll_timeout(deadline)) == 0)
			return false;
		path_collect(p);
	}
	return true;
}

/* How many people come and go is told by the clock, so such frames do not count. */
static size_t frame_end(const struct path *p, size_t at, size_t frames)
{
	const struct bytes *b = &p->down;
	struct frame f;

	while (frame_decode(b->bytes + b->start + at, b->end - b->start - at, FRAME_PAYLOAD_MAX, &f,
		       NULL) == 0) {
		if (f.type != MESSAGE_PRESENCE && frames-- == 0)
			break;
		at += FRAME_HEADER + (size_t)f.length;
	}
	return at;
}

void path_show(struct path *p, size_t frames, size_t bytes)
{
	size_t all = p->down.end - p->down.start;

	if (all == 0)
		return;
	size_t at = frame_end(p, 0, frames);
	at = bytes < all - at ? at + bytes : all;
	if (at > p->visible)
		p->visible = at;
}

void path_shown(struct path *p, size_t bytes)
{
	p->down.start += bytes;
	p->visible -= bytes;
	p->scanned -= bytes;
}

bool path_has_news(const struct path *p)
{
	return p->down.end - p->down.start > p->visible;
}

/* ---- the end ---- */

/* It has two seconds to say what it has to say. */
static void hear_out(struct path *p)
{
	int64_t deadline = clock_ms() + PATIENCE;
	struct pollfd poller = {.fd = p->fd, .events = POLLIN};

	session_stop(p->session);
	for (path_collect(p); !p->ended; path_collect(p)) {
		if (poll(&poller, 1, clock_poll_timeout(deadline)) == 0) {
			verdict_complain(p->truth->verdict, "a session does not stop");
			return;
		}
	}
}

void path_stop(struct path *p, bool told)
{
	if (!p->session)
		return;
	p->stalled = false;
	if (told)
		hear_out(p);
	else
		path_collect(p);
	p->ended = true;
	net_close(p->fd);
	PTHREAD_OK(pthread_join(p->thread, NULL));
	session_free(p->session);
	p->session = NULL;
}

void path_cut(struct path *p)
{
	if (!p)
		return;
	path_stop(p, false);
	PTHREAD_OK(pthread_cond_destroy(&p->parking.moved));
	lock_fini(&p->parking.lock);
	free(p->up.bytes);
	free(p->down.bytes);
	free(p);
}
