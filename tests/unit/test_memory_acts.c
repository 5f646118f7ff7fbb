/*
 * What acts add up to in memory: it is bounded, whoever does them.
 */
#include "server/memory_acts.h"

#include "server/act.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MOST 4 /* rooms, and nicks */

static struct memory_acts m;

static void setup(void)
{
	memory_acts_init(&m, MOST);
}

static void teardown(void)
{
	memory_acts_fini(&m);
	ck_assert_uint_eq(m.standings, 0);
}

/* Person `who` does it to person `whom` in a room. */
static enum code act(const char *room, uint8_t who, enum act_verb verb, uint8_t whom)
{
	const uint8_t person[PERSON_ID] = {who};
	struct stream_key key = entry_room(room), stream;
	char text[ACT_TEXT_MAX];
	struct act a = {.verb = verb, .has_person = true, .person = {whom}, .label = "x"};

	stream_key_acts(&key, &stream);
	const struct log_entry e = {
		.room = &stream,
		.person = person,
		.kind = SAID_ACT,
		.text = {.text = text, .length = (uint16_t)act_print(&a, text)},
		.clock = 1,
	};
	enum code code = memory_acts_decide(&m, &e, false);
	if (code == CODE_NONE)
		ck_assert_int_eq(memory_acts_apply(&m, &e), 0);
	return code;
}

START_TEST(no_more_standings)
{
	ck_assert_int_eq(act("a", 1, ACT_TAKE, 1), CODE_NONE);
	ck_assert_int_eq(act("b", 2, ACT_TAKE, 2), CODE_NONE);
	for (uint8_t i = 10; i < 16; i++)
		ck_assert_int_eq(act("a", 1, ACT_BAN, i), CODE_NONE);
	/* That was all there is, for others too. */
	ck_assert_int_eq(act("a", 1, ACT_BAN, 99), CODE_LIST_FULL);
	ck_assert_int_eq(act("b", 2, ACT_MUTE, 99), CODE_LIST_FULL);
	ck_assert_int_eq(act("c", 3, ACT_TAKE, 3), CODE_LIST_FULL);
	/* What takes none, or gives one back, goes on. */
	ck_assert_int_eq(act("b", 2, ACT_OWNER, 2), CODE_NO_CHANGE);
	ck_assert_int_eq(act("a", 1, ACT_UNBAN, 10), CODE_NONE);
	ck_assert_int_eq(act("b", 2, ACT_MUTE, 99), CODE_NONE);
	ck_assert_int_eq(act("b", 2, ACT_BAN, 98), CODE_LIST_FULL);
}
END_TEST

START_TEST(no_more_rooms)
{
	static const char *const names[MOST + 1] = {"a", "b", "c", "d", "e"};

	for (uint8_t i = 0; i < MOST; i++)
		ck_assert_int_eq(act(names[i], i, ACT_TAKE, i), CODE_NONE);
	ck_assert_int_eq(act(names[MOST], 9, ACT_TAKE, 9), CODE_LIST_FULL);
}
END_TEST

Suite *memory_acts_suite(void);
Suite *memory_acts_suite(void)
{
	Suite *s = suite_create("memory_acts");
	TCase *t = tcase_create("memory_acts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, no_more_standings);
	tcase_add_test(t, no_more_rooms);
	suite_add_tcase(s, t);
	return s;
}
