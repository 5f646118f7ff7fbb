/*
 * Events as lines of text: what `lanchat --pipe` writes.
 *
 * Plain lines (client/plain.h) are messages, and a remark where some are no longer
 * kept. With JSON most events are an object a line. `type`, `room`, `seq`, `id`,
 * `from`, `text` and `time` are always there, null where there is nothing to say;
 * what else there is depends on the type. Nothing is flushed. One thread.
 */
#ifndef LANCHAT_PIPE_PRINT_H
#define LANCHAT_PIPE_PRINT_H

#include "client/link.h"

#include <stdbool.h>
#include <stdio.h>

/* How to print. All is borrowed. */
struct pipe_printer {
	FILE *out;
	bool json;
	const char *nick; /* one's own at the moment */
};

/* Write what is to be written of `e`: nothing, a line, or two. */
void pipe_print(const struct pipe_printer *p, const struct event *e);

/* Is it a message that --until counts: something said in a room? */
bool pipe_counts(const struct event *e);

#endif
