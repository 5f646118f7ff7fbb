/*
 * Names of people and rooms: which are allowed, and which are the same.
 *
 * Two names are the same when their folded forms are: NFKC with case folding
 * (Unicode TR 31, by utf8proc), so neither case nor width nor a ligature makes a
 * second "anna".
 *
 * A nick or room name is a clean name (utf8_is_name) of assigned, public code
 * points, begins with a letter or digit or one of _ [ ] { } \ | ^ ` -, and
 * contains none of # @ ~ , : ! " <space>. All this holds for its folded form as
 * well. A word in it, which is a run of letters, marks and digits, has letters of
 * just one of the scripts that look alike: Latin, Greek, Coptic, Cyrillic,
 * Armenian, Cherokee, Lisu.
 *
 * Pure functions; any thread.
 */
#ifndef LANCHAT_NAME_H
#define LANCHAT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_FOLDED_MAX 192 /* a folded name with its terminator: at most three times as long */

/* 0; ERR_TEXT (not clean, a character that may not be there, or mixed scripts); ERR_TOO_BIG (more
 * than `most` bytes, or too long when folded); ERR_ARGUMENT (empty). */
int name_check(const char *name, size_t length, size_t most);

/* What is wrong with a name that name_check refuses as ERR_TEXT or ERR_ARGUMENT, to follow "it cannot be a
 * name: ". */
const char *name_fault(const char *name, size_t length);

/* The folded form, terminated, in `out` (NAME_FOLDED_MAX bytes). Folding twice changes nothing more.
 * ERR_TEXT: not a clean name; ERR_TOO_BIG. */
int name_fold(const char *name, size_t length, char *out);

/* Do the two fold to the same? False when either does not fold. */
bool name_same(const char *a, const char *b);

/* The same for a text that need not be a name, as what a server calls itself, which may have blanks. */
bool name_same_text(const char *a, const char *b);

/* "anna" and 2 to "anna2", shortened on a character's border to fit `most` bytes. `out` has
 * `most` + 1 bytes, and `most` is at least 10. Returns `out`. */
char *name_numbered(const char *name, unsigned number, size_t most, char *out);

#endif
