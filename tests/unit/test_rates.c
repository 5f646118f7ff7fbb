/*
 * Rates: over spans that samples cover, and over less where there are none that old.
 */
#include "server/rates.h"

#include <check.h>

static void sample(struct rates *r, int64_t now, uint64_t first)
{
	uint64_t counters[RATES_OF] = {first, 7};

	rates_sample(r, now, counters);
}

START_TEST(without_samples)
{
	struct rates r = {0};

	ck_assert_uint_eq(rates_per_second(&r, 1000, 0, 50, 10000), 0);
	sample(&r, 1000, 50);
	ck_assert_uint_eq(rates_per_second(&r, 1000, 0, 50, 10000), 0); /* no time has passed */
}
END_TEST

/* Before there is a span's worth of samples, it is since the first. */
START_TEST(since_the_first)
{
	struct rates r = {0};

	sample(&r, 1000, 0);
	ck_assert_uint_eq(rates_per_second(&r, 1500, 0, 10, 10000), 20000);
	ck_assert_uint_eq(rates_per_second(&r, 1500, 0, 10, 60000), 20000);
	ck_assert_uint_eq(rates_per_second(&r, 1500, 1, 7, 60000), 0);
	ck_assert_uint_eq(rates_per_second(&r, 4000, 0, 1, 60000), 333);
}
END_TEST

/* Ten a second for a long time, then a hundred for ten seconds. */
START_TEST(of_the_last_seconds)
{
	struct rates r = {0};
	int64_t now = 5000;
	uint64_t count = 0;

	for (int i = 0; i < 300; i++, now += 1000, count += 10)
		sample(&r, now, count);
	ck_assert_uint_eq(rates_per_second(&r, now, 0, count, 10000), 10000);
	ck_assert_uint_eq(rates_per_second(&r, now, 0, count, 60000), 10000);
	for (int i = 0; i < 10; i++, now += 1000, count += 100)
		sample(&r, now, count);
	ck_assert_uint_eq(rates_per_second(&r, now, 0, count, 10000), 100000);
	ck_assert_uint_eq(rates_per_second(&r, now, 0, count, 60000), 25000);
	/* Longer than what is kept: as far as it goes, 64 seconds. */
	ck_assert_uint_eq(
		rates_per_second(&r, now, 0, count, 600000), 24063); /* 10 * 100 + 54 * 10, by 64 */
}
END_TEST

/* A thread that did not run for a while made no samples; what there is counts for the time it took. */
START_TEST(with_a_hole)
{
	struct rates r = {0};

	sample(&r, 0, 0);
	sample(&r, 1000, 0);
	ck_assert_uint_eq(rates_per_second(&r, 41000, 0, 400, 10000), 10000);
}
END_TEST

START_TEST(large_numbers)
{
	struct rates r = {0};

	sample(&r, 0, UINT64_MAX - 10);
	/* Within what a double tells apart. */
	ck_assert_uint_eq(rates_per_second(&r, 1000, 0, UINT64_MAX, 10000), 10000);
	sample(&r, 1000, 0);
	ck_assert_uint_eq(rates_per_second(&r, 2000, 0, UINT64_C(1) << 40, 500), 1000ULL << 40);
}
END_TEST

Suite *rates_suite(void);

Suite *rates_suite(void)
{
	Suite *s = suite_create("rates");
	TCase *c = tcase_create("rates");

	tcase_add_test(c, without_samples);
	tcase_add_test(c, since_the_first);
	tcase_add_test(c, of_the_last_seconds);
	tcase_add_test(c, with_a_hole);
	tcase_add_test(c, large_numbers);
	suite_add_tcase(s, c);
	return s;
}
