/*
 * Completion: which candidates, in which order, and round again.
 */
#include "client/complete.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, other[PERSON_ID] = {2};
static struct model m;
static struct editor e;
static struct completion c;

static void setup(void)
{
	static const char *const people[] = {
		"me", "anna", "annabel", "boris", "\u0430\u043d\u044f"};

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
	tcase_add_test(t, round_again);
	tcase_add_test(t, last_speaker_first);
	tcase_add_test(t, in_the_middle);
	suite_add_tcase(s, t);
	return s;
}
