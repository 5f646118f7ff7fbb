/*
 * People: nicks that clash, several sessions of a person, the next free nick,
 * renaming, looking up, inboxes.
 */
#include "server/people.h"

#include "common/err.h"
#include "common/name.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static uint8_t ids[16][PERSON_ID];
static struct segment_budget budget;
static struct engine *engine;
static struct people *people;

static void ignore(void *context, const struct log_entry *e)
{
	(void)context;
	(void)e;
}

static void setup(void)
{
	for (int i = 0; i < 16; i++)
		ids[i][5] = (uint8_t)(i + 1);
	budget.bound = 1 << 20;
	atomic_init(&budget.bytes, 0);
	ck_assert_int_eq(engine_open_memory(1 << 20, ignore, NULL, &engine), 0);
	people = people_new(engine, &budget);
	ck_assert_ptr_nonnull(people);
}

static void teardown(void)
{
	people_free(people);
	engine_close(engine);
}

static enum code login_as(
	const uint8_t *id, const char *wanted, bool any, char *nick, struct feed **inbox)
{
	const struct people_wish wish = {.person = id, .nick = span_of(wanted), .any = any};
	bool owned;

	return people_login(people, &wish, nick, &owned, inbox);
}

static enum code take(const uint8_t *id, const char *old, const char *wanted, char *nick)
{
	const struct people_wish wish = {.person = id, .nick = span_of(wanted)};
	bool owned;
	enum code code = people_take(people, &wish, nick, &owned);

	if (code == CODE_NONE)
		people_drop(people, old);
	return code;
}

static enum code login(int who, const char *wanted, bool any, const char *given)
{
	char nick[NICK_MAX + 1] = "untouched";
	struct feed *inbox = NULL;
	enum code code = login_as(ids[who], wanted, any, nick, &inbox);

	ck_assert_str_eq(nick, code == CODE_NONE ? given : "untouched");
	ck_assert_int_eq(inbox != NULL, code == CODE_NONE);
	feed_unref(inbox);
	return code;
}

static enum code rename_to(int who, const char *old, const char *wanted)
{
	char nick[NICK_MAX + 1] = "untouched";
	enum code code = take(ids[who], old, wanted, nick);

	ck_assert_str_eq(nick, code == CODE_NONE ? wanted : "untouched");
	return code;
}

/* Whose nick it is: a person's number, or -1. */
static int whose(const char *nick, const char *shown_as)
{
	uint8_t id[PERSON_ID];
	char shown[NICK_MAX + 1];

	if (people_find(people, span_of(nick), id, shown) != 0)
		return -1;
	ck_assert_str_eq(shown, shown_as);
	return id[5] - 1;
}

static void check_nick_of(int who, const char *expected)
{
	char shown[NICK_MAX + 1] = "";

	ck_assert_int_eq(people_nick_of(people, ids[who], shown), expected ? 0 : ERR_NOT_FOUND);
	ck_assert_str_eq(shown, expected ? expected : "");
}

/* ---- nicks ---- */

static const char *const clashes[] = {"anna", "ANNA", "\uff21nna", "Ann\uff41"};

START_TEST(nicks_clash_by_folding)
{
	ck_assert_int_eq(login(0, "Anna", false, "Anna"), CODE_NONE);
	ck_assert_int_eq(login(1, clashes[_i], false, NULL), CODE_NICK_TAKEN);
	ck_assert_int_eq(whose(clashes[_i], "Anna"), 0);
	ck_assert_uint_eq(people_count(people), 1);
	people_logout(people, ids[0], "Anna");
	ck_assert_int_eq(login(1, clashes[_i], false, clashes[_i]), CODE_NONE);
	people_logout(people, ids[1], clashes[_i]);
}
END_TEST

static const char *const bad_nicks[] = {
	"", "a b", "#anna", "~anna", "a@b", "\xff", "\u0430nna", /* two scripts */
	"1234567890123456789012345678901234567890123456789",     /* 49 bytes */
};

START_TEST(what_cannot_be_a_nick)
{
	ck_assert_int_eq(login(0, bad_nicks[_i], true, NULL), CODE_BAD_NICK);
	ck_assert_int_eq(login(0, "anna", false, "anna"), CODE_NONE);
	ck_assert_int_eq(rename_to(0, "anna", bad_nicks[_i]), CODE_BAD_NICK);
	ck_assert_int_eq(whose("anna", "anna"), 0);
	ck_assert_int_eq(whose(bad_nicks[_i], ""), -1);
	people_logout(people, ids[0], "anna");
}
END_TEST

START_TEST(the_next_free_nick)
{
	ck_assert_int_eq(login(0, "anna", true, "anna"), CODE_NONE);
	ck_assert_int_eq(login(1, "Anna", true, "Anna2"), CODE_NONE);
	ck_assert_int_eq(login(2, "anna", true, "anna3"), CODE_NONE);
	people_logout(people, ids[1], "Anna2");
	ck_assert_int_eq(login(3, "anna", true, "anna2"), CODE_NONE);
	/* One's own numbered nick is free for one's own next session. */
	ck_assert_int_eq(login(3, "anna", true, "anna2"), CODE_NONE);
	people_logout(people, ids[0], "anna");
	people_logout(people, ids[2], "anna3");
	people_logout(people, ids[3], "anna2");
	people_logout(people, ids[3], "anna2");
	ck_assert_uint_eq(people_count(people), 0);
}
END_TEST

START_TEST(the_next_free_nick_of_a_long_one)
{
	char longest[NICK_MAX + 1], expected[NICK_MAX + 1];

	memset(longest, 'x', NICK_MAX);
	longest[NICK_MAX] = '\0';
	memcpy(expected, longest, sizeof(expected));
	expected[NICK_MAX - 1] = '2';
	ck_assert_int_eq(login(0, longest, true, longest), CODE_NONE);
	ck_assert_int_eq(login(1, longest, true, expected), CODE_NONE);
	people_logout(people, ids[0], longest);
	people_logout(people, ids[1], expected);
}
END_TEST

/* ---- sessions ---- */

START_TEST(a_nick_is_theirs_while_a_session_has_it)
{
	ck_assert_int_eq(login(0, "anna", false, "anna"), CODE_NONE);
	ck_assert_int_eq(login(0, "Anna", false, "Anna"), CODE_NONE);
	ck_assert_int_eq(login(0, "other", false, "other"), CODE_NONE);
	ck_assert_uint_eq(people_count(people), 1);
	people_logout(people, ids[0], "anna");
	ck_assert_int_eq(login(1, "anna", false, NULL), CODE_NICK_TAKEN);
	people_logout(people, ids[0], "Anna");
	ck_assert_int_eq(login(1, "anna", false, "anna"), CODE_NONE);
	ck_assert_int_eq(whose("other", "other"), 0);
	people_logout(people, ids[0], "other");
	ck_assert_int_eq(whose("other", ""), -1);
	ck_assert_uint_eq(people_count(people), 1);
	people_logout(people, ids[1], "anna");
}
END_TEST

START_TEST(renaming)
{
	ck_assert_int_eq(login(0, "anna", false, "anna"), CODE_NONE);
	ck_assert_int_eq(login(1, "boris", false, "boris"), CODE_NONE);
	ck_assert_int_eq(rename_to(0, "anna", "BORIS"), CODE_NICK_TAKEN);
	ck_assert_int_eq(rename_to(0, "anna", "anna"), CODE_NONE);
	ck_assert_int_eq(rename_to(0, "anna", "Anna"), CODE_NONE);
	ck_assert_int_eq(whose("anna", "Anna"), 0);
	ck_assert_int_eq(rename_to(0, "Anna", "clara"), CODE_NONE);
	ck_assert_int_eq(whose("anna", ""), -1);
	ck_assert_int_eq(rename_to(1, "boris", "anna"), CODE_NONE);
	check_nick_of(0, "clara");
	check_nick_of(1, "anna");
	people_logout(people, ids[0], "clara");
	people_logout(people, ids[1], "anna");
	ck_assert_uint_eq(people_count(people), 0);
}
END_TEST

/* A nick that a person is said to have is one that they have. */
START_TEST(the_nick_of_a_person)
{
	check_nick_of(0, NULL);
	ck_assert_int_eq(login(0, "first", false, "first"), CODE_NONE);
	ck_assert_int_eq(login(0, "second", false, "second"), CODE_NONE);
	check_nick_of(0, "second");
	people_logout(people, ids[0], "second");
	ck_assert_int_eq(login(1, "second", false, "second"), CODE_NONE);
	check_nick_of(0, "first");
	ck_assert_int_eq(login(0, "third", false, "third"), CODE_NONE);
	ck_assert_int_eq(rename_to(0, "first", "fourth"), CODE_NONE);
	people_logout(people, ids[0], "fourth");
	check_nick_of(0, "third");
	people_logout(people, ids[0], "third");
	check_nick_of(0, NULL);
	people_logout(people, ids[1], "second");
}
END_TEST

/* ---- inboxes ---- */

START_TEST(an_inbox_while_they_are_here)
{
	char text[8], nick[NICK_MAX + 1];
	struct feed *first, *second;
	struct append_result result;
	struct log_entry e = {
		.to = ids[0],
		.person = ids[1],
		.instance = ids[1],
		.counter = 1,
		.nick = span_of("boris"),
		.to_nick = span_of("anna"),
		.text = entry_text(1, sizeof(text), text),
	};

	ck_assert_ptr_null(people_inbox(people, ids[0]));
	ck_assert_int_eq(engine_append(engine, &e, 1, INT64_MAX, &result), 0);
	ck_assert_int_eq(login_as(ids[0], "anna", false, nick, &first), CODE_NONE);
	ck_assert_uint_eq(feed_last_seq(first), 1); /* what was written meanwhile is known */
	ck_assert_str_eq(feed_name(first), "");
	second = people_inbox(people, ids[0]);
	ck_assert_ptr_eq(first, second);
	people_logout(people, ids[0], "anna");
	ck_assert_ptr_null(people_inbox(people, ids[0]));
	feed_unref(first);
	feed_unref(second);
}
END_TEST

/* ---- many threads ---- */

#define THREADS 6

static void *come_and_go(void *argument)
{
	const uint8_t *id = argument;
	char nick[NICK_MAX + 1], shown[NICK_MAX + 1];
	uint8_t whom[PERSON_ID];
	struct feed *inbox;

	for (int i = 0; i < 300; i++) {
		if (login_as(id, "guest", true, nick, &inbox) != CODE_NONE)
			return argument;
		/* Nobody else has it. */
		if (people_find(people, span_of(nick), whom, shown) != 0 ||
			memcmp(whom, id, PERSON_ID) != 0)
			return argument;
		char before[NICK_MAX + 1];
		memcpy(before, nick, sizeof(before));
		(void)take(id, before, "host", nick);
		people_nick_of(people, ids[0], shown);
		people_count(people);
		feed_unref(inbox);
		people_logout(people, id, nick);
	}
	return NULL;
}

START_TEST(at_once)
{
	pthread_t threads[THREADS];
	void *wrong;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, ids[i / 2]), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	ck_assert_uint_eq(people_count(people), 0);
}
END_TEST

Suite *people_suite(void)
{
	Suite *s = suite_create("people");
	TCase *c = tcase_create("people");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, nicks_clash_by_folding, 0, sizeof(clashes) / sizeof(clashes[0]));
	tcase_add_loop_test(c, what_cannot_be_a_nick, 0, sizeof(bad_nicks) / sizeof(bad_nicks[0]));
	tcase_add_test(c, the_next_free_nick);
	tcase_add_test(c, the_next_free_nick_of_a_long_one);
	tcase_add_test(c, a_nick_is_theirs_while_a_session_has_it);
	tcase_add_test(c, renaming);
	tcase_add_test(c, the_nick_of_a_person);
	tcase_add_test(c, an_inbox_while_they_are_here);
	tcase_add_test(c, at_once);
	suite_add_tcase(s, c);
	return s;
}
