#include "server/outlet.h"

#include "common/err.h"
#include "common/frame.h"
#include "server/outlet_private.h"
#include "server/said.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PENDING_KEPT 512 /* bytes of room for replies, between two of them */
#define CACHE_LINE   64

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

int outlet_append_locked(struct outlet *o, const uint8_t *bytes, size_t length)
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

static void free_pending_locked(struct outlet *o)
{
	free(o->pending);
	o->pending = NULL;
	o->pending_start = o->pending_end = o->pending_size = 0;
}

static void consume_pending_locked(struct outlet *o, size_t length)
{
	o->pending_start += length;
	if (o->pending_start < o->pending_end)
		return;
	o->pending_start = o->pending_end = 0;
	if (o->pending_size > PENDING_KEPT)
		free_pending_locked(o);
}

/* ---- sending ---- */

static void close_locked(struct outlet *o)
{
	lock_assert_held(&o->lock);
	atomic_store(&o->closed, true);
	free_pending_locked(o);
}

void outlet_fail_locked(struct outlet *o)
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

int outlet_send_locked(
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
		outlet_fail_locked(o);
		return ERR_CLOSED;
	}
	if (r == 0) {
		metrics_add(o->hooks->metrics, METRIC_BYTES_OUT, sent);
		size_t first = sent < waiting ? sent : waiting;
		if (first)
			consume_pending_locked(o, first);
		*taken = sent - first;
		if (sent == waiting + total) {
			/* What was taken may wait inside, and nobody else would send it. */
			if (stream_pending(o->stream))
				block_locked(o);
			return 0;
		}
	}
	block_locked(o);
	return ERR_AGAIN;
}

size_t outlet_account_locked(
	struct outlet *o, const uint8_t *frames, size_t taken, uint64_t *sent, uint64_t *entries)
{
	size_t at = 0;

	while (at < taken) {
		uint64_t seq = said_frame_seq(frames + at);
		if (seq) {
			assert(seq > *sent);
			*sent = seq;
			++*entries;
		}
		at += frame_size(frames + at);
	}
	if (at > taken && outlet_append_locked(o, frames + taken, at - taken) != 0)
		outlet_fail_locked(o);
	return at;
}

/* Replies, then every membership's news, until the socket is full. */
static void push_locked(struct outlet *o)
{
	size_t taken;

	lock_assert_held(&o->lock);
	if (atomic_load(&o->closed) || outlet_waits(o))
		return;
	if (stream_pending(o->stream)) {
		int r = stream_flush(o->stream);
		if (r == ERR_AGAIN)
			block_locked(o);
		else if (r != 0)
			outlet_fail_locked(o);
		if (r != 0)
			return;
	}
	for (size_t i = 0; i < o->member_count; i++) {
		if (member_push_locked(o, o->members[i]) != 0)
			return;
	}
	outlet_send_locked(o, NULL, 0, 0, &taken);
}

void outlet_drop(struct outlet *o) LOCK_RELEASES(&o->lock)
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

void outlet_hold(struct outlet *o)
{
	atomic_store(&o->held, true);
}

/* Whoever pumps and finds it held leaves what was published to this push, which comes after. */
void outlet_release(struct outlet *o)
{
	atomic_store(&o->held, false);
	outlet_push(o);
}

void outlet_writable(struct outlet *o)
{
	lock_take(&o->lock);
	atomic_store(&o->blocked, false);
	push_locked(o);
	outlet_drop(o);
}

void outlet_push_member(struct outlet *o, struct member *m, const struct feed_window *w)
{
	size_t taken;

	if (outlet_waits(o) || !try_lock(o))
		return;
	/* Blocked since: the drain thread will find what there is by then. */
	if (!outlet_waits(o)) {
		member_push_window_locked(o, m, w);
		if (pending_length(o) && !atomic_load(&o->blocked) && !atomic_load(&o->closed))
			outlet_send_locked(o, NULL, 0, 0, &taken);
	}
	outlet_drop(o);
}

void outlet_foresee(const struct outlet *o)
{
	for (size_t at = 0; at < sizeof(*o); at += CACHE_LINE)
		__builtin_prefetch((const char *)o + at);
}

int outlet_reply(struct outlet *o, const uint8_t *frame, size_t length)
{
	int r = ERR_CLOSED;

	lock_take(&o->lock);
	if (!atomic_load(&o->closed)) {
		/* One reply always fits, however large, or it would never go. */
		bool fits = pending_length(o) == 0 || pending_length(o) + length <= OUTLET_REPLIES;
		r = fits ? outlet_append_locked(o, frame, length) : ERR_FULL;
	}
	outlet_drop(o);
	return r;
}

int outlet_reply_spare(struct outlet *o, const uint8_t *frame, size_t length)
{
	int r = ERR_CLOSED;

	lock_take(&o->lock);
	if (!atomic_load(&o->closed)) {
		bool fits =
			pending_length(o) == 0 || pending_length(o) + length <= OUTLET_REPLIES / 2;
		r = fits ? outlet_append_locked(o, frame, length) : ERR_FULL;
	}
	outlet_drop(o);
	return r;
}

bool outlet_is_in(struct outlet *o, const struct stream_key *key)
{
	bool in = false;

	lock_take(&o->lock);
	for (size_t i = 0; i < o->member_count && !in; i++)
		in = stream_key_compare(feed_key(o->members[i]->feed), key) == 0;
	outlet_drop(o);
	return in;
}

size_t outlet_pending(struct outlet *o)
{
	lock_take(&o->lock);
	size_t n = pending_length(o);
	outlet_drop(o);
	return n;
}

void outlet_rest(struct outlet *o)
{
	lock_take(&o->lock);
	if (pending_length(o) == 0)
		free_pending_locked(o);
	outlet_drop(o);
}

bool outlet_sent(struct outlet *o)
{
	lock_take(&o->lock);
	bool sent = pending_length(o) == 0 && !stream_pending(o->stream);
	outlet_drop(o);
	return sent;
}

bool outlet_settled(struct outlet *o)
{
	lock_take(&o->lock);
	bool settled = pending_length(o) == 0 && !stream_pending(o->stream);
	for (size_t i = 0; i < o->member_count && settled; i++)
		settled = member_settled_locked(o->members[i]);
	outlet_drop(o);
	return settled;
}

void outlet_close(struct outlet *o)
{
	lock_take(&o->lock);
	close_locked(o);
	lock_drop(&o->lock);
}
