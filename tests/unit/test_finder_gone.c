/*
 * The table of servers: nothing is kept that is gone, by silence, a refusal or a goodbye, and nobody is
 * believed who cannot know.
 */
#include "tests/unit/heard.h"

#include <check.h>
#include <string.h>

/* ---- silence ---- */

START_TEST(gone_after_its_lifetime)
{
	(void)heard_announce(1, 1, 1, 1000);
	ck_assert(!finder_table_expire(heard_table, 1000 + BEACON_LIFETIME_MS - 1));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert(finder_table_expire(heard_table, 1000 + BEACON_LIFETIME_MS));
	ck_assert_uint_eq(heard_list(), 0);
	ck_assert(heard_announce(1, 2, 1, 20000)); /* and welcome back */
	ck_assert_uint_eq(heard_list(), 1);
}
END_TEST

/* A server may ask for less, not for more. */
static const struct {
	uint32_t lifetime_ms;
	int64_t gone_after;
} lifetime_cases[] = {{1, 1}, {500, 500}, {6500, 6500}, {6501, 6500}, {UINT32_MAX, 6500}};

START_TEST(lifetimes)
{
	struct beacon b = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	b.lifetime_ms = lifetime_cases[_i].lifetime_ms;
	ck_assert(finder_table_hear(heard_table, &b, &o, 0));
	ck_assert_int_le(finder_table_deadline(heard_table), lifetime_cases[_i].gone_after);
	ck_assert(!finder_table_expire(heard_table, lifetime_cases[_i].gone_after - 1));
	ck_assert(finder_table_expire(heard_table, lifetime_cases[_i].gone_after));
}
END_TEST

START_TEST(one_address_falls_silent)
{
	(void)heard_announce(1, 1, 1, 0);
	(void)heard_announce(1, 1, 2, 0);
	(void)heard_announce(1, 2, 2, 4000);
	ck_assert(finder_table_expire(heard_table, 6500));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]), "10.0.0.2:1001");
	ck_assert(finder_table_expire(heard_table, 10500));
	ck_assert_uint_eq(heard_list(), 0);
}
END_TEST

START_TEST(asked_once_after_some_silence)
{
	struct net_address asked[4];

	(void)heard_announce(1, 1, 1, 0);
	(void)heard_announce(1, 1, 2, 100);
	ck_assert_int_eq(finder_table_deadline(heard_table), 100 + FINDER_SILENCE_MS);
	ck_assert_uint_eq(
		finder_table_silent(heard_table, 100 + FINDER_SILENCE_MS - 1, asked, 4), 0);
	ck_assert_uint_eq(finder_table_silent(heard_table, 100 + FINDER_SILENCE_MS, asked, 4), 2);
	ck_assert(net_equal(&asked[0], &(struct net_address[]){heard_v4(0x0a000001, 7)}[0]));
	ck_assert(net_equal(&asked[1], &(struct net_address[]){heard_v4(0x0a000002, 7)}[0]));
	ck_assert_uint_eq(finder_table_silent(heard_table, 4000, asked, 4), 0);
	ck_assert_int_eq(finder_table_deadline(heard_table), BEACON_LIFETIME_MS);
	/* Heard again, and silent again. */
	(void)heard_announce(1, 2, 1, 5000);
	ck_assert_uint_eq(finder_table_silent(heard_table, 5000 + FINDER_SILENCE_MS, asked, 4), 1);
}
END_TEST

START_TEST(more_to_ask_than_fits)
{
	struct net_address asked[4];

	for (uint8_t host = 1; host <= 3; host++)
		(void)heard_announce(1, 1, host, 0);
	ck_assert_uint_eq(finder_table_silent(heard_table, FINDER_SILENCE_MS, asked, 2), 2);
	ck_assert_uint_eq(finder_table_silent(heard_table, FINDER_SILENCE_MS, asked, 2), 1);
	ck_assert_uint_eq(finder_table_silent(heard_table, FINDER_SILENCE_MS, asked, 2), 0);
}
END_TEST

START_TEST(refused_means_gone)
{
	struct net_address first = heard_v4(0x0a000001, 7), second = heard_v4(0x0a000002, 7);
	struct net_address other_port = heard_v4(0x0a000001, 8);

	(void)heard_announce(1, 1, 1, 0);
	(void)heard_announce(1, 1, 2, 0);
	(void)heard_announce(2, 1, 3, 0);
	ck_assert(!finder_table_refused(heard_table, &other_port, 2400));
	ck_assert(finder_table_refused(heard_table, &first, 2400));
	ck_assert_uint_eq(heard_list(), 2);
	ck_assert_str_eq(heard_addresses(&heard_rows[0]), "10.0.0.2:1001");
	ck_assert(finder_table_refused(heard_table, &second, 2400));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_uint_eq(heard_rows[0].server[0], 2);
}
END_TEST

START_TEST(refused_but_heard_since)
{
	struct net_address at = heard_v4(0x0a000001, 7);

	(void)heard_announce(1, 1, 1, 0);
	(void)heard_announce(1, 2, 1, 2410);
	ck_assert(!finder_table_refused(heard_table, &at, 2400));
	ck_assert_uint_eq(heard_list(), 1);
}
END_TEST

START_TEST(an_empty_table_waits_for_nothing)
{
	struct net_address asked[4];

	ck_assert(finder_table_deadline(heard_table) == INT64_MAX);
	ck_assert(!finder_table_expire(heard_table, INT64_MAX / 2));
	ck_assert_uint_eq(finder_table_silent(heard_table, INT64_MAX / 2, asked, 4), 0);
}
END_TEST

/* ---- goodbyes ---- */

static struct beacon goodbye(uint8_t id, uint32_t sequence)
{
	struct beacon b = heard_announcement(id, sequence);
	uint8_t secret[BEACON_SECRET] = {id, 2};

	b.type = BEACON_GOODBYE;
	b.lifetime_ms = 0;
	memcpy(b.proof, secret, sizeof(b.proof));
	return b;
}

START_TEST(goodbye_removes_at_once)
{
	struct beacon b = goodbye(1, 3);
	struct finder_origin o = heard_from(77); /* by whatever way */

	(void)heard_announce(1, 1, 1, 0);
	(void)heard_announce(2, 1, 2, 0);
	ck_assert(finder_table_hear(heard_table, &b, &o, 10));
	ck_assert_uint_eq(heard_list(), 1);
	ck_assert_uint_eq(heard_rows[0].server[0], 2);
	ck_assert(!finder_table_hear(heard_table, &b, &o, 40)); /* said three times */
}
END_TEST

START_TEST(a_goodbye_that_opens_nothing)
{
	struct beacon b = goodbye(1, 3);
	struct finder_origin o = heard_from(1);

	(void)heard_announce(1, 1, 1, 0);
	if (_i == 0)
		b.proof[0] ^= 1;
	if (_i == 1)
		memcpy(b.proof, heard_announcement(1, 1).proof,
			sizeof(b.proof)); /* the commitment itself */
	if (_i == 2)
		b.server[0] ^= 1;
	if (_i == 3)
		b.instance[0] ^= 1;
	if (_i == 4)
		memset(b.proof, 0, sizeof(b.proof));
	ck_assert(!finder_table_hear(heard_table, &b, &o, 10));
	ck_assert_uint_eq(heard_list(), 1);
}
END_TEST

START_TEST(last_words_that_were_overtaken)
{
	struct beacon b = goodbye(1, 3);
	struct beacon restarted = heard_announcement(1, 1);
	struct finder_origin o = heard_from(1);

	(void)heard_announce(1, 1, 1, 0);
	ck_assert(finder_table_hear(heard_table, &b, &o, 10));
	ck_assert(!heard_announce(1, 2, 1, 11));
	ck_assert(!heard_announce(1, 2, 1, 10 + FINDER_GRAVE_MS - 1));
	ck_assert_uint_eq(heard_list(), 0);
	restarted.instance[2] = 1;
	ck_assert(finder_table_hear(heard_table, &restarted, &o, 12));
	ck_assert(heard_announce(1, 4, 1, 10 + FINDER_GRAVE_MS));
}
END_TEST

Suite *finder_gone_suite(void)
{
	Suite *s = suite_create("finder_gone");
	TCase *silence = heard_case(s, "silence");
	TCase *goodbyes = heard_case(s, "goodbyes");

	tcase_add_test(silence, gone_after_its_lifetime);
	tcase_add_loop_test(silence, lifetimes, 0, COUNT(lifetime_cases));
	tcase_add_test(silence, one_address_falls_silent);
	tcase_add_test(silence, asked_once_after_some_silence);
	tcase_add_test(silence, more_to_ask_than_fits);
	tcase_add_test(silence, refused_means_gone);
	tcase_add_test(silence, refused_but_heard_since);
	tcase_add_test(silence, an_empty_table_waits_for_nothing);
	tcase_add_test(goodbyes, goodbye_removes_at_once);
	tcase_add_loop_test(goodbyes, a_goodbye_that_opens_nothing, 0, 5);
	tcase_add_test(goodbyes, last_words_that_were_overtaken);
	return s;
}
