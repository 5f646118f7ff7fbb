/*
 * "Did you mean ...?": the nearest known word to one that was mistyped.
 *
 *     struct suggestion s;
 *     suggest_begin(&s, "lisen", 5);
 *     for each known word: suggest_offer(&s, known);
 *     if (s.nearest) ...
 *
 * Near is a small number of letters missing, added, wrong or swapped with their
 * neighbour, small compared with the word's length. A plain value, allocates
 * nothing; any thread.
 */
#ifndef LANCHAT_SUGGEST_H
#define LANCHAT_SUGGEST_H

#include <stddef.h>

#define SUGGEST_WORD_MAX 32 /* longer words are not compared */

struct suggestion {
	const char *word;    /* borrowed, not terminated */
	const char *nearest; /* borrowed from whoever offered it; NULL when nothing is near */
	size_t length;
	size_t distance; /* of `nearest`, or one more than is still near */
};

/* Look for words near the `length` bytes at `word`. */
void suggest_begin(struct suggestion *s, const char *word, size_t length);

/* Remember `candidate` if it is nearer than all before it. */
void suggest_offer(struct suggestion *s, const char *candidate);

#endif
