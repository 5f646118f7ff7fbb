/*
 * The lab's keys: none means two things in one place, and everything has its help.
 */
#include "tools/lab/lab_keys.h"

#include "client/keys.h"
#include "tools/lab/guide.h"
#include "tools/lab/knobs.h"
#include "tools/lab/score_line.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const unsigned places[] = {LAB_IN_MENU, LAB_IN_RUN, LAB_IN_HELP};
#define PLACES (sizeof(places) / sizeof(places[0]))

START_TEST(no_key_twice)
{
	size_t count;
	const struct lab_binding *table = lab_keys_table(&count);

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_ne(table[i].keys[0], 0);
		ck_assert_uint_ne(table[i].where, 0);
		for (size_t k = 0; k < LAB_KEYS_EACH && table[i].keys[k]; k++) {
			for (size_t p = 0; p < PLACES; p++) {
				if (table[i].where & places[p])
					ck_assert_msg(lab_keys_find(table[i].keys[k], places[p]) ==
							      &table[i],
						"row %zu, key %zu has another row", i, k);
			}
		}
	}
	ck_assert_ptr_null(lab_keys_find(0, LAB_ANYWHERE));
	ck_assert_ptr_null(lab_keys_find('y', LAB_ANYWHERE));
	ck_assert_ptr_null(lab_keys_find('a', LAB_IN_RUN));
}
END_TEST

/* A row without help follows one of its action that has some, or is a knob's, which have their own. */
START_TEST(everything_has_help)
{
	size_t count;
	const struct lab_binding *table = lab_keys_table(&count);
	char line[256];

	for (size_t i = 0; i < count; i++) {
		if (!table[i].help) {
			ck_assert(table[i].action == LAB_LESS || table[i].action == LAB_MORE ||
				  table[i].action == table[i - 1].action);
			continue;
		}
		lab_keys_print(&table[i], line, sizeof(line));
		ck_assert_str_eq(line + LAB_KEYS_HELP_COLUMN, table[i].help);
		ck_assert_int_eq(line[LAB_KEYS_HELP_COLUMN - 1], ' ');
	}
	ck_assert_str_eq(lab_keys_print(lab_keys_find(' ', LAB_IN_RUN), line, 11), "Space     ");
}
END_TEST

/* The letter that is a capital in its name, small for less and large for more. */
START_TEST(every_knob)
{
	for (int k = 0; k < KNOBS; k++) {
		const char *letter = knob_name((enum knob)k);
		while (!isupper((unsigned char)*letter))
			letter++;
		const struct lab_binding *less =
			lab_keys_find((uint32_t)tolower((unsigned char)*letter), LAB_IN_RUN);
		const struct lab_binding *more = lab_keys_find((uint32_t)*letter, LAB_IN_RUN);
		ck_assert(less && less->action == LAB_LESS && less->argument == k);
		ck_assert(more && more->action == LAB_MORE && more->argument == k);
	}
}
END_TEST

/* ---- the guide, which is made of it ---- */

static bool tells(const struct guide *g, const char *text)
{
	for (size_t i = 0; i < g->count; i++) {
		if (strstr(g->lines[i], text))
			return true;
	}
	return false;
}

START_TEST(guide_tells_all)
{
	struct guide g;
	size_t count, terms;
	const struct lab_binding *table = lab_keys_table(&count);
	const struct score_term *term = score_line_terms(&terms);

	for (size_t p = 0; p < 2; p++) {
		guide_init(&g, places[p]);
		for (size_t i = 0; i < count; i++) {
			if (table[i].help && table[i].where == places[p])
				ck_assert_msg(tells(&g, table[i].help), "%s", table[i].help);
			if (table[i].help && !(table[i].where & places[p]))
				ck_assert_msg(!tells(&g, table[i].help) ||
						      lab_keys_find(table[i].keys[0], places[p]),
					"%s", table[i].help);
		}
		if (places[p] == LAB_IN_RUN) {
			for (int k = 0; k < KNOBS; k++)
				ck_assert(tells(&g, knob_about((enum knob)k)));
			for (size_t i = 0; i < terms; i++)
				ck_assert(tells(&g, term[i].meaning));
		}
		guide_fini(&g);
		ck_assert_uint_eq(g.count, 0);
	}
}
END_TEST

/* A duplicate ACK makes TCP send again, long before the clock that waits for an ACK does. */
START_TEST(guide_tells_both_causes)
{
	struct guide g;

	guide_init(&g, LAB_IN_RUN);
	ck_assert(
		tells(&g, "because duplicate ACKs say that it is missing, or because no ACK came"));
	guide_fini(&g);
}
END_TEST

/* What a line explains begins at one column. */
START_TEST(guide_columns)
{
	struct guide g;

	guide_init(&g, LAB_IN_RUN);
	for (size_t i = 0; i < g.count; i++) {
		if (strncmp(g.lines[i], "  ", 2) != 0)
			continue;
		ck_assert_uint_gt(strlen(g.lines[i]), GUIDE_HANG);
		ck_assert_msg(g.lines[i][GUIDE_HANG - 1] == ' ' && g.lines[i][GUIDE_HANG] != ' ',
			"%s", g.lines[i]);
	}
	guide_fini(&g);
}
END_TEST

Suite *lab_keys_suite(void)
{
	Suite *suite = suite_create("lab_keys");
	TCase *tests = tcase_create("keys"), *guide = tcase_create("guide");

	tcase_add_test(tests, no_key_twice);
	tcase_add_test(tests, everything_has_help);
	tcase_add_test(tests, every_knob);
	suite_add_tcase(suite, tests);
	tcase_add_test(guide, guide_tells_all);
	tcase_add_test(guide, guide_tells_both_causes);
	tcase_add_test(guide, guide_columns);
	suite_add_tcase(suite, guide);
	return suite;
}
