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

/* Until somebody in the room is told that of bob. `away`: whose coming and going makes the server tell. */
static void await_bob(struct client *c, enum change_what what, bool away)
{
	for (int i = 0; i < 100; i++) {
		struct msg_away m = {
			.tag = 5, .state = i % 2 ? PERSON_HERE : PERSON_AWAY, .text = span_of("")};
		struct item_change change;
		if (away)
			client_ask(c, MESSAGE_AWAY, &m);
		union message told = client_await(c, MESSAGE_PRESENCE);
		while (message_list_next(&told.presence.changes, ITEM_CHANGE, &change)) {
			if (span_equal(change.nick, "bob") && change.what == (uint8_t)what)
				return;
		}
	}
	ck_abort_msg("nobody told it");
}

/* Whoever is told to the others while they are coming in, and never does, is told to be gone. */
START_TEST(gone_while_coming)
{
	struct client anna, bob;
	const struct msg_join m = {.tag = 1, .room = span_of("one")};

	client_open(&anna, chat);
	client_log_in(&anna, 1, "anna");
	client_join(&anna, "one");
	client_open(&bob, chat);
	client_log_in(&bob, 2, "bob");
	client_stuff(&bob);
	client_ask(&bob, MESSAGE_JOIN, &m);
	await_bob(&anna, CHANGE_JOINED, true);
	client_close(&bob);
	await_bob(&anna, CHANGE_PARTED, false);
	client_close(&anna);
}
END_TEST

static void expect_said(struct client *c, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		ck_assert_uint_eq(client_await(c, MESSAGE_SAID).said.seq, seq);
	ck_assert_uint_eq(client_await(c, MESSAGE_CAUGHT_UP).caught_up.last, to);
}

/* The text of the ERROR about a request names the limit. */
static void expect_limit(struct client *c, uint32_t tag, enum limit limit)
{
	union message m = client_await(c, MESSAGE_ERROR);

	ck_assert_uint_eq(m.error.tag, tag);
	ck_assert_uint_eq(m.error.fatal, 0);
	ck_assert_uint_eq(m.error.code, limit_code(limit));
	ck_assert(span_equal(m.error.text, limit_text(limit)));
}

START_TEST(rooms_of_the_server_and_of_one)
{
	struct policy p = client_policy;
	struct msg_join m = {.tag = 5, .room = span_of("x")};
	struct client c, other;

	p.rooms_max = 3;
	p.rooms_each = 2;
	chat_set_policy(chat, &p);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "one");
	client_join(&c, "two");
	client_ask(&c, MESSAGE_JOIN, &m);
	expect_limit(&c, 5, LIMIT_ROOMS_EACH);
	client_open(&other, chat);
	client_log_in(&other, 2, "boris");
	client_join(&other, "three");
	client_ask(&other, MESSAGE_JOIN, &m);
	expect_limit(&other, 5, LIMIT_MAX_ROOMS);
	client_join(&other, "one");
	client_close(&other);
	client_close(&c);
}
END_TEST

START_TEST(members_of_a_room)
{
	struct policy p = client_policy;
	struct msg_join m = {.tag = 5, .room = span_of("lobby")};
	struct msg_login login = client_login(1, "anna");
	struct client a, again, b, c;

	p.members_max = 2;
	chat_set_policy(chat, &p);
	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_join(&b, "lobby");
	client_open(&c, chat);
	client_log_in(&c, 3, "carl");
	client_ask(&c, MESSAGE_JOIN, &m);
	expect_limit(&c, 5, LIMIT_MAX_MEMBERS);
	client_join(&c, "elsewhere");
	/* Another session of somebody who is in it is nobody more. */
	client_open(&again, chat);
	client_hello(&again);
	login.instance[0] = 77;
	client_ask(&again, MESSAGE_LOGIN, &login);
	client_await(&again, MESSAGE_CAUGHT_UP);
	client_join(&again, "lobby");
	client_close(&again);
	client_close(&b);
	/* A place is free once its session's thread has ended, as it has. */
	client_join(&c, "lobby");
	/* Without a limit there is room for all; sessions keep the policy that they began with. */
	p.members_max = 0;
	chat_set_policy(chat, &p);
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_join(&b, "lobby");
	client_close(&c);
	client_close(&b);
	client_close(&a);
}
END_TEST

START_TEST(how_long_a_nick_may_be)
{
	struct policy p = client_policy;
	struct msg_login login = client_login(1, "annabel");
	struct msg_nick nick = {.tag = 3, .nick = span_of("ааа")}; /* bytes count, not letters */
	struct client c;

	p.nick_max = 6;
	chat_set_policy(chat, &p);
	client_open(&c, chat);
	client_hello(&c);
	client_ask(&c, MESSAGE_LOGIN, &login);
	expect_limit(&c, 7, LIMIT_MAX_NICK_LENGTH);
	login.nick = span_of("annabe");
	client_ask(&c, MESSAGE_LOGIN, &login);
	client_await(&c, MESSAGE_CAUGHT_UP);
	client_ask(&c, MESSAGE_NICK, &nick);
	client_await(&c, MESSAGE_RENAMED);
	nick.nick = span_of("аааа");
	client_ask(&c, MESSAGE_NICK, &nick);
	expect_limit(&c, 3, LIMIT_MAX_NICK_LENGTH);
	client_close(&c);
}
END_TEST

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
	tcase_add_test(c, gone_while_coming);
	tcase_add_test(c, joining_and_leaving);
	tcase_add_test(c, rooms_of_the_server_and_of_one);
	tcase_add_test(c, members_of_a_room);
	tcase_add_test(c, how_long_a_nick_may_be);
	tcase_add_test(c, replay_and_resume);
	tcase_add_test(c, changing_oneself);
	suite_add_tcase(s, c);
	return s;
}
