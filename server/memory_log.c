#include "server/memory_log.h"

#include "common/clock.h"
#include "common/err.h"

#include <assert.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How many accepted ids of an instance still have their numbers at hand for a duplicate's ack. */
#define RECENT 8

/* A client instance that has appended: its high-water mark is what makes ids count once. */
struct author {
	uint8_t instance[INSTANCE_ID]; /* first: it stands for the whole in comparisons */
	uint8_t person[PERSON_ID];     /* the first to use the instance; nobody else may */
	uint64_t accepted;             /* the highest counter */
	struct {
		uint64_t counter, seq;
	} recent[RECENT];
	unsigned next_recent;
	size_t entries; /* kept; while there are none it is in the list of the idle */
	TAILQ_ENTRY(author) idle;
};

struct stored {
	struct author *author;
	struct log_stream *streams[2];
	uint64_t seq, time, counter;
	uint64_t prev[2];
	uint16_t nick, to_nick, text; /* lengths of the bytes that follow, in this order */
	uint8_t kind;
	bool direct; /* then 32 bytes, `to`, come first */
	uint8_t bytes[];
};

struct log_stream {
	struct stream_key key; /* first: it stands for the whole in comparisons */
	struct ring ring;      /* empty while the stream is in the list of the idle */
	uint64_t last, pruned;
	TAILQ_ENTRY(log_stream) idle;
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

static struct log_stream *find_stream(const struct memory_log *l, const struct stream_key *key)
{
	void *found = tfind(key, &l->streams, compare_streams);
	return found ? *(struct log_stream **)found : NULL;
}

static struct author *find_author(const struct memory_log *l, const uint8_t *instance)
{
	void *found = tfind(instance, &l->authors, compare_authors);
	return found ? *(struct author **)found : NULL;
}

/* `size` cleared bytes that begin with the key, in the tree. NULL when memory is out. */
static void *add(void **tree, const void *key, size_t key_size, size_t size,
	int (*compare)(const void *, const void *))
{
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

static void rest_stream(struct memory_log *l, struct log_stream *s)
{
	free(s->ring.slots);
	s->ring = (struct ring){0};
	TAILQ_INSERT_TAIL(&l->idle_streams, s, idle);
	l->idle_stream_count++;
}

static void rest_author(struct memory_log *l, struct author *a)
{
	TAILQ_INSERT_TAIL(&l->idle_authors, a, idle);
	l->idle_author_count++;
}

/* Find it, or begin it: without entries, so among the idle. */
static struct log_stream *open_stream(struct memory_log *l, const struct stream_key *key)
{
	struct log_stream *s = find_stream(l, key);

	if (!s && (s = add(&l->streams, key, sizeof(*key), sizeof(*s), compare_streams))) {
		/* It may be one that was forgotten: whoever has read it up to somewhere before then
		 * is told of a gap. */
		s->pruned = l->forgotten;
		rest_stream(l, s);
	}
	return s && ring_reserve(&s->ring) == 0 ? s : NULL;
}

static struct author *open_author(struct memory_log *l, const uint8_t *instance)
{
	struct author *a = find_author(l, instance);

	if (!a && (a = add(&l->authors, instance, INSTANCE_ID, sizeof(*a), compare_authors)))
		rest_author(l, a);
	return a;
}

/* Forget those that have been without entries longest, beyond the number that is kept. */
static void forget_idle(struct memory_log *l)
{
	while (l->idle_author_count > l->keep_idle) {
		struct author *a = TAILQ_FIRST(&l->idle_authors);
		TAILQ_REMOVE(&l->idle_authors, a, idle);
		l->idle_author_count--;
		tdelete(a, &l->authors, compare_authors);
		free(a);
	}
	while (l->idle_stream_count > l->keep_idle) {
		struct log_stream *s = TAILQ_FIRST(&l->idle_streams);
		TAILQ_REMOVE(&l->idle_streams, s, idle);
		l->idle_stream_count--;
		if (s->last > l->forgotten)
			l->forgotten = s->last;
		tdelete(s, &l->streams, compare_streams);
		free(s->ring.slots);
		free(s);
	}
}

/* ---- entries in their places ---- */

static size_t stored_size(const struct stored *s)
{
	return sizeof(*s) + (s->direct ? PERSON_ID : 0) + (size_t)s->nick + s->to_nick + s->text;
}

static void link_stream(struct memory_log *l, struct log_stream *stream, struct stored *s)
{
	if (stream->ring.count == 0) {
		TAILQ_REMOVE(&l->idle_streams, stream, idle);
		l->idle_stream_count--;
		l->bytes += sizeof(*stream);
	}
	ring_push(&stream->ring, s);
	stream->last = s->seq;
}

static void unlink_stream(struct memory_log *l, struct log_stream *stream, const struct stored *s)
{
	/* The oldest of all is the oldest of each of its streams. */
	assert(ring_at(&stream->ring, 0) == s);
	ring_drop_first(&stream->ring);
	stream->pruned = s->seq;
	if (stream->ring.count == 0) {
		l->bytes -= sizeof(*stream);
		rest_stream(l, stream);
	}
}

static void link_author(struct memory_log *l, struct author *a)
{
	if (a->entries++ == 0) {
		TAILQ_REMOVE(&l->idle_authors, a, idle);
		l->idle_author_count--;
		l->bytes += sizeof(*a);
	}
}

static void unlink_author(struct memory_log *l, struct author *a)
{
	if (--a->entries == 0) {
		l->bytes -= sizeof(*a);
		rest_author(l, a);
	}
}

static void drop_oldest(struct memory_log *l)
{
	struct stored *s = ring_at(&l->ring, 0);

	ring_drop_first(&l->ring);
	for (int i = 0; i < 2; i++) {
		if (s->streams[i])
			unlink_stream(l, s->streams[i], s);
	}
	unlink_author(l, s->author);
	l->bytes -= stored_size(s);
	free(s);
}

static uint8_t *copy(uint8_t *to, const void *from, size_t length)
{
	if (length)
		memcpy(to, from, length);
	return to + length;
}

static struct stored *store(const struct log_entry *e, struct author *author)
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

static uint64_t recent_seq(const struct author *a, uint64_t counter)
{
	for (unsigned i = 0; i < RECENT; i++) {
		if (a->recent[i].counter == counter)
			return a->recent[i].seq;
	}
	return 0;
}

static void note_accepted(struct author *a, const struct log_entry *e)
{
	if (a->accepted == 0)
		memcpy(a->person, e->person, PERSON_ID);
	a->accepted = e->counter;
	a->recent[a->next_recent].counter = e->counter;
	a->recent[a->next_recent].seq = e->seq;
	a->next_recent = (a->next_recent + 1) % RECENT;
}

int memory_log_decide(
	const struct memory_log *l, const struct log_entry *e, struct append_result *r)
{
	const struct author *a = find_author(l, e->instance);

	bool anothers = a && a->accepted && memcmp(a->person, e->person, PERSON_ID) != 0;

	*r = (struct append_result){.status = APPEND_OK};
	if (anothers || (e->kind == SAID_TOPIC && e->to))
		*r = (struct append_result){.status = APPEND_REJECTED, .code = CODE_BAD_VALUE};
	else if (a && e->counter <= a->accepted)
		*r = (struct append_result){
			.status = APPEND_OK, .duplicate = true, .seq = recent_seq(a, e->counter)};
	else if (sizeof(struct stored) + PERSON_ID + 2 * NICK_MAX + e->text.length > l->keep_bytes)
		*r = (struct append_result){.status = APPEND_TOO_BIG};
	else
		return 0;
	return ERR_REFUSED;
}

/* The streams that an entry belongs to; false when memory is out. */
static bool open_streams(
	struct memory_log *l, const struct log_entry *e, struct log_stream *streams[2])
{
	struct stream_key key;

	streams[1] = NULL;
	if (e->room)
		return (streams[0] = open_stream(l, e->room)) != NULL;
	stream_key_inbox(e->person, &key);
	streams[0] = open_stream(l, &key);
	if (!streams[0] || memcmp(e->person, e->to, PERSON_ID) == 0)
		return streams[0] != NULL;
	stream_key_inbox(e->to, &key);
	return (streams[1] = open_stream(l, &key)) != NULL;
}

/* Everything that can fail comes first; then the entry is in all its places at once. */
int memory_log_append(struct memory_log *l, struct log_entry *e)
{
	struct log_stream *streams[2];

	if (!open_streams(l, e, streams) || ring_reserve(&l->ring) != 0)
		return ERR_MEMORY;
	struct author *a = open_author(l, e->instance);
	if (!a)
		return ERR_MEMORY;
	uint64_t now = clock_wall_us();
	e->seq = l->seq + 1;
	e->time = now > l->time ? now : l->time;
	e->prev = streams[0]->last;
	e->prev_to = streams[1] ? streams[1]->last : e->prev;
	struct stored *s = store(e, a);
	if (!s)
		return ERR_MEMORY;

	l->seq = e->seq;
	l->time = e->time;
	note_accepted(a, e);
	link_author(l, a);
	for (int i = 0; i < 2; i++) {
		s->streams[i] = streams[i];
		if (streams[i])
			link_stream(l, streams[i], s);
	}
	ring_push(&l->ring, s);
	l->bytes += stored_size(s);
	while (l->bytes > l->keep_bytes && l->ring.count > 1)
		drop_oldest(l);
	forget_idle(l);
	return 0;
}

/* ---- reading ---- */

void memory_log_range(const struct memory_log *l, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	const struct log_stream *stream = find_stream(l, key);

	*pruned = stream ? stream->pruned : 0;
	if (!stream)
		return;
	for (size_t i = ring_find(&stream->ring, after); i < stream->ring.count; i++) {
		struct log_entry entry = restore(ring_at(&stream->ring, i), stream);
		if (entry.seq > upto || !reader(context, &entry))
			return;
	}
}

void memory_log_last(const struct memory_log *l, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	const struct log_stream *stream = find_stream(l, key);

	*last = stream ? stream->last : 0;
	if (!stream || count == 0)
		*after = *last;
	else if (stream->ring.count > count)
		*after = ring_at(&stream->ring, stream->ring.count - count - 1)->seq;
	else
		*after = stream->pruned;
}

uint64_t memory_log_accepted(
	const struct memory_log *l, const uint8_t *instance, const uint8_t *person)
{
	const struct author *a = find_author(l, instance);
	bool theirs = a && memcmp(a->person, person, PERSON_ID) == 0;

	return theirs ? a->accepted : 0;
}

/* ---- life ---- */

void memory_log_init(struct memory_log *l, size_t keep_bytes, size_t keep_idle)
{
	*l = (struct memory_log){.keep_bytes = keep_bytes, .keep_idle = keep_idle};
	TAILQ_INIT(&l->idle_authors);
	TAILQ_INIT(&l->idle_streams);
}

void memory_log_fini(struct memory_log *l)
{
	while (l->ring.count)
		drop_oldest(l);
	free(l->ring.slots);
	l->keep_idle = 0;
	forget_idle(l);
}
