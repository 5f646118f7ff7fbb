/*
 * Which keys do what in lanchat-lab: a table that prints its own help. Pure; any thread.
 */
#ifndef LANCHAT_LAB_KEYS_H
#define LANCHAT_LAB_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define LAB_KEYS_EACH 4 /* keys that one thing may have */

enum lab_action {
	LAB_UP,
	LAB_DOWN,
	LAB_PAGE_UP,
	LAB_PAGE_DOWN,
	LAB_TOP,
	LAB_BOTTOM,
	LAB_CHOOSE, /* argument: 1 to stand still first */
	LAB_DIGIT,  /* argument: 0 to 9 */
	LAB_ALL,
	LAB_HELP,
	LAB_BACK,
	LAB_QUIT,
	LAB_NEXT_PANE,
	LAB_PREVIOUS_PANE,
	LAB_ALONE,
	LAB_PAUSE,
	LAB_STEP,
	LAB_DROP,
	LAB_AGAIN,
	LAB_NEW_SEED,
	LAB_FASTER,
	LAB_SLOWER,
	LAB_LESS, /* argument: enum knob */
	LAB_MORE,
	LAB_RESET,
	LAB_TYPE,
	LAB_REDRAW,
	LAB_SUSPEND,
};

/* Where a key does it. */
#define LAB_IN_MENU  1U
#define LAB_IN_RUN   2U
#define LAB_IN_HELP  4U
#define LAB_ANYWHERE (LAB_IN_MENU | LAB_IN_RUN | LAB_IN_HELP)

struct lab_binding {
	enum lab_action action;
	int argument;
	unsigned where;
	uint32_t keys[LAB_KEYS_EACH]; /* 0 where there are fewer */
	const char *help;             /* NULL: the row above tells it */
};

const struct lab_binding *lab_keys_table(size_t *count);

/* The row of a key in that place; NULL when it has none. */
const struct lab_binding *lab_keys_find(uint32_t key, unsigned where);

/* A row as a line of help: "Up, k                 up", cut to `size`; the words begin at this column.
 * Returns `out`. */
#define LAB_KEYS_HELP_COLUMN 18
char *lab_keys_print(const struct lab_binding *b, char *out, size_t size);

#endif
