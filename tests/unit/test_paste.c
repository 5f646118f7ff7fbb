/*
 * Pastes: lines counted, controls out, nothing cut inside a character.
 */
#include "client/paste.h"

#include "common/utf8.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *bytes, *text;
	size_t lines, longest;
} cases[] = {
	{"", "", 1, 0},
	{"one", "one", 1, 3},
	{"one\n", "one", 1, 3},
	{"\n\none\n\n", "one", 1, 3},
	{"one\ntwo!", "one\ntwo!", 2, 4},
	{"one\n\ntwo", "one\n\ntwo", 3, 3},
	{"\tindented", " indented", 1, 9},
	{"a\x1b[2Jb", "a\ufffd[2Jb", 1, 8},
	{"\n", "", 1, 0},
	{"  \n", "", 1, 0},
};

START_TEST(made)
{
	struct paste p;
	size_t length;

	ck_assert_int_eq(
		paste_init(&p, cases[_i].bytes, strlen(cases[_i].bytes), strlen(cases[_i].bytes)),
		0);
	ck_assert_str_eq(p.text, cases[_i].text);
	ck_assert_uint_eq(p.lines, cases[_i].lines);
	ck_assert_uint_eq(p.longest, cases[_i].longest);
	ck_assert(!p.cut);
	for (size_t i = 0; i < p.lines; i++) {
		const char *line = paste_line(&p, i, &length);
		ck_assert_ptr_nonnull(line);
		ck_assert_ptr_null(memchr(line, '\n', length));
	}
	ck_assert_ptr_null(paste_line(&p, p.lines, &length));
	paste_fini(&p);
}
END_TEST

START_TEST(cut_between_characters)
{
	const char *text = "a\u0436\u65e5\U0001f600";

	for (size_t length = 1; length < strlen(text); length++) {
		struct paste p;
		ck_assert_int_eq(paste_init(&p, text, length, 1000), 0);
		ck_assert(p.cut);
		ck_assert_uint_eq(p.bytes, 1000);
		ck_assert(utf8_is_valid(p.text, strlen(p.text)));
		ck_assert_ptr_null(strstr(p.text, "\ufffd"));
		paste_fini(&p);
	}
}
END_TEST

Suite *paste_suite(void)
{
	Suite *s = suite_create("paste");
	TCase *t = tcase_create("lines");

	tcase_add_loop_test(t, made, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, cut_between_characters);
	suite_add_tcase(s, t);
	return s;
}
