/*
 * The tally of a run: times, and what happened in each second.
 *
 * One thread.
 */
#ifndef LANCHAT_STRESS_TALLY_H
#define LANCHAT_STRESS_TALLY_H

#include "common/histogram.h"
#include "tools/stress/result.h"
#include "tools/stress/subject.h"

#include <stddef.h>
#include <stdint.h>

struct tally {
	struct histogram_view now;     /* latencies of this second */
	struct histogram_view latency; /* of those before */
	struct histogram_view service, acknowledge;
	uint64_t sent, acknowledged, delivered, bytes_in, bytes_out;

	struct result_second *seconds; /* owned */
	size_t count, size;
	struct result_second last; /* as of the second before: sums */
	int64_t began, next;       /* microseconds; next: when this second ends; 0: none runs */
	uint64_t own_cpu;          /* ns, at the beginning of the second */
	struct subject_sample most;
};

/* The load begins. `subject` may be NULL, here and below. */
void tally_begin(struct tally *t, int64_t now, struct subject *subject);

/* End the second if it is over, or `force`. True: it was; the figures are the last of `seconds`. */
bool tally_turn(struct tally *t, int64_t now, uint32_t up, struct subject *subject, bool force);

/* The most there was of each, with this. */
void tally_most(struct tally *t, const struct subject_sample *s);

void tally_fini(struct tally *t);

/* CPU nanoseconds of this process so far. */
uint64_t tally_own_cpu(void);

/* Nanoseconds that its only thread was ready to run, and others had the processors; 0: not known. Source:
 * proc(5), schedstat; the kernel's sched-stats.rst. */
uint64_t tally_own_wait(void);

#endif
