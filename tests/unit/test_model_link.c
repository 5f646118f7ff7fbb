/*
 * The model: what the user sees of the connection: its greeting, their nick, its breaks.
 */
#include "tests/unit/tell.h"

#include "client/status.h"

#include <check.h>
#include <string.h>

START_TEST(greeting_is_unread)
{
	struct event e = {.type = EVENT_NOTICE, .kind = NOTICE_MOTD, .text = (char *)"one\ntwo\n"};

	tell_anew();
	ck_assert_int_eq(model_set(&model->wanted, "lobby"), 0);
	tell(e);
	tell_joined("lobby", 0, false);
	ck_assert_str_eq(model_current(model)->name, "lobby");
	ck_assert_uint_eq(model->buffers[0]->unread, 2);
	ck_assert_uint_ne(model->buffers[0]->marker, MODEL_NO_LINE);
	model_show(model, 0);
	ck_assert_uint_eq(model->buffers[0]->unread, 0);
}
END_TEST

START_TEST(taken_nick)
{
	tell((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me2",
		.text = (char *)"house",
		.flag = false,
		.number = 100});
	ck_assert_str_eq(model->nick, "me2");
	ck_assert_str_eq(
		tell_last_line(model_current(model))->text, "The nick me was taken; you are me2.");
	ck_assert_uint_eq(model->text_max, 100);
	ck_assert(!model->kept);
	/* It was said in the room that was shown; those joined later are not told. */
	tell_joined("later", 0, false);
	model_show(model, model_index(model, model_room(model, "later")));
	tell_caught_up("later");
	ck_assert_str_eq(
		tell_last_line(model_current(model))->text, "You are in #later: 1 person here.");
}
END_TEST

/* It was said in the server's pane alone, which is left as soon as the first room is joined. */
START_TEST(taken_nick_at_first)
{
	tell_anew();
	ck_assert_int_eq(model_set(&model->wanted, "lobby"), 0);
	tell((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me2",
		.text = (char *)"house",
		.flag = true,
		.number = 100});
	ck_assert_str_eq(
		tell_last_line(model->buffers[0])->text, "The nick me was taken; you are me2.");
	tell_joined("lobby", 0, false);
	tell_caught_up("lobby");
	ck_assert_str_eq(model_current(model)->name, "lobby");
	ck_assert_str_eq(
		tell_last_line(model_current(model))->text, "The nick me was taken; you are me2.");
	tell_caught_up("lobby");
	ck_assert_ptr_null(model->taken_nick);
}
END_TEST

START_TEST(words_of_the_connection)
{
	char out[128];

	model->rtt_us = 400;
	ck_assert_str_eq(status_connection(model, 0, out, sizeof out), "online, 0.4 ms");
	tell((struct event){.type = EVENT_STATE,
		.state = LINK_WAITING,
		.text = (char *)"reset",
		.number = 3500});
	int64_t then = model->retry_at - 3500;
	ck_assert_str_eq(status_connection(model, then, out, sizeof out),
		"offline, next try in 4 s (Enter: now): reset");
	ck_assert_int_eq(status_deadline(model, then), then + 500);
	ck_assert_str_eq(status_connection(model, then + 500, out, sizeof out),
		"offline, next try in 3 s (Enter: now): reset");
	ck_assert_int_eq(status_deadline(model, then + 500), then + 1500);
	ck_assert_int_eq(status_deadline(model, then + 3500), INT64_MAX);
	ck_assert_ptr_nonnull(strstr(tell_last_line(model_current(model))->text, "lost: reset"));
	tell(news_said("dev", anna, "anna", "me: x"));
	ck_assert_ptr_nonnull(strstr(status_activity(model, out, sizeof out), "3:#dev(1!)"));
	ck_assert_uint_lt(strlen(status_activity(model, out, 5)), 5);
}
END_TEST

static void state(enum link_state now, const char *text)
{
	tell((struct event){
		.type = EVENT_STATE, .state = now, .text = (char *)text, .number = 1000});
}

/* How many lines the server's pane has. */
static uint64_t said_lines(void)
{
	return model->buffers[0]->lines.count;
}

/* Each try said that it began and that it failed, until nothing else was to be seen. */
START_TEST(failures_are_said_once)
{
	state(LINK_WAITING, "closed");
	uint64_t lines = said_lines();
	ck_assert_str_eq(
		tell_last_line(model->buffers[0])->text, "The connection was lost: closed");
	state(LINK_CONNECTING, "here");
	ck_assert_uint_eq(said_lines(), lines);
	for (int i = 0; i < 5; i++) {
		state(LINK_WAITING, "refu\x01sed");
		state(LINK_CONNECTING, "here");
		ck_assert_uint_eq(said_lines(), lines + 1);
	}
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 2);
	ck_assert_str_eq(tell_last_line(model->buffers[0])->text, "No connection: timeout");
	state(LINK_ONLINE, "");
	ck_assert_uint_eq(said_lines(), lines + 3);
	ck_assert_str_eq(tell_last_line(model->buffers[0])->text, "Connected again.");
	/* The same trouble another time is news. */
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 4);
}
END_TEST

START_TEST(first_failure_tells_the_way_out)
{
	tell_anew();
	state(LINK_CONNECTING, "here");
	ck_assert_uint_eq(said_lines(), 1);
	state(LINK_WAITING, "refused");
	ck_assert_ptr_nonnull(strstr(tell_last_line(model->buffers[0])->text, "/discover"));
	uint64_t lines = said_lines();
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 1);
	ck_assert_str_eq(tell_last_line(model->buffers[0])->text, "No connection: timeout");
}
END_TEST

Suite *model_link_suite(void)
{
	Suite *s = suite_create("model_link");
	TCase *t = tcase_create("link");

	tcase_add_checked_fixture(t, tell_setup, tell_teardown);
	tcase_add_test(t, greeting_is_unread);
	tcase_add_test(t, taken_nick);
	tcase_add_test(t, taken_nick_at_first);
	tcase_add_test(t, words_of_the_connection);
	tcase_add_test(t, failures_are_said_once);
	tcase_add_test(t, first_failure_tells_the_way_out);
	suite_add_tcase(s, t);
	return s;
}
