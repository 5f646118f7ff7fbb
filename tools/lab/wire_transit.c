#include "tools/lab/wire_private.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

static bool before(const struct transit_packet *a, const struct transit_packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static int make_room(struct transit *t)
{
	if (t->count < t->room)
		return 0;
	size_t room = t->room ? t->room * 2 : 64;
	struct transit_packet **heap = realloc(t->heap, room * sizeof(struct transit_packet *));
	if (!heap)
		return ERR_MEMORY;
	t->heap = heap;
	t->room = room;
	return 0;
}

int transit_add(struct transit *t, const struct transit_packet *how, const uint8_t *bytes)
{
	struct transit_packet *p = malloc(sizeof(*p) + how->length);

	if (!p || make_room(t) != 0) {
		free(p);
		return ERR_MEMORY;
	}
	*p = *how;
	memcpy(p->bytes, bytes, how->length);
	p->order = t->orders++;
	t->bytes += p->length;

	size_t at = t->count++;
	while (at > 0 && before(p, t->heap[(at - 1) / 2])) {
		t->heap[at] = t->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	t->heap[at] = p;
	return 0;
}

uint64_t transit_due(const struct transit *t)
{
	return t->count ? t->heap[0]->due_ns : UINT64_MAX;
}

struct transit_packet *transit_take(struct transit *t)
{
	if (t->count == 0)
		return NULL;
	struct transit_packet *next = t->heap[0], *last = t->heap[--t->count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < t->count) {
		if (child + 1 < t->count && before(t->heap[child + 1], t->heap[child]))
			child++;
		if (!before(t->heap[child], last))
			break;
		t->heap[at] = t->heap[child];
		at = child;
	}
	t->heap[at] = last;
	t->bytes -= next->length;
	return next;
}

void transit_fini(struct transit *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->heap[i]);
	free(t->heap);
	*t = (struct transit){0};
}
