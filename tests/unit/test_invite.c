#include "common/net.h"
#include "server/invite.h"

#include <check.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define MOST 64

Suite *invite_suite(void);

static struct net_address address(const char *host, uint16_t port)
{
	struct net_address a;
	const char *why;
	size_t count;

	ck_assert_int_eq(net_resolve(host, port, SOCK_STREAM, false, &a, 1, &count, &why), 0);
	return a;
}

static const char *printed(const struct net_address *a)
{
	static char text[NET_ADDRESS_MAX];

	return net_print(a, text);
}

START_TEST(named_addresses_stay_as_they_are)
{
	struct net_address listening[] = {
		address("::1", 7), address("127.0.0.1", 7), address("192.0.2.1", 7)};
	struct net_address out[MOST];

	ck_assert_uint_eq(invite_addresses(listening, 3, out, MOST), 3);
	ck_assert_str_eq(printed(&out[0]), "192.0.2.1:7");
	ck_assert_str_eq(printed(&out[1]), "127.0.0.1:7");
	ck_assert_str_eq(printed(&out[2]), "[::1]:7");
}
END_TEST

START_TEST(wildcards_are_spelt_out)
{
	struct net_address listening[] = {address("0.0.0.0", 19830), address("::", 19830)};
	struct net_address out[MOST];
	size_t count = invite_addresses(listening, 2, out, MOST);

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(net_port(&out[i]), 19830);
		ck_assert_str_ne(printed(&out[i]), "0.0.0.0:19830");
		ck_assert_str_ne(printed(&out[i]), "[::]:19830");
		/* Unless it is all that there is. */
		ck_assert(
			!invite_is_link_local(&out[i]) || i == 0 || invite_is_link_local(&out[0]));
		for (size_t j = 0; j < i; j++) {
			ck_assert(!net_equal(&out[i], &out[j]));
			/* Loopback comes last. */
			ck_assert(net_is_loopback(&out[i]) || !net_is_loopback(&out[j]));
		}
	}
}
END_TEST

/* A machine without a router and without DHCP: what it gave itself is all there is. */
START_TEST(link_local_where_there_is_nothing_else)
{
	struct net_address wild[] = {address("0.0.0.0", 19830), address("::", 19830)};
	struct net_address has[] = {address("127.0.0.1", 0), address("::1", 0),
		address("fe80::5", 0), address("192.0.2.7", 0)};
	struct ifaddrs list[4] = {{0}};
	struct net_address out[MOST];

	has[2].u.v6.sin6_scope_id = 1;
	for (int i = 0; i < 4; i++)
		list[i] = (struct ifaddrs){.ifa_next = i < 3 ? &list[i + 1] : NULL,
			.ifa_flags = IFF_UP,
			.ifa_addr = &has[i].u.any};
	ck_assert_uint_eq(invite_from(list, wild, 2, out, MOST), 3);
	ck_assert_str_eq(printed(&out[0]), "192.0.2.7:19830");
	ck_assert_str_eq(printed(&out[2]), "[::1]:19830");
	list[2].ifa_next = NULL;
	ck_assert_uint_eq(invite_from(list, wild, 2, out, MOST), 3);
	ck_assert(invite_is_link_local(&out[0]));
	ck_assert_uint_eq(net_port(&out[0]), 19830);
	ck_assert_uint_eq(out[0].u.v6.sin6_scope_id, 1);
	ck_assert_str_eq(printed(&out[1]), "127.0.0.1:19830");
	ck_assert_str_eq(printed(&out[2]), "[::1]:19830");
	ck_assert(!invite_is_link_local(&out[1]) && !invite_is_link_local(&out[2]));
	ck_assert_uint_eq(invite_from(NULL, wild, 2, out, MOST), 0);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
	struct net_address listening[] = {
		address("192.0.2.1", 7), address("192.0.2.1", 7), address("192.0.2.2", 7)};
	struct net_address out[MOST];

	ck_assert_uint_eq(invite_addresses(listening, 3, out, MOST), 2);
	ck_assert_uint_eq(invite_addresses(listening, 3, out, 1), 1);
	ck_assert_uint_eq(invite_addresses(listening, 0, out, MOST), 0);
}
END_TEST

Suite *invite_suite(void)
{
	Suite *s = suite_create("invite");
	TCase *t = tcase_create("invite");

	tcase_add_test(t, named_addresses_stay_as_they_are);
	tcase_add_test(t, wildcards_are_spelt_out);
	tcase_add_test(t, link_local_where_there_is_nothing_else);
	tcase_add_test(t, no_more_than_there_is_room_for);
	suite_add_tcase(s, t);
	return s;
}
