/*
 * The session: the datagram lane, what is said over it, and races, as a server of a test has them.
 */
#include "tests/unit/play.h"

#include "client/race.h"
#include "common/err.h"
#include "common/lane.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000)

static struct link_bytes lane; /* what went into datagrams, from `lane_at` */
static size_t lane_at;

static void setup(void)
{
	play_setup();
	play->features = FEATURE_LANE;
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	event_list_fini(&play->events);
	lane = (struct link_bytes){0};
	lane_at = 0;
}

static void teardown(void)
{
	free(lane.bytes);
	play_teardown();
}

static void pass(int64_t us)
{
	play->now += us;
	link_session_heard(play->s, play->now);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
}

/* The next frame for a datagram; 0: there is none. */
static uint16_t tossed_out(union message *m)
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

/* A datagram of the server's. */
static void give(enum message_number number, const void *value)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame f;
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, value, bytes, sizeof(bytes), &used), 0);
	ck_assert_int_eq(frame_decode_datagram(bytes, used, FRAME_PAYLOAD_MAX, &f), 0);
	link_session_lane_input(play->s, &f, play->now);
}

static void give_pong(void)
{
	struct msg_pong pong = {.token = 1};

	give(MESSAGE_PONG, &pong);
}

/* The session asks for a lane, and is given one. */
static void give_lane(uint8_t sealed)
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

static struct link_race look(void)
{
	struct link_race r;

	(void)link_session_race_look(play->s, play->now, &r);
	return r;
}

static void start(const char *nick, uint32_t count, uint16_t size)
{
	const struct link_race_plan plan = {.count = count, .size = size};

	ck_assert_int_eq(link_session_race(play->s, nick, &plan, play->now), 0);
}

/* ---- what is said ---- */

START_TEST(test_toss)
{
	union message m;

	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), 0);
	/* It waits for the lane, and no longer. */
	ck_assert_uint_eq(tossed_out(&m), 0);
	give_lane(1);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_TOSS);
	ck_assert(span_equal(m.toss.room, "lobby"));
	ck_assert(span_equal(m.toss.text, "hi"));
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PING);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "again", play->now), 0);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_TOSS);
	EXPECT_NOTHING_SENT(play);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);
}
END_TEST

START_TEST(test_toss_that_cannot_be)
{
	static char many[TEXT_MAX + 2];

	memset(many, 'x', sizeof(many) - 1);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "", play->now), ERR_TOO_BIG);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", many, play->now), ERR_TOO_BIG);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "a\nb", play->now), ERR_TEXT);
	ck_assert_int_eq(link_session_toss(play->s, "", "x", play->now), ERR_TEXT);
	EXPECT_NOTHING_SENT(play);
	/* What waits is bounded. */
	int r = 0;
	for (int i = 0; i < 1000 && r == 0; i++)
		r = link_session_toss(play->s, "lobby", many + 2, play->now);
	ck_assert_int_eq(r, ERR_FULL);
	link_session_end(play->s);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "x", play->now), ERR_CLOSED);
}
END_TEST

START_TEST(test_tossed)
{
	struct msg_tossed m = {.time = 5,
		.person = {3},
		.kind = SAID_ACTION,
		.nick = span_of("ben"),
		.room = span_of("lobby"),
		.text = span_of("waves")};

	/* Over TCP, where there is no lane. */
	ck_assert_int_eq(play_give(play, MESSAGE_TOSSED, &m), 0);
	for (int i = 0; i < 2; i++) {
		const struct event *e = play_expect(play, EVENT_TOSSED);
		ck_assert_str_eq(e->room, "lobby");
		ck_assert_str_eq(e->nick, "ben");
		ck_assert_str_eq(e->text, "waves");
		ck_assert_int_eq(e->kind, SAID_ACTION);
		ck_assert_uint_eq(e->time, 5);
		ck_assert_uint_eq(e->person[0], 3);
		if (i == 1)
			break;
		ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), 0);
		give_lane(1);
		give(MESSAGE_TOSSED, &m);
		link_session_events(play->s, &play->events);
	}
	/* Nowhere that we are. */
	m.room = span_of("elsewhere");
	give(MESSAGE_TOSSED, &m);
	link_session_events(play->s, &play->events);
	play_expect_no_event(play);
}
END_TEST

/* Nobody is told what nobody asked for; and over TCP a server may not say what belongs elsewhere. */
START_TEST(test_unasked)
{
	struct msg_lane offer = {.tag = 9, .lane = 77, .port = 4000, .sealed = 1};
	struct msg_raced raced = {.tag = 9, .race = 1, .nick = span_of("ben"), .count = 1};
	struct msg_probe probe = {.race = 5, .padding = span_of("")};
	struct msg_toss toss = {.room = span_of("lobby"), .text = span_of("x")};
	struct lane_offer taken;

	ck_assert_int_eq(play_give(play, MESSAGE_LANE, &offer), 0);
	ck_assert(!link_session_lane_offer(play->s, &taken));
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	probe.back = 1;
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_NOTHING_SENT(play);
	play_expect_no_event(play);
	ck_assert_int_eq(play_give(play, MESSAGE_TOSS, &toss), ERR_PROTOCOL);
}
END_TEST

/* ---- the lane ---- */

START_TEST(test_tried)
{
	union message m;
	int pings = 0;

	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), 0);
	give_lane(1);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_TOSS);
	for (int i = 0; i < 20; i++) {
		while (tossed_out(&m) == MESSAGE_PING)
			pings++;
		pass(100 * MS);
	}
	ck_assert_int_eq(pings, 5);
	/* Nothing came back: the owner is told, as something was said. */
	link_session_events(play->s, &play->events);
	ck_assert_ptr_nonnull(strstr(play_expect(play, EVENT_LANE)->text, "firewall"));
	/* It is still tried now and then, and as good as any other when something comes. */
	pass(15 * SECOND);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PING);
	start("", 1, 100);
	ck_assert_int_eq(look().lane, LINK_LANE_SILENT);
	give_pong();
	ck_assert_int_eq(look().lane, LINK_LANE_OPEN);
	ck_assert_str_eq(look().why, "");
}
END_TEST

/* What the server asks is answered, and asked back until it answers. */
START_TEST(test_asked)
{
	struct msg_ping ping = {.token = 99};
	union message m;

	start("", 1, 100);
	give_lane(1);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PING);
	give(MESSAGE_PING, &ping);
	ck_assert_int_eq(look().lane, LINK_LANE_OPENING);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PONG);
	ck_assert_uint_eq(m.pong.token, 99);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PING);
	ck_assert_uint_eq(tossed_out(&m), 0);
	give_pong();
	ck_assert_int_eq(look().lane, LINK_LANE_OPEN);
	give(MESSAGE_PING, &ping);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PONG);
	ck_assert_uint_eq(tossed_out(&m), 0);
	/* A sign of life every 15 seconds; and when nothing comes back any more, it is silent. */
	pass(15 * SECOND);
	while (tossed_out(&m) == MESSAGE_PROBE)
		;
	ck_assert_int_eq(look().lane, LINK_LANE_OPEN);
	pass(15 * SECOND);
	pass(15 * SECOND);
	pass(15 * SECOND);
	ck_assert_int_eq(look().lane, LINK_LANE_SILENT);
}
END_TEST

START_TEST(test_refused)
{
	union message m;
	struct msg_error error = {.code = CODE_NO_LANE, .text = span_of("no lane today")};

	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), 0);
	EXPECT_SENT(play, MESSAGE_LANE_OPEN, &m);
	error.tag = m.lane_open.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_str_eq(play_expect(play, EVENT_LANE)->text, "no lane today");
	play_expect_no_event(play);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), ERR_REFUSED);
}
END_TEST

START_TEST(test_no_feature)
{
	const struct link_race_plan plan = {.count = 1};

	teardown();
	play_setup();
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), ERR_REFUSED);
	ck_assert_int_eq(link_session_race(play->s, "", &plan, play->now), ERR_REFUSED);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* ---- races ---- */

/* What went out of a race of `count` since the last look; all of it comes back. */
static uint32_t send_back(uint32_t race, size_t padding)
{
	union message m;
	uint32_t count = 0;

	while (play_sent(play, &m) == MESSAGE_PROBE) {
		ck_assert_uint_eq(m.probe.race, race);
		ck_assert_uint_eq(m.probe.back, 0);
		ck_assert_uint_eq(m.probe.padding.length, padding);
		m.probe.back = 1;
		ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &m.probe), 0);
		count++;
	}
	uint16_t number;
	while ((number = tossed_out(&m)) != 0) {
		if (number != MESSAGE_PROBE)
			continue;
		ck_assert_uint_eq(m.probe.padding.length, padding);
		m.probe.back = 1;
		give(MESSAGE_PROBE, &m.probe);
	}
	return count;
}

START_TEST(test_race_with_the_server)
{
	start("", 10, 200);
	ck_assert_int_eq(look().stage, LINK_RACE_ASKING);
	give_lane(1);
	pass(0);
	ck_assert_int_eq(look().stage, LINK_RACE_ASKING);
	give_pong();
	pass(0);
	ck_assert_int_eq(look().stage, LINK_RACE_RUNNING);
	/* A datagram of the size that was asked for: 33 bytes around, 8 of the frame, 19 of its own. */
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(send_back(0, 200 - 60), 1);
		ck_assert_int_le(link_session_deadline(play->s),
			play->now + (i < 9 ? RACE_EVERY_US : RACE_COPY_US));
		pass(RACE_EVERY_US);
	}
	pass(RACE_COPY_US);
	ck_assert_int_eq(look().stage, LINK_RACE_OVER);
	for (int way = 0; way < RACE_WAYS; way++) {
		ck_assert_uint_eq(look().scores[way].sent, 10);
		ck_assert_uint_eq(look().scores[way].arrived, 10);
	}
	link_session_race_stop(play->s);
	ck_assert_int_eq(look().stage, LINK_RACE_NONE);
}
END_TEST

/* Without tags the same size takes more padding; and the longest fits into the longest datagram. */
START_TEST(test_race_insecure)
{
	start("", 1, 65507);
	give_lane(0);
	give_pong();
	pass(0);
	ck_assert_uint_eq(send_back(0, PADDING_MAX), 1);
	start("", 1, 200);
	pass(0);
	ck_assert_uint_eq(send_back(0, 200 - 44), 1);
	start("", 1, 1);
	pass(0);
	ck_assert_uint_eq(send_back(0, 0), 1);
}
END_TEST

START_TEST(test_race_behind_a_firewall)
{
	union message m;

	start("", 3, 100);
	give_lane(1);
	for (int i = 0; i < 21; i++)
		pass(100 * MS);
	ck_assert_int_eq(look().stage, LINK_RACE_RUNNING);
	for (int i = 0; i < 30; i++) {
		while (play_sent(play, &m) == MESSAGE_PROBE) {
			m.probe.back = 1;
			ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &m.probe), 0);
		}
		pass(100 * MS);
	}
	ck_assert_int_eq(look().stage, LINK_RACE_OVER);
	ck_assert_uint_eq(look().scores[RACE_TCP].arrived, 3);
	ck_assert_uint_eq(look().scores[RACE_UDP].arrived, 0);
	ck_assert_uint_eq(look().scores[RACE_UDP].lost, 3);
	ck_assert_ptr_nonnull(strstr(look().why, "nothing came back by UDP"));
}
END_TEST

static struct msg_raced raced_by(uint32_t tag, uint32_t race)
{
	return (struct msg_raced){.tag = tag,
		.race = race,
		.person = {3},
		.nick = span_of("ben"),
		.count = 5,
		.size = 100};
}

START_TEST(test_race_with_a_person)
{
	union message m;

	start("ben", 5, 100);
	give_lane(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert(span_equal(m.race.nick, "ben"));
	ck_assert_uint_eq(m.race.count, 5);
	ck_assert_uint_eq(m.race.size, 100);
	give_pong();
	pass(0);
	ck_assert_int_eq(look().stage, LINK_RACE_ASKING);
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(look().stage, LINK_RACE_RUNNING);
	ck_assert_uint_eq(send_back(9, 40), 1);
	/* Another race's do not count. */
	struct msg_probe other = {.race = 8, .number = 0, .back = 1, .padding = span_of("")};
	give(MESSAGE_PROBE, &other);
	ck_assert_uint_eq(look().scores[RACE_UDP].arrived, 1);
	ck_assert_uint_eq(look().scores[RACE_UDP].twice, 0);
	link_session_end(play->s);
	ck_assert_int_eq(look().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(look().why, "the connection broke");
}
END_TEST

START_TEST(test_nobody_accepts)
{
	union message m;
	struct msg_error error = {.code = CODE_NO_SUCH_PERSON, .text = span_of("who?")};

	start("ben", 5, 100);
	give_lane(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	pass(6 * SECOND);
	ck_assert_int_eq(look().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(look().why, "their program does not answer");
	/* Too late. */
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(look().stage, LINK_RACE_FAILED);
	EXPECT_SENT(play, MESSAGE_RACE_OVER, &m);
	ck_assert_uint_eq(m.race_over.race, 9);
	/* Nobody typed what that error is about. */
	error.tag = raced.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	start("ben", 5, 100);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	error.tag = m.race.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_str_eq(look().why, "who?");
	link_session_events(play->s, &play->events);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_bad_plans)
{
	const struct link_race_plan none = {.count = 0}, many = {.count = RACE_COUNT_MOST + 1},
				    long_ones = {.count = 1, .size = LANE_MAX + 1},
				    good = {.count = 1};

	ck_assert_int_eq(link_session_race(play->s, "", &none, play->now), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_race(play->s, "", &many, play->now), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_race(play->s, "", &long_ones, play->now), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_race(play->s, "a b", &good, play->now), ERR_TEXT);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* The firewall's fault is told of this race alone: not where some came back, nor where TCP does not
 * answer either; and a lane that worked before is no proof. */
START_TEST(test_firewall_is_of_this_race)
{
	union message m;

	start("", 2, 100);
	give_lane(1);
	give_pong();
	pass(0);
	(void)send_back(0, 40);
	pass(RACE_EVERY_US);
	(void)send_back(0, 40);
	pass(RACE_COPY_US);
	ck_assert_int_eq(look().stage, LINK_RACE_OVER);
	ck_assert_str_eq(look().why, "");
	/* Now all vanish; then TCP answers. */
	start("", 2, 100);
	pass(0);
	pass(2 * SECOND);
	ck_assert_int_eq(look().lane, LINK_LANE_OPEN);
	ck_assert_str_eq(look().why, "");
	ck_assert_uint_eq(play_sent(play, &m), MESSAGE_PROBE);
	m.probe.back = 1;
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &m.probe), 0);
	ck_assert_ptr_nonnull(strstr(look().why, "nothing came back by UDP"));
	/* One comes, and the lane falls silent after it. */
	give(MESSAGE_PROBE, &m.probe);
	for (int i = 0; i < 5; i++)
		pass(15 * SECOND);
	ck_assert_int_eq(look().lane, LINK_LANE_SILENT);
	ck_assert_str_eq(look().why, "");
}
END_TEST

/* Once the datagram was there, a copy of it is counted, and nothing else. */
START_TEST(test_copy)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame f;
	union message m;
	size_t used;

	start("", 1, 100);
	give_lane(1);
	give_pong();
	pass(0);
	while (tossed_out(&m) != MESSAGE_PROBE)
		;
	m.probe.back = 1;
	ck_assert_int_eq(message_encode(MESSAGE_PROBE, &m.probe, bytes, sizeof(bytes), &used), 0);
	ck_assert_int_eq(frame_decode_datagram(bytes, used, FRAME_PAYLOAD_MAX, &f), 0);
	link_session_lane_copy(play->s, &f);
	ck_assert_uint_eq(look().scores[RACE_UDP].arrived, 0);
	ck_assert_uint_eq(look().scores[RACE_UDP].twice, 0);
	link_session_lane_input(play->s, &f, play->now);
	link_session_lane_copy(play->s, &f);
	link_session_lane_copy(play->s, &f);
	ck_assert_uint_eq(look().scores[RACE_UDP].arrived, 1);
	ck_assert_uint_eq(look().scores[RACE_UDP].twice, 2);
}
END_TEST

/* What is shown, and told to whoever is raced, is what is sent. */
START_TEST(test_true_size)
{
	union message m;

	start("ben", 5, 1);
	give_lane(0);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 44);
	ck_assert_uint_eq(look().plan.size, 44);
	start("ben", 5, 65507);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 65491);
	start("ben", 5, 200);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 200);
}
END_TEST

/* Whoever was raced has left: it ends, and what they did not answer is not lost. */
START_TEST(test_they_leave)
{
	union message m;
	struct msg_race_over over = {.race = 8, .code = CODE_QUIT};

	start("ben", 5, 100);
	give_lane(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	give_pong();
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	pass(RACE_EVERY_US);
	ck_assert_int_eq(play_give(play, MESSAGE_RACE_OVER, &over), 0); /* another one */
	ck_assert_int_eq(look().stage, LINK_RACE_RUNNING);
	over.race = 9;
	ck_assert_int_eq(play_give(play, MESSAGE_RACE_OVER, &over), 0);
	ck_assert_int_eq(look().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(look().why, "ben has left, or their connection broke");
	pass(20 * SECOND);
	ck_assert_uint_eq(look().scores[RACE_TCP].sent, 2);
	ck_assert_uint_eq(look().scores[RACE_TCP].lost, 0);
	/* They know that it is over. */
	while (play_sent(play, &m) == MESSAGE_PROBE)
		;
	link_session_race_stop(play->s);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* Whoever is raced is told the end, however it comes. */
START_TEST(test_tells_the_end)
{
	union message m;

	for (int i = 0; i < 2; i++) {
		start("ben", 1, 100);
		if (i == 0)
			give_lane(1);
		EXPECT_SENT(play, MESSAGE_RACE, &m);
		give_pong();
		struct msg_raced raced = raced_by(m.race.tag, 9);
		ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
		if (i == 0) {
			ck_assert_uint_eq(send_back(9, 40), 1);
			pass(RACE_COPY_US);
			ck_assert_int_eq(look().stage, LINK_RACE_OVER);
		} else {
			ck_assert_uint_eq(play_sent(play, &m), MESSAGE_PROBE);
			link_session_race_stop(play->s);
		}
		EXPECT_SENT(play, MESSAGE_RACE_OVER, &m);
		ck_assert_uint_eq(m.race_over.race, 9);
		ck_assert_uint_eq(m.race_over.code, CODE_NONE);
	}
}
END_TEST

/* ---- being raced ---- */

START_TEST(test_raced)
{
	struct msg_raced raced = raced_by(0, 9);
	struct msg_probe probe = {.race = 9, .sent = 4, .padding = span_of("...")};
	struct msg_done done;
	union message m;

	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	const struct event *e = play_expect(play, EVENT_RACED);
	ck_assert_str_eq(e->nick, "ben");
	ck_assert_uint_eq(e->number, 9);
	ck_assert_uint_eq(e->read, 5);
	ck_assert_uint_eq(e->code, 100);
	/* Nothing is sent back before it was accepted. */
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_race_accept(play->s, 9, 2, play->now), 0);
	give_lane(1);
	pass(0);
	EXPECT_NOTHING_SENT(play); /* the lane is tried first */
	give_pong();
	pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	ck_assert_uint_eq(m.race_accept.race, 9);
	done.tag = m.race_accept.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	ck_assert_uint_eq(tossed_out(&m), MESSAGE_PING);
	for (int i = 0; i < 3; i++) {
		probe.number = (uint32_t)i;
		ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
		give(MESSAGE_PROBE, &probe);
		/* As many as were agreed to, by each way. */
		ck_assert_uint_eq(play_sent(play, &m), i < 2 ? MESSAGE_PROBE : 0);
		uint16_t number = tossed_out(&m);
		ck_assert_uint_eq(number, i < 2 ? MESSAGE_PROBE : 0);
		if (i == 2)
			break;
		ck_assert_uint_eq(m.probe.back, 1);
		ck_assert_uint_eq(m.probe.number, (uint32_t)i);
		ck_assert_uint_eq(m.probe.sent, 4);
		ck_assert_uint_eq(m.probe.padding.length, 3);
	}
	link_session_events(play->s, &play->events);
	play_expect_no_event(play);
}
END_TEST

/* No loop: what came back is not sent back again, by whichever race. */
START_TEST(test_no_echo_of_echoes)
{
	struct msg_raced raced = raced_by(0, 9);
	struct msg_probe probe = {.race = 9, .back = 1, .padding = span_of("")};
	union message m;

	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(link_session_race_accept(play->s, 9, 5, play->now), 0);
	give_lane(1);
	give_pong();
	pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	probe.race = 0;
	probe.back = 0;
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_NOTHING_SENT(play);
	/* With the connection it ends. */
	link_session_end(play->s);
	ck_assert_int_eq(link_session_race_accept(play->s, 9, 5, play->now), ERR_CLOSED);
}
END_TEST

/* A second race does not take the place of the first one, nor does an error that nobody caused here
 * show up. */
START_TEST(test_raced_by_two)
{
	struct msg_probe probe = {.race = 9, .padding = span_of("")};
	struct msg_error error = {.code = CODE_BAD_VALUE, .text = span_of("")};
	struct msg_race_over over = {.race = 9};
	union message m;

	ck_assert_int_eq(link_session_race_accept(play->s, 9, 5, play->now), 0);
	ck_assert_int_eq(link_session_race_accept(play->s, 10, 5, play->now), ERR_EXISTS);
	give_lane(1);
	give_pong();
	pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	error.tag = m.race_accept.tag;
	ck_assert_int_eq(link_session_race_accept(play->s, 10, 5, play->now), ERR_EXISTS);
	ck_assert_int_eq(link_session_race_refuse(play->s, 10, CODE_RACING), 0);
	EXPECT_SENT(play, MESSAGE_RACE_OVER, &m);
	ck_assert_uint_eq(m.race_over.race, 10);
	ck_assert_uint_eq(m.race_over.code, CODE_RACING);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_SENT(play, MESSAGE_PROBE, &m);
	/* The first is over, and only then was it refused. */
	ck_assert_int_eq(play_give(play, MESSAGE_RACE_OVER, &over), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	link_session_events(play->s, &play->events);
	play_expect_no_event(play);
	ck_assert_int_eq(link_session_race_accept(play->s, 10, 5, play->now), 0);
	/* One of which nothing comes any more stands in nobody's way. */
	pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	struct msg_done done = {.tag = m.race_accept.tag};
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	ck_assert_int_eq(link_session_race_accept(play->s, 11, 5, play->now), ERR_EXISTS);
	pass(30 * SECOND);
	ck_assert_int_eq(link_session_race_accept(play->s, 11, 5, play->now), 0);
}
END_TEST

Suite *link_session_lane_suite(void);
Suite *link_session_lane_suite(void)
{
	Suite *s = suite_create("link_session_lane");
	TCase *t = tcase_create("lane");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_toss);
	tcase_add_test(t, test_toss_that_cannot_be);
	tcase_add_test(t, test_tossed);
	tcase_add_test(t, test_unasked);
	tcase_add_test(t, test_tried);
	tcase_add_test(t, test_asked);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_no_feature);
	tcase_add_test(t, test_race_with_the_server);
	tcase_add_test(t, test_race_insecure);
	tcase_add_test(t, test_race_behind_a_firewall);
	tcase_add_test(t, test_race_with_a_person);
	tcase_add_test(t, test_nobody_accepts);
	tcase_add_test(t, test_bad_plans);
	tcase_add_test(t, test_raced);
	tcase_add_test(t, test_no_echo_of_echoes);
	tcase_add_test(t, test_firewall_is_of_this_race);
	tcase_add_test(t, test_copy);
	tcase_add_test(t, test_true_size);
	tcase_add_test(t, test_they_leave);
	tcase_add_test(t, test_tells_the_end);
	tcase_add_test(t, test_raced_by_two);
	suite_add_tcase(s, t);
	return s;
}
