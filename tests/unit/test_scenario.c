/*
 * The table of scenarios: complete, in order, and each of its rows can be played.
 */
#include "tools/lab/scenario.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* As they are numbered in class; a number is never given to another. */
static const char *const names[] = {"operations", "boundaries", "short-buffer", "zero", "loss",
	"blocking", "refused", "slow-reader", "half-close", "time-wait", "nagle", "fragments",
	"dead-peer", "connected", "broadcast", "congestion"};
#define NAMES (sizeof(names) / sizeof(names[0]))

START_TEST(all_are_there_in_order)
{
	ck_assert_uint_eq(scenarios_count, NAMES);
	for (size_t i = 0; i < NAMES; i++) {
		ck_assert_int_eq(scenarios[i].number, (int)i);
		ck_assert_str_eq(scenarios[i].name, names[i]);
	}
}
END_TEST

START_TEST(found_by_name_and_number)
{
	for (size_t i = 0; i < scenarios_count; i++) {
		char number[24];
		snprintf(number, sizeof(number), "%zu", i);
		ck_assert_ptr_eq(scenario_find(scenarios[i].name), &scenarios[i]);
		ck_assert_ptr_eq(scenario_find(number), &scenarios[i]);
	}
	ck_assert_ptr_null(scenario_find("16"));
	ck_assert_ptr_null(scenario_find("99999999999999999999"));
	ck_assert_ptr_null(scenario_find("-1"));
	ck_assert_ptr_null(scenario_find(" 1"));
	ck_assert_ptr_null(scenario_find("1x"));
	ck_assert_ptr_null(scenario_find("Loss"));
	ck_assert_ptr_null(scenario_find(""));
}
END_TEST

START_TEST(each_can_be_told_and_played)
{
	const struct scenario *x = &scenarios[_i];

	ck_assert(x->run != NULL);
	for (const char *c = x->name; *c; c++)
		ck_assert(islower((unsigned char)*c) || *c == '-');
	ck_assert_uint_gt(strlen(x->title), 0);
	ck_assert_int_eq(x->about[strlen(x->about) - 1], '?');
	ck_assert_uint_eq(x->hosts, x->medium == SITE_BROADCAST ? 3 : 2);
	/* Loopback has no third host that a broadcast could reach. */
	ck_assert(!x->on_loopback || x->medium == SITE_POINT_TO_POINT);
	ck_assert_uint_eq(x->impaired.mtu, SITE_MTU);
	ck_assert(x->impaired.loss >= 0 && x->impaired.loss < 1);
	ck_assert_uint_gt(x->impaired.delay_ns, 0);
}
END_TEST

Suite *scenario_suite(void)
{
	Suite *s = suite_create("scenario");
	TCase *table = tcase_create("table");

	tcase_add_test(table, all_are_there_in_order);
	tcase_add_test(table, found_by_name_and_number);
	tcase_add_loop_test(table, each_can_be_told_and_played, 0, (int)NAMES);
	suite_add_tcase(s, table);
	return s;
}
