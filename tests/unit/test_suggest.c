/*
 * Suggestions for mistyped words.
 */
#include "common/suggest.h"

#include <check.h>
#include <string.h>

static const char *const known[] = {
	"listen", "log-level", "name", "no-beacon", "max-clients", "interface", "not-interface"};

static const struct {
	const char *typed;
	const char *nearest; /* NULL: none */
} cases[] = {
	{"lisen", "listen"},   /* missing */
	{"listten", "listen"}, /* one more */
	{"lasten", "listen"},  /* wrong */
	{"lsiten", "listen"},  /* swapped */
	{"listen", "listen"},  /* right */
	{"nmae", "name"},
	{"loglevel", "log-level"},
	{"max-client", "max-clients"},
	{"interfaces", "interface"},
	{"not-interfac", "not-interface"},
	{"", NULL},
	{"x", NULL},
	{"quite-another", NULL},
	{"zzzzzz", NULL},
};

START_TEST(nearest)
{
	struct suggestion s;

	suggest_begin(&s, cases[_i].typed, strlen(cases[_i].typed));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		suggest_offer(&s, known[i]);
	if (cases[_i].nearest)
		ck_assert_str_eq(s.nearest, cases[_i].nearest);
	else
		ck_assert_ptr_null(s.nearest);
}
END_TEST

/* Of two that are equally near, the first stays. */
START_TEST(first_of_equals)
{
	struct suggestion s;

	suggest_begin(&s, "port", 4);
	suggest_offer(&s, "part");
	suggest_offer(&s, "pert");
	ck_assert_str_eq(s.nearest, "part");
}
END_TEST

START_TEST(only_the_given_length)
{
	struct suggestion s;

	suggest_begin(&s, "name=value", 4);
	suggest_offer(&s, "name");
	ck_assert_str_eq(s.nearest, "name");
	ck_assert_uint_eq(s.distance, 0);
}
END_TEST

START_TEST(longest)
{
	char word[SUGGEST_WORD_MAX + 2];
	char other[SUGGEST_WORD_MAX + 2];
	struct suggestion s;

	memset(word, 'x', sizeof(word));
	memset(other, 'x', sizeof(other));
	other[0] = 'y';
	word[SUGGEST_WORD_MAX] = other[SUGGEST_WORD_MAX] = '\0';
	suggest_begin(&s, word, SUGGEST_WORD_MAX);
	suggest_offer(&s, other);
	ck_assert_ptr_eq(s.nearest, other);

	suggest_begin(&s, word, SUGGEST_WORD_MAX - 1);
	other[SUGGEST_WORD_MAX] = 'x';
	other[SUGGEST_WORD_MAX + 1] = '\0';
	suggest_offer(&s, other);
	ck_assert_ptr_null(s.nearest);

	word[SUGGEST_WORD_MAX] = 'x';
	suggest_begin(&s, word, SUGGEST_WORD_MAX + 1);
	suggest_offer(&s, "x");
	suggest_offer(&s, other);
	ck_assert_ptr_null(s.nearest);
}
END_TEST

Suite *suggest_suite(void);

Suite *suggest_suite(void)
{
	Suite *s = suite_create("suggest");
	TCase *c = tcase_create("suggest");

	tcase_add_loop_test(c, nearest, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(c, first_of_equals);
	tcase_add_test(c, only_the_given_length);
	tcase_add_test(c, longest);
	suite_add_tcase(s, c);
	return s;
}
