/*
 * Addresses as people type them, as they are printed, and as values.
 */
#include "common/net_address.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static struct net_address make_v4(const char *text, uint16_t port)
{
	struct net_address a = {.length = sizeof(a.u.v4)};

	a.u.v4.sin_family = AF_INET;
	a.u.v4.sin_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET, text, &a.u.v4.sin_addr), 1);
	return a;
}

static struct net_address make_v6(const char *text, uint16_t port, uint32_t scope)
{
	struct net_address a = {.length = sizeof(a.u.v6)};

	a.u.v6.sin6_family = AF_INET6;
	a.u.v6.sin6_port = htons(port);
	a.u.v6.sin6_scope_id = scope;
	ck_assert_int_eq(inet_pton(AF_INET6, text, &a.u.v6.sin6_addr), 1);
	return a;
}

/* What is printed of a host and a port can be typed. */
START_TEST(print_host)
{
	static const struct {
		const char *host, *text;
	} rows[] = {
		{"example.org", "example.org:80"},
		{"192.0.2.1", "192.0.2.1:80"},
		{"::1", "[::1]:80"},
		{"fe80::1%eth0", "[fe80::1%eth0]:80"},
	};
	char text[64], host[NET_HOST_MAX];
	uint16_t port;

	ck_assert_str_eq(net_print_host(rows[_i].host, 80, text, sizeof(text)), rows[_i].text);
	ck_assert_int_eq(net_parse(text, 1, host, &port), 0);
	ck_assert_str_eq(host, rows[_i].host);
	ck_assert_uint_eq(port, 80);
}
END_TEST

/* ---- parsing ---- */

#define DEFAULT 19830

static const struct {
	const char *text;
	const char *host;
	uint16_t port;
} good[] = {
	{"example.org", "example.org", DEFAULT},
	{"example.org:1", "example.org", 1},
	{"example.org:65535", "example.org", 65535},
	{"h:0", "h", 0},
	{"h:007", "h", 7},
	{"192.0.2.1", "192.0.2.1", DEFAULT},
	{"192.0.2.1:80", "192.0.2.1", 80},
	{"::", "::", DEFAULT},
	{"::1", "::1", DEFAULT},
	{"2001:db8::1:80", "2001:db8::1:80", DEFAULT},
	{"[::1]", "::1", DEFAULT},
	{"[::1]:80", "::1", 80},
	{"[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", 80},
	{"fe80::1%eth0", "fe80::1%eth0", DEFAULT},
	{"[fe80::1%eth0]:80", "fe80::1%eth0", 80},
	{"[fe80::1%2]", "fe80::1%2", DEFAULT},
	{":80", "", 80},
	{"*", "", DEFAULT},
	{"*:80", "", 80},
	{"сервер:80", "сервер", 80},
};

START_TEST(parse_good)
{
	char host[NET_HOST_MAX];
	uint16_t port;

	ck_assert_int_eq(net_parse(good[_i].text, DEFAULT, host, &port), 0);
	ck_assert_str_eq(host, good[_i].host);
	ck_assert_uint_eq(port, good[_i].port);
}
END_TEST

static const char *const bad[] = {
	"",
	":",
	"h:",
	"h:65536",
	"h:99999",
	"h:123456",
	"h:-1",
	"h:+1",
	"h: 1",
	"h:1 ",
	"h:1x",
	"h:http",
	" h",
	"a b",
	"a\nb",
	"a\x1b[31m",
	"a/b",
	"h:1:2",
	"a:b:1",
	"1:2:3",
	"[",
	"[]",
	"[]:80",
	"[::1",
	"::1]",
	"[::1]80",
	"[::1]:",
	"[::1]:x",
	"[::1]x",
	"[h]:80",
	"[192.0.2.1]:80",
	"[::g]",
	"fe80::1%",
	"[fe80::1%]:80",
	"host%eth0",
	"**",
	"*.*",
};

START_TEST(parse_bad)
{
	char host[NET_HOST_MAX] = "before";
	uint16_t port = 7;

	ck_assert_int_eq(net_parse(bad[_i], DEFAULT, host, &port), ERR_ARGUMENT);
	ck_assert_str_eq(host, "before");
	ck_assert_uint_eq(port, 7);
}
END_TEST

START_TEST(parse_longest)
{
	char text[NET_HOST_MAX + 1];
	char host[NET_HOST_MAX];
	uint16_t port;

	memset(text, 'h', sizeof(text));
	text[NET_HOST_MAX - 1] = '\0';
	ck_assert_int_eq(net_parse(text, DEFAULT, host, &port), 0);
	ck_assert_str_eq(host, text);
	text[NET_HOST_MAX - 1] = 'h';
	text[NET_HOST_MAX] = '\0';
	ck_assert_int_eq(net_parse(text, DEFAULT, host, &port), ERR_ARGUMENT);
}
END_TEST

/* ---- printing ---- */

START_TEST(print)
{
	char out[NET_ADDRESS_MAX];
	struct net_address a = make_v4("192.0.2.1", 19830);

	ck_assert_str_eq(net_print(&a, out), "192.0.2.1:19830");
	a = make_v6("2001:db8::1", 0, 0);
	ck_assert_str_eq(net_print(&a, out), "[2001:db8::1]:0");
	a = make_v6("fe80::1", 65535, if_nametoindex("lo"));
	errno = ENOENT;
	ck_assert_str_eq(net_print(&a, out), "[fe80::1%lo]:65535");
	ck_assert_int_eq(errno, ENOENT);
	a = (struct net_address){.length = sizeof(a.u)};
	ck_assert_str_eq(net_print(&a, out), "?");
}
END_TEST

/* An interface that has gone leaves its number. */
START_TEST(print_unknown_scope)
{
	char out[NET_ADDRESS_MAX];
	struct net_address a = make_v6("fe80::1", 1, UINT32_MAX);

	errno = ENOENT;
	ck_assert_str_eq(net_print(&a, out), "[fe80::1%4294967295]:1");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* What is printed can be typed. */
START_TEST(print_and_parse)
{
	const struct net_address cases[] = {
		make_v4("255.255.255.255", 65535),
		make_v6("2001:db8:1111:2222:3333:4444:5555:6666", 65535, 0),
		make_v6("fe80::1111:2222:3333:4444", 65535, if_nametoindex("lo")),
		make_v6("::ffff:255.255.255.255", 1, 0),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[NET_ADDRESS_MAX];
		char host[NET_HOST_MAX];
		uint16_t port;

		net_print(&cases[i], text);
		ck_assert_int_eq(net_parse(text, 0, host, &port), 0);
		ck_assert_uint_eq(port, net_port(&cases[i]));
		ck_assert_ptr_nonnull(strstr(text, host));
	}
}
END_TEST

/* ---- values ---- */

START_TEST(port)
{
	struct net_address v4 = make_v4("192.0.2.1", 0x1234);
	struct net_address v6 = make_v6("::1", 0x1234, 0);
	struct net_address none = {0};

	ck_assert_uint_eq(net_port(&v4), 0x1234);
	ck_assert_uint_eq(net_port(&v6), 0x1234);
	net_set_port(&v4, 65535);
	net_set_port(&v6, 1);
	net_set_port(&none, 1);
	ck_assert_uint_eq(net_port(&v4), 65535);
	ck_assert_uint_eq(net_port(&v6), 1);
	ck_assert_uint_eq(net_port(&none), 0);
}
END_TEST

START_TEST(loopback)
{
	static const struct {
		int family;
		const char *text;
		bool loopback;
	} cases[] = {
		{AF_INET, "127.0.0.1", true},
		{AF_INET, "127.255.255.255", true},
		{AF_INET, "126.255.255.255", false},
		{AF_INET, "128.0.0.0", false},
		{AF_INET, "0.0.0.0", false},
		{AF_INET6, "::1", true},
		{AF_INET6, "::", false},
		{AF_INET6, "::2", false},
		{AF_INET6, "fe80::1", false},
		{AF_INET6, "::ffff:127.0.0.1", true},
		{AF_INET6, "::ffff:192.0.2.1", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct net_address a = cases[i].family == AF_INET ? make_v4(cases[i].text, 1)
								  : make_v6(cases[i].text, 1, 0);
		ck_assert_msg(net_is_loopback(&a) == cases[i].loopback, "%s", cases[i].text);
	}
	struct net_address none = {0};
	ck_assert(!net_is_loopback(&none));
}
END_TEST

START_TEST(equal)
{
	const struct net_address different[] = {
		make_v4("192.0.2.1", 1),
		make_v4("192.0.2.2", 1),
		make_v4("192.0.2.1", 2),
		make_v6("fe80::1", 1, 0),
		make_v6("fe80::1", 1, 1),
		make_v6("fe80::1", 2, 1),
		make_v6("fe80::2", 1, 1),
		make_v6("::ffff:192.0.2.1", 1, 0),
	};
	size_t count = sizeof(different) / sizeof(different[0]);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++)
			ck_assert_int_eq(net_equal(&different[i], &different[j]), i == j);
	}
	/* What the kernel leaves in fields that are no part of the address does not count. */
	struct net_address a = different[0];
	memset(a.u.v4.sin_zero, 1, sizeof(a.u.v4.sin_zero));
	a.length = sizeof(a.u);
	ck_assert(net_equal(&a, &different[0]));
}
END_TEST

Suite *net_address_suite(void);

Suite *net_address_suite(void)
{
	Suite *s = suite_create("net_address");
	TCase *c = tcase_create("net_address");

	tcase_add_loop_test(c, parse_good, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(c, parse_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(c, parse_longest);
	tcase_add_test(c, print);
	tcase_add_loop_test(c, print_host, 0, 4);
	tcase_add_test(c, print_unknown_scope);
	tcase_add_test(c, print_and_parse);
	tcase_add_test(c, port);
	tcase_add_test(c, loopback);
	tcase_add_test(c, equal);
	suite_add_tcase(s, c);
	return s;
}
