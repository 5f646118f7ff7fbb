/*
 * The ledger: what is lost, doubled and out of order, told apart.
 */
#include "tools/stress/ledger.h"

#include <check.h>
#include <stdlib.h>

static struct ledger ledger;

static void teardown(void)
{
	ledger_fini(&ledger);
}

/* What one client got of one sender, and what of its `sent` messages that comes to. */
static const struct {
	uint32_t sent;
	uint32_t got[12];
	uint64_t lost, doubled, reordered;
} cases[] = {
	{5, {1, 2, 3, 4, 5}, 0, 0, 0},
	{0, {0}, 0, 0, 0},
	{3, {0}, 3, 0, 0},
	{5, {1, 2, 4, 5}, 1, 0, 0},
	{5, {1, 2, 3}, 2, 0, 0},
	{5, {1, 2, 2, 3, 4, 5}, 0, 1, 0},
	{5, {1, 3, 2, 4, 5}, 0, 0, 1},
	{5, {1, 3, 2, 2, 4, 5}, 0, 1, 1},
	{6, {6, 1, 2, 3, 4, 5}, 0, 0, 5},
	{6, {6, 3, 4, 5, 1, 2}, 0, 0, 5},
	{6, {6, 3, 3, 1}, 3, 1, 2},
	{5, {5, 5, 5}, 4, 2, 0},
};

START_TEST(told_apart)
{
	uint32_t last = 0;

	for (int i = 0; cases[_i].got[i]; i++)
		(void)ledger_note(&ledger, 7, 3, &last, cases[_i].got[i]);
	ledger_close(&ledger, &last, cases[_i].sent);
	ck_assert_uint_eq(ledger.lost, cases[_i].lost);
	ck_assert_uint_eq(ledger.doubled, cases[_i].doubled);
	ck_assert_uint_eq(ledger.reordered, cases[_i].reordered);
	ledger_close(&ledger, &last, cases[_i].sent);
	ck_assert_uint_eq(ledger.lost, cases[_i].lost);
}
END_TEST

START_TEST(each_for_itself)
{
	uint32_t first = 0, second = 0, other = 0;

	ck_assert(ledger_note(&ledger, 1, 1, &first, 2));
	ck_assert(ledger_note(&ledger, 2, 1, &second, 1));
	ck_assert(ledger_note(&ledger, 1, 2, &other, 1));
	/* What is missing of one is not found by another. */
	ck_assert(!ledger_note(&ledger, 2, 1, &second, 1));
	ck_assert(!ledger_note(&ledger, 1, 2, &other, 1));
	ck_assert_uint_eq(ledger.lost, 1);
	ck_assert(ledger_note(&ledger, 1, 1, &first, 1));
	ck_assert_uint_eq(ledger.lost, 0);
	ck_assert_uint_eq(ledger.reordered, 1);
	ck_assert_uint_eq(ledger.doubled, 2);
}
END_TEST

/* Places in a room: the same whoever's message it is, and counted once. */
START_TEST(in_their_places)
{
	uint64_t newest = 0;

	ledger_place(&ledger, &newest, 40, false);
	ledger_place(&ledger, &newest, 42, false); /* 41 is none of the room's */
	ledger_place(&ledger, &newest, 45, false);
	ck_assert_uint_eq(ledger.reordered, 0);
	ledger_place(&ledger, &newest, 44, false);
	ck_assert_uint_eq(ledger.reordered, 1);
	ledger_place(&ledger, &newest, 43, true);
	ck_assert_uint_eq(ledger.reordered, 1);
	ledger_place(&ledger, &newest, 46, false);
	ck_assert_uint_eq(ledger.reordered, 1);
}
END_TEST

START_TEST(from_anywhere)
{
	uint32_t last = LEDGER_ANY;

	ledger_close(&ledger, &last, 10);
	ck_assert_uint_eq(ledger.lost, 0);
	last = LEDGER_ANY;
	ck_assert(ledger_note(&ledger, 1, 1, &last, 41));
	ck_assert(ledger_note(&ledger, 1, 1, &last, 43));
	ck_assert_uint_eq(ledger.lost, 1);
}
END_TEST

/* By chance, against counting: whatever the order, the sums are those of the sets. */
START_TEST(by_chance)
{
	enum {
		SENT = 200
	};
	unsigned count[SENT + 1] = {0}, missing = 0, more = 0;
	uint32_t last = 0;

	srand(1 + (unsigned)_i);
	for (int i = 0; i < 300; i++) {
		uint32_t counter = 1 + (uint32_t)rand() % SENT;
		bool first = count[counter]++ == 0;
		ck_assert_int_eq(ledger_note(&ledger, 1, 1, &last, counter), first);
	}
	ledger_close(&ledger, &last, SENT);
	for (int i = 1; i <= SENT; i++) {
		missing += count[i] == 0;
		more += count[i] > 1 ? count[i] - 1 : 0;
	}
	ck_assert_uint_eq(ledger.lost, missing);
	ck_assert_uint_eq(ledger.doubled, more);
}
END_TEST

Suite *ledger_suite(void)
{
	Suite *s = suite_create("ledger");
	TCase *c = tcase_create("ledger");

	tcase_add_checked_fixture(c, NULL, teardown);
	tcase_add_loop_test(c, told_apart, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(c, each_for_itself);
	tcase_add_test(c, in_their_places);
	tcase_add_test(c, from_anywhere);
	tcase_add_loop_test(c, by_chance, 0, 50);
	suite_add_tcase(s, c);
	return s;
}
