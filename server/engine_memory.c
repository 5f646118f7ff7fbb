/*
 * The engine that keeps the log in memory.
 *
 * Appending is leader and followers: threads queue their batches, the first in
 * the queue takes all that wait, applies them one after the other and wakes the
 * rest. So order needs no thread of its own, a lone sender switches threads not
 * once, and many senders share one turn.
 *
 * An entry lives in a ring of each of its streams, and in the ring of the whole
 * log, from whose old end entries are dropped when the bound is reached.
 */
#include "server/engine.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/lock.h"

#include <assert.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* How many accepted ids of an instance still have their numbers at hand for a duplicate's ack. */
#define RECENT 16

/* A client instance that has appended: its high-water mark is what makes ids count once. */
struct author {
	uint8_t instance[INSTANCE_ID];
	uint8_t person[PERSON_ID]; /* the first to use the instance; nobody else may */
	uint64_t accepted;         /* the highest counter */
	struct {
		uint64_t counter, seq;
	} recent[RECENT];
	unsigned next_recent;
};

struct stored {
	const struct author *author;
	struct log_stream *streams[2];
	uint64_t seq, time, counter;
	uint64_t prev[2];
	uint16_t nick, to_nick, text; /* lengths of the bytes that follow, in this order */
	uint8_t kind;
	bool direct; /* then 32 bytes, `to`, come first */
	uint8_t bytes[];
};

/* A growing ring of entries, oldest first. */
struct ring {
	struct stored **slots;
	size_t first, count, size; /* size is a power of two, or 0 */
};

struct log_stream {
	struct stream_key key;
	struct ring ring;
	uint64_t last, pruned;
};

/* One caller of append, waiting in line. */
struct batch {
	struct log_entry *entries;
	struct append_result *results;
	size_t count;
	bool done;
	pthread_cond_t turn;
	struct batch *next;
};

struct memory {
	struct engine base;
	size_t keep_bytes; /* constant */

	struct lock queue_lock;
	/* guarded by queue_lock */
	struct batch *first, *last;
	bool leading; /* somebody applies a run of batches */
	bool closing;

	struct lock lock; /* the log; written by the leader alone, so the leader reads without it */
	/* guarded by lock */
	void *streams; /* tsearch tree of struct log_stream */
	void *authors; /* tsearch tree of struct author */
	struct ring log;
	size_t bytes;
	uint64_t seq;
	uint64_t time; /* of the last entry: times never go back along the log */
};

/* ---- rings ---- */

static int ring_reserve(struct ring *r)
{
	if (r->count < r->size)
		return 0;
	size_t size = r->size ? r->size * 2 : 8;
	struct stored **slots = calloc(size, sizeof(*slots));
	if (!slots)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->count; i++)
		slots[i] = r->slots[(r->first + i) & (r->size - 1)];
	free(r->slots);
	*r = (struct ring){.slots = slots, .count = r->count, .size = size};
	return 0;
}

static struct stored *ring_at(const struct ring *r, size_t i)
{
	return r->slots[(r->first + i) & (r->size - 1)];
}

static void ring_push(struct ring *r, struct stored *s)
{
	assert(r->count < r->size);
	r->slots[(r->first + r->count++) & (r->size - 1)] = s;
}

static void ring_drop_first(struct ring *r)
{
	r->first = (r->first + 1) & (r->size - 1);
	r->count--;
}

/* The index of the first entry with a number above `after`. */
static size_t ring_find(const struct ring *r, uint64_t after)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ring_at(r, middle)->seq > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* ---- streams and authors ---- */

static int compare_streams(const void *a, const void *b)
{
	const struct log_stream *x = a, *y = b;
	return stream_key_compare(&x->key, &y->key);
}

static int compare_authors(const void *a, const void *b)
{
	return memcmp(a, b, INSTANCE_ID);
}

static struct log_stream *find_stream(const struct memory *m, const struct stream_key *key)
{
	/* The key is the first member, so it stands for the whole in a comparison. */
	void *found = tfind(key, &m->streams, compare_streams);
	return found ? *(struct log_stream **)found : NULL;
}

/* Find it, or take what `size` bytes cleared and beginning with `key` would be. */
static void *find_or_add(void **tree, const void *key, size_t key_size, size_t size,
	int (*compare)(const void *, const void *))
{
	void *found = tfind(key, tree, compare);
	if (found)
		return *(void **)found;
	void *made = calloc(1, size);
	if (!made)
		return NULL;
	memcpy(made, key, key_size);
	if (!tsearch(made, tree, compare)) {
		free(made);
		return NULL;
	}
	return made;
}

static struct log_stream *open_stream(struct memory *m, const struct stream_key *key)
{
	return find_or_add(
		&m->streams, key, sizeof(*key), sizeof(struct log_stream), compare_streams);
}

static struct author *find_author(const struct memory *m, const uint8_t *instance)
{
	void *found = tfind(instance, &m->authors, compare_authors);
	return found ? *(struct author **)found : NULL;
}

/* ---- keeping ---- */

static size_t stored_size(const struct stored *s)
{
	return sizeof(*s) + (s->direct ? PERSON_ID : 0) + (size_t)s->nick + s->to_nick + s->text;
}

static void drop_oldest(struct memory *m)
{
	struct stored *s = ring_at(&m->log, 0);

	ring_drop_first(&m->log);
	for (int i = 0; i < 2; i++) {
		struct log_stream *stream = s->streams[i];
		if (!stream)
			continue;
		/* The oldest of all is the oldest of each of its streams. */
		assert(ring_at(&stream->ring, 0) == s);
		ring_drop_first(&stream->ring);
		stream->pruned = s->seq;
	}
	m->bytes -= stored_size(s);
	free(s);
}

static uint8_t *copy(uint8_t *to, const void *from, size_t length)
{
	if (length)
		memcpy(to, from, length);
	return to + length;
}

static struct stored *store(const struct log_entry *e, const struct author *author)
{
	size_t extra = e->to ? PERSON_ID : 0;
	struct stored *s =
		malloc(sizeof(*s) + extra + e->nick.length + e->to_nick.length + e->text.length);
	if (!s)
		return NULL;
	*s = (struct stored){
		.author = author,
		.seq = e->seq,
		.time = e->time,
		.counter = e->counter,
		.prev = {e->prev, e->prev_to},
		.nick = e->nick.length,
		.to_nick = e->to_nick.length,
		.text = e->text.length,
		.kind = (uint8_t)e->kind,
		.direct = e->to != NULL,
	};
	uint8_t *p = copy(s->bytes, e->to, extra);
	p = copy(p, e->nick.text, e->nick.length);
	p = copy(p, e->to_nick.text, e->to_nick.length);
	copy(p, e->text.text, e->text.length);
	return s;
}

static struct log_entry restore(const struct stored *s, const struct log_stream *stream)
{
	const char *p = (const char *)s->bytes;
	const uint8_t *to = s->direct ? s->bytes : NULL;

	p += to ? PERSON_ID : 0;
	return (struct log_entry){
		.room = to ? NULL : &stream->key,
		.to = to,
		.person = s->author->person,
		.instance = s->author->instance,
		.counter = s->counter,
		.kind = (enum said_kind)s->kind,
		.nick = {.text = p, .length = s->nick},
		.to_nick = {.text = p + s->nick, .length = s->to_nick},
		.text = {.text = p + s->nick + s->to_nick, .length = s->text},
		.seq = s->seq,
		.time = s->time,
		.prev = s->prev[0],
		.prev_to = s->prev[1],
	};
}

/* ---- appending ---- */

/* May this entry stand? Looks at the log alone: no clock, no settings. */
static enum code decide(const struct author *author, const struct log_entry *e)
{
	if (author && author->accepted && memcmp(author->person, e->person, PERSON_ID) != 0)
		return CODE_BAD_VALUE;
	if (e->kind == SAID_TOPIC && e->to)
		return CODE_BAD_VALUE;
	return CODE_NONE;
}

static uint64_t recent_seq(const struct author *author, uint64_t counter)
{
	for (unsigned i = 0; i < RECENT; i++) {
		if (author->recent[i].counter == counter)
			return author->recent[i].seq;
	}
	return 0;
}

/* The streams that an entry belongs to; false when memory is out. */
static bool open_streams(struct memory *m, const struct log_entry *e, struct log_stream *streams[2])
{
	struct stream_key key;

	streams[1] = NULL;
	if (e->room)
		return (streams[0] = open_stream(m, e->room)) &&
		       ring_reserve(&streams[0]->ring) == 0;
	stream_key_inbox(e->person, &key);
	streams[0] = open_stream(m, &key);
	if (!streams[0] || ring_reserve(&streams[0]->ring) != 0)
		return false;
	if (memcmp(e->person, e->to, PERSON_ID) == 0)
		return true;
	stream_key_inbox(e->to, &key);
	streams[1] = open_stream(m, &key);
	return streams[1] && ring_reserve(&streams[1]->ring) == 0;
}

/* Everything that can fail comes first; then the entry is in all its places at once. */
static int insert_locked(struct memory *m, struct log_entry *e)
{
	struct log_stream *streams[2];

	lock_assert_held(&m->lock);
	if (!open_streams(m, e, streams) || ring_reserve(&m->log) != 0)
		return ERR_MEMORY;
	struct author *author = find_or_add(
		&m->authors, e->instance, INSTANCE_ID, sizeof(*author), compare_authors);
	if (!author)
		return ERR_MEMORY;
	uint64_t now = clock_wall_us();
	e->seq = m->seq + 1;
	e->time = now > m->time ? now : m->time;
	e->prev = streams[0]->last;
	e->prev_to = streams[1] ? streams[1]->last : e->prev;
	struct stored *s = store(e, author);
	if (!s)
		return ERR_MEMORY;

	m->seq = e->seq;
	m->time = e->time;
	if (author->accepted == 0)
		memcpy(author->person, e->person, PERSON_ID);
	author->accepted = e->counter;
	author->recent[author->next_recent].counter = e->counter;
	author->recent[author->next_recent].seq = e->seq;
	author->next_recent = (author->next_recent + 1) % RECENT;
	for (int i = 0; i < 2; i++) {
		s->streams[i] = streams[i];
		if (streams[i]) {
			ring_push(&streams[i]->ring, s);
			streams[i]->last = e->seq;
		}
	}
	ring_push(&m->log, s);
	m->bytes += stored_size(s);
	while (m->bytes > m->keep_bytes && m->log.count > 1)
		drop_oldest(m);
	return 0;
}

static struct append_result append_one(struct memory *m, struct log_entry *e)
{
	/* The leader is the only writer, so it may look without the lock. */
	const struct author *author = find_author(m, e->instance);
	enum code code = decide(author, e);

	if (code != CODE_NONE)
		return (struct append_result){.status = APPEND_REJECTED, .code = code};
	if (author && e->counter <= author->accepted)
		return (struct append_result){.status = APPEND_OK,
			.duplicate = true,
			.seq = recent_seq(author, e->counter)};
	if (sizeof(struct stored) + PERSON_ID + 2 * NICK_MAX + e->text.length > m->keep_bytes)
		return (struct append_result){.status = APPEND_TOO_BIG};
	lock_take(&m->lock);
	int r = insert_locked(m, e);
	lock_drop(&m->lock);
	if (r)
		return (struct append_result){.status = APPEND_RETRY};
	m->base.applied(m->base.context, e);
	return (struct append_result){.status = APPEND_OK, .seq = e->seq};
}

static void append_batch(struct memory *m, struct batch *b)
{
	bool retry = false;

	for (size_t i = 0; i < b->count; i++) {
		if (retry)
			b->results[i] = (struct append_result){.status = APPEND_RETRY};
		else
			b->results[i] = append_one(m, &b->entries[i]);
		retry = b->results[i].status == APPEND_RETRY;
	}
}

/* Take everything that waits, our own batch among it, apply it and wake those whose it was. Who has
 * queued up meanwhile leads next, so that nobody's thread works for others for long. */
static void lead(struct memory *m) LOCK_REQUIRES(&m->queue_lock)
{
	struct batch *run = m->first;

	m->first = m->last = NULL;
	m->leading = true;
	lock_drop(&m->queue_lock);
	for (struct batch *b = run; b; b = b->next)
		append_batch(m, b);
	lock_take(&m->queue_lock);
	m->leading = false;
	for (struct batch *b = run, *next; b; b = next) {
		next = b->next; /* a batch is on its waiter's stack: `done` ends its life */
		b->done = true;
		PTHREAD_OK(pthread_cond_signal(&b->turn));
	}
	if (m->first)
		PTHREAD_OK(pthread_cond_signal(&m->first->turn));
}

static int memory_append(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	struct memory *m = (struct memory *)e;
	struct batch b = {.entries = entries, .results = results, .count = count};

	(void)deadline; /* nothing here waits for anything but other threads' short turns */
	lock_cond_init(&b.turn);
	lock_take(&m->queue_lock);
	if (m->closing) {
		for (size_t i = 0; i < count; i++)
			results[i] = (struct append_result){.status = APPEND_RETRY};
		b.done = true;
	} else {
		if (m->last)
			m->last->next = &b;
		else
			m->first = &b;
		m->last = &b;
	}
	while (!b.done) {
		if (!m->leading)
			lead(m);
		else
			lock_wait(&m->queue_lock, &b.turn, INT64_MAX);
	}
	lock_drop(&m->queue_lock);
	PTHREAD_OK(pthread_cond_destroy(&b.turn));
	return 0;
}

/* ---- reading ---- */

static int memory_range(struct engine *e, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	struct log_stream *stream = find_stream(m, key);
	*pruned = stream ? stream->pruned : 0;
	if (stream) {
		for (size_t i = ring_find(&stream->ring, after); i < stream->ring.count; i++) {
			struct log_entry entry = restore(ring_at(&stream->ring, i), stream);
			if (entry.seq > upto || !reader(context, &entry))
				break;
		}
	}
	lock_drop(&m->lock);
	return 0;
}

static int memory_last(struct engine *e, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	struct log_stream *stream = find_stream(m, key);
	*last = stream ? stream->last : 0;
	if (!stream || count == 0)
		*after = *last;
	else if (stream->ring.count > count)
		*after = ring_at(&stream->ring, stream->ring.count - count - 1)->seq;
	else
		*after = stream->pruned;
	lock_drop(&m->lock);
	return 0;
}

static uint64_t memory_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	const struct author *author = find_author(m, instance);
	bool theirs = author && memcmp(author->person, person, PERSON_ID) == 0;
	uint64_t accepted = theirs ? author->accepted : 0;
	lock_drop(&m->lock);
	return accepted;
}

/* ---- life ---- */

static void free_stream(void *p)
{
	struct log_stream *stream = p;

	free(stream->ring.slots);
	free(stream);
}

static void memory_close(struct engine *e)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->queue_lock);
	m->closing = true;
	lock_drop(&m->queue_lock);
	while (m->log.count)
		drop_oldest(m);
	free(m->log.slots);
	tdestroy(m->streams, free_stream);
	tdestroy(m->authors, free);
	lock_fini(&m->lock);
	lock_fini(&m->queue_lock);
	free(m);
}

static const struct engine_class memory_class = {
	.name = "memory",
	.kept = false,
	.close = memory_close,
	.append = memory_append,
	.range = memory_range,
	.last = memory_last,
	.accepted = memory_accepted,
};

int engine_open_memory(
	size_t keep_bytes, engine_applied *applied, void *context, struct engine **out)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_MEMORY;
	m->base.class = &memory_class;
	m->base.applied = applied;
	m->base.context = context;
	identity_random(m->base.log_id, sizeof(m->base.log_id));
	m->keep_bytes = keep_bytes;
	lock_init(&m->queue_lock, LOCK_ENGINE_QUEUE);
	lock_init(&m->lock, LOCK_ENGINE);
	*out = &m->base;
	return 0;
}
