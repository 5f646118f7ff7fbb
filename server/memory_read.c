#include "server/memory_log.h"

#include "common/err.h"
#include "server/memory_log_private.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(MEMORY_PAGE_BYTES >= TEXT_MAX, "one text of any size fits");

static struct log_entry restore(const struct stored *s)
{
	const struct log_stream *stream = s->streams[0];
	const char *p = (const char *)s->bytes;
	const uint8_t *to = s->direct ? s->bytes : NULL;

	p += to ? PERSON_ID : 0;
	return (struct log_entry){
		.room = to ? NULL : &stream->key,
		.room_name = span_of(stream->name),
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

/* The number after which the entries from the i-th on begin. */
static uint64_t number_before(const struct log_stream *s, size_t i)
{
	return i > 0 ? ring_at(&s->ring, i - 1)->seq : s->pruned;
}

/* The index of the first entry with this number, or of this time, or above it. */
static size_t first_from(const struct ring *r, enum ring_order by, uint64_t value)
{
	return value > 0 ? ring_above(r, by, value - 1) : 0;
}

/* ---- pages of a stream ---- */

void memory_log_range(const struct memory_log *l, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	const struct log_stream *s = tree_find(&l->streams, key);

	*pruned = s ? s->pruned : 0;
	if (!s)
		return;
	for (size_t i = ring_above(&s->ring, RING_BY_SEQ, after); i < s->ring.count; i++) {
		struct log_entry entry = restore(ring_at(&s->ring, i));
		if (entry.seq > upto || !reader(context, &entry))
			return;
	}
}

void memory_log_last(const struct memory_log *l, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	const struct log_stream *s = tree_find(&l->streams, key);

	*last = s ? s->last : 0;
	*after = *last;
	if (s && count > 0)
		*after = number_before(s, s->ring.count > count ? s->ring.count - count : 0);
}

void memory_log_before(const struct memory_log *l, const struct stream_key *key, uint64_t before,
	uint32_t count, uint64_t *after)
{
	const struct log_stream *s = tree_find(&l->streams, key);

	*after = 0;
	if (!s)
		return;
	size_t end = first_from(&s->ring, RING_BY_SEQ, before);
	*after = number_before(s, end > count ? end - count : 0);
}

void memory_log_since(
	const struct memory_log *l, const struct stream_key *key, uint64_t time, uint64_t *after)
{
	const struct log_stream *s = tree_find(&l->streams, key);

	*after = s ? number_before(s, first_from(&s->ring, RING_BY_TIME, time)) : 0;
}

/* ---- rooms ---- */

static void copy_text(char *out, const char *text, size_t length)
{
	memcpy(out, text, length);
	out[length] = '\0';
}

static void describe(const struct log_stream *s, struct room_record *out)
{
	*out = (struct room_record){.last = s->last};
	copy_text(out->name, s->name, strlen(s->name));
	if (!s->topic)
		return;
	copy_text(out->topic, s->topic->text, s->topic->length);
	copy_text(out->topic_nick, s->topic->nick, strlen(s->topic->nick));
	out->topic_time = s->topic->time;
}

/* A stream whose first entry could not be appended is none yet. */
static bool is_room(const struct log_stream *s)
{
	return s->key.bytes[0] == 'r' && s->last > 0;
}

int memory_log_room(
	const struct memory_log *l, const struct stream_key *key, struct room_record *out)
{
	const struct log_stream *s = tree_find(&l->streams, key);

	if (!s || !is_room(s))
		return ERR_NOT_FOUND;
	describe(s, out);
	return 0;
}

void memory_log_rooms(const struct memory_log *l, const struct stream_key *after, bool all,
	uint32_t limit, engine_room_reader *reader, void *context)
{
	static const struct stream_key below_rooms = {.length = 1, .bytes = {'r'}};
	const struct tree *rooms = all ? &l->streams : &l->open_rooms;
	const struct log_stream *s = tree_after(rooms, after ? after : &below_rooms);
	struct room_record room;

	for (uint32_t told = 0; s && told < limit; s = tree_after(rooms, &s->key)) {
		if (!is_room(s))
			continue;
		describe(s, &room);
		if (!reader(context, &s->key, &room))
			return;
		told++;
	}
}

/* ---- searching ---- */

/* How far a stream has been read, backwards. */
struct cursor {
	const struct log_stream *stream;
	size_t left; /* entries that have not been read */
};

/* The newest entry below a number in any of the streams; NULL. One that is in two of them is found
 * once, for its number then is no longer below. */
static const struct stored *newest(struct cursor *cursors, size_t count, uint64_t before)
{
	const struct stored *found = NULL;

	for (size_t i = 0; i < count; i++) {
		struct cursor *c = &cursors[i];
		while (c->left > 0 && ring_at(&c->stream->ring, c->left - 1)->seq >= before)
			c->left--;
		if (c->left == 0)
			continue;
		const struct stored *s = ring_at(&c->stream->ring, c->left - 1);
		if (!found || s->seq > found->seq)
			found = s;
	}
	return found;
}

int memory_log_page(const struct memory_log *l, const struct stream_key *streams, size_t count,
	uint64_t before, struct memory_page *p)
{
	struct cursor *cursors = calloc(count ? count : 1, sizeof(*cursors));
	size_t used = 0, at = 0;

	if (!cursors)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct log_stream *s = tree_find(&l->streams, &streams[i]);
		if (s)
			cursors[used++] =
				(struct cursor){s, first_from(&s->ring, RING_BY_SEQ, before)};
	}
	for (p->count = 0; p->count < MEMORY_PAGE_TEXTS; p->count++) {
		const struct stored *s = newest(cursors, used, before);
		if (!s || s->text > sizeof(p->bytes) - at)
			break;
		struct span text = restore(s).text;
		p->texts[p->count].seq = before = s->seq;
		p->texts[p->count].text =
			(struct span){.text = p->bytes + at, .length = text.length};
		memcpy(p->bytes + at, text.text, text.length);
		at += text.length;
	}
	free(cursors);
	return 0;
}

bool memory_log_entry(
	const struct memory_log *l, uint64_t seq, engine_reader *reader, void *context)
{
	size_t i = first_from(&l->ring, RING_BY_SEQ, seq);

	if (i == l->ring.count || ring_at(&l->ring, i)->seq != seq)
		return true;
	struct log_entry entry = restore(ring_at(&l->ring, i));
	return reader(context, &entry);
}
