/*
 * Sites: the row that stays chosen, and when something is done by itself.
 */
#include "client/sites.h"

#include "common/message.h"

#include <check.h>
#include <string.h>

static struct finder_row row(uint8_t id)
{
	struct finder_row r = {.version_low = 1, .version_high = PROTOCOL_VERSION};

	r.server[0] = id;
	return r;
}

START_TEST(chosen_stays)
{
	struct sites s;
	struct finder_row rows[3] = {row(1), row(2), row(3)};

	sites_init(&s, 0, false);
	sites_move(&s, 1);
	ck_assert_uint_eq(s.chosen, 0);
	sites_update(&s, rows, 3, 10);
	sites_move(&s, 1);
	ck_assert_uint_eq(s.chosen, 1);
	sites_update(&s, rows + 1, 2, 20); /* the first is gone */
	ck_assert_uint_eq(s.chosen, 0);
	ck_assert_uint_eq(s.rows[s.chosen].server[0], 2);
	sites_move(&s, 100);
	ck_assert_uint_eq(s.chosen, 1);
	sites_move(&s, -100);
	ck_assert_uint_eq(s.chosen, 0);
	sites_update(&s, rows, 0, 30);
	ck_assert_uint_eq(s.count, 0);
	ck_assert_uint_eq(s.chosen, 0);
}
END_TEST

START_TEST(joins_the_only_one)
{
	struct sites s;
	struct finder_row rows[2] = {row(1), row(2)};

	sites_init(&s, 1000, true);
	sites_update(&s, rows, 1, 1002);
	ck_assert_int_eq(sites_decide(&s, 1999), SITES_LOOK);
	ck_assert_int_eq(sites_deadline(&s, 1999), 2000);
	ck_assert_int_eq(sites_decide(&s, 2000), SITES_JOIN);
	/* Another one instead: it is on the screen for a moment first. */
	sites_update(&s, rows + 1, 1, 6000);
	ck_assert_int_eq(sites_decide(&s, 6000), SITES_LOOK);
	ck_assert_int_eq(sites_decide(&s, 6000 + SITES_NOTICE_MS), SITES_JOIN);
	ck_assert(sites_will_join(&s));
	s.touched = true;
	ck_assert_int_eq(sites_decide(&s, 9000), SITES_LOOK);
	ck_assert(!sites_will_join(&s));
}
END_TEST

/* When one of two servers went away, the other one was joined under the hands of who was choosing. */
START_TEST(not_the_one_that_is_left)
{
	struct sites s;
	struct finder_row rows[2] = {row(1), row(2)};

	sites_init(&s, 0, true);
	sites_update(&s, rows, 2, 500);
	ck_assert_int_eq(sites_decide(&s, 5000), SITES_LOOK);
	ck_assert_int_eq(sites_deadline(&s, 5000), INT64_MAX);
	sites_update(&s, rows + 1, 1, 6000);
	ck_assert(!sites_will_join(&s));
	ck_assert_int_eq(sites_decide(&s, 60000), SITES_LOOK);
	ck_assert_int_eq(sites_deadline(&s, 60000), INT64_MAX);
}
END_TEST

START_TEST(not_one_that_speaks_otherwise)
{
	struct sites s;
	struct finder_row r = row(1);

	r.version_low = r.version_high = PROTOCOL_VERSION + 1;
	ck_assert(!sites_is_compatible(&r));
	sites_init(&s, 0, true);
	sites_update(&s, &r, 1, 0);
	ck_assert_int_eq(sites_decide(&s, 100000), SITES_LOOK);
}
END_TEST

START_TEST(nothing_there)
{
	struct sites s;

	sites_init(&s, 0, false);
	ck_assert_int_eq(sites_deadline(&s, 0), SITES_NOTHING_MS);
	ck_assert(!sites_is_nothing(&s, SITES_NOTHING_MS - 1));
	ck_assert(sites_is_nothing(&s, SITES_NOTHING_MS));
	ck_assert_int_eq(sites_decide(&s, SITES_NOTHING_MS), SITES_LOOK);
	ck_assert_int_eq(sites_deadline(&s, SITES_NOTHING_MS), INT64_MAX);
	sites_init(&s, 0, true);
	ck_assert_int_eq(sites_deadline(&s, 0), SITES_SETTLE_MS);
	ck_assert_int_eq(sites_decide(&s, SITES_SETTLE_MS), SITES_HOST);
	s.touched = true;
	ck_assert_int_eq(sites_decide(&s, SITES_SETTLE_MS), SITES_LOOK);
}
END_TEST

Suite *sites_suite(void)
{
	Suite *s = suite_create("sites");
	TCase *t = tcase_create("decisions");

	tcase_add_test(t, chosen_stays);
	tcase_add_test(t, joins_the_only_one);
	tcase_add_test(t, not_the_one_that_is_left);
	tcase_add_test(t, not_one_that_speaks_otherwise);
	tcase_add_test(t, nothing_there);
	suite_add_tcase(s, t);
	return s;
}
