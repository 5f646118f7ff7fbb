#include "server/metrics.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PARTS      16 /* a power of two; processors share them where there are more */
#define CACHE_LINE 64

struct part {
	_Alignas(CACHE_LINE) _Atomic(uint64_t) counters[METRICS];
	struct histogram appends; /* microseconds */
};

struct metrics {
	struct part parts[PARTS];
};

struct metrics *metrics_new(void)
{
	struct metrics *m = aligned_alloc(CACHE_LINE, sizeof(*m));

	if (m)
		memset(m, 0, sizeof(*m));
	return m;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

/* Where it cannot be known, -1 is as good a number as any. */
static struct part *here(struct metrics *m)
{
	return &m->parts[(unsigned)sched_getcpu() % PARTS];
}

static void add(struct metrics *m, size_t which, uint64_t count)
{
	if (m && count)
		atomic_fetch_add_explicit(&here(m)->counters[which], count, memory_order_relaxed);
}

void metrics_add(struct metrics *m, enum metric which, uint64_t count)
{
	add(m, which, count);
}

void metrics_limit(struct metrics *m, enum limit limit)
{
	add(m, METRIC_LIMIT + (size_t)limit, 1);
}

static enum refusal refusal_of(enum code code)
{
	switch ((unsigned)code) {
	case CODE_FULL:
		return REFUSAL_FULL;
	case CODE_TOO_MANY_HERE:
		return REFUSAL_PER_ADDRESS;
	case CODE_TOO_MANY_LOGINS:
		return REFUSAL_LOGGING_IN;
	case CODE_PENALTY:
		return REFUSAL_PENALTY;
	case CODE_STOPPING:
		return REFUSAL_STOPPING;
	default:
		return REFUSAL_RESOURCES;
	}
}

void metrics_refusal(struct metrics *m, enum code code)
{
	enum limit limit = limit_of_refusal(code);

	add(m, METRIC_REFUSAL + (size_t)refusal_of(code), 1);
	if (limit != LIMITS)
		metrics_limit(m, limit);
}

void metrics_appended(struct metrics *m, uint64_t took_us, uint64_t count)
{
	if (m && count)
		histogram_add(&here(m)->appends, took_us, count);
}

void metrics_read(const struct metrics *m, uint64_t counters[METRICS])
{
	memset(counters, 0, METRICS * sizeof(counters[0]));
	for (size_t p = 0; p < PARTS; p++) {
		for (size_t i = 0; i < METRICS; i++)
			counters[i] += atomic_load_explicit(
				&m->parts[p].counters[i], memory_order_relaxed);
	}
}

void metrics_read_appends(const struct metrics *m, struct histogram_view *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t p = 0; p < PARTS; p++)
		histogram_merge(out, &m->parts[p].appends);
}
