/*
 * Races: the same numbers by both ways at once, those that we run and those that others run with us. What
 * goes by datagram is the lane's (link_session_lane.c).
 */
#include "client/link_session_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For somebody's program to accept a race. */
#define ACCEPT_MOST INT64_C(6000000)

/* What is sent back for somebody who races us goes over TCP only while the connection is not behind; and
 * when nothing comes of a race any more it is over, as it is for the server. */
#define GUEST_OUTPUT ((size_t)256 * 1024)
#define GUEST_IDLE   INT64_C(30000000)

#define PROBE_BARE 19 /* bytes of a PROBE's payload without its padding */
#define PROBE_ROOM (FRAME_HEADER + PROBE_BARE)

/* ---- races that we run ---- */

/* Those whom it is run with are free for another one. */
static void tell_over(struct link_session *s, uint32_t race, unsigned code)
{
	const struct msg_race_over over = {.race = race, .code = (uint16_t)code};

	if (race && s->stage == STAGE_ONLINE)
		client_send(s, MESSAGE_RACE_OVER, &over);
}

/* It is over, or will not begin; who else knows that already was told. */
static void end_run(struct link_session *s, enum link_race_stage stage, const char *why)
{
	if (stage == LINK_RACE_FAILED)
		race_cut(s->run.race, s->now);
	s->run.stage = stage;
	s->run.tag = 0;
	s->run.number = 0;
	snprintf(s->run.why, sizeof(s->run.why), "%s", why);
}

static void forget_run(struct link_session *s)
{
	tell_over(s, s->run.number, CODE_NONE);
	race_free(s->run.race);
	free(s->run.padding);
	s->run = (struct client_run){0};
}

static struct msg_probe make_probe(struct link_session *s, uint32_t number)
{
	return (struct msg_probe){
		.race = s->run.number,
		.number = number,
		.sent = (uint64_t)s->now,
		.padding = {.text = s->run.padding, .length = s->run.padding_length},
	};
}

/* One number by both ways; which goes first takes turns. */
static void send_next(struct link_session *s)
{
	uint32_t number = race_next(s->run.race, s->now);
	struct msg_probe probe = make_probe(s, number);
	size_t room = PROBE_ROOM + (size_t)probe.padding.length;

	if (number % 2 == 1 && s->lane.ready)
		client_lane_put(s, MESSAGE_PROBE, &probe, room);
	client_put(s, &s->out, MESSAGE_PROBE, &probe, room);
	if (number % 2 == 0 && s->lane.ready)
		client_lane_put(s, MESSAGE_PROBE, &probe, room);
}

/* As much padding as makes a datagram of the size, or what comes nearest to that; and that is the size. */
static void fit_size(struct link_session *s)
{
	bool sealed = s->lane.offer.id ? s->lane.offer.sealed : s->server_proven;
	size_t bare = LANE_HEADER + (sealed ? LANE_TAG : 0) + PROBE_ROOM;
	size_t size = s->run.plan.size, padding = size > bare ? size - bare : 0;

	padding = padding < PADDING_MAX ? padding : PADDING_MAX;
	s->run.padding_length = (uint16_t)padding;
	s->run.plan.size = (uint16_t)(bare + padding);
}

static void begin_run(struct link_session *s)
{
	fit_size(s);
	s->run.stage = LINK_RACE_RUNNING;
}

/* What is to be done about it next, if it is time. */
static void tick_run(struct link_session *s)
{
	struct client_run *run = &s->run;

	if (run->stage == LINK_RACE_ASKING) {
		bool agreed = !run->nick[0] || run->number != 0;
		if (agreed && client_lane_is_settled(s)) {
			begin_run(s);
		} else if (s->now >= run->ask_until) {
			tell_over(s, run->number, CODE_NONE);
			end_run(s, LINK_RACE_FAILED, "their program does not answer");
		}
	}
	if (run->stage != LINK_RACE_RUNNING)
		return;
	while (race_due(run->race) <= s->now && s->out.length < GUEST_OUTPUT)
		send_next(s);
	if (s->now < race_end(run->race, s->now))
		return;
	tell_over(s, run->number, CODE_NONE);
	end_run(s, LINK_RACE_OVER, "");
}

int link_session_race(
	struct link_session *s, const char *nick, const struct link_race_plan *plan, int64_t now)
{
	if (nick[0] && name_check(nick, strlen(nick), NICK_MAX) != 0)
		return ERR_TEXT;
	if (plan->count == 0 || plan->count > RACE_COUNT_MOST || plan->size > LANE_MAX)
		return ERR_ARGUMENT;
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	if (!s->lanes)
		return ERR_REFUSED;
	forget_run(s);
	s->now = now;
	/* Without what seals a datagram, which the lane may turn out not to have, there is more of it. */
	s->run.padding = malloc((size_t)plan->size + LANE_TAG + 1);
	s->run.race = race_new(plan->count);
	if (!s->run.padding || !s->run.race) {
		forget_run(s);
		return ERR_MEMORY;
	}
	memset(s->run.padding, '.', (size_t)plan->size + LANE_TAG);
	s->run.plan = *plan;
	s->run.stage = LINK_RACE_ASKING;
	s->run.ask_until = nick[0] ? now + ACCEPT_MOST : INT64_MAX;
	snprintf(s->run.nick, sizeof(s->run.nick), "%s", nick);
	fit_size(s);
	client_lane_open(s);
	if (nick[0]) {
		struct msg_race race = {.tag = client_tag(s),
			.nick = span_of(s->run.nick),
			.count = plan->count,
			.size = s->run.plan.size};
		s->run.tag = s->race_tag = race.tag;
		client_request(s, MESSAGE_RACE, &race);
	}
	return client_check_memory(s);
}

void link_session_race_stop(struct link_session *s)
{
	forget_run(s);
}

/* What the lane has to say about it: why there is none, or that all of this race's datagrams vanish,
 * while TCP gets through. */
static const char *explain(const struct link_session *s, const struct race_score *scores)
{
	const struct race_score *tcp = &scores[RACE_TCP], *udp = &scores[RACE_UDP];

	if (udp->arrived)
		return "";
	if (udp->lost && tcp->arrived && s->lane.state != LINK_LANE_REFUSED)
		return "nothing came back by UDP; a firewall may be in the way";
	return s->lane.why;
}

bool link_session_race_look(const struct link_session *s, int64_t now, struct link_race *out)
{
	const struct client_run *run = &s->run;

	*out = (struct link_race){.stage = run->stage,
		.plan = run->plan,
		.lane = s->lane.state,
		.sealed = s->lane.offer.sealed};
	if (run->stage == LINK_RACE_NONE)
		return false;
	snprintf(out->nick, sizeof(out->nick), "%s", run->nick);
	for (int way = 0; way < RACE_WAYS; way++) {
		race_score(run->race, (enum race_way)way, now, &out->scores[way]);
		race_marks(run->race, (enum race_way)way, now, out->marks[way], LINK_RACE_MARKS);
	}
	snprintf(out->why, sizeof(out->why), "%s",
		run->stage == LINK_RACE_FAILED ? run->why : explain(s, out->scores));
	return true;
}

/* ---- races that others run with us ---- */

static void raced_by(struct link_session *s, const struct msg_raced *m)
{
	struct event *e = client_event(s, EVENT_RACED);

	if (!e)
		return;
	memcpy(e->person, m->person, sizeof(e->person));
	client_set_span(s, &e->nick, m->nick);
	e->number = m->race;
	e->read = m->count;
	e->code = m->size;
}

int client_on_raced(struct link_session *s, const union message *m)
{
	const struct msg_raced *raced = &m->raced;

	if (raced->tag == 0) {
		raced_by(s, raced);
	} else if (raced->tag == s->run.tag && s->run.stage == LINK_RACE_ASKING) {
		s->run.tag = 0;
		s->run.number = raced->race;
		tick_run(s);
	} else if (raced->tag == s->race_tag) {
		tell_over(s, raced->race, CODE_NONE); /* nobody waits for it any more */
	}
	return 0;
}

/* In words, as a clause: why whoever is raced, or was to be, does not race. */
static void end_run_for(struct link_session *s, unsigned code, struct span text)
{
	char why[REASON_MAX + 1];

	if (code == CODE_QUIT)
		snprintf(why, sizeof(why), "%s has left, or their connection broke", s->run.nick);
	else if (code == CODE_TIMEOUT)
		snprintf(why, sizeof(why), "it took too long");
	else if (code == CODE_NONE)
		snprintf(why, sizeof(why), "%s ended it", s->run.nick);
	else
		(void)client_reason(why, code, text);
	end_run(s, LINK_RACE_FAILED, why);
}

int client_on_race_over(struct link_session *s, const union message *m)
{
	const struct msg_race_over *over = &m->race_over;

	if (over->race == 0)
		return 0;
	if (over->race == s->guest.race)
		s->guest = (struct client_guest){0};
	if (over->race == s->run.number)
		end_run_for(s, over->code, span_of(""));
	return 0;
}

int link_session_race_accept(struct link_session *s, uint32_t race, uint32_t count, int64_t now)
{
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	if (s->accept_tag || (s->guest.race && now < s->guest.idle_at))
		return ERR_EXISTS;
	s->now = now;
	s->guest = (struct client_guest){
		.race = race, .left = {count, count}, .waits = true, .idle_at = now + GUEST_IDLE};
	for (int way = 0; way < RACE_WAYS; way++)
		s->guest.bytes[way] = RACE_GUEST_BYTES;
	client_lane_open(s);
	return client_check_memory(s);
}

int link_session_race_refuse(struct link_session *s, uint32_t race, unsigned code)
{
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	tell_over(s, race, code);
	return client_check_memory(s);
}

/* Whoever asked waits until our lane has been tried, or its first datagrams would be lost for that
 * alone. */
static void tick_guest(struct link_session *s)
{
	if (!s->guest.waits || !client_lane_is_settled(s))
		return;
	struct msg_race_accept accept = {.tag = client_tag(s), .race = s->guest.race};
	s->guest.waits = false;
	s->accept_tag = accept.tag;
	client_send(s, MESSAGE_RACE_ACCEPT, &accept);
}

/* Send it back the way that it came, within what was agreed on. The server relays whatever there is, so
 * whoever sends more than that is not to go on. */
static void echo(struct link_session *s, enum race_way way, const struct msg_probe *m)
{
	struct msg_probe answer = *m;
	size_t room = PROBE_ROOM + (size_t)m->padding.length;
	struct client_guest *g = &s->guest;

	if (g->race == 0 || m->race != g->race || g->waits)
		return;
	if (g->left[way] == 0 || g->bytes[way] < room) {
		tell_over(s, g->race, CODE_RACE_TOO_MUCH);
		*g = (struct client_guest){0};
		return;
	}
	g->idle_at = s->now + GUEST_IDLE;
	g->left[way]--;
	g->bytes[way] -= room;
	answer.back = 1;
	if (way == RACE_UDP)
		client_lane_put(s, MESSAGE_PROBE, &answer, room);
	else if (s->out.length < GUEST_OUTPUT)
		client_put(s, &s->out, MESSAGE_PROBE, &answer, room);
}

void client_race_probe(struct link_session *s, enum race_way way, const struct msg_probe *m)
{
	if (!m->back)
		echo(s, way, m);
	else if (s->run.stage == LINK_RACE_RUNNING && m->race == s->run.number)
		race_back(s->run.race, way, m->number, s->now);
}

void client_race_copy(struct link_session *s, const struct msg_probe *m)
{
	if (m->back && s->run.stage == LINK_RACE_RUNNING && m->race == s->run.number)
		race_copy(s->run.race, RACE_UDP, m->number);
}

int client_on_probe(struct link_session *s, const union message *m)
{
	client_race_probe(s, RACE_TCP, &m->probe);
	return 0;
}

/* ---- for the session ---- */

bool client_race_refused(struct link_session *s, const struct msg_error *error)
{
	if (error->tag == 0)
		return false;
	if (error->tag == s->accept_tag) {
		s->accept_tag = 0;
		s->guest = (struct client_guest){0};
		return true;
	}
	if (error->tag == s->run.tag)
		end_run_for(s, error->code, error->text);
	return error->tag == s->race_tag;
}

bool client_race_done(struct link_session *s, uint32_t tag)
{
	if (tag == 0 || tag != s->accept_tag)
		return false;
	s->accept_tag = 0;
	return true;
}

void client_race_tick(struct link_session *s)
{
	tick_guest(s);
	tick_run(s);
}

int64_t client_race_due(const struct link_session *s)
{
	int64_t due = INT64_MAX;

	if (s->run.stage == LINK_RACE_ASKING)
		due = client_lane_is_settled(s) && !s->run.nick[0] ? 0 : s->run.ask_until;
	if (s->run.stage == LINK_RACE_RUNNING) {
		/* While much waits to be sent, the next number waits as well. */
		bool full = s->out.length >= GUEST_OUTPUT;
		int64_t next = full ? s->now + RACE_EVERY_US : race_due(s->run.race);
		due = clock_earlier(next, race_end(s->run.race, s->now));
	}
	if (s->guest.waits && client_lane_is_settled(s))
		due = 0;
	return due;
}

void client_race_end(struct link_session *s)
{
	s->guest = (struct client_guest){0};
	s->race_tag = s->accept_tag = 0;
	if (s->run.stage == LINK_RACE_ASKING || s->run.stage == LINK_RACE_RUNNING)
		end_run(s, LINK_RACE_FAILED, "the connection broke");
}

void client_race_free(struct link_session *s)
{
	client_race_end(s);
	forget_run(s);
}
