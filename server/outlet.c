#include "server/outlet.h"

#include "common/err.h"
#include "common/frame.h"
#include "common/message.h"
#include "server/said.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- life ---- */

int outlet_new(struct stream *s, const struct outlet_hooks *hooks, struct outlet **out)
{
	struct outlet *o = calloc(1, sizeof(*o));

	if (!o)
		return ERR_MEMORY;
	o->stream = s;
	o->hooks = hooks;
	atomic_init(&o->refs, 1);
	lock_init(&o->lock, LOCK_CONN);
	*out = o;
	return 0;
}

struct outlet *outlet_ref(struct outlet *o)
{
	atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

void outlet_unref(struct outlet *o)
{
	if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(o->member_count == 0);
	stream_free(o->stream);
	free(o->pending);
	free(o->members);
	lock_fini(&o->lock);
	free(o);
}

/* ---- replies that wait ---- */

static size_t pending_length(const struct outlet *o)
{
	return o->pending_end - o->pending_start;
}

static int append_locked(struct outlet *o, const uint8_t *bytes, size_t length)
{
	lock_assert_held(&o->lock);
	if (o->pending_start && o->pending_size - o->pending_end < length) {
		memmove(o->pending, o->pending + o->pending_start, pending_length(o));
		o->pending_end -= o->pending_start;
		o->pending_start = 0;
	}
	if (o->pending_size - o->pending_end < length) {
		size_t size = o->pending_size ? o->pending_size : 512;
		while (size - o->pending_end < length)
			size *= 2;
		uint8_t *grown = realloc(o->pending, size);
		if (!grown)
			return ERR_MEMORY;
		o->pending = grown;
		o->pending_size = size;
	}
	memcpy(o->pending + o->pending_end, bytes, length);
	o->pending_end += length;
	return 0;
}

static void consume_pending_locked(struct outlet *o, size_t length)
{
	o->pending_start += length;
	if (o->pending_start < o->pending_end)
		return;
	o->pending_start = o->pending_end = 0;
	/* An idle connection keeps a small buffer or none. */
	if (o->pending_size > 4096) {
		free(o->pending);
		o->pending = NULL;
		o->pending_size = 0;
	}
}

/* ---- sending ---- */

static void close_locked(struct outlet *o)
{
	lock_assert_held(&o->lock);
	atomic_store(&o->closed, true);
	free(o->pending);
	o->pending = NULL;
	o->pending_start = o->pending_end = o->pending_size = 0;
}

/* The peer is gone, or memory is. The session's thread sees the socket end and cleans up. */
static void fail_locked(struct outlet *o)
{
	close_locked(o);
	stream_shutdown(o->stream, SHUT_RDWR);
}

static void block_locked(struct outlet *o)
{
	lock_assert_held(&o->lock);
	atomic_store(&o->blocked, true);
	o->hooks->blocked(o->hooks->context, o);
}

/* One send of what waits and `count` more pieces. 0: all of it went; ERR_AGAIN: a part or nothing
 * did, `*taken` bytes of the pieces, and the outlet is blocked now. */
static int send_locked(
	struct outlet *o, const struct iovec *pieces, int count, size_t total, size_t *taken)
{
	struct iovec all[1 + FEED_SEGMENTS];
	size_t waiting = pending_length(o);
	size_t sent = 0;
	int n = 0;

	lock_assert_held(&o->lock);
	*taken = 0;
	if (waiting)
		all[n++] = (struct iovec){
			.iov_base = o->pending + o->pending_start, .iov_len = waiting};
	for (int i = 0; i < count; i++)
		all[n++] = pieces[i];
	if (n == 0)
		return 0;
	int r = stream_send(o->stream, all, n, &sent);
	if (r != 0 && r != ERR_AGAIN) {
		fail_locked(o);
		return ERR_CLOSED;
	}
	if (r == 0) {
		size_t first = sent < waiting ? sent : waiting;
		if (first)
			consume_pending_locked(o, first);
		*taken = sent - first;
		if (sent == waiting + total)
			return 0;
	}
	block_locked(o);
	return ERR_AGAIN;
}

/* `taken` bytes of frames went. Whole frames count as sent; the rest of the one that was cut waits
 * in front, so that nothing but its own end can follow it. Returns the bytes accounted for. */
static size_t account_locked(struct outlet *o, const uint8_t *frames, size_t taken, uint64_t *sent)
{
	size_t at = 0;

	while (at < taken) {
		uint64_t seq = said_frame_seq(frames + at);
		if (seq) {
			assert(seq > *sent);
			*sent = seq;
		}
		at += frame_size(frames + at);
	}
	if (at > taken && append_locked(o, frames + taken, at - taken) != 0)
		fail_locked(o);
	return at;
}

/* The socket took a part of what a member was to get from the window. */
static void advance_locked(
	struct outlet *o, struct member *m, const struct feed_window *w, size_t taken)
{
	while (taken > 0) {
		size_t piece;
		const uint8_t *frames = feed_window_at(w, m->position, &piece);
		size_t part = taken < piece ? taken : piece;
		m->position += account_locked(o, frames, part, &m->sent);
		taken -= part;
	}
}

static void queue_locked(struct outlet *o, struct member *m)
{
	lock_assert_held(&o->lock);
	m->state = MEMBER_CATCHUP;
	/* It misses what passes meanwhile, and is told where it stands when it is back. */
	m->announce = true;
	if (m->queued)
		return;
	m->queued = true;
	o->hooks->behind(o->hooks->context, member_ref(m));
}

/* Everything that there is has been sent: say so. */
static void announce_locked(struct outlet *o, struct member *m, const struct feed_window *w)
{
	struct msg_caught_up message = {
		.room = span_of(feed_name(m->feed)),
		.last = m->sent,
		.version = w->version,
		.people = w->people,
	};
	uint8_t frame[FRAME_HEADER + 128];
	size_t used = 0;

	m->announce = false;
	int r = message_encode(MESSAGE_CAUGHT_UP, &message, frame, sizeof(frame), &used);
	assert(r == 0);
	(void)r;
	if (append_locked(o, frame, used) != 0)
		fail_locked(o);
}

static bool member_open(const struct outlet *o, const struct member *m)
{
	return m->state != MEMBER_GONE && !atomic_load(&o->closed);
}

/* Send a live member [position, head), in front of it the replies that wait. 0 when it has all. */
static int push_window_locked(struct outlet *o, struct member *m, const struct feed_window *w)
{
	struct iovec pieces[FEED_SEGMENTS];
	size_t taken;

	lock_assert_held(&o->lock);
	if (!member_open(o, m) || m->state != MEMBER_LIVE || m->position > w->head)
		return 0;
	if (m->position == w->head) {
		/* The end of it may have gone as the rest of a frame that was cut. */
		if (m->announce)
			announce_locked(o, m, w);
		return 0;
	}
	if (m->position < w->tail) {
		queue_locked(o, m);
		return 0;
	}
	int count = feed_window_pieces(w, m->position, pieces);
	int r = send_locked(o, pieces, count, (size_t)(w->head - m->position), &taken);
	if (r == 0) {
		assert(w->last_seq >= m->sent);
		m->position = w->head;
		m->sent = w->last_seq;
		if (m->announce)
			announce_locked(o, m, w);
	} else if (r == ERR_AGAIN) {
		advance_locked(o, m, w, taken);
	}
	return r;
}

static int push_member_locked(struct outlet *o, struct member *m)
{
	struct feed_window w;
	int r;

	if (m->state == MEMBER_CATCHUP) {
		queue_locked(o, m);
		return 0;
	}
	feed_window_take(m->feed, &w);
	r = push_window_locked(o, m, &w);
	feed_window_release(&w);
	return r;
}

/* Replies, then every membership's news, until the socket is full. */
static void push_locked(struct outlet *o)
{
	size_t taken;

	lock_assert_held(&o->lock);
	if (atomic_load(&o->closed) || atomic_load(&o->blocked))
		return;
	if (stream_pending(o->stream)) {
		int r = stream_flush(o->stream);
		if (r == ERR_AGAIN)
			block_locked(o);
		else if (r != 0)
			fail_locked(o);
		if (r != 0)
			return;
	}
	for (size_t i = 0; i < o->member_count; i++) {
		if (push_member_locked(o, o->members[i]) != 0)
			return;
	}
	send_locked(o, NULL, 0, 0, &taken);
}

/* Give the lock back, and look after those who found it taken. */
static void drop_lock(struct outlet *o) LOCK_RELEASES(&o->lock)
{
	lock_drop(&o->lock);
	if (atomic_load(&o->again))
		outlet_push(o);
}

/* Take the lock, or leave a mark for whoever has it: false. */
static bool try_lock(struct outlet *o) LOCK_TRIES(&o->lock)
{
	if (lock_try(&o->lock))
		return true;
	atomic_store(&o->again, true);
	/* The holder may have looked for the mark just before it was there. */
	return lock_try(&o->lock);
}

void outlet_push(struct outlet *o)
{
	while (try_lock(o)) {
		atomic_store(&o->again, false);
		push_locked(o);
		lock_drop(&o->lock);
		if (!atomic_load(&o->again))
			return;
	}
}

void outlet_writable(struct outlet *o)
{
	lock_take(&o->lock);
	atomic_store(&o->blocked, false);
	push_locked(o);
	drop_lock(o);
}

void outlet_push_member(struct outlet *o, struct member *m, const struct feed_window *w)
{
	size_t taken;

	if (atomic_load(&o->blocked) || !try_lock(o))
		return;
	/* Blocked since: the drain thread will find what there is by then. */
	if (!atomic_load(&o->blocked)) {
		push_window_locked(o, m, w);
		if (pending_length(o) && !atomic_load(&o->blocked) && !atomic_load(&o->closed))
			send_locked(o, NULL, 0, 0, &taken);
	}
	drop_lock(o);
}

int outlet_reply(struct outlet *o, const uint8_t *frame, size_t length)
{
	int r = ERR_CLOSED;

	lock_take(&o->lock);
	if (!atomic_load(&o->closed)) {
		/* One reply always fits, however large, or it would never go. */
		bool fits = pending_length(o) == 0 || pending_length(o) + length <= OUTLET_REPLIES;
		r = fits ? append_locked(o, frame, length) : ERR_FULL;
	}
	drop_lock(o);
	return r;
}

size_t outlet_pending(struct outlet *o)
{
	lock_take(&o->lock);
	size_t n = pending_length(o);
	drop_lock(o);
	return n;
}

void outlet_close(struct outlet *o)
{
	lock_take(&o->lock);
	close_locked(o);
	lock_drop(&o->lock);
}

/* ---- memberships ---- */

struct member *member_ref(struct member *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void member_unref(struct member *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	outlet_unref(m->outlet);
	feed_unref(m->feed);
	free(m);
}

/* A place in the list for one more. */
static int reserve_member_locked(struct outlet *o)
{
	lock_assert_held(&o->lock);
	if (atomic_load(&o->closed))
		return ERR_CLOSED;
	if (o->member_count < o->member_size)
		return 0;
	size_t size = o->member_size ? o->member_size * 2 : 2;
	struct member **grown = realloc(o->members, size * sizeof(*grown));
	if (!grown)
		return ERR_MEMORY;
	o->members = grown;
	o->member_size = size;
	return 0;
}

/* Go on from the window, if it reaches back to what the member has. */
static bool go_live_locked(struct member *m)
{
	lock_assert_held(&m->outlet->lock);
	if (feed_locate(m->feed, m->sent, &m->position) != 0)
		return false;
	m->state = MEMBER_LIVE;
	m->queued = false;
	return true;
}

/* Live from now on: send the difference, and the word that this was all. */
static void begin_live_locked(struct outlet *o, struct member *m)
{
	struct feed_window w;
	size_t taken;

	if (atomic_load(&o->blocked))
		return; /* with everything else, when there is room */
	feed_window_take(m->feed, &w);
	push_window_locked(o, m, &w);
	feed_window_release(&w);
	if (!atomic_load(&o->blocked) && !atomic_load(&o->closed))
		send_locked(o, NULL, 0, 0, &taken);
}

int member_join(struct outlet *o, struct feed *f, uint64_t after, struct member **out)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_MEMORY;
	atomic_init(&m->refs, 1);
	m->outlet = outlet_ref(o);
	m->feed = feed_ref(f);
	m->state = MEMBER_CATCHUP;
	/* What a client claims to have is no promise of ours; nobody has more than there is. */
	uint64_t last = feed_last_seq(f);
	m->sent = after < last ? after : last;
	m->announce = true;
	lock_take(&o->lock);
	int r = reserve_member_locked(o);
	if (r == 0)
		r = feed_add(f, m);
	/* In the feed's list before we look at its window: what is published after that finds us. */
	if (r == 0) {
		o->members[o->member_count++] = member_ref(m);
		if (go_live_locked(m))
			begin_live_locked(o, m);
		else
			queue_locked(o, m);
		*out = m;
	}
	drop_lock(o);
	if (r)
		member_unref(m);
	return r;
}

void member_leave(struct member *m)
{
	struct outlet *o = m->outlet;
	struct member *listed = NULL;

	feed_remove(m->feed, m);
	lock_take(&o->lock);
	m->state = MEMBER_GONE;
	for (size_t i = 0; i < o->member_count; i++) {
		if (o->members[i] == m) {
			listed = m;
			o->members[i] = o->members[--o->member_count];
			break;
		}
	}
	drop_lock(o);
	member_unref(listed);
}

/* ---- catching up ---- */

enum member_next outlet_member_next(struct member *m, uint64_t *after, uint64_t *upto)
{
	struct outlet *o = m->outlet;
	enum member_next next = MEMBER_NEXT_READ;

	lock_take(&o->lock);
	if (!member_open(o, m) || m->state != MEMBER_CATCHUP) {
		m->queued = false;
		next = MEMBER_NEXT_DONE;
	} else if (atomic_load(&o->blocked)) {
		m->queued = false;
		next = MEMBER_NEXT_LATER;
	} else if (go_live_locked(m)) {
		begin_live_locked(o, m);
		next = MEMBER_NEXT_DONE;
	} else {
		*after = m->sent;
		/* No further than what has been published: a number read from the history before
		 * it is in the window would come a second time from there. */
		*upto = feed_last_seq(m->feed);
	}
	drop_lock(o);
	return next;
}

bool outlet_deliver(struct member *m, const uint8_t *page, size_t length, uint64_t seq)
{
	struct outlet *o = m->outlet;
	struct iovec piece = {.iov_base = (void *)(uintptr_t)page, .iov_len = length};
	size_t taken = 0;
	bool on = false;

	lock_take(&o->lock);
	if (!member_open(o, m) || atomic_load(&o->blocked)) {
		m->queued = false; /* blocked by somebody else, since: the page is read again */
	} else if (send_locked(o, &piece, length ? 1 : 0, length, &taken) == 0) {
		assert(seq >= m->sent);
		m->sent = seq;
		on = true;
	} else {
		if (taken)
			account_locked(o, page, taken, &m->sent);
		m->queued = false;
	}
	drop_lock(o);
	return on;
}
