/*
 * Recall: the lines that were sent, to have them again with Up and Down.
 *
 * While the user walks through them, what was being written is kept as the draft
 * below the newest. A line that is changed on the way is what is being written from
 * then on, and the draft is among those that can be had again. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_RECALL_H
#define LANCHAT_RECALL_H

#include <stddef.h>

#define RECALL_MOST 500

struct recall {
	char *lines[RECALL_MOST]; /* owned; the oldest first */
	size_t count;
	size_t back; /* how far back the user is; 0: at the draft */
	char *draft; /* owned; NULL unless the user is back */
};

/* A zeroed recall is empty. */
void recall_fini(struct recall *r);

/* Remember a line, unless it is the newest one already, and go back to the end. Without memory it
 * is not remembered. */
void recall_add(struct recall *r, const char *line);

/* The line before the one shown; NULL at the oldest. `shown` is what the user has there now, as in the
 * next two. Borrowed until the next call, as those are. */
const char *recall_older(struct recall *r, const char *shown);

/* The line after the one shown, the draft at last; NULL when the draft is shown already. */
const char *recall_newer(struct recall *r, const char *shown);

/* End the walk. Returns what the user was writing: `shown`, or the draft. */
const char *recall_leave(struct recall *r, const char *shown);

#endif
