/*
 * The model: what the user said, from waiting to kept or refused.
 */
#include "tests/unit/tell.h"

#include <check.h>
#include <string.h>

START_TEST(own_messages)
{
	struct buffer *b = model_current(model);

	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "hello", 7), 0);
	ck_assert_int_eq(tell_last_line(b)->state, LINE_WAITING);
	tell(news_said("lobby", anna, "anna", "between"));
	ck_assert_str_eq(tell_last_line(b)->text, "hello");
	tell((struct event){.type = EVENT_SENT, .counter = 7});
	ck_assert_int_eq(tell_last_line(b)->state, LINE_SENT);
	tell((struct event){
		.type = EVENT_ACK, .counter = 7, .seq = news_seq + 1, .room = (char *)"lobby"});
	ck_assert_int_eq(tell_last_line(b)->state, LINE_ACCEPTED);
	uint64_t end = scrollback_end(&b->lines);
	struct event e = news_said("lobby", me, "me", "hello");
	e.own = true;
	e.counter = 7;
	tell(e);
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_int_eq(tell_last_line(b)->state, LINE_ACCEPTED);
	ck_assert(!model->bell);
}
END_TEST

/* What was on its way when the connection broke waits again, and what was kept does not. */
START_TEST(waiting_after_a_break)
{
	struct buffer *b = model_current(model);

	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "kept", 1), 0);
	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "sent", 2), 0);
	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "waiting", 3), 0);
	tell((struct event){.type = EVENT_SENT, .counter = 1});
	tell((struct event){.type = EVENT_SENT, .counter = 2});
	tell((struct event){.type = EVENT_SENT, .counter = 9});
	tell((struct event){.type = EVENT_ACK, .counter = 1, .seq = 50, .room = (char *)"lobby"});
	tell((struct event){.type = EVENT_STATE, .state = LINK_WAITING, .text = (char *)"cut"});
	uint64_t end = scrollback_end(&b->lines);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 3)->state, LINE_ACCEPTED);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 2)->state, LINE_WAITING);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 1)->state, LINE_WAITING);
}
END_TEST

/* What an earlier process left waits in its room; kept already, it is shown once, at its place. */
START_TEST(restored_messages)
{
	struct event e = {.type = EVENT_RESTORED,
		.room = (char *)"den",
		.text = (char *)"left over",
		.counter = 5};

	tell(e);
	struct buffer *b = model_room(model, "den");
	ck_assert_ptr_nonnull(b);
	ck_assert(!b->joined);
	ck_assert_int_eq(tell_last_line(b)->state, LINE_WAITING);
	e.counter = 6;
	tell(e);
	/* One is in the last page, the other one further back. */
	tell((struct event){.type = EVENT_ACK, .counter = 5, .seq = 20, .room = (char *)"den"});
	tell((struct event){.type = EVENT_ACK, .counter = 6, .seq = 30, .room = (char *)"den"});
	ck_assert_uint_eq(b->lines.waiting, 2);
	tell_joined("den", 30, false);
	struct event back = news_said("den", me, "me", "left over");
	back.seq = 30;
	back.own = true;
	back.counter = 6;
	tell(back);
	tell_caught_up("den");
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_uint_eq(b->lines.count, 2); /* and that this is the room */

	struct event d = {.type = EVENT_RESTORED,
		.direct = true,
		.room = (char *)"",
		.peer_nick = (char *)"anna",
		.text = (char *)"psst",
		.counter = 7};
	memcpy(d.peer, anna, PERSON_ID);
	tell(d);
	ck_assert_str_eq(tell_last_line(model_direct(model, anna, "anna"))->text, "psst");
}
END_TEST

START_TEST(refused_message)
{
	struct buffer *b = model_current(model);

	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "no", 8), 0);
	tell((struct event){.type = EVENT_REFUSED,
		.counter = 8,
		.room = (char *)"lobby",
		.text = (char *)"because"});
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_int_eq(tell_last_line(b)->kind, LINE_ERROR);
	ck_assert_ptr_nonnull(strstr(tell_last_line(b)->text, "because"));
	ck_assert_int_eq(
		scrollback_line(&b->lines, scrollback_end(&b->lines) - 2)->state, LINE_REFUSED);
}
END_TEST

/* Whoever writes to somebody without going there is told what became of it where they are. */
START_TEST(apart)
{
	struct buffer *here = model_current(model), *b = model_open_direct(model, NULL, "nobody");
	struct event refused = {.type = EVENT_REFUSED,
		.counter = 8,
		.direct = true,
		.room = (char *)"",
		.text = (char *)"nobody of that name is here"};
	size_t before = here->lines.count;

	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "hey", 8), 0);
	tell(refused);
	ck_assert_str_eq(model->hint, "Not sent to nobody.");
	model->hint[0] = '\0';
	ck_assert_uint_eq(here->lines.count, before + 1);
	ck_assert_int_eq(tell_last_line(here)->kind, LINE_ERROR);
	ck_assert_str_eq(
		tell_last_line(here)->text, "Not sent to nobody: nobody of that name is here");
	ck_assert_ptr_nonnull(strstr(tell_last_line(b)->text, "nobody of that name is here"));
	b = model_open_direct(model, NULL, "anna");
	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "hey", 9), 0);
	ck_assert_str_eq(model->hint, "");
	tell((struct event){.type = EVENT_ACK, .counter = 9, .seq = 3, .room = (char *)""});
	ck_assert_str_eq(model->hint, "Sent to anna: room 5 in the list.");
	/* Its coming back may be told first. */
	ck_assert_int_eq(model_sent(model, here, SAID_TEXT, "hey", 11), 0);
	model_show(model, 0);
	struct event back = news_said("lobby", me, "me", "hey");
	back.own = true;
	back.counter = 11;
	model->hint[0] = '\0';
	tell(back);
	ck_assert_str_eq(model->hint, ""); /* it was written there */
	ck_assert_int_eq(model_sent(model, here, SAID_TEXT, "hey", 12), 0);
	back.counter = 12;
	back.seq = ++news_seq;
	tell(back);
	ck_assert_str_eq(model->hint, "Sent to #lobby: room 2 in the list.");
	model_show(model, model_index(model, here));
	before = here->lines.count;
	/* And whoever has gone there meanwhile sees it there. */
	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "hey", 10), 0);
	model_show(model, model_index(model, b));
	refused.counter = 10;
	tell(refused);
	uint64_t end = scrollback_end(&b->lines) - b->lines.waiting;
	ck_assert_ptr_nonnull(
		strstr(scrollback_line(&b->lines, end - 1)->text, "Up brings the text back"));
	ck_assert_uint_eq(here->lines.count, before);
}
END_TEST

Suite *model_sent_suite(void)
{
	Suite *s = suite_create("model_sent");
	TCase *t = tcase_create("sent");

	tcase_add_checked_fixture(t, tell_setup, tell_teardown);
	tcase_add_test(t, own_messages);
	tcase_add_test(t, waiting_after_a_break);
	tcase_add_test(t, restored_messages);
	tcase_add_test(t, refused_message);
	tcase_add_test(t, apart);
	suite_add_tcase(s, t);
	return s;
}
