/*
 * The table of scenarios: complete, in order, and each of its rows can be played.
 */
#include "common/err.h"
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

static const struct {
	const char *name;
	uint32_t count, size, mtu;
	const char *least; /* what is told; NULL: it fits */
} fits[] = {
	{"blocking", 1, 64, 1500, "--count 6"},
	{"blocking", 5, 64, 1500, "--count 6"},
	{"blocking", 6, 64, 1500, NULL},
	{"slow-reader", 99, 8, 1500, "--count 100"},
	{"slow-reader", 100, 8, 1500, NULL},
	{"loss", 1, 8, 1500, NULL},
	{"nagle", 1, 0, 1500, NULL},
	{"fragments", 0, 1472, 1500, "--size 1473"},
	{"fragments", 0, 1473, 1500, NULL},
	{"fragments", 0, 600, 576, NULL},
	{"congestion", 31, 1000, 1500, "--count 32"},
	{"congestion", 32, 1000, 1500, NULL},
	{"congestion", 250, 8, 1500, "--count 911"},
	{"zero", 0, 0, 1500, NULL},
};

START_TEST(too_few_show_nothing)
{
	const struct scenario *x = scenario_find(fits[_i].name);
	struct impairment how = x->impaired;
	char error[256] = "";

	how.mtu = fits[_i].mtu;
	int r = scenario_fits(x, &how, fits[_i].count, fits[_i].size, error, sizeof(error));
	ck_assert_int_eq(r, fits[_i].least ? ERR_ARGUMENT : 0);
	if (!fits[_i].least)
		return;
	ck_assert_int_eq(strncmp(error, fits[_i].name, strlen(fits[_i].name)), 0);
	ck_assert_ptr_nonnull(strstr(error, fits[_i].least));
}
END_TEST

Suite *scenario_suite(void)
{
	Suite *s = suite_create("scenario");
	TCase *table = tcase_create("table");

	tcase_add_test(table, all_are_there_in_order);
	tcase_add_test(table, found_by_name_and_number);
	tcase_add_loop_test(table, each_can_be_told_and_played, 0, (int)NAMES);
	tcase_add_loop_test(table, too_few_show_nothing, 0, (int)(sizeof(fits) / sizeof(fits[0])));
	suite_add_tcase(s, table);
	return s;
}
