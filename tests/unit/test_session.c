/*
 * Sessions: one connection to a real chat, from its first byte to its last: phases and ending. The
 * test is the client.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/session_client.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
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

/* ---- phases ---- */

START_TEST(every_message_has_its_handler)
{
	size_t count;
	const struct message_spec *rows = message_table(&count);

	for (size_t i = 0; i < count; i++)
		ck_assert_msg((session_handler_of(rows[i].number) != NULL) ==
				      ((rows[i].sender & SENDER_CLIENT) != 0 &&
					      rows[i].phase != PHASE_LANE),
			"%s", rows[i].name);
	ck_assert(session_handler_of(0) == NULL);
}
END_TEST

START_TEST(opening)
{
	struct client c;

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_expect_alive(&c);
	client_close(&c);
	ck_assert_uint_eq(people_count(chat_people(chat)), 0);
}
END_TEST

static const struct {
	uint16_t low, high;
	bool good;
} versions[] = {
	{1, 1, true},
	{0, 1, true},
	{0, 0, false},
	{1, 65535, true},
	{2, 65535, false},
	{2, 1, false},
};

START_TEST(versions_in_common)
{
	struct client c;
	struct msg_hello m = {.version_low = versions[_i].low, .version_high = versions[_i].high};

	client_open(&c, chat);
	client_ask(&c, MESSAGE_HELLO, &m);
	if (versions[_i].good)
		client_expect(&c, MESSAGE_WELCOME);
	else
		client_expect_end(&c, CODE_VERSION);
	client_close(&c);
}
END_TEST

/* Frames that end the connection, with or without a login before. */
static const struct {
	int phase; /* 0: nothing before; 1: after HELLO; 2: logged in */
	uint16_t type, flags;
	const char *payload;
	size_t length;
	enum code code;
} fatal[] = {
	{0, MESSAGE_LOGIN, 0, "", 0, CODE_PROTOCOL}, /* a truncated one of its time */
	{0, MESSAGE_JOIN, 0, "", 0, CODE_LOGIN_FIRST},
	{1, MESSAGE_SAY, 0, "", 0, CODE_LOGIN_FIRST},
	{1, MESSAGE_HELLO, 0, "\0\1\0\1\0\0\0\0\0\0", 10, CODE_PROTOCOL},
	{2, MESSAGE_HELLO, 0, "\0\1\0\1\0\0\0\0\0\0", 10, CODE_PROTOCOL},
	{2, MESSAGE_LOGIN, 0, "", 0, CODE_PROTOCOL},
	{0, MESSAGE_COMPARE, 0,
		"\0\0\0\1"
		"0123456789abcdef",
		20, CODE_PROTOCOL},
	{2, MESSAGE_COMPARE, 0,
		"\0\0\0\1"
		"0123456789abcdef",
		20, CODE_PROTOCOL},
	{0, MESSAGE_WELCOME, 0, "", 0, CODE_PROTOCOL}, /* the server's to say */
	{2, MESSAGE_SAID, 0, "", 0, CODE_PROTOCOL},
	{2, MESSAGE_SAID, FRAME_FLAG_SKIP, "", 0, CODE_PROTOCOL},
	{0, 0x7777, 0, "", 0, CODE_PROTOCOL},
	{2, 0x7777, 0, "x", 1, CODE_PROTOCOL},
	{2, MESSAGE_PING, 0, "1234567", 7, CODE_PROTOCOL},
	{2, MESSAGE_PING, 0, "123456789", 9, CODE_PROTOCOL},
	{2, MESSAGE_PING, 2, "12345678", 8, CODE_PROTOCOL}, /* no such flag */
	{0, MESSAGE_HELLO, 0, "\0\1\0\1\0\0\0\0\0\2\xff\xff", 12, CODE_BAD_TEXT},
};

START_TEST(what_ends_a_connection)
{
	struct client c;
	uint8_t frame[64];

	client_open(&c, chat);
	if (fatal[_i].phase == 1)
		client_hello(&c);
	if (fatal[_i].phase == 2)
		client_log_in(&c, 1, "anna");
	frame_encode_header(frame, (uint32_t)fatal[_i].length, fatal[_i].type, fatal[_i].flags & 1);
	frame[7] = (uint8_t)fatal[_i].flags;
	memcpy(frame + FRAME_HEADER, fatal[_i].payload, fatal[_i].length);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_HEADER + fatal[_i].length), 0);
	client_expect_end(&c, fatal[_i].code);
	client_close(&c);
}
END_TEST

/* Before the login, and as often as it takes. */
START_TEST(comparing_logs)
{
	static const struct engine_ancestor parted = {.log_id = {1, 2, 3}, .upto = 6};
	struct msg_hello hello = {.version_low = 1, .version_high = 1, .features = UINT32_MAX};
	struct client c;

	/* Before anybody asks: it is constant for sessions. */
	chat_engine(chat)->ancestors = &parted;
	chat_engine(chat)->ancestor_count = 1;
	client_open(&c, chat);
	client_ask(&c, MESSAGE_HELLO, &hello);
	struct msg_welcome welcome = client_await(&c, MESSAGE_WELCOME).welcome;
	ck_assert_uint_eq(welcome.features, FEATURE_COMPARE | FEATURE_RIGHTS);
	struct {
		const uint8_t *log;
		uint64_t upto;
	} logs[] = {{parted.log_id, 6}, {welcome.log, UINT64_MAX}, {(const uint8_t[16]){9}, 0},
		{(const uint8_t[16]){0}, 0}};
	for (uint32_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct msg_compare compare = {.tag = i + 1};
		memcpy(compare.log, logs[i].log, sizeof(compare.log));
		client_ask(&c, MESSAGE_COMPARE, &compare);
		struct msg_compared compared = client_await(&c, MESSAGE_COMPARED).compared;
		ck_assert_uint_eq(compared.tag, i + 1);
		ck_assert_uint_eq(compared.upto, logs[i].upto);
	}
	client_close(&c);
}
END_TEST

START_TEST(unknown_but_to_be_skipped)
{
	struct client c;
	uint8_t frame[FRAME_HEADER + 5] = {0};

	client_open(&c, chat);
	frame_encode_header(frame, 5, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, sizeof(frame)), 0);
	client_log_in(&c, 1, "anna");
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, sizeof(frame)), 0);
	client_expect_alive(&c);
	client_close(&c);
}
END_TEST

/* Before the login a large frame is refused by its header. */
START_TEST(large_frames_after_the_login_only)
{
	struct client c;
	uint8_t *frame = calloc(1, FRAME_MAX);

	ck_assert_ptr_nonnull(frame);
	client_open(&c, chat);
	frame_encode_header(frame, 4097, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_HEADER), 0);
	client_expect_end(&c, CODE_PROTOCOL);
	client_close(&c);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	frame_encode_header(frame, FRAME_PAYLOAD_MAX, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_MAX), 0);
	client_expect_alive(&c);
	client_close(&c);
	free(frame);
}
END_TEST

START_TEST(byte_by_byte)
{
	struct client c;
	uint8_t frame[256];
	size_t used;
	struct msg_hello m = {.version_low = 1, .version_high = 1, .agent = span_of("slow")};

	client_open(&c, chat);
	ck_assert_int_eq(message_encode(MESSAGE_HELLO, &m, frame, sizeof(frame), &used), 0);
	for (size_t i = 0; i < used; i++)
		ck_assert_int_eq(peer_send_bytes(&c.peer, frame + i, 1), 0);
	client_expect(&c, MESSAGE_WELCOME);
	client_close(&c);
}
END_TEST

/* ---- ending ---- */

START_TEST(saying_goodbye)
{
	struct client a, b;
	struct msg_bye bye = {.code = CODE_QUIT, .text = span_of("see you")};
	bool told = false;

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_join(&b, "lobby");
	client_ask(&a, MESSAGE_BYE, &bye);
	while (peer_await(&a.peer, MESSAGE_ERROR, NULL) != ERR_CLOSED)
		ck_abort_msg("a goodbye was answered");
	while (!told) {
		union message m = client_await(&b, MESSAGE_PRESENCE);
		struct item_change change;
		while (message_list_next(&m.presence.changes, ITEM_CHANGE, &change))
			told |= change.what == CHANGE_PARTED && span_equal(change.text, "see you");
	}
	client_close(&a);
	client_close(&b);
}
END_TEST

START_TEST(being_told_to_stop)
{
	struct client a, b;

	client_open(&a, chat);
	client_open(&b, chat);
	client_log_in(&b, 1, "anna");
	client_join(&b, "lobby");
	session_stop(a.session);
	session_stop(b.session);
	ck_assert_uint_eq(client_await(&a, MESSAGE_BYE).bye.code, CODE_STOPPING);
	ck_assert_uint_eq(client_await(&b, MESSAGE_BYE).bye.code, CODE_STOPPING);
	ck_assert(peer_is_closed(&a.peer));
	ck_assert(peer_is_closed(&b.peer));
	client_close(&a);
	client_close(&b);
}
END_TEST

/* Ask for replies and read none, until the server's socket is full and so many bytes of them wait. */
static void ask_without_reading(struct client *c, size_t replies)
{
	struct msg_ping ping = {0};

	do {
		for (int i = 0; i < 64; i++)
			client_ask(c, MESSAGE_PING, &ping);
	} while (outlet_pending(c->session->outlet) < replies ||
		 !atomic_load(&c->session->outlet->blocked));
}

/* The same, until it reads nothing any more, for there would be too many. */
static void ask_until_it_waits(struct client *c)
{
	struct pollfd p = {.fd = c->peer.fd, .events = POLLOUT};
	struct msg_ping ping = {0};
	uint8_t frame[64];
	size_t length = 0, at = 0;

	ck_assert_int_eq(message_encode(MESSAGE_PING, &ping, frame, sizeof(frame), &length), 0);
	ask_without_reading(c, 10000);
	while (poll(&p, 1, 300) > 0) {
		ssize_t n = send(p.fd, frame + at, length - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		ck_assert(n > 0 || errno == EAGAIN);
		at = (at + (n > 0 ? (size_t)n : 0)) % length;
	}
}

/* A goodbye behind much that waits: it comes as long as the peer reads. */
static void take_the_goodbye(struct client *c, int unread_for_ms)
{
	struct pollfd p = {.fd = c->peer.fd, .events = POLLRDHUP};
	struct frame f;
	union message m;
	int r;

	session_stop(c->session);
	/* It does not give up at once: there is a second for us to take it. */
	ck_assert_int_eq(poll(&p, 1, unread_for_ms), 0);
	do
		r = peer_take(&c->peer, 4096, clock_ms() + PEER_PATIENCE, &f, &m);
	while (r == 0 && f.type == MESSAGE_PONG);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(f.type, MESSAGE_BYE);
}

START_TEST(stopped_while_much_waits)
{
	struct client c;

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	ask_without_reading(&c, 10000);
	take_the_goodbye(&c, 200);
	client_close(&c);
}
END_TEST

/* It went without a word where it waited for room for one more reply. */
START_TEST(stopped_while_it_waits)
{
	struct client c;

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	ask_until_it_waits(&c);
	take_the_goodbye(&c, 1500);
	client_close(&c);
}
END_TEST

Suite *session_suite(void)
{
	Suite *s = suite_create("session");
	TCase *c = tcase_create("session");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, every_message_has_its_handler);
	tcase_add_test(c, opening);
	tcase_add_loop_test(c, versions_in_common, 0, sizeof(versions) / sizeof(versions[0]));
	tcase_add_loop_test(c, what_ends_a_connection, 0, sizeof(fatal) / sizeof(fatal[0]));
	tcase_add_test(c, comparing_logs);
	tcase_add_test(c, unknown_but_to_be_skipped);
	tcase_add_test(c, large_frames_after_the_login_only);
	tcase_add_test(c, byte_by_byte);
	tcase_add_test(c, saying_goodbye);
	tcase_add_test(c, being_told_to_stop);
	tcase_add_test(c, stopped_while_much_waits);
	tcase_add_test(c, stopped_while_it_waits);
	suite_add_tcase(s, c);
	return s;
}
