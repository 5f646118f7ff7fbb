/*
 * What was said before: pages of it, searching, where the person has been.
 *
 * The engine hands out entries while it may hold its lock, so a page is first
 * copied, in its wire form, and sent when the engine is done.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_MS  2000
#define PLACES_MAX 10000 /* told at most: a person may have been in any number of rooms */
#define SEQ_END    ((uint64_t)INT64_MAX) /* no number and no time is above it */

/* ---- pages ---- */

/* A page that grows, entry by entry. */
struct page {
	const uint8_t *person; /* whose inbox it may show */
	struct list list;      /* in `bytes`, of SESSION_LIST_BYTES */
	uint8_t *bytes;        /* owned */
	uint16_t limit;
	bool more; /* not everything went in */
};

static int page_init(struct page *p, const struct session *s, uint16_t limit)
{
	*p = (struct page){
		.person = s->person,
		.bytes = malloc(SESSION_LIST_BYTES),
		.limit = limit == 0 || limit > LIST_MAX ? LIST_MAX : limit,
	};
	return p->bytes ? 0 : ERR_MEMORY;
}

static struct item_entry item_of(const struct log_entry *e, const uint8_t *person)
{
	bool theirs = !e->to || memcmp(e->person, person, PERSON_ID) == 0;
	struct item_entry item = {
		.seq = e->seq,
		.prev = theirs ? e->prev : e->prev_to,
		.time = e->time,
		.counter = e->counter,
		.kind = (uint8_t)e->kind,
		.nick = e->nick,
		.text = e->text,
	};

	memcpy(item.instance, e->instance, sizeof(item.instance));
	memcpy(item.person, e->person, sizeof(item.person));
	if (e->to) {
		memcpy(item.to, e->to, sizeof(item.to));
		item.to_nick = e->to_nick;
	} else {
		item.room = e->room_name;
	}
	return item;
}

/* A reader: put an entry at the end, and stop at the first for which there is no place. */
static bool add_last(void *context, const struct log_entry *e)
{
	struct page *p = context;
	struct item_entry item = item_of(e, p->person);

	p->more = p->list.count == p->limit ||
		  message_list_add(&p->list, ITEM_ENTRY, &item, p->bytes, SESSION_LIST_BYTES) != 0;
	return !p->more;
}

static void drop_first(struct page *p)
{
	struct list rest = p->list;
	struct item_entry item;

	bool had = message_list_next(&rest, ITEM_ENTRY, &item);
	assert(had);
	(void)had;
	memmove(p->bytes, rest.bytes, rest.length);
	p->list = (struct list){.bytes = p->bytes, .length = rest.length, .count = rest.count};
	p->more = true;
}

/* A reader: put an entry at the end, and let the first ones go to make a place for it. */
static bool add_newest(void *context, const struct log_entry *e)
{
	struct page *p = context;
	struct item_entry item = item_of(e, p->person);

	if (p->list.count == p->limit)
		drop_first(p);
	while (message_list_add(&p->list, ITEM_ENTRY, &item, p->bytes, SESSION_LIST_BYTES) != 0)
		drop_first(p);
	return true;
}

/* ---- HISTORY ---- */

/* Which stream a request means by a room's name, or "" for the inbox, and how the room is shown. */
static enum code find_stream(
	struct session *s, struct span room, struct stream_key *key, char name[ROOM_NAME_MAX + 1])
{
	struct room_record record;

	name[0] = '\0';
	if (room.length == 0) {
		stream_key_inbox(s->person, key);
		return s->borrowed ? CODE_NOT_PROVEN : CODE_NONE;
	}
	if (stream_key_room(room.text, room.length, key) != 0)
		return CODE_BAD_ROOM;
	const struct session_room *sr = session_find_room(s, room);
	if (sr) {
		memcpy(name, room_name(sr->room), strlen(room_name(sr->room)) + 1);
		return CODE_NONE;
	}
	enum code code = session_may_enter(s, key);
	if (code != CODE_NONE)
		return code;
	int r = engine_room(chat_engine(s->chat), key, &record);
	if (r == 0) {
		memcpy(name, record.name, sizeof(record.name));
		return CODE_NONE;
	}
	memcpy(name, room.text, room.length);
	name[room.length] = '\0';
	return r == ERR_NOT_FOUND ? CODE_NONE : CODE_RESOURCES;
}

static int read_before(struct engine *e, const struct stream_key *key, uint64_t value,
	struct page *p, uint64_t *pruned)
{
	uint64_t before = value == 0 || value > SEQ_END ? SEQ_END : value, after = 0;

	/* One more than is wanted tells whether there are more. */
	int r = engine_before(e, key, before, p->limit + 1U, &after);
	return r ? r : engine_range(e, key, after, before - 1, add_newest, p, pruned);
}

static int read_after(struct engine *e, const struct stream_key *key, uint64_t value,
	struct page *p, uint64_t *pruned)
{
	uint64_t after = value > SEQ_END ? SEQ_END : value;

	return engine_range(e, key, after, SEQ_END, add_last, p, pruned);
}

static int read_since(struct engine *e, const struct stream_key *key, uint64_t value,
	struct page *p, uint64_t *pruned)
{
	uint64_t time = value > SEQ_END ? SEQ_END : value, after = 0;

	int r = engine_since(e, key, time, &after);
	return r ? r : read_after(e, key, after, p, pruned);
}

static int reply_history(struct session *s, const struct msg_history *m, struct page *p)
{
	static int (*const readers[])(struct engine * e, const struct stream_key *key,
		uint64_t value, struct page *page, uint64_t *pruned) = {
		[HISTORY_BEFORE] = read_before,
		[HISTORY_AFTER] = read_after,
		[HISTORY_SINCE] = read_since,
	};
	struct stream_key key;
	char name[ROOM_NAME_MAX + 1];
	uint64_t pruned = 0;

	if (m->from >= sizeof(readers) / sizeof(readers[0]))
		return session_refuse(s, m->tag, CODE_BAD_VALUE);
	enum code code = find_stream(s, m->room, &key, name);
	if (code != CODE_NONE)
		return session_refuse(s, m->tag, code);
	if (readers[m->from](chat_engine(s->chat), &key, m->value, p, &pruned) != 0)
		return session_refuse(s, m->tag, CODE_RESOURCES);
	struct msg_history_page page = {
		.tag = m->tag,
		.room = span_of(name),
		.more = p->more,
		.pruned = pruned,
		.entries = p->list,
	};
	return session_reply_list(s, MESSAGE_HISTORY_PAGE, &page);
}

/* Whoever has closed the connection may have asked much before, which takes readers from others, or rests
 * between one and the next for as long as --rate says. What there is to answer goes out first, by which
 * that is seen, and then all of it is over. */
static bool nobody_hears(struct session *s)
{
	outlet_release(s->outlet);
	return atomic_load(&s->outlet->closed);
}

int session_on_history(struct session *s, const union message *m)
{
	struct page p;

	if (nobody_hears(s))
		return ERR_CLOSED;
	if (page_init(&p, s, m->history.limit) != 0)
		return session_refuse(s, m->history.tag, CODE_RESOURCES);
	int r = reply_history(s, &m->history, &p);
	free(p.bytes);
	return r;
}

/* ---- SEARCH ---- */

/* The streams to look in: `*keys` is for the caller to free. */
static enum code choose_streams(
	struct session *s, const struct msg_search *m, struct stream_key **keys, size_t *count)
{
	if (m->where > SEARCH_EVERYWHERE)
		return CODE_BAD_VALUE;
	struct stream_key *list = malloc((s->room_count + 1) * sizeof(*list));
	if (!list)
		return CODE_RESOURCES;
	*keys = list;
	*count = 0;
	if (m->where == SEARCH_ROOM) {
		if (stream_key_room(m->room.text, m->room.length, list) != 0)
			return CODE_BAD_ROOM;
		*count = 1;
		return session_find_key(s, list) ? CODE_NONE : session_may_enter(s, list);
	}
	if (s->borrowed && m->where == SEARCH_INBOX)
		return CODE_NOT_PROVEN;
	if (!s->borrowed)
		stream_key_inbox(s->person, &list[(*count)++]);
	for (size_t i = 0; m->where == SEARCH_EVERYWHERE && i < s->room_count; i++)
		list[(*count)++] = *feed_key(room_feed(s->rooms[i].room));
	return CODE_NONE;
}

static enum code search_code(int r)
{
	switch (r) {
	case 0:
		return CODE_NONE;
	case ERR_ARGUMENT:
		return CODE_BAD_VALUE;
	case ERR_TIMEOUT:
		return CODE_TIMEOUT;
	default:
		return CODE_RESOURCES;
	}
}

/* `*why`, where it fails: the reason in words. */
static enum code find(
	struct session *s, const struct msg_search *m, struct page *p, const char **why)
{
	struct stream_key *keys = NULL;
	size_t count = 0;
	int64_t had = 0, began = clock_ms();
	int r = 0;
	enum code code = choose_streams(s, m, &keys, &count);

	if (code == CODE_NONE) {
		struct search what = {
			.streams = keys,
			.stream_count = count,
			.words = m->words,
			.before = m->before == 0 || m->before > SEQ_END ? SEQ_END : m->before,
			.limit = p->limit + 1U,
			.deadline = began + SEARCH_MS,
		};
		/* Each may take long, and all wait for the same few readers of the log. */
		if (!session_enter_one(s, SESSION_SEARCH, &had)) {
			free(keys);
			*why = "your address has a search going on: try again in a moment";
			return CODE_TIMEOUT;
		}
		what.had = had;
		r = engine_search(chat_engine(s->chat), &what, add_last, p);
		int64_t took = clock_ms() - began;
		session_leave_one(s, SESSION_SEARCH, &took);
		code = search_code(r);
	}
	free(keys);
	/* It is a person who typed it, and no program's mistake. */
	*why = r == ERR_ARGUMENT ? "there is no word to look for in that" : code_text(code);
	return code;
}

int session_on_search(struct session *s, const union message *m)
{
	struct msg_found found = {.tag = m->search.tag};
	struct page p;

	if (nobody_hears(s))
		return ERR_CLOSED;
	if (page_init(&p, s, m->search.limit) != 0)
		return session_refuse(s, found.tag, CODE_RESOURCES);
	const char *why;
	enum code code = find(s, &m->search, &p, &why);
	found.more = p.more;
	found.entries = p.list;
	int r = code == CODE_NONE ? session_reply_list(s, MESSAGE_FOUND, &found)
				  : session_refuse_saying(s, found.tag, code, why);
	free(p.bytes);
	return r;
}

/* ---- places ---- */

/* All of a person's places in their wire form, a list as long as there are any. */
struct places {
	uint8_t *bytes; /* owned */
	size_t length, size, count;
	bool failed;
};

#define PLACE_BYTES (2 + ROOM_NAME_MAX + 1 + 8) /* of one, at most */

/* A reader. */
static bool add_place(void *context, const struct place *p)
{
	struct places *all = context;
	struct item_place item = {.room = p->room, .member = p->member, .read = p->read};
	struct list one = {0};

	if (all->count == PLACES_MAX)
		return false;
	if (all->size - all->length < PLACE_BYTES) {
		size_t size = all->size ? all->size * 2 : 16 * PLACE_BYTES;
		uint8_t *bytes = realloc(all->bytes, size);
		all->failed = !bytes;
		if (!bytes)
			return false;
		all->bytes = bytes;
		all->size = size;
	}
	int r = message_list_add(
		&one, ITEM_PLACE, &item, all->bytes + all->length, all->size - all->length);
	assert(r == 0);
	(void)r;
	all->length += one.length;
	all->count++;
	return true;
}

/* One PLACES with the first of those that are left, which go off `left`. */
static int reply_places(struct session *s, struct list *left, size_t *count)
{
	struct msg_places m = {.places.bytes = left->bytes};
	struct item_place item;

	/* A list's count has 16 bits, so what is left is shown a page at a time. */
	left->count = (uint16_t)(*count < LIST_MAX ? *count : LIST_MAX);
	m.places.count = left->count;
	while (message_list_next(left, ITEM_PLACE, &item))
		;
	m.places.length = (uint32_t)(left->bytes - m.places.bytes);
	*count -= m.places.count;
	m.more = *count > 0;
	return session_reply_list(s, MESSAGE_PLACES, &m);
}

int session_tell_places(struct session *s)
{
	struct places all = {0};

	int r = s->borrowed ? 0 : engine_places(chat_engine(s->chat), s->person, add_place, &all);
	/* Whoever cannot be told where they were can still chat. */
	if (r || all.failed)
		log_warning("%s: the places of %s cannot be read", s->peer, s->nick);
	struct list left = {.bytes = all.bytes, .length = (uint32_t)all.length};
	do
		r = reply_places(s, &left, &all.count);
	while (r == 0 && all.count > 0);
	free(all.bytes);
	return r;
}

int session_on_read(struct session *s, const union message *m)
{
	struct feed *feed = s->inbox;
	struct note note = {.kind = NOTE_READ, .person = s->person};

	if (m->read.room.length) {
		const struct session_room *sr = session_find_room(s, m->read.room);
		if (!sr)
			return 0;
		feed = room_feed(sr->room);
	}
	uint64_t last = feed_last_seq(feed);
	note.stream = feed_key(feed);
	note.name = span_of(feed_name(feed));
	note.seq = m->read.seq < last ? m->read.seq : last;
	if (note.seq > 0 && !s->borrowed)
		(void)engine_note(chat_engine(s->chat), &note);
	return 0;
}

void session_note_member(struct session *s, const struct room *room, bool member)
{
	struct note note = {
		.kind = member ? NOTE_JOINED : NOTE_PARTED,
		.person = s->person,
		.stream = feed_key(room_feed(room)),
		.name = span_of(room_name(room)),
	};

	if (s->borrowed)
		return;
	if (member)
		(void)engine_note(chat_engine(s->chat), &note);
	else
		(void)engine_note_kept(chat_engine(s->chat), &note, clock_ms() + ENGINE_PARTED_MS);
}

void session_note_nick(struct session *s)
{
	struct note note = {.kind = NOTE_NICK, .person = s->person, .name = span_of(s->nick)};

	if (!s->borrowed)
		(void)engine_note(chat_engine(s->chat), &note);
}
