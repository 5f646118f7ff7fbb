/*
 * From the log to the wire: every field in its place, for a room and for both
 * inboxes, and the number of a frame.
 */
#include "server/said.h"

#include "tests/unit/entries.h"

#include <check.h>
#include <string.h>

static const uint8_t writer[PERSON_ID] = {1, 2, 3};
static const uint8_t reader[PERSON_ID] = {4, 5, 6};
static const uint8_t instance[INSTANCE_ID] = {7, 8, 9};

static struct log_entry an_entry(void)
{
	return (struct log_entry){
		.person = writer,
		.instance = instance,
		.counter = 11,
		.kind = SAID_ACTION,
		.nick = span_of("anna"),
		.to_nick = span_of("boris"),
		.text = span_of("waves"),
		.seq = 12,
		.time = 13,
		.prev = 14,
		.prev_to = 15,
	};
}

static union message decode(const uint8_t *bytes, size_t length, uint16_t number)
{
	struct frame f;
	union message m;

	ck_assert_int_eq(frame_decode(bytes, length, FRAME_PAYLOAD_MAX, &f, NULL), 0);
	ck_assert_uint_eq(f.type, number);
	ck_assert_uint_eq(FRAME_HEADER + f.length, length);
	ck_assert_int_eq(message_decode(&f, &m), 0);
	return m;
}

START_TEST(in_a_room)
{
	struct stream_key key = entry_room("lobby");
	struct log_entry e = an_entry();
	uint8_t bytes[SAID_FRAME_MAX];

	e.room = &key;
	size_t length = said_encode(&e, "Lobby", NULL, bytes);
	union message m = decode(bytes, length, MESSAGE_SAID);
	ck_assert_uint_eq(m.said.seq, 12);
	ck_assert_uint_eq(m.said.time, 13);
	ck_assert_uint_eq(m.said.prev, 14);
	ck_assert_uint_eq(m.said.counter, 11);
	ck_assert_uint_eq(m.said.kind, SAID_ACTION);
	ck_assert_mem_eq(m.said.person, writer, PERSON_ID);
	ck_assert_mem_eq(m.said.instance, instance, INSTANCE_ID);
	ck_assert(span_equal(m.said.nick, "anna"));
	ck_assert(span_equal(m.said.room, "Lobby")); /* as it is shown */
	ck_assert(span_equal(m.said.text, "waves"));
	ck_assert_uint_eq(said_frame_seq(bytes), 12);
}
END_TEST

/* Each of the two is told what came before in their own inbox. */
START_TEST(in_two_inboxes)
{
	struct log_entry e = an_entry();
	uint8_t bytes[SAID_FRAME_MAX];

	e.to = reader;
	for (int i = 0; i < 2; i++) {
		size_t length = said_encode(&e, "", i ? reader : writer, bytes);
		union message m = decode(bytes, length, MESSAGE_DIRECT_SAID);
		ck_assert_uint_eq(m.direct_said.prev, i ? 15 : 14);
		ck_assert_mem_eq(m.direct_said.person, writer, PERSON_ID);
		ck_assert_mem_eq(m.direct_said.to, reader, PERSON_ID);
		ck_assert(span_equal(m.direct_said.nick, "anna"));
		ck_assert(span_equal(m.direct_said.to_nick, "boris"));
		ck_assert(span_equal(m.direct_said.text, "waves"));
		ck_assert_uint_eq(said_frame_seq(bytes), 12);
	}
}
END_TEST

START_TEST(the_largest_fit)
{
	char nick[NICK_MAX + 1], room[ROOM_NAME_MAX + 1], text[TEXT_MAX];
	struct stream_key key = entry_room("lobby");
	struct log_entry e = an_entry();
	uint8_t bytes[SAID_FRAME_MAX];

	memset(nick, 'n', NICK_MAX);
	nick[NICK_MAX] = '\0';
	memset(room, 'r', ROOM_NAME_MAX);
	room[ROOM_NAME_MAX] = '\0';
	e.nick = e.to_nick = span_of(nick);
	e.text = entry_text(1, TEXT_MAX, text);
	e.seq = e.prev = e.time = e.counter = UINT64_MAX;
	e.room = &key;
	ck_assert_uint_le(said_encode(&e, room, NULL, bytes), SAID_FRAME_MAX);
	e.room = NULL;
	e.to = reader;
	ck_assert_uint_le(said_encode(&e, "", reader, bytes), SAID_FRAME_MAX);
	ck_assert_uint_eq(said_frame_seq(bytes), UINT64_MAX);
}
END_TEST

START_TEST(the_number_of_other_frames)
{
	uint8_t bytes[SAID_FRAME_MAX];
	struct msg_gap gap = {.room = span_of("r"), .after = 5, .next = 9};
	size_t used;

	ck_assert_int_eq(message_encode(MESSAGE_GAP, &gap, bytes, sizeof(bytes), &used), 0);
	ck_assert_uint_eq(said_frame_seq(bytes), 8);
	gap.room = span_of("");
	ck_assert_int_eq(message_encode(MESSAGE_GAP, &gap, bytes, sizeof(bytes), &used), 0);
	ck_assert_uint_eq(said_frame_seq(bytes), 8);
	entry_passing(77, bytes);
	ck_assert_uint_eq(said_frame_seq(bytes), 0);
}
END_TEST

Suite *said_suite(void)
{
	Suite *s = suite_create("said");
	TCase *c = tcase_create("said");

	tcase_add_test(c, in_a_room);
	tcase_add_test(c, in_two_inboxes);
	tcase_add_test(c, the_largest_fit);
	tcase_add_test(c, the_number_of_other_frames);
	suite_add_tcase(s, c);
	return s;
}
