/*
 * Clusters, columns and clean copies.
 */
#include "common/text.h"

#include "common/utf8.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define FAMILY  "\U0001f468\u200d\U0001f469\u200d\U0001f467" /* man, woman, girl, joined */
#define RAINBOW "\U0001f3f3\ufe0f\u200d\U0001f308"
#define KISS    "\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3fb"
#define ENGLAND "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

/* ---- clusters ---- */

/* Each is one cluster. */
static const struct {
	const char *text;
	int columns;
} clusters[] = {
	{"a", 1}, {" ", 1}, {"\u0416", 1}, /* Cyrillic */
	{"\u65e5", 2},                     /* Han */
	{"\uff21", 2},                     /* a wide letter */
	{"\uff71", 1},                     /* a half-width one */
	{"e\u0301", 1},                    /* with a mark */
	{"\u0438\u0306", 1},               /* Cyrillic short i, in two */
	{"a\u0301\u0302\u0303", 1}, {"\u65e5\u0301", 2},
	{"\u0e19\u0e49", 1},       /* Thai with a tone mark */
	{"\u0e19\u0e33", 2},       /* Thai with a vowel that has its own column */
	{"\u0915\u093f", 2},       /* Devanagari with a spacing vowel */
	{"\uac01", 2},             /* a Hangul syllable */
	{"\u1100\u1161\u11a8", 2}, /* the same of three letters */
	{"\U0001f600", 2}, {"\U0001f44d\U0001f3fd", 2}, /* thumb with skin colour */
	{FAMILY, 2}, {RAINBOW, 2}, {KISS, 2}, {ENGLAND, 2}, {"\u2764", 1}, /* a heart as text */
	{"\u2764\ufe0f", 2},                                               /* as an emoji */
	{"1\ufe0f\u20e3", 2},                                              /* a keycap */
	{"a\ufe0f", 1},                     /* no emoji is made of this */
	{"\U0001f1f7\U0001f1fa", 2},        /* a flag */
	{"\U0001f1f7", 1},                  /* half of one */
	{"\u0301", 1},                      /* a mark alone, on a circle */
	{"\u0301\u0302", 1}, {"\u1161", 1}, /* a medial jamo alone */
	{"\u200b", 0},                      /* zero-width space */
	{"\u200d", 0},                      /* joiner with nothing to join */
	{"\ufe0f", 0},                      /* selector alone */
	{"\ufeff", 0},                      /* byte order mark */
	{"\u200e", 0},                      /* mark of direction */
	{"\u00ad", 0},                      /* soft hyphen */
	{"\u0600", 1},                /* Arabic number sign: a format character with a shape */
	{"\ufffd", 1}, {"\ue000", 1}, /* private use */
	{"\U0001faff", 2},            /* an emoji that is not there yet */
	{"\U0002fffd", 2},            /* an ideograph that is not there yet */
	{"\u0378", 1},                /* not assigned */
	{"\n", 0}, {"\t", 1}, {"\x1b", 1}, {"\x7f", 1}, {"\xc2\x9b", 1}, /* C1 */
	{"\u202e", 1},                                        /* an override, shown as U+FFFD */
	{"\u2028", 1}, {"\xff", 1}, {"\x80", 1}, {"\xe2", 1}, /* cut */
};

START_TEST(one_cluster)
{
	const char *text = clusters[_i].text;
	size_t length = strlen(text);
	int columns = -1;

	ck_assert_uint_eq(text_cluster(text, length, &columns), length);
	ck_assert_int_eq(columns, clusters[_i].columns);
	ck_assert_uint_eq(text_cluster(text, length, NULL), length);
	ck_assert_uint_eq(text_columns(text, length), (size_t)columns);
	ck_assert_uint_eq(text_cluster_before(text, length), 0);
}
END_TEST

/* Any two of them that do not join stay two, forwards and backwards. */
START_TEST(two_clusters)
{
	const char *first = clusters[_i].text;
	size_t length = strlen(first);

	for (int i = 0; i < COUNT(clusters); i++) {
		char text[128];
		int size = snprintf(text, sizeof(text), "x%s%sx", first, clusters[i].text);
		size_t whole = (size_t)size;
		ck_assert_uint_lt(whole, sizeof(text));
		size_t starts[8];
		size_t count = 0;
		for (size_t at = 0; at < whole; at += text_cluster(text + at, whole - at, NULL)) {
			ck_assert_uint_lt(count, 8);
			starts[count++] = at;
		}
		size_t at = whole;
		while (count > 0) {
			at = text_cluster_before(text, at);
			ck_assert_uint_eq(at, starts[--count]);
		}
		ck_assert_uint_eq(at, 0);
	}
	ck_assert_uint_gt(length, 0);
}
END_TEST

static const struct {
	const char *text;
	size_t first; /* bytes of the first cluster */
	size_t clusters, columns;
} runs[] = {
	{"", 0, 0, 0},
	{"hello", 1, 5, 5},
	{"\u043f\u0440\u0438\u0432\u0435\u0442", 2, 6, 6},
	{"\u65e5\u672c\u8a9e", 3, 3, 6},
	{"\r\n", 1, 2, 1}, /* drawn as two things */
	{"ae\u0301b", 1, 3, 3},
	{"\U0001f1f7\U0001f1fa\U0001f1e9", 8, 2, 3}, /* a flag and a half */
	{FAMILY FAMILY, 18, 2, 4},
	{"\xf0\x9f\x98", 1, 3, 3}, /* a cut emoji: three bad bytes */
	{"\x1b[31m", 1, 5, 5},
	{"\n\u0301", 1, 2, 1},   /* no mark joins a line's end */
	{"\xff\u0301", 1, 2, 2}, /* nor what is no character */
	/* Syllables of Bengali, Telugu, Malayalam and Burmese with two marks beside the letter: a cluster
	 * has two columns at most, and each mark needs one. */
	{"\u09ac\u09be\u0982\u09b2\u09be", 6, 3, 5},
	{"\u0c2e\u0c41\u0c02", 6, 2, 3},
	{"\u0d32\u0d3e\u0d02", 6, 2, 3},
	{"\u1000\u103b\u1031x", 6, 3, 4},
};

START_TEST(several_clusters)
{
	const char *text = runs[_i].text;
	size_t length = strlen(text);
	size_t count = 0;

	ck_assert_uint_eq(text_cluster(text, length, NULL), runs[_i].first);
	for (size_t at = 0; at < length; count++)
		at += text_cluster(text + at, length - at, NULL);
	ck_assert_uint_eq(count, runs[_i].clusters);
	ck_assert_uint_eq(text_columns(text, length), runs[_i].columns);
}
END_TEST

/* In a long text without blanks the place before is found from close by. */
START_TEST(before_in_a_long_text)
{
	enum {
		CHARACTERS = 200000
	};
	char *text = malloc(3 * CHARACTERS);
	size_t at = 3 * CHARACTERS;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < CHARACTERS; i++)
		memcpy(text + 3 * i, "\u65e5", 3);
	/* Each from the beginning would be 2e10 clusters. */
	while (at > 0) {
		size_t before = text_cluster_before(text, at);
		ck_assert_uint_eq(before, at - 3);
		at = before;
	}
	free(text);
}
END_TEST

START_TEST(syllables)
{
	ck_assert(text_is_syllable("\u0939\u093f", 6));
	ck_assert(text_is_syllable("\u0982", 3));
	ck_assert(text_is_syllable("e\u0301", 3));
	ck_assert(!text_is_syllable("\u65e5", 3));
	ck_assert(!text_is_syllable("\U0001f600", 4));
	ck_assert(!text_is_syllable("\U0001f1e9\U0001f1ea", 8));
	ck_assert(!text_is_syllable("1\ufe0f\u20e3", 7));
	ck_assert(!text_is_syllable("\xff", 1));
	ck_assert(!text_is_syllable("", 0));
}
END_TEST

START_TEST(nothing_at_all)
{
	int columns = 9;
	size_t used = 9;

	ck_assert_uint_eq(text_cluster("", 0, &columns), 0);
	ck_assert_int_eq(columns, 0);
	ck_assert_uint_eq(text_cluster_before("", 0), 0);
	ck_assert_uint_eq(text_columns("", 0), 0);
	ck_assert_uint_eq(text_fit("", 0, 5, &used), 0);
	ck_assert_uint_eq(used, 0);
}
END_TEST

/* A hostile chain of characters does not pass for one of them. */
START_TEST(clusters_are_bounded)
{
	static const char *const links[] = {"\U0001f600\u200d", "\u1100", "\u0600", "\u093f"};
	char text[4000];
	size_t link = strlen(links[_i]);
	size_t length = 0;

	while (length + link <= sizeof(text)) {
		memcpy(text + length, links[_i], link);
		length += link;
	}
	for (size_t at = 0; at < length;) {
		size_t n = text_cluster(text + at, length - at, NULL);
		ck_assert_uint_le(n, 16 * 7);
		at += n;
	}
	ck_assert_uint_le(length - text_cluster_before(text, length), 16 * 7);
}
END_TEST

/* ---- fitting ---- */

static const struct {
	const char *text;
	size_t columns, bytes, used;
} fits[] = {
	{"hello", 0, 0, 0},
	{"hello", 1, 1, 1},
	{"hello", 5, 5, 5},
	{"hello", 9, 5, 5},
	{"\u65e5\u672c", 1, 0, 0}, /* half a character is none */
	{"\u65e5\u672c", 2, 3, 2},
	{"\u65e5\u672c", 3, 3, 2},
	{"\u65e5\u672c", 4, 6, 4},
	{"ae\u0301b", 2, 4, 2}, /* the mark goes with its letter */
	{FAMILY "x", 2, 18, 2},
	{"a\u200bb", 1, 4, 1}, /* what has no column fits */
	{"\u200b", 0, 3, 0},
	{"\xff\xff", 1, 1, 1},
};

START_TEST(fit)
{
	size_t used = 77;
	const char *text = fits[_i].text;

	ck_assert_uint_eq(text_fit(text, strlen(text), fits[_i].columns, &used), fits[_i].bytes);
	ck_assert_uint_eq(used, fits[_i].used);
}
END_TEST

/* ---- drawing ---- */

#define MARKS8 "\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301"

static const struct {
	const char *text;
	int newlines;
	const char *expected;
} drawn[] = {
	{"", 0, ""},
	{"hello", 0, "hello"},
	{"\u043f\u0440\u0438 " FAMILY " " RAINBOW " " KISS " " ENGLAND, 0,
		"\u043f\u0440\u0438 " FAMILY " " RAINBOW " " KISS " " ENGLAND},
	{"\x1b[31mred", 0, "\ufffd[31mred"},
	{"a\x9b"
	 "31m",
		0, "a\ufffd31m"},
	{"a\xc2\x9b"
	 "31m",
		0, "a\ufffd31m"},
	{"\x07\x08\x7f", 0, "\ufffd\ufffd\ufffd"},
	{"a\tb", 0, "a b"},
	{"a\nb", 1, "a\nb"},
	{"a\nb", 0, "a\ufffdb"},
	{"a\r\nb", 1, "a\ufffd\nb"},
	{"a\u202eb\u2066c\u2028d", 0, "a\ufffdb\ufffdc\ufffdd"},
	{"\xff\xc0\x80", 0, "\ufffd\ufffd\ufffd"},
	{"cut \xf0\x9f", 0, "cut \ufffd\ufffd"},
	{"\ufeff"
	 "a\u200b\u200eb\u00adc",
		0, "abc"},
	{"\u0301", 0, "\u25cc\u0301"},
	{"a\n\u0301", 1, "a\n\u25cc\u0301"},
	{"a" MARKS8, 0, "a" MARKS8},
	{"a" MARKS8 "\u0302", 0, "a" MARKS8},
	{"a" MARKS8 MARKS8 MARKS8 "b" MARKS8 "\u0302", 0, "a" MARKS8 "b" MARKS8},
};

START_TEST(clean_copies)
{
	const char *text = drawn[_i].text;
	char *copy = text_sanitize(text, strlen(text), drawn[_i].newlines);

	ck_assert_str_eq(copy, drawn[_i].expected);
	ck_assert(utf8_is_block(copy, strlen(copy)));
	ck_assert_uint_eq(text_columns(copy, strlen(copy)),
		text_columns(text, strlen(text)) + (strchr(text, '\n') && !drawn[_i].newlines));
	free(copy);
}
END_TEST

/* However many marks there are on a letter, it stays one cluster, of which a few are drawn. */
START_TEST(flood_of_marks)
{
	char text[4001] = "a";

	for (size_t i = 0; i < 2000; i++)
		memcpy(text + 1 + 2 * i, "\u0301", 2);
	ck_assert_uint_eq(text_cluster(text, sizeof(text), NULL), sizeof(text));
	ck_assert_uint_eq(text_cluster_before(text, sizeof(text)), 0);
	ck_assert_uint_eq(text_columns(text, sizeof(text)), 1);
	char *copy = text_sanitize(text, sizeof(text), 0);
	ck_assert_str_eq(copy, "a" MARKS8);
	free(copy);
}
END_TEST

START_TEST(zero_bytes_are_drawn)
{
	char *copy = text_sanitize("a\0b", 3, 0);

	ck_assert_str_eq(copy, "a\ufffdb");
	free(copy);
}
END_TEST

/* What grows most when it is drawn still has room. */
START_TEST(growth)
{
	static const struct {
		const char *link;
		size_t drawn; /* bytes that it becomes */
	} links[] = {{"\xff", 3}, {"\u202e", 3}, {"\x01\u0301", 8}};
	char text[3000];
	size_t link = strlen(links[_i].link);
	size_t count = sizeof(text) / link;

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * link, links[_i].link, link);
	char *copy = text_sanitize(text, count * link, 1);
	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_eq(strlen(copy), count * links[_i].drawn);
	free(copy);
}
END_TEST

Suite *text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *cutting = tcase_create("clusters");
	TCase *fitting = tcase_create("fitting");
	TCase *drawing = tcase_create("drawing");

	tcase_add_loop_test(cutting, one_cluster, 0, COUNT(clusters));
	tcase_add_loop_test(cutting, two_clusters, 0, COUNT(clusters));
	tcase_add_loop_test(cutting, several_clusters, 0, COUNT(runs));
	tcase_add_test(cutting, before_in_a_long_text);
	tcase_add_test(cutting, syllables);
	tcase_add_test(cutting, nothing_at_all);
	tcase_add_loop_test(cutting, clusters_are_bounded, 0, 4);
	suite_add_tcase(s, cutting);
	tcase_add_loop_test(fitting, fit, 0, COUNT(fits));
	suite_add_tcase(s, fitting);
	tcase_add_loop_test(drawing, clean_copies, 0, COUNT(drawn));
	tcase_add_test(drawing, flood_of_marks);
	tcase_add_test(drawing, zero_bytes_are_drawn);
	tcase_add_loop_test(drawing, growth, 0, 3);
	suite_add_tcase(s, drawing);
	return s;
}
