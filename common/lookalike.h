/*
 * Look-alikes: which names pass for each other.
 *
 * A name's look is what its characters look like, by Unicode's table of those that are
 * confused (UTS 39), with its case folded: Cyrillic "оса" looks like "oca", "a1ice" like
 * "alice". Marks that hardly anybody knows, or that are hidden by what they stand on, are
 * no part of it. Case matters to the eye, for a capital I is an l, and does not matter to who
 * owns a name; so a name has two looks, as it is written and as it is when folded. Two
 * names look alike where one has a look of the other; those that are the same when
 * folded (name.h) do as well.
 *
 * Pure functions; any thread.
 */
#ifndef LANCHAT_LOOKALIKE_H
#define LANCHAT_LOOKALIKE_H

#include <stdbool.h>
#include <stddef.h>

#define LOOK_MAX  384 /* one look with its terminator */
#define LOOKS_MAX 2   /* of a name */

/* The looks of a name, terminated; first that of its folded form, which is that of all its spellings. */
struct looks {
	size_t count; /* 1 where both are the same */
	char at[LOOKS_MAX][LOOK_MAX];
};

/* ERR_TEXT: not a clean name; ERR_TOO_BIG: too long, as it looks. */
int looks_of(const char *name, size_t length, struct looks *out);

/* Have the two a look in common? */
bool looks_meet(const struct looks *a, const struct looks *b);

#endif
