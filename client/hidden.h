/*
 * A line that is typed and not shown: a password.
 *
 * It has no cursor, no history and no undo, and is kept in one place alone, which
 * is wiped when the line has been used. What is shown of it is a bullet for each
 * character. Plain value, one thread; whoever copies the text wipes the copy.
 */
#ifndef LANCHAT_HIDDEN_H
#define LANCHAT_HIDDEN_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>

#define HIDDEN_SHOWN (PASSWORD_MAX * 3 + 1) /* bytes of bullets, with the terminator */

struct hidden {
	char text[PASSWORD_MAX + 1]; /* terminated */
	size_t length;
};

/* Put `length` bytes behind the others. ERR_TEXT: they are no UTF-8, or have control characters;
 * ERR_TOO_BIG: they do not fit. Nothing changed then. */
int hidden_add(struct hidden *h, const char *bytes, size_t length);

/* Take the last character away. False when there is none. */
bool hidden_back(struct hidden *h);

/* Forget all of it, so that nothing of it is left in memory. */
void hidden_wipe(struct hidden *h);

/* A bullet for each character. Returns `out`. */
char *hidden_print(const struct hidden *h, char out[HIDDEN_SHOWN]);

#endif
