/*
 * Occupants: rows are found by folded nick and person, stay sorted, and are
 * counted by session.
 */
#include "server/occupant.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static uint8_t persons[8][PERSON_ID];

static void make_persons(void)
{
	for (int i = 0; i < 8; i++)
		persons[i][0] = (uint8_t)(i + 1);
	memset(persons[7], 0xff, PERSON_ID);
}

static struct occupant *add(struct occupants *o, int who, const char *nick, bool new)
{
	bool made = !new;
	struct occupant *row = occupants_add(o, persons[who], nick, &made);

	ck_assert_ptr_nonnull(row);
	ck_assert_int_eq(made, new);
	return row;
}

START_TEST(a_row_is_a_person_and_a_folded_nick)
{
	struct occupants o = {0};
	struct occupant *anna = add(&o, 0, "anna", true);

	ck_assert_ptr_eq(add(&o, 0, "ANNA", false), anna);
	ck_assert_ptr_ne(add(&o, 1, "anna", true), anna);
	ck_assert_ptr_ne(add(&o, 0, "anna2", true), anna);
	ck_assert_ptr_eq(occupants_find(&o, persons[0], "Anna"), anna);
	ck_assert_ptr_null(occupants_find(&o, persons[2], "anna"));
	ck_assert_ptr_null(occupants_find(&o, persons[0], ""));
	ck_assert_ptr_null(occupants_find(&o, persons[0], "\xff"));
	ck_assert_str_eq(anna->nick, "anna");
	occupants_fini(&o);
	ck_assert_uint_eq(o.count, 0);
}
END_TEST

START_TEST(persons_are_counted_once)
{
	struct occupants o = {0};
	struct occupant *first = add(&o, 0, "anna", true), *second = add(&o, 0, "anna2", true);

	add(&o, 1, "anna", true);
	ck_assert_uint_eq(o.count, 3);
	ck_assert_uint_eq(o.person_count, 2);
	occupants_remove(&o, first);
	ck_assert(occupants_has(&o, persons[0]));
	occupants_remove(&o, second);
	ck_assert(!occupants_has(&o, persons[0]) && occupants_has(&o, persons[1]));
	ck_assert_uint_eq(o.person_count, 1);
	occupants_fini(&o);
	ck_assert_uint_eq(o.person_count, 0);
}
END_TEST

START_TEST(sorted_whatever_the_order)
{
	struct occupants o = {0};
	char nick[NICK_MAX + 1];

	for (unsigned i = 0; i < 500; i++) {
		snprintf(nick, sizeof(nick), "n%03u", i * 167 % 500);
		add(&o, (int)(i % 3), nick, true);
	}
	for (size_t i = 0; i < 500; i++) {
		snprintf(nick, sizeof(nick), "n%03zu", i);
		ck_assert_str_eq(o.rows[i]->nick, nick);
		ck_assert_uint_eq(occupants_after(&o, span_of(nick)), i + 1);
	}
	for (size_t i = 0; i < 250; i++)
		occupants_remove(&o, o.rows[i]); /* every second one */
	ck_assert_uint_eq(o.count, 250);
	for (size_t i = 0; i < 250; i++) {
		snprintf(nick, sizeof(nick), "n%03zu", 2 * i + 1);
		ck_assert_str_eq(o.rows[i]->nick, nick);
	}
	occupants_fini(&o);
}
END_TEST

START_TEST(where_a_page_goes_on)
{
	struct occupants o = {0};

	ck_assert_uint_eq(occupants_after(&o, span_of("x")), 0);
	add(&o, 0, "b", true);
	add(&o, 6, "b", true);
	add(&o, 1, "D", true);
	ck_assert_uint_eq(occupants_after(&o, span_of("")), 0);
	ck_assert_uint_eq(occupants_after(&o, span_of("a")), 0);
	ck_assert_uint_eq(occupants_after(&o, span_of("B")), 2); /* after both of them */
	ck_assert_uint_eq(occupants_after(&o, span_of("c")), 2); /* need not be there */
	ck_assert_uint_eq(occupants_after(&o, span_of("d")), 3);
	ck_assert_uint_eq(occupants_after(&o, span_of("e")), 3);
	ck_assert_uint_eq(occupants_after(&o, span_of("\xff")), 0); /* no name at all */
	occupants_fini(&o);
}
END_TEST

/* No id comes after the last one, so its page goes on behind it too. */
START_TEST(after_the_last_id)
{
	struct occupants o = {0};

	add(&o, 7, "b", true);
	ck_assert_uint_eq(occupants_after(&o, span_of("b")), 1);
	occupants_fini(&o);
}
END_TEST

static const struct {
	unsigned sessions, away;
	enum person_state state;
} states[] = {
	{1, 0, PERSON_HERE},
	{1, 1, PERSON_AWAY},
	{2, 1, PERSON_HERE},
	{2, 2, PERSON_AWAY},
};

START_TEST(away_when_all_are)
{
	struct occupant o = {.sessions = states[_i].sessions, .away_sessions = states[_i].away};

	ck_assert_int_eq(occupant_state(&o), states[_i].state);
}
END_TEST

Suite *occupant_suite(void)
{
	Suite *s = suite_create("occupant");
	TCase *c = tcase_create("occupant");

	tcase_add_unchecked_fixture(c, make_persons, NULL);
	tcase_add_test(c, a_row_is_a_person_and_a_folded_nick);
	tcase_add_test(c, persons_are_counted_once);
	tcase_add_test(c, sorted_whatever_the_order);
	tcase_add_test(c, where_a_page_goes_on);
	tcase_add_test(c, after_the_last_id);
	tcase_add_loop_test(c, away_when_all_are, 0, sizeof(states) / sizeof(states[0]));
	suite_add_tcase(s, c);
	return s;
}
