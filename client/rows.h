/*
 * Rows: which rows of which lines a pane shows.
 *
 * A line takes a row for each piece that wrapping makes of it, and before those
 * perhaps a row for the day, where it changes, one for the marker of what is
 * unread, and one that tells what is before the oldest line of the log. A pane
 * is filled from the bottom up, so a long scrollback costs what is shown and no
 * more. The place of a pane is the row at its bottom: either the newest one,
 * whatever comes, or a certain row of a certain line, which stays where it is
 * when lines come in or the window changes its size.
 *
 * Pure but for the time zone; one thread.
 */
#ifndef LANCHAT_ROWS_H
#define LANCHAT_ROWS_H

#include "client/scrollback.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* How lines are laid out in a pane of a certain width. */
struct rows_shape {
	size_t columns;
	size_t time_columns; /* "12:34 "; 0: no time */
	size_t nick_columns; /* the nicks' column with the rule after it; 0: nicks are in the text */
	size_t hang;         /* indent of rows after the first, where nicks are in the text */
};

/* Where a pane looks. Zeroed: at the newest line. */
struct rows_place {
	bool back;     /* not at the newest line: */
	uint64_t line; /* the line at the bottom */
	size_t row;    /* and its row, counted from its first one */
};

enum row_kind {
	ROW_TEXT,
	ROW_TOP, /* what is before the oldest line */
	ROW_DAY,
	ROW_MARKER,
};

struct row {
	enum row_kind kind;
	const struct line *line; /* borrowed */
	uint64_t number;         /* the line's */
	bool first;              /* of the line's rows of text */
	size_t from, end;        /* bytes of the text */
};

struct rows_view {
	const struct scrollback *lines;
	struct rows_shape shape;
	uint64_t marker; /* the line before which it stands; UINT64_MAX: none */
	bool top;        /* there is something to tell before the oldest line */
};

/* The shape for a pane of that many columns (at least 1). */
struct rows_shape rows_shape(size_t columns);

/* Columns that the start of a line's first row takes: time, mark, nick. */
size_t rows_indent(const struct rows_shape *shape, const struct line *l);

/* Columns before the text of the other rows. */
size_t rows_hang(const struct rows_shape *shape);

/* Fill `rows`, the topmost first, with up to `most` rows that end at the place. Returns how many. */
size_t rows_fill(
	const struct rows_view *v, const struct rows_place *place, struct row *rows, size_t most);

/* Move the place by `count` rows, in a pane of `height` rows: not above what fills the pane from the
 * oldest line, and beyond the newest row it is at the newest again. */
void rows_up(const struct rows_view *v, struct rows_place *place, size_t height, size_t count);
void rows_down(const struct rows_view *v, struct rows_place *place, size_t count);

/* Let the line be at the pane's top, or as near to it as can be. */
void rows_show(const struct rows_view *v, struct rows_place *place, size_t height, uint64_t line);

/* Let the line be seen with some lines before it, where there are any. */
void rows_reveal(const struct rows_view *v, struct rows_place *place, size_t height, uint64_t line);

/* How many lines of the log are above what a pane of `height` rows shows. */
uint64_t rows_above(const struct rows_view *v, const struct rows_place *place, size_t height);

/* How many lines are below the place. */
uint64_t rows_below(const struct rows_view *v, const struct rows_place *place);

/* Are two times (microseconds since 1970) on different days here? And the local time of one. */
bool rows_other_day(uint64_t a, uint64_t b);
struct tm rows_local(uint64_t time);

#endif
