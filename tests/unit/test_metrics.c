/*
 * Metrics: what is counted is the sum of what all threads counted, each under its name.
 */
#include "server/metrics.h"

#include "common/lock.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

static struct metrics *metrics;
static uint64_t counters[METRICS];

static void setup(void)
{
	metrics = metrics_new();
	ck_assert_ptr_nonnull(metrics);
}

static void teardown(void)
{
	metrics_free(metrics);
}

START_TEST(each_has_its_own)
{
	metrics_read(metrics, counters);
	for (size_t i = 0; i < METRICS; i++)
		ck_assert_uint_eq(counters[i], 0);
	for (unsigned i = 0; i < METRICS; i++)
		metrics_add(metrics, (enum metric)i, i);
	metrics_read(metrics, counters);
	for (size_t i = 0; i < METRICS; i++)
		ck_assert_uint_eq(counters[i], i);
}
END_TEST

START_TEST(nobody_wants_to_know)
{
	struct histogram_view view;

	metrics_add(NULL, METRIC_LOGINS, 1);
	metrics_limit(NULL, LIMIT_IDLE);
	metrics_refusal(NULL, CODE_FULL);
	metrics_appended(NULL, 1, 1);
	metrics_appended(metrics, 5, 0);
	metrics_read_appends(metrics, &view);
	ck_assert_uint_eq(view.count, 0);
}
END_TEST

static const struct {
	enum code code;
	enum refusal refusal;
	enum limit limit;
} refusals[] = {
	{CODE_FULL, REFUSAL_FULL, LIMIT_MAX_CLIENTS},
	{CODE_TOO_MANY_HERE, REFUSAL_PER_ADDRESS, LIMIT_MAX_PER_ADDRESS},
	{CODE_TOO_MANY_LOGINS, REFUSAL_LOGGING_IN, LIMIT_MAX_LOGGING_IN},
	{CODE_PENALTY, REFUSAL_PENALTY, LIMIT_MAX_FAULTS},
	{CODE_RESOURCES, REFUSAL_RESOURCES, LIMITS},
	{CODE_STOPPING, REFUSAL_STOPPING, LIMITS},
};

/* A refusal counts under its reason, and for its limit, if it is one. */
START_TEST(refusing)
{
	metrics_refusal(metrics, refusals[_i].code);
	metrics_read(metrics, counters);
	for (unsigned i = 0; i < METRICS; i++) {
		bool reason = i == METRIC_REFUSAL + (unsigned)refusals[_i].refusal;
		bool limit = refusals[_i].limit != LIMITS &&
			     i == METRIC_LIMIT + (unsigned)refusals[_i].limit;
		ck_assert_uint_eq(counters[i], reason || limit);
	}
}
END_TEST

#define THREADS 8
#define EACH    20000

static void *count_many(void *argument)
{
	for (int i = 0; i < EACH; i++) {
		metrics_add(argument, METRIC_DELIVERIES, 3);
		metrics_limit(argument, LIMIT_RATE);
		metrics_appended(argument, (uint64_t)i, 2);
	}
	return NULL;
}

START_TEST(threads)
{
	static struct histogram_view view;
	pthread_t thread[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_create(&thread[i], NULL, count_many, metrics));
	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_join(thread[i], NULL));
	metrics_read(metrics, counters);
	ck_assert_uint_eq(counters[METRIC_DELIVERIES], (uint64_t)THREADS * EACH * 3);
	ck_assert_uint_eq(counters[METRIC_LIMIT + LIMIT_RATE], (uint64_t)THREADS * EACH);
	metrics_read_appends(metrics, &view);
	ck_assert_uint_eq(view.count, (uint64_t)THREADS * EACH * 2);
	ck_assert_uint_eq(view.most, EACH - 1);
}
END_TEST

Suite *metrics_suite(void);

Suite *metrics_suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *c = tcase_create("metrics");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, each_has_its_own);
	tcase_add_test(c, nobody_wants_to_know);
	tcase_add_loop_test(c, refusing, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(c, threads);
	suite_add_tcase(s, c);
	return s;
}
