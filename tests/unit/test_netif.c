/*
 * Interfaces: which suit discovery, in what order, and what their addresses are
 * good for.
 */
#include "common/netif.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct option_list globs(const char **items, size_t count)
{
	return (struct option_list){.items = (char **)(uintptr_t)items, .count = count};
}

static const struct {
	const char *only[2], *not [2];
	const char *name;
	bool passes;
} filter_cases[] = {
	{{NULL}, {NULL}, "eth0", true},
	{{"eth0"}, {NULL}, "eth0", true},
	{{"eth0"}, {NULL}, "eth01", false},
	{{"eth*"}, {NULL}, "eth01", true},
	{{"eth*"}, {NULL}, "lo", false},
	{{"wl*", "e[nt]*"}, {NULL}, "enp3s0", true},
	{{"wl*", "e[nt]*"}, {NULL}, "wlan0", true},
	{{"wl*", "e[nt]*"}, {NULL}, "docker0", false},
	{{NULL}, {"docker*"}, "docker0", false},
	{{NULL}, {"docker*"}, "eth0", true},
	{{"*"}, {"veth*", "br-*"}, "br-12", false},
	{{"*"}, {"veth*", "br-*"}, "br0", true},
	{{"eth0"}, {"eth0"}, "eth0", false},
	{{"eth?"}, {NULL}, "eth0", true},
	{{""}, {NULL}, "eth0", false},
};

static size_t count_items(const char *const items[2])
{
	return (size_t)(items[0] != NULL) + (items[1] != NULL);
}

START_TEST(globs_choose_names)
{
	const char *only_items[2], *not_items[2];
	struct option_list only, not ;

	memcpy(only_items, filter_cases[_i].only, sizeof(only_items));
	memcpy(not_items, filter_cases[_i].not, sizeof(not_items));
	only = globs(only_items, count_items(filter_cases[_i].only));
	not = globs(not_items, count_items(filter_cases[_i].not ));
	struct netif_filter f = {.only = &only, .not = &not };
	ck_assert_int_eq(netif_filter_passes(&f, filter_cases[_i].name), filter_cases[_i].passes);
}
END_TEST

START_TEST(no_filter_at_all)
{
	struct netif_filter f = {.only = NULL};

	ck_assert(netif_filter_passes(&f, "anything"));
}
END_TEST

static const struct {
	unsigned flags;
	bool enslaved;
	bool suits;
} suit_cases[] = {
	{IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST, false, true},
	{IFF_UP | IFF_RUNNING | IFF_LOOPBACK, false, true},
	{IFF_UP | IFF_BROADCAST, false, false}, /* no carrier */
	{IFF_RUNNING | IFF_BROADCAST, false, false},
	{IFF_UP | IFF_RUNNING | IFF_POINTOPOINT, false, false},
	{IFF_UP | IFF_RUNNING | IFF_BROADCAST, true, false},
	{0, false, false},
};

START_TEST(up_running_and_free)
{
	struct netif link = {.index = 1,
		.name = "x",
		.flags = suit_cases[_i].flags,
		.enslaved = suit_cases[_i].enslaved};
	struct netif_filter every = {.only = NULL};
	const char *other[] = {"y"};
	struct option_list only = globs(other, 1);
	struct netif_filter none = {.only = &only};

	ck_assert_int_eq(netif_suits(&link, &every), suit_cases[_i].suits);
	ck_assert(!netif_suits(&link, &none));
}
END_TEST

static void add(struct netif_table *t, unsigned index, unsigned flags, bool bridge)
{
	struct netif link = {.index = index, .flags = flags, .bridge = bridge, .name = "x"};

	ck_assert_int_eq(netif_add(t, &link), 0);
}

START_TEST(loopback_first_and_bridges_last)
{
	static const unsigned expected[] = {9, 2, 4, 1, 3};
	struct netif_table t = {.link_count = 0};

	add(&t, 3, 0, true);
	add(&t, 4, 0, false);
	add(&t, 1, 0, true);
	add(&t, 9, IFF_LOOPBACK, false);
	add(&t, 2, 0, false);
	netif_sort(&t);
	for (int i = 0; i < COUNT(expected); i++)
		ck_assert_uint_eq(t.links[i].index, expected[i]);
}
END_TEST

static struct netif_address address(unsigned index, const char *text, uint8_t prefix)
{
	struct netif_address a = {.index = index, .family = AF_INET, .prefix = prefix};

	if (strchr(text, ':'))
		a.family = AF_INET6;
	ck_assert_int_eq(inet_pton(a.family, text, a.bytes), 1);
	return a;
}

START_TEST(tables_are_bounded)
{
	struct netif_table t = {.link_count = 0};
	struct netif one_more = {.index = 1000};
	struct netif_address a = address(1, "192.0.2.1", 24);
	struct netif_address stray = address(999, "192.0.2.1", 24);
	struct netif_address other = {.index = 1, .family = AF_PACKET};

	for (unsigned i = 1; i <= NETIF_MAX; i++)
		add(&t, i, 0, false);
	ck_assert_int_eq(netif_add(&t, &one_more), ERR_FULL);
	for (int i = 0; i < NETIF_ADDRESSES_MAX; i++)
		ck_assert_int_eq(netif_add_address(&t, &a), 0);
	ck_assert_int_eq(netif_add_address(&t, &a), ERR_FULL);
	t.address_count = 0;
	ck_assert_int_eq(netif_add_address(&t, &stray), 0);
	ck_assert_int_eq(netif_add_address(&t, &other), 0);
	ck_assert_uint_eq(t.address_count, 0);
}
END_TEST

START_TEST(tables_differ_in_any_field)
{
	struct netif_table a = {.link_count = 0}, b;
	struct netif_address home = address(1, "fe80::1", 64);

	add(&a, 1, IFF_UP, false);
	ck_assert_int_eq(netif_add_address(&a, &home), 0);
	b = a;
	ck_assert(netif_table_equal(&a, &b));
	b.addresses[0].tentative = true;
	ck_assert(!netif_table_equal(&a, &b));
	b = a;
	b.addresses[0].bytes[15] = 2;
	ck_assert(!netif_table_equal(&a, &b));
	b = a;
	b.links[0].flags |= IFF_RUNNING;
	ck_assert(!netif_table_equal(&a, &b));
	b = a;
	b.links[0].name[0] = 'y';
	ck_assert(!netif_table_equal(&a, &b));
	b = a;
	b.address_count = 0;
	ck_assert(!netif_table_equal(&a, &b));
}
END_TEST

START_TEST(link_local_addresses_have_a_scope)
{
	struct netif_address link_local = address(7, "fe80::1", 64);
	struct netif_address global = address(7, "2001:db8::1", 64);
	struct netif_address v4 = address(7, "192.0.2.1", 24);
	struct net_address a = netif_socket_address(&link_local, 80);

	ck_assert_uint_eq(a.u.v6.sin6_scope_id, 7);
	ck_assert_uint_eq(net_port(&a), 80);
	a = netif_socket_address(&global, 80);
	ck_assert_uint_eq(a.u.v6.sin6_scope_id, 0);
	a = netif_socket_address(&v4, 80);
	ck_assert_uint_eq(a.length, sizeof(struct sockaddr_in));
	ck_assert_uint_eq(ntohl(a.u.v4.sin_addr.s_addr), 0xc0000201);
}
END_TEST

static const struct {
	const char *own;
	uint8_t prefix;
	const char *peer;
	bool same;
} network_cases[] = {
	{"192.0.2.1", 24, "192.0.2.254", true},
	{"192.0.2.1", 24, "192.0.3.1", false},
	{"192.0.2.1", 25, "192.0.2.127", true},
	{"192.0.2.1", 25, "192.0.2.128", false},
	{"192.0.2.1", 31, "192.0.2.0", true},
	{"192.0.2.1", 32, "192.0.2.1", true},
	{"192.0.2.1", 32, "192.0.2.0", false},
	{"192.0.2.1", 0, "203.0.113.9", true},
	{"192.0.2.1", 24, "fe80::1", false},
	{"fe80::1", 64, "fe80::2:3", true},
	{"fe80::1", 64, "fe80:0:0:1::1", false},
	{"2001:db8::1", 128, "2001:db8::1", true},
	{"2001:db8::1", 127, "2001:db8::2", false},
};

START_TEST(networks)
{
	struct netif_address own = address(1, network_cases[_i].own, network_cases[_i].prefix);
	struct netif_address other = address(1, network_cases[_i].peer, 0);
	struct net_address peer = netif_socket_address(&other, 9);

	ck_assert_int_eq(netif_same_network(&own, &peer), network_cases[_i].same);
}
END_TEST

Suite *netif_suite(void)
{
	Suite *s = suite_create("netif");
	TCase *t = tcase_create("interfaces");

	tcase_add_loop_test(t, globs_choose_names, 0, COUNT(filter_cases));
	tcase_add_test(t, no_filter_at_all);
	tcase_add_loop_test(t, up_running_and_free, 0, COUNT(suit_cases));
	tcase_add_test(t, loopback_first_and_bridges_last);
	tcase_add_test(t, tables_are_bounded);
	tcase_add_test(t, tables_differ_in_any_field);
	tcase_add_test(t, link_local_addresses_have_a_scope);
	tcase_add_loop_test(t, networks, 0, COUNT(network_cases));
	suite_add_tcase(s, t);
	return s;
}
