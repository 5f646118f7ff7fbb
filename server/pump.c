#include "server/pump.h"

#include "server/member.h"
#include "server/outlet.h"

/* Messages come milliseconds apart, and by then the caches are full of other things. What the pushes to the
 * next members look at is fetched while this one is sent, each step of the way there by one before it. */
static void foresee(const struct member_set *set, size_t i)
{
	if (i + 3 < set->count)
		__builtin_prefetch(set->members[i + 3]);
	if (i + 2 < set->count)
		outlet_foresee(set->members[i + 2]->outlet);
	if (i + 1 < set->count)
		__builtin_prefetch(set->members[i + 1]->outlet->stream);
}

static void pump_once(struct feed *f)
{
	struct feed_window w;
	struct member_set *set = feed_members(f);

	if (!set)
		return;
	/* After the members: whoever joins later than this finds the frames in the window. */
	feed_window_take(f, &w);
	for (size_t i = 0; i < set->count; i++) {
		foresee(set, i);
		outlet_push_member(set->members[i]->outlet, set->members[i], &w);
	}
	feed_window_release(&w);
	member_set_unref(set);
}

bool pump_feed(struct feed *f, unsigned rounds)
{
	if (!feed_pump_begin(f))
		return true;
	for (;;) {
		pump_once(f);
		if (feed_pump_end(f))
			return true;
		if (--rounds == 0) {
			feed_pump_give_up(f);
			return false;
		}
	}
}
