/*
 * A run for people to read: calls and words of both sides in two columns, then what was checked.
 *
 * Source of all of it is the journal. One thread.
 */
#ifndef LANCHAT_LAB_TRANSCRIPT_H
#define LANCHAT_LAB_TRANSCRIPT_H

#include "tools/lab/outcome.h"

#include <stdio.h>

/* What a scenario is about; before it is played. */
void transcript_begin(const struct stage_options *o, FILE *out, size_t width);

/* What happened in it, and what came of it. `j` NULL: it was not shown. */
void transcript_end(const struct outcome *o, const struct journal *j, FILE *out, size_t width);

/* The last lines of a run. */
void transcript_total(const struct outcome *all, size_t count, uint64_t seed, FILE *out);

#endif
