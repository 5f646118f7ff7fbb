/*
 * The line editor: a text, a cursor, a kill ring and undo.
 *
 * Movement and deletion go by grapheme clusters, so nothing is ever cut inside
 * what looks like one character. The text may hold \n, from a paste of several
 * lines. The editor knows no keys and no screen: the key map names its operations.
 * The caller owns the storage; one thread.
 */
#ifndef LANCHAT_EDITOR_H
#define LANCHAT_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#define EDITOR_MOST  65536 /* bytes of text */
#define EDITOR_KILLS 16
#define EDITOR_UNDOS 64

struct editor_undo {
	char *text; /* owned */
	size_t cursor;
};

enum editor_last {
	EDITOR_OTHER,
	EDITOR_TYPED, /* so that a word is undone as a whole */
	EDITOR_KILLED,
	EDITOR_YANKED,
};

struct editor {
	char *text; /* owned, terminated; NULL until something is typed */
	size_t length, room;
	size_t cursor; /* a byte offset, at a code point's border */
	enum editor_last last;
	char *kills[EDITOR_KILLS]; /* owned; the newest first */
	size_t kill_count;
	size_t yanked, yank_from; /* which kill was yanked last, and where it begins */
	struct editor_undo undos[EDITOR_UNDOS];
	size_t undo_count;
};

/* What can be done without an argument. */
enum editor_operation {
	EDIT_START,
	EDIT_END,
	EDIT_BACK,
	EDIT_FORWARD,
	EDIT_WORD_BACK,
	EDIT_WORD_FORWARD,
	EDIT_DELETE_BACK,
	EDIT_DELETE,
	EDIT_KILL_TO_END,
	EDIT_KILL_TO_START,
	EDIT_KILL_WORD_BACK, /* back to a blank, as in a shell */
	EDIT_KILL_NAME_BACK, /* back over letters and digits */
	EDIT_KILL_WORD_FORWARD,
	EDIT_YANK,
	EDIT_YANK_POP, /* straight after a yank: the kill before that one instead */
	EDIT_TRANSPOSE,
	EDIT_UPPER,
	EDIT_LOWER,
	EDIT_CAPITAL,
	EDIT_UNDO,
};

/* A zeroed editor is empty. */
void editor_fini(struct editor *e);

/* The text, terminated; never NULL. Valid until the next change. */
const char *editor_text(const struct editor *e);

/* Replace all of it; the cursor goes to the end. Cannot be undone. ERR_TOO_BIG, ERR_MEMORY. */
int editor_set(struct editor *e, const char *text);

/* Put `length` bytes of valid UTF-8 in at the cursor, which goes after them. ERR_TOO_BIG, ERR_MEMORY:
 * nothing changed. */
int editor_insert(struct editor *e, const char *bytes, size_t length);

/* Replace the bytes from `start` to the cursor, for completion. ERR_TOO_BIG, ERR_MEMORY. */
int editor_replace(struct editor *e, size_t start, const char *bytes, size_t length);

/* Do one thing. False when there was nothing to do or no memory for it. */
bool editor_do(struct editor *e, enum editor_operation operation);

/* The bytes of [`start`, `*end`) to show so that the cursor is seen in a field of `columns` columns;
 * `*cursor_column` is where it stands, counted from the first one shown. Keep `start` from one call
 * to the next, so that the text scrolls only when it must; returns the new one. */
size_t editor_window(
	const struct editor *e, size_t start, size_t columns, size_t *end, size_t *cursor_column);

#endif
