/*
 * Paths: a server is advertised exactly where somebody could connect to it.
 *
 * The machine of these tests has loopback, an Ethernet with two IPv4 networks and
 * two IPv6 addresses, and a bridge with neither IPv6 nor anything special.
 */
#include "common/beacon_path.h"

#include "common/beacon.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum {
	LO = 1,
	ETH = 2,
	BRIDGE = 3
};

static const struct {
	unsigned index;
	const char *text;
	uint8_t prefix;
	bool tentative;
} machine[] = {
	{LO, "127.0.0.1", 8, false},
	{LO, "::1", 128, false},
	{ETH, "10.1.0.1", 24, false},
	{ETH, "10.2.0.1", 24, false},
	{ETH, "fe80::1", 64, false},
	{ETH, "2001:db8::1", 64, false},
	{ETH, "2001:db8::2", 64, true},
	{BRIDGE, "172.17.0.1", 16, false},
};

static void add_link(struct netif_table *t, unsigned index, unsigned flags, bool bridge)
{
	struct netif link = {.index = index, .flags = flags, .bridge = bridge, .name = "x"};

	ck_assert_int_eq(netif_add(t, &link), 0);
}

static struct netif_table make_machine(void)
{
	struct netif_table t = {.link_count = 0};

	add_link(&t, BRIDGE, IFF_MULTICAST, true);
	add_link(&t, ETH, IFF_MULTICAST, false);
	add_link(&t, LO, IFF_LOOPBACK, false);
	for (int i = 0; i < COUNT(machine); i++) {
		struct netif_address a = {.index = machine[i].index,
			.family = strchr(machine[i].text, ':') ? AF_INET6 : AF_INET,
			.prefix = machine[i].prefix,
			.tentative = machine[i].tentative};

		ck_assert_int_eq(inet_pton(a.family, machine[i].text, a.bytes), 1);
		ck_assert_int_eq(netif_add_address(&t, &a), 0);
	}
	netif_sort(&t);
	return t;
}

static struct net_address address(const char *text, unsigned scope, uint16_t port)
{
	struct net_address a = {.length = sizeof(a.u.v4), .u.v4 = {.sin_family = AF_INET}};

	if (strchr(text, ':')) {
		a = (struct net_address){.length = sizeof(a.u.v6),
			.u.v6 = {.sin6_family = AF_INET6, .sin6_scope_id = scope}};
		ck_assert_int_eq(inet_pton(AF_INET6, text, &a.u.v6.sin6_addr), 1);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET, text, &a.u.v4.sin_addr), 1);
	}
	net_set_port(&a, port);
	return a;
}

/* "1:127.0.0.1:5 2:10.1.0.1:5": interface, source, port; a path for ::1 ends in "!". */
static void print_paths(const struct beacon_path *paths, size_t count, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const struct beacon_path *p = &paths[i];
		char text[INET6_ADDRSTRLEN];

		ck_assert_ptr_nonnull(
			inet_ntop(p->local.family, p->local.bytes, text, sizeof(text)));
		used += (size_t)snprintf(out + used, size - used, "%s%u:%s:%u%s", i ? " " : "",
			p->local.index, text, p->port, p->flags & BEACON_FLAG_LOOPBACK6 ? "!" : "");
		ck_assert_uint_lt(used, size);
	}
}

static const struct {
	const char *listening[3]; /* ports 5, 6, 7 */
	unsigned scope;
	const char *paths;
} plan_cases[] = {
	{{"0.0.0.0"}, 0, "1:127.0.0.1:5 2:10.1.0.1:5 2:10.2.0.1:5 3:172.17.0.1:5"},
	{{"::"}, 0, "1:127.0.0.1:5! 2:fe80::1:5"},
	{{"0.0.0.0", "::"}, 0,
		"1:127.0.0.1:5 2:10.1.0.1:5 2:10.2.0.1:5 2:fe80::1:6 3:172.17.0.1:5"},
	{{"127.0.0.1"}, 0, "1:127.0.0.1:5"},
	{{"127.0.0.9"}, 0, "1:127.0.0.9:5"},
	{{"::1"}, 0, "1:127.0.0.1:5!"},
	{{"127.0.0.1", "::1"}, 0, "1:127.0.0.1:5"},
	{{"10.2.0.1"}, 0, "2:10.2.0.1:5"},
	{{"10.9.0.1"}, 0, ""}, /* not an address of this machine now */
	{{"2001:db8::1"}, 0, "2:2001:db8::1:5"},
	{{"2001:db8::2"}, 0, ""}, /* tentative */
	{{"fe80::1"}, ETH, "2:fe80::1:5"},
	{{"fe80::1"}, BRIDGE, ""},
	{{"10.1.0.1", "10.1.0.1", "127.0.0.1"}, 0, "1:127.0.0.1:7 2:10.1.0.1:5 2:10.1.0.1:6"},
	{{NULL}, 0, ""},
};

START_TEST(advertised_where_listened)
{
	struct netif_table t = make_machine();
	struct net_address listening[3];
	struct beacon_path paths[BEACON_PATHS];
	char text[512];
	size_t count = 0;

	for (; count < 3 && plan_cases[_i].listening[count]; count++)
		listening[count] = address(plan_cases[_i].listening[count], plan_cases[_i].scope,
			(uint16_t)(5 + count));
	count = beacon_paths(&t, listening, count, paths, BEACON_PATHS);
	print_paths(paths, count, text, sizeof(text));
	ck_assert_str_eq(text, plan_cases[_i].paths);
}
END_TEST

START_TEST(global_ipv6_without_link_local)
{
	struct netif_table t = make_machine();
	struct net_address any = address("::", 0, 5);
	struct beacon_path paths[BEACON_PATHS];
	char text[512];

	t.addresses[4].tentative = true; /* fe80::1 */
	print_paths(paths, beacon_paths(&t, &any, 1, paths, BEACON_PATHS), text, sizeof(text));
	ck_assert_str_eq(text, "1:127.0.0.1:5! 2:2001:db8::1:5");
}
END_TEST

START_TEST(paths_are_bounded)
{
	struct netif_table t = make_machine();
	struct net_address any = address("0.0.0.0", 0, 5);
	struct beacon_path paths[2];

	ck_assert_uint_eq(beacon_paths(&t, &any, 1, paths, 2), 2);
	ck_assert_uint_eq(beacon_paths(&t, &any, 1, paths, 0), 0);
}
END_TEST

static const struct {
	const char *listening;
	size_t path;
	const char *everybody;
} everybody_cases[] = {
	{"0.0.0.0", 0, "127.255.255.255:9"},
	{"0.0.0.0", 1, "255.255.255.255:9"},
	{"127.0.0.9", 0, "127.255.255.255:9"},
	{"::1", 0, "127.255.255.255:9"},
};

START_TEST(everybody_on_a_path)
{
	struct netif_table t = make_machine();
	struct net_address l = address(everybody_cases[_i].listening, 0, 5);
	struct beacon_path paths[BEACON_PATHS];
	char text[NET_ADDRESS_MAX];

	ck_assert_uint_gt(beacon_paths(&t, &l, 1, paths, BEACON_PATHS), everybody_cases[_i].path);
	struct net_address to = beacon_path_everybody(&paths[everybody_cases[_i].path], 9);
	ck_assert_str_eq(net_print(&to, text), everybody_cases[_i].everybody);
}
END_TEST

START_TEST(everybody_of_ipv6_has_a_scope)
{
	struct netif_table t = make_machine();
	struct net_address any = address("::", 0, 5);
	struct beacon_path paths[BEACON_PATHS];
	struct in6_addr group;

	ck_assert_uint_eq(beacon_paths(&t, &any, 1, paths, BEACON_PATHS), 2);
	struct net_address to = beacon_path_everybody(&paths[1], 9);
	ck_assert_int_eq(inet_pton(AF_INET6, BEACON_GROUP, &group), 1);
	ck_assert_mem_eq(&to.u.v6.sin6_addr, &group, sizeof(group));
	ck_assert_uint_eq(to.u.v6.sin6_scope_id, ETH);
	ck_assert_uint_eq(net_port(&to), 9);
}
END_TEST

/* A server on both wildcards: from where it answers whom. */
static const struct {
	unsigned index;
	const char *from, *at;
	const char *path; /* NULL: silence */
} back_cases[] = {
	{LO, "127.0.0.1", NULL, "1:127.0.0.1:5"},
	{ETH, "10.1.0.7", NULL, "2:10.1.0.1:5"},
	{ETH, "10.2.0.7", NULL, "2:10.2.0.1:5"},
	{ETH, "192.168.9.9", NULL,
		"2:10.1.0.1:5"}, /* a stranger to both networks, but on the link */
	{ETH, "fe80::7", NULL, "2:fe80::1:6"},
	{BRIDGE, "172.17.0.7", NULL, "3:172.17.0.1:5"},
	{ETH, "10.1.0.255", NULL, NULL}, /* everybody there, who did not ask */
	{ETH, "10.2.0.255", "10.1.0.1", NULL},
	{ETH, "172.17.255.255", NULL, "2:10.1.0.1:5"}, /* of a network that is not on this link */
	{BRIDGE, "fe80::7", NULL, NULL},
	{77, "10.1.0.7", NULL, NULL},
	{ETH, "10.1.0.7", "10.1.0.1", "2:10.1.0.1:5"},
	{ETH, "10.1.0.7", "10.2.0.1", "2:10.2.0.1:5"},
	{ETH, "10.1.0.7", "172.17.0.1", NULL}, /* another interface's */
	{ETH, "fe80::7", "fe80::1", "2:fe80::1:6"},
	{ETH, "fe80::7", "2001:db8::1", NULL},
};

START_TEST(answered_on_the_way_back)
{
	struct netif_table t = make_machine();
	struct net_address listening[] = {address("0.0.0.0", 0, 5), address("::", 0, 6)};
	struct beacon_path paths[BEACON_PATHS];
	size_t count = beacon_paths(&t, listening, 2, paths, BEACON_PATHS);
	struct net_address from = address(back_cases[_i].from, back_cases[_i].index, 99);
	struct net_address at;
	char text[128];

	if (back_cases[_i].at)
		at = address(back_cases[_i].at, 0, 0);
	const struct beacon_path *p = beacon_path_back(
		paths, count, back_cases[_i].index, &from, back_cases[_i].at ? &at : NULL);
	if (!back_cases[_i].path) {
		ck_assert_ptr_null(p);
		return;
	}
	ck_assert_ptr_nonnull(p);
	print_paths(p, 1, text, sizeof(text));
	ck_assert_str_eq(text, back_cases[_i].path);
}
END_TEST

Suite *beacon_path_suite(void)
{
	Suite *s = suite_create("beacon_path");
	TCase *t = tcase_create("paths");

	tcase_add_loop_test(t, advertised_where_listened, 0, COUNT(plan_cases));
	tcase_add_test(t, global_ipv6_without_link_local);
	tcase_add_test(t, paths_are_bounded);
	tcase_add_loop_test(t, everybody_on_a_path, 0, COUNT(everybody_cases));
	tcase_add_test(t, everybody_of_ipv6_has_a_scope);
	tcase_add_loop_test(t, answered_on_the_way_back, 0, COUNT(back_cases));
	suite_add_tcase(s, t);
	return s;
}
