#include "server/races.h"

#include "common/err.h"
#include "common/lock.h"

#include <stdlib.h>

struct race {
	uint32_t number; /* 0: the place is free */
	bool accepted;
	int64_t until;            /* clock_ms: unless something is relayed before */
	int64_t last;             /* and then, too */
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

static void tell(struct outlet *o, enum message_number number, const void *message)
{
	uint8_t frame[FRAME_HEADER + 8 + REASON_MAX];
	size_t used = 0;

	if (message_encode((uint16_t)number, message, frame, sizeof(frame), &used) == 0 &&
		outlet_reply_spare(o, frame, used) == 0)
		outlet_push(o);
}

/* It is over, which `by` knows: the other is told; with NULL both are. Whoever asked, and was not
 * answered, knows it by its tag alone. Without the lock. */
static void tell_over(const struct race *race, const struct outlet *by, enum code code)
{
	struct msg_race_over over = {.race = race->number, .code = (uint16_t)code};
	struct msg_error error = {
		.tag = race->plan.tag, .code = (uint16_t)(code ? code : CODE_NO_RIGHT)};

	if (race->to != by)
		tell(race->to, MESSAGE_RACE_OVER, &over);
	if (race->from != by && race->accepted)
		tell(race->from, MESSAGE_RACE_OVER, &over);
	else if (race->from != by)
		tell(race->from, MESSAGE_ERROR, &error);
}

/* Take one out of the table that is over, or that `o` asked for, or, with `all`, that it has to do
 * with; false: there is none. */
static bool take_out_locked(
	struct races *r, const struct outlet *o, bool all, int64_t now, struct race *out)
{
	lock_assert_held(&r->lock);
	for (size_t i = 0; i < RACES_MOST; i++) {
		struct race *race = &r->all[i];
		if (!race->number)
			continue;
		if (race->from != o && (!all || race->to != o) && race->until > now)
			continue;
		*out = *race;
		*race = (struct race){0};
		return true;
	}
	return false;
}

static void clear(struct races *r, const struct outlet *o, bool all, int64_t now)
{
	struct race over;
	bool more;

	do {
		lock_take(&r->lock);
		more = take_out_locked(r, o, all, now, &over);
		lock_drop(&r->lock);
		if (!more)
			return;
		bool own = over.from == o || over.to == o;
		tell_over(&over, own ? o : NULL, !own ? CODE_TIMEOUT : all ? CODE_QUIT : CODE_NONE);
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

/* Is somebody else's race with them going on? What was asked for and not accepted is none. */
static bool is_raced_locked(struct races *r, const struct outlet *to, int64_t now)
{
	lock_assert_held(&r->lock);
	for (size_t i = 0; i < RACES_MOST; i++) {
		const struct race *race = &r->all[i];
		if (race->number && race->accepted && race->to == to && race->until > now)
			return true;
	}
	return false;
}

/* Has its address asked for as many as it may? */
static bool has_many_locked(struct races *r, const struct outlet *from, int64_t now)
{
	size_t count = 0;

	lock_assert_held(&r->lock);
	if (net_is_loopback(&from->peer.address))
		return false;
	for (size_t i = 0; i < RACES_MOST; i++) {
		const struct race *race = &r->all[i];
		count += race->number && race->until > now &&
			 net_same_host(&race->from->peer.address, &from->peer.address);
	}
	return count >= RACES_EACH;
}

int races_ask(struct races *r, struct outlet *from, struct outlet *to, const struct race_plan *plan,
	int64_t now, uint32_t *number)
{
	clear(r, from, false, now);
	lock_take(&r->lock);
	struct race *race = find_locked(r, 0);
	int result = is_raced_locked(r, to, now)              ? ERR_EXISTS
		     : race && !has_many_locked(r, from, now) ? 0
							      : ERR_FULL;
	if (result == 0) {
		if (++r->last == 0)
			r->last = 1;
		*number = r->last;
		*race = (struct race){.number = r->last,
			.until = now + RACE_IDLE_MS,
			.last = now + RACE_MS,
			.from = outlet_ref(from),
			.to = outlet_ref(to),
			.plan = *plan};
	}
	lock_drop(&r->lock);
	return result;
}

int races_accept(struct races *r, uint32_t number, const struct outlet *to, int64_t now,
	struct outlet **from, struct race_plan *plan)
{
	int result = ERR_NOT_FOUND;

	lock_take(&r->lock);
	struct race *race = number ? find_locked(r, number) : NULL;
	if (race && race->to == to && !race->accepted && race->until > now)
		result = is_raced_locked(r, to, now) ? ERR_EXISTS : 0;
	if (result == 0) {
		race->accepted = true;
		race->until = now + RACE_IDLE_MS;
		*from = outlet_ref(race->from);
		*plan = race->plan;
	}
	lock_drop(&r->lock);
	return result;
}

/* The race, if it is one of `o`'s. */
static struct race *find_own_locked(struct races *r, uint32_t number, const struct outlet *o)
{
	struct race *race = number ? find_locked(r, number) : NULL;

	return race && (race->from == o || race->to == o) ? race : NULL;
}

struct outlet *races_other(struct races *r, uint32_t number, const struct outlet *o, bool back,
	uint32_t index, int64_t now)
{
	struct outlet *other = NULL;
	struct race over = {0};

	lock_take(&r->lock);
	struct race *race = find_own_locked(r, number, o);
	if (race && race->until <= now) {
		over = *race;
		*race = (struct race){0};
	} else if (race && race->accepted && index < race->plan.count &&
		   o == (back ? race->to : race->from)) {
		race->until = race->last < now + RACE_IDLE_MS ? race->last : now + RACE_IDLE_MS;
		other = outlet_ref(back ? race->from : race->to);
	}
	lock_drop(&r->lock);
	if (over.number) {
		tell_over(&over, NULL, CODE_TIMEOUT);
		release(&over);
	}
	return other;
}

void races_end(struct races *r, uint32_t number, const struct outlet *o, enum code code)
{
	struct race over = {0};

	lock_take(&r->lock);
	struct race *race = find_own_locked(r, number, o);
	if (race) {
		over = *race;
		*race = (struct race){0};
	}
	lock_drop(&r->lock);
	if (over.number) {
		tell_over(&over, o, code);
		release(&over);
	}
}

void races_tick(struct races *r, int64_t now, int64_t *next)
{
	clear(r, NULL, false, now);
	*next = INT64_MAX;
	lock_take(&r->lock);
	for (size_t i = 0; i < RACES_MOST; i++) {
		if (r->all[i].number && r->all[i].until < *next)
			*next = r->all[i].until;
	}
	lock_drop(&r->lock);
}

void races_forget(struct races *r, const struct outlet *o)
{
	clear(r, o, true, INT64_MIN);
}
