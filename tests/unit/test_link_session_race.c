/*
 * The session: races over TCP and datagrams, begun here and by others, as a server of a test has them.
 */
#include "tests/unit/play_lane.h"

#include "common/err.h"
#include "common/lane.h"

#include <check.h>
#include <string.h>

/* ---- begun here ---- */

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
	while ((number = play_lane_sent(&m)) != 0) {
		if (number != MESSAGE_PROBE)
			continue;
		ck_assert_uint_eq(m.probe.padding.length, padding);
		m.probe.back = 1;
		play_lane_give(MESSAGE_PROBE, &m.probe);
	}
	return count;
}

START_TEST(test_race_with_the_server)
{
	play_race_start("", 10, 200);
	ck_assert_int_eq(play_race().stage, LINK_RACE_ASKING);
	play_lane_open(1);
	play_lane_pass(0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_ASKING);
	play_lane_give_pong();
	play_lane_pass(0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_RUNNING);
	/* A datagram of the size that was asked for: 33 bytes around, 8 of the frame, 19 of its own. */
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(send_back(0, 200 - 60), 1);
		ck_assert_int_le(link_session_deadline(play->s),
			play->now + (i < 9 ? RACE_EVERY_US : RACE_COPY_US));
		play_lane_pass(RACE_EVERY_US);
	}
	play_lane_pass(RACE_COPY_US);
	ck_assert_int_eq(play_race().stage, LINK_RACE_OVER);
	for (int way = 0; way < RACE_WAYS; way++) {
		ck_assert_uint_eq(play_race().scores[way].sent, 10);
		ck_assert_uint_eq(play_race().scores[way].arrived, 10);
	}
	link_session_race_stop(play->s);
	ck_assert_int_eq(play_race().stage, LINK_RACE_NONE);
}
END_TEST

/* Without tags the same size takes more padding; and the longest fits into the longest datagram. */
START_TEST(test_race_insecure)
{
	play_race_start("", 1, 65507);
	play_lane_open(0);
	play_lane_give_pong();
	play_lane_pass(0);
	ck_assert_uint_eq(send_back(0, PADDING_MAX), 1);
	play_race_start("", 1, 200);
	play_lane_pass(0);
	ck_assert_uint_eq(send_back(0, 200 - 44), 1);
	play_race_start("", 1, 1);
	play_lane_pass(0);
	ck_assert_uint_eq(send_back(0, 0), 1);
}
END_TEST

START_TEST(test_race_behind_a_firewall)
{
	union message m;

	play_race_start("", 3, 100);
	play_lane_open(1);
	for (int i = 0; i < 21; i++)
		play_lane_pass(100 * MS);
	ck_assert_int_eq(play_race().stage, LINK_RACE_RUNNING);
	for (int i = 0; i < 30; i++) {
		while (play_sent(play, &m) == MESSAGE_PROBE) {
			m.probe.back = 1;
			ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &m.probe), 0);
		}
		play_lane_pass(100 * MS);
	}
	ck_assert_int_eq(play_race().stage, LINK_RACE_OVER);
	ck_assert_uint_eq(play_race().scores[RACE_TCP].arrived, 3);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].arrived, 0);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].lost, 3);
	ck_assert_ptr_nonnull(strstr(play_race().why, "nothing came back by UDP"));
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

	play_race_start("ben", 5, 100);
	play_lane_open(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert(span_equal(m.race.nick, "ben"));
	ck_assert_uint_eq(m.race.count, 5);
	ck_assert_uint_eq(m.race.size, 100);
	play_lane_give_pong();
	play_lane_pass(0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_ASKING);
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_RUNNING);
	ck_assert_uint_eq(send_back(9, 40), 1);
	/* Another race's do not count. */
	struct msg_probe other = {.race = 8, .number = 0, .back = 1, .padding = span_of("")};
	play_lane_give(MESSAGE_PROBE, &other);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].arrived, 1);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].twice, 0);
	link_session_end(play->s);
	ck_assert_int_eq(play_race().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(play_race().why, "the connection broke");
}
END_TEST

START_TEST(test_nobody_accepts)
{
	union message m;
	struct msg_error error = {.code = CODE_NO_SUCH_PERSON, .text = span_of("who?")};

	play_race_start("ben", 5, 100);
	play_lane_open(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	play_lane_pass(6 * SECOND);
	ck_assert_int_eq(play_race().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(play_race().why, "their program does not answer");
	/* Too late. */
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_FAILED);
	EXPECT_SENT(play, MESSAGE_RACE_OVER, &m);
	ck_assert_uint_eq(m.race_over.race, 9);
	/* Nobody typed what that error is about. */
	error.tag = raced.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	play_race_start("ben", 5, 100);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	error.tag = m.race.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_str_eq(play_race().why, "who?");
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

	play_race_start("", 2, 100);
	play_lane_open(1);
	play_lane_give_pong();
	play_lane_pass(0);
	(void)send_back(0, 40);
	play_lane_pass(RACE_EVERY_US);
	(void)send_back(0, 40);
	play_lane_pass(RACE_COPY_US);
	ck_assert_int_eq(play_race().stage, LINK_RACE_OVER);
	ck_assert_str_eq(play_race().why, "");
	/* Now all vanish; then TCP answers. */
	play_race_start("", 2, 100);
	play_lane_pass(0);
	play_lane_pass(2 * SECOND);
	ck_assert_int_eq(play_race().lane, LINK_LANE_OPEN);
	ck_assert_str_eq(play_race().why, "");
	ck_assert_uint_eq(play_sent(play, &m), MESSAGE_PROBE);
	m.probe.back = 1;
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &m.probe), 0);
	ck_assert_ptr_nonnull(strstr(play_race().why, "nothing came back by UDP"));
	/* One comes, and the lane falls silent after it. */
	play_lane_give(MESSAGE_PROBE, &m.probe);
	for (int i = 0; i < 5; i++)
		play_lane_pass(15 * SECOND);
	ck_assert_int_eq(play_race().lane, LINK_LANE_SILENT);
	ck_assert_str_eq(play_race().why, "");
}
END_TEST

/* Once the datagram was there, a copy of it is counted, and nothing else. */
START_TEST(test_copy)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame f;
	union message m;
	size_t used;

	play_race_start("", 1, 100);
	play_lane_open(1);
	play_lane_give_pong();
	play_lane_pass(0);
	while (play_lane_sent(&m) != MESSAGE_PROBE)
		;
	m.probe.back = 1;
	ck_assert_int_eq(message_encode(MESSAGE_PROBE, &m.probe, bytes, sizeof(bytes), &used), 0);
	ck_assert_int_eq(frame_decode_datagram(bytes, used, FRAME_PAYLOAD_MAX, &f), 0);
	link_session_lane_copy(play->s, &f);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].arrived, 0);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].twice, 0);
	link_session_lane_input(play->s, &f, play->now);
	link_session_lane_copy(play->s, &f);
	link_session_lane_copy(play->s, &f);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].arrived, 1);
	ck_assert_uint_eq(play_race().scores[RACE_UDP].twice, 2);
}
END_TEST

/* What is shown, and told to whoever is raced, is what is sent. */
START_TEST(test_true_size)
{
	union message m;

	play_race_start("ben", 5, 1);
	play_lane_open(0);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 44);
	ck_assert_uint_eq(play_race().plan.size, 44);
	play_race_start("ben", 5, 65507);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 65491);
	play_race_start("ben", 5, 200);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	ck_assert_uint_eq(m.race.size, 200);
}
END_TEST

/* The lane turns out to be without tags, on a connection that has them: what fills the place of a tag is ours,
 * too. (It is the address sanitizer that tells.) */
START_TEST(test_no_tags_after_all)
{
	union message m;

	link_session_prove(play->s, (const uint8_t[IDENTITY_SIZE]){1});
	play_race_start("", 1, 1);
	play_lane_open(0);
	play_lane_give_pong();
	play_lane_pass(0);
	ck_assert_uint_eq(play_sent(play, &m), MESSAGE_PROBE);
	for (uint16_t i = 0; i < m.probe.padding.length; i++)
		ck_assert_int_eq(m.probe.padding.text[i], '.');
}
END_TEST

/* Whoever was raced has left: it ends, and what they did not answer is not lost. */
START_TEST(test_they_leave)
{
	union message m;
	struct msg_race_over over = {.race = 8, .code = CODE_QUIT};

	play_race_start("ben", 5, 100);
	play_lane_open(1);
	EXPECT_SENT(play, MESSAGE_RACE, &m);
	play_lane_give_pong();
	struct msg_raced raced = raced_by(m.race.tag, 9);
	ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
	play_lane_pass(RACE_EVERY_US);
	ck_assert_int_eq(play_give(play, MESSAGE_RACE_OVER, &over), 0); /* another one */
	ck_assert_int_eq(play_race().stage, LINK_RACE_RUNNING);
	over.race = 9;
	ck_assert_int_eq(play_give(play, MESSAGE_RACE_OVER, &over), 0);
	ck_assert_int_eq(play_race().stage, LINK_RACE_FAILED);
	ck_assert_str_eq(play_race().why, "ben has left, or their connection broke");
	play_lane_pass(20 * SECOND);
	ck_assert_uint_eq(play_race().scores[RACE_TCP].sent, 2);
	ck_assert_uint_eq(play_race().scores[RACE_TCP].lost, 0);
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
		play_race_start("ben", 1, 100);
		if (i == 0)
			play_lane_open(1);
		EXPECT_SENT(play, MESSAGE_RACE, &m);
		play_lane_give_pong();
		struct msg_raced raced = raced_by(m.race.tag, 9);
		ck_assert_int_eq(play_give(play, MESSAGE_RACED, &raced), 0);
		if (i == 0) {
			ck_assert_uint_eq(send_back(9, 40), 1);
			play_lane_pass(RACE_COPY_US);
			ck_assert_int_eq(play_race().stage, LINK_RACE_OVER);
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
	play_lane_open(1);
	play_lane_pass(0);
	EXPECT_NOTHING_SENT(play); /* the lane is tried first */
	play_lane_give_pong();
	play_lane_pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	ck_assert_uint_eq(m.race_accept.race, 9);
	done.tag = m.race_accept.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
	for (int i = 0; i < 2; i++) {
		probe.number = (uint32_t)i;
		ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
		play_lane_give(MESSAGE_PROBE, &probe);
		ck_assert_uint_eq(play_sent(play, &m), MESSAGE_PROBE);
		ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PROBE);
		ck_assert_uint_eq(m.probe.back, 1);
		ck_assert_uint_eq(m.probe.number, (uint32_t)i);
		ck_assert_uint_eq(m.probe.sent, 4);
		ck_assert_uint_eq(m.probe.padding.length, 3);
	}
	EXPECT_NOTHING_SENT(play);
	link_session_events(play->s, &play->events);
	play_expect_no_event(play);
}
END_TEST

/* Somebody who has agreed to two messages each way, and whose lane works. */
static void be_raced(void)
{
	union message m;

	ck_assert_int_eq(link_session_race_accept(play->s, 9, 2, play->now), 0);
	play_lane_open(1);
	play_lane_give_pong();
	play_lane_pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	struct msg_done done = {.tag = m.race_accept.tag};
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PING);
}

/* The server relays what it gets: of whoever sends more than was agreed on nothing more is to come. */
START_TEST(test_more_than_agreed)
{
	struct msg_probe probe = {.race = 9, .padding = span_of("...")};
	union message m;

	be_raced();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
		EXPECT_SENT(play, MESSAGE_PROBE, &m);
	}
	/* By the other way there may still come some. */
	play_lane_give(MESSAGE_PROBE, &probe);
	ck_assert_uint_eq(play_lane_sent(&m), MESSAGE_PROBE);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	EXPECT_SENT(play, MESSAGE_RACE_OVER, &m);
	ck_assert_uint_eq(m.race_over.race, 9);
	ck_assert_uint_eq(m.race_over.code, CODE_RACE_TOO_MUCH);
	ck_assert_int_eq(play_give(play, MESSAGE_PROBE, &probe), 0);
	play_lane_give(MESSAGE_PROBE, &probe);
	EXPECT_NOTHING_SENT(play);
	ck_assert_uint_eq(play_lane_sent(&m), 0);
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
	play_lane_open(1);
	play_lane_give_pong();
	play_lane_pass(0);
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
	play_lane_open(1);
	play_lane_give_pong();
	play_lane_pass(0);
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
	play_lane_pass(0);
	EXPECT_SENT(play, MESSAGE_RACE_ACCEPT, &m);
	struct msg_done done = {.tag = m.race_accept.tag};
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	ck_assert_int_eq(link_session_race_accept(play->s, 11, 5, play->now), ERR_EXISTS);
	play_lane_pass(30 * SECOND);
	ck_assert_int_eq(link_session_race_accept(play->s, 11, 5, play->now), 0);
}
END_TEST

Suite *link_session_race_suite(void)
{
	Suite *s = suite_create("link_session_race");
	TCase *t = tcase_create("race");

	tcase_add_checked_fixture(t, play_lane_setup, play_lane_teardown);
	tcase_add_test(t, test_race_with_the_server);
	tcase_add_test(t, test_race_insecure);
	tcase_add_test(t, test_race_behind_a_firewall);
	tcase_add_test(t, test_race_with_a_person);
	tcase_add_test(t, test_nobody_accepts);
	tcase_add_test(t, test_bad_plans);
	tcase_add_test(t, test_firewall_is_of_this_race);
	tcase_add_test(t, test_copy);
	tcase_add_test(t, test_true_size);
	tcase_add_test(t, test_no_tags_after_all);
	tcase_add_test(t, test_they_leave);
	tcase_add_test(t, test_tells_the_end);
	tcase_add_test(t, test_raced);
	tcase_add_test(t, test_more_than_agreed);
	tcase_add_test(t, test_no_echo_of_echoes);
	tcase_add_test(t, test_raced_by_two);
	suite_add_tcase(s, t);
	return s;
}
