/*
 * Highlighting: which words of a text a search has found.
 */
#include "client/highlight.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text, *words, *marked; /* the text with [ ] around what is highlighted */
} cases[] = {
	{"an apple a day", "apple", "an [apple] a day"},
	{"an Apple, apples", "apple", "an [Apple], [apples]"},
	{"an Apple, apples", "apple ", "an [Apple], apples"},
	{"an Apple, apples", "\"apple\"", "an [Apple], apples"},
	{"red green blue", "blue red", "[red] green [blue]"},
	{"reddish green", "red green", "reddish [green]"},
	{"\u0401\u043b\u043a\u0430 \u0438 \u043c\u0451\u0434", "\u0435\u043b\u043a\u0430",
		"[\u0401\u043b\u043a\u0430] \u0438 \u043c\u0451\u0434"},
	{"\u041f\u0420\u0418\u0412\u0415\u0422", "\u043f\u0440\u0438\u0432",
		"[\u041f\u0420\u0418\u0412\u0415\u0422]"},
	{"Cafe\u0301, caf\u00e9", "cafe", "[Cafe\u0301], [caf\u00e9]"},
	{"\u4e16\u754c\u5927", "\u754c", "\u4e16[\u754c]\u5927"},
	{"nothing here", "no such", "nothing here"},
	{"", "word", ""},
	{"text", "", "text"},
	{"broken \xff\xfe word", "word", "broken \xff\xfe [word]"},
	{"!?.", "!?", "!?."},
};

START_TEST(marked)
{
	char out[256] = "";
	const char *text = cases[_i].text;
	size_t at = 0, from, end;

	while (highlight_next(text, at, cases[_i].words, &from, &end)) {
		ck_assert_uint_ge(from, at);
		ck_assert_uint_gt(end, from);
		ck_assert_uint_le(end, strlen(text));
		strncat(out, text + at, from - at);
		strcat(out, "[");
		strncat(out, text + from, end - from);
		strcat(out, "]");
		at = end;
	}
	strcat(out, text + at);
	ck_assert_str_eq(out, cases[_i].marked);
}
END_TEST

Suite *highlight_suite(void)
{
	Suite *s = suite_create("highlight");
	TCase *t = tcase_create("words");

	tcase_add_loop_test(t, marked, 0, sizeof cases / sizeof cases[0]);
	suite_add_tcase(s, t);
	return s;
}
