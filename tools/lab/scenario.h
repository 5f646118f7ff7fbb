/*
 * The lessons: one table, one file each.
 *
 * A scenario is a function that makes sockets on the hosts of a stage, talks, says in plain words what
 * happened, and asserts it. Counts and bounds are asserted, never exact times. It knows nothing of
 * screens, reports or options; the stage knows.
 */
#ifndef LANCHAT_LAB_SCENARIO_H
#define LANCHAT_LAB_SCENARIO_H

#include "tools/lab/impair.h"
#include "tools/lab/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stage;

struct scenario {
	int number;
	const char *name;  /* as typed: "short-buffer" */
	const char *title; /* "A buffer that is too short" */
	const char *about; /* one or two sentences: the question that it answers */
	enum site_medium medium;
	size_t hosts;
	bool on_loopback;           /* can a relay on loopback show it honestly? */
	struct impairment impaired; /* unless options say otherwise */
	uint32_t count, size;       /* messages, and bytes of each; 0: it has no use for it */

	/* 0 when it ran to its end, whatever its assertions came to; ERR_STOPPING: it was told to stop;
	 * another error: it could not be run. The stage closes what is left open. */
	int (*run)(struct stage *s);
};

/* In order of their numbers, which are their places. */
extern const struct scenario scenarios[];
extern const size_t scenarios_count;

/* How many messages it needs at least to show anything; 0: it sends none that are counted. */
uint32_t scenario_least_count(const struct scenario *x);

/* Do so many messages of that size on that network show what the scenario is about? ERR_ARGUMENT: `error`
 * says in one line what is too small, and the least. */
int scenario_fits(const struct scenario *x, const struct impairment *how, uint32_t count,
	uint32_t size, char *error, size_t error_size);

/* By name or number ("4"); NULL: there is none. */
const struct scenario *scenario_find(const char *name);

#endif
