/*
 * The datagram lane, and races: what is asked for over the connection, what goes into datagrams and
 * comes out of them. Sockets and keys are the link's (link_lane.c).
 */
#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECOND INT64_C(1000)

/* A lane is tried so often, each time after twice as long, until something comes back; at the end of
 * that it is silent, and tried as seldom as one that works is kept alive. */
#define TRIES     5
#define TRY_FIRST (100 * MILLISECOND)
#define TRY_MOST  (2000 * MILLISECOND)
#define ALIVE     (15000 * MILLISECOND)
#define SILENCE   (3 * ALIVE + TRY_MOST)

/* For somebody's program to accept a race. */
#define ACCEPT_MOST (6000 * MILLISECOND)

/* What waits to be sent in datagrams; more is lost. */
#define LANE_OUTPUT_MOST ((size_t)512 * 1024)

/* What is sent back for somebody who races us, each way; and only while the connection is not behind. */
#define GUEST_BYTES  ((size_t)16 * 1024 * 1024)
#define GUEST_OUTPUT ((size_t)256 * 1024)

#define PROBE_BARE 19 /* bytes of a PROBE's payload without its padding */
#define PROBE_ROOM (FRAME_HEADER + PROBE_BARE)

/* ---- the lane ---- */

static bool is_settled(const struct link_session *s)
{
	return s->lane.state == LINK_LANE_OPEN || s->lane.state == LINK_LANE_SILENT ||
	       s->lane.state == LINK_LANE_REFUSED;
}

/* What was said may not have arrived, and why. */
static void tell_doubt(struct link_session *s)
{
	struct event *e = s->lane.tossed ? client_event(s, EVENT_LANE) : NULL;

	if (e)
		client_set(s, &e->text, s->lane.why);
}

static void refuse_lane(struct link_session *s, const char *why)
{
	s->lane.state = LINK_LANE_REFUSED;
	s->lane.out.length = 0;
	snprintf(s->lane.why, sizeof(s->lane.why), "%s", why);
	tell_doubt(s);
}

static void give_lane_up(struct link_session *s)
{
	s->lane.state = LINK_LANE_SILENT;
	snprintf(s->lane.why, sizeof(s->lane.why),
		"nothing comes back by UDP; a firewall may be in the way");
	tell_doubt(s);
}

static void open_lane(struct link_session *s)
{
	if (s->lane.state != LINK_LANE_NONE)
		return;
	struct msg_lane_open open = {.tag = client_tag(s)};
	s->lane.state = LINK_LANE_OPENING;
	s->lane.tag = open.tag;
	client_send(s, MESSAGE_LANE_OPEN, &open);
}

/* Put a frame out for a datagram. */
static void put(struct link_session *s, enum message_number number, const void *value, size_t most)
{
	if (s->lane.out.length + most <= LANE_OUTPUT_MOST)
		client_put(s, &s->lane.out, number, value, most);
}

static void ping_lane(struct link_session *s, int64_t next)
{
	struct msg_ping ping = {.token = (uint64_t)s->now};

	put(s, MESSAGE_PING, &ping, FRAME_HEADER + 8);
	s->lane.ping_at = s->now + next;
}

int client_on_lane(struct link_session *s, const union message *m)
{
	if (m->lane.tag != s->lane.tag || s->lane.state != LINK_LANE_OPENING)
		return 0;
	s->lane.tag = 0;
	s->lane.offer = (struct lane_offer){
		.id = m->lane.lane, .port = m->lane.port, .sealed = m->lane.sealed == 1};
	s->lane.offered = true;
	return 0;
}

bool link_session_lane_offer(struct link_session *s, struct lane_offer *out)
{
	if (!s->lane.offered)
		return false;
	s->lane.offered = false;
	*out = s->lane.offer;
	return true;
}

void link_session_lane_ready(struct link_session *s, const char *problem, int64_t now)
{
	s->now = now;
	if (problem) {
		refuse_lane(s, problem);
		return;
	}
	s->lane.ready = true;
	s->lane.tries = 0;
	s->lane.heard_at = now;
	s->lane.give_up_at = now + TRY_MOST;
	ping_lane(s, TRY_FIRST);
}

static void tick_lane(struct link_session *s)
{
	struct client_lane *l = &s->lane;

	if (!l->ready)
		return;
	if (l->state == LINK_LANE_OPENING && s->now >= l->give_up_at)
		give_lane_up(s);
	if (l->state == LINK_LANE_OPEN && s->now >= l->heard_at + SILENCE)
		give_lane_up(s);
	if (s->now < l->ping_at)
		return;
	l->tries++;
	bool trying = l->state == LINK_LANE_OPENING && l->tries < TRIES;
	ping_lane(s, trying ? TRY_FIRST << l->tries : ALIVE);
}

/* ---- races that we run ---- */

static void end_run(struct link_session *s, enum link_race_stage stage, const char *why)
{
	s->run.stage = stage;
	s->run.tag = 0;
	snprintf(s->run.why, sizeof(s->run.why), "%s", why);
}

static void forget_run(struct link_session *s)
{
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
		put(s, MESSAGE_PROBE, &probe, room);
	client_put(s, &s->out, MESSAGE_PROBE, &probe, room);
	if (number % 2 == 0 && s->lane.ready)
		put(s, MESSAGE_PROBE, &probe, room);
}

/* As much padding as makes a datagram of the size. */
static void begin_run(struct link_session *s)
{
	size_t bare = LANE_HEADER + (s->lane.offer.sealed ? LANE_TAG : 0) + PROBE_ROOM;
	size_t size = s->run.plan.size, padding = size > bare ? size - bare : 0;

	s->run.padding_length = (uint16_t)(padding < PADDING_MAX ? padding : PADDING_MAX);
	s->run.stage = LINK_RACE_RUNNING;
}

/* What is to be done about it next, if it is time. */
static void tick_run(struct link_session *s)
{
	struct client_run *run = &s->run;

	if (run->stage == LINK_RACE_ASKING) {
		bool agreed = !run->nick[0] || run->number != 0;
		if (agreed && is_settled(s))
			begin_run(s);
		else if (s->now >= run->ask_until)
			end_run(s, LINK_RACE_FAILED, "their program does not answer");
	}
	if (run->stage != LINK_RACE_RUNNING)
		return;
	while (race_due(run->race) <= s->now && s->out.length < GUEST_OUTPUT)
		send_next(s);
	if (s->now >= race_end(run->race, s->now))
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
	s->run.padding = malloc((size_t)plan->size + 1);
	s->run.race = race_new(plan->count);
	if (!s->run.padding || !s->run.race) {
		forget_run(s);
		return ERR_MEMORY;
	}
	memset(s->run.padding, '.', plan->size);
	s->run.plan = *plan;
	s->run.stage = LINK_RACE_ASKING;
	s->run.ask_until = nick[0] ? now + ACCEPT_MOST : INT64_MAX;
	snprintf(s->run.nick, sizeof(s->run.nick), "%s", nick);
	open_lane(s);
	if (nick[0]) {
		struct msg_race race = {.tag = client_tag(s),
			.nick = span_of(s->run.nick),
			.count = plan->count,
			.size = plan->size};
		s->run.tag = race.tag;
		client_request(s, MESSAGE_RACE, &race);
	}
	return client_check_memory(s);
}

void link_session_race_stop(struct link_session *s)
{
	forget_run(s);
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
	snprintf(out->why, sizeof(out->why), "%s",
		run->stage == LINK_RACE_FAILED ? run->why : s->lane.why);
	for (int way = 0; way < RACE_WAYS; way++) {
		race_score(run->race, (enum race_way)way, now, &out->scores[way]);
		race_marks(run->race, (enum race_way)way, now, out->marks[way], LINK_RACE_MARKS);
	}
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
	}
	return 0;
}

int link_session_race_accept(struct link_session *s, uint32_t race, uint32_t count, int64_t now)
{
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	s->now = now;
	s->guest = (struct client_guest){.race = race, .left = {count, count}, .waits = true};
	for (int way = 0; way < RACE_WAYS; way++)
		s->guest.bytes[way] = GUEST_BYTES;
	open_lane(s);
	return client_check_memory(s);
}

/* Whoever asked waits until our lane has been tried, or its first datagrams would be lost for that
 * alone. */
static void tick_guest(struct link_session *s)
{
	if (!s->guest.waits || !is_settled(s))
		return;
	struct msg_race_accept accept = {.tag = client_tag(s), .race = s->guest.race};
	s->guest.waits = false;
	s->guest.tag = accept.tag;
	client_send(s, MESSAGE_RACE_ACCEPT, &accept);
}

/* Send it back the way that it came, within what was agreed on. */
static void echo(struct link_session *s, enum race_way way, const struct msg_probe *m)
{
	struct msg_probe answer = *m;
	size_t room = PROBE_ROOM + (size_t)m->padding.length;
	struct client_guest *g = &s->guest;

	if (g->race == 0 || m->race != g->race || g->waits || g->left[way] == 0 ||
		g->bytes[way] < room)
		return;
	g->left[way]--;
	g->bytes[way] -= room;
	answer.back = 1;
	if (way == RACE_UDP)
		put(s, MESSAGE_PROBE, &answer, room);
	else if (s->out.length < GUEST_OUTPUT)
		client_put(s, &s->out, MESSAGE_PROBE, &answer, room);
}

static void take_probe(struct link_session *s, enum race_way way, const struct msg_probe *m)
{
	if (!m->back)
		echo(s, way, m);
	else if (s->run.stage == LINK_RACE_RUNNING && m->race == s->run.number)
		race_back(s->run.race, way, m->number, s->now);
}

int client_on_probe(struct link_session *s, const union message *m)
{
	take_probe(s, RACE_TCP, &m->probe);
	return 0;
}

/* ---- what is said ---- */

int client_on_tossed(struct link_session *s, const union message *m)
{
	const struct msg_tossed *t = &m->tossed;
	struct seat *seat = client_seat(s, t->room);
	struct event *e = seat ? client_event(s, EVENT_TOSSED) : NULL;

	if (!e)
		return 0;
	e->kind = t->kind < SAID_TOPIC ? t->kind : SAID_TEXT;
	e->time = t->time;
	memcpy(e->person, t->person, sizeof(e->person));
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->nick, t->nick);
	client_set_span(s, &e->text, t->text);
	return 0;
}

int link_session_toss(struct link_session *s, const char *room, const char *text, int64_t now)
{
	struct msg_toss toss = {.kind = SAID_TEXT, .room = span_of(room), .text = span_of(text)};
	size_t most = FRAME_HEADER + 8 + strlen(room) + strlen(text);

	if (toss.text.length == 0 || toss.text.length > s->text_max)
		return ERR_TOO_BIG;
	if (!utf8_is_line(text, toss.text.length) ||
		name_check(room, toss.room.length, ROOM_NAME_MAX) != 0)
		return ERR_TEXT;
	if (s->stage != STAGE_ONLINE)
		return ERR_CLOSED;
	if (!s->lanes || s->lane.state == LINK_LANE_REFUSED)
		return ERR_REFUSED;
	s->now = now;
	bool first = !s->lane.tossed;
	s->lane.tossed = true;
	open_lane(s);
	if (first && s->lane.state == LINK_LANE_SILENT)
		tell_doubt(s);
	if (s->lane.out.length + most > LANE_OUTPUT_MOST)
		return ERR_FULL;
	put(s, MESSAGE_TOSS, &toss, most);
	return client_check_memory(s);
}

/* ---- for the session ---- */

bool client_lane_refused(struct link_session *s, const struct msg_error *error)
{
	char why[REASON_MAX + 1];

	if (error->tag == s->lane.tag) {
		s->lane.tag = 0;
		refuse_lane(s, client_reason(why, error->code, error->text));
		return true;
	}
	if (error->tag == s->guest.tag) {
		s->guest = (struct client_guest){0};
		return true;
	}
	if (error->tag != s->run.tag)
		return false;
	end_run(s, LINK_RACE_FAILED, client_reason(why, error->code, error->text));
	return true;
}

bool client_lane_done(struct link_session *s, uint32_t tag)
{
	return tag != 0 && tag == s->guest.tag;
}

void client_lane_tick(struct link_session *s)
{
	tick_lane(s);
	tick_guest(s);
	tick_run(s);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t client_lane_due(const struct link_session *s)
{
	int64_t due = INT64_MAX;

	if (s->lane.ready) {
		due = s->lane.ping_at;
		if (s->lane.state == LINK_LANE_OPENING)
			due = sooner(due, s->lane.give_up_at);
	}
	if (s->run.stage == LINK_RACE_ASKING)
		due = sooner(due, is_settled(s) && !s->run.nick[0] ? 0 : s->run.ask_until);
	if (s->run.stage == LINK_RACE_RUNNING) {
		/* While much waits to be sent, the next number waits as well. */
		bool full = s->out.length >= GUEST_OUTPUT;
		int64_t next = full ? s->now + RACE_EVERY_US : race_due(s->run.race);
		due = sooner(due, sooner(next, race_end(s->run.race, s->now)));
	}
	if (s->guest.waits && is_settled(s))
		due = 0;
	return due;
}

void client_lane_end(struct link_session *s)
{
	link_bytes_wipe(&s->lane.out);
	free(s->lane.out.bytes);
	s->lane = (struct client_lane){0};
	s->guest = (struct client_guest){0};
	if (s->run.stage == LINK_RACE_ASKING || s->run.stage == LINK_RACE_RUNNING)
		end_run(s, LINK_RACE_FAILED, "the connection broke");
}

void client_lane_free(struct link_session *s)
{
	client_lane_end(s);
	forget_run(s);
}

/* ---- for the link: datagrams ---- */

/* The server asks whether we are at the address that it sees; until it has our answer, it tells us nothing
 * else. A PING of ours behind the answer shows when that is so. */
static void answer_ping(struct link_session *s, const struct msg_ping *ping)
{
	struct msg_pong pong = {.token = ping->token};

	put(s, MESSAGE_PONG, &pong, FRAME_HEADER + 8);
	if (s->lane.state != LINK_LANE_OPEN)
		ping_lane(s, TRY_FIRST);
}

static void note_open(struct link_session *s)
{
	if (s->lane.state != LINK_LANE_OPENING && s->lane.state != LINK_LANE_SILENT)
		return;
	s->lane.state = LINK_LANE_OPEN;
	s->lane.why[0] = '\0';
	s->lane.ping_at = s->now + ALIVE;
}

void link_session_lane_input(struct link_session *s, const struct frame *f, int64_t now)
{
	union message m;

	if (message_decode(f, &m) != 0)
		return;
	s->now = now;
	s->lane.heard_at = now;
	if (f->type != MESSAGE_PING)
		note_open(s);
	switch (f->type) {
	case MESSAGE_PING:
		answer_ping(s, &m.ping);
		break;
	case MESSAGE_PROBE:
		take_probe(s, RACE_UDP, &m.probe);
		break;
	case MESSAGE_TOSSED:
		(void)client_on_tossed(s, &m);
		break;
	default: /* a PONG has said all by being here, and the rest is not for datagrams */
		break;
	}
}

int link_session_lane_output(struct link_session *s, struct link_bytes *out)
{
	struct link_bytes full = s->lane.out;

	out->length = 0;
	if (!s->lane.ready)
		return 0;
	s->lane.out = *out;
	*out = full;
	return client_check_memory(s);
}
