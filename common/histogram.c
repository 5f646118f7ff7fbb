#include "common/histogram.h"

#include <limits.h>

#define STEPS   (UINT64_C(1) << HISTOGRAM_STEP_BITS)
#define LARGEST ((UINT64_C(1) << HISTOGRAM_TOP_BITS) - 1)

/* The doublings below 2^STEP_BITS are whole in the first buckets, one number each; each further one has
 * the number's leading STEP_BITS + 1 bits. */
size_t histogram_bucket(uint64_t number)
{
	if (number > LARGEST)
		number = LARGEST;
	if (number < STEPS)
		return (size_t)number;
	unsigned top = (unsigned)(sizeof(unsigned long long) * CHAR_BIT) - 1 -
		       (unsigned)__builtin_clzll(number);
	unsigned shift = top - HISTOGRAM_STEP_BITS;
	return ((size_t)(shift + 1) << HISTOGRAM_STEP_BITS) + (size_t)((number >> shift) - STEPS);
}

uint64_t histogram_largest(size_t bucket)
{
	if (bucket < STEPS)
		return bucket;
	unsigned shift = (unsigned)(bucket >> HISTOGRAM_STEP_BITS) - 1;
	uint64_t leading = STEPS + (bucket & (STEPS - 1));
	return ((leading + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t number, uint64_t times)
{
	uint64_t most = atomic_load_explicit(&h->most, memory_order_relaxed);

	atomic_fetch_add_explicit(
		&h->buckets[histogram_bucket(number)], times, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, number * times, memory_order_relaxed);
	while (times > 0 && number > most &&
		!atomic_compare_exchange_weak_explicit(
			&h->most, &most, number, memory_order_relaxed, memory_order_relaxed))
		continue;
}

void histogram_merge(struct histogram_view *v, const struct histogram *h)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
		v->buckets[i] += n;
		v->count += n;
	}
	v->sum += atomic_load_explicit(&h->sum, memory_order_relaxed);
	uint64_t most = atomic_load_explicit(&h->most, memory_order_relaxed);
	if (most > v->most)
		v->most = most;
}

void histogram_view_add(struct histogram_view *v, uint64_t number)
{
	v->buckets[histogram_bucket(number)]++;
	v->count++;
	v->sum += number;
	if (number > v->most)
		v->most = number;
}

void histogram_view_merge(struct histogram_view *v, const struct histogram_view *more)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		v->buckets[i] += more->buckets[i];
	v->count += more->count;
	v->sum += more->sum;
	if (more->most > v->most)
		v->most = more->most;
}

uint64_t histogram_quantile(const struct histogram_view *v, double part)
{
	/* Of three, a half are not above the second. */
	uint64_t wanted = (uint64_t)(part * (double)v->count);
	uint64_t passed = 0;

	if (v->count == 0)
		return 0;
	if ((double)wanted < part * (double)v->count || wanted == 0)
		wanted++;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		passed += v->buckets[i];
		if (passed >= wanted) {
			uint64_t largest = histogram_largest(i);
			return largest < v->most ? largest : v->most;
		}
	}
	return v->most;
}

uint64_t histogram_below(const struct histogram_view *v, unsigned bits)
{
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram_largest(i) >> bits == 0; i++)
		count += v->buckets[i];
	return count;
}
