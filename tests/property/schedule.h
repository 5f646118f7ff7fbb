/*
 * Schedules: what happens, drawn from a seed.
 *
 * A seed decides everything: how many clients and rooms there are, what the log
 * keeps, and each step. Steps do not depend on what came of the ones before, but
 * for what there is to act on, so a seed brings the same schedule again.
 */
#ifndef LANCHAT_TESTS_SCHEDULE_H
#define LANCHAT_TESTS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a log does. */
enum kind {
	KIND_MEMORY,  /* it ends with the server */
	KIND_PRUNED,  /* the same, and keeps a few messages only */
	KIND_DURABLE, /* it outlives the server */
	KIND_COUNT,
};

/* Sums over schedules. */
struct tally {
	uint64_t schedules, steps, messages, shown, gaps, refused, breaks, restarts;
};

const char *kind_name(enum kind kind);

/* Run one. False when something is wrong, and `what` says what. `story`, unless NULL, is told
 * every step. */
bool schedule_run(
	uint64_t seed, enum kind kind, FILE *story, struct tally *tally, char *what, size_t size);

#endif
