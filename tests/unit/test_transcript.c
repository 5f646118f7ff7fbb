/*
 * What is printed of a run: every call that matters, many that are alike by their number, and verdicts.
 */
#include "common/err.h"
#include "tools/lab/transcript.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 120

static struct journal *journal;
static char *text;
static size_t size;
static FILE *out;
static struct outcome outcome;

static void setup(void)
{
	journal = journal_new();
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(journal);
	ck_assert_ptr_nonnull(out);
	outcome = (struct outcome){.shown = true};
	outcome.options.scenario = scenario_find("loss");
}

static void teardown(void)
{
	fclose(out);
	free(text);
	journal_free(journal);
}

static void call(enum side side, const char *operation, int fd, long result, int error)
{
	char name[32], arguments[64];

	snprintf(name, sizeof(name), "%s", operation);
	snprintf(arguments, sizeof(arguments), "%d", fd);
	struct journal_call c = {.host = 1,
		.fd = fd,
		.result = result,
		.error = error,
		.operation = name,
		.arguments = arguments};
	ck_assert_int_ge(journal_call(journal, side, &c), 0);
}

static const char *told(void)
{
	transcript_end(&outcome, journal, out, WIDTH);
	fflush(out);
	return text;
}

static unsigned count(const char *in, const char *what)
{
	unsigned n = 0;

	for (const char *at = in; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

START_TEST(many_that_are_alike_are_counted)
{
	for (int i = 0; i < 1000; i++)
		call(SIDE_TCP, "send", 5, 64, 0);
	const char *all = told();
	ck_assert_uint_eq(count(all, "server  send(5) = 64"), 3);
	ck_assert_ptr_nonnull(strstr(all, "... and 997 more send(5, ...)"));
}
END_TEST

START_TEST(failures_are_counted_apart)
{
	for (int i = 0; i < 10; i++) {
		call(SIDE_UDP, "recvmsg", 5, 8, 0);
		call(SIDE_UDP, "recvmsg", 5, -1, EAGAIN);
	}
	const char *all = told();
	ck_assert_uint_eq(count(all, "recvmsg(5) = -1 EAGAIN"), 3);
	ck_assert_ptr_nonnull(strstr(all, "... and 7 more recvmsg(5, ...)"));
	ck_assert_ptr_nonnull(strstr(all, "... and 7 more recvmsg(5, ...) that failed"));
}
END_TEST

/* What sets up is told each time, and in its place: the descriptor may be another socket by then. */
START_TEST(what_sets_up_is_always_told)
{
	for (int i = 0; i < 5; i++) {
		call(SIDE_TCP, "socket", 4, 4, 0);
		for (int k = 0; k < 5; k++)
			call(SIDE_TCP, "send", 4, 1, 0);
		call(SIDE_TCP, "close", 4, 0, 0);
	}
	const char *all = told();
	ck_assert_uint_eq(count(all, "socket(4)"), 5);
	ck_assert_uint_eq(count(all, "close(4)"), 5);
	ck_assert_uint_eq(count(all, "... and 2 more send(4, ...)"), 5);
	ck_assert(strstr(all, "... and 2 more") < strstr(all, "close(4)"));
}
END_TEST

START_TEST(verdicts_are_told)
{
	struct outcome_check checks[] = {
		{SIDE_TCP, true, "it holds", "5 of 5"}, {SIDE_UDP, false, "it does not", "4 of 5"}};

	outcome.checks = checks;
	outcome.checks_count = 2;
	outcome.held = outcome.failed = 1;
	const char *all = told();
	ck_assert_ptr_nonnull(strstr(all, "\nok      TCP  it holds: 5 of 5\n"));
	ck_assert_ptr_nonnull(strstr(all, "\nFAILED  UDP  it does not: 4 of 5\n"));
	ck_assert(!outcome_good(&outcome));
	transcript_total(&outcome, 1, 7, out);
	fflush(out);
	ck_assert_ptr_nonnull(strstr(text, "1 scenario, 1 assertion held, 1 failed (seed 7)\n"));
}
END_TEST

/* Neither held nor failed, and no success either. */
START_TEST(an_open_verdict_is_told)
{
	struct outcome_check checks[] = {{SIDE_TCP, VERDICT_HELD, "it holds", "5 of 5"},
		{SIDE_TCP, VERDICT_OPEN, "all come", "4 of 5; TCP is still trying"}};

	outcome.checks = checks;
	outcome.checks_count = 2;
	outcome.held = outcome.open = 1;
	const char *all = told();
	ck_assert_ptr_nonnull(
		strstr(all, "\nNOT SHOWN  TCP  all come: 4 of 5; TCP is still trying\n"));
	ck_assert_ptr_null(strstr(all, "FAILED"));
	ck_assert(!outcome_good(&outcome));
	ck_assert(!outcome_bad(&outcome));
	outcome.held = 0;
	ck_assert(!outcome_bad(&outcome));
	outcome.failed = 1;
	ck_assert(outcome_bad(&outcome));
	transcript_total(&outcome, 1, 7, out);
	fflush(out);
	ck_assert_ptr_nonnull(strstr(text, "0 assertions held, 1 failed, 1 not shown (seed 7)\n"));
}
END_TEST

/* Which call it was, and not only that it was one. */
START_TEST(the_call_that_failed_is_named)
{
	outcome.error = ERR_SYSTEM;
	snprintf(outcome.trouble, sizeof(outcome.trouble), "connect(5): ECONNREFUSED");
	ck_assert_ptr_nonnull(
		strstr(told(), "FAILED  it did not come to its end: connect(5): ECONNREFUSED\n"));
}
END_TEST

START_TEST(what_was_not_shown_is_told)
{
	outcome.shown = false;
	snprintf(outcome.reason, sizeof(outcome.reason), "no device");
	transcript_end(&outcome, NULL, out, WIDTH);
	transcript_total(&outcome, 1, 7, out);
	fflush(out);
	ck_assert_ptr_nonnull(strstr(text, "NOT SHOWN  no device\n"));
	ck_assert_ptr_nonnull(strstr(text, "; 1 scenario not shown"));
	ck_assert(!outcome_good(&outcome));
}
END_TEST

/* One that asserted nothing has shown nothing. */
START_TEST(nothing_held_is_not_good)
{
	ck_assert(!outcome_good(&outcome));
	outcome.held = 1;
	ck_assert(outcome_good(&outcome));
	outcome.error = ERR_STOPPING;
	ck_assert(!outcome_good(&outcome));
	ck_assert_ptr_nonnull(strstr(told(), "FAILED  it did not come to its end"));
}
END_TEST

Suite *transcript_suite(void)
{
	Suite *s = suite_create("transcript");
	TCase *c = tcase_create("transcript");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, many_that_are_alike_are_counted);
	tcase_add_test(c, failures_are_counted_apart);
	tcase_add_test(c, what_sets_up_is_always_told);
	tcase_add_test(c, verdicts_are_told);
	tcase_add_test(c, an_open_verdict_is_told);
	tcase_add_test(c, the_call_that_failed_is_named);
	tcase_add_test(c, what_was_not_shown_is_told);
	tcase_add_test(c, nothing_held_is_not_good);
	suite_add_tcase(s, c);
	return s;
}
