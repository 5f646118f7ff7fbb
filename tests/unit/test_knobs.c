/*
 * Knobs: every scale can be gone through from one end to the other and back, from wherever it is.
 */
#include "tools/lab/knobs.h"

#include <check.h>
#include <ctype.h>
#include <string.h>

#define ENOUGH 50

static const struct impairment odd = {.loss = 0.07,
	.duplicate = 0.07,
	.reorder = 0.07,
	.delay_ns = 7000000,
	.jitter_ns = 7000000,
	.rate_bps = 700000,
	.queue_bytes = 7000,
	.mtu = 700};

static const char *value(const struct impairment *how, enum knob k)
{
	static char out[KNOB_VALUE];

	return knob_value(how, k, out);
}

static const struct {
	const char *least, *down, *up, *most;
} scale[KNOBS] = {
	[KNOB_LOSS] = {"0%", "5%", "10%", "100%"},
	[KNOB_DELAY] = {"0 ms", "5 ms", "10 ms", "500 ms"},
	[KNOB_JITTER] = {"0 ms", "5 ms", "10 ms", "200 ms"},
	[KNOB_REORDER] = {"0%", "5%", "10%", "50%"},
	[KNOB_DUPLICATE] = {"0%", "5%", "10%", "50%"},
	[KNOB_RATE] = {"64 kbit", "512 kbit", "1 Mbit", "off"},
	[KNOB_QUEUE] = {"2 KiB", "4 KiB", "8 KiB", "off"},
	[KNOB_MTU] = {"576", "576", "1000", "1500"},
};

START_TEST(one_step)
{
	struct impairment how = odd;
	enum knob k = (enum knob)_i;

	ck_assert(knob_turn(&how, k, -1));
	ck_assert_str_eq(value(&how, k), scale[k].down);
	how = odd;
	ck_assert(knob_turn(&how, k, 1));
	ck_assert_str_eq(value(&how, k), scale[k].up);
	ck_assert(knob_turn(&how, k, -1));
	ck_assert_str_eq(value(&how, k), scale[k].down);
}
END_TEST

/* Nothing but the knob is turned, and at the ends it stays. */
START_TEST(both_ends)
{
	struct impairment how = odd, before;
	enum knob k = (enum knob)_i;
	int up = 0, down = 0;

	while (down < ENOUGH && knob_turn(&how, k, -1))
		down++;
	ck_assert_str_eq(value(&how, k), scale[k].least);
	before = how;
	ck_assert(!knob_turn(&how, k, -1));
	ck_assert_mem_eq(&how, &before, sizeof(how));
	while (up < ENOUGH && knob_turn(&how, k, 1))
		up++;
	ck_assert_str_eq(value(&how, k), scale[k].most);
	before = how;
	ck_assert(!knob_turn(&how, k, 1));
	ck_assert_mem_eq(&how, &before, sizeof(how));
	ck_assert_int_gt(up, down);
	for (; up > 0; up--)
		ck_assert(knob_turn(&how, k, -1));
	ck_assert_str_eq(value(&how, k), scale[k].least);
	for (int other = 0; other < KNOBS; other++) {
		char was[KNOB_VALUE], is[KNOB_VALUE];
		if (other != (int)k)
			ck_assert_str_eq(knob_value(&odd, (enum knob)other, was),
				knob_value(&how, (enum knob)other, is));
	}
}
END_TEST

/* No limit is above every limit, also where the network said 0 for it, and 1500 is no MTU of its own. */
START_TEST(no_limit)
{
	struct impairment how = {.mtu = 1500};

	ck_assert(!knob_turn(&how, KNOB_RATE, 1));
	ck_assert(knob_turn(&how, KNOB_RATE, -1));
	ck_assert_str_eq(value(&how, KNOB_RATE), "100 Mbit");
	ck_assert(!knob_turn(&how, KNOB_MTU, 1));
	ck_assert(knob_turn(&how, KNOB_MTU, -1));
	ck_assert_str_eq(value(&how, KNOB_MTU), "1492");
	how.queue_bytes = 700;
	ck_assert_str_eq(value(&how, KNOB_QUEUE), "700 B");
	ck_assert(!knob_turn(&how, KNOB_QUEUE, -1));
	how.rate_bps = 1000000000;
	ck_assert(knob_turn(&how, KNOB_RATE, 1));
	ck_assert_uint_eq(how.rate_bps, 0);
}
END_TEST

/* One capital letter each, and each another: they are keys. */
START_TEST(names)
{
	char letters[KNOBS + 1] = "";
	struct items all;

	for (int k = 0; k < KNOBS; k++) {
		int capitals = 0;
		for (const char *c = knob_name((enum knob)k); *c; c++) {
			if (!isupper((unsigned char)*c))
				continue;
			ck_assert_ptr_null(strchr(letters, *c));
			letters[k] = *c;
			capitals++;
		}
		ck_assert_int_eq(capitals, 1);
		ck_assert_uint_gt(strlen(knob_about((enum knob)k)), 0);
	}
	knobs_items(&odd, &all);
	ck_assert_uint_eq(all.count, KNOBS);
	ck_assert_str_eq(all.text[KNOB_DELAY], "dElay 7 ms");
}
END_TEST

Suite *knobs_suite(void)
{
	Suite *suite = suite_create("knobs");
	TCase *tests = tcase_create("knobs");

	tcase_add_loop_test(tests, one_step, 0, KNOBS);
	tcase_add_loop_test(tests, both_ends, 0, KNOBS);
	tcase_add_test(tests, no_limit);
	tcase_add_test(tests, names);
	suite_add_tcase(suite, tests);
	return suite;
}
