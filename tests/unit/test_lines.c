/*
 * Lines of stdin: cut anywhere, tabs, the limit and one past it, bad bytes.
 */
#include "client/lines.h"

#include "common/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 20

static const struct {
	const char *input;
	size_t length;
	int result;
	const char *text;
} cases[] = {
	{"hello\n", 6, 0, "hello"},
	{"hello\r\n", 7, 0, "hello"},
	{"\n", 1, 0, ""},
	{"\r\n", 2, 0, ""},
	{"a\tb\n", 4, 0, "a       b"},
	{"\t\n", 2, 0, "        "},
	{"1234567\tb\n", 10, 0, "1234567 b"},
	{"12345678\tb\n", 11, 0, "12345678        b"},
	{"\xd0\xbf\t|\n", 5, 0, "\xd0\xbf       |"}, /* columns, not bytes */
	{"12345678901234567890\n", 21, 0, "12345678901234567890"},
	{"12345678901234567890\r\n", 22, 0, "12345678901234567890"},
	{"123456789012345678901\n", 22, ERR_TOO_BIG, NULL},
	{"1234567890123456789012345\n", 26, ERR_TOO_BIG, NULL},
	{"\t\t\t\n", 4, ERR_TOO_BIG, NULL},
	{"a\xff\n", 3, ERR_TEXT, NULL},
	{"a\0b\n", 4, ERR_TEXT, NULL},
	{"\x1b[m\n", 4, ERR_TEXT, NULL},
	{"a\rb\n", 4, ERR_TEXT, NULL},
};

/* The result is the same however the bytes are cut, and the next line is not touched by it. */
START_TEST(test_cases)
{
	for (size_t cut = 1; cut <= cases[_i].length; cut++) {
		struct lines l;
		const char *text = NULL;
		size_t at = 0;
		size_t used;
		int r = ERR_AGAIN;

		lines_init(&l, LIMIT);
		while (r == ERR_AGAIN) {
			size_t left = cases[_i].length - at;
			ck_assert_uint_gt(left, 0);
			r = lines_feed(
				&l, cases[_i].input + at, left < cut ? left : cut, &used, &text);
			at += used;
		}
		ck_assert_int_eq(r, cases[_i].result);
		ck_assert_uint_eq(at, cases[_i].length);
		ck_assert_uint_eq(l.number, 1);
		if (r == 0)
			ck_assert_str_eq(text, cases[_i].text);
		ck_assert_int_eq(lines_feed(&l, "next\n", 5, &used, &text), 0);
		ck_assert_str_eq(text, "next");
		ck_assert_uint_eq(l.number, 2);
		lines_fini(&l);
	}
}
END_TEST

START_TEST(test_end)
{
	struct lines l;
	const char *text;
	size_t used;

	lines_init(&l, LIMIT);
	ck_assert_int_eq(lines_end(&l, &text), ERR_AGAIN);
	ck_assert_int_eq(lines_feed(&l, "rest", 4, &used, &text), ERR_AGAIN);
	ck_assert_int_eq(lines_end(&l, &text), 0);
	ck_assert_str_eq(text, "rest");
	ck_assert_int_eq(lines_end(&l, &text), ERR_AGAIN);
	ck_assert_int_eq(lines_feed(&l, "123456789012345678901234", 24, &used, &text), ERR_AGAIN);
	ck_assert_int_eq(lines_end(&l, &text), ERR_TOO_BIG);
	lines_fini(&l);
}
END_TEST

/* A line without end costs no more memory than the limit. */
START_TEST(test_endless)
{
	char chunk[4096];
	struct lines l;
	const char *text;
	size_t used;

	memset(chunk, 'x', sizeof(chunk));
	lines_init(&l, LIMIT);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(lines_feed(&l, chunk, sizeof(chunk), &used, &text), ERR_AGAIN);
	ck_assert_uint_le(l.room, LIMIT + 1);
	lines_fini(&l);
}
END_TEST

Suite *lines_suite(void)
{
	Suite *s = suite_create("lines");
	TCase *t = tcase_create("lines");

	tcase_add_loop_test(t, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, test_end);
	tcase_add_test(t, test_endless);
	suite_add_tcase(s, t);
	return s;
}
