/*
 * The roster: order, the folded nick as key, renames.
 */
#include "client/roster.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const uint8_t anybody[PERSON_ID] = {1};

static void put(struct roster *r, const char *nick)
{
	ck_assert_int_eq(roster_put(r, anybody, nick, PERSON_HERE, ""), 0);
}

static void expect(const struct roster *r, const char *nicks)
{
	char all[256] = "";

	for (size_t i = 0; i < r->count; i++) {
		strncat(all, r->people[i].nick, sizeof all - strlen(all) - 1);
		strncat(all, " ", sizeof all - strlen(all) - 1);
	}
	ck_assert_str_eq(all, nicks);
}

START_TEST(sorted_whatever_the_case)
{
	struct roster r = {0};

	put(&r, "boris");
	put(&r, "Anna");
	put(&r, "clara");
	put(&r, "ANNA");
	expect(&r, "Anna boris clara ");
	ck_assert_ptr_nonnull(roster_find(&r, "aNNa"));
	ck_assert_ptr_null(roster_find(&r, "ann"));
	ck_assert_ptr_null(roster_find(&r, ""));
	roster_remove(&r, "BORIS");
	roster_remove(&r, "nobody");
	expect(&r, "Anna clara ");
	roster_fini(&r);
}
END_TEST

START_TEST(renamed)
{
	struct roster r = {0};

	put(&r, "anna");
	put(&r, "boris");
	put(&r, "clara");
	roster_find(&r, "anna")->spoke = 7;
	ck_assert_int_eq(roster_rename(&r, "anna", "zoe"), 0);
	expect(&r, "boris clara zoe ");
	ck_assert_uint_eq(roster_find(&r, "zoe")->spoke, 7);
	ck_assert_int_eq(roster_rename(&r, "boris", "Boris"), 0);
	expect(&r, "Boris clara zoe ");
	ck_assert_int_eq(roster_rename(&r, "nobody", "x"), 0);
	ck_assert_int_eq(roster_rename(&r, "zoe", "a\x1b"), ERR_TEXT);
	expect(&r, "Boris clara zoe ");
	/* Two with one nick cannot be; the newcomer has it. */
	ck_assert_int_eq(roster_rename(&r, "zoe", "boris"), 0);
	expect(&r, "boris clara ");
	roster_fini(&r);
}
END_TEST

START_TEST(brought_up_to_date)
{
	struct roster r = {0};

	put(&r, "anna");
	ck_assert_int_eq(roster_put(&r, anybody, "anna", PERSON_AWAY, "lunch\x1b[2J"), 0);
	ck_assert_int_eq(roster_find(&r, "anna")->state, PERSON_AWAY);
	ck_assert_ptr_null(strchr(roster_find(&r, "anna")->away, '\x1b'));
	ck_assert_int_eq(roster_put(&r, anybody, "\x1b", PERSON_HERE, ""), ERR_TEXT);
	ck_assert_uint_eq(r.count, 1);
	roster_clear(&r);
	ck_assert_uint_eq(r.count, 0);
	roster_fini(&r);
}
END_TEST

START_TEST(many)
{
	struct roster r = {0};
	char nick[16];

	for (int i = 0; i < 2000; i++) {
		(void)snprintf(nick, sizeof nick, "n%d", (i * 7919) % 2000);
		put(&r, nick);
	}
	ck_assert_uint_eq(r.count, 2000);
	for (size_t i = 1; i < r.count; i++)
		ck_assert_int_lt(strcmp(r.people[i - 1].key, r.people[i].key), 0);
	roster_fini(&r);
}
END_TEST

/* A server tells of people who come, and never of one who goes. */
START_TEST(no_end_of_people)
{
	struct roster r = {0};
	char nick[16];

	/* Each goes to the end, which is fast. */
	for (int i = 0; i < 50010; i++) {
		(void)snprintf(nick, sizeof nick, "n%06d", i);
		put(&r, nick);
	}
	ck_assert_uint_eq(r.count, 50000);
	ck_assert_ptr_null(roster_find(&r, "n050000"));
	put(&r, "n049999");
	roster_remove(&r, "n000000");
	put(&r, "n050000");
	ck_assert_ptr_nonnull(roster_find(&r, "n050000"));
	roster_fini(&r);
}
END_TEST

Suite *roster_suite(void)
{
	Suite *s = suite_create("roster");
	TCase *t = tcase_create("people");

	tcase_add_test(t, sorted_whatever_the_case);
	tcase_add_test(t, renamed);
	tcase_add_test(t, brought_up_to_date);
	tcase_add_test(t, many);
	tcase_add_test(t, no_end_of_people);
	suite_add_tcase(s, t);
	return s;
}
