/*
 * What is shown while a load runs: one line that is drawn anew on a terminal, and a line every ten
 * seconds where stderr is not one.
 *
 *     connecting  [#####.....]  5,000 of 10,000 clients  11,812/s
 *     running     [########..]  8.1 of 10.0 s  10,000 up  12,345 sent/s  5.60 M delivered/s
 *                               p50 870 us  p99 3.1 ms
 *
 * (on one line.) ASCII. Where a terminal has no room for all of it, the bar gets shorter and what matters
 * least goes first, so that what is WRONG, p50 and p99 stay. Where these have no room either, or are not
 * there yet, it is as much as fits of what is WRONG, clients, deliveries (or connections) a second and p50,
 * without their names:
 *
 *     running 10,000 up 5.60 M/s 870 us
 *
 * What is still too long is cut, and it never wraps. The one escape in it is that which erases the rest of
 * a line, so a terminal that says it is dumb counts as none. One thread.
 */
#ifndef LANCHAT_STRESS_LIVE_H
#define LANCHAT_STRESS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LIVE_LINE 256 /* a whole one, and its terminator */

struct live_state {
	const char *phase;          /* "connecting"; of static duration */
	double done;                /* 0 to 1 */
	double seconds, of_seconds; /* 0: not told */
	double connects_per_s;      /* 0: not told, as are the next */
	double sent_per_s, delivered_per_s;
	uint64_t faults; /* lost, doubled, out of order, foreign until now */
	uint32_t up, clients;
	uint32_t p50_us, p99_us;
};

struct live {
	FILE *out;         /* borrowed; NULL: nothing is shown */
	const char *phase; /* that was shown last */
	int64_t shown_at;  /* clock_ms */
	bool terminal;
	bool drawn; /* there is a line that is not ended */
};

/* `out` is stderr in the program, or NULL where it is to be quiet. */
void live_init(struct live *l, FILE *out);

/* Show it, unless that was done too recently to be of use: a tenth of a second before on a terminal;
 * ten seconds before elsewhere, and the phase is the same. */
void live_show(struct live *l, const struct live_state *s);

/* End the line, for something else to be printed. */
void live_end(struct live *l);

/* For tests: the line, for so many columns if it can be made to fit. Returns `out`. */
char *live_line(const struct live_state *s, size_t columns, char out[LIVE_LINE]);

#endif
