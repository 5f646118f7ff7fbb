/*
 * The session: what others say, in rooms and directly; resuming, what is missing, another log.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>

START_TEST(test_duplicates_are_dropped)
{
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 5), 0);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 5), 0);
	ck_assert_int_eq(play_give_said(play, "lobby", 2, 4), 0);
	ck_assert_int_eq(play_give_said(play, "elsewhere", 0, 6), 0);
	ck_assert_int_eq(play_give_said(play, "LOBBY", 5, 7), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, 5);
	const struct event *e = play_expect(play, EVENT_MESSAGE);
	ck_assert_uint_eq(e->seq, 7);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert(!e->own);
	play_expect_no_event(play);
	ck_assert_uint_eq(link_session_dropped(play->s), 3);
}
END_TEST

START_TEST(test_missing_message_is_noticed)
{
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(play_give_said(play, "lobby", 5, 6), ERR_PROTOCOL);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_gap)
{
	struct msg_gap gap = {.room = span_of("lobby"), .after = 4, .next = 9};

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(play_give(play, MESSAGE_GAP, &gap), 0);
	ck_assert_int_eq(play_give_said(play, "lobby", 8, 9), 0);
	const struct event *e = play_expect(play, EVENT_GAP);
	ck_assert_uint_eq(e->seq, 4);
	ck_assert_uint_eq(e->number, 9);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, 9);
}
END_TEST

START_TEST(test_resumed_after_break)
{
	struct msg_login login;
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 7), 0);
	link_session_end(play->s);
	event_list_fini(&play->events);
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_mem_eq(login.log, play_log_a, sizeof(play_log_a));
	event_list_fini(&play->events);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 7);
	play_give_joined(play, m.join.tag, "lobby", 7);
	ck_assert(play_expect(play, EVENT_JOINED)->flag);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 7), 0);
	ck_assert_int_eq(play_give_said(play, "lobby", 7, 8), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, 8);
}
END_TEST

START_TEST(test_another_log)
{
	struct msg_login login;
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	link_session_end(play->s);
	event_list_fini(&play->events);
	play_log_in(play, play_log_b, 0, &login);
	play_expect_state(play, LINK_LOGGING_IN);
	play_expect(play, EVENT_LOG_CHANGED);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, 0);
	ck_assert_uint_eq(m.join.replay, 10);

	/* Positions are those of the new log now, however small. */
	play_give_joined(play, m.join.tag, "lobby", 1);
	event_list_fini(&play->events);
	ck_assert_int_eq(play_give_said(play, "lobby", 1, 2), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, 2);
}
END_TEST

static int give_direct(struct play *p, uint64_t seq, uint8_t from, uint8_t to)
{
	struct msg_direct_said said = {
		.seq = seq,
		.person = {from},
		.to = {to},
		.instance = {from == 7 ? 9 : 3},
		.nick = span_of(from == 7 ? "anna" : "ben"),
		.to_nick = span_of(to == 7 ? "anna" : "ben"),
		.text = span_of("psst"),
	};
	return play_give(p, MESSAGE_DIRECT_SAID, &said);
}

START_TEST(test_direct_messages)
{
	struct msg_login login;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(give_direct(play, 5, 8, 7), 0);
	ck_assert_int_eq(give_direct(play, 6, 7, 8), 0);
	ck_assert_int_eq(give_direct(play, 6, 7, 8), 0);
	const struct event *e = play_expect(play, EVENT_MESSAGE);
	ck_assert(e->direct && !e->own);
	ck_assert_str_eq(e->peer_nick, "ben");
	ck_assert_uint_eq(e->peer[0], 8);
	e = play_expect(play, EVENT_MESSAGE);
	ck_assert(e->direct && e->own);
	ck_assert_str_eq(e->peer_nick, "ben");
	ck_assert_uint_eq(e->peer[0], 8);
	play_expect_no_event(play);
	link_session_end(play->s);
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_uint_eq(login.inbox_after, 6);
}
END_TEST

Suite *link_session_heard_suite(void)
{
	Suite *s = suite_create("link_session_heard");
	TCase *t = tcase_create("link_session_heard");

	tcase_add_checked_fixture(t, play_setup, play_teardown);
	tcase_add_test(t, test_duplicates_are_dropped);
	tcase_add_test(t, test_missing_message_is_noticed);
	tcase_add_test(t, test_gap);
	tcase_add_test(t, test_resumed_after_break);
	tcase_add_test(t, test_another_log);
	tcase_add_test(t, test_direct_messages);
	suite_add_tcase(s, t);
	return s;
}
