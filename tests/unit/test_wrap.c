/*
 * Wrapping: words, wide characters, marks, and windows too narrow for anything.
 */
#include "client/wrap.h"

#include "common/text.h"

#include <check.h>
#include <string.h>

/* Rows are separated by | in what is expected. */
static const struct {
	const char *text;
	size_t columns;
	const char *rows;
} cases[] = {
	{"", 10, ""},
	{"one", 10, "one"},
	{"one two", 7, "one two"},
	{"one two", 6, "one|two"},
	{"one two", 3, "one|two"},
	{"one two", 2, "on|e|tw|o"},
	{"one two", 1, "o|n|e|t|w|o"},
	{"one  two", 4, "one|two"},
	{"one two ", 7, "one two"},
	{"one two   ", 7, "one two"},
	{"  indented", 10, "  indented"},
	{"  indented", 6, "  inde|nted"},
	{"abcdefgh ij", 4, "abcd|efgh|ij"},
	{"aa bb cc dd", 5, "aa bb|cc dd"},
	{"\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", 6,
		"\u043f\u0440\u0438\u0432\u0435\u0442|\u043c\u0438\u0440"},
	{"\u65e5\u672c\u8a9e", 4, "\u65e5\u672c|\u8a9e"},
	{"\u65e5\u672c\u8a9e", 5, "\u65e5\u672c|\u8a9e"},
	{"\u65e5\u672c\u8a9e", 1, "\u65e5|\u672c|\u8a9e"},
	{"abc\u65e5\u672c", 5, "abc\u65e5|\u672c"},
	{"hello \U0001f600\U0001f600", 8, "hello \U0001f600|\U0001f600"},
	{"e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301"},
	/* A family: one cluster of two columns, whatever it is made of. */
	{"a\U0001f468\u200d\U0001f469\u200d\U0001f467", 2,
		"a|\U0001f468\u200d\U0001f469\u200d\U0001f467"},
	/* Hindi has blanks between its words, which are where it is cut. */
	{"\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e", 8,
		"\u0939\u093f\u0928\u094d\u0926\u0940|\u092d\u093e\u0937\u093e"},
	{"\xff\xfe\xfd", 2, "\xff\xfe|\xfd"},
};

START_TEST(wrapped)
{
	const char *text = cases[_i].text;
	size_t length = strlen(text), end, rows = 0;
	char all[256] = "";

	for (size_t at = 0;;) {
		size_t next = wrap_row(text, length, at, cases[_i].columns, &end);
		if (rows++ > 0)
			strncat(all, "|", sizeof all - strlen(all) - 1);
		strncat(all, text + at, end - at);
		if (cases[_i].columns > 1)
			ck_assert_uint_le(text_columns(text + at, end - at), cases[_i].columns);
		ck_assert_msg(next > at || next == length, "stuck at %zu of \"%s\"", at, text);
		if (next == length)
			break;
		at = next;
	}
	ck_assert_str_eq(all, cases[_i].rows);
	ck_assert_uint_eq(wrap_count(text, length, cases[_i].columns, cases[_i].columns), rows);
}
END_TEST

START_TEST(first_row_is_shorter)
{
	const char *text = "aaa bbb ccc ddd";

	ck_assert_uint_eq(wrap_count(text, strlen(text), 3, 7), 3);
	ck_assert_uint_eq(wrap_find(text, strlen(text), 3, 7, 0), 0);
	ck_assert_uint_eq(wrap_find(text, strlen(text), 3, 7, 1), 4);
	ck_assert_uint_eq(wrap_find(text, strlen(text), 3, 7, 2), 12);
	ck_assert_uint_eq(wrap_find(text, strlen(text), 3, 7, 3), strlen(text));
	ck_assert_uint_eq(wrap_count("", 0, 1, 1), 1);
}
END_TEST

Suite *wrap_suite(void)
{
	Suite *s = suite_create("wrap");
	TCase *t = tcase_create("rows");

	tcase_add_loop_test(t, wrapped, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, first_row_is_shorter);
	suite_add_tcase(s, t);
	return s;
}
