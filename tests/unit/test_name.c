/*
 * Names: which are refused, and which are the same.
 */
#include "common/name.h"

#include "common/err.h"
#include "common/message.h"
#include "common/utf8.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- what may be a name ---- */

static const struct {
	const char *name;
	int result;
} checks[] = {
	{"anna", 0}, {"Anna2", 0}, {"a", 0}, {"2fast", 0}, {"_[]{}\\|^`-", 0}, {"-dash", 0},
	{"a.b", 0}, {"c++", 0}, {"\u0430\u043d\u043d\u0430", 0}, /* anna in Cyrillic */
	{"\u5c71\u7530", 0},                                     /* Han */
	{"e\u0301va", 0},                                        /* a mark after its letter */
	{"anna\U0001f600", 0},                                   /* an emoji, but not first */
	{"\uff21\uff2e", 0},                                     /* wide letters */
	{"", ERR_ARGUMENT}, {".a", ERR_TEXT}, {"+a", ERR_TEXT}, {"#lobby", ERR_TEXT},
	{"a#b", ERR_TEXT}, {"@anna", ERR_TEXT}, {"~anna", ERR_TEXT}, {"a,b", ERR_TEXT},
	{"a:b", ERR_TEXT}, {"a!b", ERR_TEXT}, {"a\"b", ERR_TEXT}, {"a b", ERR_TEXT},
	{" a", ERR_TEXT}, {"a\n", ERR_TEXT}, {"a\x1b", ERR_TEXT}, {"a\xff", ERR_TEXT},
	{"a\xd0", ERR_TEXT}, {"\u0301a", ERR_TEXT},                 /* a mark first */
	{"\U0001f600anna", ERR_TEXT},                               /* an emoji first */
	{"a\u00a0b", ERR_TEXT},                                     /* no-break space */
	{"a\u200bb", ERR_TEXT},                                     /* zero-width space */
	{"a\u200db", ERR_TEXT},                                     /* zero-width joiner */
	{"a\ufe0f", ERR_TEXT},                                      /* variation selector */
	{"a\u034fb", ERR_TEXT},                                     /* grapheme joiner */
	{"a\u202eb", ERR_TEXT},                                     /* override */
	{"\u3164", ERR_TEXT},                                       /* Hangul filler */
	{"a\u0378", ERR_TEXT},                                      /* not assigned */
	{"a\ue000", ERR_TEXT},                                      /* private use */
	{"a\u2800", ERR_TEXT},                                      /* blank Braille */
	{"anna\ufffc", ERR_TEXT},                                   /* object replacement */
	{"anna\U00013441", ERR_TEXT},                               /* Egyptian blanks */
	{"anna\U00013442", ERR_TEXT}, {"anna\U00016fe4", ERR_TEXT}, /* Khitan filler */
	{"anna\U0001d159", ERR_TEXT},                               /* null notehead */
	{"a\uff03b", ERR_TEXT},                                     /* a wide #, which folds to # */
	{"a\uff20b", ERR_TEXT},                                     /* a wide @ */
	{"a\u00a8", ERR_TEXT},                            /* diaeresis: folds to blank and mark */
	{"\ufdfa", ERR_TEXT},                             /* one letter that folds to four words */
	{"\u00bd", ERR_TEXT},                             /* one half */
	{"\u0430nna", ERR_TEXT},                          /* Cyrillic a, Latin nna */
	{"ann\u0430", ERR_TEXT}, {"an\u03bfn", ERR_TEXT}, /* Greek omicron */
	{"\uff41\u0430", ERR_TEXT},                       /* wide Latin a, Cyrillic a */
	{"a2\u0430", ERR_TEXT},                           /* a digit does not end a word */
	{"a\u0301\u0430", ERR_TEXT},                      /* nor does a mark */
	{"\u0447\u0430\u0442-linux", 0},                  /* two words of one script each */
	{"\u5c71a", 0},                                   /* Han looks like nothing else */
};

START_TEST(checked)
{
	const char *name = checks[_i].name;

	ck_assert_msg(name_check(name, strlen(name), NICK_MAX) == checks[_i].result, "%s", name);
}
END_TEST

START_TEST(nul_inside)
{
	ck_assert_int_eq(name_check("a\0b", 3, NICK_MAX), ERR_TEXT);
}
END_TEST

START_TEST(length_bounds)
{
	static const size_t bounds[] = {1, NICK_MAX, ROOM_NAME_MAX};
	char name[ROOM_NAME_MAX + 1];
	size_t most = bounds[_i];

	memset(name, 'x', sizeof(name));
	ck_assert_int_eq(name_check(name, most, most), 0);
	ck_assert_int_eq(name_check(name, most + 1, most), ERR_TOO_BIG);
}
END_TEST

/* U+1D160 is one code point of 4 bytes, a note; folded it is three of them, 12 bytes. */
START_TEST(too_long_when_folded)
{
	char name[ROOM_NAME_MAX + 1] = "";
	char folded[NAME_FOLDED_MAX];
	size_t length = 0;

	while (length + 4 <= ROOM_NAME_MAX)
		length += utf8_encode(0x1d160, name + length);
	memset(folded, 'x', sizeof(folded));
	ck_assert_int_eq(name_fold(name, length, folded), ERR_TOO_BIG);
	ck_assert_int_eq(folded[0], 'x');
	ck_assert_int_eq(name_fold(name, length - 4, folded), 0);
	ck_assert_uint_eq(strlen(folded), 3 * (length - 4));
	name[0] = name[1] = name[2] = name[3] = 'a';
	ck_assert_int_eq(name_check(name, length, ROOM_NAME_MAX), 0);
	/* The bound holds whatever the caller allows. */
	char longer[2 * ROOM_NAME_MAX];
	memcpy(longer, name, length);
	memcpy(longer + length, name + 4, 4);
	ck_assert_int_eq(name_check(longer, length + 4, sizeof(longer)), ERR_TOO_BIG);
}
END_TEST

/* ---- folding ---- */

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{"anna", "anna", true},
	{"anna", "ANNA", true},
	{"anna", "anne", false},
	{"anna", "ann", false},
	{"anna", "anna2", false},
	{"anna", "\uff21\uff2e\uff4e\uff41", true}, /* wide letters */
	{"\u0410\u043d\u043d\u0430", "\u0430\u041d\u043d\u0430", true},
	{"\u00e9va", "e\u0301va", true},        /* composed, decomposed */
	{"\ufb01sh", "fish", true},             /* a ligature */
	{"stra\u00dfe", "STRASSE", true},       /* sharp s */
	{"\u03c3\u03c2", "\u03a3\u03a3", true}, /* both small sigmas */
	{"\u212a", "k", true},                  /* the kelvin sign */
	{"x\u00b2", "x2", true},                /* superscript two */
	{"anna", "\u0430nna", false},           /* look-alikes are refused, not the same */
	{"a b", "a b", false},                  /* no names */
	{"\xff", "\xff", false},
};

START_TEST(same)
{
	ck_assert(name_same(pairs[_i].a, pairs[_i].b) == pairs[_i].same);
	ck_assert(name_same(pairs[_i].b, pairs[_i].a) == pairs[_i].same);
}
END_TEST

START_TEST(folding_fails_cleanly)
{
	char folded[NAME_FOLDED_MAX] = "before";
	char longest[NAME_FOLDED_MAX];

	ck_assert_int_eq(name_fold("a b", 3, folded), ERR_TEXT);
	ck_assert_int_eq(name_fold("a\u200b", 4, folded), ERR_TEXT);
	ck_assert_int_eq(name_fold("\xff", 1, folded), ERR_TEXT);
	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(name_fold(longest, sizeof(longest), folded), ERR_TOO_BIG);
	char huge[1024];
	memset(huge, 'x', sizeof(huge));
	ck_assert_int_eq(name_fold(huge, sizeof(huge), folded), ERR_TOO_BIG);
	for (size_t i = 0; i < 120; i += 3) /* each becomes 18 code points */
		memcpy(huge + i, "\ufdfa", 3);
	ck_assert_int_eq(name_fold(huge, 120, folded), ERR_TOO_BIG);
	ck_assert_str_eq(folded, "before");
	ck_assert_int_eq(name_fold(longest, sizeof(longest) - 1, folded), 0);
	ck_assert_uint_eq(strlen(folded), sizeof(longest) - 1);
	ck_assert_int_eq(name_fold("", 0, folded), 0);
	ck_assert_str_eq(folded, "");
}
END_TEST

/* ASCII does not go through the tables, and comes out as if it did: each pair of characters. */
START_TEST(ascii_as_by_the_tables)
{
	char name[] = "a?b", folded[NAME_FOLDED_MAX];

	for (char a = '!'; a <= '~'; a++) {
		for (char b = '!'; b <= '~'; b++) {
			name[0] = a;
			name[1] = b;
			utf8proc_uint8_t *expected =
				utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)name);
			ck_assert_ptr_nonnull(expected);
			ck_assert_int_eq(name_fold(name, strlen(name), folded), 0);
			ck_assert_str_eq(folded, (const char *)expected);
			free(expected);
		}
	}
}
END_TEST

/* Folding what is folded changes nothing, for every code point alone and with company. */
START_TEST(folding_is_final)
{
	static const char *const company[] = {"", "a", "\u0301", "\u0345", "\u0327"};
	char name[16], once[NAME_FOLDED_MAX], twice[NAME_FOLDED_MAX];

	for (uint32_t c = 0x21; c <= 0x10ffff; c++) {
		if (!utf8_is_clean(c))
			continue;
		size_t length = utf8_encode(c, name);
		snprintf(name + length, sizeof(name) - length, "%s", company[_i]);
		if (name_check(name, strlen(name), sizeof(name)) != 0)
			continue;
		ck_assert_int_eq(name_fold(name, strlen(name), once), 0);
		if (name_fold(once, strlen(once), twice) != 0 || strcmp(once, twice) != 0)
			ck_abort_msg("U+%04X", c);
	}
}
END_TEST

/* ---- numbers ---- */

static const struct {
	const char *name;
	unsigned number;
	size_t most;
	const char *expected;
} numbered[] = {
	{"anna", 2, NICK_MAX, "anna2"},
	{"anna", 4294967295U, NICK_MAX, "anna4294967295"},
	{"annaannaanna", 10, 12, "annaannaan10"},
	{"annaannaan", 10, 12, "annaannaan10"},
	{"\u0430\u0430\u0430\u0430\u0430", 2, 10, "\u0430\u0430\u0430\u04302"},
	{"xxxxxxxxe\u0301", 2, 11, "xxxxxxxx2"}, /* not between a letter and its mark */
	{"xxxxxxxxe\u0301", 2, 12, "xxxxxxxxe\u03012"},
	{"", 2, 10, "2"},
};

START_TEST(with_a_number)
{
	char out[NICK_MAX + 1];

	ck_assert_ptr_eq(
		name_numbered(numbered[_i].name, numbered[_i].number, numbered[_i].most, out), out);
	ck_assert_str_eq(out, numbered[_i].expected);
	ck_assert_uint_le(strlen(out), numbered[_i].most);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *name_suite(void)
{
	Suite *s = suite_create("name");
	TCase *allowed = tcase_create("allowed");
	TCase *folding = tcase_create("folding");
	TCase *numbers = tcase_create("numbers");

	tcase_add_loop_test(allowed, checked, 0, COUNT(checks));
	tcase_add_test(allowed, nul_inside);
	tcase_add_loop_test(allowed, length_bounds, 0, 3);
	tcase_add_test(allowed, too_long_when_folded);
	suite_add_tcase(s, allowed);
	tcase_set_timeout(folding, 30);
	tcase_add_loop_test(folding, same, 0, COUNT(pairs));
	tcase_add_test(folding, folding_fails_cleanly);
	tcase_add_test(folding, ascii_as_by_the_tables);
	tcase_add_loop_test(folding, folding_is_final, 0, 5);
	suite_add_tcase(s, folding);
	tcase_add_loop_test(numbers, with_a_number, 0, COUNT(numbered));
	suite_add_tcase(s, numbers);
	return s;
}
