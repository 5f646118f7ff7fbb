/*
 * The line editor: each operation on texts of one, two and four bytes a character.
 */
#include "client/editor.h"

#include "common/err.h"
#include "common/utf8.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The cursor is the | in a text. */
static void setup(struct editor *e, const char *marked)
{
	const char *bar = strchr(marked, '|');

	ck_assert_ptr_nonnull(bar);
	*e = (struct editor){0};
	ck_assert_int_eq(editor_insert(e, marked, (size_t)(bar - marked)), 0);
	size_t cursor = e->cursor;
	ck_assert_int_eq(editor_insert(e, bar + 1, strlen(bar + 1)), 0);
	e->cursor = cursor;
	e->last = EDITOR_OTHER;
}

static void expect(const struct editor *e, const char *marked)
{
	char got[512];

	(void)snprintf(got, sizeof got, "%.*s|%s", (int)e->cursor, editor_text(e),
		editor_text(e) + e->cursor);
	ck_assert_str_eq(got, marked);
}

static const struct {
	enum editor_operation operation;
	const char *before, *after;
} cases[] = {
	{EDIT_START, "ab|c", "|abc"},
	{EDIT_END, "a|bc", "abc|"},
	{EDIT_BACK, "ab|c", "a|bc"},
	{EDIT_BACK, "|abc", "|abc"},
	{EDIT_BACK, "a\u0436|b", "a|\u0436b"},
	{EDIT_BACK, "ae\u0301|b", "a|e\u0301b"},
	{EDIT_BACK, "a\U0001f468\u200d\U0001f469|", "a|\U0001f468\u200d\U0001f469"},
	{EDIT_FORWARD, "a|bc", "ab|c"},
	{EDIT_FORWARD, "abc|", "abc|"},
	{EDIT_FORWARD, "|\U0001f1e9\U0001f1ea!", "\U0001f1e9\U0001f1ea|!"},
	{EDIT_FORWARD, "a|e\u0301b", "ae\u0301|b"},
	{EDIT_WORD_BACK, "one two|", "one |two"},
	{EDIT_WORD_BACK, "one, |two", "|one, two"},
	{EDIT_WORD_BACK, "\u043e\u0434\u0438\u043d \u0434\u0432\u0430|",
		"\u043e\u0434\u0438\u043d |\u0434\u0432\u0430"},
	{EDIT_WORD_FORWARD, "|one two", "one| two"},
	{EDIT_WORD_FORWARD, "one|, two", "one, two|"},
	{EDIT_DELETE_BACK, "ab|c", "a|c"},
	{EDIT_DELETE_BACK, "ae\u0301|", "a|"},
	{EDIT_DELETE_BACK, "|a", "|a"},
	{EDIT_DELETE, "a|bc", "a|c"},
	{EDIT_DELETE, "|\U0001f44d\U0001f3fd!", "|!"},
	{EDIT_DELETE, "a|", "a|"},
	{EDIT_KILL_TO_END, "ab|cd", "ab|"},
	{EDIT_KILL_TO_START, "ab|cd", "|cd"},
	{EDIT_KILL_WORD_BACK, "one a.b|", "one |"},
	{EDIT_KILL_WORD_BACK, "one two  |", "one |"},
	{EDIT_KILL_NAME_BACK, "one a.b|", "one a.|"},
	{EDIT_KILL_NAME_BACK, "one \u09ac\u09be\u0982\u09b2\u09be|", "one |"},
	{EDIT_KILL_WORD_FORWARD, "|one two", "| two"},
	{EDIT_TRANSPOSE, "ab|", "ba|"},
	{EDIT_TRANSPOSE, "a|b", "ba|"},
	{EDIT_TRANSPOSE, "|ab", "|ab"},
	{EDIT_TRANSPOSE, "\u0436|e\u0301", "e\u0301\u0436|"},
	{EDIT_UPPER, "|one two", "ONE| two"},
	{EDIT_LOWER, "|ONE two", "one| two"},
	{EDIT_CAPITAL, "| oNE two", " One| two"},
	{EDIT_UPPER, "|\u0436\u0443\u043a", "\u0416\u0423\u041a|"},
	{EDIT_YANK, "a|b", "a|b"},
	{EDIT_YANK_POP, "a|b", "a|b"},
};

START_TEST(operation)
{
	struct editor e;

	setup(&e, cases[_i].before);
	bool changed = editor_do(&e, cases[_i].operation);
	expect(&e, cases[_i].after);
	ck_assert(changed == (strcmp(cases[_i].before, cases[_i].after) != 0));
	editor_fini(&e);
}
END_TEST

START_TEST(on_nothing)
{
	for (int op = EDIT_START; op <= EDIT_UNDO; op++) {
		struct editor e = {0};
		ck_assert(!editor_do(&e, (enum editor_operation)op));
		ck_assert_str_eq(editor_text(&e), "");
		editor_fini(&e);
	}
}
END_TEST

START_TEST(kill_ring)
{
	struct editor e;

	setup(&e, "one two three|");
	editor_do(&e, EDIT_KILL_WORD_BACK);
	editor_do(&e, EDIT_KILL_WORD_BACK);
	expect(&e, "one |");
	editor_do(&e, EDIT_YANK); /* cut in a row: one kill */
	expect(&e, "one two three|");
	editor_do(&e, EDIT_START);
	editor_do(&e, EDIT_KILL_WORD_FORWARD);
	editor_do(&e, EDIT_END);
	editor_do(&e, EDIT_YANK);
	expect(&e, " two threeone|");
	ck_assert(editor_do(&e, EDIT_YANK_POP));
	expect(&e, " two threetwo three|");
	ck_assert(editor_do(&e, EDIT_YANK_POP)); /* round */
	expect(&e, " two threeone|");
	editor_do(&e, EDIT_BACK);
	ck_assert(!editor_do(&e, EDIT_YANK_POP));
	for (int i = 0; i < EDITOR_KILLS * 2; i++) {
		editor_do(&e, EDIT_START);
		ck_assert_int_eq(editor_insert(&e, "x", 1), 0);
		editor_do(&e, EDIT_KILL_TO_START);
	}
	ck_assert_uint_eq(e.kill_count, EDITOR_KILLS);
	editor_fini(&e);
}
END_TEST

START_TEST(undo)
{
	struct editor e = {0};

	for (const char *p = "one two"; *p; p++)
		ck_assert_int_eq(editor_insert(&e, p, 1), 0);
	editor_do(&e, EDIT_KILL_TO_START);
	expect(&e, "|");
	ck_assert(editor_do(&e, EDIT_UNDO));
	expect(&e, "one two|");
	ck_assert(editor_do(&e, EDIT_UNDO)); /* a word at a time */
	expect(&e, "one|");
	ck_assert(editor_do(&e, EDIT_UNDO));
	expect(&e, "|");
	ck_assert(!editor_do(&e, EDIT_UNDO));
	/* What changes no letter leaves nothing to be undone. */
	ck_assert_int_eq(editor_set(&e, "one TWO"), 0);
	editor_do(&e, EDIT_UPPER);
	editor_do(&e, EDIT_START);
	editor_do(&e, EDIT_UPPER);
	expect(&e, "ONE| TWO");
	editor_do(&e, EDIT_UPPER);
	expect(&e, "ONE TWO|");
	ck_assert(editor_do(&e, EDIT_UNDO));
	expect(&e, "|one TWO");
	ck_assert(!editor_do(&e, EDIT_UNDO));
	for (int i = 0; i < EDITOR_UNDOS * 2; i++) {
		editor_do(&e, EDIT_END);
		ck_assert_int_eq(editor_insert(&e, "x", 1), 0);
	}
	ck_assert_uint_eq(e.undo_count, EDITOR_UNDOS);
	editor_fini(&e);
}
END_TEST

START_TEST(limit)
{
	struct editor e = {0};
	char *block = malloc(EDITOR_MOST + 1);

	ck_assert_ptr_nonnull(block);
	memset(block, 'x', EDITOR_MOST + 1);
	ck_assert_int_eq(editor_insert(&e, block, EDITOR_MOST + 1), ERR_TOO_BIG);
	ck_assert_int_eq(editor_insert(&e, block, EDITOR_MOST), 0);
	ck_assert_int_eq(editor_insert(&e, "y", 1), ERR_TOO_BIG);
	ck_assert_uint_eq(e.length, EDITOR_MOST);
	ck_assert_uint_eq(strlen(editor_text(&e)), EDITOR_MOST);
	free(block);
	editor_fini(&e);
}
END_TEST

START_TEST(replace)
{
	struct editor e;

	setup(&e, "hi an|, you");
	ck_assert_int_eq(editor_replace(&e, 3, "anna", 4), 0);
	expect(&e, "hi anna|, you");
	ck_assert(editor_do(&e, EDIT_UNDO));
	expect(&e, "hi an|, you");
	editor_fini(&e);
}
END_TEST

/* Whatever the window, the cursor is in it. */
START_TEST(window)
{
	struct editor e;
	size_t start = 0, end, column;

	setup(&e, "abc \u65e5\u672c\u8a9e e\u0301 \U0001f600 line\nline of text, rather long|");
	for (size_t columns = 1; columns < 60; columns++) {
		for (e.cursor = e.length;; editor_do(&e, EDIT_BACK)) {
			start = editor_window(&e, start, columns, &end, &column);
			ck_assert_uint_lt(column, columns);
			ck_assert_uint_le(start, e.cursor);
			ck_assert_uint_le(end, e.length);
			ck_assert(utf8_is_valid(editor_text(&e) + start, end - start));
			if (e.cursor == 0)
				break;
		}
	}
	ck_assert_uint_eq(editor_window(&e, 0, 0, &end, &column), 0);
	ck_assert_uint_eq(end, 0);
	/* All fits: nothing is scrolled away. */
	e.cursor = e.length;
	ck_assert_uint_eq(editor_window(&e, 0, 100, &end, &column), 0);
	ck_assert_uint_eq(end, e.length);
	/* So it is when a narrow window becomes a wide one. */
	start = editor_window(&e, 0, 10, &end, &column);
	ck_assert_uint_gt(start, 0);
	ck_assert_uint_eq(editor_window(&e, start, 100, &end, &column), 0);
	ck_assert_uint_eq(end, e.length);
	/* Where a text that was there before began: this one begins with a whole character. */
	ck_assert_int_eq(editor_set(&e, "a\U0001f44d\U0001f3fdbcdefghijklmnop"), 0);
	e.cursor = 12;
	for (size_t at = 1; at < 9; at++)
		ck_assert_uint_eq(editor_window(&e, at, 16, &end, &column), 1);
	ck_assert_uint_eq(editor_window(&e, 9, 16, &end, &column), 9);
	editor_fini(&e);
}
END_TEST

/* Any operations in any order leave valid text with the cursor inside it. */
START_TEST(random_operations)
{
	static const char *const pieces[] = {"a", " ", "\u0436", "\u0301", "\U0001f468", "\u200d",
		"\U0001f1e9", "\u65e5", "word ", "\n"};
	struct editor e = {0};
	unsigned seed = (unsigned)_i + 1;

	for (int i = 0; i < 3000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned pick = seed >> 16;
		if (pick % 3 == 0) {
			const char *p = pieces[pick / 3 % 10];
			ck_assert_int_eq(editor_insert(&e, p, strlen(p)), 0);
		} else {
			editor_do(&e, (enum editor_operation)(pick / 3 % (EDIT_UNDO + 1)));
		}
		ck_assert_uint_le(e.cursor, e.length);
		ck_assert_uint_eq(strlen(editor_text(&e)), e.length);
		ck_assert(utf8_is_valid(editor_text(&e), e.length));
		ck_assert(utf8_is_valid(editor_text(&e), e.cursor));
		if (e.length > 20000)
			ck_assert_int_eq(editor_set(&e, ""), 0);
	}
	editor_fini(&e);
}
END_TEST

Suite *editor_suite(void)
{
	Suite *s = suite_create("editor");
	TCase *t = tcase_create("operations");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, operation, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, on_nothing);
	tcase_add_test(t, kill_ring);
	tcase_add_test(t, undo);
	tcase_add_test(t, limit);
	tcase_add_test(t, replace);
	tcase_add_test(t, window);
	tcase_add_loop_test(t, random_operations, 0, 8);
	suite_add_tcase(s, t);
	return s;
}
