#include "tests/unit/engine_cases.h"

#include "common/err.h"
#include "tests/unit/entries.h"

#include <stdio.h>
#include <string.h>

static struct log_entry topic(const struct stream_key *room, uint64_t counter, const char *text)
{
	struct log_entry e = log_said(room, 1, counter, text);

	e.kind = SAID_TOPIC;
	return e;
}

static struct room_record room_of(struct log *l, const struct stream_key *key)
{
	struct room_record room = {0};

	ck_assert_int_eq(engine_room(l->engine, key, &room), 0);
	return room;
}

START_TEST(a_room_has_a_name_and_a_last)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), inbox;
	struct room_record room = {.last = 77};
	struct log l;

	log_open(&l, 1 << 20);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), ERR_NOT_FOUND);
	ck_assert_uint_eq(room.last, 77);
	struct log_entry e = log_said(&a, 1, 1, "x");
	e.room_name = span_of("A");
	log_accept(&l, e, 1);
	e.counter = 2;
	e.room_name = span_of("a");
	log_accept(&l, e, 2);
	log_accept(&l, log_direct(1, 2, 3, "x"), 3);
	room = room_of(&l, &a);
	ck_assert_str_eq(room.name, "A"); /* what it was the first time stays */
	ck_assert_uint_eq(room.last, 2);
	ck_assert_str_eq(room.topic, "");
	ck_assert_str_eq(room.topic_nick, "");
	ck_assert_uint_eq(room.topic_time, 0);
	ck_assert_int_eq(engine_room(l.engine, &b, &room), ERR_NOT_FOUND);
	stream_key_inbox(log_person(1), &inbox);
	ck_assert_int_eq(engine_room(l.engine, &inbox, &room), ERR_NOT_FOUND);
	log_close(&l);
}
END_TEST

START_TEST(the_last_topic_counts)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;

	log_open(&l, 1 << 20);
	log_accept(&l, topic(&a, 1, "one"), 1);
	struct log_entry second = topic(&a, 2, "two");
	second.nick = span_of("other");
	log_accept(&l, second, 2);
	log_accept(&l, log_said(&a, 1, 3, "no topic"), 3);
	log_accept(&l, log_said(&b, 1, 4, "no topic"), 4);
	struct room_record room = room_of(&l, &a);
	ck_assert_str_eq(room.topic, "two");
	ck_assert_str_eq(room.topic_nick, "other");
	ck_assert_uint_eq(room.topic_time, l.applied[1].time);
	ck_assert_uint_eq(room.last, 3);
	ck_assert_str_eq(room_of(&l, &b).topic, "");
	/* One may take it away; that was somebody too. */
	log_accept(&l, topic(&a, 5, ""), 5);
	room = room_of(&l, &a);
	ck_assert_str_eq(room.topic, "");
	ck_assert_str_eq(room.topic_nick, "nick");
	ck_assert_uint_eq(room.topic_time, l.applied[4].time);
	log_close(&l);
}
END_TEST

START_TEST(the_longest_names)
{
	char name[ROOM_NAME_MAX + 1], text[TOPIC_MAX + 1], nick[NICK_MAX + 1];
	struct log l;

	memset(name, 'r', ROOM_NAME_MAX);
	memset(text, 't', TOPIC_MAX);
	memset(nick, 'n', NICK_MAX);
	name[ROOM_NAME_MAX] = text[TOPIC_MAX] = nick[NICK_MAX] = '\0';
	struct stream_key key = entry_room(name);
	struct log_entry e = topic(&key, 1, text);
	e.room_name = span_of(name);
	e.nick = span_of(nick);
	log_open(&l, 1 << 20);
	log_accept(&l, e, 1);
	struct room_record room = room_of(&l, &key);
	ck_assert_str_eq(room.name, name);
	ck_assert_str_eq(room.topic, text);
	ck_assert_str_eq(room.topic_nick, nick);
	log_close(&l);
}
END_TEST

/* ---- all of them ---- */

#define ROOMS 25

struct listing {
	size_t count, most;
	struct stream_key last;
	char names[ROOMS + 1][ROOM_NAME_MAX + 1];
};

static bool on_room(void *context, const struct stream_key *key, const struct room_record *room)
{
	struct listing *l = context;

	ck_assert_uint_lt(l->count, ROOMS + 1);
	memcpy(l->names[l->count++], room->name, sizeof(room->name));
	l->last = *key;
	return l->count != l->most;
}

/* Rooms r00 to r24, begun in another order; each has its number as its topic. */
static void fill_rooms(struct log *l)
{
	char name[8];

	for (uint64_t i = 0; i < ROOMS; i++) {
		snprintf(name, sizeof(name), "R%02u", (unsigned)(i * 7 % ROOMS));
		struct stream_key key = entry_room(name);
		struct log_entry e = topic(&key, 2 * i + 1, name + 1);
		e.room_name = span_of(name);
		log_accept(l, e, 2 * i + 1);
		log_accept(l, log_direct(1, 2, 2 * i + 2, "x"), 2 * i + 2);
	}
}

static void check_names(const struct listing *got, size_t first, size_t count)
{
	char name[8];

	ck_assert_uint_eq(got->count, count);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "R%02u", (unsigned)(first + i));
		ck_assert_str_eq(got->names[i], name);
	}
}

START_TEST(rooms_in_the_order_of_their_keys)
{
	struct listing all = {0}, none = {0}, some = {0}, one = {.most = 1};
	struct log l;

	log_open(&l, 1 << 20);
	ck_assert_int_eq(engine_rooms(l.engine, NULL, true, 10, on_room, &none), 0);
	ck_assert_uint_eq(none.count, 0);
	fill_rooms(&l);
	ck_assert_int_eq(engine_rooms(l.engine, NULL, true, UINT32_MAX, on_room, &all), 0);
	check_names(&all, 0, ROOMS);
	/* After the last there is none, and after a room that does not exist come the next. */
	ck_assert_int_eq(engine_rooms(l.engine, &all.last, true, 10, on_room, &none), 0);
	ck_assert_int_eq(engine_rooms(l.engine, NULL, true, 0, on_room, &none), 0);
	ck_assert_uint_eq(none.count, 0);
	struct stream_key between = entry_room("r09x");
	ck_assert_int_eq(engine_rooms(l.engine, &between, true, 5, on_room, &some), 0);
	check_names(&some, 10, 5);
	/* The reader says when it has enough. */
	ck_assert_int_eq(engine_rooms(l.engine, NULL, true, 10, on_room, &one), 0);
	check_names(&one, 0, 1);
	log_close(&l);
}
END_TEST

START_TEST(rooms_page_by_page)
{
	struct log l;
	struct listing page = {0};
	size_t seen = 0;

	log_open(&l, 1 << 20);
	fill_rooms(&l);
	do {
		struct stream_key after = page.last;
		page.count = 0;
		ck_assert_int_eq(
			engine_rooms(l.engine, seen ? &after : NULL, true, 7, on_room, &page), 0);
		check_names(&page, seen, ROOMS - seen < 7 ? ROOMS - seen : 7);
		seen += page.count;
	} while (page.count);
	ck_assert_uint_eq(seen, ROOMS);
	log_close(&l);
}
END_TEST

/* Say in the room named `name` who may come in. */
static void set_entry(struct log *l, const char *name, enum room_entry entry)
{
	struct stream_key key = entry_room(name), stream;
	const struct act a = {.verb = ACT_ENTRY, .value = entry};

	stream_key_acts(&key, &stream);
	ck_assert_int_eq(log_act(l, 1, &stream, &a).status, APPEND_OK);
}

static void take(struct log *l, const char *name)
{
	struct stream_key key = entry_room(name), stream;
	struct act a = {.verb = ACT_TAKE, .has_person = true, .label = "one"};

	memcpy(a.person, log_person(1), PERSON_ID);
	stream_key_acts(&key, &stream);
	ck_assert_int_eq(log_act(l, 1, &stream, &a).status, APPEND_OK);
}

static void speak(struct log *l, const char *name)
{
	static uint64_t counter;
	struct stream_key key = entry_room(name);

	ck_assert_int_eq(log_append(l, log_said(&key, 1, ++counter, "x")).status, APPEND_OK);
}

/* What the list says, in one line. */
static void check_list(struct log *l, bool all, const char *expected)
{
	struct listing got = {0};
	char line[128] = "";

	ck_assert_int_eq(engine_rooms(l->engine, NULL, all, 10, on_room, &got), 0);
	for (size_t i = 0; i < got.count; i++) {
		strcat(line, got.names[i]);
		strcat(line, " ");
	}
	ck_assert_str_eq(line, expected);
}

START_TEST(rooms_that_are_open)
{
	struct log l;

	log_open(&l, 1 << 20);
	for (const char *const *room = (const char *const[]){"a", "b", "c", "d", NULL}; *room;
		room++)
		take(&l, *room);
	set_entry(&l, "d", ENTRY_INVITED);
	check_list(&l, true, ""); /* nothing was said yet */
	for (const char *const *room = (const char *const[]){"a", "b", "d", "e", NULL}; *room;
		room++)
		speak(&l, *room);
	check_list(&l, true, "a b d e ");
	check_list(&l, false, "a b e ");
	set_entry(&l, "b", ENTRY_INVITED);
	check_list(&l, true, "a b d e ");
	check_list(&l, false, "a e ");
	speak(&l, "b"); /* once more changes nothing */
	check_list(&l, false, "a e ");
	set_entry(&l, "d", ENTRY_OPEN);
	check_list(&l, false, "a d e ");
	speak(&l, "c");
	check_list(&l, false, "a c d e ");
	set_entry(&l, "b", ENTRY_OPEN);
	check_list(&l, false, "a b c d e ");
	check_list(&l, true, "a b c d e ");
	/* Opened and closed before anything is said. */
	take(&l, "f");
	set_entry(&l, "f", ENTRY_INVITED);
	set_entry(&l, "f", ENTRY_OPEN);
	check_list(&l, false, "a b c d e ");
	speak(&l, "f");
	check_list(&l, false, "a b c d e f ");
	log_close(&l);
}
END_TEST

void engine_cases_rooms(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("rooms");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_test(t, a_room_has_a_name_and_a_last);
	tcase_add_test(t, the_last_topic_counts);
	tcase_add_test(t, the_longest_names);
	tcase_add_test(t, rooms_in_the_order_of_their_keys);
	tcase_add_test(t, rooms_page_by_page);
	tcase_add_test(t, rooms_that_are_open);
	suite_add_tcase(s, t);
}
