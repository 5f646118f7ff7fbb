/*
 * Acts that would change nothing: told where it is known for sure, and sent where it is not.
 */
#include "client/needless.h"

#include "common/clock.h"
#include "common/rights.h"

#include <check.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};
static struct model m;
static struct buffer *den;
static char words[NEEDLESS_SIZE];

static struct event_standing standing(int kind, const uint8_t *person, const char *label)
{
	struct event_standing s = {.kind = kind, .label = (char *)label};

	memcpy(s.person, person, PERSON_ID);
	return s;
}

/* The user owns the room, anna is a moderator with a voice, boris nothing. */
static void charter(bool fresh, size_t count)
{
	const uint8_t nobody[PERSON_ID] = {0};
	struct event_standing all[] = {
		standing(STANDING_MODERATOR, anna, "anna"),
		standing(STANDING_VOICE, anna, "anna"),
		standing(STANDING_BANNED, nobody, "10.0.0.0/8"),
		standing(STANDING_OWNER, me, "me"),
	};
	struct event e = {.type = EVENT_RANKS,
		.room = (char *)"den",
		.own = fresh,
		.kind = ENTRY_INVITED,
		.number = 30,
		.standings = all,
		.count = count};

	ck_assert_int_eq(model_apply(&m, &e), 0);
}
#define WHOLE     4
#define NOT_OWNER 3

static void setup(void)
{
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	den = model_open_room(&m, "den");
	den->joined = true;
	ck_assert_int_eq(roster_put(&den->roster, me, "me", PERSON_HERE, ""), 0);
	ck_assert_int_eq(roster_put(&den->roster, anna, "Anna", PERSON_HERE, ""), 0);
	ck_assert_int_eq(roster_put(&den->roster, boris, "boris", PERSON_HERE, ""), 0);
	charter(true, WHOLE);
}

static void teardown(void)
{
	model_fini(&m);
}

static bool needless(enum act_verb verb, const char *label, uint64_t value)
{
	const struct link_act a = {.verb = verb, .label = label, .value = value, .text = ""};

	return needless_act(&m, den, &a, clock_wall_us(), words);
}

static const struct {
	enum act_verb verb;
	const char *label;
	uint64_t value;
	const char *says; /* NULL: it would change something */
} cases[] = {
	{ACT_OWNER, "me", 0, "You own #den already."},
	{ACT_OWNER, "anna", 0, NULL},
	{ACT_MODERATOR, "anna", 0, "Anna is a moderator of #den already."},
	{ACT_MODERATOR, "boris", 0, NULL},
	{ACT_MODERATOR, "carl", 0, NULL}, /* not here */
	{ACT_NO_MODERATOR, "boris", 0, "boris is no moderator of #den."},
	{ACT_NO_MODERATOR, "anna", 0, NULL},
	{ACT_NO_MODERATOR, "carl", 0, NULL},
	{ACT_NO_MODERATOR, "me", 0, "You are no moderator of #den."},
	{ACT_VOICE, "ANNA", 0, "Anna has a voice in #den already."},
	{ACT_NO_VOICE, "boris", 0, "boris was given no voice in #den."},
	{ACT_UNMUTE, "boris", 0, "boris is not muted in #den."},
	{ACT_UNINVITE, "boris", 0, "boris is not invited to #den."},
	{ACT_UNBAN, "10.0.0.0/8", 0, NULL},
	{ACT_UNBAN, "10.1.2.3/8", 0, NULL}, /* the same */
	{ACT_UNBAN, "10.0.0.0/9", 0, "10.0.0.0/9 is not banned from #den. (/mode lists who is.)"},
	{ACT_UNBAN, "boris", 0, NULL},
	{ACT_KICK, "boris", 0, NULL},
	{ACT_BAN, "10.0.0.0/8", 0, NULL}, /* the time may be another one */
	{ACT_INVITE, "boris", 0, NULL},
	{ACT_ENTRY, "", ENTRY_INVITED, "#den is for those alone who are invited already."},
	{ACT_ENTRY, "", ENTRY_OPEN, NULL},
	{ACT_ENTRY, "", ENTRY_KEY, NULL},
	{ACT_MODERATED, "", 0, "#den is not moderated: all may speak."},
	{ACT_MODERATED, "", 1, NULL},
	{ACT_SLOW, "", 30, "#den has slow mode already: a message every 30 s."},
	{ACT_SLOW, "", 31, NULL},
	{ACT_SLOW, "", 0, NULL},
};

START_TEST(known)
{
	bool is = needless(cases[_i].verb, cases[_i].label, cases[_i].value);

	ck_assert(is == (cases[_i].says != NULL));
	if (is)
		ck_assert_str_eq(words, cases[_i].says);
}
END_TEST

/* Something was done since, or the connection broke, or the server told of an older state. */
START_TEST(not_fresh)
{
	struct event act = {.type = EVENT_PRESENCE,
		.room = (char *)"den",
		.change = CHANGE_ACT,
		.nick = (char *)"anna",
		.text = (char *)"did it",
		.number = 3};
	struct event many = {.type = EVENT_MEMBERS, .room = (char *)"den", .number = 1000};

	ck_assert(needless(ACT_MODERATOR, "anna", 0));
	ck_assert_int_eq(model_apply(&m, &act), 0);
	ck_assert(!needless(ACT_MODERATOR, "anna", 0));
	charter(false, WHOLE);
	ck_assert(!needless(ACT_MODERATOR, "anna", 0));
	charter(true, WHOLE);
	ck_assert(needless(ACT_MODERATOR, "anna", 0));
	model_doubt_ranks(&m, NULL);
	ck_assert(!needless(ACT_MODERATOR, "anna", 0));
	charter(true, WHOLE);
	ck_assert_int_eq(model_apply(&m, &many), 0); /* where nobody is told of acts */
	ck_assert(!den->ranks.fresh);
	ck_assert(!needless(ACT_ENTRY, "", ENTRY_INVITED));
}
END_TEST

/* Who is muted, invited or banned is told to those of a rank alone. */
START_TEST(hidden_lists)
{
	charter(true, NOT_OWNER);
	ck_assert(!needless(ACT_UNMUTE, "boris", 0));
	ck_assert(!needless(ACT_UNINVITE, "boris", 0));
	ck_assert(!needless(ACT_UNBAN, "10.0.0.0/9", 0));
	ck_assert(needless(ACT_NO_VOICE, "boris", 0));
}
END_TEST

/* A list that the server had to cut proves nothing of who is not on it. */
START_TEST(cut_lists)
{
	struct event_standing all[LIST_MAX];
	struct event e = {.type = EVENT_RANKS,
		.room = (char *)"den",
		.own = true,
		.standings = all,
		.count = LIST_MAX};

	for (size_t i = 0; i < LIST_MAX; i++)
		all[i] = standing(STANDING_VOICE, anna, "anna");
	ck_assert_int_eq(model_apply(&m, &e), 0);
	ck_assert(needless(ACT_VOICE, "anna", 0));
	ck_assert(!needless(ACT_NO_VOICE, "boris", 0));
}
END_TEST

Suite *needless_suite(void)
{
	Suite *s = suite_create("needless");
	TCase *t = tcase_create("acts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, known, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, not_fresh);
	tcase_add_test(t, hidden_lists);
	tcase_add_test(t, cut_lists);
	suite_add_tcase(s, t);
	return s;
}
