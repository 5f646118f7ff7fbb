/*
 * The hub: the list of rooms in pages, and who sees which of them.
 */
#include "tests/unit/hall.h"

#include "server/act.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const uint16_t limits[] = {1, 3, 64, LIST_MAX, UINT16_MAX};

START_TEST(pages)
{
	struct room *rooms[250];
	char name[16], after[16] = "";
	struct msg_room_list m;
	unsigned seen = 0;

	for (unsigned i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "R%03u", i * 99 % 250);
		rooms[i] = hall_room(name);
	}
	do {
		struct item_room item;
		hub_list(hub, span_of(after), limits[_i], &hall_everybody, &m, hall_bytes,
			sizeof(hall_bytes));
		ck_assert_uint_eq(m.total, 250);
		ck_assert_uint_gt(m.rooms.count, 0);
		ck_assert_uint_le(m.rooms.count, limits[_i]);
		while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
			snprintf(after, sizeof(after), "R%03u", seen++);
			ck_assert(span_equal(item.name, after));
			ck_assert_uint_eq(item.people, 0);
		}
	} while (m.more);
	ck_assert_uint_eq(seen, 250);
	for (unsigned i = 0; i < 250; i++)
		hub_leave(hub, rooms[i]);
}
END_TEST

/* Rooms of the table and those that are in the log alone, in one order and each once. */
START_TEST(pages_of_both_kinds)
{
	struct room *rooms[40];
	char name[16], after[16] = "";
	struct msg_room_list m;
	unsigned seen = 0;

	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "R%03u", i);
		if (i % 3 != 0)
			hall_say(name); /* in the log */
		if (i % 3 != 1)
			rooms[i / 3 * 2 + i % 3 / 2] = hall_room(name);
	}
	do {
		struct item_room item;
		ck_assert_int_eq(hub_list(hub, span_of(after), limits[_i], &hall_everybody, &m,
					 hall_bytes, sizeof(hall_bytes)),
			0);
		ck_assert_uint_le(m.total, 60);
		ck_assert_uint_le(m.rooms.count, limits[_i]);
		while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
			snprintf(after, sizeof(after), "R%03u", seen++);
			ck_assert(span_equal(item.name, after));
		}
	} while (m.more);
	ck_assert_uint_eq(seen, 60);
	for (unsigned i = 0; i < 40; i++)
		hub_leave(hub, rooms[i]);
}
END_TEST

START_TEST(the_list_goes_on_anywhere)
{
	struct room *a = hall_room("a"), *c = hall_room("c");
	struct msg_room_list m;
	struct item_room item;

	room_set_topic(c, span_of("about c"), span_of("n"), 1);
	hub_list(hub, span_of("B"), 10, &hall_everybody, &m, hall_bytes, sizeof(hall_bytes));
	ck_assert(message_list_next(&m.rooms, ITEM_ROOM, &item));
	ck_assert(span_equal(item.name, "c"));
	ck_assert(span_equal(item.topic, "about c"));
	ck_assert(!message_list_next(&m.rooms, ITEM_ROOM, &item));
	hub_list(hub, span_of("c"), 10, &hall_everybody, &m, hall_bytes, sizeof(hall_bytes));
	ck_assert_uint_eq(m.rooms.count, 0);
	ck_assert(!m.more);
	/* No room for even one is a page of none, with more to come. */
	hub_list(hub, span_of(""), 10, &hall_everybody, &m, hall_bytes, 3);
	ck_assert_uint_eq(m.rooms.count, 0);
	ck_assert(m.more);
	hub_leave(hub, a);
	hub_leave(hub, c);
}
END_TEST

/* ---- rooms that not everybody sees ---- */

static void act(const char *room, const struct act *a)
{
	struct stream_key key = entry_room(room), stream;
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct append_result result;

	stream_key_acts(&key, &stream);
	act_instance(hall_somebody, instance);
	struct log_entry e = {
		.room = &stream,
		.kind = SAID_ACT,
		.person = hall_somebody,
		.instance = instance,
		.nick = span_of("n"),
		.text = {.text = text, .length = (uint16_t)act_print(a, text)},
	};
	ck_assert_int_eq(engine_append(hall_engine, &e, 1, INT64_MAX, &result), 0);
	ck_assert_int_eq(result.status, APPEND_OK);
}

static void take(const char *room)
{
	struct act a = {.verb = ACT_TAKE, .has_person = true, .label = "n"};

	memcpy(a.person, hall_somebody, PERSON_ID);
	act(room, &a);
}

static void set_entry(const char *room, enum room_entry entry)
{
	const struct act a = {.verb = ACT_ENTRY, .value = entry};

	act(room, &a);
}

/* The list that a viewer gets, in pages of one and in one page, and how many it says that there are. */
static void expect_list(const struct hub_viewer *v, const char *expected, uint32_t count)
{
	for (uint16_t limit = 1; limit <= 100; limit = (uint16_t)(limit + 99)) {
		struct msg_room_list m;
		struct item_room item;
		char line[256] = "", after[16] = "";
		do {
			ck_assert_int_eq(hub_list(hub, span_of(after), limit, v, &m, hall_bytes,
						 sizeof(hall_bytes)),
				0);
			ck_assert_uint_eq(m.total, count);
			while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
				snprintf(after, sizeof(after), "%.*s", (int)item.name.length,
					item.name.text);
				strcat(strcat(line, after), " ");
			}
		} while (m.more);
		ck_assert_str_eq(line, expected);
	}
}

/* In the table and in the log, closed while they are there and before they come. */
START_TEST(who_sees_what)
{
	static const struct hub_viewer operator= {.all = true};
	static const char *const names[] = {"a", "b", "c", "d"};
	struct room *rooms[4];

	for (int i = 0; i < 4; i++) {
		take(names[i]);
		rooms[i] = hall_room(names[i]);
		hall_say(names[i]);
	}
	expect_list(&hall_everybody, "a b c d ", 4);
	set_entry("b", ENTRY_INVITED);
	set_entry("d", ENTRY_INVITED);
	expect_list(&hall_everybody, "a c ", 2);
	expect_list(&operator, "a b c d ", 4);
	const struct hub_viewer guest = {.rooms = &rooms[1], .room_count = 2}; /* in "b" and "c" */
	expect_list(&guest, "a b c ", 3);
	const struct hub_viewer member = {.rooms = rooms, .room_count = 4};
	expect_list(&member, "a b c d ", 4);
	hub_leave(hub, rooms[3]);
	hub_leave(hub, rooms[0]);
	hub_set_max(hub, 4);
	hub_leave(hub, hall_room("e")); /* "d" has made way, and is in the log alone */
	struct stream_key d = entry_room("d");
	ck_assert_ptr_null(hub_find(hub, &d));
	expect_list(&hall_everybody, "a c ", 2);
	expect_list(&guest, "a b c ", 3);
	expect_list(&operator, "a b c d ", 4);
	/* It comes back, closed as it was, and is opened. */
	rooms[3] = hall_room("d");
	expect_list(&hall_everybody, "a c ", 2);
	set_entry("d", ENTRY_OPEN);
	expect_list(&hall_everybody, "a c d ", 3);
	set_entry("c", ENTRY_INVITED);
	expect_list(&hall_everybody, "a d ", 2);
	expect_list(&guest, "a b c d ", 4);
	for (int i = 1; i < 4; i++)
		hub_leave(hub, rooms[i]);
	expect_list(&hall_everybody, "a d ", 2);
	expect_list(&operator, "a b c d ", 4);
}
END_TEST

/* A closed room in which nothing is said counts while it is there. */
START_TEST(closed_and_silent)
{
	take("a");
	struct room *a = hall_room("a");
	const struct hub_viewer owner = {.rooms = &a, .room_count = 1};
	set_entry("a", ENTRY_INVITED);
	expect_list(&hall_everybody, "", 0);
	expect_list(&owner, "a ", 1);
	hub_leave(hub, a);
	expect_list(&hall_everybody, "", 0);
	struct room *b = hall_room("b");
	hall_say("b");
	hub_leave(hub, b);
	expect_list(&hall_everybody, "b ", 1);
	a = hall_room("a"); /* closed from the start */
	expect_list(&hall_everybody, "b ", 1);
	expect_list(&owner, "a b ", 2);
	set_entry("a", ENTRY_OPEN);
	expect_list(&hall_everybody, "a b ", 2);
	hub_leave(hub, a);
	expect_list(&hall_everybody, "b ", 1);
}
END_TEST

/* A log that has closed rooms from before. */
START_TEST(closed_before_it_was_opened)
{
	take("a");
	hall_say("a");
	hall_say("b");
	set_entry("a", ENTRY_INVITED);
	hub_free(hub);
	hub = hub_new(hall_engine, &hall_budget, HALL_ROOMS);
	ck_assert_ptr_nonnull(hub);
	expect_list(&hall_everybody, "b ", 1);
	struct room *a = hall_room("a");
	expect_list(&hall_everybody, "b ", 1);
	set_entry("a", ENTRY_OPEN);
	expect_list(&hall_everybody, "a b ", 2);
	hub_leave(hub, a);
}
END_TEST

Suite *hub_list_suite(void)
{
	Suite *s = suite_create("hub_list");
	TCase *c = tcase_create("hub_list");

	tcase_add_checked_fixture(c, hall_setup, hall_teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, pages, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_loop_test(c, pages_of_both_kinds, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(c, the_list_goes_on_anywhere);
	tcase_add_test(c, who_sees_what);
	tcase_add_test(c, closed_and_silent);
	tcase_add_test(c, closed_before_it_was_opened);
	suite_add_tcase(s, c);
	return s;
}
