/*
 * Sheets: what is on them, in lines that are never wider than they may be.
 */
#include "tools/lab/sheet.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static struct journal *j;
static struct sheet *tcp, *udp, *story;

static void make(void)
{
	j = journal_new();
	tcp = sheet_new(j, SHEET_CALLS, SIDE_TCP);
	udp = sheet_new(j, SHEET_CALLS, SIDE_UDP);
	story = sheet_new(j, SHEET_STORY, SIDE_BOTH);
	ck_assert(j && tcp && udp && story);
}

static void unmake(void)
{
	sheet_free(tcp);
	sheet_free(udp);
	sheet_free(story);
	sheet_free(NULL);
	journal_free(j);
}

static void call(enum side side, long result, const char *why)
{
	char operation[] = "send", arguments[] = "4, \"hello\", 5 bytes", reason[128];
	struct journal_call c = {.host = side == SIDE_BOTH,
		.fd = 4,
		.result = result,
		.error = result < 0 ? EAGAIN : 0,
		.operation = operation,
		.arguments = arguments,
		.why = reason};

	if (why)
		strcpy(reason, why);
	else
		c.why = NULL;
	ck_assert_int_ge(journal_call(j, side, &c), 0);
}

static void line_is(const struct sheet *s, size_t line, enum sheet_look look, const char *text)
{
	char out[SHEET_LINE];
	enum sheet_look found;

	ck_assert_str_eq(sheet_line(s, line, &found, out), text);
	ck_assert_int_eq(found, look);
}

START_TEST(nothing)
{
	sheet_read(tcp, 80);
	ck_assert_uint_eq(sheet_count(tcp), 0);
	line_is(tcp, 0, SHEET_PLAIN, "");
}
END_TEST

/* Before all else, and again where the width changes. */
START_TEST(preface)
{
	sheet_preface(story, "what will be shown");
	sheet_read(story, 80);
	ck_assert_uint_eq(sheet_count(story), 1);
	ck_assert_int_ge(journal_words(j, SIDE_BOTH, "words"), 0);
	sheet_read(story, 80);
	ck_assert_uint_eq(sheet_count(story), 2);
	line_is(story, 0, SHEET_PLAIN, "what will be shown");
	line_is(story, 1, SHEET_PLAIN, "words");
	sheet_read(story, 12);
	ck_assert_uint_eq(sheet_count(story), 3);
	line_is(story, 0, SHEET_PLAIN, "what will be");
	line_is(story, 1, SHEET_PLAIN, "  shown");
	line_is(story, 2, SHEET_PLAIN, "words");
}
END_TEST

START_TEST(calls)
{
	call(SIDE_TCP, 5, "it is copied");
	call(SIDE_TCP, -1, NULL);
	call(SIDE_UDP, 5, NULL);
	ck_assert_int_ge(journal_words(j, SIDE_TCP, "no call"), 0);
	sheet_read(tcp, 80);
	ck_assert_uint_eq(sheet_count(tcp), 3);
	line_is(tcp, 0, SHEET_PLAIN, "client: send(4, \"hello\", 5 bytes) = 5");
	line_is(tcp, 1, SHEET_WHY, "  it is copied");
	line_is(tcp, 2, SHEET_FAILED_CALL, "client: send(4, \"hello\", 5 bytes) = -1 EAGAIN");
	/* What belongs to both is with both, and the newest is marked. */
	call(SIDE_BOTH, 0, NULL);
	sheet_read(tcp, 80);
	sheet_read(udp, 80);
	line_is(tcp, 3, SHEET_NEWEST, "server: send(4, \"hello\", 5 bytes) = 0");
	ck_assert_uint_eq(sheet_count(udp), 2);
	line_is(udp, 0, SHEET_PLAIN, "client: send(4, \"hello\", 5 bytes) = 5");
	line_is(udp, 1, SHEET_NEWEST, "server: send(4, \"hello\", 5 bytes) = 0");
}
END_TEST

START_TEST(words_and_verdicts)
{
	call(SIDE_TCP, 5, NULL);
	ck_assert_int_ge(journal_words(j, SIDE_BOTH, "The wire drops one."), 0);
	ck_assert_int_ge(journal_words(j, SIDE_UDP, "It is gone."), 0);
	ck_assert_int_ge(journal_check(j, SIDE_TCP, true, "all arrive", "3 of 3"), 0);
	ck_assert_int_ge(journal_check(j, SIDE_UDP, false, "one is lost", "3 of 3"), 0);
	sheet_read(story, 80);
	ck_assert_uint_eq(sheet_count(story), 4);
	line_is(story, 0, SHEET_PLAIN, "The wire drops one.");
	line_is(story, 1, SHEET_PLAIN, "UDP: It is gone.");
	line_is(story, 2, SHEET_HELD, "held  TCP: all arrive: 3 of 3");
	line_is(story, 3, SHEET_FAILED, "FAILED  UDP: one is lost: 3 of 3");
}
END_TEST

/* What programs print is the story's as it is told, and by itself without what tells of it. */
START_TEST(voices)
{
	struct sheet *a = sheet_new(j, SHEET_FIRST_VOICE, SIDE_BOTH);
	struct sheet *b = sheet_new(j, SHEET_SECOND_VOICE, SIDE_BOTH);

	ck_assert(a && b);
	ck_assert_int_ge(journal_voice(j, SIDE_TCP, 1, "a prints: ", "hello"), 0);
	ck_assert_int_ge(journal_words(j, SIDE_TCP, "words"), 0);
	ck_assert_int_ge(journal_voice(j, SIDE_TCP, 2, "b prints: ", "hi"), 0);
	sheet_read(a, 80);
	sheet_read(b, 80);
	sheet_read(story, 80);
	ck_assert_uint_eq(sheet_count(a), 1);
	ck_assert_uint_eq(sheet_count(b), 1);
	line_is(a, 0, SHEET_PLAIN, "hello");
	line_is(b, 0, SHEET_PLAIN, "hi");
	ck_assert_uint_eq(sheet_count(story), 3);
	line_is(story, 0, SHEET_PLAIN, "TCP: a prints: hello");
	sheet_free(a);
	sheet_free(b);
}
END_TEST

START_TEST(wrapped)
{
	char out[SHEET_LINE];
	enum sheet_look look;

	call(SIDE_TCP, 5, "a sentence that says why");
	sheet_read(tcp, 20);
	ck_assert_uint_eq(sheet_count(tcp), 5);
	line_is(tcp, 0, SHEET_NEWEST, "client: send(4,");
	line_is(tcp, 1, SHEET_NEWEST, "  \"hello\", 5 bytes)");
	line_is(tcp, 2, SHEET_NEWEST, "  = 5");
	line_is(tcp, 3, SHEET_WHY, "  a sentence that");
	line_is(tcp, 4, SHEET_WHY, "  says why");
	/* Another width is another wrapping, of all that is there. */
	for (size_t columns = 0; columns < 60; columns++) {
		sheet_read(tcp, columns);
		ck_assert_uint_ge(sheet_count(tcp), 2);
		for (size_t i = 0; i < sheet_count(tcp); i++)
			ck_assert_uint_le(
				strlen(sheet_line(tcp, i, &look, out)), columns > 3 ? columns : 3);
	}
}
END_TEST

Suite *sheet_suite(void)
{
	Suite *suite = suite_create("sheet");
	TCase *tests = tcase_create("sheet");

	tcase_add_checked_fixture(tests, make, unmake);
	tcase_add_test(tests, nothing);
	tcase_add_test(tests, preface);
	tcase_add_test(tests, calls);
	tcase_add_test(tests, words_and_verdicts);
	tcase_add_test(tests, voices);
	tcase_add_test(tests, wrapped);
	suite_add_tcase(suite, tests);
	return suite;
}
