/*
 * The hub: rooms that come into being, are forgotten and vanish, and the most there may be.
 */
#include "tests/unit/hall.h"

#include "common/err.h"
#include "tests/unit/entries.h"

#include <check.h>

START_TEST(one_room_of_a_name)
{
	struct room *r = hall_room("Lobby");
	struct stream_key key = entry_room("lobby");

	ck_assert_ptr_eq(hall_room("LOBBY"), r);
	ck_assert_str_eq(room_name(r), "Lobby");
	struct room *found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r);
	room_unref(found);
	hub_leave(hub, r);
	found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r); /* the other one uses it still */
	hub_leave(hub, r);
	ck_assert_str_eq(room_name(found), "Lobby"); /* our reference */
	room_unref(found);
	ck_assert_ptr_null(hub_find(hub, &key));
	ck_assert_uint_eq(hall_total(), 0);
	/* The next one may write it otherwise. */
	hub_leave(hub, hall_room("LOBBY"));
}
END_TEST

START_TEST(what_was_said_in_stays)
{
	struct stream_key key = entry_room("lobby");
	struct room *r = hall_room("lobby");

	hall_say("lobby");
	hub_leave(hub, r);
	struct room *found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r);
	ck_assert_uint_eq(feed_last_seq(room_feed(found)), 1);
	room_unref(found);
	ck_assert_uint_eq(hall_total(), 1);
	hub_leave(hub, hall_room("lobby"));
	ck_assert_uint_eq(hall_total(), 1);
}
END_TEST

/* What the log has of a room from before it was opened is known to its feed. */
START_TEST(older_than_the_room)
{
	hall_say("lobby");
	hall_say("lobby");
	struct room *r = hall_room("lobby");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 2);
	hall_say("lobby");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 3);
	hub_leave(hub, r);
}
END_TEST

static const char *const bad_names[] = {"", "a b", "#a", "\xff", "a\tb", "\u0430bc"};

START_TEST(names_that_cannot_be)
{
	struct room *r = NULL;

	ck_assert_int_eq(hub_open(hub, span_of(bad_names[_i]), &r), CODE_BAD_ROOM);
	ck_assert_ptr_null(r);
	ck_assert_uint_eq(hall_total(), 0);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	struct room *rooms[3], *r = NULL;

	hub_set_max(hub, 2);
	rooms[0] = hall_room("a");
	rooms[1] = hall_room("b");
	ck_assert_int_eq(hub_open(hub, span_of("c"), &r), CODE_TOO_MANY_ROOMS);
	ck_assert_ptr_null(r);
	ck_assert_ptr_eq(hall_room("a"), rooms[0]); /* one that is there may be opened */
	hub_leave(hub, rooms[0]);
	hub_leave(hub, rooms[1]);
	rooms[2] = hall_room("c");
	hub_set_max(hub, 1); /* those that are there stay */
	ck_assert_uint_eq(hall_total(), 2);
	ck_assert_int_eq(hub_open(hub, span_of("d"), &r), CODE_TOO_MANY_ROOMS);
	hub_leave(hub, rooms[0]);
	hub_leave(hub, rooms[2]);
}
END_TEST

static void check_numbers(size_t open, size_t known)
{
	struct hub_numbers n;

	hub_numbers(hub, &n);
	ck_assert_uint_eq(n.open, open);
	ck_assert_uint_eq(n.known, known);
}

START_TEST(how_many_there_are)
{
	check_numbers(0, 0);
	struct room *a = hall_room("a"), *b = hall_room("b");
	check_numbers(2, 2);
	ck_assert_ptr_eq(hall_room("A"), a); /* by two */
	check_numbers(2, 2);
	hall_say("a");
	hub_leave(hub, a);
	hub_leave(hub, b); /* nothing was said in it */
	check_numbers(1, 1);
	hub_leave(hub, a);
	check_numbers(0, 1);
	hub_leave(hub, hall_room("a"));
	check_numbers(0, 1);
}
END_TEST

/* Nobody can keep others out by saying a word everywhere: of the rooms that stay for what was said
 * in them, the one that was left first makes way. */
START_TEST(the_longest_deserted_makes_way)
{
	static const char *const names[] = {"a", "b", "c"};
	struct room *rooms[3], *r = NULL;

	hub_set_max(hub, 3);
	for (int i = 0; i < 3; i++) {
		rooms[i] = hall_room(names[i]);
		hall_say(names[i]);
	}
	hub_leave(hub, rooms[1]);
	hub_leave(hub, rooms[0]);
	hub_leave(hub, hall_room("b")); /* used again: "a" has been left for longer now */
	hub_leave(hub, hall_room("d"));
	struct stream_key key = entry_room("a");
	ck_assert_ptr_null(hub_find(hub, &key));
	ck_assert_uint_eq(hall_total(), 3); /* "a" is in the log; nothing was said in "d" */
	ck_assert_ptr_eq(hall_room("b"), rooms[1]);
	/* What was said in "a" is still known. */
	r = hall_room("a");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 1);
	/* Rooms that are in use stay. */
	ck_assert_int_eq(hub_open(hub, span_of("d"), &rooms[0]), CODE_TOO_MANY_ROOMS);
	hub_leave(hub, r);
	hub_leave(hub, rooms[1]);
	hub_leave(hub, rooms[2]);
}
END_TEST

/* Whoever opens a room that the table has forgotten finds its name and topic again. */
START_TEST(forgotten_and_found_again)
{
	struct room_topic topic;

	hub_set_max(hub, 1);
	struct room *r = hall_room("Lobby");
	hall_say("Lobby");
	hall_say_kind("Lobby", SAID_TOPIC, "lunch");
	hub_leave(hub, r);
	hub_leave(hub, hall_room("other"));
	struct stream_key key = entry_room("lobby");
	ck_assert_ptr_null(hub_find(hub, &key));
	r = hall_room("LOBBY");
	ck_assert_str_eq(room_name(r), "Lobby");
	room_topic(r, &topic);
	ck_assert_str_eq(topic.text, "lunch");
	ck_assert_str_eq(topic.nick, "n");
	ck_assert_uint_gt(topic.time, 0);
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 2);
	hub_leave(hub, r);
}
END_TEST

/* What is only in the log takes no memory, and nothing of it is lost. In slow mode, whose turn it is
 * would be. */
START_TEST(deserted_rooms_are_forgotten)
{
	struct charter slow = {.slow = 30};
	struct room *used = hall_room("used"), *left = hall_room("left"), *r = hall_room("slow");
	struct stream_key key = entry_room("left"), slow_key = entry_room("slow");

	hall_say("left");
	hall_say_kind("left", SAID_TOPIC, "lunch");
	hall_say("slow");
	room_set_charter(r, &slow);
	hub_leave(hub, left);
	hub_leave(hub, r);
	ck_assert_uint_eq(hub_rest(hub), 1);
	ck_assert_uint_eq(hub_rest(hub), 0);
	ck_assert_ptr_null(hub_find(hub, &key));
	r = hub_find(hub, &slow_key);
	ck_assert_ptr_nonnull(r);
	room_unref(r);
	ck_assert_uint_eq(hall_total(), 3);
	check_numbers(1, 3);
	/* It is as it was. */
	struct room_topic topic;
	left = hall_room("left");
	room_topic(left, &topic);
	ck_assert_str_eq(topic.text, "lunch");
	ck_assert_uint_eq(feed_last_seq(room_feed(left)), 2);
	check_numbers(2, 3);
	hub_leave(hub, left);
	hub_leave(hub, used);
}
END_TEST

START_TEST(idle_rooms_let_their_memory_go)
{
	struct room *r = hall_room("r");

	hall_say("r");
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&hall_budget.bytes), SEGMENT_SMALLEST);
	hall_say("r");
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&hall_budget.bytes), SEGMENT_SMALLEST);
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&hall_budget.bytes), 0);
	hub_leave(hub, r);
}
END_TEST

/* ---- reading and applying at the same time ---- */

static struct engine_class slow_class;
static const struct engine_class *working;
static unsigned reads;

/* The room is read, and then something is said in it, before the hub goes on. */
static int read_then_say(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	int r = working->room(e, key, out);

	if (reads++ == 0)
		hall_say_kind("Lobby", SAID_TOPIC, "in between");
	return r;
}

/* What is applied while a room is being opened is not lost: the log is read again. */
START_TEST(said_while_it_is_opened)
{
	struct room_topic topic;

	if (_i == 1)
		hall_say("Lobby");
	reads = 0;
	working = hall_engine->class;
	slow_class = *working;
	slow_class.room = read_then_say;
	hall_engine->class = &slow_class;
	struct room *r = hall_room("Lobby");
	ck_assert_uint_eq(reads, 2);
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), (unsigned)_i + 1U);
	room_topic(r, &topic);
	ck_assert_str_eq(topic.text, "in between");
	hall_engine->class = working;
	hub_leave(hub, r);
}
END_TEST

static int room_fails(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	(void)e, (void)key, (void)out;
	return ERR_SYSTEM;
}

START_TEST(a_log_that_cannot_be_read)
{
	struct room *r = NULL;

	working = hall_engine->class;
	slow_class = *working;
	slow_class.room = room_fails;
	hall_engine->class = &slow_class;
	ck_assert_int_eq(hub_open(hub, span_of("Lobby"), &r), CODE_RESOURCES);
	ck_assert_ptr_null(r);
	hall_engine->class = working;
	ck_assert_uint_eq(hall_total(), 0);
}
END_TEST

Suite *hub_suite(void)
{
	Suite *s = suite_create("hub");
	TCase *c = tcase_create("hub");

	tcase_add_checked_fixture(c, hall_setup, hall_teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, one_room_of_a_name);
	tcase_add_test(c, what_was_said_in_stays);
	tcase_add_test(c, older_than_the_room);
	tcase_add_loop_test(c, names_that_cannot_be, 0, sizeof(bad_names) / sizeof(bad_names[0]));
	tcase_add_test(c, as_many_as_there_may_be);
	tcase_add_test(c, how_many_there_are);
	tcase_add_test(c, the_longest_deserted_makes_way);
	tcase_add_test(c, forgotten_and_found_again);
	tcase_add_test(c, deserted_rooms_are_forgotten);
	tcase_add_test(c, idle_rooms_let_their_memory_go);
	tcase_add_loop_test(c, said_while_it_is_opened, 0, 2);
	tcase_add_test(c, a_log_that_cannot_be_read);
	suite_add_tcase(s, c);
	return s;
}
