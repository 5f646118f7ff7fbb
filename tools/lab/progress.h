/*
 * A sign that a scenario still plays: a line on a terminal, each second, from a thread of its own, and
 * erased when it is over. Where there is no terminal nothing is written.
 */
#ifndef LANCHAT_LAB_PROGRESS_H
#define LANCHAT_LAB_PROGRESS_H

#include "tools/lab/stage.h"

#include <stdio.h>

struct progress;

/* `s` and `out` are borrowed until progress_stop. NULL: nothing is shown, for there is no terminal, or no
 * memory or thread for it. */
struct progress *progress_start(struct stage *s, FILE *out);
/* NULL is fine. */
void progress_stop(struct progress *p);

/* What stands in the line after so long. */
#define PROGRESS_LINE 160
char *progress_line(struct stage *s, int64_t ms, char out[PROGRESS_LINE]);

#endif
