#include "common/net.h"
#include "server/invite.h"

#include <check.h>
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
		ck_assert_ptr_null(strstr(printed(&out[i]), "[fe80"));
		for (size_t j = 0; j < i; j++) {
			ck_assert(!net_equal(&out[i], &out[j]));
			/* Loopback comes last. */
			ck_assert(net_is_loopback(&out[i]) || !net_is_loopback(&out[j]));
		}
	}
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
	tcase_add_test(t, no_more_than_there_is_room_for);
	suite_add_tcase(s, t);
	return s;
}
