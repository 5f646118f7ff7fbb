/*
 * The score of a race, of what a network may do to numbers: lose, delay, reorder and double them.
 */
#include "client/race.h"

#include <check.h>
#include <stdlib.h>

#define MS INT64_C(1000)

static struct race *race;
static struct race_score score;
static int64_t now;

static void setup(void)
{
	race = race_new(100);
	ck_assert_ptr_nonnull(race);
	now = 5000 * MS;
}

static void teardown(void)
{
	race_free(race);
}

/* Send `count` more, each when it is due. */
static void send_on(uint32_t count)
{
	while (count-- > 0) {
		if (race_due(race) > now)
			now = race_due(race);
		(void)race_next(race, now);
	}
}

static void look(enum race_way way)
{
	race_score(race, way, now, &score);
}

START_TEST(test_due)
{
	ck_assert_int_le(race_due(race), now);
	ck_assert_uint_eq(race_next(race, now), 0);
	ck_assert_int_eq(race_due(race), now + RACE_EVERY_US);
	ck_assert_uint_eq(race_next(race, now + RACE_EVERY_US + MS), 1);
	/* On time again... */
	ck_assert_int_eq(race_due(race), now + 2 * RACE_EVERY_US);
	/* ... but what was missed is not sent all at once. */
	now += 3000 * MS;
	ck_assert_uint_eq(race_next(race, now), 2);
	ck_assert_int_eq(race_due(race), now + RACE_EVERY_US);
	send_on(97);
	ck_assert_int_eq(race_due(race), INT64_MAX);
}
END_TEST

START_TEST(test_all_back)
{
	for (uint32_t i = 0; i < 100; i++) {
		send_on(1);
		race_back(race, RACE_TCP, i, now + (i + 1) * MS);
		if (i < 99)
			ck_assert_int_eq(race_end(race, now), INT64_MAX);
	}
	look(RACE_TCP);
	ck_assert_uint_eq(score.arrived, 100);
	ck_assert_uint_eq(score.lost + score.late + score.twice, 0);
	ck_assert_uint_eq(score.p50_us, 50 * MS);
	ck_assert_uint_eq(score.p99_us, 99 * MS);
	look(RACE_UDP);
	ck_assert_uint_eq(score.sent, 100);
	ck_assert_uint_eq(score.arrived + score.lost, 0);
	ck_assert_uint_eq(score.p50_us + score.p99_us, 0);
	/* The other way may still come, until it counts as lost. */
	ck_assert_int_eq(race_end(race, now), now + RACE_LOST_US);
	for (uint32_t i = 0; i < 100; i++)
		race_back(race, RACE_UDP, i, now + 200 * MS);
	/* And a copy of the last, for a moment. */
	ck_assert_int_eq(race_end(race, now), now + 200 * MS + RACE_COPY_US);
	ck_assert_int_eq(race_end(race, now + RACE_LOST_US), now + RACE_LOST_US);
}
END_TEST

START_TEST(test_lost)
{
	send_on(1);
	now += RACE_LOST_US - 1;
	look(RACE_UDP);
	ck_assert_uint_eq(score.lost, 0);
	now++;
	look(RACE_UDP);
	ck_assert_uint_eq(score.lost, 1);
	/* It was only very slow. */
	race_back(race, RACE_UDP, 0, now);
	look(RACE_UDP);
	ck_assert_uint_eq(score.lost, 0);
	ck_assert_uint_eq(score.p50_us, RACE_LOST_US);
}
END_TEST

/* TCP sends again, and takes as long as it takes. */
START_TEST(test_lost_by_tcp)
{
	send_on(100);
	for (uint32_t i = 0; i < 99; i++) {
		race_back(race, RACE_TCP, i, now);
		race_back(race, RACE_UDP, i, now);
	}
	ck_assert_int_eq(race_end(race, now), now + RACE_LOST_TCP_US);
	race_back(race, RACE_TCP, 99, now + RACE_LOST_US + 1);
	now += RACE_LOST_US + 1;
	look(RACE_TCP);
	ck_assert_uint_eq(score.arrived, 100);
	ck_assert_int_eq(race_end(race, now), now + RACE_COPY_US);
	now += RACE_COPY_US;
	ck_assert_int_eq(race_end(race, now), now);
	look(RACE_UDP);
	ck_assert_uint_eq(score.lost, 1);
}
END_TEST

START_TEST(test_late_and_twice)
{
	static const uint32_t order[] = {0, 2, 1, 3, 3, 5, 4, 4, 0, 6};

	send_on(7);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		race_back(race, RACE_UDP, order[i], now);
	look(RACE_UDP);
	ck_assert_uint_eq(score.arrived, 7);
	ck_assert_uint_eq(score.late, 2);  /* 1 and 4 */
	ck_assert_uint_eq(score.twice, 3); /* 3, 4 and 0 */
	/* What was never sent came from somebody else. */
	race_back(race, RACE_UDP, 7, now);
	race_back(race, RACE_UDP, 99, now);
	race_back(race, RACE_UDP, UINT32_MAX, now);
	look(RACE_UDP);
	ck_assert_uint_eq(score.arrived, 7);
}
END_TEST

/* A copy that the network made is told apart from an answer that was sent again. */
START_TEST(test_copies)
{
	send_on(3);
	race_back(race, RACE_UDP, 1, now);
	race_copy(race, RACE_UDP, 1);
	race_copy(race, RACE_UDP, 1);
	race_copy(race, RACE_UDP, 0); /* which is not back */
	race_copy(race, RACE_UDP, 3);
	race_copy(race, RACE_UDP, UINT32_MAX);
	look(RACE_UDP);
	ck_assert_uint_eq(score.arrived, 1);
	ck_assert_uint_eq(score.twice, 2);
}
END_TEST

/* What was under way when the race was cut short is not lost. */
START_TEST(test_cut)
{
	char text[200];

	send_on(1);
	now += RACE_LOST_US;
	send_on(4);
	race_back(race, RACE_UDP, 1, now);
	race_cut(race, now);
	now += 100 * RACE_LOST_TCP_US;
	race_cut(race, now);
	look(RACE_UDP);
	ck_assert_uint_eq(score.lost, 1);
	ck_assert_str_eq(race_print(&score, text, 60),
		"1 of 5 arrived, 1 lost, 3 not waited for, 0 late, 0 twice, ");
	look(RACE_TCP);
	ck_assert_uint_eq(score.lost, 0);
}
END_TEST

START_TEST(test_guest)
{
	ck_assert_uint_eq(race_guest_count(0), 1000);
	ck_assert_uint_eq(race_guest_count(16777), 1000);
	ck_assert_uint_eq(race_guest_count(16778), 999);
	ck_assert_uint_eq(race_guest_count(65507), 256);
}
END_TEST

START_TEST(test_marks)
{
	enum race_mark marks[200];

	send_on(50);
	for (uint32_t i = 0; i < 50; i++) {
		if (i != 20)
			race_back(race, RACE_UDP, i, now);
	}
	race_marks(race, RACE_UDP, now, marks, 10);
	ck_assert_int_eq(marks[0], RACE_MARK_BACK);
	ck_assert_int_eq(marks[2], RACE_MARK_WAIT);
	ck_assert_int_eq(marks[5], RACE_MARK_NONE);
	now += RACE_LOST_US;
	race_marks(race, RACE_UDP, now, marks, 10);
	ck_assert_int_eq(marks[1], RACE_MARK_BACK);
	ck_assert_int_eq(marks[2], RACE_MARK_LOST);
	ck_assert_int_eq(marks[4], RACE_MARK_BACK);
	/* More columns than numbers: each has some. */
	race_marks(race, RACE_UDP, now, marks, 200);
	ck_assert_int_eq(marks[39], RACE_MARK_BACK);
	ck_assert_int_eq(marks[40], RACE_MARK_LOST);
	ck_assert_int_eq(marks[41], RACE_MARK_LOST);
	ck_assert_int_eq(marks[42], RACE_MARK_BACK);
	ck_assert_int_eq(marks[100], RACE_MARK_NONE);
	ck_assert_int_eq(marks[199], RACE_MARK_NONE);
}
END_TEST

START_TEST(test_words)
{
	struct race_score s = {.count = 9,
		.sent = 9,
		.arrived = 7,
		.lost = 2,
		.late = 1,
		.twice = 3,
		.p50_us = 1234,
		.p99_us = 20000};
	char text[200];

	ck_assert_str_eq(race_print(&s, text, sizeof(text)),
		"7 of 9 arrived, 2 lost, 1 late, 3 twice, p50 1.2 ms, p99 20.0 ms");
	s = (struct race_score){.count = 9, .sent = 9, .lost = 9};
	ck_assert_str_eq(
		race_print(&s, text, sizeof(text)), "0 of 9 arrived, 9 lost, 0 late, 0 twice");
	(void)race_print(&s, text, 10);
	ck_assert_str_eq(text, "0 of 9 ar");
}
END_TEST

Suite *race_suite(void);
Suite *race_suite(void)
{
	Suite *s = suite_create("race");
	TCase *t = tcase_create("race");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_due);
	tcase_add_test(t, test_all_back);
	tcase_add_test(t, test_lost);
	tcase_add_test(t, test_lost_by_tcp);
	tcase_add_test(t, test_late_and_twice);
	tcase_add_test(t, test_copies);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_guest);
	tcase_add_test(t, test_marks);
	tcase_add_test(t, test_words);
	suite_add_tcase(s, t);
	return s;
}
