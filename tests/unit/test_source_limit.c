/*
 * The limit by source: a burst, then a rate, for each and for all together.
 */
#include "common/source_limit.h"

#include <check.h>
#include <string.h>

static const struct source_rate each = {.per_second = 10, .burst = 5};
static const struct source_rate plenty = {.per_second = 100000, .burst = 100000};

static struct net_address v4(uint32_t host, uint16_t port)
{
	return (struct net_address){
		.length = sizeof(struct sockaddr_in),
		.u.v4 = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(host)},
	};
}

static unsigned take(struct source_limit *l, const struct net_address *from, int64_t now)
{
	unsigned n = 0;

	while (n < 1000000 && source_limit_allows(l, from, now))
		n++;
	return n;
}

START_TEST(burst_then_rate)
{
	struct source_limit l;
	struct net_address a = v4(0x0a000001, 1);

	source_limit_init(&l, each, plenty, 1000);
	ck_assert_uint_eq(take(&l, &a, 1000), 5);
	ck_assert_uint_eq(take(&l, &a, 1099), 0);
	ck_assert_uint_eq(take(&l, &a, 1100), 1);
	ck_assert_uint_eq(take(&l, &a, 1399), 2);
	ck_assert_uint_eq(take(&l, &a, 1400), 1);
	ck_assert_uint_eq(take(&l, &a, 1000000), 5);
}
END_TEST

START_TEST(a_clock_that_stands_still)
{
	struct source_limit l;
	struct net_address a = v4(0x0a000001, 1);

	source_limit_init(&l, each, plenty, 1000);
	ck_assert_uint_eq(take(&l, &a, 1000), 5);
	ck_assert_uint_eq(take(&l, &a, 900), 0);
	ck_assert_uint_eq(take(&l, &a, 1000), 0);
}
END_TEST

START_TEST(ports_are_one_source_and_hosts_are_not)
{
	struct source_limit l;
	struct net_address a = v4(0x0a000001, 1), b = v4(0x0a000001, 2), c = v4(0x0a000002, 1);

	source_limit_init(&l, each, plenty, 0);
	ck_assert_uint_eq(take(&l, &a, 0), 5);
	ck_assert_uint_eq(take(&l, &b, 0), 0);
	ck_assert_uint_eq(take(&l, &c, 0), 5);
}
END_TEST

START_TEST(families_are_told_apart)
{
	struct source_limit l;
	struct net_address a = v4(0x0a000001, 1);
	struct net_address b = {.length = sizeof(b.u.v6), .u.v6 = {.sin6_family = AF_INET6}};

	memcpy(b.u.v6.sin6_addr.s6_addr, &a.u.v4.sin_addr, 4);
	source_limit_init(&l, each, plenty, 0);
	ck_assert_uint_eq(take(&l, &a, 0), 5);
	ck_assert_uint_eq(take(&l, &b, 0), 5);
}
END_TEST

START_TEST(all_together)
{
	static const struct source_rate few = {.per_second = 20, .burst = 12};
	struct source_limit l;
	unsigned n = 0;

	source_limit_init(&l, each, few, 0);
	for (uint32_t host = 0; host < 100; host++) {
		struct net_address a = v4(host, 1);

		n += take(&l, &a, 0);
	}
	ck_assert_uint_eq(n, 12);
	for (uint32_t host = 100; host < 200; host++) {
		struct net_address a = v4(host, 1);

		n += take(&l, &a, 1000);
	}
	ck_assert_uint_eq(n, 24);
}
END_TEST

/* However many sources are made up, one that keeps asking stays limited: it is never the one that was
 * not heard for longest. */
START_TEST(a_busy_source_is_not_forgotten)
{
	struct source_limit l;
	struct net_address busy = v4(0x0a000001, 1);
	unsigned n = 0;

	source_limit_init(&l, each, plenty, 0);
	for (uint32_t i = 0; i < 20000; i++) {
		struct net_address other = v4(0xc0000000 + i, 1);
		int64_t now = i / 20;

		n += source_limit_allows(&l, &busy, now);
		(void)source_limit_allows(&l, &other, now);
	}
	/* A second has passed: the burst, and a second's rate. */
	ck_assert_uint_le(n, 5 + 10);
	ck_assert_uint_ge(n, 5 + 9);
}
END_TEST

Suite *source_limit_suite(void)
{
	Suite *s = suite_create("source_limit");
	TCase *t = tcase_create("buckets");

	tcase_add_test(t, burst_then_rate);
	tcase_add_test(t, a_clock_that_stands_still);
	tcase_add_test(t, ports_are_one_source_and_hosts_are_not);
	tcase_add_test(t, families_are_told_apart);
	tcase_add_test(t, all_together);
	tcase_add_test(t, a_busy_source_is_not_forgotten);
	suite_add_tcase(s, t);
	return s;
}
