#include "common/err.h"
#include "common/log.h"
#include "tools/stress/mark.h"
#include "tools/stress/swarm_private.h"

#include <stdio.h>
#include <string.h>

static bool is_steady(const struct client *c)
{
	return c->role == ROLE_STEADY || c->role == ROLE_SENDER;
}

static uint32_t room_senders(const struct swarm *s, const struct client *c)
{
	return plan_room_senders(s->plan, c->peer.room);
}

/* The last message of its room's sender `i` that it is to get. */
static uint32_t sent_by(const struct swarm *s, const struct client *c, uint32_t i)
{
	uint32_t number = i * s->plan->rooms + c->peer.room;

	return number == c->peer.number && !s->protocol->echoes ? c->seen[i]
								: s->clients[number].sender->sent;
}

/* ---- being there ---- */

/* Who is away, and will not be told what it missed, goes on from wherever it hears somebody again, be that
 * before it knows that it is in its room. */
void swarm_take_away(struct swarm *s, struct client *c)
{
	for (uint32_t i = 0; !s->protocol->resumes && i < room_senders(s, c); i++)
		c->seen[i] = LEDGER_ANY;
}

static void arrive(struct swarm *s, struct client *c, int64_t now)
{
	if (c->state == CLIENT_UP)
		return;
	c->state = CLIENT_UP;
	s->dialing--;
	s->up++;
	s->progress_at = now;
	if (!c->was_up) {
		c->was_up = true;
		s->connected++;
		s->last_up = now;
	} else {
		s->churned++;
	}
	/* Its sips are swarm_roles.c's. */
	if (c->role == ROLE_SLOW && s->phase < PHASE_CATCH_UP)
		swarm_client_listen(s, c, false);
}

/* ---- deliveries ---- */

/* Whoever is away has what it missed when it is back, which tells nothing of the server. */
static void note_client_time(struct client *c, uint64_t us)
{
	if (c->role == ROLE_CHURNS)
		return;
	c->latency_sum += us;
	if (us > c->latency_most)
		c->latency_most = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void note_time(struct swarm *s, const struct mark *m, uint64_t us, int64_t now)
{
	histogram_view_add(&s->tally.now, us);
	s->arrived++;
	s->last_delivery = s->progress_at = now;
	if (s->plan->rate > 0)
		histogram_view_add(&s->tally.service, us > m->lag ? us - m->lag : 0);
}

/* Of a sender's messages from..to a steady member has, or waits for, none any more: those that did not come
 * keep no place of the window, or a server that loses some would have less and less to do. */
static void settle(struct swarm *s, uint32_t sender, uint32_t from, uint32_t to)
{
	for (uint32_t k = from; s->plan->rate <= 0 && k <= to; k++)
		swarm_pace_delivered(s, &s->clients[sender], k);
}

static void deliver(struct swarm *s, struct client *c, const struct event *e, int64_t now)
{
	struct mark m;

	if (mark_read(e->text, e->length, &m) != 0 || m.run != s->plan->run ||
		m.sender >= s->plan->senders || m.sender % s->plan->rooms != c->peer.room ||
		m.counter == 0 || m.counter > s->clients[m.sender].sender->sent ||
		e->length != s->plan->size) {
		s->foreign++;
		return;
	}
	uint32_t *last = &c->seen[m.sender / s->plan->rooms], before = *last;
	uint64_t late = s->ledger.reordered;
	if (!ledger_note(&s->ledger, c->peer.number, m.sender, last, m.counter))
		return;
	if (is_steady(c) && *last > before)
		settle(s, m.sender, before + 1, *last);
	if (e->number)
		ledger_place(&s->ledger, &c->newest, e->number, s->ledger.reordered > late);
	int64_t latency = now - s->load_began - (int64_t)m.due;
	uint64_t us = latency < 0 ? 0 : (uint64_t)latency;
	c->delivered++;
	s->tally.delivered++;
	note_client_time(c, us);
	if (is_steady(c))
		note_time(s, &m, us, now);
	else if (s->phase == PHASE_CATCH_UP)
		s->progress_at = now;
}

static void acknowledge(struct swarm *s, struct client *c, uint64_t number, int64_t now)
{
	struct sender *sender = c->sender;

	if (!sender || number > sender->sent) {
		s->foreign++;
		return;
	}
	if (number <= sender->acknowledged)
		return;
	/* Each has one of its own, in order. */
	s->unacknowledged += number - sender->acknowledged - 1;
	sender->acknowledged = (uint32_t)number;
	int64_t since = now - sender->sent_at[number & (sender->times_size - 1)];
	histogram_view_add(&s->tally.acknowledge, since < 0 ? 0 : (uint64_t)since);
	s->tally.acknowledged++;
	s->progress_at = now;
}

/* What was on its way to it is waited for no more, and others get theirs all the same. */
void swarm_take_leave(struct swarm *s, const struct client *c)
{
	if (!c->was_up || !is_steady(c))
		return;
	for (uint32_t i = 0; i < room_senders(s, c); i++) {
		uint32_t sent = sent_by(s, c, i);
		s->expected -= sent - c->seen[i];
		settle(s, i * s->plan->rooms + c->peer.room, c->seen[i] + 1, sent);
	}
	s->steady[c->peer.room]--;
}

bool swarm_take(struct swarm *s, struct client *c, const struct event *e, int64_t now)
{
	char why[128];

	switch (e->kind) {
	case EVENT_NONE:
		break;
	case EVENT_READY:
		arrive(s, c, now);
		break;
	case EVENT_MESSAGE:
		deliver(s, c, e, now);
		break;
	case EVENT_ACK:
		acknowledge(s, c, e->number, now);
		break;
	case EVENT_AGENT:
		if (!s->agent[0])
			log_escape(e->text, e->length, s->agent, sizeof(s->agent));
		break;
	case EVENT_GAP:
		s->gaps++;
		break;
	case EVENT_REFUSED:
		snprintf(why, sizeof(why), "the server says: %.*s",
			(int)(e->length < 100 ? e->length : 100), e->text);
		swarm_client_failed(s, c, why);
		return false;
	}
	return true;
}

/* ---- at the end ---- */

/* Whoever quit is owed nothing. */
static bool is_owed(const struct client *c)
{
	return c->was_up && c->role != ROLE_QUITS;
}

/* What everybody has may be acknowledged a little later. */
static bool is_acknowledged(const struct swarm *s, const struct client *c)
{
	return !s->protocol->acknowledges || !c->sender || c->state != CLIENT_UP || !is_steady(c) ||
	       c->sender->acknowledged == c->sender->sent;
}

bool swarm_is_complete(const struct swarm *s)
{
	for (uint32_t k = 0; k < s->plan->clients; k++) {
		const struct client *c = &s->clients[k];
		if (!is_acknowledged(s, c))
			return false;
		if (!is_owed(c) || c->state == CLIENT_ENDED || is_steady(c))
			continue;
		if (c->state != CLIENT_UP)
			return false;
		for (uint32_t i = 0; i < room_senders(s, c); i++) {
			if (c->seen[i] != LEDGER_ANY && c->seen[i] < sent_by(s, c, i))
				return false;
		}
	}
	return true;
}

uint64_t swarm_take_outstanding(const struct swarm *s)
{
	uint64_t count = 0;

	for (uint32_t k = 0; k < s->plan->clients; k++) {
		const struct client *c = &s->clients[k];
		if (!is_owed(c) || c->thrown_out)
			continue;
		for (uint32_t i = 0; i < room_senders(s, c); i++) {
			uint32_t sent = sent_by(s, c, i);
			count += c->seen[i] != LEDGER_ANY && c->seen[i] < sent ? sent - c->seen[i]
									       : 0;
		}
	}
	return count;
}

/* What room sender `i` said, and it has not. Where either was thrown out, nobody can tell who is to blame:
 * it may never have been with the server. */
static void close_one(struct swarm *s, struct client *c, uint32_t i)
{
	const struct client *sender = &s->clients[i * s->plan->rooms + c->peer.room];
	uint64_t before = s->ledger.lost;

	ledger_close(&s->ledger, &c->seen[i], sent_by(s, c, i));
	if (c->thrown_out || sender->thrown_out)
		s->lost_disconnected += s->ledger.lost - before;
}

void swarm_take_missing(struct swarm *s)
{
	for (uint32_t k = 0; k < s->plan->clients; k++) {
		struct client *c = &s->clients[k];
		if (!is_owed(c))
			continue;
		if (s->protocol->acknowledges && c->sender)
			s->unacknowledged += c->sender->sent - c->sender->acknowledged;
		for (uint32_t i = 0; i < room_senders(s, c); i++)
			close_one(s, c, i);
	}
}
