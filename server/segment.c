#include "server/segment.h"

#include <stdlib.h>

bool segment_scarce(const struct segment_budget *budget)
{
	return atomic_load_explicit(&budget->bytes, memory_order_relaxed) >= budget->bound;
}

struct segment *segment_new(struct segment_budget *budget, size_t least, size_t wish)
{
	size_t size = segment_scarce(budget) ? SEGMENT_SMALLEST : wish;

	if (size < least)
		size = least;
	struct segment *s = malloc(sizeof(*s) + size);
	if (!s)
		return NULL;
	*s = (struct segment){.budget = budget, .size = (uint32_t)size};
	atomic_init(&s->refs, 1);
	atomic_fetch_add_explicit(&budget->bytes, size, memory_order_relaxed);
	return s;
}

struct segment *segment_ref(struct segment *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void segment_unref(struct segment *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(&s->budget->bytes, s->size, memory_order_relaxed);
	free(s);
}
