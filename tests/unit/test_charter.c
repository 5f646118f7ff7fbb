/*
 * Charters and acts: what acts add up to, and that text keeps it.
 */
#include "server/charter.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1764201600000000)

static struct charter c;

static void setup(void)
{
	c = (struct charter){0};
}

static void teardown(void)
{
	charter_fini(&c);
}

static struct act about(enum act_verb verb, uint8_t whom, uint64_t value)
{
	struct act a = {.verb = verb, .has_person = true, .value = value, .person = {whom}};

	snprintf(a.label, sizeof(a.label), "p%u", whom);
	return a;
}

static void apply(enum act_verb verb, uint8_t whom, uint64_t value)
{
	struct act a = about(verb, whom, value);

	ck_assert_int_eq(charter_apply(&c, &a, NOW), 0);
}

static bool is(enum standing_kind kind, uint8_t whom)
{
	const uint8_t person[PERSON_ID] = {whom};

	return charter_find(&c, kind, person, NOW) != NULL;
}

/* ---- acts ---- */

static const struct act acts[] = {
	{.verb = ACT_KICK, .has_person = true, .person = {1, 2, 0xff}, .label = "anna"},
	{.verb = ACT_BAN, .label = "10.0.0.0/8", .value = INT64_MAX / 10 - 10},
	{.verb = ACT_CLAIM, .label = "-"},
	{.verb = ACT_CLAIM, .label = "\u0430\u043d\u043d\u0430"},
	{.verb = ACT_MODERATED, .value = 1},
	{.verb = ACT_ENTRY, .value = 1, .text = {.text = "  a key * - ", .length = 12}},
};

START_TEST(acts_come_back)
{
	const struct act *a = &acts[_i];
	char line[ACT_TEXT_MAX];
	struct act back;
	size_t length = act_print(a, line);

	ck_assert_uint_eq(strlen(line), length);
	ck_assert_int_eq(
		act_parse((struct span){.text = line, .length = (uint16_t)length}, &back), 0);
	ck_assert_int_eq(back.verb, a->verb);
	ck_assert_int_eq(back.has_person, a->has_person);
	ck_assert_mem_eq(back.person, a->person, PERSON_ID);
	ck_assert_str_eq(back.label, a->label);
	ck_assert_uint_eq(back.value, a->value);
	ck_assert_uint_eq(back.text.length, a->text.length);
	ck_assert(a->text.length == 0 || memcmp(back.text.text, a->text.text, a->text.length) == 0);
}
END_TEST

/* ---- standings ---- */

START_TEST(given_and_taken)
{
	ck_assert_ptr_null(charter_owner(&c));
	apply(ACT_OWNER, 1, 0);
	ck_assert_int_eq(charter_owner(&c)[0], 1);
	apply(ACT_MODERATOR, 2, 0);
	apply(ACT_MODERATOR, 2, 0); /* twice is once */
	apply(ACT_VOICE, 3, 0);
	apply(ACT_INVITE, 4, 0);
	ck_assert_uint_eq(c.count, 4);
	ck_assert(is(STANDING_OWNER, 1) && is(STANDING_MODERATOR, 2) && is(STANDING_VOICE, 3) &&
		  is(STANDING_INVITED, 4));
	apply(ACT_OWNER, 2, 0); /* there is one */
	ck_assert(!is(STANDING_OWNER, 1) && is(STANDING_OWNER, 2));
	ck_assert_int_eq(charter_owner(&c)[0], 2);
	apply(ACT_NO_MODERATOR, 2, 0);
	apply(ACT_NO_VOICE, 3, 0);
	apply(ACT_UNINVITE, 4, 0);
	apply(ACT_UNBAN, 9, 0); /* nobody */
	ck_assert_uint_eq(c.count, 1);
}
END_TEST

/* Whoever is banned is nothing else any more. */
START_TEST(banned)
{
	apply(ACT_OWNER, 1, 0);
	apply(ACT_MODERATOR, 1, 0);
	apply(ACT_VOICE, 1, 0);
	apply(ACT_INVITE, 1, 0);
	apply(ACT_BAN, 1, 0);
	ck_assert_uint_eq(c.count, 1);
	ck_assert(is(STANDING_BANNED, 1));
}
END_TEST

/* Text has no order in which it could make a banned owner nobody. */
START_TEST(made_owner_of_a_banned)
{
	struct charter back;

	apply(ACT_BAN, 1, 0);
	apply(ACT_BAN, 2, 0);
	apply(ACT_OWNER, 1, 0);
	ck_assert(is(STANDING_OWNER, 1) && !is(STANDING_BANNED, 1));
	apply(ACT_UNBAN, 2, 0);
	char *text = charter_print(&c);
	ck_assert_int_eq(charter_parse(text, strlen(text), &back), 0);
	ck_assert_uint_eq(back.count, 1);
	ck_assert_int_eq(back.standings[0].kind, STANDING_OWNER);
	charter_fini(&back);
	free(text);
}
END_TEST

/* A database that somebody has changed. */
START_TEST(no_charters)
{
	static const char *const texts[] = {"entry 3 - *\n", "entry 4294967296 - *\n",
		"moderated 2 - *\n", "slow 9999999 - *\n", "own 0 - *\n", "own 0 - 10.0.0.0/8\n",
		"ban 0 - bob\n", "kick 0 - *\n", "unban 0 - 10.0.0.0/8\n", "claim 0 - anna\n", "x",
		"\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct charter back;
		ck_assert_msg(charter_parse(texts[i], strlen(texts[i]), &back) == ERR_TEXT, "%s",
			texts[i]);
		ck_assert_uint_eq(back.count, 0);
	}
}
END_TEST

START_TEST(what_ends)
{
	apply(ACT_BAN, 1, NOW + 1);
	apply(ACT_MUTE, 2, NOW);
	ck_assert(is(STANDING_BANNED, 1));
	ck_assert(!is(STANDING_MUTED, 2));
	struct act a = about(ACT_VOICE, 3, 0);
	ck_assert_int_eq(charter_apply(&c, &a, NOW + 1), 0);
	ck_assert_uint_eq(c.count, 1); /* what is over is forgotten */
}
END_TEST

START_TEST(addresses)
{
	struct net_address in = {.u.v4 = {.sin_family = AF_INET}}, out = in;
	struct act a = {.verb = ACT_BAN, .label = "10.0.0.0/8"};

	in.u.v4.sin_addr.s_addr = htonl(0x0a000001);
	out.u.v4.sin_addr.s_addr = htonl(0x0b000001);
	ck_assert_int_eq(charter_apply(&c, &a, NOW), 0);
	ck_assert_ptr_nonnull(charter_find_address(&c, &in, NOW));
	ck_assert_ptr_null(charter_find_address(&c, &out, NOW));
	a.verb = ACT_UNBAN;
	ck_assert_int_eq(charter_apply(&c, &a, NOW), 0);
	ck_assert_uint_eq(c.count, 0);
}
END_TEST

START_TEST(so_many)
{
	uint8_t n = 0;

	apply(ACT_OWNER, 250, 0);
	for (struct act a = about(ACT_BAN, n, 0); charter_has_room(&c, &a, NOW);
		a = about(ACT_BAN, ++n, 0))
		apply(ACT_BAN, n, 0);
	ck_assert_uint_eq(c.count, CHARTER_MOST - 1);
	struct act again = about(ACT_BAN, 3, NOW + 5), owner = about(ACT_OWNER, 251, 0),
		   fewer = about(ACT_UNBAN, 3, 0);
	ck_assert(charter_has_room(&c, &again, NOW));
	ck_assert(charter_has_room(&c, &owner, NOW));
	ck_assert(charter_has_room(&c, &fewer, NOW));
	char *text = charter_print(&c);
	struct charter back;
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(strlen(text), UINT16_MAX);
	ck_assert_int_eq(charter_parse(text, strlen(text), &back), 0);
	ck_assert_uint_eq(back.count, c.count);
	charter_fini(&back);
	free(text);
}
END_TEST

/* ---- text ---- */

START_TEST(kept_as_text)
{
	struct act settings[] = {
		{.verb = ACT_MODERATED, .value = 1},
		{.verb = ACT_SLOW, .value = 30},
		{.verb = ACT_ENTRY, .value = ENTRY_KEY, .text = span_of("salt:hash")},
		{.verb = ACT_BAN, .label = "fe80::/10", .value = NOW + 7},
	};
	struct charter back, copy;

	char *text = charter_print(&c);
	ck_assert_str_eq(text, "");
	free(text);
	apply(ACT_OWNER, 1, 0);
	apply(ACT_MUTE, 2, NOW + 99);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		ck_assert_int_eq(charter_apply(&c, &settings[i], NOW), 0);
	text = charter_print(&c);
	ck_assert(charter_text_is_closed(span_of(text)));
	ck_assert_int_eq(charter_parse(text, strlen(text), &back), 0);
	char *again = charter_print(&back);
	ck_assert_int_eq(charter_copy(&back, &copy), 0);
	char *copied = charter_print(&copy);
	ck_assert_int_eq(back.slow, 30);
	ck_assert_str_eq(back.key, "salt:hash");
	ck_assert_uint_eq(back.count, 3);
	ck_assert_str_eq(again, copied);
	/* Broken ones are refused, cut anywhere but at a line's end. */
	for (size_t length = 0; length < strlen(text); length++) {
		struct charter cut;
		bool whole = length == 0 || text[length - 1] == '\n';
		ck_assert_int_eq(charter_parse(text, length, &cut), whole ? 0 : ERR_TEXT);
		charter_fini(&cut);
	}
	free(text);
	free(again);
	free(copied);
	charter_fini(&back);
	charter_fini(&copy);
}
END_TEST

START_TEST(keys)
{
	char first[CHARTER_KEY_MAX], second[CHARTER_KEY_MAX];

	ck_assert(!charter_unlocks(&c, span_of("")));
	charter_lock(span_of("open sesame"), first);
	charter_lock(span_of("open sesame"), second);
	ck_assert_str_ne(first, second); /* salted */
	ck_assert_ptr_null(strstr(first, "sesame"));
	snprintf(c.key, sizeof(c.key), "%s", first);
	ck_assert(charter_unlocks(&c, span_of("open sesame")));
	ck_assert(!charter_unlocks(&c, span_of("open sesam")));
	ck_assert(!charter_unlocks(&c, span_of("")));
	c.key[20] = c.key[20] == '0' ? '1' : '0';
	ck_assert(!charter_unlocks(&c, span_of("open sesame")));
}
END_TEST

Suite *charter_suite(void)
{
	Suite *s = suite_create("charter");
	TCase *t = tcase_create("acts");

	tcase_add_loop_test(t, acts_come_back, 0, (int)(sizeof(acts) / sizeof(acts[0])));
	suite_add_tcase(s, t);
	t = tcase_create("charters");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, given_and_taken);
	tcase_add_test(t, banned);
	tcase_add_test(t, made_owner_of_a_banned);
	tcase_add_test(t, no_charters);
	tcase_add_test(t, what_ends);
	tcase_add_test(t, addresses);
	tcase_add_test(t, so_many);
	tcase_add_test(t, kept_as_text);
	tcase_add_test(t, keys);
	suite_add_tcase(s, t);
	return s;
}
