/*
 * Ranges of addresses: what they are written like, and what is in them.
 */
#include "common/net_range.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

static struct net_address address(const char *text)
{
	struct net_address a = {0};

	if (strchr(text, ':')) {
		a.u.v6.sin6_family = AF_INET6;
		ck_assert_int_eq(inet_pton(AF_INET6, text, &a.u.v6.sin6_addr), 1);
	} else {
		a.u.v4.sin_family = AF_INET;
		ck_assert_int_eq(inet_pton(AF_INET, text, &a.u.v4.sin_addr), 1);
	}
	return a;
}

static const struct {
	const char *range, *printed, *in, *out;
} ranges[] = {
	{"10.0.0.0/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
	{"10.1.2.3/8", "10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
	{"192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6"},
	{"192.0.2.7/32", "192.0.2.7", "192.0.2.7", "192.0.2.8"},
	{"192.0.2.4/31", "192.0.2.4/31", "192.0.2.5", "192.0.2.6"},
	{"0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", "::1"},
	{"::/0", "::/0", "fe80::1", "127.0.0.1"},
	{"fe80::/10", "fe80::/10", "febf::1", "fec0::1"},
	{"2001:db8::1", "2001:db8::1", "2001:db8::1", "2001:db8::2"},
	{"10.0.0.0/8", "10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1"},
	{"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.8"},
	{"::ffff:10.0.0.0/104", "10.0.0.0/8", "::ffff:10.1.1.1", "11.0.0.1"},
	{"2001:db8:ffff::/33", "2001:db8:8000::/33", "2001:db8:8000::1", "2001:db8:7fff::1"},
};

START_TEST(in_and_out)
{
	struct net_range r;
	char text[64];
	struct net_address in = address(ranges[_i].in), out = address(ranges[_i].out);

	ck_assert_int_eq(net_range_parse(ranges[_i].range, &r), 0);
	ck_assert_str_eq(net_range_print(&r, text, sizeof(text)), ranges[_i].printed);
	ck_assert(net_range_has(&r, &in));
	ck_assert(!net_range_has(&r, &out));
}
END_TEST

static const char *const none[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129",
	"10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "anna", "a::g", "1.2.3.4:5",
	"10.0.0.0/99999999999999999999", "::ffff:10.0.0.0/95", "::ffff:10.99.1.5/24",
	"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};

START_TEST(no_ranges)
{
	struct net_range r;

	ck_assert_int_eq(net_range_parse(none[_i], &r), ERR_ARGUMENT);
}
END_TEST

Suite *net_range_suite(void)
{
	Suite *s = suite_create("net_range");
	TCase *t = tcase_create("ranges");

	tcase_add_loop_test(t, in_and_out, 0, (int)(sizeof(ranges) / sizeof(ranges[0])));
	tcase_add_loop_test(t, no_ranges, 0, (int)(sizeof(none) / sizeof(none[0])));
	suite_add_tcase(s, t);
	return s;
}
