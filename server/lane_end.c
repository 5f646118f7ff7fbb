#include "server/lane_end.h"

#include "common/identity.h"

#define PING_FRAME (FRAME_HEADER + 8)

/* Ask the address, unless that would send it more than came from there: then it stays unknown. */
static bool may_ask(struct lane_end *e, const struct lane_arrival *a, size_t length,
	const struct lane_path *path)
{
	if (!a->newest || length < lane_sealed_size(&e->lane, PING_FRAME))
		return false;
	/* One number for each time that an address is asked: an answer that is overtaken does not
	 * count, and nobody can answer for another address. */
	if (!e->asked || !lane_path_equal(path, &e->asking)) {
		identity_random(&e->token, sizeof(e->token));
		e->asking = *path;
		e->asked = true;
	}
	return true;
}

static void take_answer(
	struct lane_end *e, uint64_t token, const struct lane_path *path, int64_t now)
{
	if (!e->asked || token != e->token || !lane_path_equal(path, &e->asking))
		return;
	e->path = *path;
	e->known = true;
	e->heard = now;
	e->asked = false;
}

enum lane_verdict lane_end_judge(struct lane_end *e, const struct lane_arrival *a,
	const union message *m, size_t length, const struct lane_path *path, int64_t now)
{
	bool here = e->known && lane_path_equal(path, &e->path);

	if (here)
		e->heard = now;
	switch (a->frame.type) {
	case MESSAGE_PING:
		if (here)
			return LANE_PONG;
		return may_ask(e, a, length, path) ? LANE_ASK : LANE_IGNORE;
	case MESSAGE_PONG:
		take_answer(e, m->pong.token, path, now);
		return LANE_IGNORE;
	case MESSAGE_PROBE:
		if (here)
			return LANE_ACT;
		return may_ask(e, a, length, path) ? LANE_ASK : LANE_IGNORE;
	case MESSAGE_TOSS:
		return !here && may_ask(e, a, length, path) ? LANE_ACT_AND_ASK : LANE_ACT;
	default:
		return LANE_IGNORE;
	}
}

bool lane_end_is_live(const struct lane_end *e, int64_t now)
{
	return e->known && now - e->heard < LANE_SILENT_MS;
}

bool lane_end_pay(struct lane_end *e, uint16_t number, size_t length, int64_t now)
{
	if (budget_ready(e->budget, now) > now)
		return false;
	for (size_t paid = 0; paid == 0 || paid < length; paid += LANE_USUAL)
		budget_pay(e->budget, number);
	return true;
}
