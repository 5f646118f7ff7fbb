/*
 * Completion: which candidates, in which order, and round again.
 */
#include "client/complete.h"

#include "common/err.h"
#include "common/rights.h"

#include <check.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, other[PERSON_ID] = {2};
static struct model m;
static struct editor e;
static struct completion c;

static void setup(void)
{
	static const char *const people[] = {
		"me", "anna", "annabel", "boris", "\u0430\u043d\u044f", "10.0.0.7"};

	e = (struct editor){0};
	c = (struct completion){0};
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	struct buffer *b = model_open_room(&m, "lobby");
	ck_assert_ptr_nonnull(model_open_room(&m, "dev"));
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
		ck_assert_int_eq(roster_put(&b->roster, other, people[i], PERSON_HERE, ""), 0);
	model_show(&m, model_index(&m, b));
}

static void teardown(void)
{
	complete_reset(&c);
	editor_fini(&e);
	model_fini(&m);
}

/* Who is on which list, of the room and of the server. */
static void tell_ranks(void)
{
	struct event_standing here[] = {
		{.kind = STANDING_BANNED, .label = (char *)"Carl"},
		{.kind = STANDING_BANNED, .label = (char *)"10.0.0.0/8"},
		{.kind = STANDING_BANNED, .label = (char *)"fe80::/10"},
		{.kind = STANDING_BANNED, .label = (char *)"was", .until = 1},
		{.kind = STANDING_MUTED, .label = (char *)"annabel", .person = {2}},
		{.kind = STANDING_MUTED, .label = (char *)"127.0.0.1", .person = {3}},
		{.kind = STANDING_VOICE, .label = (char *)"boris"},
		{.kind = STANDING_INVITED, .label = (char *)"dora"},
		{.kind = STANDING_MODERATOR, .label = (char *)"emil"},
	};
	struct event_standing server[] = {
		{.kind = STANDING_BANNED, .label = (char *)"192.0.2.7"},
		{.kind = STANDING_MODERATOR, .label = (char *)"olga"},
	};

	ck_assert_int_eq(ranks_take(&model_current(&m)->ranks, here, 9, false), 0);
	ck_assert_int_eq(ranks_take(&m.operators, server, 2, true), 0);
	ck_assert_int_eq(
		roster_put(&model_room(&m, "dev")->roster, other, "zoe", PERSON_HERE, ""), 0);
	ck_assert_int_eq(
		roster_put(&model_room(&m, "dev")->roster, other, "anna", PERSON_HERE, ""), 0);
	ck_assert_ptr_nonnull(model_open_direct(&m, NULL, "yan"));
	ck_assert_ptr_nonnull(model_open_direct(&m, NULL, "boris"));
}

/* All that Tab offers after a line, in this order. */
static const struct {
	const char *line, *offers[8];
} rights[] = {
	{"/mode ", {"open ", "key ", "invited ", "moderated ", "free ", "slow "}},
	{"/mode m", {"moderated "}},
	{"/mode -", {"-s "}},
	{"/mode -s ", {NULL}},
	{"/mode moderated ", {"on ", "off "}},
	{"/mode moderated of", {"off "}},
	{"/mode slow ", {"10s ", "1m ", "off "}},
	{"/mode open ", {NULL}},
	{"/mode slow off ", {NULL}},
	{"/kick -", {"-s "}},
	{"/kick bo", {"boris "}},
	{"/kick -s bo", {"boris "}},
	{"/kick boris an", {"anna ", "annabel "}},
	{"/mute -", {NULL}},
	{"/audit ", {"more "}},
	{"/audit -", {"-s "}},
	{"/audit -s m", {"more "}},
	{"/unban ", {"Carl ", "10.0.0.0/8 ", "fe80::/10 "}},
	{"/unban c", {"Carl "}},
	{"/unban @c", {"Carl "}},
	{"/unban fe80::", {"fe80::/10 "}},
	{"/unban -s ", {"192.0.2.7 "}},
	/* Of people whom the commands would take for addresses, or for numbers. */
	{"/ban 10", {"@10.0.0.7 "}},
	{"/ban @10", {"@10.0.0.7 "}},
	{"/kick 10", {"@10.0.0.7 "}},
	{"/race 1", {"@10.0.0.7 "}},
	{"/msg 10", {"10.0.0.7 "}},
	{"/unmute 12", {"@127.0.0.1 "}},
	{"/unmute ", {"annabel ", "@127.0.0.1 "}},
	{"/unvoice ", {"boris "}},
	{"/uninvite ", {"dora "}},
	{"/unmod ", {"emil "}},
	{"/unmod bo", {"boris "}}, /* nobody on the list: all people */
	{"/deop ", {"olga "}},
	{"/invite ", {"yan ", "zoe "}}, /* not those who are here */
	{"/invite bo", {"boris "}},
	{"/search -", {"-a "}},
};

START_TEST(about_rights)
{
	size_t count = 0;

	tell_ranks();
	ck_assert_int_eq(editor_set(&e, rights[_i].line), 0);
	(void)complete_step(&c, &m, &e, false);
	while (count < 8 && rights[_i].offers[count])
		count++;
	ck_assert_uint_eq(c.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(c.candidates[i], rights[_i].offers[i]);
}
END_TEST

/* What one Tab makes of a line. */
static const struct {
	const char *line, *completed; /* NULL: nothing */
} cases[] = {
	{"bo", "boris: "},
	{"BO", "boris: "},
	{"hi bo", "hi boris "},
	{"@bo", "boris: "},
	{"\u0430", "\u0430\u043d\u044f: "},
	{"an", "anna: "},
	{"me", NULL}, /* not oneself */
	{"zzz", NULL},
	{"", NULL},
	{"hi ", NULL},
	{"/jo", "/join "},
	{"/JO", "/join "},
	{"/zzz", NULL},
	{"/join d", "/join dev "},
	{"/join #d", "/join #dev "},
	{"/join ", "/join lobby "},
	{"see #lo", "see #lobby "},
	{"/msg an", "/msg anna "},
	{"/msg bo an", "/msg bo anna "},
	{"/help to", "/help /topic "},
	{"/me an", "/me anna "},
};

START_TEST(completed)
{
	ck_assert_int_eq(editor_set(&e, cases[_i].line), 0);
	int err = complete_step(&c, &m, &e, false);
	if (cases[_i].completed) {
		ck_assert_int_eq(err, 0);
		ck_assert_str_eq(editor_text(&e), cases[_i].completed);
	} else {
		ck_assert_int_eq(err, ERR_NOT_FOUND);
		ck_assert_str_eq(editor_text(&e), cases[_i].line);
		ck_assert(!c.active);
	}
}
END_TEST

START_TEST(round_again)
{
	ck_assert_int_eq(editor_set(&e, "an"), 0);
	complete_step(&c, &m, &e, false);
	ck_assert_str_eq(editor_text(&e), "anna: ");
	complete_step(&c, &m, &e, false);
	ck_assert_str_eq(editor_text(&e), "annabel: ");
	complete_step(&c, &m, &e, false);
	ck_assert_str_eq(editor_text(&e), "an");
	complete_step(&c, &m, &e, true);
	ck_assert_str_eq(editor_text(&e), "annabel: ");
	complete_reset(&c);
	ck_assert_int_eq(editor_set(&e, "an"), 0);
	complete_step(&c, &m, &e, true);
	ck_assert_str_eq(editor_text(&e), "annabel: ");
}
END_TEST

START_TEST(last_speaker_first)
{
	roster_find(&model_current(&m)->roster, "annabel")->spoke = 5;
	ck_assert_int_eq(editor_set(&e, "an"), 0);
	complete_step(&c, &m, &e, false);
	ck_assert_str_eq(editor_text(&e), "annabel: ");
}
END_TEST

START_TEST(in_the_middle)
{
	ck_assert_int_eq(editor_set(&e, "bo you"), 0);
	e.cursor = 2;
	ck_assert_int_eq(complete_step(&c, &m, &e, false), 0);
	ck_assert_str_eq(editor_text(&e), "boris:  you");
	ck_assert_uint_eq(e.cursor, 7);
}
END_TEST

Suite *complete_suite(void)
{
	Suite *s = suite_create("complete");
	TCase *t = tcase_create("words");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, completed, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_loop_test(t, about_rights, 0, (int)(sizeof rights / sizeof rights[0]));
	tcase_add_test(t, round_again);
	tcase_add_test(t, last_speaker_first);
	tcase_add_test(t, in_the_middle);
	suite_add_tcase(s, t);
	return s;
}
