/*
 * The bounds of what is known about people in memory: the place or nick that was not
 * touched longest goes first.
 */
#include "server/memory_people.h"

#include "common/bytes.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MOST 10

Suite *memory_people_suite(void);

static struct memory_people people;

static void set_up(void)
{
	memory_people_init(&people, MOST);
}

static void tear_down(void)
{
	memory_people_fini(&people);
	ck_assert_uint_eq(people.place_count, 0);
	ck_assert_uint_eq(people.nick_count, 0);
}

static void id_of(uint32_t who, uint8_t id[PERSON_ID])
{
	memset(id, 0, PERSON_ID);
	bytes_put_u32(id, who);
}

static struct stream_key lobby(void)
{
	struct stream_key key;

	ck_assert_int_eq(stream_key_room("lobby", 5, &key), 0);
	return key;
}

static void read_upto(uint32_t who, uint64_t seq)
{
	struct stream_key key = lobby();
	uint8_t id[PERSON_ID];
	struct note n = {.kind = NOTE_READ, .person = id, .stream = &key, .seq = seq};

	id_of(who, id);
	n.name = span_of("Lobby");
	ck_assert_int_eq(memory_people_note(&people, &n), 0);
}

static uint64_t position(uint32_t who)
{
	struct stream_key key = lobby();
	uint8_t id[PERSON_ID];

	id_of(who, id);
	return memory_people_read_position(&people, id, &key);
}

static void call(uint32_t who, const char *nick, size_t length)
{
	uint8_t id[PERSON_ID];
	struct note n = {.kind = NOTE_NICK,
		.person = id,
		.name = {.text = nick, .length = (uint16_t)length}};

	id_of(who, id);
	ck_assert_int_eq(memory_people_note(&people, &n), 0);
}

/* Who had the nick last; 0: nobody. */
static uint32_t called(const char *folded)
{
	uint8_t id[PERSON_ID];
	char nick[NICK_MAX + 1];

	if (memory_people_person(&people, folded, id, nick) != 0)
		return 0;
	return bytes_u32(id);
}

START_TEST(places_are_bounded)
{
	for (uint32_t who = 1; who <= 1000; who++) {
		read_upto(who, who);
		read_upto(1, who); /* still about */
		ck_assert_uint_le(people.place_count, MOST);
	}
	ck_assert_uint_eq(position(1), 1000);
	for (uint32_t who = 2; who <= 1000; who++)
		ck_assert_uint_eq(position(who), who > 1000 - MOST + 1 ? who : 0);
}
END_TEST

START_TEST(nicks_are_bounded)
{
	char nick[16];

	for (uint32_t who = 1; who <= 1000; who++) {
		int n = snprintf(nick, sizeof(nick), "n%u", who);
		call(who, nick, (size_t)n);
		call(7, "Seven", 5);
		ck_assert_uint_le(people.nick_count, MOST);
	}
	ck_assert_uint_eq(called("seven"), 7);
	ck_assert_uint_eq(called("n1000"), 1000);
	ck_assert_uint_eq(called("n992"), 992);
	ck_assert_uint_eq(called("n991"), 0);
}
END_TEST

/* Somebody who is called something else now had the old nick last all the same. */
START_TEST(old_nicks_are_known)
{
	call(1, "anna", 4);
	call(1, "bob", 3);
	ck_assert_uint_eq(called("anna"), 1);
	ck_assert_uint_eq(called("bob"), 1);
	call(2, "Anna", 4);
	ck_assert_uint_eq(called("anna"), 2);
}
END_TEST

START_TEST(what_cannot_be_a_nick)
{
	char nick[NICK_MAX + 1];

	memset(nick, 'a', sizeof(nick));
	call(1, "\xff", 1);
	call(1, nick, sizeof(nick));
	ck_assert_uint_eq(people.nick_count, 0);
	call(1, nick, sizeof(nick) - 1);
	ck_assert_uint_eq(people.nick_count, 1);
}
END_TEST

static bool on_place(void *context, const struct place *p)
{
	ck_assert(span_equal(p->room, "lobby"));
	++*(unsigned *)context;
	return true;
}

/* A room must never be taken for the inbox. */
START_TEST(a_room_without_a_name)
{
	struct stream_key key = lobby();
	uint8_t id[PERSON_ID] = {1};
	struct note n = {.kind = NOTE_JOINED, .person = id, .stream = &key};
	unsigned count = 0;

	n.name = span_of("");
	ck_assert_int_eq(memory_people_note(&people, &n), 0);
	memory_people_places(&people, id, on_place, &count);
	ck_assert_uint_eq(count, 1);
	/* One who has gone and has read nothing has no place there. */
	n.kind = NOTE_PARTED;
	ck_assert_int_eq(memory_people_note(&people, &n), 0);
	memory_people_places(&people, id, on_place, &count);
	ck_assert_uint_eq(count, 1);
}
END_TEST

Suite *memory_people_suite(void)
{
	Suite *s = suite_create("memory_people");
	TCase *t = tcase_create("people");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, places_are_bounded);
	tcase_add_test(t, nicks_are_bounded);
	tcase_add_test(t, old_nicks_are_known);
	tcase_add_test(t, what_cannot_be_a_nick);
	tcase_add_test(t, a_room_without_a_name);
	suite_add_tcase(s, t);
	return s;
}
