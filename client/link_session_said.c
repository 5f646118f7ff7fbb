#include "client/link_session_private.h"

#include "common/err.h"

#include <string.h>

/* ---- answers to what was said here ---- */

void client_acknowledge(struct link_session *s, struct outgoing *m, uint64_t seq)
{
	struct event *e = client_event(s, EVENT_ACK);

	if (!e)
		return;
	e->counter = m->counter;
	e->seq = seq;
	e->direct = m->direct;
	memcpy(e->instance, s->instance, sizeof(e->instance));
	client_set(s, &e->room, m->direct ? "" : m->to);
	client_set(s, &e->nick, m->direct ? m->to : "");
	if (!s->out_of_memory)
		outbox_remove(&s->outbox, m);
}

int client_on_ack(struct link_session *s, const union message *m)
{
	struct outgoing *sent = outbox_find(&s->outbox, m->ack.counter);

	client_retry_over(s);
	if (sent)
		client_acknowledge(s, sent, m->ack.seq);
	return 0;
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
		return 0;
	}
	struct event *e = client_event(s, EVENT_REFUSED);
	if (!e)
		return 0;
	e->code = r->code;
	e->counter = r->counter;
	e->direct = sent->direct;
	client_set(s, &e->room, sent->direct ? "" : sent->to);
	client_set(s, &e->nick, sent->direct ? sent->to : "");
	client_set(s, &e->text, client_reason(buffer, r->code, r->text));
	outbox_remove(&s->outbox, sent);
	return 0;
}

/* ---- what is said in rooms and to us ---- */

static int said_kind(uint8_t wire)
{
	return wire < SAID_KINDS ? wire : SAID_TEXT;
}

int client_on_said(struct link_session *s, const union message *m)
{
	const struct msg_said *said = &m->said;
	struct seat *seat = seats_find(&s->seats, said->room);

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
	e->kind = said_kind(said->kind);
	e->seq = said->seq;
	e->time = said->time;
	e->counter = said->counter;
	memcpy(e->instance, said->instance, sizeof(e->instance));
	memcpy(e->person, said->person, sizeof(e->person));
	e->own = memcmp(said->instance, s->instance, sizeof(s->instance)) == 0;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->nick, said->nick);
	client_set_span(s, &e->text, said->text);
	if (!s->out_of_memory)
		seat->seen = said->seq;
	return 0;
}

int client_on_direct_said(struct link_session *s, const union message *m)
{
	const struct msg_direct_said *said = &m->direct_said;
	bool from_me = memcmp(said->person, s->identity.id, sizeof(said->person)) == 0;

	if (s->inbox_known && said->seq <= s->inbox_seen) {
		s->dropped++;
		return 0;
	}
	struct event *e = client_event(s, EVENT_MESSAGE);
	if (!e)
		return 0;
	e->direct = true;
	e->kind = said_kind(said->kind);
	e->seq = said->seq;
	e->time = said->time;
	e->counter = said->counter;
	memcpy(e->instance, said->instance, sizeof(e->instance));
	memcpy(e->person, said->person, sizeof(e->person));
	memcpy(e->peer, from_me ? said->to : said->person, sizeof(e->peer));
	e->own = memcmp(said->instance, s->instance, sizeof(s->instance)) == 0;
	client_set(s, &e->room, "");
	client_set_span(s, &e->nick, said->nick);
	client_set_span(s, &e->peer_nick, from_me ? said->to_nick : said->nick);
	client_set_span(s, &e->text, said->text);
	if (!s->out_of_memory) {
		s->inbox_known = true;
		s->inbox_seen = said->seq;
	}
	return 0;
}

int client_on_gap(struct link_session *s, const union message *m)
{
	const struct msg_gap *g = &m->gap;
	struct seat *seat = g->room.length ? seats_find(&s->seats, g->room) : NULL;

	if (g->next == 0 || (g->room.length && !seat))
		return 0;
	struct event *e = client_event(s, EVENT_GAP);
	if (!e)
		return 0;
	e->seq = g->after;
	e->number = g->next;
	client_set(s, &e->room, seat ? seat->name : "");
	if (seat && seat->seen < g->next - 1)
		seat->seen = g->next - 1;
	if (!seat && s->inbox_seen < g->next - 1)
		s->inbox_seen = g->next - 1;
	return 0;
}

int client_on_caught_up(struct link_session *s, const union message *m)
{
	const struct msg_caught_up *c = &m->caught_up;
	struct seat *seat = c->room.length ? seats_find(&s->seats, c->room) : NULL;

	if (c->room.length && !seat)
		return 0;
	if (!seat && !s->inbox_known) {
		s->inbox_known = true;
		s->inbox_seen = c->last > s->inbox_seen ? c->last : s->inbox_seen;
	}
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
