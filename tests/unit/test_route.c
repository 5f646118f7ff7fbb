/*
 * Routes: what a beacon says is tried beside what was good, and never in place of it.
 */
#include "client/route.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct route r;
static const uint8_t server[32] = {7}, other[32] = {8};

static struct net_address at(const char *text)
{
	struct net_address a;
	char host[NET_HOST_MAX];
	const char *why;
	uint16_t port;
	size_t count;

	ck_assert_int_eq(net_parse(text, 0, host, &port), 0);
	ck_assert_int_eq(net_resolve(host, port, SOCK_STREAM, false, &a, 1, &count, &why), 0);
	return a;
}

static struct finder_row row(const uint8_t id[32], uint8_t instance, const char *address)
{
	struct finder_row f = {.instance = {instance}, .address_count = 1};

	memcpy(f.server, id, sizeof(f.server));
	f.addresses[0] = at(address);
	return f;
}

static void begin(const char *address)
{
	const struct net_address a = at(address);

	route_init(&r, &a, 1);
}

/* What is tried now, one after the other. */
static void expect(const char *all)
{
	struct net_address list[ROUTE_MOST];
	char text[ROUTE_MOST * NET_ADDRESS_MAX] = "", one[NET_ADDRESS_MAX];
	size_t count = route_take(&r, list);

	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
			net_print(&list[i], one));
	}
	ck_assert_str_eq(text, all);
}

static bool hear(struct finder_row a)
{
	return route_hear(&r, &a, 1, server);
}

START_TEST(moved)
{
	begin("10.0.0.1:1");
	expect("10.0.0.1:1");
	ck_assert(!hear(row(other, 1, "10.0.0.9:1")));
	expect("10.0.0.1:1");
	ck_assert(hear(row(server, 1, "10.0.0.1:2")));
	expect("10.0.0.1:2 10.0.0.1:1");
	const struct net_address now = at("10.0.0.1:2");
	route_prove(&r, &now);
	expect("10.0.0.1:2");
}
END_TEST

/* The same place is worth a try once for each start of the server. */
START_TEST(started_anew)
{
	begin("10.0.0.1:1");
	ck_assert(hear(row(server, 1, "10.0.0.1:1")));
	ck_assert(!hear(row(server, 1, "10.0.0.1:1")));
	ck_assert(hear(row(server, 2, "10.0.0.1:1")));
	ck_assert(!hear(row(server, 2, "10.0.0.1:1")));
	expect("10.0.0.1:1");
	const struct net_address now = at("10.0.0.1:1");
	route_prove(&r, &now);
	expect("10.0.0.1:1");
	ck_assert(!hear(row(server, 2, "10.0.0.1:1")));
}
END_TEST

START_TEST(somebody_else)
{
	begin("10.0.0.1:1");
	const struct net_address own = at("10.0.0.1:1"), false_one = at("10.0.0.9:1");
	ck_assert(!route_refuse(&r, &own));
	expect("10.0.0.1:1");
	ck_assert(hear(row(server, 1, "10.0.0.9:1")));
	expect("10.0.0.9:1 10.0.0.1:1");
	ck_assert(route_refuse(&r, &false_one));
	ck_assert(!hear(row(server, 3, "10.0.0.9:1")));
	/* Another one comes at once, and has to wait for its turn. */
	ck_assert(hear(row(server, 4, "10.0.0.8:1")));
	expect("10.0.0.1:1");
	expect("10.0.0.8:1 10.0.0.1:1");
}
END_TEST

/* Any number of rows may claim to be the server. */
START_TEST(many)
{
	struct finder_row rows[ROUTE_EACH + 3];
	struct net_address list[ROUTE_MOST];
	char address[32];

	begin("10.0.0.1:1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(address, sizeof(address), "10.0.1.%zu:1", i);
		rows[i] = row(server, (uint8_t)i, address);
	}
	ck_assert(route_hear(&r, rows, sizeof(rows) / sizeof(rows[0]), server));
	ck_assert_uint_eq(route_take(&r, list), ROUTE_EACH + 1);
	ck_assert(net_equal(&list[ROUTE_EACH], &r.own[0]));
	/* What was refused first is forgotten first. */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert(route_refuse(&r, &rows[i].addresses[0]));
	ck_assert(!route_hear(&r, rows + 3, ROUTE_EACH, server));
	expect("10.0.0.1:1");
	expect("10.0.0.1:1");
	ck_assert(hear(rows[0]));
	expect("10.0.1.0:1 10.0.0.1:1");
}
END_TEST

START_TEST(no_more_than_fit)
{
	struct net_address all[ROUTE_EACH + 2], list[ROUTE_MOST];
	char address[32];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(address, sizeof(address), "10.0.1.%zu:1", i);
		all[i] = at(address);
	}
	route_init(&r, all, sizeof(all) / sizeof(all[0]));
	ck_assert_uint_eq(route_take(&r, list), ROUTE_EACH);
}
END_TEST

Suite *route_suite(void)
{
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");

	tcase_add_test(t, moved);
	tcase_add_test(t, started_anew);
	tcase_add_test(t, somebody_else);
	tcase_add_test(t, many);
	tcase_add_test(t, no_more_than_fit);
	suite_add_tcase(s, t);
	return s;
}
