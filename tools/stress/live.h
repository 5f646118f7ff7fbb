/*
 * What is shown while a load runs: one line that is drawn anew on a terminal, and a line every ten
 * seconds where stderr is not one.
 *
 *     connecting  [#####.....]  5000 of 10000 clients, 11,812/s
 *     running     [########..]  8.1 of 10 s  10000 up  12,345 sent/s  5.6 M delivered/s
 *                               p50 0.9 ms  p99 3.1 ms
 *
 * (on one line.) One thread.
 */
#ifndef LANCHAT_STRESS_LIVE_H
#define LANCHAT_STRESS_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct live_state {
	const char *phase; /* "connecting" */
	double done;       /* 0 to 1 */
	double seconds, of_seconds; /* 0: not told */
	uint32_t up, clients;
	double connects_per_s; /* 0: not told, as are the next */
	double sent_per_s, delivered_per_s;
	uint32_t p50_us, p99_us;
	uint64_t faults; /* lost, doubled, out of order, foreign until now */
};

struct live {
	FILE *out; /* borrowed */
	bool terminal;
	bool drawn; /* there is a line that is not ended */
	int columns;
	int64_t told_at; /* clock_ms */
	const char *phase;
};

/* `out` is stderr in the program. */
void live_init(struct live *l, FILE *out);

/* Show it. Draws no more often than is of use. */
void live_show(struct live *l, const struct live_state *s);

/* End the line, for something else to be printed. */
void live_end(struct live *l);

#endif
