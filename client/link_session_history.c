#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was asked on this connection ---- */

/* Remember a question under a new tag; NULL when memory is out. */
static struct inquiry *inquiry_add(struct link_session *s, const struct inquiry *what)
{
	struct inquiry *q = malloc(sizeof(*q));

	if (!q)
		return NULL;
	*q = *what;
	q->tag = client_tag(s);
	q->next = s->inquiries;
	s->inquiries = q;
	return q;
}

/* Take the question with that tag off the list; NULL when there is none. The caller frees it. */
static struct inquiry *inquiry_take(struct link_session *s, uint32_t tag)
{
	for (struct inquiry **at = &s->inquiries; *at; at = &(*at)->next) {
		struct inquiry *q = *at;

		if (q->tag == tag) {
			*at = q->next;
			return q;
		}
	}
	return NULL;
}

bool client_inquiry_failed(struct link_session *s, uint32_t tag, struct event *e)
{
	struct inquiry *q = inquiry_take(s, tag);

	if (!q)
		return false;
	e->number = q->tag;
	client_set(s, &e->room, q->room);
	free(q);
	return true;
}

void client_inquiries_end(struct link_session *s)
{
	struct inquiry *oldest_first = NULL;
	struct inquiry *q;

	while ((q = s->inquiries)) {
		s->inquiries = q->next;
		q->next = oldest_first;
		oldest_first = q;
	}
	while ((q = oldest_first)) {
		struct event *e = client_event(s, EVENT_ERROR);

		oldest_first = q->next;
		if (e) {
			e->number = q->tag;
			client_set(s, &e->room, q->room);
			client_set(s, &e->text, "the connection broke before the answer came");
		}
		free(q);
	}
}

void client_inquiries_free(struct link_session *s)
{
	struct inquiry *q;

	while ((q = s->inquiries)) {
		s->inquiries = q->next;
		free(q);
	}
}

/* ---- asking ---- */

int link_session_history(struct link_session *s, const char *room, enum history_from from,
	uint64_t value, uint16_t limit, uint32_t *request)
{
	struct inquiry what = {.from = from, .value = value, .limit = limit};
	int r = room[0] ? name_check(room, strlen(room), ROOM_NAME_MAX) : 0;

	if (r == 0 && (limit == 0 || limit > LIST_MAX || from > HISTORY_SINCE))
		r = ERR_ARGUMENT;
	if (r == 0 && s->stage != STAGE_ONLINE)
		r = ERR_CLOSED;
	if (r)
		return r;
	snprintf(what.room, sizeof(what.room), "%s", room);
	const struct inquiry *q = inquiry_add(s, &what);
	if (!q)
		return ERR_MEMORY;
	struct msg_history history = {
		.tag = q->tag,
		.room = span_of(q->room),
		.from = (uint8_t)from,
		.value = value,
		.limit = limit,
	};
	client_request(s, MESSAGE_HISTORY, &history);
	*request = q->tag;
	return client_check_memory(s);
}

/* Where: only SEARCH_ROOM takes a room, and must have one. */
static int check_where(enum search_where where, const char *room)
{
	if (where > SEARCH_EVERYWHERE)
		return ERR_ARGUMENT;
	if (where == SEARCH_ROOM)
		return name_check(room, strlen(room), ROOM_NAME_MAX);
	return room[0] ? ERR_ARGUMENT : 0;
}

static int check_words(const char *words)
{
	size_t length = strlen(words);

	if (length == 0)
		return ERR_ARGUMENT;
	if (length > WORDS_MAX)
		return ERR_TOO_BIG;
	return utf8_is_line(words, length) ? 0 : ERR_TEXT;
}

int link_session_search(struct link_session *s, enum search_where where, const char *room,
	const char *words, uint64_t before, uint16_t limit, uint32_t *request)
{
	struct inquiry what = {.search = true, .value = before, .limit = limit};
	int r = check_where(where, room);

	if (r == 0)
		r = check_words(words);
	if (r == 0 && (limit == 0 || limit > LIST_MAX))
		r = ERR_ARGUMENT;
	if (r == 0 && s->stage != STAGE_ONLINE)
		r = ERR_CLOSED;
	if (r)
		return r;
	snprintf(what.room, sizeof(what.room), "%s", room);
	const struct inquiry *q = inquiry_add(s, &what);
	if (!q)
		return ERR_MEMORY;
	struct msg_search search = {
		.tag = q->tag,
		.where = (uint8_t)where,
		.room = span_of(q->room),
		.before = before,
		.limit = limit,
		.words = span_of(words),
	};
	client_request(s, MESSAGE_SEARCH, &search);
	*request = q->tag;
	return client_check_memory(s);
}

/* ---- what comes ---- */

static int nonsense(struct link_session *s)
{
	return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
		"the server answered with a page that is not what was asked for");
}

/* Is the list what the question allows? A page rises, what was found falls, strictly; nothing is on
 * the wrong side of `value`; and there is no more than was wanted. */
static bool fits(const struct inquiry *q, struct list entries)
{
	bool falling = q->search;
	bool below = q->value != 0 && (q->search || q->from == HISTORY_BEFORE);
	bool above = !q->search && q->from == HISTORY_AFTER;
	bool first = true;
	uint64_t last = 0;
	struct item_entry entry;

	if (entries.count > q->limit)
		return false;
	while (message_list_next(&entries, ITEM_ENTRY, &entry)) {
		if (entry.seq == 0 || (below && entry.seq >= q->value) ||
			(above && entry.seq <= q->value))
			return false;
		if (!first && (falling ? entry.seq >= last : entry.seq <= last))
			return false;
		if (!q->search && (entry.room.length == 0) != (q->room[0] == '\0'))
			return false;
		last = entry.seq;
		first = false;
	}
	return true;
}

/* The entries as messages, in an array that the event owns. */
static void put_entries(struct link_session *s, struct event *e, struct list entries)
{
	struct item_entry entry;

	e->entries = calloc((size_t)entries.count + 1, sizeof(*e->entries));
	if (!e->entries) {
		s->out_of_memory = s->event_broken = true;
		return;
	}
	while (message_list_next(&entries, ITEM_ENTRY, &entry)) {
		struct event *to = &e->entries[e->count++];

		to->type = EVENT_MESSAGE;
		client_fill_message(s, to, &entry);
		client_set_span(s, &to->room, entry.room);
	}
}

int client_on_history_page(struct link_session *s, const union message *m)
{
	const struct msg_history_page *page = &m->history_page;
	struct inquiry *q = inquiry_take(s, page->tag);
	struct event *e;
	int r = 0;

	if (!q)
		return 0;
	if (q->search || !fits(q, page->entries)) {
		r = nonsense(s);
	} else if ((e = client_event(s, EVENT_HISTORY))) {
		e->number = q->tag;
		e->flag = page->more != 0;
		e->seq = page->pruned;
		client_set(s, &e->room, q->room);
		put_entries(s, e, page->entries);
	}
	free(q);
	return r;
}

int client_on_found(struct link_session *s, const union message *m)
{
	const struct msg_found *found = &m->found;
	struct inquiry *q = inquiry_take(s, found->tag);
	struct event *e;
	int r = 0;

	if (!q)
		return 0;
	if (!q->search || !fits(q, found->entries)) {
		r = nonsense(s);
	} else if ((e = client_event(s, EVENT_FOUND))) {
		e->number = q->tag;
		e->flag = found->more != 0;
		client_set(s, &e->room, q->room);
		put_entries(s, e, found->entries);
	}
	free(q);
	return r;
}

int client_on_places(struct link_session *s, const union message *m)
{
	struct list places = m->places.places;
	struct event *e = client_event(s, EVENT_PLACES);
	struct item_place place;

	if (!e)
		return 0;
	e->flag = m->places.more == 0;
	e->places = calloc((size_t)places.count + 1, sizeof(*e->places));
	if (!e->places) {
		s->out_of_memory = s->event_broken = true;
		return 0;
	}
	while (message_list_next(&places, ITEM_PLACE, &place)) {
		struct event_place *to = &e->places[e->count++];

		to->member = place.member != 0;
		to->read = place.read;
		client_set_span(s, &to->room, place.room);
	}
	return 0;
}
