/*
 * The model: who is what in the list of members, as charters and people come and go.
 */
#include "client/model.h"

#include "common/clock.h"
#include "common/rights.h"

#include <check.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};
static struct model m;

static void apply(struct event e)
{
	ck_assert_int_eq(model_apply(&m, &e), 0);
}

static struct event_standing standing(int kind, const uint8_t *person, uint64_t until)
{
	struct event_standing s = {.kind = kind, .until = until};

	memcpy(s.person, person, PERSON_ID);
	return s;
}

/* One standing; `room` "": of the server. */
static void charter(const char *room, struct event_standing s)
{
	apply((struct event){
		.type = EVENT_RANKS, .room = (char *)room, .standings = &s, .count = 1});
}

static void no_charter(const char *room)
{
	apply((struct event){.type = EVENT_RANKS, .room = (char *)room});
}

static void change(enum change_what what, const uint8_t *person, const char *nick, const char *text)
{
	struct event e = {.type = EVENT_PRESENCE,
		.room = (char *)"lobby",
		.change = what,
		.nick = (char *)nick,
		.text = (char *)text,
		.number = 2};

	memcpy(e.person, person, PERSON_ID);
	apply(e);
}

static void enter(const char *room)
{
	struct event_person people[] = {
		{.nick = (char *)"me", .away = (char *)""},
		{.nick = (char *)"anna", .away = (char *)""},
	};

	memcpy(people[0].person, me, PERSON_ID);
	memcpy(people[1].person, anna, PERSON_ID);
	apply((struct event){.type = EVENT_JOINED,
		.room = (char *)room,
		.text = (char *)"",
		.nick = (char *)"",
		.count = 2});
	apply((struct event){.type = EVENT_MEMBERS,
		.room = (char *)room,
		.people = people,
		.count = 2,
		.number = 2,
		.flag = true});
}

static enum mark mark(const char *room, const char *nick)
{
	const struct roster_person *p = roster_find(&model_room(&m, room)->roster, nick);

	ck_assert_ptr_nonnull(p);
	return p->mark;
}

static void setup(void)
{
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	enter("lobby");
	enter("dev");
}

static void teardown(void)
{
	model_fini(&m);
}

START_TEST(of_one_room)
{
	charter("LOBBY", standing(STANDING_OWNER, anna, 0));
	ck_assert_int_eq(mark("lobby", "anna"), MARK_OWNER);
	ck_assert_int_eq(mark("lobby", "me"), MARK_NONE);
	ck_assert_int_eq(mark("dev", "anna"), MARK_NONE);
	charter("lobby", standing(STANDING_MODERATOR, me, 0));
	ck_assert_int_eq(mark("lobby", "anna"), MARK_NONE);
	ck_assert_int_eq(mark("lobby", "me"), MARK_MODERATOR);
	charter("nowhere", standing(STANDING_MODERATOR, me, 0));
}
END_TEST

/* Only how many there are is told of a large room: who they are, and what, is not known any more. */
START_TEST(a_room_that_has_grown)
{
	struct event many = {.type = EVENT_MEMBERS, .room = (char *)"lobby", .number = 300};

	charter("lobby", standing(STANDING_OWNER, anna, 0));
	ck_assert(model_room(&m, "lobby")->listed);
	apply(many);
	ck_assert(!model_room(&m, "lobby")->listed);
	ck_assert_int_eq(mark("lobby", "anna"), MARK_NONE);
	charter("lobby", standing(STANDING_OWNER, anna, 0));
	ck_assert_int_eq(mark("lobby", "anna"), MARK_NONE);
	enter("lobby");
	ck_assert(model_room(&m, "lobby")->listed);
	ck_assert_int_eq(mark("lobby", "anna"), MARK_OWNER);
	/* After a break, the list does not come again. */
	apply((struct event){.type = EVENT_JOINED,
		.room = (char *)"lobby",
		.text = (char *)"",
		.nick = (char *)"",
		.count = 300,
		.flag = true});
	ck_assert(!model_room(&m, "lobby")->listed);
}
END_TEST

START_TEST(operators_are_such_everywhere)
{
	charter("lobby", standing(STANDING_OWNER, anna, 0));
	charter("", standing(STANDING_MODERATOR, anna, 0));
	ck_assert_int_eq(mark("lobby", "anna"), MARK_OPERATOR);
	ck_assert_int_eq(mark("dev", "anna"), MARK_OPERATOR);
	no_charter("");
	ck_assert_int_eq(mark("lobby", "anna"), MARK_OWNER);
	ck_assert_int_eq(mark("dev", "anna"), MARK_NONE);
}
END_TEST

START_TEST(who_comes_and_goes)
{
	charter("lobby", standing(STANDING_VOICE, boris, 0));
	change(CHANGE_JOINED, boris, "boris", "");
	ck_assert_int_eq(mark("lobby", "boris"), MARK_VOICE);
	change(CHANGE_RENAMED, boris, "boris", "zoe");
	ck_assert_int_eq(mark("lobby", "zoe"), MARK_VOICE);
	change(CHANGE_STATE, boris, "zoe", "");
	ck_assert_int_eq(mark("lobby", "zoe"), MARK_VOICE);
	/* Another person under that nick is another one. */
	change(CHANGE_PARTED, boris, "zoe", "");
	change(CHANGE_JOINED, anna, "zoe", "");
	ck_assert_int_eq(mark("lobby", "zoe"), MARK_NONE);
	/* A new list is of the same charter. */
	enter("lobby");
	change(CHANGE_JOINED, boris, "boris", "");
	ck_assert_int_eq(mark("lobby", "boris"), MARK_VOICE);
}
END_TEST

/* Who was put out knows no longer who is what there. */
START_TEST(put_out)
{
	charter("lobby", standing(STANDING_OWNER, anna, 0));
	apply((struct event){.type = EVENT_PARTED, .room = (char *)"lobby", .text = (char *)""});
	enter("lobby");
	ck_assert_int_eq(mark("lobby", "anna"), MARK_NONE);
}
END_TEST

START_TEST(a_mute_ends)
{
	uint64_t now = clock_wall_us(), soon = now + UINT64_C(3600000000);
	struct buffer *b = model_room(&m, "lobby");

	ck_assert_uint_eq(model_marks_until(&m), UINT64_MAX);
	charter("lobby", standing(STANDING_MUTED, anna, soon));
	ck_assert_int_eq(mark("lobby", "anna"), MARK_MUTED);
	ck_assert_uint_eq(model_marks_until(&m), soon);
	model_tick(&m);
	ck_assert_int_eq(mark("lobby", "anna"), MARK_MUTED);
	/* As if an hour had passed. */
	b->ranks.people[0].until = b->marks_until = now - 1;
	model_tick(&m);
	ck_assert_int_eq(mark("lobby", "anna"), MARK_NONE);
	ck_assert_uint_eq(model_marks_until(&m), UINT64_MAX);
}
END_TEST

Suite *model_ranks_suite(void)
{
	Suite *s = suite_create("model_ranks");
	TCase *t = tcase_create("marks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, of_one_room);
	tcase_add_test(t, a_room_that_has_grown);
	tcase_add_test(t, operators_are_such_everywhere);
	tcase_add_test(t, who_comes_and_goes);
	tcase_add_test(t, put_out);
	tcase_add_test(t, a_mute_ends);
	suite_add_tcase(s, t);
	return s;
}
