/*
 * Look-alikes: which names pass for each other, and which do not.
 */
#include "common/lookalike.h"

#include "common/err.h"
#include "common/name.h"

#include <check.h>
#include <string.h>

static bool meet(const char *a, const char *b)
{
	struct looks x, y;

	ck_assert_int_eq(looks_of(a, strlen(a), &x), 0);
	ck_assert_int_eq(looks_of(b, strlen(b), &y), 0);
	ck_assert_int_eq(looks_meet(&x, &y), looks_meet(&y, &x));
	return looks_meet(&x, &y);
}

static const char *const alike[][2] = {
	{"anna", "ANNA"},
	{"anna", "\uff41\uff4e\uff4e\uff41"},        /* wide */
	{"alice", "aIice"},                          /* a capital i */
	{"alice", "a1ice"},                          /* a digit */
	{"bob", "b0b"},                              /* a zero */
	{"modem", "modern"},                         /* rn */
	{"oca", "\u043e\u0441\u0430"},               /* all of it Cyrillic */
	{"Bob", "\u0412\u043e\u042c"},               /* with capitals */
	{"opo", "\u03bf\u03c1\u03bf"},               /* Greek */
	{"caf\u00e9", "cafe\u0301"},                 /* composed or not */
	{"oo", "\u0585\u0585"},                      /* Armenian */
	{"\u0455\u0441\u043e\u0440\u0435", "scope"}, /* Cyrillic again */
	{"nina", "ni\u0307na"},                      /* a dot where one is */
	{"ni\u0331na", "ni\u0331\u0307na"},
	{"jan", "j\u0307an"},
	{"ina", "\u0130na"}, /* the Turkish capital i */
	{"a-b", "a-\u0335b"},
	{"a-b", "a-\u0336b"},
	{"a_b", "a_\u0331b"},
	{"a_b", "a_\u0332\u0333b"},
	{"a^b", "a^\u0302b"},
	{"bob", "bob\u1039"}, /* what only joins */
	{"bob", "bo\u17d2b"},
	{"bob", "bob\u1a60"},
	{"bob", "bob\uaaf6"},
	{"bob", "bob\U00010a3f"},
	{"bob", "bob\U00011133"},
	{"bob", "bob\U0001193e"},
	{"bob", "bob\U00011f42"},
	{"bob", "bob\u2d7f"},
	{"bob", "bob\U0001107f"},
	{"bob", "bob\U00013440"},
	{"bob", "bob\U00013447"}, /* what is about hieroglyphs */
	{"bob", "bob\u1a7f"},
	{"bob", "bob\u1cf7"},
	{"bob", "bob\u302a"},
	{"bob", "bob\u1734"},
	{"bob", "bob\U0001d165"},
	{"bob", "bob\U0001d167"},
	{"bob", "bob\U0001bc9d"},
	{"bob", "bob\U0001da00"},
	{"bob", "bob\ua674"},
	{"bob", "bob\U00011070"},
};

START_TEST(these_are)
{
	ck_assert_msg(meet(alike[_i][0], alike[_i][1]), "%s, %s", alike[_i][0], alike[_i][1]);
}
END_TEST

static const char *const different[][2] = {
	{"anna", "hanna"},
	{"anna", "anne"},
	{"anna2", "anna3"},
	{"cafe", "caf\u00e9"},
	{"\u0430\u043d\u043d\u0430", "anna"}, /* the Cyrillic n is an H to the eye */
	{"\u5c71\u7530", "\u5c71\u672c"},
	{"a-b", "a_b"},
	{"nina", "ni\u0308na"}, /* two dots are not one */
	{"n\u0131na", "n\u012bna"},
	{"lina", "\u0141ina"},
	{"di", "\u0111i"},
	{"oo", "\u00f8o"},                      /* strokes that are known */
	{"ha", "h\u1ea1"},                      /* a dot below */
	{"\u0e01\u0e38", "\u0e01\u0e39"},       /* vowels */
	{"\u0915\u094d\u0915", "\u0915\u0915"}, /* a sign that joins, and is seen */
	{"\u304b", "\u304c"},
};

START_TEST(these_are_not)
{
	ck_assert_msg(!meet(different[_i][0], different[_i][1]), "%s, %s", different[_i][0],
		different[_i][1]);
}
END_TEST

/* Names that are the same look alike, whatever they are made of. */
START_TEST(the_same_look_alike)
{
	static const char *const pairs[][2] = {{"\u00c5ngstr\u00f6m", "\u00e5NGSTR\u00d6M"},
		{"stra\u00dfe", "STRASSE"}, {"\ufb01ne", "FINE"}, {"I", "i"}, {"l", "L"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert(name_same(pairs[i][0], pairs[i][1]));
		ck_assert_msg(meet(pairs[i][0], pairs[i][1]), "%s", pairs[i][0]);
	}
}
END_TEST

START_TEST(no_name)
{
	char longest[NAME_FOLDED_MAX];
	struct looks l;

	ck_assert_int_eq(looks_of("a b", 3, &l), ERR_TEXT);
	ck_assert_int_eq(looks_of("a\xff", 2, &l), ERR_TEXT);
	/* What looks longest, an m as "rn", still has a place. */
	memset(longest, 'm', sizeof(longest) - 1);
	ck_assert_int_eq(looks_of(longest, sizeof(longest) - 1, &l), 0);
	ck_assert_uint_eq(strlen(l.at[0]), 2 * (sizeof(longest) - 1));
}
END_TEST

Suite *lookalike_suite(void)
{
	Suite *s = suite_create("lookalike");
	TCase *t = tcase_create("names");

	tcase_add_loop_test(t, these_are, 0, (int)(sizeof(alike) / sizeof(alike[0])));
	tcase_add_loop_test(t, these_are_not, 0, (int)(sizeof(different) / sizeof(different[0])));
	tcase_add_test(t, the_same_look_alike);
	tcase_add_test(t, no_name);
	suite_add_tcase(s, t);
	return s;
}
