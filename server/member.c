#include "server/member.h"

#include "common/err.h"
#include "common/message.h"
#include "server/outlet.h"
#include "server/outlet_private.h"
#include "server/said.h"

#include <assert.h>
#include <stdlib.h>

/* ---- sending one membership its news ---- */

static void count_deliveries(struct outlet *o, uint64_t count)
{
	metrics_add(o->hooks->metrics, METRIC_DELIVERIES, count);
}

/* The socket took a part of what a member was to get from the window. */
static void advance_locked(
	struct outlet *o, struct member *m, const struct feed_window *w, size_t taken)
{
	uint64_t before = m->entries;

	while (taken > 0) {
		size_t piece;
		const uint8_t *frames = feed_window_at(w, m->position, &piece);
		size_t part = taken < piece ? taken : piece;
		m->position += outlet_account_locked(o, frames, part, &m->sent, &m->entries);
		taken -= part;
	}
	count_deliveries(o, m->entries - before);
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
	if (outlet_append_locked(o, frame, used) != 0)
		outlet_fail_locked(o);
}

static bool member_open(const struct outlet *o, const struct member *m)
{
	return m->state != MEMBER_GONE && !atomic_load(&o->closed);
}

/* Send a live member [position, head), in front of it the replies that wait. 0 when it has all. */
int member_push_window_locked(struct outlet *o, struct member *m, const struct feed_window *w)
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
	int r = outlet_send_locked(o, pieces, count, (size_t)(w->head - m->position), &taken);
	if (r == 0) {
		assert(w->last_seq >= m->sent);
		count_deliveries(o, w->entries - m->entries);
		m->position = w->head;
		m->entries = w->entries;
		m->sent = w->last_seq;
		if (m->announce)
			announce_locked(o, m, w);
	} else if (r == ERR_AGAIN) {
		advance_locked(o, m, w, taken);
	}
	return r;
}

int member_push_locked(struct outlet *o, struct member *m)
{
	struct feed_window w;
	int r;

	if (m->state == MEMBER_CATCHUP) {
		queue_locked(o, m);
		return 0;
	}
	feed_window_take(m->feed, &w);
	r = member_push_window_locked(o, m, &w);
	feed_window_release(&w);
	return r;
}

bool member_settled_locked(const struct member *m)
{
	lock_assert_held(&m->outlet->lock);
	return m->state == MEMBER_LIVE && m->position >= feed_head(m->feed);
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
	if (feed_locate(m->feed, m->sent, &m->position, &m->entries) != 0)
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

	if (outlet_waits(o))
		return; /* with everything else */
	feed_window_take(m->feed, &w);
	member_push_window_locked(o, m, &w);
	feed_window_release(&w);
	if (!atomic_load(&o->blocked) && !atomic_load(&o->closed))
		outlet_send_locked(o, NULL, 0, 0, &taken);
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
	outlet_drop(o);
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
	outlet_drop(o);
	member_unref(listed);
}

/* ---- catching up ---- */

enum member_next member_next(struct member *m, uint64_t *after, uint64_t *upto)
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
	outlet_drop(o);
	return next;
}

/* Of whole frames, those with a number. */
static uint64_t count_entries(const uint8_t *page, size_t length)
{
	uint64_t count = 0;

	for (size_t at = 0; at < length; at += frame_size(page + at))
		count += said_frame_seq(page + at) != 0;
	return count;
}

bool member_deliver(struct member *m, const uint8_t *page, size_t length, uint64_t seq)
{
	struct outlet *o = m->outlet;
	struct iovec piece = {.iov_base = (void *)(uintptr_t)page, .iov_len = length};
	uint64_t entries = 0;
	size_t taken = 0;
	bool on = false;

	lock_take(&o->lock);
	if (!member_open(o, m) || atomic_load(&o->blocked)) {
		m->queued = false; /* blocked by somebody else, since: the page is read again */
	} else if (outlet_send_locked(o, &piece, length ? 1 : 0, length, &taken) == 0) {
		assert(seq >= m->sent);
		m->sent = seq;
		entries = count_entries(page, length);
		on = true;
	} else {
		if (taken)
			outlet_account_locked(o, page, taken, &m->sent, &entries);
		m->queued = false;
	}
	count_deliveries(o, entries);
	outlet_drop(o);
	return on;
}
