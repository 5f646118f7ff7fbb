/*
 * The window over numbers that were there already, against a model that remembers all of
 * them.
 */
#include "common/replay.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 20000

/* The model: every number that was taken, and the newest. */
static bool taken[NUMBERS];
static uint64_t newest;

static bool model_is_new(uint64_t number)
{
	return number != 0 &&
	       (number > newest || (newest - number < REPLAY_WINDOW && !taken[number]));
}

static uint64_t near(unsigned *seed, uint64_t at)
{
	uint64_t spread = rand_r(seed) % 8 == 0 ? 3 * REPLAY_WINDOW : 70;
	uint64_t number = at + (uint64_t)rand_r(seed) % spread;

	number = number > spread / 2 ? number - spread / 2 : 0;
	return number < NUMBERS ? number : NUMBERS - 1;
}

START_TEST(test_against_a_model)
{
	struct replay r = {0};
	unsigned seed = (unsigned)_i + 1;

	newest = 0;
	memset(taken, 0, sizeof(taken));
	for (uint64_t at = 0; at < NUMBERS - 4 * REPLAY_WINDOW; at += (uint64_t)rand_r(&seed) % 5) {
		uint64_t number = near(&seed, at);
		ck_assert_msg(replay_is_new(&r, number) == model_is_new(number),
			"seed %d: number %ju, newest %ju", _i + 1, (uintmax_t)number,
			(uintmax_t)newest);
		if (!model_is_new(number) || rand_r(&seed) % 4 == 0)
			continue; /* one that was looked at and not believed */
		ck_assert_int_eq(replay_take(&r, number), number > newest);
		taken[number] = true;
		if (number > newest)
			newest = number;
	}
	ck_assert_uint_eq(r.newest, newest);
}
END_TEST

START_TEST(test_edges)
{
	struct replay r = {0};

	ck_assert(!replay_is_new(&r, 0));
	ck_assert(replay_is_new(&r, 1));
	ck_assert(replay_take(&r, REPLAY_WINDOW));
	/* The oldest that the window has, and one before it. */
	ck_assert(replay_is_new(&r, 1));
	ck_assert(replay_take(&r, REPLAY_WINDOW + 1));
	ck_assert(!replay_is_new(&r, 1));
	ck_assert(replay_is_new(&r, 2));
	ck_assert(!replay_take(&r, 2));
	ck_assert(!replay_is_new(&r, 2));
}
END_TEST

/* A leap over the whole ring leaves nothing behind of what was in it. */
START_TEST(test_leaps)
{
	struct replay r = {0};

	for (uint64_t n = 1; n <= REPLAY_WINDOW; n++)
		replay_take(&r, n);
	ck_assert(replay_take(&r, UINT64_MAX));
	ck_assert(!replay_is_new(&r, UINT64_MAX));
	for (uint64_t n = 1; n < REPLAY_WINDOW; n++)
		ck_assert(replay_is_new(&r, UINT64_MAX - n));
	ck_assert(!replay_is_new(&r, UINT64_MAX - REPLAY_WINDOW));
}
END_TEST

Suite *replay_suite(void);
Suite *replay_suite(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");

	tcase_add_loop_test(t, test_against_a_model, 0, 20);
	tcase_add_test(t, test_edges);
	tcase_add_test(t, test_leaps);
	suite_add_tcase(s, t);
	return s;
}
