/*
 * The clocks, and what they make of a deadline.
 */
#include "common/clock.h"

#include <check.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

START_TEST(units_agree)
{
	int64_t ms = clock_ms();
	int64_t us = clock_us();

	ck_assert_int_ge(us / 1000, ms);
	ck_assert_int_lt(us / 1000, ms + 1000);
}
END_TEST

START_TEST(monotonic)
{
	int64_t before = clock_us();

	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_us();
		ck_assert_int_ge(now, before);
		before = now;
	}
}
END_TEST

START_TEST(wall_clock_is_that_of_time)
{
	uint64_t before = (uint64_t)time(NULL);
	uint64_t now = clock_wall_us() / 1000000;
	uint64_t after = (uint64_t)time(NULL);

	/* time(2) may read a coarser clock that is a tick behind. */
	ck_assert_uint_ge(now, before);
	ck_assert_uint_le(now, after + 1);
}
END_TEST

START_TEST(timeouts)
{
	int64_t now = clock_ms();

	ck_assert_int_eq(clock_poll_timeout(INT64_MAX), -1);
	ck_assert_int_eq(clock_poll_timeout(now), 0);
	ck_assert_int_eq(clock_poll_timeout(now - 100000), 0);
	ck_assert_int_eq(clock_poll_timeout(0), 0);
	ck_assert_int_eq(clock_poll_timeout(now + INT64_C(100) * INT_MAX), INT_MAX);
	/* As far as it can be without being for ever, and as long ago. */
	ck_assert_int_eq(clock_poll_timeout(INT64_MAX - 1), INT_MAX);
	ck_assert_int_eq(clock_poll_timeout(INT64_MAX / 1000 + 1), INT_MAX);
	ck_assert_int_eq(clock_poll_timeout(INT64_MIN), 0);
	int left = clock_poll_timeout(now + 60000);
	ck_assert_int_gt(left, 50000);
	ck_assert_int_le(left, 60000);
}
END_TEST

/* A waiter that polls with the timeout finds the deadline passed: rounding down would make it spin. */
START_TEST(timeout_reaches_the_deadline)
{
	for (int i = 0; i < 5; i++) {
		int64_t deadline = clock_ms() + 3;
		ck_assert_int_eq(poll(NULL, 0, clock_poll_timeout(deadline)), 0);
		ck_assert_int_ge(clock_ms(), deadline);
		ck_assert_int_eq(clock_poll_timeout(deadline), 0);
	}
}
END_TEST

Suite *clock_suite(void);

Suite *clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *c = tcase_create("clock");

	tcase_add_test(c, units_agree);
	tcase_add_test(c, monotonic);
	tcase_add_test(c, wall_clock_is_that_of_time);
	tcase_add_test(c, timeouts);
	tcase_add_test(c, timeout_reaches_the_deadline);
	suite_add_tcase(s, c);
	return s;
}
