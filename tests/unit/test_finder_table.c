/*
 * The table of servers: one row for one server, what is known of it, what it is called, and every bound.
 */
#include "tests/unit/heard.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* ---- rows ---- */

START_TEST(a_server_is_a_row)
{
	ck_assert(heard_announce(5, 1, 9, 100));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_uint_eq(heard_rows[0].server[0], 5);
	ck_assert_uint_eq(heard_rows[0].instance[1], 1);
	ck_assert_str_eq(heard_rows[0].name, "server 5");
	ck_assert_uint_eq(heard_rows[0].people, 3);
	ck_assert_uint_eq(heard_rows[0].people_max, 50);
	ck_assert_uint_eq(heard_rows[0].version_low, 1);
	ck_assert_uint_eq(heard_rows[0].version_high, 2);
	ck_assert_int_eq(heard_rows[0].rtt_us, -1);
	ck_assert_int_eq(heard_rows[0].first_seen, 100);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]), "10.0.0.9:1005");
	ck_assert(!heard_announce(5, 2, 9, 200)); /* no news */
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_int_eq(heard_rows[0].first_seen, 100);
}
END_TEST

START_TEST(addresses_are_merged_best_first)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin ways[] = {
		{.from = heard_v6(1, 40000, 7), .rtt_us = -1, .bridge = true},
		{.from = heard_v6(1, 40001, 7), .rtt_us = -1},
		{.from = heard_v4(0xac110001, 7), .rtt_us = -1, .bridge = true},
		{.from = heard_v4(0x0a000002, 7), .rtt_us = -1},
		{.from = heard_v4(0x0a000001, 7), .rtt_us = -1},
		{.from = heard_v4(0x7f000001, 7), .rtt_us = -1, .loopback = true},
	};

	for (int i = 0; i < COUNT(ways); i++)
		ck_assert(finder_table_hear(heard_table, &b, &ways[i], 0));
	for (int i = 0; i < COUNT(ways); i++)
		ck_assert(!finder_table_hear(heard_table, &b, &ways[i], 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]),
		"127.0.0.1:1001 10.0.0.2:1001 10.0.0.1:1001 172.17.0.1:1001 "
		"[fe80::1%40001]:1001 [fe80::1%40000]:1001");
}
END_TEST

START_TEST(two_ports_are_two_addresses)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	b.port = 80;
	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]), "10.0.0.1:1001 10.0.0.1:80");
}
END_TEST

/* Another id, instance or commitment is another server. */
START_TEST(who_is_who)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	if (_i == 0)
		b.server[31] ^= 1;
	if (_i == 1)
		b.instance[15] ^= 1;
	if (_i == 2)
		b.proof[15] ^= 1;
	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_uint_eq(heard_list(), 2);
}
END_TEST

START_TEST(ipv6_loopback)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin near = {
		.from = heard_v4(0x7f000001, 7), .rtt_us = -1, .loopback = true};
	struct finder_origin far = heard_from(1);

	b.flags = BEACON_FLAG_LOOPBACK6;
	ck_assert(!finder_table_hear(heard_table, &b, &far, 0));
	ck_assert_uint_eq(heard_list(), 0);
	ck_assert(finder_table_hear(heard_table, &b, &near, 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]), "[::1]:1001");
}
END_TEST

START_TEST(queries_say_nothing)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	b.type = BEACON_QUERY;
	ck_assert(!finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_uint_eq(heard_list(), 0);
}
END_TEST

/* ---- facts ---- */

static const struct {
	uint32_t first, second;
	bool newer;
} sequence_cases[] = {
	{1, 2, true},
	{2, 2, false},
	{2, 1, false},
	{0xffffffff, 0, true},
	{0, 0xffffffff, false},
	{5, 0x80000004, true},
};

START_TEST(older_packets_change_nothing)
{
	struct beacon b = heard_announcement(1, sequence_cases[_i].first);
	struct finder_origin o = heard_from(1);
	bool newer = sequence_cases[_i].newer;

	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	b.sequence = sequence_cases[_i].second;
	b.people = 4;
	(void)snprintf(b.name, sizeof(b.name), "another name");
	ck_assert_int_eq(finder_table_hear(heard_table, &b, &o, 0), newer);
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_int_eq(heard_rows[0].people == 4, newer);
	ck_assert_int_eq(strcmp(heard_rows[0].name, "another name") == 0, newer);
}
END_TEST

START_TEST(shortest_time_of_the_newest_question)
{
	static const struct {
		uint32_t question;
		int64_t rtt_us, shown_us;
	} answers[] = {
		{1, 900, 900},
		{1, 400, 400},
		{1, 700, 400},
		{2, 800, 800},
		{0, -1, 800},
		{3, 0, 0},
	};
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	for (int i = 0; i < COUNT(answers); i++) {
		o.rtt_us = answers[i].rtt_us;
		o.question = answers[i].question;
		b.type = o.question ? BEACON_ANSWER : BEACON_ANNOUNCEMENT;
		(void)finder_table_hear(heard_table, &b, &o, 0);
		ck_assert_uint_eq(heard_list(), 1);
		ck_assert_int_eq(heard_rows[0].rtt_us, answers[i].shown_us);
	}
}
END_TEST

/* ---- text ---- */

static const struct {
	const char *name, *shown;
} name_cases[] = {
	{"", ""},
	{"caf\xc3\xa9", "caf\xc3\xa9"},
	{"\xd0\xba\xd0\xbb\xd0\xb0\xd1\x81\xd1\x81 5",
		"\xd0\xba\xd0\xbb\xd0\xb0\xd1\x81\xd1\x81 5"},
	/* Twelve marks on one letter: eight stay. */
	{"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
	 "\xcc\x81",
		"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"},
};

START_TEST(names_are_fit_to_be_seen)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	(void)snprintf(b.name, sizeof(b.name), "%s", name_cases[_i].name);
	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(heard_rows[0].name, name_cases[_i].shown);
}
END_TEST

/* It was an empty place in the list of the screen, and nothing behind "gone:". */
START_TEST(a_row_is_called_something)
{
	static const char *const names[][2] = {{"", "(no name)"}, {"   ", "(no name)"},
		{"\xe2\x80\x8b", "(no name)"}, {" x", " x"}};
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	(void)snprintf(b.name, sizeof(b.name), "%s", names[_i][0]);
	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(finder_row_name(&heard_rows[0]), names[_i][1]);
}
END_TEST

/* ---- bounds ---- */

START_TEST(rows_of_one_source)
{
	for (int id = 1; id <= FINDER_ROWS_A_SOURCE; id++)
		ck_assert(heard_announce((uint8_t)id, 1, 1, 0));
	ck_assert(!heard_announce(200, 1, 1, 0));
	ck_assert_uint_eq(heard_list(), FINDER_ROWS_A_SOURCE);
	ck_assert(heard_announce(201, 1, 2, 0)); /* another source */
	ck_assert(!heard_announce(1, 2, 1, 0));  /* known ones go on */
	ck_assert_uint_eq(heard_list(), FINDER_ROWS_A_SOURCE + 1);
}
END_TEST

START_TEST(rows_in_all)
{
	for (int id = 0; id < FINDER_ROWS; id++)
		ck_assert(heard_announce((uint8_t)id, 1, (uint8_t)(id / 8), 0));
	ck_assert(!heard_announce(200, 1, 200, 0));
	ck_assert_uint_eq(heard_list(), FINDER_ROWS);
	ck_assert_uint_eq(heard_rows[0].server[0], 0);
	ck_assert_uint_eq(heard_rows[FINDER_ROWS - 1].server[0], FINDER_ROWS - 1);
	ck_assert_uint_eq(finder_table_list(heard_table, heard_rows, 3), 3);
	ck_assert(finder_table_expire(heard_table, BEACON_LIFETIME_MS));
	ck_assert_uint_eq(heard_list(), 0);
	ck_assert(heard_announce(200, 1, 200, 7000));
}
END_TEST

START_TEST(addresses_of_one_server)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = {.rtt_us = -1};

	for (uint8_t host = 1; host <= FINDER_ADDRESSES; host++) {
		o.from = heard_v6(host, 3, 7);
		ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	}
	o.from = heard_v6(99, 3, 7);
	ck_assert(!finder_table_hear(heard_table, &b, &o, 0));
	/* A better one takes the place of the last. */
	ck_assert(heard_announce(1, 2, 1, 0));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_uint_eq(heard_rows[0].address_count, FINDER_ADDRESSES);
	ck_assert_uint_eq(heard_rows[0].addresses[0].u.any.sa_family, AF_INET);
	ck_assert_uint_eq(heard_rows[0].addresses[FINDER_ADDRESSES - 1].u.v6.sin6_addr.s6_addr[15],
		FINDER_ADDRESSES - 1);
}
END_TEST

START_TEST(packets_of_one_source)
{
	uint32_t heard = 0;

	(void)heard_announce(1, 1, 1, 0);
	for (uint32_t sequence = 2; sequence < 5000; sequence++) {
		struct beacon b = heard_announcement(1, sequence);
		struct finder_origin o = heard_from(1);

		b.people = sequence;
		heard += finder_table_hear(heard_table, &b, &o, 0);
	}
	ck_assert_uint_lt(heard, 1000);
	ck_assert(heard_announce(2, 1, 2, 0)); /* others are heard all the same */
	ck_assert(heard_announce(1, 6000, 1, 5000));
}
END_TEST

Suite *finder_table_suite(void)
{
	Suite *s = suite_create("finder_table");
	TCase *rows = heard_case(s, "rows");
	TCase *facts = heard_case(s, "facts");
	TCase *bounds = heard_case(s, "bounds");

	tcase_add_test(rows, a_server_is_a_row);
	tcase_add_test(rows, addresses_are_merged_best_first);
	tcase_add_test(rows, two_ports_are_two_addresses);
	tcase_add_loop_test(rows, who_is_who, 0, 3);
	tcase_add_test(rows, ipv6_loopback);
	tcase_add_test(rows, queries_say_nothing);
	tcase_add_loop_test(facts, older_packets_change_nothing, 0, COUNT(sequence_cases));
	tcase_add_test(facts, shortest_time_of_the_newest_question);
	tcase_add_loop_test(facts, names_are_fit_to_be_seen, 0, COUNT(name_cases));
	tcase_add_loop_test(facts, a_row_is_called_something, 0, 4);
	tcase_add_test(bounds, rows_of_one_source);
	tcase_add_test(bounds, rows_in_all);
	tcase_add_test(bounds, addresses_of_one_server);
	tcase_add_test(bounds, packets_of_one_source);
	return s;
}
