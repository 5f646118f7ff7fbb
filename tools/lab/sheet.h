/*
 * A sheet: entries of the journal as lines of text, wrapped to a width. Calls are one sheet for each
 * side; words and verdicts are another, the story. Nothing is kept of an entry but where its lines
 * begin. Lines are UTF-8, without anything that could move a cursor. One thread; the journal is
 * borrowed, and must outlive the sheet.
 */
#ifndef LANCHAT_LAB_SHEET_H
#define LANCHAT_LAB_SHEET_H

#include "tools/lab/journal.h"

#include <stdbool.h>
#include <stddef.h>

#define SHEET_LINE 1024 /* bytes, that no line is longer than */

enum sheet_what {
	SHEET_CALLS,
	SHEET_STORY,
	SHEET_FIRST_VOICE, /* what the program of that number printed, on any side */
	SHEET_SECOND_VOICE,
};

enum sheet_look {
	SHEET_PLAIN,
	SHEET_NEWEST, /* of the last call */
	SHEET_FAILED_CALL,
	SHEET_WHY,  /* beside a call */
	SHEET_HELD, /* an assertion */
	SHEET_FAILED,
};

struct sheet;

/* Of that side; SIDE_BOTH: of all. NULL where memory is short. */
struct sheet *sheet_new(const struct journal *j, enum sheet_what what, enum side side);
void sheet_free(struct sheet *s);

/* What stands before all entries; borrowed. Before the first sheet_read. */
void sheet_preface(struct sheet *s, const char *text);

/* Take what there is now, in lines of `columns`. Where memory is short it goes on from there the next
 * time. */
void sheet_read(struct sheet *s, size_t columns);

size_t sheet_count(const struct sheet *s);

/* A line, and how it looks; "" where there is none. Returns `out`. */
char *sheet_line(const struct sheet *s, size_t line, enum sheet_look *look, char out[SHEET_LINE]);

#endif
