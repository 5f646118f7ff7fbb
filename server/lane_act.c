/*
 * What datagrams say, and what is done about it: echoes, the messages of a race, and what
 * is said without acknowledgement. On the lanes' thread.
 */
#include "server/lanes.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/chat.h"
#include "server/rules.h"

#include <stdlib.h>
#include <string.h>

/* The longest TOSSED. */
#define TOSSED_MAX (FRAME_HEADER + 8 + PERSON_ID + 1 + 3 * 2 + NICK_MAX + ROOM_NAME_MAX + TEXT_MAX)

/* ---- races ---- */

/* The same bytes go on, with the flag that says which way. */
static void probe(struct lanes *l, const struct lane_client *c, const struct frame *f,
	const struct msg_probe *m)
{
	const uint8_t *frame = f->payload - FRAME_HEADER;
	size_t length = FRAME_HEADER + (size_t)f->length;

	if (m->race == 0) {
		uint8_t *echo = malloc(length);
		struct msg_probe answer = *m;
		size_t used = 0;

		answer.back = 1;
		if (m->back || !echo ||
			message_encode(MESSAGE_PROBE, &answer, echo, length, &used) != 0 ||
			!lanes_send(l, c->outlet, echo, used))
			lanes_dropped(l);
		free(echo);
		return;
	}
	struct outlet *other = races_other(
		lanes_races(l), m->race, c->outlet, m->back != 0, m->number, clock_ms());
	if (!other || !lanes_send(l, other, frame, length))
		lanes_dropped(l);
	outlet_unref(other);
}

/* ---- what is said ---- */

/* May it be said, as far as the room is concerned? As for any other message. */
static bool may_speak(
	struct chat *chat, struct room *room, const uint8_t *person, const uint8_t *proven)
{
	struct charter server = {0}, own = {0};
	bool may = false;

	if (chat_charter(chat, &server) == 0 && chat_room_charter(chat, room, &own) == 0) {
		const struct rules rules = {
			.server = &server,
			.room = &own,
			.common = stream_key_is_common(feed_key(room_feed(room))),
		};
		may = rules_speak(&rules, proven, clock_wall_us()) == CODE_NONE;
		/* In slow mode it takes the person's turn. */
		if (may && room_is_slow(room) && rules_rank(&rules, proven) == RANK_NONE)
			may = room_turn_in(room, person, clock_ms()) == 0;
	}
	charter_fini(&server);
	charter_fini(&own);
	return may;
}

/* To everybody in the room but the sender: by the lanes of those who have one, to the others over TCP,
 * and where that is full it is lost as well. */
static void tell_room(struct lanes *l, const struct lane_client *c, struct feed *f,
	const uint8_t *frame, size_t length)
{
	struct member *m;

	for (size_t at = SIZE_MAX; (m = feed_member_before(f, &at)) != NULL; member_unref(m)) {
		struct outlet *o = m->outlet;

		if (o == c->outlet || !o->peer.lane || lanes_send(l, o, frame, length))
			continue;
		if (outlet_reply_spare(o, frame, length) == 0)
			outlet_push(o);
		else
			lanes_dropped(l);
	}
}

static void toss(
	struct lanes *l, struct chat *chat, const struct lane_client *c, const struct msg_toss *m)
{
	uint8_t frame[TOSSED_MAX];
	struct stream_key key;
	struct room *room = NULL;
	const uint8_t *person = c->outlet->peer.person;
	size_t used = 0;

	if (m->kind < SAID_TOPIC && m->text.length <= c->text_max &&
		stream_key_room(m->room.text, m->room.length, &key) == 0 &&
		outlet_is_in(c->outlet, &key))
		room = hub_find(chat_hub(chat), &key);
	if (!room || !may_speak(chat, room, person, c->proven ? person : NULL)) {
		room_unref(room);
		lanes_dropped(l);
		return;
	}
	struct msg_tossed tossed = {
		.time = clock_wall_us(),
		.kind = m->kind,
		.nick = span_of(c->nick),
		.room = span_of(room_name(room)),
		.text = m->text,
	};
	memcpy(tossed.person, person, PERSON_ID);
	if (message_encode(MESSAGE_TOSSED, &tossed, frame, sizeof(frame), &used) == 0)
		tell_room(l, c, room_feed(room), frame, used);
	room_unref(room);
}

void lane_act(struct lanes *l, struct chat *chat, const struct lane_client *client,
	const struct frame *f, union message *m)
{
	if (f->type == MESSAGE_PROBE)
		probe(l, client, f, &m->probe);
	else if (f->type == MESSAGE_TOSS)
		toss(l, chat, client, &m->toss);
}
