/*
 * The chat screen: what commands do that need no server. No terminal is needed either.
 */
#include "client/talk_private.h"

#include <check.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, bob[PERSON_ID] = {2};
static struct talk t;
static struct buffer *lobby;

static void setup(void)
{
	t = (struct talk){.layout = {.messages = {.lines = 20, .columns = 60}}};
	ck_assert_int_eq(model_init(&t.model, me, "me"), 0);
	lobby = model_open_room(&t.model, "lobby");
	ck_assert_int_eq(roster_put(&lobby->roster, bob, "bob", PERSON_HERE, ""), 0);
	lobby->people = 1;
	lobby->listed = true;
	talk_show(&t, model_index(&t.model, lobby));
}

static void teardown(void)
{
	editor_fini(&t.editor);
	model_fini(&t.model);
}

static const char *last_line(void)
{
	const struct scrollback *s = &model_current(&t.model)->lines;

	return scrollback_line(s, scrollback_end(s) - 1)->text;
}

/* Nobody is hidden of whom only the nick is known. */
START_TEST(ignore_whom_nobody_knows)
{
	ck_assert(talk_run(&t, "/query carl"));
	ck_assert(!talk_run(&t, "/ignore carl"));
	ck_assert_str_eq(last_line(), "Nobody called carl is here.");
	ck_assert_uint_eq(t.model.ignored_count, 0);
	ck_assert(talk_run(&t, "/ignore bob"));
	ck_assert_uint_eq(t.model.ignored_count, 1);
	ck_assert(model_is_ignored(&t.model, bob));
}
END_TEST

START_TEST(names_of_a_whole_list)
{
	ck_assert(talk_run(&t, "/names"));
	ck_assert_str_eq(last_line(), "1 in #lobby: bob");
}
END_TEST

Suite *talk_command_suite(void)
{
	Suite *s = suite_create("talk_command");
	TCase *tc = tcase_create("talk_command");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ignore_whom_nobody_knows);
	tcase_add_test(tc, names_of_a_whole_list);
	suite_add_tcase(s, tc);
	return s;
}
