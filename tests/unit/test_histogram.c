/*
 * Histograms: the buckets, how near what is read back is to what was added, merging, extremes, threads.
 */
#include "common/histogram.h"

#include "common/lock.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct histogram *h;
static struct histogram_view view;

static void setup(void)
{
	h = calloc(1, sizeof(*h));
	ck_assert_ptr_nonnull(h);
	memset(&view, 0, sizeof(view));
}

static void teardown(void)
{
	free(h);
}

static void look(void)
{
	memset(&view, 0, sizeof(view));
	histogram_merge(&view, h);
}

/* Buckets follow one another without a gap, and none is wider than a 32nd of what is in it. */
START_TEST(buckets)
{
	uint64_t least = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t largest = histogram_largest(i);
		ck_assert_uint_ge(largest, least);
		ck_assert_uint_eq(histogram_bucket(least), i);
		ck_assert_uint_eq(histogram_bucket(largest), i);
		ck_assert_uint_le((largest - least) * 32, least);
		least = largest + 1;
	}
	ck_assert_uint_eq(least, UINT64_C(1) << HISTOGRAM_TOP_BITS);
	ck_assert_uint_eq(histogram_bucket(least), HISTOGRAM_BUCKETS - 1);
	ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(nothing_in_it)
{
	look();
	ck_assert_uint_eq(view.count, 0);
	ck_assert_uint_eq(histogram_quantile(&view, 0.5), 0);
	ck_assert_uint_eq(histogram_quantile(&view, 1), 0);
	ck_assert_uint_eq(histogram_below(&view, 63), 0);
	histogram_add(h, 77, 0);
	look();
	ck_assert_uint_eq(view.count, 0);
	ck_assert_uint_eq(view.most, 0);
}
END_TEST

START_TEST(one_number)
{
	histogram_add(h, 1000, 1);
	look();
	ck_assert_uint_eq(view.count, 1);
	ck_assert_uint_eq(view.sum, 1000);
	ck_assert_uint_eq(view.most, 1000);
	/* Never above the largest that there was. */
	ck_assert_uint_eq(histogram_quantile(&view, 0), 1000);
	ck_assert_uint_eq(histogram_quantile(&view, 0.5), 1000);
	ck_assert_uint_eq(histogram_quantile(&view, 1), 1000);
}
END_TEST

START_TEST(extremes)
{
	histogram_add(h, 0, 3);
	histogram_add(h, UINT64_C(1) << 50, 1);
	look();
	ck_assert_uint_eq(view.count, 4);
	ck_assert_uint_eq(view.most, UINT64_C(1) << 50);
	ck_assert_uint_eq(view.sum, UINT64_C(1) << 50);
	ck_assert_uint_eq(histogram_quantile(&view, 0.75), 0);
	ck_assert_uint_eq(histogram_quantile(&view, 0.76), (UINT64_C(1) << HISTOGRAM_TOP_BITS) - 1);
	ck_assert_uint_eq(histogram_below(&view, 0), 3); /* below 1 */
	ck_assert_uint_eq(histogram_below(&view, HISTOGRAM_TOP_BITS), 4);
}
END_TEST

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

#define NUMBERS 20000

/* Against the sorted numbers: not below the true quantile, and at most a 32nd above it. */
START_TEST(near_enough)
{
	static const double parts[] = {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
	uint64_t *numbers = malloc(NUMBERS * sizeof(*numbers));
	uint64_t state = 88172645463325252U + (uint64_t)_i, sum = 0;

	ck_assert_ptr_nonnull(numbers);
	for (size_t i = 0; i < NUMBERS; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		numbers[i] = state >> (64 - 4 * (_i + 1)); /* of 4 to 36 bits */
		sum += numbers[i];
		histogram_add(h, numbers[i], 1);
	}
	look();
	qsort(numbers, NUMBERS, sizeof(*numbers), compare);
	ck_assert_uint_eq(view.count, NUMBERS);
	ck_assert_uint_eq(view.sum, sum);
	ck_assert_uint_eq(view.most, numbers[NUMBERS - 1]);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t rank = (size_t)(parts[i] * NUMBERS + 0.999999);
		uint64_t truth = numbers[rank - 1], got = histogram_quantile(&view, parts[i]);
		ck_assert_uint_ge(got, truth);
		ck_assert_uint_le(got - truth, truth / 32);
	}
	for (unsigned bits = 0; bits < 40; bits++) {
		uint64_t below = 0;
		for (size_t i = 0; i < NUMBERS; i++)
			below += numbers[i] >> bits == 0;
		ck_assert_uint_eq(histogram_below(&view, bits), below);
	}
	free(numbers);
}
END_TEST

START_TEST(merging)
{
	struct histogram *other = calloc(1, sizeof(*other));

	ck_assert_ptr_nonnull(other);
	histogram_add(h, 10, 5);
	histogram_add(other, 10, 2);
	histogram_add(other, 5000, 1);
	look();
	histogram_merge(&view, other);
	ck_assert_uint_eq(view.count, 8);
	ck_assert_uint_eq(view.buckets[histogram_bucket(10)], 7);
	ck_assert_uint_eq(view.sum, 5070);
	ck_assert_uint_eq(view.most, 5000);
	free(other);
}
END_TEST

#define THREADS 4
#define EACH    50000

static void *add_many(void *argument)
{
	uint64_t base = *(const uint64_t *)argument;

	for (uint64_t i = 0; i < EACH; i++)
		histogram_add(h, base + i, 1);
	return NULL;
}

/* Nothing is lost between threads. */
START_TEST(threads)
{
	static uint64_t bases[THREADS] = {0, 1000, 1000000, 0};
	pthread_t thread[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_create(&thread[i], NULL, add_many, &bases[i]));
	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_join(thread[i], NULL));
	look();
	ck_assert_uint_eq(view.count, THREADS * EACH);
	ck_assert_uint_eq(
		view.sum, 1001000 * (uint64_t)EACH + THREADS * (uint64_t)EACH * (EACH - 1) / 2);
	ck_assert_uint_eq(view.most, 1000000 + EACH - 1);
}
END_TEST

Suite *histogram_suite(void);

Suite *histogram_suite(void)
{
	Suite *s = suite_create("histogram");
	TCase *c = tcase_create("histogram");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, buckets);
	tcase_add_test(c, nothing_in_it);
	tcase_add_test(c, one_number);
	tcase_add_test(c, extremes);
	tcase_add_loop_test(c, near_enough, 0, 9);
	tcase_add_test(c, merging);
	tcase_add_test(c, threads);
	suite_add_tcase(s, c);
	return s;
}
