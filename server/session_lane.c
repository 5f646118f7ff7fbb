/*
 * The datagram lane, as far as it is a matter of the connection: opening it, and races,
 * which are agreed on here and whose messages go over TCP as well.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lane.h"
#include "server/lanes.h"

#include <stdlib.h>
#include <string.h>

/* Between two races that somebody asks for: each is a line on somebody's screen. */
#define RACE_PAUSE_MS 3000

/* There is a lane for those who said in HELLO that they know of it. */
static struct lanes *lanes_for(const struct session *s)
{
	return s->outlet->peer.lane ? chat_lanes(s->chat) : NULL;
}

/* ---- opening ---- */

/* Keys of the connection's for the lane of that id; without TLS there are none. */
static int export_keys(struct session *s, uint64_t id, uint8_t keys[LANE_KEYS])
{
	uint8_t context[8];
	const struct stream_export what = {
		.label = LANE_LABEL, .context = context, .context_size = sizeof(context)};

	lane_context(id, context);
	return stream_export(s->outlet->stream, &what, keys, LANE_KEYS);
}

static int open_lane(struct session *s, struct lanes *lanes, uint64_t id, bool *sealed)
{
	uint8_t keys[LANE_KEYS];
	int r = export_keys(s, id, keys);

	*sealed = r == 0;
	if (r == 0 || r == ERR_NOT_FOUND) {
		const struct lane_owner owner = {
			.outlet = s->outlet,
			.keys = *sealed ? keys : NULL,
			.nick = s->nick,
			.proven = s->proven,
			.rate = s->policy.rate,
			.burst = s->policy.burst,
			.text_max = session_text_max(s),
		};
		r = lanes_open(lanes, id, &owner);
	}
	explicit_bzero(keys, sizeof(keys));
	return r;
}

int session_on_lane_open(struct session *s, const union message *m)
{
	struct lanes *lanes = lanes_for(s);
	struct msg_lane answer = {.tag = m->lane_open.tag};
	struct net_address local;
	bool sealed;

	if (lanes && net_local(stream_fd(s->outlet->stream), &local) == 0)
		answer.port = lanes_port(lanes, &local);
	if (answer.port == 0)
		return session_refuse(s, answer.tag, CODE_NO_LANE);
	identity_random(&answer.lane, sizeof(answer.lane));
	if (open_lane(s, lanes, answer.lane, &sealed) != 0)
		return session_refuse(s, answer.tag, CODE_RESOURCES);
	answer.sealed = sealed;
	return session_reply(s, MESSAGE_LANE, &answer);
}

void session_close_lane(struct session *s)
{
	if (chat_lanes(s->chat))
		lanes_close(chat_lanes(s->chat), s->outlet);
}

void session_rename_lane(struct session *s)
{
	if (chat_lanes(s->chat))
		lanes_rename(chat_lanes(s->chat), s->outlet, s->nick);
}

/* ---- races ---- */

/* Tell another connection, unless too much waits there already. */
static int tell(struct outlet *o, enum message_number number, const void *message)
{
	uint8_t frame[512];
	size_t used = 0;
	int r = message_encode((uint16_t)number, message, frame, sizeof(frame), &used);

	if (r == 0)
		r = outlet_reply_spare(o, frame, used);
	if (r == 0)
		outlet_push(o);
	return r;
}

/* A connection of a person's other than the one that asks, which knows of lanes: a reference of the
 * caller's. */
static struct outlet *find_outlet(struct session *s, const uint8_t person[PERSON_ID])
{
	struct feed *inbox = people_inbox(chat_people(s->chat), person);
	struct outlet *found = NULL;
	struct member *m;

	if (!inbox)
		return NULL;
	for (size_t at = SIZE_MAX; !found && (m = feed_member_before(inbox, &at)) != NULL;
		member_unref(m)) {
		if (m->outlet != s->outlet && m->outlet->peer.lane)
			found = outlet_ref(m->outlet);
	}
	feed_unref(inbox);
	return found;
}

static int ask(struct session *s, struct outlet *to, const struct race_plan *plan)
{
	struct races *races = lanes_races(chat_lanes(s->chat));
	struct msg_raced raced = {
		.nick = span_of(s->nick), .count = plan->count, .size = plan->size};
	int r = races_ask(races, s->outlet, to, plan, clock_ms(), &raced.race);

	if (r)
		return r;
	lanes_raced(chat_lanes(s->chat));
	memcpy(raced.person, s->person, PERSON_ID);
	r = tell(to, MESSAGE_RACED, &raced);
	/* Nobody will accept it, and its end would be a second answer. */
	if (r)
		races_end(races, raced.race, s->outlet, CODE_NONE);
	return r;
}

/* Is there time for another one? */
static bool may_ask(const struct session *s)
{
	return s->raced_at == 0 || clock_ms() - s->raced_at >= RACE_PAUSE_MS;
}

static enum code check_plan(struct session *s, const struct msg_race *race, struct race_plan *plan)
{
	if (!lanes_for(s))
		return CODE_NO_LANE;
	if (race->count == 0 || race->count > RACE_MESSAGES || race->size > LANE_MAX)
		return CODE_BAD_VALUE;
	if (people_find(chat_people(s->chat), race->nick, plan->person, plan->nick) != 0)
		return CODE_NO_SUCH_PERSON;
	return may_ask(s) ? CODE_NONE : CODE_RACE_TOO_SOON;
}

int session_on_race(struct session *s, const union message *m)
{
	const struct msg_race *race = &m->race;
	struct race_plan plan = {.tag = race->tag, .count = race->count, .size = race->size};
	enum code code = check_plan(s, race, &plan);

	if (code)
		return session_refuse(s, race->tag, code);
	struct outlet *to = find_outlet(s, plan.person);
	if (!to && memcmp(plan.person, s->person, PERSON_ID) == 0)
		return session_refuse_saying(s, race->tag, CODE_BAD_VALUE,
			"nobody can race themselves; race the server instead");
	if (!to)
		return session_refuse_saying(
			s, race->tag, CODE_NO_LANE, "their program knows of no datagram lane");
	/* The answer is given when they accept. */
	int r = ask(s, to, &plan);
	outlet_unref(to);
	if (r == 0)
		s->raced_at = clock_ms();
	return r ? session_refuse(s, race->tag, r == ERR_EXISTS ? CODE_RACING : CODE_RACE_FULL) : 0;
}

int session_on_race_accept(struct session *s, const union message *m)
{
	struct lanes *lanes = lanes_for(s);
	struct outlet *from;
	struct race_plan plan;

	if (!lanes)
		return session_refuse(s, m->race_accept.tag, CODE_NO_LANE);
	int r = races_accept(
		lanes_races(lanes), m->race_accept.race, s->outlet, clock_ms(), &from, &plan);
	if (r)
		return session_refuse(
			s, m->race_accept.tag, r == ERR_EXISTS ? CODE_RACING : CODE_BAD_VALUE);
	struct msg_raced raced = {
		.tag = plan.tag,
		.race = m->race_accept.race,
		.nick = span_of(plan.nick),
		.count = plan.count,
		.size = plan.size,
	};
	memcpy(raced.person, plan.person, PERSON_ID);
	(void)tell(from, MESSAGE_RACED, &raced);
	outlet_unref(from);
	struct msg_done done = {.tag = m->race_accept.tag};
	return session_reply(s, MESSAGE_DONE, &done);
}

/* Whoever ends a race, or refuses one, may say why; but for the reasons that there are, nothing is
 * passed on. */
int session_on_race_over(struct session *s, const union message *m)
{
	enum code code = (enum code)m->race_over.code;

	if (!lanes_for(s))
		return session_end(s, CODE_PROTOCOL);
	if (code != CODE_RACING && code != CODE_RACE_TOO_SOON && code != CODE_RACE_TOO_MUCH)
		code = CODE_NONE;
	races_end(lanes_races(chat_lanes(s->chat)), m->race_over.race, s->outlet, code);
	return 0;
}

/* What cannot be relayed now is lost, as it would be on the lane: nobody waits for somebody else's
 * socket. */
static void relay(struct session *s, const struct msg_probe *m, const uint8_t *frame, size_t length)
{
	struct outlet *other = races_other(lanes_races(chat_lanes(s->chat)), m->race, s->outlet,
		m->back != 0, m->number, clock_ms());

	if (other && outlet_reply_spare(other, frame, length) == 0)
		outlet_push(other);
	else
		lanes_dropped(chat_lanes(s->chat));
	outlet_unref(other);
}

int session_on_probe(struct session *s, const union message *m)
{
	struct msg_probe probe = m->probe;
	size_t size = FRAME_HEADER + 32 + (size_t)probe.padding.length, used = 0;
	int r = 0;

	if (!lanes_for(s) || (probe.race == 0 && probe.back))
		return session_end(s, CODE_PROTOCOL);
	uint8_t *frame = malloc(size);
	if (!frame)
		return ERR_MEMORY;
	if (probe.race == 0)
		probe.back = 1;
	(void)message_encode(MESSAGE_PROBE, &probe, frame, size, &used);
	if (probe.race == 0)
		r = session_reply_frame(s, frame, used);
	else
		relay(s, &probe, frame, used);
	free(frame);
	return r;
}
