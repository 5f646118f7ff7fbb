/*
 * Slow mode's turns.
 */
#include "server/turns.h"

#include <check.h>
#include <string.h>

#define EVERY 1000

static struct turns turns;

static void setup(void)
{
	turns = (struct turns){0};
}

static void teardown(void)
{
	turns_forget(&turns);
}

static int64_t take(unsigned number, int64_t now)
{
	uint8_t person[PERSON_ID] = {0};

	memcpy(person, &number, sizeof(number));
	return turns_take(&turns, person, now, EVERY);
}

START_TEST(one_at_a_time)
{
	ck_assert_int_eq(take(1, 5), 0);
	ck_assert_int_eq(take(1, 5), EVERY);
	ck_assert_int_eq(take(1, 4 + EVERY), 1);
	ck_assert_int_eq(take(1, 5 + EVERY), 0);
	/* Asking too early did not make the wait longer. */
	ck_assert_int_eq(take(1, 6 + EVERY), EVERY - 1);
}
END_TEST

START_TEST(each_their_own)
{
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(take(i, i), 0);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(take(i, 100), EVERY - 100 + i);
	ck_assert_uint_eq(turns.count, 100);
}
END_TEST

/* Whose time has come leaves a place to others. */
START_TEST(places_are_given_up)
{
	for (unsigned i = 0; i < 2000; i++)
		ck_assert_int_eq(take(i, (int64_t)i * EVERY), 0);
	ck_assert_uint_le(turns.count, 2);
}
END_TEST

/* Those beyond what there is room for speak as they like, and nobody else does. */
START_TEST(no_place_no_wait)
{
	for (unsigned i = 0; i < 1024; i++)
		ck_assert_int_eq(take(i, 0), 0);
	ck_assert_int_eq(take(5000, 1), 0);
	ck_assert_int_eq(take(5000, 1), 0);
	ck_assert_int_eq(take(0, 1), EVERY - 1);
	ck_assert_int_eq(take(1023, 1), EVERY - 1);
	ck_assert_uint_eq(turns.count, 1024);
}
END_TEST

START_TEST(forgotten)
{
	ck_assert_int_eq(take(1, 0), 0);
	turns_forget(&turns);
	ck_assert_int_eq(take(1, 1), 0);
	ck_assert_int_eq(take(1, 1), EVERY);
}
END_TEST

Suite *turns_suite(void)
{
	Suite *s = suite_create("turns");
	TCase *c = tcase_create("turns");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, one_at_a_time);
	tcase_add_test(c, each_their_own);
	tcase_add_test(c, places_are_given_up);
	tcase_add_test(c, no_place_no_wait);
	tcase_add_test(c, forgotten);
	suite_add_tcase(s, c);
	return s;
}
