/*
 * The table of servers, on a made-up clock: one row for one server, nothing kept
 * that is gone, nobody believed who cannot know, and every bound.
 */
#include "client/finder_table.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct finder_table *table;
static struct finder_row rows[FINDER_ROWS];

static void set_up(void)
{
	table = finder_table_new(0);
	ck_assert_ptr_nonnull(table);
}

static void tear_down(void)
{
	finder_table_free(table);
}

/* ---- what is heard ---- */

/* Server `id` announces for the `sequence`th time. */
static struct beacon announcement(uint8_t id, uint32_t sequence)
{
	struct beacon b = {
		.type = BEACON_ANNOUNCEMENT,
		.version_low = 1,
		.version_high = 2,
		.port = (uint16_t)(1000 + id),
		.sequence = sequence,
		.lifetime_ms = BEACON_LIFETIME_MS,
		.people = 3,
		.people_max = 50,
		.server = {id},
		.instance = {id, 1},
	};
	uint8_t secret[BEACON_SECRET] = {id, 2};

	beacon_commit(secret, b.proof);
	(void)snprintf(b.name, sizeof(b.name), "server %u", id);
	return b;
}

static struct beacon goodbye(uint8_t id, uint32_t sequence)
{
	struct beacon b = announcement(id, sequence);
	uint8_t secret[BEACON_SECRET] = {id, 2};

	b.type = BEACON_GOODBYE;
	b.lifetime_ms = 0;
	memcpy(b.proof, secret, sizeof(b.proof));
	return b;
}

static struct net_address v4(uint32_t host, uint16_t port)
{
	return (struct net_address){
		.length = sizeof(struct sockaddr_in),
		.u.v4 = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(host)},
	};
}

static struct net_address v6(uint8_t host, unsigned scope, uint16_t port)
{
	struct net_address a = {
		.length = sizeof(a.u.v6),
		.u.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope},
	};

	a.u.v6.sin6_addr.s6_addr[0] = 0xfe;
	a.u.v6.sin6_addr.s6_addr[1] = 0x80;
	a.u.v6.sin6_addr.s6_addr[15] = host;
	return a;
}

/* From 10.0.0.`host`, beacon port 7. */
static struct finder_origin from(uint8_t host)
{
	return (struct finder_origin){.from = v4(0x0a000000U + host, 7), .rtt_us = -1};
}

static bool announce(uint8_t id, uint32_t sequence, uint8_t host, int64_t now)
{
	struct beacon b = announcement(id, sequence);
	struct finder_origin o = from(host);

	return finder_table_hear(table, &b, &o, now);
}

static size_t list(void)
{
	memset(rows, 0x55, sizeof(rows));
	return finder_table_list(table, rows, FINDER_ROWS);
}

/* The addresses of a row, by blanks. */
static const char *addresses(const struct finder_row *r)
{
	static char out[FINDER_ADDRESSES * NET_ADDRESS_MAX];
	char text[NET_ADDRESS_MAX];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->address_count; i++)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i ? " " : "",
			net_print(&r->addresses[i], text));
	return out;
}

/* ---- rows ---- */

START_TEST(a_server_is_a_row)
{
	ck_assert(announce(5, 1, 9, 100));
	ck_assert_uint_eq(list(), 1);
	ck_assert_uint_eq(rows[0].server[0], 5);
	ck_assert_uint_eq(rows[0].instance[1], 1);
	ck_assert_str_eq(rows[0].name, "server 5");
	ck_assert_uint_eq(rows[0].people, 3);
	ck_assert_uint_eq(rows[0].people_max, 50);
	ck_assert_uint_eq(rows[0].version_low, 1);
	ck_assert_uint_eq(rows[0].version_high, 2);
	ck_assert_int_eq(rows[0].rtt_us, -1);
	ck_assert_int_eq(rows[0].first_seen, 100);
	ck_assert_str_eq(addresses(&rows[0]), "10.0.0.9:1005");
	ck_assert(!announce(5, 2, 9, 200)); /* no news */
	ck_assert_uint_eq(list(), 1);
	ck_assert_int_eq(rows[0].first_seen, 100);
}
END_TEST

START_TEST(addresses_are_merged_best_first)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin ways[] = {
		{.from = v6(1, 40000, 7), .rtt_us = -1, .bridge = true},
		{.from = v6(1, 40001, 7), .rtt_us = -1},
		{.from = v4(0xac110001, 7), .rtt_us = -1, .bridge = true},
		{.from = v4(0x0a000002, 7), .rtt_us = -1},
		{.from = v4(0x0a000001, 7), .rtt_us = -1},
		{.from = v4(0x7f000001, 7), .rtt_us = -1, .loopback = true},
	};

	for (int i = 0; i < COUNT(ways); i++)
		ck_assert(finder_table_hear(table, &b, &ways[i], 0));
	for (int i = 0; i < COUNT(ways); i++)
		ck_assert(!finder_table_hear(table, &b, &ways[i], 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(addresses(&rows[0]),
		"127.0.0.1:1001 10.0.0.2:1001 10.0.0.1:1001 172.17.0.1:1001 "
		"[fe80::1%40001]:1001 [fe80::1%40000]:1001");
}
END_TEST

START_TEST(two_ports_are_two_addresses)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	ck_assert(finder_table_hear(table, &b, &o, 0));
	b.port = 80;
	ck_assert(finder_table_hear(table, &b, &o, 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(addresses(&rows[0]), "10.0.0.1:1001 10.0.0.1:80");
}
END_TEST

/* Another id, instance or commitment is another server. */
START_TEST(who_is_who)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	ck_assert(finder_table_hear(table, &b, &o, 0));
	if (_i == 0)
		b.server[31] ^= 1;
	if (_i == 1)
		b.instance[15] ^= 1;
	if (_i == 2)
		b.proof[15] ^= 1;
	ck_assert(finder_table_hear(table, &b, &o, 0));
	ck_assert_uint_eq(list(), 2);
}
END_TEST

START_TEST(ipv6_loopback)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin near = {.from = v4(0x7f000001, 7), .rtt_us = -1, .loopback = true};
	struct finder_origin far = from(1);

	b.flags = BEACON_FLAG_LOOPBACK6;
	ck_assert(!finder_table_hear(table, &b, &far, 0));
	ck_assert_uint_eq(list(), 0);
	ck_assert(finder_table_hear(table, &b, &near, 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(addresses(&rows[0]), "[::1]:1001");
}
END_TEST

START_TEST(queries_say_nothing)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	b.type = BEACON_QUERY;
	ck_assert(!finder_table_hear(table, &b, &o, 0));
	ck_assert_uint_eq(list(), 0);
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
	struct beacon b = announcement(1, sequence_cases[_i].first);
	struct finder_origin o = from(1);
	bool newer = sequence_cases[_i].newer;

	ck_assert(finder_table_hear(table, &b, &o, 0));
	b.sequence = sequence_cases[_i].second;
	b.people = 4;
	(void)snprintf(b.name, sizeof(b.name), "another name");
	ck_assert_int_eq(finder_table_hear(table, &b, &o, 0), newer);
	ck_assert_uint_eq(list(), 1);
	ck_assert_int_eq(rows[0].people == 4, newer);
	ck_assert_int_eq(strcmp(rows[0].name, "another name") == 0, newer);
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
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	for (int i = 0; i < COUNT(answers); i++) {
		o.rtt_us = answers[i].rtt_us;
		o.question = answers[i].question;
		b.type = o.question ? BEACON_ANSWER : BEACON_ANNOUNCEMENT;
		(void)finder_table_hear(table, &b, &o, 0);
		ck_assert_uint_eq(list(), 1);
		ck_assert_int_eq(rows[0].rtt_us, answers[i].shown_us);
	}
}
END_TEST

/* ---- silence ---- */

START_TEST(gone_after_its_lifetime)
{
	(void)announce(1, 1, 1, 1000);
	ck_assert(!finder_table_expire(table, 1000 + BEACON_LIFETIME_MS - 1));
	ck_assert_uint_eq(list(), 1);
	ck_assert(finder_table_expire(table, 1000 + BEACON_LIFETIME_MS));
	ck_assert_uint_eq(list(), 0);
	ck_assert(announce(1, 2, 1, 20000)); /* and welcome back */
	ck_assert_uint_eq(list(), 1);
}
END_TEST

/* A server may ask for less, not for more. */
static const struct {
	uint32_t lifetime_ms;
	int64_t gone_after;
} lifetime_cases[] = {{1, 1}, {500, 500}, {6500, 6500}, {6501, 6500}, {UINT32_MAX, 6500}};

START_TEST(lifetimes)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	b.lifetime_ms = lifetime_cases[_i].lifetime_ms;
	ck_assert(finder_table_hear(table, &b, &o, 0));
	ck_assert_int_le(finder_table_deadline(table), lifetime_cases[_i].gone_after);
	ck_assert(!finder_table_expire(table, lifetime_cases[_i].gone_after - 1));
	ck_assert(finder_table_expire(table, lifetime_cases[_i].gone_after));
}
END_TEST

START_TEST(one_address_falls_silent)
{
	(void)announce(1, 1, 1, 0);
	(void)announce(1, 1, 2, 0);
	(void)announce(1, 2, 2, 4000);
	ck_assert(finder_table_expire(table, 6500));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(addresses(&rows[0]), "10.0.0.2:1001");
	ck_assert(finder_table_expire(table, 10500));
	ck_assert_uint_eq(list(), 0);
}
END_TEST

START_TEST(asked_once_after_some_silence)
{
	struct net_address asked[4];

	(void)announce(1, 1, 1, 0);
	(void)announce(1, 1, 2, 100);
	ck_assert_int_eq(finder_table_deadline(table), 100 + FINDER_SILENCE_MS);
	ck_assert_uint_eq(finder_table_silent(table, 100 + FINDER_SILENCE_MS - 1, asked, 4), 0);
	ck_assert_uint_eq(finder_table_silent(table, 100 + FINDER_SILENCE_MS, asked, 4), 2);
	ck_assert(net_equal(&asked[0], &(struct net_address[]){v4(0x0a000001, 7)}[0]));
	ck_assert(net_equal(&asked[1], &(struct net_address[]){v4(0x0a000002, 7)}[0]));
	ck_assert_uint_eq(finder_table_silent(table, 4000, asked, 4), 0);
	ck_assert_int_eq(finder_table_deadline(table), BEACON_LIFETIME_MS);
	/* Heard again, and silent again. */
	(void)announce(1, 2, 1, 5000);
	ck_assert_uint_eq(finder_table_silent(table, 5000 + FINDER_SILENCE_MS, asked, 4), 1);
}
END_TEST

START_TEST(more_to_ask_than_fits)
{
	struct net_address asked[4];

	for (uint8_t host = 1; host <= 3; host++)
		(void)announce(1, 1, host, 0);
	ck_assert_uint_eq(finder_table_silent(table, FINDER_SILENCE_MS, asked, 2), 2);
	ck_assert_uint_eq(finder_table_silent(table, FINDER_SILENCE_MS, asked, 2), 1);
	ck_assert_uint_eq(finder_table_silent(table, FINDER_SILENCE_MS, asked, 2), 0);
}
END_TEST

START_TEST(refused_means_gone)
{
	struct net_address first = v4(0x0a000001, 7), second = v4(0x0a000002, 7);
	struct net_address other_port = v4(0x0a000001, 8);

	(void)announce(1, 1, 1, 0);
	(void)announce(1, 1, 2, 0);
	(void)announce(2, 1, 3, 0);
	ck_assert(!finder_table_refused(table, &other_port, 2400));
	ck_assert(finder_table_refused(table, &first, 2400));
	ck_assert_uint_eq(list(), 2);
	ck_assert_str_eq(addresses(&rows[0]), "10.0.0.2:1001");
	ck_assert(finder_table_refused(table, &second, 2400));
	ck_assert_uint_eq(list(), 1);
	ck_assert_uint_eq(rows[0].server[0], 2);
}
END_TEST

START_TEST(refused_but_heard_since)
{
	struct net_address at = v4(0x0a000001, 7);

	(void)announce(1, 1, 1, 0);
	(void)announce(1, 2, 1, 2410);
	ck_assert(!finder_table_refused(table, &at, 2400));
	ck_assert_uint_eq(list(), 1);
}
END_TEST

START_TEST(an_empty_table_waits_for_nothing)
{
	struct net_address asked[4];

	ck_assert(finder_table_deadline(table) == INT64_MAX);
	ck_assert(!finder_table_expire(table, INT64_MAX / 2));
	ck_assert_uint_eq(finder_table_silent(table, INT64_MAX / 2, asked, 4), 0);
}
END_TEST

/* ---- goodbyes ---- */

START_TEST(goodbye_removes_at_once)
{
	struct beacon b = goodbye(1, 3);
	struct finder_origin o = from(77); /* by whatever way */

	(void)announce(1, 1, 1, 0);
	(void)announce(2, 1, 2, 0);
	ck_assert(finder_table_hear(table, &b, &o, 10));
	ck_assert_uint_eq(list(), 1);
	ck_assert_uint_eq(rows[0].server[0], 2);
	ck_assert(!finder_table_hear(table, &b, &o, 40)); /* said three times */
}
END_TEST

START_TEST(a_goodbye_that_opens_nothing)
{
	struct beacon b = goodbye(1, 3);
	struct finder_origin o = from(1);

	(void)announce(1, 1, 1, 0);
	if (_i == 0)
		b.proof[0] ^= 1;
	if (_i == 1)
		memcpy(b.proof, announcement(1, 1).proof,
			sizeof(b.proof)); /* the commitment itself */
	if (_i == 2)
		b.server[0] ^= 1;
	if (_i == 3)
		b.instance[0] ^= 1;
	if (_i == 4)
		memset(b.proof, 0, sizeof(b.proof));
	ck_assert(!finder_table_hear(table, &b, &o, 10));
	ck_assert_uint_eq(list(), 1);
}
END_TEST

START_TEST(last_words_that_were_overtaken)
{
	struct beacon b = goodbye(1, 3);
	struct beacon restarted = announcement(1, 1);
	struct finder_origin o = from(1);

	(void)announce(1, 1, 1, 0);
	ck_assert(finder_table_hear(table, &b, &o, 10));
	ck_assert(!announce(1, 2, 1, 11));
	ck_assert(!announce(1, 2, 1, 10 + FINDER_GRAVE_MS - 1));
	ck_assert_uint_eq(list(), 0);
	restarted.instance[2] = 1;
	ck_assert(finder_table_hear(table, &restarted, &o, 12));
	ck_assert(announce(1, 4, 1, 10 + FINDER_GRAVE_MS));
}
END_TEST

/* ---- bounds ---- */

START_TEST(rows_of_one_source)
{
	for (int id = 1; id <= FINDER_ROWS_A_SOURCE; id++)
		ck_assert(announce((uint8_t)id, 1, 1, 0));
	ck_assert(!announce(200, 1, 1, 0));
	ck_assert_uint_eq(list(), FINDER_ROWS_A_SOURCE);
	ck_assert(announce(201, 1, 2, 0)); /* another source */
	ck_assert(!announce(1, 2, 1, 0));  /* known ones go on */
	ck_assert_uint_eq(list(), FINDER_ROWS_A_SOURCE + 1);
}
END_TEST

START_TEST(rows_in_all)
{
	for (int id = 0; id < FINDER_ROWS; id++)
		ck_assert(announce((uint8_t)id, 1, (uint8_t)(id / 8), 0));
	ck_assert(!announce(200, 1, 200, 0));
	ck_assert_uint_eq(list(), FINDER_ROWS);
	ck_assert_uint_eq(rows[0].server[0], 0);
	ck_assert_uint_eq(rows[FINDER_ROWS - 1].server[0], FINDER_ROWS - 1);
	ck_assert_uint_eq(finder_table_list(table, rows, 3), 3);
	ck_assert(finder_table_expire(table, BEACON_LIFETIME_MS));
	ck_assert_uint_eq(list(), 0);
	ck_assert(announce(200, 1, 200, 7000));
}
END_TEST

START_TEST(addresses_of_one_server)
{
	struct beacon b = announcement(1, 1);
	struct finder_origin o = {.rtt_us = -1};

	for (uint8_t host = 1; host <= FINDER_ADDRESSES; host++) {
		o.from = v6(host, 3, 7);
		ck_assert(finder_table_hear(table, &b, &o, 0));
	}
	o.from = v6(99, 3, 7);
	ck_assert(!finder_table_hear(table, &b, &o, 0));
	/* A better one takes the place of the last. */
	ck_assert(announce(1, 2, 1, 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_uint_eq(rows[0].address_count, FINDER_ADDRESSES);
	ck_assert_uint_eq(rows[0].addresses[0].u.any.sa_family, AF_INET);
	ck_assert_uint_eq(rows[0].addresses[FINDER_ADDRESSES - 1].u.v6.sin6_addr.s6_addr[15],
		FINDER_ADDRESSES - 1);
}
END_TEST

START_TEST(packets_of_one_source)
{
	uint32_t heard = 0;

	(void)announce(1, 1, 1, 0);
	for (uint32_t sequence = 2; sequence < 5000; sequence++) {
		struct beacon b = announcement(1, sequence);
		struct finder_origin o = from(1);

		b.people = sequence;
		heard += finder_table_hear(table, &b, &o, 0);
	}
	ck_assert_uint_lt(heard, 1000);
	ck_assert(announce(2, 1, 2, 0)); /* others are heard all the same */
	ck_assert(announce(1, 6000, 1, 5000));
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
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	(void)snprintf(b.name, sizeof(b.name), "%s", name_cases[_i].name);
	ck_assert(finder_table_hear(table, &b, &o, 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(rows[0].name, name_cases[_i].shown);
}
END_TEST

/* It was an empty place in the list of the screen, and nothing behind "gone:". */
START_TEST(a_row_is_called_something)
{
	static const char *const names[][2] = {{"", "(no name)"}, {"   ", "(no name)"},
		{"\xe2\x80\x8b", "(no name)"}, {" x", " x"}};
	struct beacon b = announcement(1, 1);
	struct finder_origin o = from(1);

	(void)snprintf(b.name, sizeof(b.name), "%s", names[_i][0]);
	ck_assert(finder_table_hear(table, &b, &o, 0));
	ck_assert_uint_eq(list(), 1);
	ck_assert_str_eq(finder_row_name(&rows[0]), names[_i][1]);
}
END_TEST

static void add_case(Suite *s, TCase *t)
{
	tcase_add_checked_fixture(t, set_up, tear_down);
	suite_add_tcase(s, t);
}

Suite *finder_table_suite(void)
{
	Suite *s = suite_create("finder_table");
	TCase *hearing = tcase_create("rows and facts");
	TCase *silence = tcase_create("silence");
	TCase *goodbyes = tcase_create("goodbyes");
	TCase *bounds = tcase_create("bounds");

	add_case(s, hearing);
	tcase_add_test(hearing, a_server_is_a_row);
	tcase_add_test(hearing, addresses_are_merged_best_first);
	tcase_add_test(hearing, two_ports_are_two_addresses);
	tcase_add_loop_test(hearing, who_is_who, 0, 3);
	tcase_add_test(hearing, ipv6_loopback);
	tcase_add_test(hearing, queries_say_nothing);
	tcase_add_loop_test(hearing, older_packets_change_nothing, 0, COUNT(sequence_cases));
	tcase_add_test(hearing, shortest_time_of_the_newest_question);
	tcase_add_loop_test(hearing, names_are_fit_to_be_seen, 0, COUNT(name_cases));
	tcase_add_loop_test(hearing, a_row_is_called_something, 0, 4);
	add_case(s, silence);
	tcase_add_test(silence, gone_after_its_lifetime);
	tcase_add_loop_test(silence, lifetimes, 0, COUNT(lifetime_cases));
	tcase_add_test(silence, one_address_falls_silent);
	tcase_add_test(silence, asked_once_after_some_silence);
	tcase_add_test(silence, more_to_ask_than_fits);
	tcase_add_test(silence, refused_means_gone);
	tcase_add_test(silence, refused_but_heard_since);
	tcase_add_test(silence, an_empty_table_waits_for_nothing);
	add_case(s, goodbyes);
	tcase_add_test(goodbyes, goodbye_removes_at_once);
	tcase_add_loop_test(goodbyes, a_goodbye_that_opens_nothing, 0, 5);
	tcase_add_test(goodbyes, last_words_that_were_overtaken);
	add_case(s, bounds);
	tcase_add_test(bounds, rows_of_one_source);
	tcase_add_test(bounds, rows_in_all);
	tcase_add_test(bounds, addresses_of_one_server);
	tcase_add_test(bounds, packets_of_one_source);
	return s;
}
