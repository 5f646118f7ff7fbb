/*
 * Completion: what Tab makes of the word before the cursor.
 *
 * A word at the start of the line is a nick, and gets ": " after it; a word that
 * begins with / is a command, with # a room; where a command wants a room or a
 * nick, that. Nicks of those who spoke last come first. Tab again takes the next
 * candidate, Shift-Tab the one before; what was typed comes round as well.
 *
 * The caller owns the storage, and calls complete_reset when any other key was
 * pressed; one thread.
 */
#ifndef LANCHAT_COMPLETE_H
#define LANCHAT_COMPLETE_H

#include "client/editor.h"
#include "client/model.h"

#include <stdbool.h>
#include <stddef.h>

#define COMPLETE_MOST 256 /* candidates at most */

struct completion {
	bool active;
	char **candidates; /* owned; each replaces the word as it stands */
	size_t count, room;
	size_t at;    /* the candidate that is in the line; `count`: what was typed */
	size_t start; /* where the word begins in the line */
	char *typed;  /* owned: the word as it was */
	/* Would the command take a nick for something else? Then it gets a @. NULL: it takes nicks alone. */
	bool (*mistaken)(const char *nick);
};

/* A zeroed completion is ready. */
void complete_reset(struct completion *c);

/* Put the next (or, `back`, the previous) candidate into the line. ERR_NOT_FOUND: there is none;
 * ERR_MEMORY, ERR_TOO_BIG. */
int complete_step(struct completion *c, const struct model *m, struct editor *e, bool back);

#endif
