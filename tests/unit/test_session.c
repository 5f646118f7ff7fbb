/*
 * Sessions: one connection to a real chat, from its first byte to its last; the
 * test is the client.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "tests/unit/peer.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- a chat and its clients ---- */

static struct chat *chat;

static const struct policy patient = {
	.name = "test",
	.login_ms = 60000,
	.frame_ms = 60000,
	.ping_ms = 60000,
	.idle_ms = 120000,
	.replay_max = 100,
	.rooms_each = 3,
	.rooms_max = 10,
};

static void start_chat(const struct policy *policy, const char *motd)
{
	struct chat_config config = {
		.keep_bytes = 1 << 20,
		.window_bytes = 1 << 20,
		.policy = *policy,
		.motd = motd,
	};
	char error[256];

	ck_assert_msg(chat_start(&config, &chat, error, sizeof(error)) == 0, "%s", error);
}

struct client {
	struct peer peer;
	struct session *session;
	pthread_t thread;
};

static void *run(void *argument)
{
	session_run(argument, NULL, NULL);
	return NULL;
}

static void client_open(struct client *c)
{
	struct net_address nowhere = {0};
	struct stream *stream;
	int fd;

	ck_assert_int_eq(peer_open(&c->peer, 0, &fd), 0);
	ck_assert_int_eq(stream_new_plain(fd, &stream), 0);
	ck_assert_int_eq(session_new(chat, stream, &nowhere, &c->session), 0);
	ck_assert_int_eq(pthread_create(&c->thread, NULL, run, c->session), 0);
}

static void client_close(struct client *c)
{
	peer_close(&c->peer);
	ck_assert_int_eq(pthread_join(c->thread, NULL), 0);
	session_free(c->session);
}

static union message expect(struct client *c, enum message_number number)
{
	union message m;

	ck_assert_int_eq(peer_expect(&c->peer, number, &m), 0);
	return m;
}

static union message await(struct client *c, enum message_number number)
{
	union message m;

	ck_assert_int_eq(peer_await(&c->peer, number, &m), 0);
	return m;
}

static void ask(struct client *c, enum message_number number, const void *value)
{
	ck_assert_int_eq(peer_send(&c->peer, number, value), 0);
}

/* The connection ends with this as the last word. */
static void expect_end(struct client *c, enum code code)
{
	union message m = await(c, MESSAGE_ERROR);

	ck_assert_uint_eq(m.error.code, code);
	ck_assert_uint_eq(m.error.fatal, 1);
	ck_assert_uint_eq(m.error.tag, 0);
	ck_assert(peer_is_closed(&c->peer));
}

static void expect_refusal(struct client *c, uint32_t tag, enum code code)
{
	union message m = await(c, MESSAGE_ERROR);

	ck_assert_uint_eq(m.error.code, code);
	ck_assert_uint_eq(m.error.fatal, 0);
	ck_assert_uint_eq(m.error.tag, tag);
}

/* It is still there, and this comes next, for answers keep the order of the questions. */
static void expect_alive(struct client *c)
{
	static uint64_t token = 1000;
	struct msg_ping ping = {.token = ++token};

	ask(c, MESSAGE_PING, &ping);
	ck_assert_uint_eq(expect(c, MESSAGE_PONG).pong.token, token);
}

/* ---- what a client says ---- */

static void hello(struct client *c)
{
	struct msg_hello m = {.version_low = 1, .version_high = 1, .agent = span_of("test")};

	ask(c, MESSAGE_HELLO, &m);
	ck_assert_uint_eq(expect(c, MESSAGE_WELCOME).welcome.version, 1);
}

static struct msg_login login_of(int who, const char *nick)
{
	struct msg_login m = {.tag = 7, .nick = span_of(nick)};

	m.person[0] = (uint8_t)who;
	m.instance[0] = (uint8_t)who;
	return m;
}

static void log_in(struct client *c, int who, const char *nick)
{
	struct msg_login m = login_of(who, nick);

	hello(c);
	ask(c, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(expect(c, MESSAGE_LOGGED_IN).logged_in.nick, nick));
	ck_assert_uint_eq(expect(c, MESSAGE_CAUGHT_UP).caught_up.room.length, 0);
}

static void join(struct client *c, const char *room)
{
	struct msg_join m = {.tag = 9, .room = span_of(room)};

	ask(c, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(await(c, MESSAGE_JOINED).joined.tag, 9);
	await(c, MESSAGE_CAUGHT_UP);
}

static void say(struct client *c, uint64_t counter, const char *room, const char *text)
{
	struct msg_say m = {.counter = counter, .room = span_of(room), .text = span_of(text)};

	ask(c, MESSAGE_SAY, &m);
}

static void expect_refused(struct client *c, uint64_t counter, enum code code)
{
	union message m = await(c, MESSAGE_REFUSED);

	ck_assert_uint_eq(m.refused.counter, counter);
	ck_assert_uint_eq(m.refused.code, code);
}

static void setup(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	start_chat(&patient, NULL);
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
				      ((rows[i].sender & SENDER_CLIENT) != 0),
			"%s", rows[i].name);
	ck_assert(session_handler_of(0) == NULL);
}
END_TEST

START_TEST(opening)
{
	struct client c;

	client_open(&c);
	log_in(&c, 1, "anna");
	expect_alive(&c);
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

	client_open(&c);
	ask(&c, MESSAGE_HELLO, &m);
	if (versions[_i].good)
		expect(&c, MESSAGE_WELCOME);
	else
		expect_end(&c, CODE_VERSION);
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

	client_open(&c);
	if (fatal[_i].phase == 1)
		hello(&c);
	if (fatal[_i].phase == 2)
		log_in(&c, 1, "anna");
	frame_encode_header(frame, (uint32_t)fatal[_i].length, fatal[_i].type, fatal[_i].flags & 1);
	frame[7] = (uint8_t)fatal[_i].flags;
	memcpy(frame + FRAME_HEADER, fatal[_i].payload, fatal[_i].length);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_HEADER + fatal[_i].length), 0);
	expect_end(&c, fatal[_i].code);
	client_close(&c);
}
END_TEST

START_TEST(unknown_but_to_be_skipped)
{
	struct client c;
	uint8_t frame[FRAME_HEADER + 5] = {0};

	client_open(&c);
	frame_encode_header(frame, 5, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, sizeof(frame)), 0);
	log_in(&c, 1, "anna");
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, sizeof(frame)), 0);
	expect_alive(&c);
	client_close(&c);
}
END_TEST

/* Before the login a large frame is refused by its header. */
START_TEST(large_frames_after_the_login_only)
{
	struct client c;
	uint8_t *frame = calloc(1, FRAME_MAX);

	ck_assert_ptr_nonnull(frame);
	client_open(&c);
	frame_encode_header(frame, 4097, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_HEADER), 0);
	expect_end(&c, CODE_PROTOCOL);
	client_close(&c);
	client_open(&c);
	log_in(&c, 1, "anna");
	frame_encode_header(frame, FRAME_PAYLOAD_MAX, 0x7777, FRAME_FLAG_SKIP);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frame, FRAME_MAX), 0);
	expect_alive(&c);
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

	client_open(&c);
	ck_assert_int_eq(message_encode(MESSAGE_HELLO, &m, frame, sizeof(frame), &used), 0);
	for (size_t i = 0; i < used; i++)
		ck_assert_int_eq(peer_send_bytes(&c.peer, frame + i, 1), 0);
	expect(&c, MESSAGE_WELCOME);
	client_close(&c);
}
END_TEST

/* ---- logging in ---- */

START_TEST(a_nick_that_is_taken)
{
	struct client a, b;
	struct msg_login m = login_of(2, "ANNA");

	client_open(&a);
	log_in(&a, 1, "anna");
	client_open(&b);
	hello(&b);
	ask(&b, MESSAGE_LOGIN, &m);
	expect_refusal(&b, 7, CODE_NICK_TAKEN);
	m.nick = span_of("a b");
	ask(&b, MESSAGE_LOGIN, &m);
	expect_refusal(&b, 7, CODE_BAD_TEXT);
	m.nick = span_of("a#b");
	ask(&b, MESSAGE_LOGIN, &m);
	expect_refusal(&b, 7, CODE_BAD_NICK);
	/* The connection goes on, and the next free one is to be had. */
	m.nick = span_of("ANNA");
	m.flags = LOGIN_ANY_NICK;
	ask(&b, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(expect(&b, MESSAGE_LOGGED_IN).logged_in.nick, "ANNA2"));
	client_close(&b);
	client_close(&a);
}
END_TEST

START_TEST(nobody_cannot_log_in)
{
	struct client c;
	struct msg_login m = login_of(0, "anna");

	client_open(&c);
	hello(&c);
	ask(&c, MESSAGE_LOGIN, &m);
	expect_refusal(&c, 7, CODE_BAD_VALUE);
	client_close(&c);
}
END_TEST

START_TEST(greeting)
{
	struct client c;
	struct msg_login m = login_of(1, "anna");
	char text[NOTICE_MAX + 1];

	memset(text, 'x', NOTICE_MAX);
	text[NOTICE_MAX] = '\0';
	ck_assert_int_eq(chat_set_motd(chat, text), 0);
	client_open(&c);
	hello(&c);
	ask(&c, MESSAGE_LOGIN, &m);
	expect(&c, MESSAGE_LOGGED_IN);
	union message notice = expect(&c, MESSAGE_NOTICE);
	ck_assert_uint_eq(notice.notice.kind, NOTICE_MOTD);
	ck_assert_uint_eq(notice.notice.text.length, NOTICE_MAX);
	client_close(&c);
}
END_TEST

/* ---- saying ---- */

START_TEST(bad_text_is_answered)
{
	struct client c;

	client_open(&c);
	log_in(&c, 1, "anna");
	join(&c, "lobby");
	say(&c, 1, "lobby", "\xc3\x28");
	expect_refused(&c, 1, CODE_BAD_TEXT);
	say(&c, 2, "lobby", "\x1b[31m");
	expect_refused(&c, 2, CODE_BAD_TEXT);
	say(&c, 3, "lobby", "");
	expect_refused(&c, 3, CODE_BAD_VALUE);
	say(&c, 0, "lobby", "no counter");
	expect_refused(&c, 0, CODE_BAD_VALUE);
	say(&c, 4, "elsewhere", "hi");
	expect_refused(&c, 4, CODE_NOT_A_MEMBER);
	struct msg_say odd = {
		.counter = 5, .kind = SAID_KINDS, .room = span_of("lobby"), .text = span_of("x")};
	ask(&c, MESSAGE_SAY, &odd);
	expect_refused(&c, 5, CODE_BAD_VALUE);
	struct msg_nick nick = {.tag = 77, .nick = span_of("a\x01")};
	ask(&c, MESSAGE_NICK, &nick);
	expect_refusal(&c, 77, CODE_BAD_TEXT);
	/* None of these was accepted, so they may be said now. */
	say(&c, 1, "LOBBY", "hi");
	ck_assert_uint_eq(await(&c, MESSAGE_ACK).ack.counter, 1);
	client_close(&c);
}
END_TEST

/* Many at once, so that batches fill, with questions and mistakes between them: each is answered, in
 * the order in which they were asked. */
START_TEST(answers_in_order)
{
	struct client c;
	uint8_t *bytes = malloc(400 * 128);
	size_t length = 0, used;

	ck_assert_ptr_nonnull(bytes);
	client_open(&c);
	log_in(&c, 1, "anna");
	join(&c, "lobby");
	for (uint64_t i = 1; i <= 300; i++) {
		struct msg_say m = {.counter = i, .room = span_of("lobby"), .text = span_of("x")};
		struct msg_ping ping = {.token = i};
		if (i % 71 == 0)
			m.text = span_of("\xff");
		if (i % 83 == 0)
			m.room = span_of("elsewhere");
		ck_assert_int_eq(message_encode(MESSAGE_SAY, &m, bytes + length, 128, &used), 0);
		length += used;
		if (i % 97 == 0) {
			ck_assert_int_eq(
				message_encode(MESSAGE_PING, &ping, bytes + length, 128, &used), 0);
			length += used;
		}
	}
	ck_assert_int_eq(peer_send_bytes(&c.peer, bytes, length), 0);
	uint64_t said = 0;
	for (uint64_t i = 1; i <= 300;) {
		struct frame f;
		union message m;
		ck_assert_int_eq(peer_take(&c.peer, 4096, clock_ms() + PEER_PATIENCE, &f, &m), 0);
		bool wrong = i % 71 == 0 || i % 83 == 0;
		if (f.type == MESSAGE_ACK) {
			ck_assert(!wrong);
			ck_assert_uint_eq(m.ack.counter, i++);
		} else if (f.type == MESSAGE_REFUSED) {
			ck_assert(wrong);
			ck_assert_uint_eq(m.refused.counter, i++);
		} else if (f.type == MESSAGE_PONG) {
			ck_assert_uint_eq(m.pong.token, i - 1);
		} else if (f.type == MESSAGE_SAID) {
			ck_assert_uint_gt(m.said.seq, said);
			said = m.said.seq;
		}
	}
	client_close(&c);
	free(bytes);
}
END_TEST

START_TEST(two_hear_each_other)
{
	struct client a, b;

	client_open(&a);
	log_in(&a, 1, "anna");
	join(&a, "lobby");
	client_open(&b);
	log_in(&b, 2, "boris");
	join(&b, "lobby");
	say(&a, 1, "lobby", "hi");
	ck_assert_uint_eq(await(&a, MESSAGE_ACK).ack.duplicate, 0);
	union message m = await(&b, MESSAGE_SAID);
	ck_assert(span_equal(m.said.text, "hi"));
	ck_assert(span_equal(m.said.nick, "anna"));
	struct msg_direct direct = {.counter = 1, .nick = span_of("ANNA"), .text = span_of("psst")};
	ask(&b, MESSAGE_DIRECT, &direct);
	m = await(&a, MESSAGE_DIRECT_SAID);
	ck_assert(span_equal(m.direct_said.text, "psst"));
	ck_assert(span_equal(m.direct_said.to_nick, "anna"));
	await(&b, MESSAGE_DIRECT_SAID); /* the writer's other sessions want it too */
	/* Said again under the same number, it is acknowledged and not said again. */
	say(&a, 1, "lobby", "hi");
	ck_assert_uint_eq(await(&a, MESSAGE_ACK).ack.duplicate, 1);
	client_close(&a);
	client_close(&b);
}
END_TEST

/* Direct messages to oneself, and to nobody. */
START_TEST(direct_messages)
{
	struct client c;
	struct msg_direct m = {.counter = 1, .nick = span_of("anna"), .text = span_of("me")};

	client_open(&c);
	log_in(&c, 1, "anna");
	ask(&c, MESSAGE_DIRECT, &m);
	await(&c, MESSAGE_DIRECT_SAID);
	m.nick = span_of("nobody");
	m.counter = 2;
	ask(&c, MESSAGE_DIRECT, &m);
	expect_refused(&c, 2, CODE_NO_SUCH_PERSON);
	m.person[0] = 99;
	ask(&c, MESSAGE_DIRECT, &m); /* by id, somebody who is away, under the nick last known */
	ck_assert_uint_eq(await(&c, MESSAGE_ACK).ack.counter, 2);
	m.counter = 3;
	m.nick = span_of("");
	ask(&c, MESSAGE_DIRECT, &m);
	expect_refused(&c, 3, CODE_NO_SUCH_PERSON);
	m.kind = SAID_TOPIC;
	ask(&c, MESSAGE_DIRECT, &m);
	expect_refused(&c, 3, CODE_BAD_VALUE);
	client_close(&c);
}
END_TEST

/* ---- an engine that fails ---- */

static const struct engine_class *working;
static atomic_bool failing;

static int append_or_fail(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	if (!atomic_load(&failing))
		return working->append(e, entries, count, deadline, results);
	for (size_t i = 0; i < count; i++)
		results[i] = (struct append_result){.status = APPEND_RETRY};
	return ERR_MEMORY;
}

static void expect_ack(struct client *c, uint64_t counter, bool duplicate)
{
	union message m = await(c, MESSAGE_ACK);

	ck_assert_uint_eq(m.ack.counter, counter);
	ck_assert_uint_eq(m.ack.duplicate, duplicate);
}

/* After a message that was not kept, none later is until that one comes again: else it would be
 * taken for known, and be lost. */
START_TEST(later_ones_wait_for_a_retry)
{
	struct engine *e = chat_engine(chat);
	struct engine_class class = *e->class;
	struct client c;

	working = e->class;
	class.append = append_or_fail;
	e->class = &class;
	client_open(&c);
	log_in(&c, 1, "anna");
	join(&c, "lobby");
	say(&c, 1, "lobby", "one");
	expect_ack(&c, 1, false);
	atomic_store(&failing, true);
	say(&c, 2, "lobby", "two");
	expect_refused(&c, 2, CODE_RETRY);
	say(&c, 3, "lobby", "three");
	expect_refused(&c, 3, CODE_RETRY);
	atomic_store(&failing, false);
	say(&c, 3, "lobby", "three");
	expect_refused(&c, 3, CODE_RETRY);
	struct msg_direct direct = {.counter = 4, .nick = span_of("anna"), .text = span_of("four")};
	ask(&c, MESSAGE_DIRECT, &direct);
	expect_refused(&c, 4, CODE_RETRY);
	/* One that is long known does not let the later ones pass either. */
	say(&c, 1, "lobby", "one");
	expect_ack(&c, 1, true);
	say(&c, 3, "lobby", "three");
	expect_refused(&c, 3, CODE_RETRY);
	say(&c, 2, "lobby", "two");
	expect_ack(&c, 2, false);
	say(&c, 3, "lobby", "three");
	expect_ack(&c, 3, false);
	ask(&c, MESSAGE_DIRECT, &direct);
	expect_ack(&c, 4, false);
	client_close(&c);
	e->class = working;
}
END_TEST

/* ---- rooms ---- */

START_TEST(joining_and_leaving)
{
	struct client c;
	struct msg_join m = {.tag = 1, .room = span_of("one")};
	struct msg_part part = {.tag = 2, .room = span_of("one")};

	client_open(&c);
	log_in(&c, 1, "anna");
	ask(&c, MESSAGE_PART, &part);
	expect_refusal(&c, 2, CODE_NOT_A_MEMBER);
	join(&c, "one");
	m.room = span_of("ONE");
	ask(&c, MESSAGE_JOIN, &m);
	expect_refusal(&c, 1, CODE_ALREADY);
	join(&c, "two");
	join(&c, "three");
	m.room = span_of("four");
	ask(&c, MESSAGE_JOIN, &m);
	expect_refusal(&c, 1, CODE_TOO_MANY_ROOMS);
	part.room = span_of("One");
	ask(&c, MESSAGE_PART, &part);
	union message parted = await(&c, MESSAGE_PARTED);
	ck_assert_uint_eq(parted.parted.tag, 2);
	ck_assert(span_equal(parted.parted.room, "one"));
	m.room = span_of("a#b");
	ask(&c, MESSAGE_JOIN, &m);
	expect_refusal(&c, 1, CODE_BAD_ROOM);
	join(&c, "four");
	client_close(&c);
}
END_TEST

static void expect_said(struct client *c, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		ck_assert_uint_eq(await(c, MESSAGE_SAID).said.seq, seq);
	ck_assert_uint_eq(await(c, MESSAGE_CAUGHT_UP).caught_up.last, to);
}

START_TEST(replay_and_resume)
{
	struct client a, b;
	struct msg_join m = {.tag = 1, .room = span_of("lobby"), .replay = 3};
	struct msg_login login = login_of(2, "boris");

	client_open(&a);
	log_in(&a, 1, "anna");
	join(&a, "lobby");
	for (uint64_t i = 1; i <= 10; i++)
		say(&a, i, "lobby", "x");
	for (uint64_t i = 1; i <= 10; i++)
		await(&a, MESSAGE_ACK);
	memcpy(login.log, chat_engine(chat)->log_id, sizeof(login.log));
	client_open(&b);
	hello(&b);
	ask(&b, MESSAGE_LOGIN, &login);
	await(&b, MESSAGE_CAUGHT_UP);
	ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(await(&b, MESSAGE_JOINED).joined.after, 7);
	expect_said(&b, 8, 10);
	struct msg_part part = {.room = span_of("lobby")};
	ask(&b, MESSAGE_PART, &part);
	m.flags = JOIN_RESUME;
	m.after = 4;
	ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(await(&b, MESSAGE_JOINED).joined.after, 4);
	expect_said(&b, 5, 10);
	client_close(&b);
	/* Positions of another log mean nothing. */
	login.log[0] ^= 1;
	client_open(&b);
	hello(&b);
	ask(&b, MESSAGE_LOGIN, &login);
	await(&b, MESSAGE_CAUGHT_UP);
	m.replay = 1000;
	ask(&b, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(await(&b, MESSAGE_JOINED).joined.after, 0);
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

	client_open(&a);
	log_in(&a, 1, "anna");
	join(&a, "lobby");
	client_open(&b);
	log_in(&b, 2, "boris");
	join(&b, "lobby");
	ask(&a, MESSAGE_NICK, &nick);
	expect_refusal(&a, 3, CODE_NICK_TAKEN);
	nick.nick = span_of("Anna");
	ask(&a, MESSAGE_NICK, &nick);
	ck_assert(span_equal(await(&a, MESSAGE_RENAMED).renamed.nick, "Anna"));
	ask(&a, MESSAGE_AWAY, &away);
	ck_assert_uint_eq(await(&a, MESSAGE_DONE).done.tag, 4);
	away.state = PERSON_GONE;
	ask(&a, MESSAGE_AWAY, &away);
	expect_refusal(&a, 4, CODE_BAD_VALUE);
	/* The other one is told in the end. */
	bool renamed = false, gone_away = false;
	while (!renamed || !gone_away) {
		union message m = await(&b, MESSAGE_PRESENCE);
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

/* ---- ending ---- */

START_TEST(saying_goodbye)
{
	struct client a, b;
	struct msg_bye bye = {.code = CODE_QUIT, .text = span_of("see you")};
	bool told = false;

	client_open(&a);
	log_in(&a, 1, "anna");
	join(&a, "lobby");
	client_open(&b);
	log_in(&b, 2, "boris");
	join(&b, "lobby");
	ask(&a, MESSAGE_BYE, &bye);
	while (peer_await(&a.peer, MESSAGE_ERROR, NULL) != ERR_CLOSED)
		ck_abort_msg("a goodbye was answered");
	while (!told) {
		union message m = await(&b, MESSAGE_PRESENCE);
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

	client_open(&a);
	client_open(&b);
	log_in(&b, 1, "anna");
	join(&b, "lobby");
	session_stop(a.session);
	session_stop(b.session);
	ck_assert_uint_eq(await(&a, MESSAGE_BYE).bye.code, CODE_STOPPING);
	ck_assert_uint_eq(await(&b, MESSAGE_BYE).bye.code, CODE_STOPPING);
	ck_assert(peer_is_closed(&a.peer));
	ck_assert(peer_is_closed(&b.peer));
	client_close(&a);
	client_close(&b);
}
END_TEST

/* A goodbye behind much that waits: it comes as long as the peer reads. */
START_TEST(stopped_while_much_waits)
{
	struct client c;
	struct msg_ping ping = {0};
	struct frame f;
	union message m;

	client_open(&c);
	log_in(&c, 1, "anna");
	/* Until the server's socket is full and replies wait. */
	do {
		for (int i = 0; i < 64; i++)
			ask(&c, MESSAGE_PING, &ping);
	} while (outlet_pending(c.session->outlet) < 10000);
	session_stop(c.session);
	/* It does not give up at once: there is a second for us to take it. */
	struct pollfd p = {.fd = c.peer.fd, .events = POLLRDHUP};
	ck_assert_int_eq(poll(&p, 1, 200), 0);
	int r;
	do
		r = peer_take(&c.peer, 4096, clock_ms() + PEER_PATIENCE, &f, &m);
	while (r == 0 && f.type == MESSAGE_PONG);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(f.type, MESSAGE_BYE);
	client_close(&c);
}
END_TEST

/* ---- deadlines ---- */

static void hasten(int64_t login, int64_t frame, int64_t ping, int64_t idle)
{
	struct policy p = patient;

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
	client_open(&c);
	expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
	/* Talking does not help; logging in does. */
	client_open(&c);
	hello(&c);
	expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
}
END_TEST

START_TEST(a_frame_that_does_not_end)
{
	struct client c;
	uint8_t header[FRAME_HEADER];

	hasten(60000, 80, 60000, 60000);
	client_open(&c);
	log_in(&c, 1, "anna");
	frame_encode_header(header, 8, MESSAGE_PING, 0);
	ck_assert_int_eq(peer_send_bytes(&c.peer, header, sizeof(header)), 0);
	expect_end(&c, CODE_TIMEOUT);
	client_close(&c);
}
END_TEST

START_TEST(pinged_then_given_up)
{
	struct client c;

	hasten(60000, 60000, 40, 400);
	client_open(&c);
	log_in(&c, 1, "anna");
	int64_t began = clock_ms();
	expect(&c, MESSAGE_PING);
	expect(&c, MESSAGE_PING); /* and again, after as long */
	expect_end(&c, CODE_TIMEOUT);
	ck_assert_int_ge(clock_ms() - began, 300);
	client_close(&c);
}
END_TEST

START_TEST(answering_pings_is_enough)
{
	struct client c;

	hasten(60000, 60000, 40, 400);
	client_open(&c);
	log_in(&c, 1, "anna");
	int64_t until = clock_ms() + 1000;
	while (clock_ms() < until) {
		union message m = expect(&c, MESSAGE_PING);
		struct msg_pong pong = {.token = m.ping.token};
		ask(&c, MESSAGE_PONG, &pong);
	}
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
	tcase_add_test(c, unknown_but_to_be_skipped);
	tcase_add_test(c, large_frames_after_the_login_only);
	tcase_add_test(c, byte_by_byte);
	tcase_add_test(c, a_nick_that_is_taken);
	tcase_add_test(c, nobody_cannot_log_in);
	tcase_add_test(c, greeting);
	tcase_add_test(c, bad_text_is_answered);
	tcase_add_test(c, answers_in_order);
	tcase_add_test(c, two_hear_each_other);
	tcase_add_test(c, direct_messages);
	tcase_add_test(c, later_ones_wait_for_a_retry);
	tcase_add_test(c, joining_and_leaving);
	tcase_add_test(c, replay_and_resume);
	tcase_add_test(c, changing_oneself);
	tcase_add_test(c, saying_goodbye);
	tcase_add_test(c, being_told_to_stop);
	tcase_add_test(c, stopped_while_much_waits);
	tcase_add_test(c, silent_before_the_login);
	tcase_add_test(c, a_frame_that_does_not_end);
	tcase_add_test(c, pinged_then_given_up);
	tcase_add_test(c, answering_pings_is_enough);
	suite_add_tcase(s, c);
	return s;
}
