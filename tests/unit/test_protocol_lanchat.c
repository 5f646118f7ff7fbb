/*
 * The load tool's own idea of lanchat's messages, held against the message table.
 */
#include "tools/stress/protocol.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <string.h>

static uint8_t bytes[8192];
static struct outgoing out;
static struct protocol_peer peer;

static void setup(void)
{
	out = (struct outgoing){.bytes = bytes, .size = sizeof(bytes)};
	peer = (struct protocol_peer){.run = 0xabcdef, .number = 12, .room = 3};
	memset(peer.person, 7, sizeof(peer.person));
}

static size_t encode(uint8_t *frame, size_t size, enum message_number number, const void *m)
{
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, m, frame, size, &used), 0);
	return used;
}

/* Every frame in `out`, decoded by the table: of which the numbers. */
static size_t numbers(uint16_t *found, union message *last)
{
	size_t at = 0, count = 0;
	struct frame f;

	while (at < out.used) {
		ck_assert_int_eq(frame_decode(bytes + at, out.used - at, 65536, &f, NULL), 0);
		ck_assert_int_eq(message_decode(&f, last), 0);
		ck_assert_int_eq(message_check_text(f.type, last), 0);
		found[count++] = f.type;
		at += FRAME_HEADER + f.length;
	}
	return count;
}

START_TEST(greets_as_the_table_says)
{
	uint16_t found[8];
	union message last;

	protocol_lanchat.greet(&peer, &out);
	ck_assert(!out.full);
	ck_assert_uint_eq(numbers(found, &last), 3);
	ck_assert_uint_eq(found[0], MESSAGE_HELLO);
	ck_assert_uint_eq(found[1], MESSAGE_LOGIN);
	ck_assert_uint_eq(found[2], MESSAGE_JOIN);
	ck_assert_uint_eq(last.join.flags, 0);
	out.used = 0;
	peer.returns = true;
	peer.position = 99;
	protocol_lanchat.greet(&peer, &out);
	numbers(found, &last);
	ck_assert_uint_eq(last.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(last.join.after, 99);
	out.used = 0;
	protocol_lanchat.say(&peer, 5, "hello", 5, &out);
	ck_assert_uint_eq(numbers(found, &last), 1);
	ck_assert_uint_eq(last.say.counter, 5);
	ck_assert(span_equal(last.say.text, "hello"));
	out.used = 0;
	protocol_lanchat.leave(&peer, &out);
	ck_assert_uint_eq(numbers(found, &last), 1);
	ck_assert_uint_eq(found[0], MESSAGE_BYE);
}
END_TEST

START_TEST(no_room)
{
	out.size = 40;
	protocol_lanchat.greet(&peer, &out);
	ck_assert(out.full);
	ck_assert_uint_le(out.used, out.size);
}
END_TEST

static struct event take(const uint8_t *frame, size_t length)
{
	struct event e;
	size_t used = 0;

	/* However it is cut, it is understood when it is whole. */
	for (size_t n = 0; n < length; n++)
		ck_assert_int_eq(
			protocol_lanchat.next(&peer, frame, n, &used, &e, &out), ERR_AGAIN);
	ck_assert_int_eq(protocol_lanchat.next(&peer, frame, length, &used, &e, &out), 0);
	ck_assert_uint_eq(used, length);
	return e;
}

START_TEST(said_is_read_by_its_places)
{
	uint8_t frame[1024];
	struct msg_said m = {
		.seq = 1234567,
		.counter = 8,
		.nick = span_of("somebody"),
		.room = span_of("a-room"),
		.text = span_of("this is the text"),
	};
	size_t length = encode(frame, sizeof(frame), MESSAGE_SAID, &m);
	struct event e = take(frame, length);

	ck_assert_int_eq(e.kind, EVENT_MESSAGE);
	ck_assert_uint_eq(e.length, 16);
	ck_assert_int_eq(memcmp(e.text, "this is the text", 16), 0);
	ck_assert_uint_eq(e.number, 1234567);
	ck_assert_uint_eq(peer.position, 1234567);
	/* What comes late does not have it ask for what it has. */
	m.seq = 1234566;
	(void)take(frame, encode(frame, sizeof(frame), MESSAGE_SAID, &m));
	ck_assert_uint_eq(peer.position, 1234567);
	/* Any length of a text in it that does not fit is found. */
	size_t used;
	for (size_t i = FRAME_HEADER; i < length; i++) {
		uint8_t wrong[1024];
		memcpy(wrong, frame, length);
		wrong[i] = 0xff;
		int r = protocol_lanchat.next(&peer, wrong, length, &used, &e, &out);
		ck_assert(r == 0 || r == ERR_PROTOCOL);
		if (r == 0 && e.kind == EVENT_MESSAGE) {
			ck_assert((const uint8_t *)e.text >= wrong);
			ck_assert_uint_le((size_t)(e.text - (char *)wrong) + e.length, length);
		}
	}
}
END_TEST

START_TEST(dialogue)
{
	uint8_t frame[512];
	struct msg_welcome welcome = {.version = 1, .name = span_of("x")};
	struct msg_logged_in in = {.tag = 1, .nick = span_of("c")};
	struct msg_joined joined = {.tag = 2, .room = span_of("r"), .last = 41};
	struct msg_ack ack = {.counter = 3, .seq = 9};
	struct msg_ping ping = {.token = 77};
	struct msg_error error = {.tag = 2, .code = CODE_BANNED, .text = span_of("no")};
	uint16_t found[2];
	union message last;

	ck_assert_int_eq(take(frame, encode(frame, sizeof(frame), MESSAGE_WELCOME, &welcome)).kind,
		EVENT_NONE);
	welcome.agent = span_of("lanchatd/9.9");
	struct event hello = take(frame, encode(frame, sizeof(frame), MESSAGE_WELCOME, &welcome));
	ck_assert_int_eq(hello.kind, EVENT_AGENT);
	ck_assert_uint_eq(hello.length, 12);
	ck_assert_int_eq(memcmp(hello.text, "lanchatd/9.9", 12), 0);
	ck_assert_int_eq(
		take(frame, encode(frame, sizeof(frame), MESSAGE_LOGGED_IN, &in)).kind, EVENT_NONE);
	struct protocol_peer before = peer;
	struct event e = take(frame, encode(frame, sizeof(frame), MESSAGE_ERROR, &error));
	ck_assert_int_eq(e.kind, EVENT_REFUSED);
	ck_assert_uint_eq(e.length, 2);
	peer = before;
	ck_assert_int_eq(take(frame, encode(frame, sizeof(frame), MESSAGE_JOINED, &joined)).kind,
		EVENT_READY);
	ck_assert_uint_eq(peer.position, 41);
	/* Places in another log are no places in this one. */
	welcome.log[0] ^= 1;
	(void)take(frame, encode(frame, sizeof(frame), MESSAGE_WELCOME, &welcome));
	ck_assert_uint_eq(peer.position, 0);
	peer.position = 41;
	peer.step = before.step;
	(void)take(frame, encode(frame, sizeof(frame), MESSAGE_JOINED, &joined));
	e = take(frame, encode(frame, sizeof(frame), MESSAGE_ACK, &ack));
	ck_assert_int_eq(e.kind, EVENT_ACK);
	ck_assert_uint_eq(e.number, 3);
	ck_assert_uint_eq(out.used, 0);
	ck_assert_int_eq(
		take(frame, encode(frame, sizeof(frame), MESSAGE_PING, &ping)).kind, EVENT_NONE);
	ck_assert_uint_eq(numbers(found, &last), 1);
	ck_assert_uint_eq(found[0], MESSAGE_PONG);
	ck_assert_uint_eq(last.pong.token, 77);
	size_t used;
	ck_assert_int_eq(protocol_lanchat.next(
				 &peer, (const uint8_t *)"HTTP/1.1 200 OK", 15, &used, &e, &out),
		ERR_PROTOCOL);
}
END_TEST

Suite *protocol_lanchat_suite(void)
{
	Suite *s = suite_create("protocol_lanchat");
	TCase *c = tcase_create("protocol_lanchat");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, greets_as_the_table_says);
	tcase_add_test(c, no_room);
	tcase_add_test(c, said_is_read_by_its_places);
	tcase_add_test(c, dialogue);
	suite_add_tcase(s, c);
	return s;
}
