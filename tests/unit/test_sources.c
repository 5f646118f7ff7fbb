/*
 * How many connections an address may have, points for misbehaviour and how they go away, and that
 * the table is bounded.
 */
#include "server/sources.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

static struct sources *all;
static int64_t now;

static void setup(void)
{
	all = sources_new();
	ck_assert_ptr_nonnull(all);
	now = 1000000;
}

static void teardown(void)
{
	sources_free(all);
}

static struct net_address address(const char *text)
{
	struct net_address a = {0};

	if (strchr(text, ':')) {
		a.u.v6.sin6_family = AF_INET6;
		ck_assert_int_eq(inet_pton(AF_INET6, text, &a.u.v6.sin6_addr), 1);
		a.length = sizeof(a.u.v6);
	} else {
		a.u.v4.sin_family = AF_INET;
		ck_assert_int_eq(inet_pton(AF_INET, text, &a.u.v4.sin_addr), 1);
		a.length = sizeof(a.u.v4);
	}
	return a;
}

static enum code enter(const char *text, long each, long points)
{
	struct net_address a = address(text);
	struct sources_limits limits = {.each = each, .points = points};

	return sources_enter(all, &a, &limits, now);
}

static void leave(const char *text)
{
	struct net_address a = address(text);

	sources_leave(all, &a, now);
}

static void blame(const char *text)
{
	struct net_address a = address(text);

	sources_blame(all, &a, now);
}

static bool search(const char *text)
{
	struct net_address a = address(text);
	int64_t had;

	return sources_enter_search(all, &a, now, &had);
}

/* It searches, for so long: how long had it done so before? */
static int64_t search_for(const char *text, int64_t took)
{
	struct net_address a = address(text);
	int64_t had = -1;

	ck_assert(sources_enter_search(all, &a, now, &had));
	sources_leave_search(all, &a, took, now);
	return had;
}

static bool go_in(const char *text, long rooms)
{
	struct net_address a = address(text);
	struct sources_limits limits = {.rooms = rooms};

	return sources_enter_room(all, &a, &limits);
}

static const char *const places[] = {"192.0.2.7", "2001:db8::1", "fe80::1"};

/* What the connections of one address share, and those of others do not. */
START_TEST(test_shares)
{
	struct net_address a = address("192.0.2.7");

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(enter("192.0.2.7", -1, -1), CODE_NONE);
	ck_assert_int_eq(enter("192.0.2.8", -1, -1), CODE_NONE);
	ck_assert(search("192.0.2.7"));
	ck_assert(!search("192.0.2.7"));
	ck_assert(search("192.0.2.8"));
	sources_leave_search(all, &a, 0, now);
	ck_assert(search("192.0.2.7"));
	ck_assert(go_in("192.0.2.7", 2));
	ck_assert(go_in("192.0.2.7", 2));
	ck_assert(!go_in("192.0.2.7", 2));
	ck_assert(go_in("192.0.2.7", -1));
	ck_assert(go_in("192.0.2.8", 1));
	for (int i = 0; i < 2; i++)
		sources_leave_room(all, &a);
	ck_assert(go_in("192.0.2.7", 2));
	/* The machine's own users share nothing. */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(enter("127.0.0.1", 1, -1), CODE_NONE);
		ck_assert(search("127.0.0.1"));
		ck_assert(go_in("127.0.0.1", 1));
	}
}
END_TEST

/* How long an address searched is remembered, also while it is away, and forgotten with time. */
START_TEST(test_searched)
{
	const char *here = places[_i];

	ck_assert_int_eq(enter(here, -1, -1), CODE_NONE);
	ck_assert_int_eq(enter("192.0.2.8", -1, -1), CODE_NONE);
	ck_assert_int_eq(search_for(here, 300), 0);
	ck_assert_int_eq(search_for(here, 100), 300);
	ck_assert_int_eq(search_for("192.0.2.8", 0), 0);
	leave(here);
	now += 50 * (int64_t)SOURCES_SEARCH_REST;
	ck_assert_int_eq(enter(here, -1, -1), CODE_NONE);
	ck_assert_int_eq(search_for(here, 0), 350);
	now += SOURCES_SEARCH_REST - 1;
	ck_assert_int_eq(search_for(here, 0), 350);
	now += 1;
	ck_assert_int_eq(search_for(here, 0), 349);
	leave(here);
	ck_assert_uint_eq(sources_count(all), 2);
	now += 349 * (int64_t)SOURCES_SEARCH_REST;
	ck_assert_int_eq(enter(here, -1, -1), CODE_NONE);
	ck_assert_int_eq(search_for(here, 0), 0);
	leave(here);
	ck_assert_uint_eq(sources_count(all), 1); /* forgotten and gone */
	/* The machine's own users never wait longer than others. */
	ck_assert_int_eq(search_for("127.0.0.1", 500), 0);
	ck_assert_int_eq(search_for("127.0.0.1", 0), 0);
}
END_TEST

START_TEST(test_each)
{
	const char *here = places[_i];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(enter(here, 3, -1), CODE_NONE);
	ck_assert_int_eq(enter(here, 3, -1), CODE_TOO_MANY_HERE);
	ck_assert_int_eq(enter("192.0.2.8", 3, -1), CODE_NONE);
	ck_assert_int_eq(enter("2001:db8::2", 3, -1), CODE_NONE);
	leave(here);
	ck_assert_int_eq(enter(here, 3, -1), CODE_NONE);
	ck_assert_int_eq(enter(here, 3, -1), CODE_TOO_MANY_HERE);
	ck_assert_int_eq(enter(here, -1, -1), CODE_NONE); /* without limit */
	for (int i = 0; i < 4; i++)
		leave(here);
	ck_assert_uint_eq(sources_count(all), 2);
	ck_assert_int_eq(enter(here, 0, -1), CODE_TOO_MANY_HERE);
}
END_TEST

/* One address written in both families is one. */
START_TEST(test_mapped)
{
	ck_assert_int_eq(enter("192.0.2.7", 1, -1), CODE_NONE);
	ck_assert_int_eq(enter("::ffff:192.0.2.7", 1, -1), CODE_TOO_MANY_HERE);
}
END_TEST

START_TEST(test_loopback)
{
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(enter("127.0.0.1", 3, 1), CODE_NONE);
		ck_assert_int_eq(enter("::1", 3, 1), CODE_NONE);
		blame("127.0.0.1");
	}
	ck_assert_uint_eq(sources_count(all), 0);
	leave("127.0.0.1");
}
END_TEST

START_TEST(test_points)
{
	const char *here = places[_i];

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(enter(here, -1, 5), CODE_NONE);
		blame(here);
		leave(here);
	}
	ck_assert_int_eq(enter(here, -1, 5), CODE_PENALTY);
	ck_assert_int_eq(enter(here, -1, -1), CODE_NONE); /* nobody is punished */
	leave(here);
	ck_assert_int_eq(enter("192.0.2.9", -1, 5), CODE_NONE);
	now += SOURCES_POINT_MS - 1;
	ck_assert_int_eq(enter(here, -1, 5), CODE_PENALTY);
	now += 1;
	ck_assert_int_eq(enter(here, -1, 5), CODE_NONE);
	blame(here);
	leave(here);
	ck_assert_int_eq(enter(here, -1, 5), CODE_PENALTY);
	now += 5 * SOURCES_POINT_MS;
	ck_assert_int_eq(enter(here, -1, 1), CODE_NONE);
	leave(here);
	ck_assert_uint_eq(sources_count(all), 1); /* forgiven and gone */
}
END_TEST

static enum code guess(const char *from, bool right)
{
	struct net_address a = address(from);
	struct sources_limits limits = {.each = -1, .points = 3};

	return sources_guess(all, &a, &limits, right, now);
}

/* All connections of an address guess from the same few, and a right one tells nothing beyond them. */
START_TEST(test_guesses)
{
	const char *here = places[_i];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(enter(here, -1, 3), CODE_NONE);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(guess(here, true), CODE_NONE);
		ck_assert_int_eq(guess(here, false), CODE_NONE);
	}
	ck_assert_int_eq(guess(here, false), CODE_PENALTY);
	ck_assert_int_eq(guess(here, true), CODE_PENALTY);
	ck_assert_int_eq(enter(here, -1, 3), CODE_PENALTY);
	now += SOURCES_POINT_MS;
	ck_assert_int_eq(guess(here, false), CODE_NONE);
	ck_assert_int_eq(guess(here, true), CODE_PENALTY);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(guess("127.0.0.1", false), CODE_NONE);
}
END_TEST

/* However many addresses misbehave, the table stays small, and the worst are remembered. */
START_TEST(test_bounded)
{
	char text[32];

	for (int k = 0; k < 3; k++) {
		ck_assert_int_eq(enter("192.0.2.1", -1, 3), CODE_NONE);
		blame("192.0.2.1");
		leave("192.0.2.1");
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
		ck_assert_int_eq(enter(text, -1, 3), CODE_NONE);
		blame(text);
		leave(text);
		ck_assert_uint_le(sources_count(all), SOURCES_IDLE);
	}
	ck_assert_int_eq(enter("192.0.2.1", -1, 3), CODE_PENALTY);
	/* Those with connections are never dropped. */
	now += SOURCES_POINT_MS;
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d", i / 250, i % 250);
		ck_assert_int_eq(enter(text, 1, 3), CODE_NONE);
	}
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d", i / 250, i % 250);
		ck_assert_int_eq(enter(text, 1, 3), CODE_TOO_MANY_HERE);
		leave(text);
	}
}
END_TEST

Suite *sources_suite(void)
{
	Suite *s = suite_create("sources");
	TCase *t = tcase_create("sources");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_shares);
	tcase_add_loop_test(t, test_searched, 0, 3);
	tcase_add_loop_test(t, test_each, 0, 3);
	tcase_add_test(t, test_mapped);
	tcase_add_test(t, test_loopback);
	tcase_add_loop_test(t, test_points, 0, 3);
	tcase_add_loop_test(t, test_guesses, 0, 3);
	tcase_add_test(t, test_bounded);
	suite_add_tcase(s, t);
	return s;
}
