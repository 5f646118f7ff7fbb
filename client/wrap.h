/*
 * Wrapping: cutting a text into rows of at most so many columns.
 *
 * Rows are cut after blanks where possible, else between ideographs or emoji,
 * else between any two grapheme clusters; a blank at a cut is not shown. Text is
 * one line (no \n). Pure; any thread.
 */
#ifndef LANCHAT_WRAP_H
#define LANCHAT_WRAP_H

#include <stddef.h>

/* The row that begins at byte `from` and may take `columns` columns: `*end` is the byte after the
 * last one shown. Returns where the next row begins, `length` when this is the last one. Always
 * moves on: a cluster that is wider than `columns` has a row of its own. */
size_t wrap_row(const char *text, size_t length, size_t from, size_t columns, size_t *end);

/* How many rows a text takes whose first row has `first` columns and the others `rest`; at least 1. */
size_t wrap_count(const char *text, size_t length, size_t first, size_t rest);

/* The byte at which row `row` (0: the first) begins; `length` when there are not so many. */
size_t wrap_find(const char *text, size_t length, size_t first, size_t rest, size_t row);

#endif
