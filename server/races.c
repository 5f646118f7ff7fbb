#include "server/races.h"

#include "common/err.h"
#include "common/lock.h"

#include <stdlib.h>

struct race {
	uint32_t number; /* 0: the place is free */
	bool accepted;
	int64_t until;            /* clock_ms */
	struct outlet *from, *to; /* counted */
	struct race_plan plan;
};

struct races {
	struct lock lock;
	/* guarded by lock */
	uint32_t last;
	struct race all[RACES_MOST];
};

struct races *races_new(void)
{
	struct races *r = calloc(1, sizeof(*r));

	if (r)
		lock_init(&r->lock, LOCK_LEAF);
	return r;
}

/* What a race held is let go of without the lock: the last reference closes a socket. */
static void release(struct race *race)
{
	outlet_unref(race->from);
	outlet_unref(race->to);
}

void races_free(struct races *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RACES_MOST; i++) {
		if (r->all[i].number)
			release(&r->all[i]);
	}
	lock_fini(&r->lock);
	free(r);
}

/* Take one that is over, or that `o` has to do with, out of the table; false: there is none. */
static bool take_out_locked(
	struct races *r, const struct outlet *o, bool asked, int64_t now, struct race *out)
{
	lock_assert_held(&r->lock);
	for (size_t i = 0; i < RACES_MOST; i++) {
		struct race *race = &r->all[i];
		if (!race->number)
			continue;
		if (race->from != o && (asked || race->to != o) && race->until > now)
			continue;
		*out = *race;
		*race = (struct race){0};
		return true;
	}
	return false;
}

static void clear(struct races *r, const struct outlet *o, bool asked, int64_t now)
{
	struct race over;
	bool more;

	do {
		lock_take(&r->lock);
		more = take_out_locked(r, o, asked, now, &over);
		lock_drop(&r->lock);
		if (more)
			release(&over);
	} while (more);
}

static struct race *find_locked(struct races *r, uint32_t number)
{
	lock_assert_held(&r->lock);
	for (size_t i = 0; i < RACES_MOST; i++) {
		if (r->all[i].number == number)
			return &r->all[i];
	}
	return NULL;
}

int races_ask(struct races *r, struct outlet *from, struct outlet *to, const struct race_plan *plan,
	int64_t now, uint32_t *number)
{
	clear(r, from, true, now);
	lock_take(&r->lock);
	struct race *race = find_locked(r, 0);
	if (race) {
		if (++r->last == 0)
			r->last = 1;
		*number = r->last;
		*race = (struct race){.number = r->last,
			.until = now + RACE_MS,
			.from = outlet_ref(from),
			.to = outlet_ref(to),
			.plan = *plan};
	}
	lock_drop(&r->lock);
	return race ? 0 : ERR_FULL;
}

int races_accept(struct races *r, uint32_t number, const struct outlet *to, struct outlet **from,
	struct race_plan *plan)
{
	int result = ERR_NOT_FOUND;

	lock_take(&r->lock);
	struct race *race = number ? find_locked(r, number) : NULL;
	if (race && race->to == to && !race->accepted) {
		race->accepted = true;
		*from = outlet_ref(race->from);
		*plan = race->plan;
		result = 0;
	}
	lock_drop(&r->lock);
	return result;
}

struct outlet *races_other(struct races *r, uint32_t number, const struct outlet *o, bool back,
	uint32_t index, int64_t now)
{
	struct outlet *other = NULL;

	lock_take(&r->lock);
	struct race *race = number ? find_locked(r, number) : NULL;
	if (race && race->accepted && race->until > now && index < race->plan.count &&
		o == (back ? race->to : race->from))
		other = outlet_ref(back ? race->from : race->to);
	lock_drop(&r->lock);
	return other;
}

void races_forget(struct races *r, const struct outlet *o)
{
	clear(r, o, false, INT64_MIN);
}
