/*
 * Sites: the row that stays chosen, and when something is done by itself.
 */
#include "client/sites.h"

#include "common/message.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
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

static struct finder_row named(uint8_t id, const char *name, const char *address)
{
	struct finder_row r = row(id);
	struct sockaddr_in *v4 = &r.addresses[0].u.v4;

	(void)snprintf(r.name, sizeof r.name, "%s", name);
	r.addresses[0].length = sizeof *v4;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(NET_PORT);
	ck_assert_int_eq(inet_pton(AF_INET, address, &v4->sin_addr), 1);
	r.address_count = 1;
	return r;
}

/* The order was that in which the servers answered. */
START_TEST(sorted)
{
	struct sites s;
	struct finder_row rows[] = {
		named(5, "upper", "10.0.0.1"),
		named(4, "middle", "10.0.0.10"),
		named(3, "Middle", "10.0.0.9"),
		named(2, "middle", "10.0.0.10"),
		named(1, "alpha", "10.0.0.3"),
	};

	sites_init(&s, 0, false);
	sites_update(&s, rows, 2, 10);
	ck_assert_uint_eq(s.rows[0].server[0], 4);
	sites_move(&s, 1);
	ck_assert_uint_eq(s.rows[s.chosen].server[0], 5);
	sites_update(&s, rows, 5, 20);
	static const uint8_t order[] = {1, 3, 2, 4, 5};
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(s.rows[i].server[0], order[i]);
	ck_assert_uint_eq(s.rows[s.chosen].server[0], 5); /* it stays chosen */
}
END_TEST

/* The part of a long list that is on the screen follows the chosen row, and stays where it can. */
START_TEST(part_that_is_shown)
{
	struct sites s;
	struct finder_row rows[9];
	struct sites_shown shown = {0};

	for (uint8_t i = 0; i < 9; i++)
		rows[i] = row(i + 1);
	sites_init(&s, 0, false);
	sites_update(&s, rows, 9, 10);
	sites_show(&s, &shown, 4);
	ck_assert_uint_eq(shown.top, 0);
	ck_assert_uint_eq(shown.count, 4);
	sites_move(&s, 6);
	sites_show(&s, &shown, 4);
	ck_assert_uint_eq(shown.top, 3);
	sites_move(&s, -2); /* a click on another row of these */
	sites_show(&s, &shown, 4);
	ck_assert_uint_eq(shown.top, 3);
	sites_move(&s, -2);
	sites_show(&s, &shown, 4);
	ck_assert_uint_eq(shown.top, 2);
	sites_show(&s, &shown, 20);
	ck_assert_uint_eq(shown.top, 0);
	ck_assert_uint_eq(shown.count, 9);
	sites_move(&s, 9);
	sites_show(&s, &shown, 1);
	ck_assert_uint_eq(shown.top, 8);
	sites_update(&s, rows, 3, 20);
	sites_show(&s, &shown, 2);
	ck_assert_uint_le(shown.top, 1);
	ck_assert_uint_eq(shown.count, 2);
	sites_update(&s, rows, 0, 30);
	sites_show(&s, &shown, 2);
	ck_assert_uint_eq(shown.count, 0);
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
	tcase_add_test(t, sorted);
	tcase_add_test(t, part_that_is_shown);
	tcase_add_test(t, joins_the_only_one);
	tcase_add_test(t, not_the_one_that_is_left);
	tcase_add_test(t, not_one_that_speaks_otherwise);
	tcase_add_test(t, nothing_there);
	suite_add_tcase(s, t);
	return s;
}
