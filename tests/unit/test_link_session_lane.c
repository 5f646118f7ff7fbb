/*
 * The session: the datagram lane, and what is said over it, as a server of a test has them.
 */
#include "tests/unit/play_lane.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

/* ---- what is said ---- */

START_TEST(test_toss)
{
	union message m;

	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), 0);
	/* It waits for the lane, and no longer. */
	ck_assert_uint_eq(play_lane_sent(&m), 0);
	play_lane_open(1);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_TOSS);
	ck_assert(span_equal(m.toss.room, "lobby"));
	ck_assert(span_equal(m.toss.text, "hi"));
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "again", play->now), 0);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_TOSS);
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
		play_lane_open(1);
		play_lane_give(MESSAGE_TOSSED, &m);
		link_session_events(play->s, &play->events);
	}
	/* Nowhere that we are. */
	m.room = span_of("elsewhere");
	play_lane_give(MESSAGE_TOSSED, &m);
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
	play_lane_open(1);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_TOSS);
	for (int i = 0; i < 20; i++) {
		while (play_lane_sent(&m) == MESSAGE_PING)
			pings++;
		play_lane_pass(100 * MS);
	}
	ck_assert_int_eq(pings, 5);
	/* Nothing came back: the owner is told, as something was said. */
	link_session_events(play->s, &play->events);
	ck_assert_ptr_nonnull(strstr(play_expect(play, EVENT_LANE)->text, "firewall"));
	/* It is still tried now and then, and as good as any other when something comes. */
	play_lane_pass(15 * SECOND);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
	play_race_start("", 1, 100);
	ck_assert_int_eq(play_race().lane, LINK_LANE_SILENT);
	play_lane_give_pong();
	ck_assert_int_eq(play_race().lane, LINK_LANE_OPEN);
	ck_assert_str_eq(play_race().why, "");
}
END_TEST

/* What the server asks is answered, and asked back until it answers. */
START_TEST(test_asked)
{
	struct msg_ping ping = {.token = 99};
	union message m;

	play_race_start("", 1, 100);
	play_lane_open(1);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
	play_lane_give(MESSAGE_PING, &ping);
	ck_assert_int_eq(play_race().lane, LINK_LANE_OPENING);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PONG);
	ck_assert_uint_eq(m.pong.token, 99);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
	ck_assert_uint_eq(play_lane_sent(&m), 0);
	play_lane_give_pong();
	ck_assert_int_eq(play_race().lane, LINK_LANE_OPEN);
	play_lane_give(MESSAGE_PING, &ping);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PONG);
	ck_assert_uint_eq(play_lane_sent(&m), 0);
	/* A sign of life every 15 seconds; and when nothing comes back any more, it is silent. */
	play_lane_pass(15 * SECOND);
	while (play_lane_sent(&m) == MESSAGE_PROBE)
		;
	ck_assert_int_eq(play_race().lane, LINK_LANE_OPEN);
	play_lane_pass(15 * SECOND);
	play_lane_pass(15 * SECOND);
	play_lane_pass(15 * SECOND);
	ck_assert_int_eq(play_race().lane, LINK_LANE_SILENT);
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

	play_lane_teardown();
	play_setup();
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_toss(play->s, "lobby", "hi", play->now), ERR_REFUSED);
	ck_assert_int_eq(link_session_race(play->s, "", &plan, play->now), ERR_REFUSED);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

Suite *link_session_lane_suite(void)
{
	Suite *s = suite_create("link_session_lane");
	TCase *t = tcase_create("lane");

	tcase_add_checked_fixture(t, play_lane_setup, play_lane_teardown);
	tcase_add_test(t, test_toss);
	tcase_add_test(t, test_toss_that_cannot_be);
	tcase_add_test(t, test_tossed);
	tcase_add_test(t, test_unasked);
	tcase_add_test(t, test_tried);
	tcase_add_test(t, test_asked);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_no_feature);
	suite_add_tcase(s, t);
	return s;
}
