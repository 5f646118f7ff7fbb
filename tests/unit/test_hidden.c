/*
 * The hidden line: typed, taken back, wiped; and nothing of it is printed.
 */
#include "client/hidden.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

#define E_ACUTE "e\u0301" /* one character of two code points */

static struct hidden line;

static void setup(void)
{
	line = (struct hidden){0};
}

static void add(const char *text)
{
	ck_assert_int_eq(hidden_add(&line, text, strlen(text)), 0);
}

static void expect(const char *text, const char *bullets)
{
	char out[HIDDEN_SHOWN];

	ck_assert_str_eq(line.text, text);
	ck_assert_uint_eq(line.length, strlen(text));
	ck_assert_str_eq(hidden_print(&line, out), bullets);
}

START_TEST(a_bullet_for_each_character)
{
	expect("", "");
	add("a");
	add("\u00fc");
	add(E_ACUTE);
	expect("a\u00fc" E_ACUTE, "\u2022\u2022\u2022");
	ck_assert(hidden_back(&line));
	expect("a\u00fc", "\u2022\u2022");
	ck_assert(hidden_back(&line));
	ck_assert(hidden_back(&line));
	expect("", "");
	ck_assert(!hidden_back(&line));
}
END_TEST

START_TEST(as_long_as_a_password)
{
	char many[PASSWORD_MAX + 1], out[HIDDEN_SHOWN];

	memset(many, 'x', sizeof many);
	ck_assert_int_eq(hidden_add(&line, many, sizeof many), ERR_TOO_BIG);
	expect("", "");
	ck_assert_int_eq(hidden_add(&line, many, PASSWORD_MAX), 0);
	ck_assert_uint_eq(line.length, PASSWORD_MAX);
	ck_assert_uint_eq(strlen(hidden_print(&line, out)), HIDDEN_SHOWN - 1);
	ck_assert_int_eq(hidden_add(&line, "x", 1), ERR_TOO_BIG);
	ck_assert_uint_eq(line.length, PASSWORD_MAX);
}
END_TEST

START_TEST(no_control_characters)
{
	add("a");
	ck_assert_int_eq(hidden_add(&line, "b\nc", 3), ERR_TEXT);
	ck_assert_int_eq(hidden_add(&line, "\x1b", 1), ERR_TEXT);
	ck_assert_int_eq(hidden_add(&line, "\xff", 1), ERR_TEXT);
	expect("a", "\u2022");
}
END_TEST

/* What is taken back or wiped is in memory no longer. */
START_TEST(wiped)
{
	static const struct hidden nothing;

	add("open sesame");
	ck_assert(hidden_back(&line));
	ck_assert_int_eq(line.text[10], '\0');
	hidden_wipe(&line);
	ck_assert_mem_eq(line.text, nothing.text, sizeof line.text);
	ck_assert_uint_eq(line.length, 0);
}
END_TEST

Suite *hidden_suite(void)
{
	Suite *s = suite_create("hidden");
	TCase *t = tcase_create("line");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_bullet_for_each_character);
	tcase_add_test(t, as_long_as_a_password);
	tcase_add_test(t, no_control_characters);
	tcase_add_test(t, wiped);
	suite_add_tcase(s, t);
	return s;
}
