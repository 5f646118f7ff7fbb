/*
 * Text in two columns, wrapped between words: each side is filled by itself, and both are put out
 * together. ASCII. One thread.
 */
#ifndef LANCHAT_LAB_COLUMNS_H
#define LANCHAT_LAB_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

#define COLUMNS_LEAST 40 /* of a line, below which nothing is readable */

struct columns {
	FILE *out; /* borrowed */
	size_t width;
	struct {
		char **lines; /* owned */
		size_t count, room;
	} side[2];
};

void columns_init(struct columns *c, FILE *out, size_t width);
void columns_fini(struct columns *c);

/* Add text to a side; lines after the first begin `hang` columns further in. Where memory is short it is
 * left out. */
void columns_add(struct columns *c, int side, size_t hang, const char *text);

/* Put out what both have, side by side, and begin anew. */
void columns_flush(struct columns *c);

/* Put out text over the whole width, with `before` in front of its first line and blanks of the same
 * length in front of the others. Flushes first. */
void columns_wide(struct columns *c, const char *before, const char *text);

#endif
