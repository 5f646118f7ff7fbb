/*
 * What a room tells when its number of people crosses the bound up to which each
 * change is told by name.
 *
 * Once a change was dropped because the room was a little too large just then, and
 * the next telling, by name again, carried the very next version: nobody noticed
 * that somebody had come.
 */
#include "common/bytes.h"
#include "common/frame.h"
#include "server/room.h"
#include "server/segment.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *room_tell_suite(void);

static struct segment_budget budget;
static struct room *room;
static int64_t now;
static uint64_t read_to; /* position in the feed */

static void set_up(void)
{
	struct stream_key key;

	budget = (struct segment_budget){.bound = 1 << 20};
	ck_assert_int_eq(stream_key_room("r", 1, &key), 0);
	room = room_new(&key, "r", &budget, 0);
	ck_assert_ptr_nonnull(room);
	now = 1000000000;
	read_to = 0;
}

static void tear_down(void)
{
	room_unref(room);
}

struct somebody {
	uint8_t person[PERSON_ID];
	char nick[16];
};

static struct room_session session(struct somebody *s, unsigned number)
{
	*s = (struct somebody){0};
	bytes_put_u32(s->person, number + 1);
	snprintf(s->nick, sizeof(s->nick), "p%u", number);
	return (struct room_session){
		.person = s->person, .nick = s->nick, .state = PERSON_HERE, .away = ""};
}

static void enter(unsigned number)
{
	struct somebody s;
	struct room_session rs = session(&s, number);

	ck_assert_int_eq(room_enter(room, &rs, 0), 0);
}

static void leave(unsigned number)
{
	struct somebody s;
	struct room_session rs = session(&s, number);

	room_leave(room, &rs, "");
}

/* Tell, and read the newest PRESENCE; false when nothing was told. */
static bool tell(struct msg_presence *last)
{
	struct feed_window w;
	bool told;

	now += ROOM_TELL_MOST;
	ck_assert_int_eq(room_tell(room, now, &told), INT64_MAX);
	feed_window_take(room_feed(room), &w);
	if (read_to < w.tail)
		read_to = w.tail;
	ck_assert_int_eq(told, read_to < w.head);
	while (read_to < w.head) {
		static uint8_t copy[FRAME_MAX];
		union message m;
		struct frame f;
		size_t left;
		const uint8_t *at = feed_window_at(&w, read_to, &left);
		memcpy(copy, at, frame_size(at));
		ck_assert_int_eq(frame_decode(copy, left, FRAME_PAYLOAD_MAX, &f, NULL), 0);
		ck_assert_int_eq(message_decode(&f, &m), 0);
		*last = m.presence;
		read_to += frame_size(at);
	}
	feed_window_release(&w);
	return told;
}

START_TEST(crossing_the_bound_is_noticed)
{
	struct msg_presence before, after;

	for (unsigned i = 0; i < ROOM_TOLD_MAX; i++)
		enter(i);
	ck_assert(tell(&before));
	enter(ROOM_TOLD_MAX);
	leave(0);
	ck_assert(tell(&after));
	ck_assert_uint_eq(after.people, ROOM_TOLD_MAX);
	ck_assert_uint_gt(after.version, before.version + 1);
}
END_TEST

START_TEST(a_large_room_tells_numbers_and_skips_none)
{
	struct msg_presence before, after;

	for (unsigned i = 0; i < ROOM_TOLD_MAX + 50; i++)
		enter(i);
	ck_assert(tell(&before));
	enter(1000);
	ck_assert(tell(&after));
	ck_assert_uint_eq(after.changes.count, 0);
	ck_assert_uint_eq(after.people, ROOM_TOLD_MAX + 51);
	ck_assert_uint_eq(after.version, before.version + 1);
}
END_TEST

START_TEST(a_room_that_was_large_has_everybody_ask_again)
{
	struct msg_presence before, after;

	for (unsigned i = 0; i < ROOM_TOLD_MAX + 2; i++)
		enter(i);
	ck_assert(tell(&before));
	for (unsigned i = 0; i < 10; i++)
		leave(i);
	ck_assert(tell(&after));
	ck_assert_uint_gt(after.version, before.version + 1);
	before = after;
	leave(20);
	ck_assert(tell(&after));
	ck_assert_uint_eq(after.version, before.version + 1);
	ck_assert_uint_eq(after.changes.count, 1);
}
END_TEST

START_TEST(what_cancels_out_is_not_told)
{
	struct msg_presence m;

	enter(1);
	ck_assert(tell(&m));
	enter(2);
	leave(2);
	ck_assert(!tell(&m));
	enter(3);
	ck_assert(tell(&m));
	ck_assert_uint_eq(m.changes.count, 1);
	ck_assert_uint_eq(m.version, 2);
}
END_TEST

/* A list shows who has just come, before that is told. Their leaving in the same quarter of a second
 * once cancelled their coming, and whoever had the list kept them in it for ever. */
START_TEST(what_a_list_has_shown_is_told)
{
	static uint8_t buffer[4096];
	struct msg_member_list list = {0};
	struct msg_presence m;

	enter(1);
	ck_assert(tell(&m));
	enter(2);
	room_members(room, (struct span){0}, LIST_MAX, &list, buffer, sizeof(buffer));
	ck_assert_uint_eq(list.members.count, 2);
	leave(2);
	ck_assert(tell(&m));
	ck_assert_uint_eq(m.changes.count, 2);
	ck_assert_uint_eq(m.people, 1);
	/* A list with nothing pending changes nothing. */
	room_members(room, (struct span){0}, LIST_MAX, &list, buffer, sizeof(buffer));
	enter(3);
	leave(3);
	ck_assert(!tell(&m));
}
END_TEST

START_TEST(the_window_knows_the_number_at_once)
{
	struct feed_window w;

	enter(1);
	enter(2);
	feed_window_take(room_feed(room), &w);
	ck_assert_uint_eq(w.people, 2);
	feed_window_release(&w);
}
END_TEST

Suite *room_tell_suite(void)
{
	Suite *s = suite_create("room_tell");
	TCase *t = tcase_create("telling");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, crossing_the_bound_is_noticed);
	tcase_add_test(t, a_large_room_tells_numbers_and_skips_none);
	tcase_add_test(t, a_room_that_was_large_has_everybody_ask_again);
	tcase_add_test(t, what_cancels_out_is_not_told);
	tcase_add_test(t, what_a_list_has_shown_is_told);
	tcase_add_test(t, the_window_knows_the_number_at_once);
	suite_add_tcase(s, t);
	return s;
}
