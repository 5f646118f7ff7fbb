/*
 * Items: as many on a row as fit, and none of them lost.
 */
#include "tools/lab/items.h"

#include <check.h>
#include <string.h>

static void row_is(const struct items *i, size_t columns, size_t row, const char *text)
{
	char out[ITEMS_LINE];

	ck_assert_str_eq(items_row(i, columns, row, out), text);
}

START_TEST(nothing)
{
	struct items i = {0};

	ck_assert_uint_eq(items_rows(&i, 80), 0);
	row_is(&i, 80, 0, "");
}
END_TEST

START_TEST(rows)
{
	struct items i = {0};

	items_add(&i, "sent %d", 20);
	items_add(&i, "lost %d", 1);
	items_add(&i, "p50 -");
	ck_assert_uint_eq(items_rows(&i, 22), 1);
	row_is(&i, 22, 0, "sent 20  lost 1  p50 -");
	row_is(&i, 22, 1, "");
	ck_assert_uint_eq(items_rows(&i, 21), 2);
	row_is(&i, 21, 0, "sent 20  lost 1");
	row_is(&i, 21, 1, "p50 -");
	ck_assert_uint_eq(items_rows(&i, 14), 2);
	row_is(&i, 14, 0, "sent 20");
	row_is(&i, 14, 1, "lost 1  p50 -");
	ck_assert_uint_eq(items_rows(&i, 0), 3);
	row_is(&i, 0, 1, "lost 1");
	row_is(&i, 0, 7, "");
}
END_TEST

START_TEST(full)
{
	struct items i = {0};
	char out[ITEMS_LINE];

	for (int n = 0; n < ITEMS_MOST + 5; n++)
		items_add(&i, "%s", "an item that is longer than there is room for in an item");
	ck_assert_uint_eq(i.count, ITEMS_MOST);
	ck_assert_uint_eq(strlen(i.text[0]), ITEM_SIZE - 1);
	ck_assert_uint_eq(items_rows(&i, 10000), 1);
	ck_assert_uint_eq(strlen(items_row(&i, 10000, 0, out)), ITEMS_MOST * (ITEM_SIZE + 1) - 2);
	items_add(&i, "%s", "");
	ck_assert_uint_eq(i.count, ITEMS_MOST);
}
END_TEST

Suite *items_suite(void)
{
	Suite *suite = suite_create("items");
	TCase *tests = tcase_create("items");

	tcase_add_test(tests, nothing);
	tcase_add_test(tests, rows);
	tcase_add_test(tests, full);
	suite_add_tcase(suite, tests);
	return suite;
}
