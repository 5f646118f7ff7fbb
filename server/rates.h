/*
 * Rates: how fast some counters have grown in the last seconds.
 *
 * Samples of a minute and a little are kept; a rate is what a counter has grown by since the newest
 * sample that is old enough, or since the oldest there is. Pure; a plain value for one thread.
 */
#ifndef LANCHAT_SERVER_RATES_H
#define LANCHAT_SERVER_RATES_H

#include <stddef.h>
#include <stdint.h>

#define RATES_OF   5  /* counters */
#define RATES_KEPT 64 /* samples */

/* Zeroed storage has no samples. */
struct rates {
	struct {
		int64_t at; /* clock_ms */
		uint64_t counters[RATES_OF];
	} samples[RATES_KEPT];
	size_t next, count;
};

void rates_sample(struct rates *r, int64_t now, const uint64_t counters[RATES_OF]);

/* By how much the counter `which`, which is `counter` now, has grown a second, in thousandths, over
 * the last `span` milliseconds. 0 where there is no sample that is older than now. */
uint64_t rates_per_second(
	const struct rates *r, int64_t now, size_t which, uint64_t counter, int64_t span);

#endif
