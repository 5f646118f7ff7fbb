/*
 * The datagram lane: what is asked for over the connection, what goes into datagrams and comes out of
 * them. Sockets and keys are the link's (link_lane.c).
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

/* What waits to be sent in datagrams; more is lost. */
#define LANE_OUTPUT_MOST ((size_t)512 * 1024)

/* ---- the lane ---- */

bool client_lane_is_settled(const struct link_session *s)
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

void client_lane_open(struct link_session *s)
{
	if (s->lane.state != LINK_LANE_NONE)
		return;
	struct msg_lane_open open = {.tag = client_tag(s)};
	s->lane.state = LINK_LANE_OPENING;
	s->lane.tag = open.tag;
	client_send(s, MESSAGE_LANE_OPEN, &open);
}

void client_lane_put(
	struct link_session *s, enum message_number number, const void *value, size_t most)
{
	if (s->lane.out.length + most <= LANE_OUTPUT_MOST)
		client_put(s, &s->lane.out, number, value, most);
}

static void ping_lane(struct link_session *s, int64_t next)
{
	struct msg_ping ping = {.token = (uint64_t)s->now};

	client_lane_put(s, MESSAGE_PING, &ping, FRAME_HEADER + 8);
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
	client_lane_open(s);
	if (first && s->lane.state == LINK_LANE_SILENT)
		tell_doubt(s);
	if (s->lane.out.length + most > LANE_OUTPUT_MOST)
		return ERR_FULL;
	client_lane_put(s, MESSAGE_TOSS, &toss, most);
	return client_check_memory(s);
}

/* ---- for the session ---- */

bool client_lane_refused(struct link_session *s, const struct msg_error *error)
{
	char why[REASON_MAX + 1];

	if (error->tag != s->lane.tag)
		return false;
	s->lane.tag = 0;
	refuse_lane(s, client_reason(why, error->code, error->text));
	return true;
}

void client_lane_tick(struct link_session *s)
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

int64_t client_lane_due(const struct link_session *s)
{
	const struct client_lane *l = &s->lane;

	if (!l->ready)
		return INT64_MAX;
	if (l->state == LINK_LANE_OPENING && l->give_up_at < l->ping_at)
		return l->give_up_at;
	return l->ping_at;
}

void client_lane_end(struct link_session *s)
{
	link_bytes_wipe(&s->lane.out);
	free(s->lane.out.bytes);
	s->lane = (struct client_lane){0};
}

/* ---- for the link: datagrams ---- */

/* The server asks whether we are at the address that it sees; until it has our answer, it tells us nothing
 * else. A PING of ours behind the answer shows when that is so. */
static void answer_ping(struct link_session *s, const struct msg_ping *ping)
{
	struct msg_pong pong = {.token = ping->token};

	client_lane_put(s, MESSAGE_PONG, &pong, FRAME_HEADER + 8);
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
		client_race_probe(s, RACE_UDP, &m.probe);
		break;
	case MESSAGE_TOSSED:
		(void)client_on_tossed(s, &m);
		break;
	default: /* a PONG has said all by being here, and the rest is not for datagrams */
		break;
	}
}

void link_session_lane_copy(struct link_session *s, const struct frame *f)
{
	union message m;

	if (f->type == MESSAGE_PROBE && message_decode(f, &m) == 0)
		client_race_copy(s, &m.probe);
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
