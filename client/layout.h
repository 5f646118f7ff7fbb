/*
 * Layout: where on the screen each pane is.
 *
 *     topic  topic  topic  topic
 *     rooms | messages | members
 *     rooms | messages | members
 *     status status status status
 *     input  input  input  input
 *
 * A narrow terminal loses the members first, then the rooms; a low one the topic,
 * then the status. Messages and input share what is left, down to one cell. A
 * pane that is not shown has no columns or no lines. Pure; any thread.
 */
#ifndef LANCHAT_LAYOUT_H
#define LANCHAT_LAYOUT_H

#include <stdbool.h>

struct rect {
	int y, x, lines, columns;
};

struct layout {
	struct rect topic, rooms, messages, members, status, input;
	int rooms_rule, members_rule; /* the column of the line between the panes; -1: none */
};

struct layout_wishes {
	bool rooms, members; /* wanted, where there is room */
};

/* Lay out a screen of `lines` by `columns`, both at least 1. */
struct layout layout_make(int lines, int columns, struct layout_wishes wishes);

/* Is the cell in the rectangle? */
bool rect_has(struct rect r, int y, int x);

#endif
