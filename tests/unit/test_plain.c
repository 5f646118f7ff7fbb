/*
 * Messages as lines of text: each kind, with and without its time, and nothing that
 * a terminal should not get.
 */
#include "client/plain.h"

#include "client/event.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME UINT64_C(1795375514123456) /* 2026-11-22T19:25:14.123456Z */

typedef void print_function(FILE *out, const struct event *e);

static char *written;
static size_t written_length;

/* Print one event, free it, and return what was written until the next call. */
static const char *print(print_function *function, struct event *e)
{
	free(written);
	FILE *out = open_memstream(&written, &written_length);
	ck_assert_ptr_nonnull(out);
	function(out, e);
	fclose(out);
	event_free(e);
	return written;
}

/* With a peer: a direct message. */
static struct event *message(enum said_kind kind, const char *text, const char *peer)
{
	struct event *e = event_new(EVENT_MESSAGE);

	ck_assert_ptr_nonnull(e);
	e->kind = (int)kind;
	e->time = TIME;
	e->direct = peer != NULL;
	ck_assert_int_eq(event_set(&e->room, peer ? "" : "lobby"), 0);
	ck_assert_int_eq(event_set(&e->nick, "anna"), 0);
	ck_assert_int_eq(event_set(&e->text, text), 0);
	ck_assert_int_eq(peer ? event_set(&e->peer_nick, peer) : 0, 0);
	return e;
}

static const struct {
	enum said_kind kind;
	const char *text, *peer;
	const char *plain; /* NULL: not printed so */
	const char *dated; /* after the time */
} cases[] = {
	{SAID_TEXT, "hi", NULL, "[lobby] anna: hi\n", "<anna> hi\n"},
	{SAID_ACTION, "waves", NULL, "[lobby] * anna waves\n", "* anna waves\n"},
	{SAID_NOTICE, "late", NULL, "[lobby] anna: late\n", "-anna- late\n"},
	{SAID_TOPIC, "exams", NULL, NULL, "* anna set the topic: exams\n"},
	{SAID_TOPIC, "", NULL, NULL, "* anna cleared the topic\n"},
	{SAID_TEXT, "psst", "ben", "[@ben] anna: psst\n", "[@ben] <anna> psst\n"},
	{SAID_ACTION, "nods", "ben", "[@ben] * anna nods\n", "[@ben] * anna nods\n"},
	{SAID_TEXT, "\033[2J\n[lobby] ben: x", NULL,
		"[lobby] anna: \xef\xbf\xbd[2J\xef\xbf\xbd[lobby] ben: x\n",
		"<anna> \xef\xbf\xbd[2J\xef\xbf\xbd[lobby] ben: x\n"},
};

START_TEST(test_cases)
{
	char expected[256];

	setenv("TZ", "CET-1", 1);
	tzset();
	if (cases[_i].plain)
		ck_assert_str_eq(print(plain_message,
					 message(cases[_i].kind, cases[_i].text, cases[_i].peer)),
			cases[_i].plain);
	(void)snprintf(expected, sizeof(expected), "2026-11-22 20:25:14 %s", cases[_i].dated);
	ck_assert_str_eq(
		print(plain_dated, message(cases[_i].kind, cases[_i].text, cases[_i].peer)),
		expected);
}
END_TEST

/* Any number is a time to somebody. */
START_TEST(test_times)
{
	static const uint64_t times[] = {0, UINT64_MAX, (uint64_t)INT64_MAX};
	struct event *e = message(SAID_TEXT, "hi", NULL);

	e->time = times[_i];
	const char *line = print(plain_dated, e);
	ck_assert_ptr_nonnull(strstr(line, " <anna> hi\n"));
}
END_TEST

START_TEST(test_gap)
{
	struct event *e = event_new(EVENT_GAP);

	ck_assert_int_eq(event_set(&e->room, _i ? "lobby" : ""), 0);
	ck_assert_str_eq(
		print(plain_gap, e), _i ? "[lobby] (what was said next is no longer kept)\n"
					: "[@] (what was said next is no longer kept)\n");
}
END_TEST

Suite *plain_suite(void)
{
	Suite *s = suite_create("plain");
	TCase *t = tcase_create("plain");

	tcase_add_loop_test(t, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, test_times, 0, 3);
	tcase_add_loop_test(t, test_gap, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
