/*
 * Rooms and oneself: coming, going, resuming, another nick, being away.
 */
#include "tests/unit/session_client.h"

#include <check.h>
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

/* ---- rooms ---- */

START_TEST(joining_and_leaving)
{
	struct client c;
	struct msg_join m = {.tag = 1, .room = span_of("one")};
	struct msg_part part = {.tag = 2, .room = span_of("one")};

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_ask(&c, MESSAGE_PART, &part);
	client_expect_error(&c, 2, CODE_NOT_A_MEMBER);
	client_join(&c, "one");
	m.room = span_of("ONE");
	client_ask(&c, MESSAGE_JOIN, &m);
	client_expect_error(&c, 1, CODE_ALREADY);
	client_join(&c, "two");
	client_join(&c, "three");
	m.room = span_of("four");
	client_ask(&c, MESSAGE_JOIN, &m);
	client_expect_error(&c, 1, CODE_TOO_MANY_ROOMS);
	part.room = span_of("One");
	client_ask(&c, MESSAGE_PART, &part);
	union message parted = client_await(&c, MESSAGE_PARTED);
	ck_assert_uint_eq(parted.parted.tag, 2);
	ck_assert(span_equal(parted.parted.room, "one"));
	m.room = span_of("a#b");
	client_ask(&c, MESSAGE_JOIN, &m);
	client_expect_error(&c, 1, CODE_BAD_ROOM);
	client_join(&c, "four");
	client_close(&c);
}
END_TEST

static void expect_said(struct client *c, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		ck_assert_uint_eq(client_await(c, MESSAGE_SAID).said.seq, seq);
	ck_assert_uint_eq(client_await(c, MESSAGE_CAUGHT_UP).caught_up.last, to);
}

START_TEST(replay_and_resume)
{
	struct client a, b;
	struct msg_join m = {.tag = 1, .room = span_of("lobby"), .replay = 3};
	struct msg_login login = client_login(2, "boris");

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	for (uint64_t i = 1; i <= 10; i++)
		client_say(&a, i, "lobby", "x");
	for (uint64_t i = 1; i <= 10; i++)
		client_await(&a, MESSAGE_ACK);
	memcpy(login.log, chat_engine(chat)->log_id, sizeof(login.log));
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &login);
	client_await(&b, MESSAGE_CAUGHT_UP);
	client_ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(client_await(&b, MESSAGE_JOINED).joined.after, 7);
	expect_said(&b, 8, 10);
	struct msg_part part = {.room = span_of("lobby")};
	client_ask(&b, MESSAGE_PART, &part);
	m.flags = JOIN_RESUME;
	m.after = 4;
	client_ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(client_await(&b, MESSAGE_JOINED).joined.after, 4);
	expect_said(&b, 5, 10);
	client_close(&b);
	/* Positions of another log mean nothing. */
	login.log[0] ^= 1;
	client_open(&b, chat);
	client_hello(&b);
	client_ask(&b, MESSAGE_LOGIN, &login);
	client_await(&b, MESSAGE_CAUGHT_UP);
	m.replay = 1000;
	client_ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(client_await(&b, MESSAGE_JOINED).joined.after, 0);
	expect_said(&b, 1, 10);
	client_close(&b);
	client_close(&a);
}
END_TEST

START_TEST(changing_oneself)
{
	struct client a, b;
	struct msg_nick nick = {.tag = 3, .nick = span_of("boris")};
	struct msg_away away = {.tag = 4, .state = PERSON_AWAY, .text = span_of("lunch")};

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_join(&b, "lobby");
	client_ask(&a, MESSAGE_NICK, &nick);
	client_expect_error(&a, 3, CODE_NICK_TAKEN);
	nick.nick = span_of("Anna");
	client_ask(&a, MESSAGE_NICK, &nick);
	ck_assert(span_equal(client_await(&a, MESSAGE_RENAMED).renamed.nick, "Anna"));
	client_ask(&a, MESSAGE_AWAY, &away);
	ck_assert_uint_eq(client_await(&a, MESSAGE_DONE).done.tag, 4);
	away.state = PERSON_GONE;
	client_ask(&a, MESSAGE_AWAY, &away);
	client_expect_error(&a, 4, CODE_BAD_VALUE);
	/* The other one is told in the end. */
	bool renamed = false, gone_away = false;
	while (!renamed || !gone_away) {
		union message m = client_await(&b, MESSAGE_PRESENCE);
		struct item_change change;
		while (message_list_next(&m.presence.changes, ITEM_CHANGE, &change)) {
			renamed |= change.what == CHANGE_RENAMED && span_equal(change.text, "Anna");
			gone_away |=
				change.what == CHANGE_STATE && span_equal(change.text, "lunch");
		}
	}
	client_close(&a);
	client_close(&b);
}
END_TEST

Suite *session_room_suite(void)
{
	Suite *s = suite_create("session_room");
	TCase *c = tcase_create("session_room");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, joining_and_leaving);
	tcase_add_test(c, replay_and_resume);
	tcase_add_test(c, changing_oneself);
	suite_add_tcase(s, c);
	return s;
}
