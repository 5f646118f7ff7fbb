/*
 * The key map: which keys do what, in a table that prints itself (F1).
 *
 * Editing keys are those of Emacs and of shells. The table names actions; the
 * chat screen does them. Pure; any thread.
 */
#ifndef LANCHAT_KEYMAP_H
#define LANCHAT_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#define KEYMAP_KEYS 4 /* keys that one thing may have */

enum action {
	ACTION_EDIT, /* argument: enum editor_operation */
	ACTION_SEND,
	ACTION_NEW_LINE,
	ACTION_OLDER,
	ACTION_NEWER,
	ACTION_COMPLETE,
	ACTION_COMPLETE_BACK,
	ACTION_BUFFER_NEXT,
	ACTION_BUFFER_PREVIOUS,
	ACTION_BUFFER_UNREAD,
	ACTION_BUFFER_LAST,
	ACTION_BUFFER_NUMBER, /* argument: 1 to 9 */
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_LINE_UP,
	ACTION_LINE_DOWN,
	ACTION_TOP,
	ACTION_BOTTOM,
	ACTION_MARKER,
	ACTION_HELP,
	ACTION_TOGGLE_ROOMS,
	ACTION_TOGGLE_MEMBERS,
	ACTION_REDRAW,
	ACTION_CANCEL, /* Esc: close what is open, go to the newest line */
	ACTION_SUSPEND,
	ACTION_INTERRUPT,   /* empties the input; twice on an empty one: quit */
	ACTION_END_OF_FILE, /* deletes, or on an empty input asks to quit */
};

struct binding {
	enum action action;
	int argument;
	uint32_t keys[KEYMAP_KEYS]; /* 0 where there are fewer */
	const char *help;           /* NULL: the row above tells it */
};

/* The table, and how many rows it has. */
const struct binding *keymap_table(size_t *count);

/* The row of a key; NULL when it has none. */
const struct binding *keymap_find(uint32_t key);

/* One line of help for a row: "Ctrl-A, Home        to the start of the line", cut to `size`; the
 * words begin at this column. Returns `out`. */
#define KEYMAP_HELP_COLUMN 28
char *keymap_print(const struct binding *b, char *out, size_t size);

#endif
