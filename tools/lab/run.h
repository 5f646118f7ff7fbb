/*
 * Scenarios one after the other, without a screen: told as text, kept as JSON and as a capture.
 */
#ifndef LANCHAT_LAB_RUN_H
#define LANCHAT_LAB_RUN_H

#include "tools/lab/lab_options.h"
#include "tools/lab/outcome.h"

#include <stddef.h>

/* Exit statuses. */
#define RUN_GOOD    0
#define RUN_FAILED  1 /* an assertion did not hold, or something failed */
#define RUN_USAGE   2
#define RUN_MISSING 3 /* the system does not allow what a scenario takes */

struct run_request {
	const struct lab_settings *settings; /* borrowed, as all here */
	const struct scenario *const *chosen;
	size_t count;
	const char *command; /* the command line, for the capture */
	/* NULL: hosts can be made. Else what does not allow it, and what is played, is played on
	 * loopback. */
	const char *no_hosts;
};

/* Play them. SIGINT, SIGTERM and SIGHUP, which must be blocked, end the one that plays, and all after
 * it are left out. One of the statuses; what is wrong is told on stderr. */
int run_scenarios(const struct run_request *q);

/* The status of all that was played. */
int run_judge(const struct outcome *all, size_t count);

/* Print the list of scenarios. */
void run_list(FILE *out);

#endif
