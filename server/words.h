/*
 * Words: what a search compares.
 *
 * A text is folded (NFKC_Casefold, and without the marks on its letters, so that
 * "Ёлка" is found by "елка" and "Café" by "cafe"; only й stays apart from и, and what
 * spells stays, such as the vowel signs of Devanagari) and cut into words: runs of
 * letters, marks and numbers. A character of a script that is written without blanks
 * (Han, Kana, Thai and the like) is a word of its own. Text that is not UTF-8 has none.
 *
 * A search is words, each of which must occur; words in quotation marks must follow
 * each other, and so must the characters of a script without blanks. The last word,
 * unless it is quoted or something follows it, be it a blank, or it is a single
 * letter, may be the beginning of one.
 *
 * Pure; any thread.
 */
#ifndef LANCHAT_SERVER_WORDS_H
#define LANCHAT_SERVER_WORDS_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>

#define WORDS_TERMS 32 /* of one search; what follows is left out */

/* The words of a text, folded, with one blank between any two; terminated, for the caller to free.
 * NULL when memory is out; "" where there is none. */
char *words_fold(struct span text);

/* One thing to look for: words that follow each other, as words_fold has them. */
struct words_term {
	const char *words; /* into the search's own memory */
	bool prefix;       /* the last one may go on */
};

struct words_search {
	char *folded; /* owned */
	struct words_term terms[WORDS_TERMS];
	size_t count;
};

/* ERR_ARGUMENT: there is no word in it; ERR_MEMORY. Pair with words_fini. */
int words_parse(struct span words, struct words_search *out);
void words_fini(struct words_search *s);

/* Does a folded text have all that is looked for? */
bool words_match(const struct words_search *s, const char *folded);

/* The search as an expression of SQLite's FTS5 for a column `column` of folded texts; for the caller
 * to free. NULL when memory is out. */
char *words_expression(const struct words_search *s, const char *column);

#endif
