/*
 * A stage on loopback on which nothing is played but what a test does there.
 *
 * For a test's main thread, but for `stage` itself; failures end the test.
 */
#ifndef LANCHAT_TESTS_STAGE_BENCH_H
#define LANCHAT_TESTS_STAGE_BENCH_H

#include "tools/lab/stage.h"

#include <stdint.h>

/* The stage of the test that runs. */
extern struct stage *stage;

/* What is played there: nothing. */
extern const struct scenario stage_bench_scenario;

/* For a test's fixture: a stage of seed 1 that impairs nothing; closed, whichever it is by then. */
void stage_bench_setup(void);
void stage_bench_teardown(void);

/* From now on `stage` is another one. The one before stays open. */
void stage_bench_open(const struct stage_options *o);
void stage_bench_open_impaired(const struct impairment *how, uint64_t seed);

/* The last entry of that kind in its journal; NULL: there is none. */
const struct journal_entry *stage_bench_last(enum journal_kind kind);

#endif
