#include "tests/unit/play_lane.h"

#include <check.h>
#include <stdlib.h>

static struct link_bytes lane; /* what went into datagrams, from `lane_at` */
static size_t lane_at;

void play_lane_setup(void)
{
	play_setup();
	play->features = FEATURE_LANE;
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	event_list_fini(&play->events);
	lane = (struct link_bytes){0};
	lane_at = 0;
}

void play_lane_teardown(void)
{
	free(lane.bytes);
	play_teardown();
}

void play_lane_pass(int64_t us)
{
	play->now += us;
	link_session_heard(play->s, play->now);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
}

uint16_t play_lane_sent(union message *m)
{
	struct frame f;

	if (lane_at == lane.length) {
		lane_at = lane.length = 0;
		ck_assert_int_eq(link_session_lane_output(play->s, &lane), 0);
	}
	if (lane_at == lane.length)
		return 0;
	ck_assert_int_eq(frame_decode(lane.bytes + lane_at, lane.length - lane_at,
				 FRAME_PAYLOAD_MAX, &f, NULL),
		0);
	lane_at += FRAME_HEADER + f.length;
	ck_assert_int_eq(message_decode(&f, m), 0);
	return f.type;
}

void play_lane_give(enum message_number number, const void *value)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame f;
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, value, bytes, sizeof(bytes), &used), 0);
	ck_assert_int_eq(frame_decode_datagram(bytes, used, FRAME_PAYLOAD_MAX, &f), 0);
	link_session_lane_input(play->s, &f, play->now);
}

void play_lane_give_pong(void)
{
	struct msg_pong pong = {.token = 1};

	play_lane_give(MESSAGE_PONG, &pong);
}

void play_lane_open(uint8_t sealed)
{
	struct msg_lane m = {.lane = 77, .port = 4000, .sealed = sealed};
	struct lane_offer offer;
	union message asked;

	EXPECT_SENT(play, MESSAGE_LANE_OPEN, &asked);
	m.tag = asked.lane_open.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_LANE, &m), 0);
	ck_assert(link_session_lane_offer(play->s, &offer));
	ck_assert_uint_eq(offer.id, 77);
	ck_assert_uint_eq(offer.port, 4000);
	ck_assert(offer.sealed == (sealed != 0));
	ck_assert(!link_session_lane_offer(play->s, &offer));
	link_session_lane_ready(play->s, NULL, play->now);
}

struct link_race play_race(void)
{
	struct link_race r;

	(void)link_session_race_look(play->s, play->now, &r);
	return r;
}

void play_race_start(const char *nick, uint32_t count, uint16_t size)
{
	const struct link_race_plan plan = {.count = count, .size = size};

	ck_assert_int_eq(link_session_race(play->s, nick, &plan, play->now), 0);
}
