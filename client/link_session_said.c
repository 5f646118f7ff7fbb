#include "client/link_session_private.h"

#include "common/err.h"

#include <string.h>

/* ---- answers to what was said here ---- */

/* What both answers tell of the message, which has left the outbox unless memory is out: the answer
 * comes again then. */
static void settle(struct link_session *s, struct event *e, struct outgoing *sent)
{
	e->counter = sent->counter;
	e->direct = sent->direct;
	memcpy(e->instance, s->instance, sizeof(e->instance));
	client_set(s, &e->room, sent->direct ? "" : sent->to);
	client_set(s, &e->nick, sent->direct ? sent->to : "");
	if (!s->out_of_memory)
		outbox_remove(&s->outbox, sent);
	client_keep_touch(s);
}

void client_refuse(struct link_session *s, struct outgoing *m, unsigned code, const char *text)
{
	struct event *e = client_event(s, EVENT_REFUSED);

	if (!e)
		return;
	e->code = code;
	client_set(s, &e->text, text);
	settle(s, e, m);
}

int client_on_ack(struct link_session *s, const union message *m)
{
	struct outgoing *sent = outbox_find(&s->outbox, m->ack.counter);
	struct event *e;

	client_retry_over(s);
	const char *doubt = sent && m->ack.duplicate ? client_copied_reason(s, sent) : NULL;
	if (doubt) {
		client_copied(s);
		client_refuse(s, sent, CODE_NOT_KEPT, doubt);
	} else if (sent && (e = client_event(s, EVENT_ACK))) {
		e->seq = m->ack.seq;
		settle(s, e, sent);
	}
	return client_copied_answer(s);
}

int client_on_refused(struct link_session *s, const union message *m)
{
	const struct msg_refused *r = &m->refused;
	struct outgoing *sent = outbox_find(&s->outbox, r->counter);
	char buffer[REASON_MAX + 1];

	if (!sent)
		return 0;
	if (r->code == CODE_RETRY) {
		client_retry(s, r->counter);
		return client_copied_answer(s);
	}
	client_refuse(s, sent, r->code, client_reason(buffer, r->code, r->text));
	return client_copied_answer(s);
}

/* ---- what is said in rooms and to us ---- */

static int said_kind(uint8_t wire)
{
	return wire < SAID_KINDS ? wire : SAID_TEXT;
}

void client_fill_message(struct link_session *s, struct event *e, const struct item_entry *m)
{
	bool from_me = memcmp(m->person, s->identity.id, sizeof(m->person)) == 0;

	e->kind = said_kind(m->kind);
	e->seq = m->seq;
	e->time = m->time;
	e->counter = m->counter;
	memcpy(e->instance, m->instance, sizeof(e->instance));
	memcpy(e->person, m->person, sizeof(e->person));
	e->own = memcmp(m->instance, s->instance, sizeof(s->instance)) == 0;
	client_set_span(s, &e->nick, m->nick);
	client_set_span(s, &e->text, m->text);
	if (m->room.length > 0)
		return;
	e->direct = true;
	memcpy(e->peer, from_me ? m->to : m->person, sizeof(e->peer));
	client_set_span(s, &e->peer_nick, from_me ? m->to_nick : m->nick);
}

int client_on_said(struct link_session *s, const union message *m)
{
	const struct msg_said *said = &m->said;
	struct seat *seat = client_seat(s, said->room);
	struct item_entry entry = {
		.seq = said->seq,
		.time = said->time,
		.counter = said->counter,
		.kind = said->kind,
		.nick = said->nick,
		.room = said->room,
		.text = said->text,
	};

	if (!seat || !seat->seen_known || said->seq <= seat->seen) {
		s->dropped++;
		return 0;
	}
	/* Resuming will bring what is missing. */
	if (said->prev > seat->seen)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server left out a message and did not say so");
	struct event *e = client_event(s, EVENT_MESSAGE);
	if (!e)
		return 0;
	memcpy(entry.instance, said->instance, sizeof(entry.instance));
	memcpy(entry.person, said->person, sizeof(entry.person));
	client_fill_message(s, e, &entry);
	client_set(s, &e->room, seat->name);
	if (!s->out_of_memory)
		seat->seen = said->seq;
	client_keep_touch(s);
	return 0;
}

int client_on_direct_said(struct link_session *s, const union message *m)
{
	const struct msg_direct_said *said = &m->direct_said;
	struct item_entry entry = {
		.seq = said->seq,
		.time = said->time,
		.counter = said->counter,
		.kind = said->kind,
		.nick = said->nick,
		.to_nick = said->to_nick,
		.room = span_of(""),
		.text = said->text,
	};

	if (s->inbox_known && said->seq <= s->inbox_seen) {
		s->dropped++;
		return 0;
	}
	struct event *e = client_event(s, EVENT_MESSAGE);
	if (!e)
		return 0;
	memcpy(entry.instance, said->instance, sizeof(entry.instance));
	memcpy(entry.person, said->person, sizeof(entry.person));
	memcpy(entry.to, said->to, sizeof(entry.to));
	client_fill_message(s, e, &entry);
	client_set(s, &e->room, "");
	if (!s->out_of_memory) {
		s->inbox_known = true;
		s->inbox_seen = said->seq;
	}
	client_keep_touch(s);
	return 0;
}

int client_on_gap(struct link_session *s, const union message *m)
{
	const struct msg_gap *g = &m->gap;
	struct seat *seat = g->room.length ? client_seat(s, g->room) : NULL;

	if (g->next == 0 || (g->room.length && !seat))
		return 0;
	struct event *e = client_event(s, EVENT_GAP);
	if (!e)
		return 0;
	e->seq = g->after;
	e->number = g->next;
	client_set(s, &e->room, seat ? seat->name : "");
	if (s->out_of_memory)
		return 0; /* it comes again */
	if (seat && seat->seen < g->next - 1)
		seat->seen = g->next - 1;
	if (!seat && s->inbox_seen < g->next - 1)
		s->inbox_seen = g->next - 1;
	client_keep_touch(s);
	return 0;
}

int client_on_caught_up(struct link_session *s, const union message *m)
{
	const struct msg_caught_up *c = &m->caught_up;
	struct seat *seat = c->room.length ? client_seat(s, c->room) : NULL;

	if (c->room.length && !seat)
		return 0;
	if (!seat && !s->inbox_known) {
		s->inbox_known = true;
		s->inbox_seen = c->last > s->inbox_seen ? c->last : s->inbox_seen;
	} else if (!seat && c->last < s->inbox_seen) {
		s->inbox_seen = c->last; /* as in client_on_joined */
	}
	client_keep_touch(s);
	struct event *e = client_event(s, EVENT_CAUGHT_UP);
	if (!e)
		return 0;
	e->seq = c->last;
	e->number = c->people;
	client_set(s, &e->room, seat ? seat->name : "");
	if (seat && seat->people_state == SEAT_PEOPLE_KNOWN && c->version > seat->version)
		client_refresh_people(s, seat);
	return 0;
}
