/*
 * Sessions: logging in, beside others and again, also while the log keeps something.
 */
#include "tests/unit/session_client.h"

#include <check.h>
#include <sched.h>
#include <string.h>

static struct chat *chat;

static void setup(void)
{
	chat = client_chat();
}

static void teardown(void)
{
	chat_stop(chat);
}

START_TEST(a_nick_that_is_taken)
{
	struct client a, b;
	struct msg_login m = client_login(2, "ANNA");

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &m);
	client_expect_error(&b, 7, CODE_NICK_TAKEN);
	m.nick = span_of("a b");
	client_ask(&b, MESSAGE_LOGIN, &m);
	client_expect_error(&b, 7, CODE_BAD_TEXT);
	m.nick = span_of("a#b");
	client_ask(&b, MESSAGE_LOGIN, &m);
	client_expect_error(&b, 7, CODE_BAD_NICK);
	/* The connection goes on, and the next free one is to be had. */
	m.nick = span_of("ANNA");
	m.flags = LOGIN_ANY_NICK;
	client_ask(&b, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(client_expect(&b, MESSAGE_LOGGED_IN).logged_in.nick, "ANNA2"));
	client_close(&b);
	client_close(&a);
}
END_TEST

/* Another login beside that of person 1. */
static const struct {
	int person, instance;
	bool ends;
} others[] = {
	{1, 1, true}, {1, 2, false}, {2, 1, false}, /* somebody else, who claims the instance */
};

START_TEST(logging_in_again)
{
	struct client a, b;
	struct msg_login m = client_login(others[_i].person, "boris");

	m.instance[0] = (uint8_t)others[_i].instance;
	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &m);
	client_expect(&b, MESSAGE_LOGGED_IN);
	if (others[_i].ends)
		client_expect_end(&a, CODE_ALREADY);
	else
		client_expect_alive(&a);
	client_close(&a);
	client_join(&b, "lobby");
	ck_assert_uint_eq(people_count(chat_people(chat)), 1);
	client_close(&b);
	ck_assert_uint_eq(people_count(chat_people(chat)), 0);
}
END_TEST

/* A login that is refused ends nobody. */
START_TEST(logging_in_again_in_vain)
{
	struct client a, b, c;
	struct msg_login m = client_login(1, "boris");

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_open(&c, chat);
	client_hello(&c);
	client_ask(&c, MESSAGE_LOGIN, &m);
	client_expect_error(&c, 7, CODE_NICK_TAKEN);
	client_expect_alive(&a);
	client_close(&a);
	client_close(&b);
	client_close(&c);
}
END_TEST

/* An append that goes on until it is released, or its session is told to end. */
static const struct engine_class *working;
static struct session *_Atomic appender;
static atomic_bool released;

static bool is_released(void)
{
	struct session *s = atomic_load(&appender);

	return atomic_load(&released) || (s && atomic_load(&s->stopping) != CODE_NONE);
}

static int append_in_time(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	while (!is_released())
		sched_yield();
	return working->append(e, entries, count, deadline, results);
}

static void slow_down(struct engine_class *class)
{
	working = chat_engine(chat)->class;
	*class = *working;
	class->append = append_in_time;
	chat_engine(chat)->class = class;
	atomic_store(&appender, NULL);
	atomic_store(&released, false);
}

/* What came late by the connection before is not kept; what was being kept then is known. */
START_TEST(logging_in_while_something_is_kept)
{
	struct engine_class class;
	struct client a, b;
	struct msg_login m = client_login(1, "anna");
	uint8_t frames[512];
	size_t used = 0;

	slow_down(&class);
	client_open(&a, chat);
	atomic_store(&appender, a.session);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	for (uint64_t i = 1; i <= 3; i++) {
		size_t more = 0;
		struct msg_direct direct = {
			.counter = i, .nick = span_of("anna"), .text = span_of("late")};
		message_encode(
			MESSAGE_DIRECT, &direct, frames + used, sizeof(frames) - used, &more);
		used += more;
	}
	ck_assert_int_eq(peer_send_bytes(&a.peer, frames, used), 0);
	while (!(atomic_load(&a.session->login.gate)))
		sched_yield(); /* until it appends the first */
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &m);
	ck_assert_uint_eq(client_expect(&b, MESSAGE_LOGGED_IN).logged_in.accepted, 1);
	client_say(&b, 2, "elsewhere", "two");
	client_expect_refused(&b, 2, CODE_NOT_A_MEMBER);
	client_expect_ack(&a, 1, false);
	client_expect_end(&a, CODE_ALREADY);
	ck_assert_uint_eq(engine_accepted(chat_engine(chat), m.instance, m.person), 1);
	client_close(&a);
	client_close(&b);
	chat_engine(chat)->class = working;
}
END_TEST

/* The log takes longer than that: the client is to come again. */
START_TEST(logging_in_while_the_log_is_stuck)
{
	struct engine_class class;
	struct client a, b;
	struct msg_login m = client_login(1, "anna");

	slow_down(&class);
	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_say(&a, 1, "lobby", "one");
	while (!(atomic_load(&a.session->login.gate)))
		sched_yield();
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &m);
	client_expect_error(&b, 7, CODE_RESOURCES);
	atomic_store(&released, true);
	client_ask(&b, MESSAGE_LOGIN, &m);
	ck_assert_uint_eq(client_await(&b, MESSAGE_LOGGED_IN).logged_in.accepted, 1);
	client_expect_end(&a, CODE_ALREADY);
	client_close(&a);
	client_close(&b);
	ck_assert_uint_eq(people_count(chat_people(chat)), 0);
	chat_engine(chat)->class = working;
}
END_TEST

START_TEST(nobody_cannot_log_in)
{
	struct client c;
	struct msg_login m = client_login(0, "anna");

	client_open(&c, chat);
	client_hello(&c);
	client_ask(&c, MESSAGE_LOGIN, &m);
	client_expect_error(&c, 7, CODE_BAD_VALUE);
	client_close(&c);
}
END_TEST

START_TEST(greeting)
{
	struct client c;
	struct msg_login m = client_login(1, "anna");
	char text[NOTICE_MAX + 1];

	memset(text, 'x', NOTICE_MAX);
	text[NOTICE_MAX] = '\0';
	ck_assert_int_eq(chat_set_motd(chat, text), 0);
	client_open(&c, chat);
	client_hello(&c);
	client_ask(&c, MESSAGE_LOGIN, &m);
	client_expect(&c, MESSAGE_LOGGED_IN);
	union message notice = client_expect(&c, MESSAGE_NOTICE);
	ck_assert_uint_eq(notice.notice.kind, NOTICE_MOTD);
	ck_assert_uint_eq(notice.notice.text.length, NOTICE_MAX);
	client_close(&c);
}
END_TEST

Suite *session_login_suite(void)
{
	Suite *s = suite_create("session_login");
	TCase *c = tcase_create("session_login");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_nick_that_is_taken);
	tcase_add_loop_test(c, logging_in_again, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_test(c, logging_in_again_in_vain);
	tcase_add_test(c, logging_in_while_something_is_kept);
	tcase_add_test(c, logging_in_while_the_log_is_stuck);
	tcase_add_test(c, nobody_cannot_log_in);
	tcase_add_test(c, greeting);
	suite_add_tcase(s, c);
	return s;
}
