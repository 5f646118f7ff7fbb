/*
 * Two columns of text: where lines are cut, and that nothing is lost.
 */
#include "tools/lab/columns.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 43 /* two columns of 20 */

static char *text;
static size_t size;
static FILE *out;
static struct columns columns;

static void setup(void)
{
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	columns_init(&columns, out, WIDTH);
}

static void teardown(void)
{
	columns_fini(&columns);
	fclose(out);
	free(text);
}

static const char *written(void)
{
	fflush(out);
	return text;
}

START_TEST(side_by_side)
{
	columns_add(&columns, 0, 0, "left");
	columns_add(&columns, 1, 0, "right");
	columns_add(&columns, 1, 0, "more");
	columns_flush(&columns);
	ck_assert_str_eq(written(), "left                 | right\n"
				    "                     | more\n");
}
END_TEST

START_TEST(cut_between_words)
{
	columns_add(&columns, 0, 2, "one two three four five six seven");
	columns_flush(&columns);
	ck_assert_str_eq(written(), "one two three four   |\n"
				    "  five six seven     |\n");
}
END_TEST

START_TEST(a_word_that_does_not_fit)
{
	columns_add(&columns, 0, 0, "abcdefghijklmnopqrstuvwxyz");
	columns_flush(&columns);
	ck_assert_str_eq(written(), "abcdefghijklmnopqrst |\n"
				    "uvwxyz               |\n");
}
END_TEST

/* Columns are counted, not bytes: letters of two bytes, ideographs of two columns, a mark of none. */
START_TEST(other_alphabets)
{
	columns_add(&columns, 0, 0, "привет, мир и все кто здесь");
	columns_add(&columns, 1, 0, "é|");
	columns_add(&columns, 0, 0, "你好你好你好你好你好你好");
	columns_flush(&columns);
	ck_assert_str_eq(written(), "привет, мир и все    | é|\n"
				    "кто здесь            |\n"
				    "你好你好你好你好你好 |\n"
				    "你好                 |\n");
}
END_TEST

START_TEST(exactly_full)
{
	columns_add(&columns, 0, 0, "12345678901234567890");
	columns_add(&columns, 0, 0, "");
	columns_flush(&columns);
	ck_assert_str_eq(written(), "12345678901234567890 |\n"
				    "                     |\n");
}
END_TEST

START_TEST(wide_text_comes_after_what_was_before)
{
	columns_add(&columns, 1, 0, "first");
	columns_wide(&columns, "ok  ", "a line that is longer than forty-three columns are");
	ck_assert_str_eq(written(), "                     | first\n"
				    "ok  a line that is longer than forty-three\n"
				    "    columns are\n");
}
END_TEST

START_TEST(nothing_prints_nothing)
{
	columns_flush(&columns);
	ck_assert_str_eq(written(), "");
}
END_TEST

Suite *columns_suite(void)
{
	Suite *s = suite_create("columns");
	TCase *c = tcase_create("columns");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, side_by_side);
	tcase_add_test(c, cut_between_words);
	tcase_add_test(c, a_word_that_does_not_fit);
	tcase_add_test(c, other_alphabets);
	tcase_add_test(c, exactly_full);
	tcase_add_test(c, wide_text_comes_after_what_was_before);
	tcase_add_test(c, nothing_prints_nothing);
	suite_add_tcase(s, c);
	return s;
}
