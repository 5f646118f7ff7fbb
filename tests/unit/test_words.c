/*
 * Words: how texts fold, what a search finds in them, and that an index of SQLite
 * finds the same.
 */
#include "server/words.h"

#include "common/err.h"
#include "common/utf8.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

Suite *words_suite(void);

/* ---- folding ---- */

static const struct {
	const char *text, *folded;
} folds[] = {
	{"", ""},
	{" \t\n", ""},
	{"one", "one"},
	{"  One,two;THREE!  ", "one two three"},
	{"don't_stop-me", "don t stop me"},
	{"192.168.1.20:19830", "192 168 1 20 19830"},
	{"a\"b'c(d)e*f^g:h+i", "a b c d e f g h i"},
	/* Cyrillic */
	{"Ёлка", "елка"},
	{"ЕЛКА елка ёлка Е\u0308лка", "елка елка елка елка"},
	{"Йод и\u0306од иод Иод", "йод йод иод иод"},
	{"и\u0323\u0306 и\u0301\u0306 и\u0306\u0306", "й й й"},
	{"Ўзбек Їжак ѝ Ӂ", "узбек іжак и ж"},
	/* Latin, Greek */
	{"Café cafe\u0301 CAFÉ", "cafe cafe cafe"},
	{"Žluťoučký kůň Việt Nam Ångström", "zlutoucky kun viet nam angstrom"},
	{"Straße STRASSE STRAẞE", "strasse strasse strasse"},
	{"ΌΔΟΣ οδός ὁδός", "οδοσ οδοσ οδοσ"},
	{"İstanbul ISTANBUL", "istanbul istanbul"},
	{"ﬁnd oﬀ Ǆ", "find off dz"},
	/* width, circles, powers */
	{"ＡＢＣ１２３　ｘ", "abc123 x"},
	{"ｶﾞｷﾞ", "ガ ギ"},
	{"① x² ½ ℌ", "1 x2 1 2 h"},
	/* what nobody sees is nothing */
	{"so\u00adft jo\u200din\u200cer va\ufe0fr", "soft joiner var"},
	/* points of Hebrew and Arabic */
	{"שָׁלוֹם مُحَمَّد", "שלום محمد"},
	/* marks that spell */
	{"हिन्दी", "हिन्दी"},
	{"がぎ かき", "が ぎ か き"},
	{"か\u3099", "が"},
	{"ที่นี่", "ที่ นี่"},
	{"\u1112\u1161\u11ab국", "한국"},
	/* each character a word */
	{"東京タワー", "東 京 タ ワ ー"},
	{"東京2024年abc", "東 京 2024 年 abc"},
	{"abc東京", "abc 東 京"},
	{"𠮷野家", "𠮷 野 家"},
	{"人々〇", "人 々 〇"},
	{"ສະບາຍ", "ສ ະ ບ າ ຍ"},
	{"မြန်မာ", "မြ န် မာ"},
	{"ខ្មែរ", "ខ្ មែ រ"},
	/* no words */
	{"🎄🎉 👨‍👩‍👧 🇩🇪", ""},
	{"!?.,:;-_()[]{}<>|/\\@#$%^&*+=~`'\"", ""},
	{"→ ∑ © €", ""},
	{"\u0301 \u0306 \u3099 \u20e3", ""},
	{"3\ufe0f\u20e3 a\u20dd", "3 a"},
	{"\U000e0041\ue000\uffff", ""},
	/* the largest expansion */
	{"\ufdfa", "صلى الله عليه وسلم"},
};

static char *fold(const char *text)
{
	char *folded = words_fold(span_of(text));

	ck_assert_ptr_nonnull(folded);
	return folded;
}

START_TEST(folds_to)
{
	char *once = fold(folds[_i].text);
	ck_assert_str_eq(once, folds[_i].folded);
	char *twice = fold(once);
	ck_assert_str_eq(twice, once);
	free(once);
	free(twice);
}
END_TEST

/* Everything but letters and digits is a blank, to SQLite and to us. */
static void check_tokens(const char *folded)
{
	size_t length = strlen(folded);
	bool good = true;

	/* One assertion for all: each is told to the runner. */
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)folded[i];
		bool token = c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		good &= token || (c == ' ' && i > 0 && i + 1 < length && folded[i + 1] != ' ');
	}
	ck_assert(good);
}

START_TEST(every_code_point_becomes_tokens)
{
	char bytes[256 * 12];
	size_t length = 0;

	/* Each beside a letter and by itself, many in a text. */
	for (uint32_t c = 0; c < 0x110000; c++) {
		if (c < 0xd800 || c >= 0xe000) {
			length += utf8_encode(c, bytes + length);
			bytes[length++] = 'x';
			bytes[length++] = ' ';
			length += utf8_encode(c, bytes + length);
			bytes[length++] = ' ';
		}
		if (c % 256 != 255 || length == 0)
			continue;
		char *folded = words_fold((struct span){.text = bytes, .length = (uint16_t)length});
		ck_assert_ptr_nonnull(folded);
		ck_assert(folded[0] != '\0');
		check_tokens(folded);
		free(folded);
		length = 0;
	}
}
END_TEST

static const struct span hostile[] = {
	{"\xff", 1},
	{"ok \xc3", 4},
	{"\xc0\x80", 2},
	{"\xed\xa0\x80", 3},
	{"\xf4\x90\x80\x80", 4},
	{"a\x80", 2},
};

START_TEST(no_words_without_utf8)
{
	struct words_search s;
	char *folded = words_fold(hostile[_i]);

	ck_assert_str_eq(folded, "");
	free(folded);
	ck_assert_int_eq(words_parse(hostile[_i], &s), ERR_ARGUMENT);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
	char *folded = words_fold((struct span){.text = "a\0b\0", .length = 4});

	ck_assert_str_eq(folded, "a b");
	free(folded);
}
END_TEST

/* Texts as long as they may be, of what grows most and of what is cut most often. */
static const char *const fillers[] = {
	"a", "a ", "é", "京", "\ufdfa", "e\u0301", "\u0301", "🎄", "\"", "\u0390", "㌖", "ﬃ"};

START_TEST(long_texts)
{
	char text[TEXT_MAX];
	size_t size = strlen(fillers[_i]), length = 0;

	for (; length + size <= sizeof(text); length += size)
		memcpy(text + length, fillers[_i], size);
	char *folded = words_fold((struct span){.text = text, .length = (uint16_t)length});
	ck_assert_ptr_nonnull(folded);
	check_tokens(folded);
	free(folded);
	/* Cut inside a character it is not UTF-8. */
	folded = words_fold((struct span){.text = text, .length = (uint16_t)(length - 1)});
	ck_assert_ptr_nonnull(folded);
	ck_assert(size == 1 || (unsigned char)fillers[_i][size - 1] < 0x80 || folded[0] == '\0');
	free(folded);
}
END_TEST

/* ---- what a search is ---- */

/* Terms as they are written down here: one|two words|pre* */
static const struct {
	const char *words, *terms;
} parses[] = {
	{"one", "one*"},
	{"one ", "one"},
	{"one\t", "one"},
	{"one!", "one"},
	{"c++", "c"},
	{" one  TWO", "one|two*"},
	{"one two ", "one|two"},
	{"don't stop", "don|t|stop*"},
	{"Ёлка Café", "елка|cafe*"},
	{"\"one two\"", "one two"},
	{"\"one two\" three", "one two|three*"},
	{"one \"two three\"", "one|two three"},
	{"a\"b c\"de", "a|b c|de*"},
	{"\"one, two!\" x ", "one two|x"},
	{"one \"two three", "one|two three"}, /* never closed */
	{"one\"", "one"},
	{"\"one", "one"},
	{"\"\"one", "one*"},
	{"\"\" one \"\"", "one"},
	{"one \" \" two", "one|two*"},
	{"＂wide marks＂ x ", "wide marks|x"},
	{"東京", "東 京*"},
	{"東京 ", "東 京"},
	{"東京 大阪 ", "東 京|大 阪"},
	{"東京、大阪。", "東 京|大 阪"},
	{"Python3の使い方", "python3|の 使 い 方*"},
	{"\"abc 東京 x\"", "abc 東 京 x"},
	{"ที่นี่ดี ", "ที่ นี่ ดี"},
	{"one 🎄", "one"},
	{"one t", "one|t"}, /* a single letter begins too many words */
	{"ё", "е"},
	{"one tw", "one|tw*"},
	{"NOT a OR b AND NEAR(c) text:x*", "not|a|or|b|and|near|c|text|x"},
};

static void check_terms(const struct words_search *s, const char *expected)
{
	char got[1024] = "";
	size_t length = 0;

	for (size_t i = 0; i < s->count; i++) {
		int n = snprintf(got + length, sizeof(got) - length, "%s%s%s", i ? "|" : "",
			s->terms[i].words, s->terms[i].prefix ? "*" : "");
		ck_assert(n > 0 && (size_t)n < sizeof(got) - length);
		length += (size_t)n;
	}
	ck_assert_str_eq(got, expected);
}

START_TEST(parses_to)
{
	struct words_search s;

	ck_assert_int_eq(words_parse(span_of(parses[_i].words), &s), 0);
	check_terms(&s, parses[_i].terms);
	words_fini(&s);
	ck_assert_uint_eq(s.count, 0);
	words_fini(&s);
}
END_TEST

static const char *const empty[] = {
	"", " ", "\"", "\"\"", "\"\"\"", "🎄", "\"🎄 !\"", "*", "\u0301", "()", "--", "\\"};

START_TEST(nothing_to_look_for)
{
	struct words_search s = {.count = 77};

	ck_assert_int_eq(words_parse(span_of(empty[_i]), &s), ERR_ARGUMENT);
	ck_assert_uint_eq(s.count, 77);
}
END_TEST

START_TEST(terms_are_bounded)
{
	char words[WORDS_TERMS * 4 + 8] = "";
	struct words_search s;

	for (size_t count = WORDS_TERMS - 1; count <= WORDS_TERMS + 1; count++) {
		size_t length = 0;
		for (size_t i = 0; i < count; i++)
			length += (size_t)snprintf(words + length, sizeof(words) - length,
				"%sw%02zu", i ? " " : "", i);
		ck_assert_int_eq(words_parse(span_of(words), &s), 0);
		ck_assert_uint_eq(s.count, count < WORDS_TERMS ? count : WORDS_TERMS);
		/* The last word may go on; not another one, when it was left out. */
		ck_assert_int_eq(s.terms[s.count - 1].prefix, count <= WORDS_TERMS);
		words_fini(&s);
	}
}
END_TEST

/* ---- what is found ---- */

static const struct {
	const char *text, *words;
	bool found;
} searches[] = {
	{"Новогодняя Ёлка в лесу", "елка", true},
	{"Новогодняя елка в лесу", "ЁЛКА", true},
	{"Новогодняя елка в лесу", "новог", true},
	{"Новогодняя елка в лесу", "новог ", false},
	{"Новогодняя елка в лесу", "\"новог\"", false},
	{"Новогодняя елка в лесу", "овогодняя", false},
	{"Мой йод", "иод", false},
	{"Мой йод", "Йод ", true},
	{"Meet at the Café!", "cafe the", true},
	{"Meet at the Café!", "\"the cafe\"", true},
	{"Meet at the Café!", "\"cafe the\"", false},
	{"Meet at the Café!", "\"meet the\"", false},
	{"Meet at the Café!", "meet tea", false},
	{"Meet at the Café!", "\"the caf\"", false},
	{"Meet at the Café!", "at the caf", true},
	{"concatenate cat", "cat ", true},
	{"concatenate", "cat", false},
	{"cat concatenate", "\"cat conc\"", false},
	{"scattered cat", "\"cat\"", true},
	{"a a b", "\"a b\"", true},
	{"ab a b", "\"a b\"", true},
	{"Große Straße", "STRASSE grosse ", true},
	{"ΟΔΟΣ", "οδός", true},
	{"ＷＩＤＥ", "wide ", true},
	{"我昨天去了東京塔", "東京", true},
	{"我昨天去了東京塔", "京東", false},
	{"我昨天去了東京塔", "東京 昨天", true},
	{"東の京", "東京", false},
	{"東の京", "東 京", true},
	{"東京abc", "abc", true},
	{"カキ", "ガキ", false},
	{"ฉันอยู่ที่นี่", "ที่นี่", true},
	{"🎄", "елка", false},
	{"", "a", false},
	{"x NEAR y", "near", true},
	{"one\"two", "\"one two\"", true},
	{"O'Reilly's book", "o'reilly's", true},
	{"DROP TABLE text; --", "'; drop table text; --", true},
	{"see http://example.com/a?b=c", "example.com/a", true},
	{"naïve coöperation", "naive cooperation", true},
};

static bool matches(const char *text, const char *words)
{
	struct words_search s;
	char *folded = fold(text);

	ck_assert_int_eq(words_parse(span_of(words), &s), 0);
	bool found = words_match(&s, folded);
	words_fini(&s);
	free(folded);
	return found;
}

START_TEST(finds)
{
	ck_assert_int_eq(matches(searches[_i].text, searches[_i].words), searches[_i].found);
}
END_TEST

/* ---- the same in SQLite ---- */

static sqlite3 *db;

static void open_index(void)
{
	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				 "CREATE VIRTUAL TABLE words USING fts5(streams, text,"
				 " content='', tokenize='ascii')",
				 NULL, NULL, NULL),
		SQLITE_OK);
}

static void close_index(void)
{
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* The text in the other column must not matter. */
static void index_text(int row, const char *other, const char *text)
{
	sqlite3_stmt *t;
	char *folded = fold(text);

	ck_assert_int_eq(
		sqlite3_prepare_v2(db, "INSERT INTO words (rowid, streams, text) VALUES (?, ?, ?)",
			-1, &t, NULL),
		SQLITE_OK);
	sqlite3_bind_int(t, 1, row);
	sqlite3_bind_text(t, 2, other, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(t, 3, folded, -1, SQLITE_TRANSIENT);
	ck_assert_int_eq(sqlite3_step(t), SQLITE_DONE);
	sqlite3_finalize(t);
	free(folded);
}

/* How many rows an expression finds. */
static int count_found(const char *expression)
{
	sqlite3_stmt *t;
	int count = 0, r;

	ck_assert_int_eq(
		sqlite3_prepare_v2(db, "SELECT rowid FROM words WHERE words MATCH ?", -1, &t, NULL),
		SQLITE_OK);
	sqlite3_bind_text(t, 1, expression, -1, SQLITE_TRANSIENT);
	while ((r = sqlite3_step(t)) == SQLITE_ROW)
		count++;
	ck_assert_msg(r == SQLITE_DONE, "%s: %s", expression, sqlite3_errmsg(db));
	sqlite3_finalize(t);
	return count;
}

static int count_words(struct span words)
{
	struct words_search s;

	ck_assert_int_eq(words_parse(words, &s), 0);
	char *expression = words_expression(&s, "text");
	ck_assert_ptr_nonnull(expression);
	int count = count_found(expression);
	free(expression);
	words_fini(&s);
	return count;
}

START_TEST(the_index_finds_the_same)
{
	for (size_t i = 0; i < COUNT(searches); i++)
		index_text((int)i + 1, "cat near a b wide", searches[i].text);
	for (size_t i = 0; i < COUNT(searches); i++) {
		int expected = 0;
		for (size_t j = 0; j < COUNT(searches); j++)
			expected += matches(searches[j].text, searches[i].words);
		ck_assert_msg(count_words(span_of(searches[i].words)) == expected, "%s",
			searches[i].words);
	}
}
END_TEST

START_TEST(expressions)
{
	struct words_search s;

	ck_assert_int_eq(words_parse(span_of("Ёлка \"one two\" pre"), &s), 0);
	char *expression = words_expression(&s, "text");
	ck_assert_str_eq(expression, "text : (\"елка\" AND \"one two\" AND \"pre\" *)");
	free(expression);
	words_fini(&s);
}
END_TEST

/* Whatever is looked for, the expression is one. */
START_TEST(expressions_of_anything)
{
	static const char *const pieces[] = {"\"", "*", " ", "(", ")", ":", "AND", "OR", "NOT",
		"NEAR", "+", "^", "-", "{text}", "'", ";", "text", "\\", "é", "京", "\ufdfa", "x",
		"\u0301", "🎄", "0"};
	char words[WORDS_MAX];
	uint32_t random = 1;

	index_text(1, "a", "x");
	for (int round = 0; round < 1000; round++) {
		size_t length = 0;
		struct words_search s;
		for (;;) {
			random = random * 1664525 + 1013904223;
			const char *piece = pieces[(random >> 16) % COUNT(pieces)];
			if (length + strlen(piece) > sizeof(words) || (random >> 8) % 64 == 0)
				break;
			memcpy(words + length, piece, strlen(piece));
			length += strlen(piece);
		}
		struct span all = {.text = words, .length = (uint16_t)length};
		if (words_parse(all, &s) != 0)
			continue;
		words_fini(&s);
		(void)count_words(all);
	}
}
END_TEST

/* The longest search of the protocol, as one quotation, finds itself. */
START_TEST(the_longest_search)
{
	char words[WORDS_MAX], text[WORDS_MAX];
	size_t size = strlen(fillers[_i]), length = 0;

	for (; length + size + 2 <= sizeof(words); length += size)
		memcpy(text + length, fillers[_i], size);
	memcpy(words + 1, text, length);
	words[0] = words[length + 1] = '"';
	text[length] = '\0';
	char *folded = fold(text);
	if (folded[0]) {
		index_text(1, "", text);
		ck_assert_int_eq(count_words((struct span){words, (uint16_t)(length + 2)}), 1);
	}
	free(folded);
}
END_TEST

Suite *words_suite(void)
{
	Suite *s = suite_create("words");
	TCase *folding = tcase_create("folding");
	TCase *parsing = tcase_create("parsing");
	TCase *finding = tcase_create("finding");

	tcase_set_timeout(folding, 60);
	tcase_add_loop_test(folding, folds_to, 0, COUNT(folds));
	tcase_add_test(folding, every_code_point_becomes_tokens);
	tcase_add_loop_test(folding, no_words_without_utf8, 0, COUNT(hostile));
	tcase_add_test(folding, a_nul_is_no_end);
	tcase_add_loop_test(folding, long_texts, 0, COUNT(fillers));
	suite_add_tcase(s, folding);
	tcase_add_loop_test(parsing, parses_to, 0, COUNT(parses));
	tcase_add_loop_test(parsing, nothing_to_look_for, 0, COUNT(empty));
	tcase_add_test(parsing, terms_are_bounded);
	tcase_add_loop_test(parsing, finds, 0, COUNT(searches));
	suite_add_tcase(s, parsing);
	tcase_add_checked_fixture(finding, open_index, close_index);
	tcase_set_timeout(finding, 60);
	tcase_add_test(finding, the_index_finds_the_same);
	tcase_add_test(finding, expressions);
	tcase_add_test(finding, expressions_of_anything);
	tcase_add_loop_test(finding, the_longest_search, 0, COUNT(fillers));
	suite_add_tcase(s, finding);
	return s;
}
