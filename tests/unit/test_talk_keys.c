/*
 * The chat screen: what keys, clicks and pastes do to the input line when another room comes into view, or
 * something is open over it. No terminal is needed.
 */
#include "client/talk_private.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, other[PERSON_ID] = {2};
static struct talk t;
static size_t lobby, games;

static void setup(void)
{
	t = (struct talk){.layout = {.messages = {.lines = 20, .columns = 60},
				  .rooms = {.lines = 20, .columns = 15}}};
	ck_assert_int_eq(model_init(&t.model, me, "me"), 0);
	struct buffer *b = model_open_room(&t.model, "lobby");
	ck_assert_int_eq(roster_put(&b->roster, other, "bob", PERSON_HERE, ""), 0);
	ck_assert_int_eq(roster_put(&b->roster, other, "boris", PERSON_HERE, ""), 0);
	lobby = model_index(&t.model, b);
	games = model_index(&t.model, model_open_room(&t.model, "games"));
	talk_show(&t, lobby);
}

static void teardown(void)
{
	complete_reset(&t.completion);
	recall_fini(&t.recall);
	editor_fini(&t.editor);
	paste_fini(&t.paste);
	model_fini(&t.model);
}

static void type(const char *text)
{
	for (; *text; text++)
		talk_key(&t, (unsigned char)*text);
}

static void click(size_t room)
{
	talk_mouse(&t, &(struct input){.kind = INPUT_MOUSE, .mouse = MOUSE_CLICK, .y = (int)room});
}

static void paste(const char *text)
{
	size_t length = strlen(text);

	talk_paste(&t, &(struct input){.kind = INPUT_PASTE,
			       .paste = text,
			       .paste_length = length,
			       .paste_total = length});
}

/* Tab goes on with the line that it began in, and in no other. */
START_TEST(tab_click_tab)
{
	type("hello bo");
	talk_key(&t, K_TAB);
	ck_assert(t.completion.active);
	click(games);
	ck_assert_uint_eq(t.model.current, games);
	talk_key(&t, K_TAB);
	ck_assert_str_eq(editor_text(&t.editor), "");
	click(lobby);
	ck_assert_str_eq(editor_text(&t.editor), "hello bob ");
	ck_assert(!t.completion.active);
}
END_TEST

/* Each room keeps what is being written there, also while older lines are looked at. */
START_TEST(drafts_and_older_lines)
{
	recall_add(&t.recall, "said before");
	talk_show(&t, games);
	type("half a sentence");
	talk_show(&t, lobby);
	type("private words");
	talk_key(&t, K_UP);
	ck_assert_str_eq(editor_text(&t.editor), "said before");
	talk_show(&t, games);
	ck_assert_str_eq(editor_text(&t.editor), "half a sentence");
	talk_key(&t, K_DOWN);
	ck_assert_str_eq(editor_text(&t.editor), "half a sentence");
	talk_key(&t, K_UP);
	talk_key(&t, K_DOWN);
	ck_assert_str_eq(editor_text(&t.editor), "half a sentence");
	talk_show(&t, lobby);
	ck_assert_str_eq(editor_text(&t.editor), "private words");
}
END_TEST

/* What is pasted never goes into a line that is covered, and closes nothing. */
START_TEST(paste_below_something)
{
	static const enum talk_overlay overlays[] = {OVERLAY_HELP, OVERLAY_FOUND, OVERLAY_RACE};

	for (size_t i = 0; i < 3; i++) {
		t.overlay = overlays[i];
		paste("one line");
		ck_assert_str_eq(editor_text(&t.editor), "");
		paste("two\nlines");
		ck_assert_int_eq((int)t.overlay, (int)overlays[i]);
		ck_assert_ptr_null(t.paste.text);
		ck_assert_str_ne(t.hint, "");
	}
	t.overlay = OVERLAY_NONE;
	paste("one line");
	ck_assert_str_eq(editor_text(&t.editor), "one line");
}
END_TEST

/* Past the end of a box, and further, before it is drawn. */
START_TEST(end_and_further)
{
	t.overlay = OVERLAY_HELP;
	talk_key(&t, K_END);
	talk_key(&t, K_DOWN);
	talk_key(&t, K_PAGE_DOWN);
	ck_assert_uint_gt(t.box_top, SIZE_MAX / 2);
	talk_key(&t, K_HOME);
	ck_assert_uint_eq(t.box_top, 0);
	t.overlay = OVERLAY_NONE;
}
END_TEST

Suite *talk_keys_suite(void)
{
	Suite *s = suite_create("talk_keys");
	TCase *tc = tcase_create("talk_keys");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, tab_click_tab);
	tcase_add_test(tc, drafts_and_older_lines);
	tcase_add_test(tc, paste_below_something);
	tcase_add_test(tc, end_and_further);
	suite_add_tcase(s, tc);
	return s;
}
