/*
 * Highlighting: where in a text the words of a search are.
 *
 * Words are compared as a search does it: folded, and without the marks on their
 * letters, so "елка" is in "Ёлка" and "cafe" in "Café". The last word of the search
 * may be the beginning of one in the text, unless it is quoted or a blank follows. Of
 * a script without blanks between words, each character is a word. Pure; any thread.
 */
#ifndef LANCHAT_HIGHLIGHT_H
#define LANCHAT_HIGHLIGHT_H

#include <stdbool.h>
#include <stddef.h>

/* The first word in `text`, at or after the byte `at`, that is one of `words`: its bytes are from
 * `*from` up to `*end`. False when there is none. */
bool highlight_next(const char *text, size_t at, const char *words, size_t *from, size_t *end);

#endif
