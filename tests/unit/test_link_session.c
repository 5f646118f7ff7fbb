/*
 * The session: opening, messages sent, nicks, pings, goodbyes, garbage.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <string.h>

/* ---- the opening ---- */

START_TEST(test_login)
{
	struct msg_login login;
	const struct event *e;

	play_log_in(play, play_log_a, 0, &login);
	ck_assert_uint_eq(login.flags, LOGIN_ANY_NICK);
	ck_assert_uint_eq(login.inbox_replay, 10);
	ck_assert_uint_eq(login.instance[0], 9);
	ck_assert_uint_eq(login.person[0], 7);
	play_expect_state(play, LINK_LOGGING_IN);
	e = play_expect(play, EVENT_LOGGED_IN);
	ck_assert_str_eq(e->nick, "anna");
	ck_assert_str_eq(e->text, "class");
	ck_assert(e->flag);
	ck_assert_uint_eq(e->number, TEXT_MAX);
	play_expect_state(play, LINK_ONLINE);
	play_expect_no_event(play);
	ck_assert(link_session_logged_in(play->s));
}
END_TEST

/* However the bytes are cut, the events are the same. */
START_TEST(test_cut_anywhere)
{
	struct play *p = play_new(true, (size_t)_i);
	union message m;

	play_log_in(p, play_log_a, 0, NULL);
	event_list_fini(&p->events);
	ck_assert_int_eq(link_session_join(p->s, "lobby"), 0);
	EXPECT_SENT(p, MESSAGE_JOIN, &m);
	play_give_joined(p, m.join.tag, "lobby", 4);
	for (uint64_t seq = 5; seq < 12; seq++) {
		struct msg_said said = {
			.seq = seq,
			.prev = seq - 1,
			.nick = span_of("ben"),
			.room = span_of("lobby"),
			.text = span_of("some words"),
		};
		play_queue(p, MESSAGE_SAID, &said);
	}
	ck_assert_int_eq(play_deliver(p), 0);
	play_expect(p, EVENT_JOINED);
	for (uint64_t seq = 5; seq < 12; seq++)
		ck_assert_uint_eq(play_expect(p, EVENT_MESSAGE)->seq, seq);
	play_expect_no_event(p);
	play_free(p);
}
END_TEST

START_TEST(test_nick_given_by_server)
{
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna2", 0), 0);
	link_session_end(play->s);

	/* The next login asks for the nick that we have. */
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(m.login.nick, "anna2"));
}
END_TEST

/* What a server may say instead of accepting the login, and whether that is for good. */
static const struct {
	enum code code;
	bool any_nick;
	int result;
} login_refusals[] = {
	{CODE_NICK_TAKEN, false, ERR_REFUSED},
	{CODE_NICK_TAKEN, true, ERR_CLOSED},
	{CODE_BAD_NICK, true, ERR_REFUSED},
	{CODE_VERSION, true, ERR_REFUSED},
	{CODE_FULL, true, ERR_CLOSED},
	{CODE_STOPPING, false, ERR_CLOSED},
	{CODE_NONE, false, ERR_CLOSED},
};

START_TEST(test_login_refused)
{
	struct play *p = play_new(login_refusals[_i].any_nick, SIZE_MAX);
	struct msg_error error = {
		.code = (uint16_t)login_refusals[_i].code, .text = span_of("because")};
	union message m;
	unsigned code;

	ck_assert_int_eq(link_session_begin(p->s, p->now, INT64_MAX), 0);
	EXPECT_SENT(p, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(p, play_log_a), 0);
	EXPECT_SENT(p, MESSAGE_LOGIN, &m);
	error.tag = m.login.tag;
	ck_assert_int_eq(play_give(p, MESSAGE_ERROR, &error), login_refusals[_i].result);
	ck_assert_str_eq(link_session_reason(p->s, &code), "because");
	ck_assert_uint_eq(code, login_refusals[_i].code);
	ck_assert(!link_session_logged_in(p->s));
	play_free(p);
}
END_TEST

START_TEST(test_wrong_server)
{
	struct link_session_config config = play_config_of(true);
	uint8_t id[32] = {6};
	union message m;

	link_session_free(play->s);
	config.server_id = id;
	ck_assert_int_eq(link_session_new(&config, &play->s), 0);
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), ERR_REFUSED);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_login_deadline)
{
	ck_assert_int_eq(link_session_begin(play->s, play->now, play->now + SECOND), 0);
	ck_assert_int_eq(link_session_deadline(play->s), play->now + SECOND);
	ck_assert_int_eq(link_session_tick(play->s, play->now + SECOND - 1), 0);
	ck_assert_int_eq(link_session_tick(play->s, play->now + SECOND), ERR_TIMEOUT);
}
END_TEST

/* ---- messages and their acknowledgement ---- */

START_TEST(test_acknowledged)
{
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_uint_eq(play_say(play, "one"), 1);
	ck_assert_uint_eq(play_say(play, "two"), 2);
	play_expect_said(play, 1);
	play_expect_said(play, 2);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 2);
	play_give_ack(play, 1, 41);
	const struct event *e = play_expect(play, EVENT_ACK);
	ck_assert_uint_eq(e->counter, 1);
	ck_assert_uint_eq(e->seq, 41);
	ck_assert_str_eq(e->room, "lobby");
	play_give_refused(play, 2, CODE_TOO_LONG);
	e = play_expect(play, EVENT_REFUSED);
	ck_assert_uint_eq(e->counter, 2);
	ck_assert_uint_eq(e->code, CODE_TOO_LONG);
	ck_assert_str_eq(e->text, code_text(CODE_TOO_LONG));
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);

	/* Answers to what was never sent, or was answered already, mean nothing. */
	play_give_ack(play, 1, 41);
	play_give_ack(play, 99, 42);
	play_give_refused(play, 2, CODE_RETRY);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_sent_again_after_break)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	for (int i = 0; i < 4; i++)
		play_say(play, "words");
	for (uint64_t c = 1; c <= 4; c++)
		play_expect_said(play, c);
	play_give_ack(play, 1, 10);
	link_session_end(play->s);
	ck_assert_uint_eq(play_say(play, "offline"), 5);
	event_list_fini(&play->events);

	/* The server has 2 and has refused 3. It says so when they come again, with all the rest,
	 * after the room has been joined again; the login alone settles nothing. */
	play_log_in(play, play_log_a, 3, NULL);
	play_expect_state(play, LINK_LOGGING_IN);
	play_expect(play, EVENT_LOGGED_IN);
	play_expect_state(play, LINK_ONLINE);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 4);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	for (uint64_t c = 2; c <= 5; c++)
		play_expect_said(play, c);
	EXPECT_NOTHING_SENT(play);
	link_session_events(play->s, &play->events);
	for (uint64_t c = 2; c <= 5; c++)
		ck_assert_uint_eq(play_expect(play, EVENT_SENT)->counter, c);
	play_give_ack(play, 2, 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ACK)->seq, 0);
	play_give_refused(play, 3, CODE_NOT_KEPT);
	ck_assert_uint_eq(play_expect(play, EVENT_REFUSED)->counter, 3);
	play_expect_no_event(play);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 2);
}
END_TEST

START_TEST(test_retry)
{
	play_log_in_quietly(play, 0);
	for (int i = 0; i < 4; i++)
		play_say(play, "words");
	for (uint64_t c = 1; c <= 4; c++)
		play_expect_said(play, c);
	play_give_ack(play, 1, 10);
	for (uint64_t c = 2; c <= 4; c++)
		play_give_refused(play, c, CODE_RETRY);
	play_expect(play, EVENT_ACK);
	play_expect_no_event(play);

	/* Nothing goes before the pause is over, new messages neither; then all, in order. */
	play_say(play, "late");
	EXPECT_NOTHING_SENT(play);
	int64_t due = link_session_deadline(play->s);
	ck_assert_int_gt(due, play->now);
	ck_assert_int_lt(due, play->now + 3 * SECOND);
	play->now = due;
	ck_assert_int_eq(link_session_tick(play->s, due), 0);
	for (uint64_t c = 2; c <= 5; c++)
		play_expect_said(play, c);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 4);
}
END_TEST

START_TEST(test_claims_what_was_never_sent)
{
	union message m;

	play_say(play, "one");
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna", 2), ERR_PROTOCOL);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 1);
}
END_TEST

/* ---- nick and away ---- */

START_TEST(test_nick)
{
	struct msg_error error = {.code = CODE_NICK_TAKEN, .text = span_of("")};
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_nick(play->s, "bea"), 0);
	EXPECT_SENT(play, MESSAGE_NICK, &m);
	struct msg_renamed renamed = {.tag = m.nick.tag, .nick = span_of("bea")};
	ck_assert_int_eq(play_give(play, MESSAGE_RENAMED, &renamed), 0);
	ck_assert_str_eq(play_expect(play, EVENT_RENAMED)->nick, "bea");
	ck_assert_int_eq(link_session_nick(play->s, "carl"), 0);
	EXPECT_SENT(play, MESSAGE_NICK, &m);
	error.tag = m.nick.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ERROR)->code, CODE_NICK_TAKEN);
	ck_assert_int_eq(link_session_nick(play->s, "no blanks"), ERR_TEXT);
}
END_TEST

/* A login that is refused for the nick: the next one that is given is for the next login. */
START_TEST(test_nick_after_a_refusal)
{
	struct msg_error error = {.code = CODE_NICK_TAKEN, .text = span_of("")};
	struct play *p = play_new(true, SIZE_MAX);
	union message m;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(link_session_begin(p->s, p->now, INT64_MAX), 0);
		EXPECT_SENT(p, MESSAGE_HELLO, &m);
		ck_assert_int_eq(play_give_welcome(p, play_log_a), 0);
		EXPECT_SENT(p, MESSAGE_LOGIN, &m);
		ck_assert(span_equal(m.login.nick, i ? "bea" : "anna"));
		error.tag = m.login.tag;
		if (i)
			break;
		ck_assert_int_eq(play_give(p, MESSAGE_ERROR, &error), ERR_CLOSED);
		link_session_end(p->s);
		ck_assert_int_eq(link_session_nick(p->s, "bea"), 1);
	}
	ck_assert_int_eq(play_give_logged_in(p, m.login.tag, "bea", 0), 0);
	link_session_end(p->s);
	/* And then it is a request again. */
	play_log_in_quietly(p, 0);
	ck_assert_int_eq(link_session_nick(p->s, "carl"), 0);
	EXPECT_SENT(p, MESSAGE_NICK, &m);
	ck_assert(span_equal(m.nick.nick, "carl"));
	play_free(p);
}
END_TEST

START_TEST(test_away_survives_a_break)
{
	union message m;

	ck_assert_int_eq(link_session_away(play->s, PERSON_AWAY, "lunch"), 0);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_AWAY, &m);
	ck_assert(span_equal(m.away.text, "lunch"));
	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_AWAY, &m);
	ck_assert_int_eq(link_session_away(play->s, PERSON_GONE, ""), ERR_ARGUMENT);
}
END_TEST

/* What will be sent back has to be what may be sent. */
START_TEST(test_nick_that_is_none)
{
	struct msg_renamed renamed = {.nick = {.text = "\0nna", .length = 4}};
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(play_give(play, MESSAGE_RENAMED, &renamed), ERR_PROTOCOL);
	link_session_end(play->s);
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(m.login.nick, "anna"));
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "a b", 0), ERR_PROTOCOL);
}
END_TEST

/* ---- the connection ---- */

START_TEST(test_pings)
{
	struct msg_ping ping = {.token = 77};
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna", 0), 0);
	event_list_fini(&play->events);
	EXPECT_SENT(play, MESSAGE_PING, &m);
	struct msg_pong pong = {.token = m.ping.token};
	play->now += 1234;
	ck_assert_int_eq(play_give(play, MESSAGE_PONG, &pong), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_RTT)->number, 1234);
	ck_assert_int_eq(play_give(play, MESSAGE_PONG, &pong), 0);
	play_expect_no_event(play);
	ck_assert_int_eq(play_give(play, MESSAGE_PING, &ping), 0);
	EXPECT_SENT(play, MESSAGE_PONG, &m);
	ck_assert_uint_eq(m.pong.token, 77);
}
END_TEST

START_TEST(test_silence)
{
	union message m;

	play_log_in_quietly(play, 0); /* its ping stays without an answer */
	int64_t heard = play->now;
	ck_assert_int_eq(link_session_tick(play->s, heard + 44 * SECOND), 0);
	EXPECT_NOTHING_SENT(play);

	/* Not having listened is no silence. */
	link_session_heard(play->s, heard + 44 * SECOND);
	ck_assert_int_eq(link_session_tick(play->s, heard + 46 * SECOND), 0);
	ck_assert_int_eq(link_session_tick(play->s, heard + 90 * SECOND), ERR_TIMEOUT);
	EXPECT_SENT(play, 0, &m);
}
END_TEST

START_TEST(test_goodbye)
{
	struct msg_bye bye = {.code = CODE_STOPPING, .text = span_of("")};
	union message m;
	unsigned code;

	play_log_in_quietly(play, 0);
	play_say(play, "last words");
	ck_assert_int_eq(link_session_bye(play->s), 0);
	play_expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_BYE, &m);
	ck_assert_uint_eq(m.bye.code, CODE_QUIT);
	link_session_end(play->s);

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(play_give(play, MESSAGE_BYE, &bye), ERR_CLOSED);
	ck_assert_str_eq(link_session_reason(play->s, &code), code_text(CODE_STOPPING));
	ck_assert_uint_eq(code, CODE_STOPPING);
}
END_TEST

START_TEST(test_garbage)
{
	static const struct {
		uint8_t bytes[12];
		size_t length;
		int result;
	} cases[] = {
		{{0xff, 0xff, 0xff, 0xff}, 4, ERR_PROTOCOL},              /* too long */
		{{0, 0, 0, 0, 0, 5, 0x80, 0}, 8, ERR_PROTOCOL},           /* undefined flag */
		{{0, 0, 0, 0, 0x7f, 0xff, 0, 0}, 8, ERR_PROTOCOL},        /* unknown type */
		{{0, 0, 0, 0, 0x7f, 0xff, 0, 1}, 8, 0},                   /* to be skipped */
		{{0, 0, 0, 1, 0, 6, 0, 0, 1}, 9, ERR_PROTOCOL},           /* PONG cut short */
		{{0, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0}, 12, ERR_PROTOCOL}, /* the client's HELLO */
		{{0, 0, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0}, 12, ERR_PROTOCOL}, /* the login again */
		{{'H', 'T', 'T', 'P'}, 4, ERR_PROTOCOL},
	};
	size_t used;

	play_log_in_quietly(play, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(link_session_input(play->s, cases[i].bytes, cases[i].length,
					 play->now, &used),
			cases[i].result);
		if (cases[i].result == 0)
			continue;
		link_session_end(play->s);
		play_log_in_quietly(play, 0);
	}
}
END_TEST

/* Messages that are legal only after the login end a connection that is not there yet. */
START_TEST(test_too_early)
{
	struct msg_notice notice = {.text = span_of("hi")};
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give(play, MESSAGE_NOTICE, &notice), ERR_PROTOCOL);
}
END_TEST

START_TEST(test_limits_of_requests)
{
	char text[TEXT_MAX + 2];
	char room[ROOM_NAME_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[TEXT_MAX] = '\0';
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, text, NULL), 0);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TOPIC, text, NULL), ERR_TOO_BIG);
	text[TEXT_MAX] = 'x';
	text[TEXT_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, text, NULL), ERR_TOO_BIG);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "", NULL), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TOPIC, "", NULL), 0);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "\033[m", NULL), ERR_TEXT);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "\xff", NULL), ERR_TEXT);
	ck_assert_int_eq(
		link_session_direct(play->s, "", NULL, SAID_TEXT, "x", NULL), ERR_ARGUMENT);
	ck_assert_int_eq(
		link_session_direct(play->s, "ben", NULL, SAID_TOPIC, "x", NULL), ERR_ARGUMENT);
	memset(room, 'r', sizeof(room));
	room[ROOM_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_join(play->s, room), ERR_TOO_BIG);
	room[ROOM_NAME_MAX] = '\0';
	ck_assert_int_eq(link_session_join(play->s, room), 0);
	ck_assert_int_eq(link_session_join(play->s, ""), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_join(play->s, "a b"), ERR_TEXT);
}
END_TEST

Suite *link_session_suite(void)
{
	Suite *s = suite_create("link_session");
	TCase *t = tcase_create("link_session");
	int refusals = (int)(sizeof(login_refusals) / sizeof(login_refusals[0]));

	tcase_add_checked_fixture(t, play_setup, play_teardown);
	tcase_add_test(t, test_login);
	tcase_add_loop_test(t, test_cut_anywhere, 1, 40);
	tcase_add_test(t, test_nick_given_by_server);
	tcase_add_loop_test(t, test_login_refused, 0, refusals);
	tcase_add_test(t, test_wrong_server);
	tcase_add_test(t, test_login_deadline);
	tcase_add_test(t, test_acknowledged);
	tcase_add_test(t, test_sent_again_after_break);
	tcase_add_test(t, test_retry);
	tcase_add_test(t, test_claims_what_was_never_sent);
	tcase_add_test(t, test_nick);
	tcase_add_test(t, test_nick_that_is_none);
	tcase_add_test(t, test_nick_after_a_refusal);
	tcase_add_test(t, test_away_survives_a_break);
	tcase_add_test(t, test_pings);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_goodbye);
	tcase_add_test(t, test_garbage);
	tcase_add_test(t, test_too_early);
	tcase_add_test(t, test_limits_of_requests);
	suite_add_tcase(s, t);
	return s;
}
