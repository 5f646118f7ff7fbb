#include "server/feed.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/lock.h"
#include "server/member.h"
#include "server/said.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum pump {
	PUMP_IDLE,
	PUMP_RUNNING,
	PUMP_AGAIN
};

struct feed {
	atomic_uint refs;              /* the room's or inbox's, each member's, the drain's */
	atomic_int pump;               /* enum pump */
	struct stream_key key;         /* constant, as are the next two */
	struct segment_budget *budget; /* borrowed */
	char name[ROOM_NAME_MAX + 1];

	struct lock lock;
	/* guarded by lock */
	struct segment *segments[FEED_SEGMENTS]; /* oldest first */
	size_t count;
	size_t bytes; /* of the segments */
	uint64_t head;
	uint64_t last_seq;
	uint64_t entries;  /* published so far, of those with a number */
	uint64_t tail_seq; /* the last number before the window */
	uint64_t rested;   /* head when feed_rest last looked */
	uint64_t version;
	uint32_t people;
	struct member **members;
	size_t member_count, member_size;
	struct member_set *set; /* of now; NULL after a change, until somebody asks */
};

struct feed *feed_new(const struct stream_key *key, const char *name, struct segment_budget *budget,
	uint64_t last_seq)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	assert(strlen(name) < sizeof(f->name));
	atomic_init(&f->refs, 1);
	atomic_init(&f->pump, PUMP_IDLE);
	f->key = *key;
	f->budget = budget;
	memcpy(f->name, name, strlen(name) + 1);
	f->last_seq = f->tail_seq = last_seq;
	lock_init(&f->lock, LOCK_FEED);
	return f;
}

struct feed *feed_ref(struct feed *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

static void drop_segments(struct feed *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		f->bytes -= f->segments[i]->size;
		f->tail_seq = f->segments[i]->last_seq;
		segment_unref(f->segments[i]);
	}
	f->count -= count;
	memmove(f->segments, f->segments + count, f->count * sizeof(f->segments[0]));
}

void feed_unref(struct feed *f)
{
	if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(f->member_count == 0); /* each would hold a reference */
	drop_segments(f, f->count);
	member_set_unref(f->set);
	free(f->members);
	lock_fini(&f->lock);
	free(f);
}

const struct stream_key *feed_key(const struct feed *f)
{
	return &f->key;
}

const char *feed_name(const struct feed *f)
{
	return f->name;
}

/* ---- publishing ---- */

/* How large the next segment would like to be: twice the last one. */
static size_t next_size(const struct feed *f)
{
	if (f->count == 0)
		return SEGMENT_SMALLEST;
	size_t size = (size_t)f->segments[f->count - 1]->size * 2;
	if (size < SEGMENT_SMALLEST)
		return SEGMENT_SMALLEST;
	return size > SEGMENT_LARGEST ? SEGMENT_LARGEST : size;
}

/* The segment that `length` more bytes go to; NULL when memory is out. */
static struct segment *segment_for_locked(struct feed *f, size_t length)
{
	lock_assert_held(&f->lock);
	struct segment *s = f->count ? f->segments[f->count - 1] : NULL;
	if (s && s->size - s->used >= length)
		return s;
	size_t size = next_size(f);
	size_t drop = 0, bytes = f->bytes;
	while (drop < f->count && (f->count - drop == FEED_SEGMENTS || bytes + size > FEED_BYTES ||
					  segment_scarce(f->budget)))
		bytes -= f->segments[drop++]->size;
	drop_segments(f, drop);
	s = segment_new(f->budget, length, size);
	if (!s)
		return NULL;
	s->start = f->head;
	s->entries = f->entries;
	f->segments[f->count++] = s;
	f->bytes += s->size;
	return s;
}

static void publish_locked(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq)
{
	lock_assert_held(&f->lock);
	struct segment *s = segment_for_locked(f, length);
	if (seq) {
		f->last_seq = seq;
		f->entries++;
	}
	f->head += length;
	if (!s) {
		/* What is not in the window is in the history. */
		drop_segments(f, f->count);
		f->tail_seq = f->last_seq;
		return;
	}
	memcpy(s->data + s->used, frame, length);
	s->used += (uint32_t)length;
	s->last_seq = f->last_seq;
}

void feed_publish(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq)
{
	lock_take(&f->lock);
	if (seq == 0 || seq > f->last_seq)
		publish_locked(f, frame, length, seq);
	lock_drop(&f->lock);
}

void feed_publish_presence(
	struct feed *f, const uint8_t *frame, size_t length, uint64_t version, uint32_t people)
{
	lock_take(&f->lock);
	f->version = version;
	f->people = people;
	publish_locked(f, frame, length, 0);
	lock_drop(&f->lock);
}

void feed_set_people(struct feed *f, uint32_t people)
{
	lock_take(&f->lock);
	f->people = people;
	lock_drop(&f->lock);
}

uint64_t feed_head(struct feed *f)
{
	lock_take(&f->lock);
	uint64_t head = f->head;
	lock_drop(&f->lock);
	return head;
}

uint64_t feed_last_seq(struct feed *f)
{
	lock_take(&f->lock);
	uint64_t seq = f->last_seq;
	lock_drop(&f->lock);
	return seq;
}

/* ---- the window ---- */

static uint64_t tail_locked(const struct feed *f)
{
	return f->count ? f->segments[0]->start : f->head;
}

void feed_window_take(struct feed *f, struct feed_window *w)
{
	lock_take(&f->lock);
	w->count = f->count;
	for (size_t i = 0; i < f->count; i++) {
		w->segments[i] = segment_ref(f->segments[i]);
		w->used[i] = f->segments[i]->used;
		w->start[i] = f->segments[i]->start;
	}
	w->tail = tail_locked(f);
	w->head = f->head;
	w->last_seq = f->last_seq;
	w->entries = f->entries;
	w->version = f->version;
	w->people = f->people;
	lock_drop(&f->lock);
}

void feed_window_release(struct feed_window *w)
{
	for (size_t i = 0; i < w->count; i++)
		segment_unref(w->segments[i]);
	w->count = 0;
}

int feed_window_pieces(const struct feed_window *w, uint64_t from, struct iovec *pieces)
{
	int n = 0;

	assert(from >= w->tail && from <= w->head);
	for (size_t i = 0; i < w->count; i++) {
		uint64_t end = w->start[i] + w->used[i];
		if (end <= from)
			continue;
		uint64_t skip = from > w->start[i] ? from - w->start[i] : 0;
		pieces[n++] = (struct iovec){
			.iov_base = w->segments[i]->data + skip,
			.iov_len = (size_t)(w->used[i] - skip),
		};
	}
	return n;
}

const uint8_t *feed_window_at(const struct feed_window *w, uint64_t position, size_t *left)
{
	struct iovec pieces[FEED_SEGMENTS];
	int n = feed_window_pieces(w, position, pieces);

	assert(n > 0);
	*left = pieces[0].iov_len;
	return pieces[0].iov_base;
}

int feed_locate(struct feed *f, uint64_t seq, uint64_t *position, uint64_t *entries)
{
	int r = ERR_NOT_FOUND;

	lock_take(&f->lock);
	if (seq >= f->last_seq) {
		*position = f->head;
		*entries = f->entries;
		r = 0;
	} else if (seq >= f->tail_seq) {
		/* Past the segments whose numbers are all known, then frame by frame. */
		size_t i = 0;
		while (f->segments[i]->last_seq <= seq)
			i++;
		const struct segment *s = f->segments[i];
		size_t at = 0;
		*entries = s->entries;
		while (said_frame_seq(s->data + at) <= seq) {
			*entries += said_frame_seq(s->data + at) != 0;
			at += frame_size(s->data + at);
		}
		*position = s->start + at;
		r = 0;
	}
	lock_drop(&f->lock);
	return r;
}

bool feed_rest(struct feed *f)
{
	lock_take(&f->lock);
	if (f->rested == f->head)
		drop_segments(f, f->count);
	f->rested = f->head;
	bool none = f->count == 0;
	lock_drop(&f->lock);
	return none;
}

/* ---- members ---- */

/* The set is of yesterday. The caller gives it back once the lock is free: its last reference may
 * be the last one to a connection too. */
static struct member_set *forget_set_locked(struct feed *f)
{
	lock_assert_held(&f->lock);
	struct member_set *old = f->set;
	f->set = NULL;
	return old;
}

int feed_add(struct feed *f, struct member *m)
{
	struct member_set *old = NULL;
	int r = 0;

	lock_take(&f->lock);
	if (f->member_count == f->member_size) {
		size_t size = f->member_size ? f->member_size * 2 : 4;
		struct member **grown = realloc(f->members, size * sizeof(*grown));
		if (grown) {
			f->members = grown;
			f->member_size = size;
		} else {
			r = ERR_MEMORY;
		}
	}
	if (r == 0) {
		m->index = f->member_count;
		f->members[f->member_count++] = member_ref(m);
		old = forget_set_locked(f);
	}
	lock_drop(&f->lock);
	member_set_unref(old);
	return r;
}

void feed_remove(struct feed *f, struct member *m)
{
	struct member *removed = NULL;
	struct member_set *old = NULL;

	lock_take(&f->lock);
	if (m->index < f->member_count && f->members[m->index] == m) {
		removed = m;
		f->members[m->index] = f->members[--f->member_count];
		f->members[m->index]->index = m->index;
		old = forget_set_locked(f);
	}
	lock_drop(&f->lock);
	member_set_unref(old);
	member_unref(removed);
}

struct member_set *feed_members(struct feed *f)
{
	lock_take(&f->lock);
	if (!f->set && f->member_count) {
		struct member_set *s = malloc(sizeof(*s) + f->member_count * sizeof(s->members[0]));
		if (s) {
			atomic_init(&s->refs, 1);
			s->count = f->member_count;
			for (size_t i = 0; i < s->count; i++)
				s->members[i] = member_ref(f->members[i]);
			f->set = s;
		}
	}
	struct member_set *s = f->set;
	if (s)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	lock_drop(&f->lock);
	return s;
}

/* Whoever leaves is replaced by the last one, who has been met already, or whose new place is still
 * before this one. */
struct member *feed_member_before(struct feed *f, size_t *at)
{
	lock_take(&f->lock);
	if (*at > f->member_count)
		*at = f->member_count;
	struct member *m = *at ? member_ref(f->members[--*at]) : NULL;
	lock_drop(&f->lock);
	return m;
}

void member_set_unref(struct member_set *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < s->count; i++)
		member_unref(s->members[i]);
	free(s);
}

/* ---- who pumps ---- */

bool feed_pump_begin(struct feed *f)
{
	int seen = PUMP_IDLE;

	for (;;) {
		if (atomic_compare_exchange_weak(
			    &f->pump, &seen, seen == PUMP_IDLE ? PUMP_RUNNING : PUMP_AGAIN))
			return seen == PUMP_IDLE;
	}
}

bool feed_pump_end(struct feed *f)
{
	int running = PUMP_RUNNING;

	if (atomic_compare_exchange_strong(&f->pump, &running, PUMP_IDLE))
		return true;
	atomic_store(&f->pump, PUMP_RUNNING);
	return false;
}

void feed_pump_give_up(struct feed *f)
{
	atomic_store(&f->pump, PUMP_IDLE);
}
