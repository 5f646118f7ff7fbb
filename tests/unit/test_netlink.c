/*
 * What the kernel says about interfaces. Every machine has loopback, so these
 * tests look at that one.
 */
#include "common/netlink.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

static struct option_list one(const char **name)
{
	return (struct option_list){.items = (char **)(uintptr_t)name, .count = 1};
}

START_TEST(loopback_is_there)
{
	const char *name = "lo";
	struct option_list only = one(&name);
	struct netif_filter filter = {.only = &only};
	struct netif_table t;
	bool found = false;

	ck_assert_int_eq(netlink_read(&filter, &t), 0);
	ck_assert_uint_eq(t.link_count, 1);
	ck_assert_str_eq(t.links[0].name, "lo");
	ck_assert_uint_eq(t.links[0].index, if_nametoindex("lo"));
	ck_assert(t.links[0].flags & IFF_LOOPBACK);
	ck_assert(!t.links[0].enslaved && !t.links[0].bridge);
	for (size_t i = 0; i < t.address_count; i++) {
		struct net_address a = netif_socket_address(&t.addresses[i], 0);

		ck_assert_uint_eq(t.addresses[i].index, t.links[0].index);
		found |= a.u.any.sa_family == AF_INET && net_is_loopback(&a) &&
			 t.addresses[i].prefix == 8;
	}
	ck_assert(found);
}
END_TEST

START_TEST(reading_twice_gives_the_same)
{
	struct netif_filter every = {.only = NULL};
	struct netif_table a, b;

	ck_assert_int_eq(netlink_read(&every, &a), 0);
	ck_assert_int_eq(netlink_read(&every, &b), 0);
	ck_assert(netif_table_equal(&a, &b));
	ck_assert_uint_ge(a.link_count, 1);
	ck_assert(a.links[0].flags & IFF_LOOPBACK);
}
END_TEST

START_TEST(what_is_filtered_out_is_not_there)
{
	const char *name = "*";
	struct option_list not = one(&name);
	struct netif_filter none = {.not = &not };
	struct netif_table t;

	ck_assert_int_eq(netlink_read(&none, &t), 0);
	ck_assert_uint_eq(t.link_count, 0);
	ck_assert_uint_eq(t.address_count, 0);
}
END_TEST

START_TEST(nothing_changed)
{
	int fd = -1;

	ck_assert_int_eq(netlink_watch(&fd), 0);
	ck_assert_int_ge(fd, 0);
	/* What another program changes just now may be here; after that there is nothing. */
	while (netlink_drain(fd))
		;
	net_close(fd);
}
END_TEST

Suite *netlink_suite(void)
{
	Suite *s = suite_create("netlink");
	TCase *t = tcase_create("kernel");

	tcase_add_test(t, loopback_is_there);
	tcase_add_test(t, reading_twice_gives_the_same);
	tcase_add_test(t, what_is_filtered_out_is_not_there);
	tcase_add_test(t, nothing_changed);
	suite_add_tcase(s, t);
	return s;
}
