#include "server/memory_log.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/memory_log_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- streams and authors ---- */

static int compare_streams(const void *a, const void *b)
{
	return stream_key_compare(a, b);
}

static int compare_authors(const void *a, const void *b)
{
	return memcmp(a, b, INSTANCE_ID);
}

static void rest_stream(struct memory_log *l, struct log_stream *s)
{
	ring_fini(&s->ring);
	TAILQ_INSERT_TAIL(&l->idle_streams, s, idle);
	l->idle_stream_count++;
}

static void rest_author(struct memory_log *l, struct author *a)
{
	ring_fini(&a->ring);
	TAILQ_INSERT_TAIL(&l->idle_authors, a, idle);
	l->idle_author_count++;
}

/* How a room is shown; its folded name where nobody said. */
static void name_stream(struct log_stream *s, struct span name)
{
	if (name.length == 0)
		name = (struct span){.text = (const char *)s->key.bytes + 1,
			.length = (uint16_t)(s->key.length - 1)};
	size_t length = name.length < sizeof(s->name) ? name.length : sizeof(s->name) - 1;
	memcpy(s->name, name.text, length);
	s->name[length] = '\0';
}

/* Find it, or begin it: without entries, so among the idle. `name`: of a room, NULL of an inbox. */
static struct log_stream *open_stream(
	struct memory_log *l, const struct stream_key *key, const struct span *name)
{
	struct log_stream *s = tree_find(&l->streams, key);

	if (!s && (s = tree_add(&l->streams, key, sizeof(*key), sizeof(*s)))) {
		/* It may be one that was forgotten: whoever has read it up to somewhere before then
		 * is told of a gap. */
		s->pruned = l->forgotten;
		if (name)
			name_stream(s, *name);
		rest_stream(l, s);
	}
	return s && ring_reserve(&s->ring) == 0 ? s : NULL;
}

static struct author *open_author(struct memory_log *l, const uint8_t *instance)
{
	struct author *a = tree_find(&l->authors, instance);

	if (!a && (a = tree_add(&l->authors, instance, INSTANCE_ID, sizeof(*a))))
		rest_author(l, a);
	return a && ring_reserve(&a->ring) == 0 ? a : NULL;
}

static int open_room(struct memory_log *l, struct log_stream *s, bool open)
{
	if (open && !s->open && !tree_put(&l->open_rooms, s))
		return ERR_MEMORY;
	if (!open && s->open)
		tree_remove(&l->open_rooms, s);
	s->open = open;
	return 0;
}

int memory_log_open_room(struct memory_log *l, const struct stream_key *key, bool open)
{
	struct log_stream *s = tree_find(&l->streams, key);

	return s ? open_room(l, s, open) : 0;
}

/* Forget those that have been without entries longest, beyond the number that is kept. */
static void forget_idle(struct memory_log *l)
{
	while (l->idle_author_count > l->keep_idle) {
		struct author *a = TAILQ_FIRST(&l->idle_authors);
		TAILQ_REMOVE(&l->idle_authors, a, idle);
		l->idle_author_count--;
		tree_remove(&l->authors, a);
		ring_fini(&a->ring);
		free(a);
	}
	while (l->idle_stream_count > l->keep_idle) {
		struct log_stream *s = TAILQ_FIRST(&l->idle_streams);
		TAILQ_REMOVE(&l->idle_streams, s, idle);
		l->idle_stream_count--;
		if (s->last > l->forgotten)
			l->forgotten = s->last;
		(void)open_room(l, s, false);
		tree_remove(&l->streams, s);
		ring_fini(&s->ring);
		free(s->topic);
		free(s);
	}
}

/* ---- entries in their places ---- */

/* With its place in the rings: the log's, its author's, its streams'. */
static size_t stored_size(const struct stored *s)
{
	size_t rings = s->streams[1] ? 4 : 3;

	return sizeof(*s) + rings * sizeof(s) + (s->direct ? PERSON_ID : 0) + (size_t)s->nick +
	       s->to_nick + s->text;
}

static size_t topic_size(const struct log_stream *s)
{
	return s->topic ? sizeof(*s->topic) + s->topic->length : 0;
}

static void link_stream(struct memory_log *l, struct log_stream *stream, struct stored *s)
{
	if (stream->ring.count == 0) {
		TAILQ_REMOVE(&l->idle_streams, stream, idle);
		l->idle_stream_count--;
		l->bytes += sizeof(*stream) + topic_size(stream);
	}
	ring_push(&stream->ring, s);
	stream->last = s->seq;
}

static void unlink_stream(struct memory_log *l, struct log_stream *stream, const struct stored *s)
{
	/* The oldest of all is the oldest of each of its streams, and so is an act that goes first. */
	assert(ring_at(&stream->ring, 0) == s);
	ring_drop_first(&stream->ring);
	stream->pruned = s->seq;
	if (stream->ring.count == 0) {
		l->bytes -= sizeof(*stream) + topic_size(stream);
		rest_stream(l, stream);
	}
}

static void link_author(struct memory_log *l, struct author *a, struct stored *s)
{
	if (a->ring.count == 0) {
		TAILQ_REMOVE(&l->idle_authors, a, idle);
		l->idle_author_count--;
		l->bytes += sizeof(*a);
	}
	ring_push(&a->ring, s);
	a->accepted = s->counter;
}

static void unlink_author(struct memory_log *l, struct author *a, const struct stored *s)
{
	/* One of another room may be spared that is older. */
	ring_remove(&a->ring, s);
	if (s->counter > a->pruned)
		a->pruned = s->counter;
	if (a->ring.count == 0) {
		l->bytes -= sizeof(*a);
		rest_author(l, a);
	}
}

/* Of a stream that has entries. */
static void set_topic(struct memory_log *l, struct log_stream *s, struct topic *topic)
{
	l->bytes -= topic_size(s);
	free(s->topic);
	s->topic = topic;
	l->bytes += topic_size(s);
}

/* It is in neither of the log's rings any more. */
static void forget(struct memory_log *l, struct stored *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->streams[i])
			unlink_stream(l, s->streams[i], s);
	}
	unlink_author(l, s->author, s);
	l->bytes -= stored_size(s);
	free(s);
}

static void drop_spared(struct memory_log *l, struct stored *s)
{
	ring_remove(&l->spared, s);
	l->spared_bytes -= stored_size(s);
	forget(l, s);
}

/* Is it an act that moderators answer for? Nicks are many people's. */
static bool is_to_spare(const struct stored *s)
{
	struct stream_key subject;

	return s->kind == SAID_ACT && stream_key_subject(&s->streams[0]->key, &subject);
}

/* An act has become the oldest that was not spared yet. Of its room the oldest goes where they are too
 * many, and of all where they take too much. */
static void spare(struct memory_log *l, struct stored *s)
{
	struct ring *room = &s->streams[0]->ring;

	if (room->count > MEMORY_ACTS_EACH) {
		struct stored *oldest = ring_at(room, 0);
		if (oldest == s) {
			forget(l, s);
			return;
		}
		drop_spared(l, oldest);
	}
	if (ring_reserve(&l->spared) != 0) { /* older ones of its room are there, or none */
		while (ring_at(&s->streams[0]->ring, 0) != s)
			drop_spared(l, ring_at(&s->streams[0]->ring, 0));
		forget(l, s);
		return;
	}
	ring_push(&l->spared, s);
	l->spared_bytes += stored_size(s);
	while (l->spared_bytes > l->keep_bytes / 4)
		drop_spared(l, ring_at(&l->spared, 0));
}

static void pass_oldest(struct memory_log *l)
{
	struct stored *s = ring_at(&l->ring, 0);

	ring_drop_first(&l->ring);
	if (is_to_spare(s))
		spare(l, s);
	else
		forget(l, s);
}

/* ---- what becomes of an id ---- */

static bool is_anothers(const struct author *a, const uint8_t *person)
{
	return a && a->accepted && memcmp(a->person, person, PERSON_ID) != 0;
}

/* Of a counter that is not above the highest accepted. */
static struct append_result settle(const struct author *a, uint64_t counter)
{
	size_t above = ring_above(&a->ring, RING_BY_COUNTER, counter);
	const struct stored *s = above ? ring_at(&a->ring, above - 1) : NULL;

	if (s && s->counter == counter)
		return (struct append_result){
			.status = APPEND_OK, .duplicate = true, .seq = s->seq};
	if (counter <= a->pruned)
		return (struct append_result){.status = APPEND_OK, .duplicate = true};
	return (struct append_result){.status = APPEND_REJECTED, .code = CODE_NOT_KEPT};
}

int memory_log_decide(const struct memory_log *l, struct log_entry *e, struct append_result *r)
{
	const struct author *a = tree_find(&l->authors, e->instance);

	e->clock = clock_wall_us();
	/* A clock that was set back makes no disorder. */
	e->time = e->clock > l->time ? e->clock : l->time;
	/* A log on a disk cannot count further than this, and a server should not be told apart by
	 * where its log is. */
	if (is_anothers(a, e->person) || !engine_may_use(e) || (e->kind == SAID_TOPIC && e->to) ||
		e->counter > INT64_MAX)
		*r = (struct append_result){.status = APPEND_REJECTED, .code = CODE_BAD_VALUE};
	else if (a && e->counter <= a->accepted && !engine_counts(e))
		*r = settle(a, e->counter);
	else if (sizeof(struct stored) + PERSON_ID + 2 * NICK_MAX + e->text.length > l->keep_bytes)
		*r = (struct append_result){.status = APPEND_TOO_BIG};
	else
		return 0;
	return ERR_REFUSED;
}

int memory_log_settled(const struct memory_log *l, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *r)
{
	const struct author *a = tree_find(&l->authors, instance);

	if (!a || is_anothers(a, person) || counter > a->accepted)
		return ERR_NOT_FOUND;
	*r = settle(a, counter);
	return 0;
}

uint64_t memory_log_accepted(
	const struct memory_log *l, const uint8_t *instance, const uint8_t *person)
{
	const struct author *a = tree_find(&l->authors, instance);

	return a && !is_anothers(a, person) ? a->accepted : 0;
}

/* ---- appending ---- */

/* The streams that an entry belongs to; false when memory is out. */
static bool open_streams(
	struct memory_log *l, const struct log_entry *e, struct log_stream *streams[2])
{
	struct stream_key key;

	streams[1] = NULL;
	if (e->room)
		return (streams[0] = open_stream(l, e->room, &e->room_name)) != NULL;
	stream_key_inbox(e->person, &key);
	streams[0] = open_stream(l, &key, NULL);
	if (!streams[0] || memcmp(e->person, e->to, PERSON_ID) == 0)
		return streams[0] != NULL;
	stream_key_inbox(e->to, &key);
	return (streams[1] = open_stream(l, &key, NULL)) != NULL;
}

static uint8_t *copy(uint8_t *to, const void *from, size_t length)
{
	if (length)
		memcpy(to, from, length);
	return to + length;
}

static struct stored *new_stored(const struct log_entry *e, const struct memory_needs *n)
{
	size_t extra = e->to ? PERSON_ID : 0;
	struct stored *s =
		malloc(sizeof(*s) + extra + e->nick.length + e->to_nick.length + e->text.length);
	if (!s)
		return NULL;
	*s = (struct stored){
		.author = n->author,
		.streams = {n->streams[0], n->streams[1]},
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

/* Longer ones than the protocol allows are cut. */
static struct topic *new_topic(const struct log_entry *e)
{
	size_t length = e->text.length < TOPIC_MAX ? e->text.length : TOPIC_MAX;
	size_t nick = e->nick.length < NICK_MAX ? e->nick.length : NICK_MAX;
	struct topic *t = calloc(1, sizeof(*t) + length);

	if (!t)
		return NULL;
	t->time = e->time;
	t->length = (uint16_t)length;
	memcpy(t->nick, e->nick.text, nick);
	memcpy(t->text, e->text.text, length);
	return t;
}

/* Everything that can fail, and the numbers of the entry. */
int memory_log_prepare(struct memory_log *l, struct log_entry *e, struct memory_needs *n)
{
	bool topic = e->kind == SAID_TOPIC && e->room;

	*n = (struct memory_needs){0};
	if (!open_streams(l, e, n->streams) || ring_reserve(&l->ring) != 0 ||
		!(n->author = open_author(l, e->instance)))
		return ERR_MEMORY;
	if (engine_counts(e))
		e->counter = n->author->accepted + 1;
	e->seq = l->seq + 1;
	e->prev = n->streams[0]->last;
	e->prev_to = n->streams[1] ? n->streams[1]->last : e->prev;
	if (topic && !(n->topic = new_topic(e)))
		return ERR_MEMORY;
	n->new_room = e->room && e->room->bytes[0] == 'r' && e->prev == 0;
	n->stored = new_stored(e, n);
	if (n->stored)
		return 0;
	memory_log_drop(n);
	return ERR_MEMORY;
}

void memory_log_drop(struct memory_needs *n)
{
	free(n->topic);
	free(n->stored);
	*n = (struct memory_needs){0};
}

/* Nothing can fail any more: the entry is in all its places at once. */
void memory_log_append(struct memory_log *l, const struct log_entry *e, struct memory_needs *n)
{
	l->seq = e->seq;
	l->time = e->time;
	if (n->author->accepted == 0)
		memcpy(n->author->person, e->person, PERSON_ID);
	link_author(l, n->author, n->stored);
	link_stream(l, n->streams[0], n->stored);
	if (n->streams[1])
		link_stream(l, n->streams[1], n->stored);
	if (n->topic)
		set_topic(l, n->streams[0], n->topic);
	ring_push(&l->ring, n->stored);
	l->bytes += stored_size(n->stored);
	while (l->bytes > l->keep_bytes && l->ring.count > 1)
		pass_oldest(l);
	forget_idle(l);
}

/* ---- life ---- */

void memory_log_init(struct memory_log *l, size_t keep_bytes, size_t keep_idle)
{
	*l = (struct memory_log){
		.keep_bytes = keep_bytes,
		.keep_idle = keep_idle,
		.streams = {.compare = compare_streams},
		.open_rooms = {.compare = compare_streams},
		.authors = {.compare = compare_authors},
	};
	TAILQ_INIT(&l->idle_authors);
	TAILQ_INIT(&l->idle_streams);
}

void memory_log_fini(struct memory_log *l)
{
	while (l->spared.count)
		drop_spared(l, ring_at(&l->spared, 0));
	while (l->ring.count) {
		struct stored *s = ring_at(&l->ring, 0);
		ring_drop_first(&l->ring);
		forget(l, s);
	}
	ring_fini(&l->ring);
	ring_fini(&l->spared);
	l->keep_idle = 0;
	forget_idle(l);
}
