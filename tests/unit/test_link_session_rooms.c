/*
 * The session: joining, leaving, lists of rooms and of people, presence.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <stdio.h>

START_TEST(test_join_refused)
{
	struct msg_error error = {.code = CODE_TOO_MANY_ROOMS, .text = span_of("")};
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	const struct event *e = play_expect(play, EVENT_ERROR);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert_uint_eq(e->code, CODE_TOO_MANY_ROOMS);
	play_expect_no_event(play);

	/* It is not tried again by itself, but may be asked for. */
	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
}
END_TEST

/* A key that is given while another is being tried is tried as well, once. */
START_TEST(test_another_key_meanwhile)
{
	struct msg_error error = {.code = CODE_KEY_WANTED, .text = span_of("")};
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_key(play->s, "den", "nonsense"), 0);
	ck_assert_int_eq(link_session_join(play->s, "den"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	ck_assert_int_eq(link_session_key(play->s, "den", "open sesame"), 0);
	ck_assert_int_eq(link_session_join(play->s, "den"), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ERROR)->code, CODE_KEY_WANTED);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_ne(m.join.tag, error.tag);

	/* The same one again is no other. */
	error.tag = m.join.tag;
	ck_assert_int_eq(link_session_key(play->s, "den", "open sesame"), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ERROR)->code, CODE_KEY_WANTED);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* The server counts wrong keys, and ends the connection after some: none is shown twice, unless it is typed
 * twice. */
START_TEST(test_wrong_key_is_forgotten)
{
	struct msg_error error = {.code = CODE_KEY_WANTED, .text = span_of("")};
	union message m;

	play->features = FEATURE_RIGHTS;
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_key(play->s, "den", "nonsense"), 0);
	ck_assert_int_eq(link_session_join(play->s, "den"), 0);
	EXPECT_SENT(play, MESSAGE_UNLOCK, &m);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert(play_expect(play, EVENT_ERROR)->flag);

	ck_assert_int_eq(link_session_join(play->s, "den"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	ck_assert(!play_expect(play, EVENT_ERROR)->flag);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_part_follows_what_was_said)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	play_say(play, "bye");
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	play_expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	play_give_ack(play, 1, 5);
	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &parted), 0);
	play_expect(play, EVENT_ACK);
	ck_assert_str_eq(play_expect(play, EVENT_PARTED)->room, "lobby");
	ck_assert_int_eq(link_session_part(play->s, "lobby"), ERR_NOT_FOUND);
}
END_TEST

/* Left before the answer to joining: the owner hears of neither. */
START_TEST(test_part_while_joining)
{
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	struct msg_joined joined = {
		.tag = m.join.tag, .room = span_of("lobby"), .topic = span_of(""), .people = 1};
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(play_give(play, MESSAGE_JOINED, &joined), 0);
	play_expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &parted), 0);
	play_expect_no_event(play);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), ERR_NOT_FOUND);
}
END_TEST

START_TEST(test_part_then_join)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_NOTHING_SENT(play);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &parted), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
}
END_TEST

static void give_parted(uint32_t tag)
{
	struct msg_parted parted = {.tag = tag, .room = span_of("lobby"), .text = span_of("")};

	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &parted), 0);
}

/* Online again after a break, the room being entered under that tag. */
static uint32_t come_back(void)
{
	union message m;

	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	return m.join.tag;
}

/* Who enters a room again that they are just leaving gets what was said last, as anywhere: they have closed
 * it, and do not go on from what they had. */
START_TEST(test_enter_what_is_being_left)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	uint32_t tag = come_back();
	play_give_joined(play, tag, "lobby", 3);
	play_expect(play, EVENT_JOINED);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	give_parted(m.part.tag);
	play_expect(play, EVENT_PARTED); /* once: they know that they left */
	play_expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags & JOIN_RESUME, 0);
	ck_assert_uint_gt(m.join.replay, 0);
	play_give_joined(play, m.join.tag, "lobby", 3);
	const struct event *e = play_expect(play, EVENT_JOINED);
	ck_assert(!e->flag);
}
END_TEST

/* The same where the leaving has to wait, and where the room is just being entered after a break. */
START_TEST(test_enter_what_will_be_left)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	play_say(play, "wait");
	play_expect_said(play, 1);
	play_give_refused(play, 1, CODE_RETRY);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play->now += 10 * SECOND;
	link_session_heard(play->s, play->now);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	play_expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	play_give_ack(play, 1, 5);
	give_parted(m.part.tag);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	play_give_joined(play, m.join.tag, "lobby", 5);
	play_expect(play, EVENT_PARTED);
	play_expect(play, EVENT_ACK);
	ck_assert(!play_expect(play, EVENT_JOINED)->flag);

	uint32_t tag = come_back();
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_give_joined(play, tag, "lobby", 5);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	give_parted(m.part.tag);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags & JOIN_RESUME, 0);
}
END_TEST

/* Put out before that could be done: who asked to enter again is told. */
START_TEST(test_put_out_before_entering_again)
{
	struct msg_parted kicked = {
		.room = span_of("lobby"), .code = CODE_KICKED, .text = span_of("ben sent you out")};

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	play_say(play, "wait");
	play_expect_said(play, 1);
	play_give_refused(play, 1, CODE_RETRY);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &kicked), 0);
	play_expect(play, EVENT_PARTED);
	const struct event *e = play_expect(play, EVENT_ERROR);
	ck_assert_uint_eq(e->code, CODE_KICKED);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert_str_eq(e->text, "ben sent you out");
}
END_TEST

/* Left while it is entered after a break: it does not come back for a moment. */
START_TEST(test_part_while_joining_again)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	uint32_t tag = come_back();
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	event_list_fini(&play->events);
	play_give_joined(play, tag, "lobby", 3);
	play_expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	give_parted(m.part.tag);
	play_expect(play, EVENT_PARTED);
	play_expect_no_event(play);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), ERR_NOT_FOUND);
}
END_TEST

/* A list of people n0, n1 ... in `buffer`. */
static struct list people(unsigned from, unsigned count, uint8_t *buffer, size_t size)
{
	struct list l = {0};

	for (unsigned i = from; i < from + count; i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "n%u", i);
		struct item_member member = {.nick = span_of(nick), .away = span_of("")};
		ck_assert_int_eq(message_list_add(&l, ITEM_MEMBER, &member, buffer, size), 0);
	}
	return l;
}

static int give_members(
	struct play *p, uint32_t tag, uint64_t version, bool more, struct list members)
{
	struct msg_member_list list = {
		.tag = tag,
		.room = span_of("lobby"),
		.version = version,
		.people = 1000,
		.more = more,
		.members = members,
	};
	return play_give(p, MESSAGE_MEMBER_LIST, &list);
}

static int give_presence(struct play *p, uint64_t version, unsigned changes)
{
	static uint8_t buffer[4096];
	struct msg_presence presence = {.room = span_of("lobby"), .version = version, .people = 3};

	for (unsigned i = 0; i < changes; i++) {
		struct item_change change = {.nick = span_of("cat"), .text = span_of("")};
		ck_assert_int_eq(message_list_add(&presence.changes, ITEM_CHANGE, &change, buffer,
					 sizeof(buffer)),
			0);
	}
	return play_give(p, MESSAGE_PRESENCE, &presence);
}

START_TEST(test_members_in_pages)
{
	static uint8_t buffer[32 * 1024];
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(link_session_list_members(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, true, people(0, 200, buffer, sizeof(buffer))),
		0);
	play_expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert(span_equal(m.members.after, "n199"));
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, false, people(200, 5, buffer, sizeof(buffer))),
		0);
	const struct event *e = play_expect(play, EVENT_MEMBERS);
	ck_assert(e->flag);
	ck_assert_uint_eq(e->count, 205);
	ck_assert_str_eq(e->people[204].nick, "n204");
	ck_assert_uint_eq(e->number, 1000);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* What came of a list that broke off is no part of the next one. */
/* What happened between two pages is not in the first: a list of a room that is no longer large is asked for
 * again, and changes as of the first page are not dropped as known. */
START_TEST(test_pages_of_several_versions)
{
	static uint8_t buffer[32 * 1024];
	struct msg_member_list last = {.room = span_of("lobby"), .version = 6, .people = 200};
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(link_session_list_members(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, true, people(0, 200, buffer, sizeof(buffer))),
		0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	last.tag = m.members.tag;
	last.members = people(200, 3, buffer, sizeof(buffer));
	ck_assert_int_eq(play_give(play, MESSAGE_MEMBER_LIST, &last), 0);
	play_expect(play, EVENT_MEMBERS);
	ck_assert_int_eq(give_presence(play, 4, 1), 0);
	play_expect(play, EVENT_PRESENCE);
	ck_assert_int_eq(link_session_tick(play->s, play->now + 5 * SECOND), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_uint_eq(m.members.after.length, 0);
}
END_TEST

START_TEST(test_members_refused)
{
	static uint8_t buffer[32 * 1024];
	struct msg_error error = {.code = CODE_RESOURCES, .text = span_of("")};
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(link_session_list_members(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, true, people(0, 200, buffer, sizeof(buffer))),
		0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	error.tag = m.members.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	play_expect(play, EVENT_ERROR);
	ck_assert_int_eq(
		give_members(play, 0, 4, false, people(100, 3, buffer, sizeof(buffer))), 0);
	const struct event *e = play_expect(play, EVENT_MEMBERS);
	ck_assert_uint_eq(e->count, 3);
	ck_assert_str_eq(e->people[0].nick, "n100");
}
END_TEST

START_TEST(test_missed_presence)
{
	static uint8_t buffer[4096];
	struct msg_caught_up up = {.room = span_of("lobby"), .version = 4};
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(give_members(play, 0, 3, false, people(0, 2, buffer, sizeof(buffer))), 0);
	play_expect(play, EVENT_MEMBERS);
	ck_assert_int_eq(give_presence(play, 3, 1), 0); /* older than the list */
	play_expect_no_event(play);
	ck_assert_int_eq(give_presence(play, 4, 1), 0);
	play_expect(play, EVENT_PRESENCE);
	ck_assert_int_eq(play_give(play, MESSAGE_CAUGHT_UP, &up), 0);
	play_expect(play, EVENT_CAUGHT_UP);
	EXPECT_NOTHING_SENT(play);

	/* Five is missing: the list is fetched, once. */
	ck_assert_int_eq(give_presence(play, 6, 1), 0);
	play_expect(play, EVENT_PRESENCE);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 6, false, people(0, 2, buffer, sizeof(buffer))),
		0);
	play_expect(play, EVENT_MEMBERS);

	/* Again, but not within a second. */
	ck_assert_int_eq(give_presence(play, 9, 1), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_deadline(play->s), play->now + SECOND);
	play->now += SECOND;
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
}
END_TEST

START_TEST(test_presence_of_large_room)
{
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	ck_assert_int_eq(give_presence(play, 5, 0), 0);
	const struct event *e = play_expect(play, EVENT_MEMBERS);
	ck_assert(!e->flag);
	ck_assert_uint_eq(e->number, 3);
	ck_assert_uint_eq(e->count, 0);
	ck_assert_int_eq(give_presence(play, 8, 0), 0);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_rooms_in_pages)
{
	uint8_t buffer[256];
	struct item_room room = {.name = span_of("exams"), .people = 2, .topic = span_of("x")};
	struct msg_room_list list = {.more = 1, .total = 2};
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_list_rooms(play->s), 0);
	ck_assert_int_eq(link_session_list_rooms(play->s), 0);
	EXPECT_SENT(play, MESSAGE_ROOMS, &m);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(
		message_list_add(&list.rooms, ITEM_ROOM, &room, buffer, sizeof(buffer)), 0);
	list.tag = m.rooms.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_ROOM_LIST, &list), 0);
	const struct event *e = play_expect(play, EVENT_ROOMS);
	ck_assert(!e->flag);
	ck_assert_str_eq(e->rooms[0].name, "exams");
	EXPECT_SENT(play, MESSAGE_ROOMS, &m);
	ck_assert(span_equal(m.rooms.after, "exams"));
	list = (struct msg_room_list){.tag = m.rooms.tag, .total = 2};
	ck_assert_int_eq(play_give(play, MESSAGE_ROOM_LIST, &list), 0);
	ck_assert(play_expect(play, EVENT_ROOMS)->flag);
}
END_TEST

/* A server whose list has no end. */
START_TEST(test_endless_rooms)
{
	static uint8_t buffer[16384];
	struct msg_room_list list = {.more = 1, .total = UINT32_MAX};
	union message m;
	unsigned pages = 0;
	bool over = false;

	for (unsigned i = 0; i < LIST_MAX; i++) {
		struct item_room room = {.name = span_of("again"), .topic = span_of("")};
		ck_assert_int_eq(
			message_list_add(&list.rooms, ITEM_ROOM, &room, buffer, sizeof(buffer)), 0);
	}
	play_log_in_quietly(play, 0);
	for (unsigned round = 1; round <= 2; round++) {
		ck_assert_int_eq(link_session_list_rooms(play->s), 0);
		for (over = false, pages = 0; !over && pages < 1000; pages++) {
			EXPECT_SENT(play, MESSAGE_ROOMS, &m);
			list.tag = m.rooms.tag;
			ck_assert_int_eq(play_give(play, MESSAGE_ROOM_LIST, &list), 0);
			over = play_expect(play, EVENT_ROOMS)->flag;
		}
		ck_assert_uint_eq(pages, 250);
		EXPECT_NOTHING_SENT(play);
	}
}
END_TEST

/* A server that says that one was a member of any number of rooms. */
START_TEST(test_endless_places)
{
	char room[16];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(room, sizeof(room), "r%d", i);
		ck_assert_int_eq(link_session_join(play->s, room), 0);
	}
	ck_assert_int_eq(link_session_join(play->s, "r9999"), 0);
	ck_assert_int_eq(link_session_join(play->s, "one"), ERR_FULL);
	ck_assert_int_eq(link_session_part(play->s, "r17"), 0);
	ck_assert_int_eq(link_session_join(play->s, "one"), 0);
}
END_TEST

Suite *link_session_rooms_suite(void)
{
	Suite *s = suite_create("link_session_rooms");
	TCase *t = tcase_create("link_session_rooms");

	tcase_add_checked_fixture(t, play_setup, play_teardown);
	tcase_set_timeout(t, 60); /* ten thousand rooms, with sanitizers */
	tcase_add_test(t, test_enter_what_is_being_left);
	tcase_add_test(t, test_enter_what_will_be_left);
	tcase_add_test(t, test_put_out_before_entering_again);
	tcase_add_test(t, test_part_while_joining_again);
	tcase_add_test(t, test_pages_of_several_versions);
	tcase_add_test(t, test_join_refused);
	tcase_add_test(t, test_another_key_meanwhile);
	tcase_add_test(t, test_wrong_key_is_forgotten);
	tcase_add_test(t, test_part_follows_what_was_said);
	tcase_add_test(t, test_part_while_joining);
	tcase_add_test(t, test_part_then_join);
	tcase_add_test(t, test_members_in_pages);
	tcase_add_test(t, test_members_refused);
	tcase_add_test(t, test_missed_presence);
	tcase_add_test(t, test_presence_of_large_room);
	tcase_add_test(t, test_rooms_in_pages);
	tcase_add_test(t, test_endless_rooms);
	tcase_add_test(t, test_endless_places);
	suite_add_tcase(s, t);
	return s;
}
