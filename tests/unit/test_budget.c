/*
 * A connection's token bucket.
 */
#include "server/budget.h"

#include "common/message.h"

#include <check.h>

/* Pay for messages until there is nothing left; how many that were. */
static int64_t spend(struct budget *b, uint16_t number, int64_t now)
{
	int64_t count = 0;

	while (budget_ready(b, now) == now && count < 1000000) {
		budget_pay(b, number);
		count++;
	}
	return count;
}

START_TEST(test_burst_and_rate)
{
	struct budget b;
	int64_t now = 5000;

	budget_init(&b, 100, 50, now);
	ck_assert_int_eq(spend(&b, MESSAGE_SAY, now), 50);
	ck_assert_int_eq(budget_ready(&b, now), now + 1);
	/* In the long run as many as the rate says, however often one looks. */
	int64_t said = 0;
	for (int i = 0; i < 1000; i++) {
		now += 7;
		said += spend(&b, MESSAGE_SAY, now);
	}
	ck_assert_int_ge(said, 699);
	ck_assert_int_le(said, 701);
	/* Silence is saved up, but no more than a burst. */
	now += 1000000000;
	ck_assert_int_eq(spend(&b, MESSAGE_SAY, now), 50);
}
END_TEST

START_TEST(test_weights)
{
	struct budget b;

	budget_init(&b, 10, 100, 0);
	ck_assert_int_eq(spend(&b, MESSAGE_JOIN, 0), 20);
	budget_init(&b, 10, 100, 0);
	ck_assert_int_eq(spend(&b, MESSAGE_HISTORY, 0), 10);
	/* One that costs more than there ever is can be had, and is paid back. */
	budget_init(&b, 10, 1, 0);
	ck_assert_int_eq(spend(&b, MESSAGE_SEARCH, 0), 1);
	int64_t ready = budget_ready(&b, 0);
	ck_assert_int_ge(ready, 4900);
	ck_assert_int_le(ready, 4901);
	ck_assert_int_gt(budget_ready(&b, ready - 2), ready - 2);
	ck_assert_int_eq(budget_ready(&b, ready), ready);
}
END_TEST

/* Whoever asks for much from far back pays for it. */
START_TEST(test_entries)
{
	struct budget b;

	budget_init(&b, 10, 100, 0);
	budget_pay_entries(&b, 99);
	budget_pay_entries(&b, 15000);
	int64_t ready = budget_ready(&b, 0);
	ck_assert_int_ge(ready, 5000);
	ck_assert_int_le(ready, 5001);
	budget_init(&b, 0, 0, 0);
	budget_pay_entries(&b, UINT32_MAX);
	ck_assert_int_eq(budget_ready(&b, 0), 0);
}
END_TEST

START_TEST(test_off)
{
	struct budget b;

	budget_init(&b, 0, 0, 0);
	ck_assert_int_eq(spend(&b, MESSAGE_SEARCH, 0), 1000000);
}
END_TEST

START_TEST(test_extremes)
{
	struct budget b;

	budget_init(&b, UINT32_MAX, UINT32_MAX, 0);
	budget_pay(&b, MESSAGE_SAY);
	ck_assert_int_eq(budget_ready(&b, INT64_MAX / 2), INT64_MAX / 2);
	budget_init(&b, 1, 1, 0);
	ck_assert_int_eq(spend(&b, MESSAGE_SAY, 0), 1);
	ck_assert_int_eq(budget_ready(&b, INT64_MAX / 2), INT64_MAX / 2);
	/* A clock that stands still, or goes back. */
	ck_assert_int_eq(spend(&b, MESSAGE_SAY, INT64_MAX / 2), 1);
	ck_assert_int_gt(budget_ready(&b, 0), 0);
}
END_TEST

Suite *budget_suite(void)
{
	Suite *s = suite_create("budget");
	TCase *t = tcase_create("budget");

	tcase_add_test(t, test_burst_and_rate);
	tcase_add_test(t, test_weights);
	tcase_add_test(t, test_entries);
	tcase_add_test(t, test_off);
	tcase_add_test(t, test_extremes);
	suite_add_tcase(s, t);
	return s;
}
