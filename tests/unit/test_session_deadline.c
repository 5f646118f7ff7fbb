/*
 * Sessions: what takes too long, and what comes too fast.
 */
#include "server/session.h"

#include "common/clock.h"
#include "tests/unit/session_client.h"

#include <check.h>

static struct chat *chat;

static void setup(void)
{
	chat = client_chat();
}

static void teardown(void)
{
	chat_stop(chat);
}

static void hasten(int64_t login, int64_t frame, int64_t ping, int64_t idle)
{
	struct policy p = client_policy;

	p.login_ms = login;
	p.frame_ms = frame;
	p.ping_ms = ping;
	p.idle_ms = idle;
	chat_set_policy(chat, &p);
}

START_TEST(silent_before_the_login)
{
	struct client c;

	hasten(80, 60000, 60000, 60000);
	client_open(&c, chat);
	client_expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
	/* Talking does not help; logging in does. */
	client_open(&c, chat);
	client_hello(&c);
	client_expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
}
END_TEST

START_TEST(a_frame_that_does_not_end)
{
	struct client c;
	uint8_t header[FRAME_HEADER];

	hasten(60000, 80, 60000, 60000);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	frame_encode_header(header, 8, MESSAGE_PING, 0);
	ck_assert_int_eq(peer_send_bytes(&c.peer, header, sizeof(header)), 0);
	client_expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
}
END_TEST

START_TEST(pinged_then_given_up)
{
	struct client c;

	hasten(60000, 60000, 40, 400);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	int64_t began = clock_ms();
	client_expect(&c, MESSAGE_PING);
	client_expect(&c, MESSAGE_PING); /* and again, after as long */
	client_expect_end(&c, CODE_TIMEOUT);
	ck_assert_int_ge(clock_ms() - began, 300);
	client_close(&c);
}
END_TEST

START_TEST(answering_pings_is_enough)
{
	struct client c;

	hasten(60000, 60000, 40, 400);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	int64_t until = clock_ms() + 1000;
	while (clock_ms() < until) {
		union message m = client_expect(&c, MESSAGE_PING);
		struct msg_pong pong = {.token = m.ping.token};
		client_ask(&c, MESSAGE_PONG, &pong);
	}
	client_close(&c);
}
END_TEST

/* Whoever is given up is told by which limit. */
START_TEST(the_limit_is_named)
{
	static const struct {
		int64_t login, frame, idle;
		bool log_in, begin_frame;
		enum limit limit;
	} cases[] = {
		{50, 0, 0, false, false, LIMIT_LOGIN_TIMEOUT},
		{0, 50, 0, false, true, LIMIT_FRAME_TIMEOUT},
		{50, 60000, 60000, false, true, LIMIT_LOGIN_TIMEOUT},
		{0, 50, 0, true, true, LIMIT_FRAME_TIMEOUT},
		{0, 0, 50, true, false, LIMIT_IDLE},
	};
	uint8_t header[FRAME_HEADER];
	uint64_t counters[METRICS];
	struct client c;

	hasten(cases[_i].login, cases[_i].frame, 0, cases[_i].idle);
	client_open(&c, chat);
	if (cases[_i].log_in)
		client_log_in(&c, 1, "anna");
	frame_encode_header(header, 8, MESSAGE_PING, 0);
	if (cases[_i].begin_frame)
		ck_assert_int_eq(peer_send_bytes(&c.peer, header, sizeof(header)), 0);
	union message m = client_await(&c, MESSAGE_ERROR);
	ck_assert_uint_eq(m.error.code, CODE_TIMEOUT);
	ck_assert(span_equal(m.error.text, limit_text(cases[_i].limit)));
	client_close(&c);
	metrics_read(chat_metrics(chat), counters);
	ck_assert_uint_eq(counters[METRIC_LIMIT + cases[_i].limit], 1);
}
END_TEST

/* What is off is off: the next time to look is never, whatever has begun. */
START_TEST(without_any_deadline)
{
	uint8_t header[FRAME_HEADER];
	struct client c;

	for (int phase = SESSION_HANDSHAKE; phase <= SESSION_CHATTING; phase++) {
		struct session s = {
			.phase = (enum session_phase)phase,
			.began = 1,
			.heard = 1,
			.frame_since = 1,
			.pinged = 1,
		};
		ck_assert_int_eq(session_next_deadline(&s), INT64_MAX);
		ck_assert_int_eq(session_idle_deadline(&s, 1), INT64_MAX);
		ck_assert_int_eq(session_check_deadlines(&s), 0);
	}
	/* And the thread still hears what comes. */
	hasten(0, 0, 0, 0);
	client_open(&c, chat);
	client_hello(&c);
	struct msg_login login = client_login(1, "anna");
	client_ask(&c, MESSAGE_LOGIN, &login);
	union message m = client_expect(&c, MESSAGE_LOGGED_IN);
	ck_assert_uint_eq(m.logged_in.ping_seconds, 0);
	ck_assert_uint_eq(m.logged_in.idle_seconds, 0);
	client_await(&c, MESSAGE_CAUGHT_UP);
	frame_encode_header(header, 8, MESSAGE_PING, 0);
	ck_assert_int_eq(peer_send_bytes(&c.peer, header, sizeof(header)), 0);
	ck_assert_int_eq(peer_send_bytes(&c.peer, "12345678", 8), 0);
	client_expect(&c, MESSAGE_PONG);
	client_close(&c);
}
END_TEST

/* Told once, counted each time; nothing is lost. */
START_TEST(slowed_and_told_so)
{
	struct policy p = client_policy;
	uint64_t counters[METRICS];
	struct msg_ping ping = {.token = 0};
	int notices = 0, pongs = 0;
	struct client c;

	p.rate = 100;
	p.burst = 20; /* enough to log in: in the midst of it, the notice could come anywhere */
	chat_set_policy(chat, &p);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	for (int i = 0; i < 60; i++)
		client_ask(&c, MESSAGE_PING, &ping);
	while (pongs < 60) {
		union message m;
		struct frame f;
		ck_assert_int_eq(peer_take(&c.peer, 4096, clock_ms() + PEER_PATIENCE, &f, &m), 0);
		pongs += f.type == MESSAGE_PONG;
		if (f.type != MESSAGE_NOTICE)
			continue;
		notices++;
		ck_assert_uint_eq(m.notice.kind, NOTICE_WARNING);
		ck_assert(span_equal(m.notice.text, limit_text(LIMIT_RATE)));
	}
	ck_assert_int_eq(notices, 1);
	client_close(&c);
	metrics_read(chat_metrics(chat), counters);
	ck_assert_uint_gt(counters[METRIC_LIMIT + LIMIT_RATE], 1);
}
END_TEST

/* The last word is not waited for as long as a client may be silent, and says why it really ended. */
START_TEST(no_room_for_the_last_word)
{
	const struct msg_welcome nonsense = {.name = span_of("mine")};
	struct client c;
	struct timespec soon;

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_stuff(&c);
	client_ask(&c, MESSAGE_WELCOME, &nonsense);
	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &soon), 0);
	soon.tv_sec += client_policy.idle_ms / 1000 / 4;
	ck_assert_int_eq(pthread_timedjoin_np(c.thread, NULL, &soon), 0);
	ck_assert_int_eq((int)c.session->end_code, CODE_PROTOCOL);
	peer_close(&c.peer);
	session_free(c.session);
}
END_TEST

Suite *session_deadline_suite(void)
{
	Suite *s = suite_create("session_deadline");
	TCase *c = tcase_create("session_deadline");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, silent_before_the_login);
	tcase_add_test(c, a_frame_that_does_not_end);
	tcase_add_test(c, pinged_then_given_up);
	tcase_add_test(c, answering_pings_is_enough);
	tcase_add_loop_test(c, the_limit_is_named, 0, 5);
	tcase_add_test(c, without_any_deadline);
	tcase_add_test(c, slowed_and_told_so);
	tcase_add_test(c, no_room_for_the_last_word);
	suite_add_tcase(s, c);
	return s;
}
