/*
 * Histograms of whole numbers over many powers of ten, of a fixed size, that any number of threads
 * add to at once.
 *
 * The buckets are those of HdrHistogram, log-linear: numbers below 32 have one each, and from there on
 * every doubling has 32 of the same width. So a number that is read back is at most 1/32, about 3 %,
 * above one that was added. Numbers from 2^36 on count as the largest.
 *
 * Adding is one relaxed atomic addition in three places, without a lock, and allocates nothing. Who
 * adds much from many threads has a histogram for each of them, or for each processor, and merges them
 * to read.
 */
#ifndef LANCHAT_HISTOGRAM_H
#define LANCHAT_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEP_BITS 5  /* 32 buckets for each doubling */
#define HISTOGRAM_TOP_BITS  36 /* numbers are below 2^36 */
#define HISTOGRAM_BUCKETS   ((HISTOGRAM_TOP_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

/* Zeroed storage is an empty one. */
struct histogram {
	_Atomic(uint64_t) buckets[HISTOGRAM_BUCKETS];
	_Atomic(uint64_t) sum;
	_Atomic(uint64_t) most;
};

/* What was in some histograms at about one moment; a plain value. */
struct histogram_view {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t count; /* the sum of all buckets */
	uint64_t sum;   /* of the numbers themselves, not of what is read back */
	uint64_t most;  /* the same */
};

/* Add a number `times` times. Any thread. */
void histogram_add(struct histogram *h, uint64_t number, uint64_t times);

/* Add what is in `h` to `v`, which begins zeroed. Any thread. */
void histogram_merge(struct histogram_view *v, const struct histogram *h);

/* The same for a view that one thread has for itself, without atomics: add a number, or all of another
 * view. */
void histogram_view_add(struct histogram_view *v, uint64_t number);
void histogram_view_merge(struct histogram_view *v, const struct histogram_view *more);

/* The number that `part` (0 to 1) of all are not above; 0 when there is none. It is not below the
 * true one, nor more than 1/32 above it. */
uint64_t histogram_quantile(const struct histogram_view *v, double part);

/* How many are below a power of two. Exact. */
uint64_t histogram_below(const struct histogram_view *v, unsigned bits);

/* For tests: the bucket of a number, and the largest number of a bucket. */
size_t histogram_bucket(uint64_t number);
uint64_t histogram_largest(size_t bucket);

#endif
