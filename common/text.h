/*
 * Text as it is seen: grapheme clusters and columns (utf8proc's tables).
 *
 * A cluster is what a reader takes for one character (Unicode TR 29); a terminal
 * cell or two hold it. Cursor movement, deletion and wrapping go by clusters,
 * layout by columns, never by bytes. Input need not be valid: a byte that is not
 * part of well-formed UTF-8 counts as one cluster of one column (shown as U+FFFD).
 * Pure functions; any thread.
 */
#ifndef LANCHAT_TEXT_H
#define LANCHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the cluster that starts at `text` (0 only when `length` is 0), and in `*columns`, unless
 * NULL, how many columns it takes: 0, 1 or 2, as text_sanitize would show it. 0 is only for \n and
 * for what cannot be seen. */
size_t text_cluster(const char *text, size_t length, int *columns);

/* Is that cluster part of a word in a script that puts blanks between words, though it may have two
 * columns, as a letter with a vowel sign beside it does in Hindi? */
bool text_is_syllable(const char *cluster, size_t length);

/* Where the cluster that ends at `at` begins; 0 at the start. */
size_t text_cluster_before(const char *text, size_t at);

/* Columns of all of it. */
size_t text_columns(const char *text, size_t length);

/* How many bytes fit in `columns` columns, cut between clusters; `*used` gets the columns taken. */
size_t text_fit(const char *text, size_t length, size_t columns, size_t *used);

/* A clean copy for drawing: what is not well-formed or must not be drawn (controls, bidi overrides,
 * separators) becomes U+FFFD, a tab one blank; what cannot be seen is left out; a mark with nothing
 * to sit on gets a dotted circle, and a cluster keeps at most 8 marks. \n is kept where `newlines`.
 * Allocated; NULL when memory is out. */
char *text_sanitize(const char *text, size_t length, int newlines);

#endif
