/*
 * The options of lanchat-stress, and what a load by name is made of.
 *
 * One thread.
 */
#ifndef LANCHAT_STRESS_OPTIONS_H
#define LANCHAT_STRESS_OPTIONS_H

#include "common/options.h"
#include "tools/stress/plan.h"

#include <stdbool.h>
#include <stddef.h>

#define STRESS_UNSAID (-1)

/* As they were given; a text of NULL, and a number of 0: not given; STRESS_UNSAID of the four that say so. */
struct stress_settings {
	long clients, rooms, senders, window, in_flight, size, connecting;
	long slow, quit, seed; /* or STRESS_UNSAID */
	char *rate, *churn, *duration, *ramp, *patience;
	char *scenario, *protocol;
	bool plaintext, local, limits, quiet;
	int history; /* index: off, os, full; or STRESS_UNSAID */
	char *server_program;
	char *json, *csv, *report;
	bool help, version;
};

const struct option_table *stress_options(void);

/* As options_init, with what was not said; free it with options_fini. */
int stress_settings_init(struct stress_settings *t);

/* The value of --history as --local hands it on. Unless it was said: off, but on disk where some read so
 * slowly that what waits for them does not fit into memory. */
const char *stress_history(const struct stress_settings *t, const struct plan *p);

/* Fill in a plan from the options, the scenario that they name, and defaults; plan_make completes it.
 * ERR_ARGUMENT, with one line in `error`. */
int stress_plan(const struct stress_settings *t, struct plan *out, char *error, size_t size);

/* "10s", "1.5m", "250ms", "2h", "1h30m"; a bare number is seconds. Microseconds. ERR_ARGUMENT. */
int stress_duration(const char *text, int64_t *out);

/* "200", "200/s", "12k/s", "0.5/s": a second. ERR_ARGUMENT. */
int stress_rate(const char *text, double *out);

#endif
