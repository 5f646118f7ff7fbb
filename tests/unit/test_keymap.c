/*
 * The key map: no key means two things, and everything has its help.
 */
#include "client/keymap.h"

#include "client/editor.h"
#include "client/keys.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

START_TEST(no_key_twice)
{
	size_t count;
	const struct binding *table = keymap_table(&count);

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_ne(table[i].keys[0], 0);
		for (size_t j = 0; j < KEYMAP_KEYS; j++) {
			if (table[i].keys[j] == 0)
				continue;
			ck_assert_msg(keymap_find(table[i].keys[j]) == &table[i],
				"row %zu, key %zu has another row", i, j);
			for (size_t k = 0; k < j; k++)
				ck_assert_uint_ne(table[i].keys[j], table[i].keys[k]);
		}
	}
}
END_TEST

START_TEST(everything_has_help)
{
	size_t count;
	const struct binding *table = keymap_table(&count);
	char line[256];

	ck_assert_ptr_nonnull(table[0].help);
	for (size_t i = 0; i < count; i++) {
		if (!table[i].help) {
			ck_assert_int_eq(table[i].action, table[i - 1].action);
			continue;
		}
		keymap_print(&table[i], line, sizeof line);
		ck_assert_str_eq(line + KEYMAP_HELP_COLUMN, table[i].help);
		ck_assert_int_eq(line[KEYMAP_HELP_COLUMN - 1], ' ');
		ck_assert_uint_lt(strlen(line), 100);
	}
}
END_TEST

START_TEST(every_editing_operation)
{
	size_t count;
	const struct binding *table = keymap_table(&count);

	for (int op = EDIT_START; op <= EDIT_UNDO; op++) {
		bool found = false;
		for (size_t i = 0; i < count; i++)
			found |= table[i].action == ACTION_EDIT && table[i].argument == op;
		ck_assert_msg(found, "operation %d has no key", op);
	}
}
END_TEST

START_TEST(looked_up)
{
	ck_assert_ptr_null(keymap_find(0));
	ck_assert_ptr_null(keymap_find('a'));
	ck_assert_ptr_null(keymap_find(0x436));
	ck_assert_int_eq(keymap_find(K_F1)->action, ACTION_HELP);
	ck_assert_int_eq(keymap_find(K_ALT | 'a')->action, ACTION_BUFFER_UNREAD);
	ck_assert_int_eq(keymap_find(K_ALT | '7')->argument, 7);
}
END_TEST

START_TEST(cut_help)
{
	size_t count;
	const struct binding *table = keymap_table(&count);
	char line[8];

	for (size_t i = 0; i < count; i++)
		ck_assert_uint_lt(strlen(keymap_print(&table[i], line, sizeof line)), sizeof line);
}
END_TEST

Suite *keymap_suite(void)
{
	Suite *s = suite_create("keymap");
	TCase *t = tcase_create("table");

	tcase_add_test(t, no_key_twice);
	tcase_add_test(t, everything_has_help);
	tcase_add_test(t, every_editing_operation);
	tcase_add_test(t, looked_up);
	tcase_add_test(t, cut_help);
	suite_add_tcase(s, t);
	return s;
}
