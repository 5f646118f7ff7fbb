/*
 * Events as lines: plain, JSON, and nothing that a terminal should not get.
 */
#include "client/pipe_print.h"

#include "client/event.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t instance[INSTANCE_ID] = {0xab};
static char *written;
static size_t written_length;

/* Print one event, free it, and return what was written until the next call. */
static const char *print(struct event *e, bool json)
{
	struct pipe_printer p = {.json = json, .nick = "anna"};

	free(written);
	p.out = open_memstream(&written, &written_length);
	ck_assert_ptr_nonnull(p.out);
	pipe_print(&p, e);
	fclose(p.out);
	event_free(e);
	return written;
}

static struct event *message(enum said_kind kind, const char *text)
{
	struct event *e = event_new(EVENT_MESSAGE);

	ck_assert_ptr_nonnull(e);
	e->kind = (int)kind;
	e->seq = 12;
	e->counter = 3;
	e->time = 1795375514123456;
	memcpy(e->instance, instance, sizeof(instance));
	ck_assert_int_eq(event_set(&e->room, "lobby"), 0);
	ck_assert_int_eq(event_set(&e->nick, "ben"), 0);
	ck_assert_int_eq(event_set(&e->text, text), 0);
	return e;
}

static struct event *direct(const char *text)
{
	struct event *e = message(SAID_TEXT, text);

	e->direct = true;
	ck_assert_int_eq(event_set(&e->room, ""), 0);
	ck_assert_int_eq(event_set(&e->peer_nick, "cat"), 0);
	return e;
}

static struct event *gap(const char *room)
{
	struct event *e = event_new(EVENT_GAP);

	ck_assert_ptr_nonnull(e);
	e->seq = 12;
	e->number = 40;
	ck_assert_int_eq(event_set(&e->room, room), 0);
	return e;
}

START_TEST(test_plain)
{
	ck_assert_str_eq(print(message(SAID_TEXT, "hi"), false), "[lobby] ben: hi\n");
	ck_assert_str_eq(print(direct("psst"), false), "[@cat] ben: psst\n");
	ck_assert_str_eq(print(message(SAID_TOPIC, "exams"), false), "");
	ck_assert_str_eq(
		print(gap("lobby"), false), "[lobby] (what was said next is no longer kept)\n");
	ck_assert_str_eq(print(event_new(EVENT_RTT), false), "");
}
END_TEST

START_TEST(test_json_message)
{
	ck_assert_str_eq(print(message(SAID_TEXT, "\"hi\""), true),
		"{\"type\":\"message\",\"room\":\"lobby\",\"seq\":12,"
		"\"id\":\"ab000000000000000000000000000000:3\",\"from\":\"ben\","
		"\"text\":\"\\\"hi\\\"\",\"time\":\"2026-11-22T19:25:14.123456Z\","
		"\"kind\":\"text\",\"own\":false,\"person\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}\n");
	ck_assert_ptr_nonnull(strstr(print(direct("psst"), true), "\"room\":\"@cat\""));
	ck_assert_ptr_nonnull(
		strstr(print(message(SAID_TOPIC, "exams"), true), "{\"type\":\"topic\""));
}
END_TEST

START_TEST(test_datagram)
{
	struct event *e = message(SAID_ACTION, "waves");

	e->type = EVENT_TOSSED;
	e->seq = e->counter = 0;
	ck_assert_str_eq(print(e, true),
		"{\"type\":\"message\",\"room\":\"lobby\",\"seq\":null,\"id\":null,"
		"\"from\":\"ben\",\"text\":\"waves\",\"time\":\"2026-11-22T19:25:14.123456Z\","
		"\"kind\":\"action\",\"own\":false,\"person\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"datagram\":true}\n");
	e = message(SAID_TEXT, "hi");
	e->type = EVENT_TOSSED;
	ck_assert(!pipe_counts(e));
	ck_assert_str_eq(print(e, false), "[lobby] ben: (udp) hi\n");
}
END_TEST

START_TEST(test_json_ack)
{
	struct event *e = event_new(EVENT_ACK);

	e->seq = 9;
	e->counter = 2;
	memcpy(e->instance, instance, sizeof(instance));
	ck_assert_int_eq(event_set(&e->room, "lobby"), 0);
	ck_assert_int_eq(event_set(&e->nick, ""), 0);
	static const char expected[] =
		"{\"type\":\"ack\",\"room\":\"lobby\",\"seq\":9,"
		"\"id\":\"ab000000000000000000000000000000:2\",\"from\":\"anna\","
		"\"text\":null,\"time\":\"";
	ck_assert(strncmp(print(e, true), expected, sizeof(expected) - 1) == 0);
}
END_TEST

/* A message of an earlier run keeps the number that it got there. */
START_TEST(test_json_waiting)
{
	struct event *e = _i ? direct("psst") : message(SAID_ACTION, "waves");

	e->type = EVENT_RESTORED;
	e->seq = 0;
	const char *line = print(e, true);
	ck_assert_ptr_eq(strstr(line, "{\"type\":\"waiting\","), line);
	ck_assert_ptr_nonnull(strstr(line, _i ? "\"room\":\"@cat\"" : "\"room\":\"lobby\""));
	ck_assert_ptr_nonnull(strstr(line, "\"id\":\"ab000000000000000000000000000000:3\""));
	ck_assert_ptr_nonnull(strstr(line, "\"from\":\"anna\""));
	ck_assert_ptr_nonnull(strstr(line, _i ? "\"kind\":\"text\"" : "\"kind\":\"action\""));
}
END_TEST

START_TEST(test_json_gap)
{
	const char *line = print(gap(_i ? "lobby" : ""), true);

	ck_assert_ptr_eq(strstr(line, "{\"type\":\"gap\","), line);
	ck_assert_ptr_nonnull(strstr(line, _i ? "\"room\":\"lobby\"" : "\"room\":\"@\""));
	ck_assert_ptr_nonnull(strstr(line, "\"after\":12,\"next\":40}"));
}
END_TEST

START_TEST(test_json_refused)
{
	struct event *e = event_new(EVENT_REFUSED);

	e->code = CODE_DISK_FULL;
	e->counter = 2;
	memcpy(e->instance, instance, sizeof(instance));
	ck_assert_int_eq(event_set(&e->room, "lobby"), 0);
	ck_assert_int_eq(event_set(&e->text, "not kept: disk full"), 0);
	const char *line = print(e, true);
	ck_assert_ptr_nonnull(strstr(line, "{\"type\":\"error\",\"room\":\"lobby\""));
	ck_assert_ptr_nonnull(strstr(line, "\"id\":\"ab000000000000000000000000000000:2\""));
	ck_assert_ptr_nonnull(strstr(line, "\"text\":\"not kept: disk full\""));
	ck_assert_ptr_nonnull(strstr(line, "\"code\":21}"));
}
END_TEST

/* What every object has, whatever it is about. */
START_TEST(test_json_always)
{
	static const char *const keys[] = {"type", "room", "seq", "id", "from", "text", "time"};
	struct event *e = event_new((enum event_type)_i);

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(event_set(&e->room, "lobby"), 0);
	ck_assert_int_eq(event_set(&e->nick, "ben"), 0);
	ck_assert_int_eq(event_set(&e->text, "x"), 0);
	const char *line = print(e, true);
	bool silent = _i == EVENT_RTT || _i == EVENT_ROOMS || _i == EVENT_SENT ||
		      _i == EVENT_PLACES || _i == EVENT_HISTORY || _i == EVENT_FOUND;
	if (silent) {
		ck_assert_str_eq(line, "");
		return;
	}
	const char *at = line;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "\"%s\":", keys[k]);
		at = strstr(at, key);
		ck_assert_msg(at, "no %s in %s", key, line);
	}
	ck_assert_str_eq(line + strlen(line) - 2, "}\n");
}
END_TEST

START_TEST(test_counts)
{
	struct event *e = message(SAID_NOTICE, "x");

	ck_assert(pipe_counts(e));
	e->kind = SAID_TOPIC;
	ck_assert(!pipe_counts(e));
	e->kind = SAID_TEXT;
	e->direct = true;
	ck_assert(!pipe_counts(e));
	event_free(e);
}
END_TEST

Suite *pipe_print_suite(void)
{
	Suite *s = suite_create("pipe_print");
	TCase *t = tcase_create("pipe_print");

	tcase_add_test(t, test_plain);
	tcase_add_test(t, test_json_message);
	tcase_add_test(t, test_datagram);
	tcase_add_test(t, test_json_ack);
	tcase_add_loop_test(t, test_json_waiting, 0, 2);
	tcase_add_loop_test(t, test_json_gap, 0, 2);
	tcase_add_test(t, test_json_refused);
	tcase_add_loop_test(t, test_json_always, EVENT_STATE, EVENT_FOUND + 1);
	tcase_add_test(t, test_counts);
	suite_add_tcase(s, t);
	return s;
}
