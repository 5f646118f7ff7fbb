#include "server/memory_ring.h"

#include "common/err.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_SIZE 8

int ring_reserve(struct ring *r)
{
	if (r->count < r->size)
		return 0;
	size_t size = r->size ? r->size * 2 : FIRST_SIZE;
	struct stored **slots = calloc(size, sizeof(*slots));
	if (!slots)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->count; i++)
		slots[i] = ring_at(r, i);
	free(r->slots);
	*r = (struct ring){.slots = slots, .count = r->count, .size = size};
	return 0;
}

void ring_push(struct ring *r, struct stored *s)
{
	assert(r->count < r->size);
	r->slots[(r->first + r->count++) & (r->size - 1)] = s;
}

struct stored *ring_at(const struct ring *r, size_t i)
{
	return r->slots[(r->first + i) & (r->size - 1)];
}

void ring_drop_first(struct ring *r)
{
	r->first = (r->first + 1) & (r->size - 1);
	r->count--;
}

void ring_remove(struct ring *r, const struct stored *s)
{
	size_t i = ring_above(r, RING_BY_SEQ, s->seq);

	assert(i > 0 && ring_at(r, i - 1) == s);
	for (i--; i > 0; i--)
		r->slots[(r->first + i) & (r->size - 1)] = ring_at(r, i - 1);
	ring_drop_first(r);
}

static uint64_t value_of(const struct stored *s, enum ring_order by)
{
	switch (by) {
	case RING_BY_SEQ:
		return s->seq;
	case RING_BY_TIME:
		return s->time;
	case RING_BY_COUNTER:
		return s->counter;
	}
	return 0;
}

size_t ring_above(const struct ring *r, enum ring_order by, uint64_t value)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (value_of(ring_at(r, middle), by) > value)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void ring_fini(struct ring *r)
{
	free(r->slots);
	*r = (struct ring){0};
}
