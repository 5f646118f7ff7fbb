/*
 * What came of one scenario: a plain value that outlives its stage.
 */
#ifndef LANCHAT_LAB_OUTCOME_H
#define LANCHAT_LAB_OUTCOME_H

#include "tools/lab/stage.h"

struct outcome_check {
	enum side side;
	enum verdict verdict;
	char *text, *measured; /* owned */
};

struct outcome {
	struct stage_options options;
	bool shown;                  /* it was played; else `reason` says why not */
	int error;                   /* of stage_play, or of opening the stage; 0 */
	char trouble[STAGE_TROUBLE]; /* which call kept it from its end; "" */
	char reason[SITE_REASON];
	struct outcome_check *checks; /* owned */
	size_t checks_count, held, failed, open;
	struct score score[SIDES];
	struct wire_counts wire[SIDES];
	int64_t milliseconds;
};

/* Take it from a stage that has played. ERR_MEMORY, and nothing to free. */
int outcome_take(struct outcome *out, struct stage *s, int error);
void outcome_fini(struct outcome *o);

/* Played to its end, and everything held. */
bool outcome_good(const struct outcome *o);

/* Something was not as asserted, or kept it from its end. Else, where it is not good either, something
 * was not shown. */
bool outcome_bad(const struct outcome *o);

/* What kept it from its end, in words; only where there is an error. */
const char *outcome_error(const struct outcome *o);

#endif
