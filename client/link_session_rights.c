#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

/* These are for this connection alone. */
static int begin(struct link_session *s, const char *room, uint32_t *request)
{
	if (room[0] && name_check(room, strlen(room), ROOM_NAME_MAX) != 0)
		return ERR_TEXT;
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	if (!s->rights)
		return ERR_REFUSED;
	*request = client_tag(s);
	return 0;
}

static int check_line(const char *text, size_t most)
{
	size_t length = strlen(text);

	if (length > most)
		return ERR_TOO_BIG;
	return utf8_is_line(text, length) ? 0 : ERR_TEXT;
}

int link_session_act(
	struct link_session *s, const char *room, const struct link_act *a, uint32_t *request)
{
	int r = check_line(a->label, LABEL_MAX);

	if (r == 0)
		r = check_line(a->text, REASON_MAX);
	if (r == 0)
		r = begin(s, room, request);
	if (r)
		return r;
	struct msg_act act = {
		.tag = *request,
		.room = span_of(room),
		.verb = (uint8_t)a->verb,
		.label = span_of(a->label),
		.value = a->value,
		.text = span_of(a->text),
	};
	client_request(s, MESSAGE_ACT, &act);
	return client_check_memory(s);
}

int link_session_charter(struct link_session *s, const char *room, uint32_t *request)
{
	int r = begin(s, room, request);

	if (r)
		return r;
	struct msg_charter charter = {.tag = *request, .room = span_of(room)};
	client_request(s, MESSAGE_CHARTER, &charter);
	return client_check_memory(s);
}

int link_session_audit(struct link_session *s, const char *room, uint64_t before, uint16_t limit,
	uint32_t *request)
{
	int r = begin(s, room, request);

	if (r)
		return r;
	struct msg_audit audit = {
		.tag = *request, .room = span_of(room), .before = before, .limit = limit};
	s->audit_before = before;
	client_request(s, MESSAGE_AUDIT, &audit);
	return client_check_memory(s);
}

int link_session_whois(struct link_session *s, const char *nick, uint32_t *request)
{
	size_t length = strlen(nick);

	if (length == 0 || length > NICK_MAX || !utf8_is_name(nick, length))
		return ERR_TEXT;
	int r = begin(s, "", request);
	if (r)
		return r;
	struct msg_whois whois = {.tag = *request, .nick = span_of(nick)};
	client_request(s, MESSAGE_WHOIS, &whois);
	return client_check_memory(s);
}

int link_session_key(struct link_session *s, const char *room, const char *key)
{
	int r = check_line(key, ROOM_KEY_MAX);
	struct seat *seat = seats_find(&s->seats, span_of(room));

	if (r)
		return r;
	if (!seat && name_check(room, strlen(room), ROOM_NAME_MAX) != 0)
		return ERR_TEXT;
	if (!seat)
		seat = seats_add(&s->seats, room);
	if (!seat)
		return ERR_MEMORY;
	seat->rekeyed = seat->state == SEAT_JOINING && strcmp(seat->key, key) != 0;
	snprintf(seat->key, sizeof(seat->key), "%s", key);
	return 0;
}

void client_unlock(struct link_session *s, const struct seat *seat)
{
	/* What comes of it is seen when the room is joined, so it has no number. */
	struct msg_unlock unlock = {.room = span_of(seat->name), .key = span_of(seat->key)};

	if (seat->key[0] && s->rights)
		client_send(s, MESSAGE_UNLOCK, &unlock);
}

/* ---- answers ---- */

void client_done(struct link_session *s, uint32_t tag)
{
	struct event *e = tag ? client_event(s, EVENT_DONE) : NULL;

	/* Something about the server, perhaps, which is told nobody else. */
	client_want_ranks(s, &s->server_ranks, 0);
	if (e)
		e->number = tag;
}

static int copy_standings(struct event *e, struct list standings)
{
	struct item_standing from;

	e->standings = calloc((size_t)standings.count + 1, sizeof(*e->standings));
	if (!e->standings)
		return ERR_MEMORY;
	while (message_list_next(&standings, ITEM_STANDING, &from)) {
		struct event_standing *to = &e->standings[e->count++];

		to->kind = from.kind;
		to->until = from.until;
		memcpy(to->person, from.person, sizeof(to->person));
		if (event_set_span(&to->label, from.label) != 0)
			return ERR_MEMORY;
	}
	return 0;
}

/* Was nothing done since the charter was asked for? */
static bool is_fresh(struct link_session *s, struct span room)
{
	const struct seat *seat = room.length ? seats_find(&s->seats, room) : NULL;

	return room.length ? seat && !seat->quiet && !seat->ranks.wanted : !s->server_ranks.wanted;
}

int client_on_charter_is(struct link_session *s, const union message *m)
{
	const struct msg_charter_is *c = &m->charter_is;
	bool own = client_ranks_answered(s, c->tag);
	struct event *e = client_event(s, own ? EVENT_RANKS : EVENT_CHARTER);

	if (!e)
		return 0;
	e->kind = c->entry;
	e->flag = c->moderated;
	e->number = c->slow;
	e->code = c->rank;
	e->own = is_fresh(s, c->room);
	client_set_span(s, &e->room, c->room);
	if (copy_standings(e, c->standings) != 0)
		s->out_of_memory = s->event_broken = true;
	return 0;
}

static int copy_acts(struct event *e, struct list acts)
{
	struct item_act from;

	e->acts = calloc((size_t)acts.count + 1, sizeof(*e->acts));
	if (!e->acts)
		return ERR_MEMORY;
	while (message_list_next(&acts, ITEM_ACT, &from)) {
		struct event_act *to = &e->acts[e->count++];

		to->seq = from.seq;
		to->time = from.time;
		to->verb = from.verb;
		to->value = from.value;
		if (event_set_span(&to->nick, from.nick) != 0 ||
			event_set_span(&to->label, from.label) != 0 ||
			event_set_span(&to->text, from.text) != 0)
			return ERR_MEMORY;
	}
	return 0;
}

int client_on_audit_page(struct link_session *s, const union message *m)
{
	const struct msg_audit_page *p = &m->audit_page;
	struct event *e = client_event(s, EVENT_AUDIT);

	if (!e)
		return 0;
	e->flag = p->more;
	e->own = s->audit_before != 0;
	client_set_span(s, &e->room, p->room);
	if (copy_acts(e, p->acts) != 0)
		s->out_of_memory = s->event_broken = true;
	return 0;
}

int client_on_person(struct link_session *s, const union message *m)
{
	const struct msg_person *p = &m->person;
	struct event *e = client_event(s, EVENT_PERSON);

	if (!e)
		return 0;
	e->person_state = p->state <= PERSON_GONE ? (enum person_state)p->state : PERSON_HERE;
	e->flag = p->owned;
	e->own = p->proven;
	e->code = p->rank;
	memcpy(e->person, p->person, sizeof(e->person));
	client_set_span(s, &e->nick, p->nick);
	client_set_span(s, &e->text, p->away);
	return 0;
}
