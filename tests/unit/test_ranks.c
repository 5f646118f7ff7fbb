/*
 * Ranks: from a charter to the mark of a person.
 */
#include "client/ranks.h"

#include "common/rights.h"

#include <check.h>
#include <string.h>

static const uint8_t anna[PERSON_ID] = {1}, bob[PERSON_ID] = {1, 2}, cat[PERSON_ID] = {3};
static struct ranks ranks;

static struct event_standing standing(int kind, const uint8_t *person, uint64_t until)
{
	struct event_standing s = {.kind = kind, .until = until};

	memcpy(s.person, person, PERSON_ID);
	return s;
}

static void setup(void)
{
	ranks = (struct ranks){0};
}

static void teardown(void)
{
	ranks_fini(&ranks);
}

static void take(const struct event_standing *s, size_t count, bool server)
{
	ck_assert_int_eq(ranks_take(&ranks, s, count, server), 0);
}
#define TAKE(server, ...)                                                                          \
	do {                                                                                       \
		const struct event_standing all_[] = {__VA_ARGS__};                                \
		take(all_, sizeof all_ / sizeof all_[0], (server));                                \
	} while (0)

START_TEST(of_a_room)
{
	ck_assert_int_eq(ranks_of(&ranks, anna, 0), MARK_NONE);
	TAKE(false, standing(STANDING_VOICE, cat, 0), standing(STANDING_MODERATOR, bob, 0),
		standing(STANDING_OWNER, anna, 0));
	ck_assert_int_eq(ranks_of(&ranks, anna, 7), MARK_OWNER);
	ck_assert_int_eq(ranks_of(&ranks, bob, 7), MARK_MODERATOR);
	ck_assert_int_eq(ranks_of(&ranks, cat, 7), MARK_VOICE);
	/* What comes next is all that there is. */
	TAKE(false, standing(STANDING_OWNER, bob, 0));
	ck_assert_int_eq(ranks_of(&ranks, anna, 7), MARK_NONE);
	ck_assert_int_eq(ranks_of(&ranks, bob, 7), MARK_OWNER);
	take(NULL, 0, false);
	ck_assert_int_eq(ranks_of(&ranks, bob, 7), MARK_NONE);
}
END_TEST

START_TEST(of_the_server)
{
	TAKE(true, standing(STANDING_MODERATOR, anna, 0), standing(STANDING_BANNED, bob, 0));
	ck_assert_int_eq(ranks_of(&ranks, anna, 7), MARK_OPERATOR);
	ck_assert_int_eq(ranks_of(&ranks, bob, 7), MARK_NONE);
}
END_TEST

/* Somebody may be several things; kinds of the future are nothing. */
START_TEST(the_highest)
{
	TAKE(false, standing(STANDING_MUTED, anna, 0), standing(STANDING_VOICE, anna, 0),
		standing(STANDING_VOICE, bob, 0), standing(STANDING_MODERATOR, bob, 0),
		standing(STANDING_MUTED, bob, 0), standing(99, cat, 0),
		standing(STANDING_INVITED, cat, 0));
	ck_assert_int_eq(ranks_of(&ranks, anna, 7), MARK_MUTED);
	ck_assert_int_eq(ranks_of(&ranks, bob, 7), MARK_MODERATOR);
	ck_assert_int_eq(ranks_of(&ranks, cat, 7), MARK_NONE);
}
END_TEST

START_TEST(until_it_ends)
{
	TAKE(false, standing(STANDING_VOICE, anna, 0), standing(STANDING_MUTED, anna, 100),
		standing(STANDING_MUTED, bob, 200));
	ck_assert_int_eq(ranks_of(&ranks, anna, 99), MARK_MUTED);
	ck_assert_int_eq(ranks_of(&ranks, anna, 100), MARK_VOICE);
	ck_assert_uint_eq(ranks_until(&ranks, 99), 100);
	ck_assert_uint_eq(ranks_until(&ranks, 100), 200);
	ck_assert_uint_eq(ranks_until(&ranks, 200), UINT64_MAX);
}
END_TEST

/* One column, no two the same, each explained; and ~ is part of nicks. */
START_TEST(signs)
{
	ck_assert_str_eq(mark_sign(MARK_NONE), "");
	ck_assert_ptr_null(mark_help(MARK_NONE));
	for (enum mark m = MARK_NONE + 1; m < MARKS; m++) {
		ck_assert_uint_eq(strlen(mark_sign(m)), 1);
		ck_assert_str_ne(mark_sign(m), "~");
		ck_assert_ptr_nonnull(mark_help(m));
		ck_assert_uint_lt(mark_place(m), MARK_PLACES);
		for (enum mark other = MARK_NONE; other < m; other++)
			ck_assert_str_ne(mark_sign(m), mark_sign(other));
	}
}
END_TEST

/* The rows themselves: who is on which list, for how long, under which name. */
START_TEST(rows)
{
	struct event_standing range = standing(STANDING_BANNED, (const uint8_t[PERSON_ID]){0}, 0);
	struct event_standing ben = standing(STANDING_MUTED, bob, 5);

	range.label = (char *)"fe80::/10";
	ben.label = (char *)"B\x1b[2Jen";
	TAKE(false, range, ben, standing(STANDING_VOICE, bob, 0));
	ck_assert_uint_eq(ranks.row_count, 3);
	ck_assert(ranks_are(&ranks, STANDING_MUTED, bob, 4));
	ck_assert(!ranks_are(&ranks, STANDING_MUTED, bob, 5));
	ck_assert(ranks_are(&ranks, STANDING_VOICE, bob, 5));
	ck_assert(!ranks_are(&ranks, STANDING_VOICE, anna, 5));
	ck_assert(ranks_name(&ranks, STANDING_BANNED, "FE80::/10", 7));
	ck_assert(!ranks_name(&ranks, STANDING_BANNED, "fe80::/11", 7));
	ck_assert(!ranks_name(&ranks, STANDING_MUTED, "fe80::/10", 7));
	ck_assert_ptr_null(strchr(ranks.rows[1].label, '\x1b')); /* it is clean */
	ck_assert(!ranks_cut(&ranks));
	take(NULL, 0, false);
	ck_assert_uint_eq(ranks.row_count, 0);
}
END_TEST

Suite *ranks_suite(void)
{
	Suite *s = suite_create("ranks");
	TCase *t = tcase_create("ranks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, of_a_room);
	tcase_add_test(t, of_the_server);
	tcase_add_test(t, the_highest);
	tcase_add_test(t, until_it_ends);
	tcase_add_test(t, rows);
	tcase_add_test(t, signs);
	suite_add_tcase(s, t);
	return s;
}
