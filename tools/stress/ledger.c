#include "tools/stress/ledger.h"

#include <stdlib.h>

#define GAPS_MOST 65536

void ledger_fini(struct ledger *l)
{
	free(l->gaps);
	*l = (struct ledger){0};
}

static bool add_gap(struct ledger *l, struct ledger_gap gap)
{
	if (l->count == l->size) {
		size_t size = l->size ? l->size * 2 : 64;
		struct ledger_gap *more =
			size <= GAPS_MOST ? realloc(l->gaps, size * sizeof(*more)) : NULL;
		if (!more)
			return false;
		l->gaps = more;
		l->size = size;
	}
	l->gaps[l->count++] = gap;
	return true;
}

/* It came after all: one number less is missing. */
static bool fill_gap(struct ledger *l, uint32_t client, uint32_t sender, uint32_t counter)
{
	for (size_t i = 0; i < l->count; i++) {
		struct ledger_gap *g = &l->gaps[i];
		if (g->client != client || g->sender != sender || counter < g->from ||
			counter > g->to)
			continue;
		struct ledger_gap rest = *g;
		rest.from = counter + 1;
		g->to = counter - 1;
		if (g->from > g->to)
			*g = l->gaps[--l->count];
		if (rest.from <= rest.to)
			(void)add_gap(l, rest); /* else the rest counts as doubled when it comes */
		return true;
	}
	return false;
}

bool ledger_note(
	struct ledger *l, uint32_t client, uint32_t sender, uint32_t *last, uint32_t counter)
{
	if (counter == *last + 1 || *last == LEDGER_ANY) {
		*last = counter;
		return true;
	}
	if (counter > *last) {
		l->lost += counter - *last - 1;
		(void)add_gap(l, (struct ledger_gap){client, sender, *last + 1, counter - 1});
		*last = counter;
		return true;
	}
	if (fill_gap(l, client, sender, counter)) {
		l->lost--;
		l->reordered++;
		return true;
	}
	l->doubled++;
	return false;
}

void ledger_place(struct ledger *l, uint64_t *newest, uint64_t place, bool known)
{
	if (place > *newest)
		*newest = place;
	else if (!known)
		l->reordered++;
}

void ledger_close(struct ledger *l, uint32_t *last, uint32_t sent)
{
	if (*last != LEDGER_ANY && *last < sent)
		l->lost += sent - *last;
	*last = sent;
}
