/*
 * Scores: which of the numbered messages came, when, how often and in which order.
 */
#include "tools/lab/stage_private.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_LEAST 64
#define ROOM_MOST  (1U << 22) /* numbers above are not kept: a damaged message */

void reckoning_fini(struct reckoning *t)
{
	free(t->sent_ns);
	free(t->arrived_ns);
}

static bool grow(uint64_t **array, uint32_t from, uint32_t to)
{
	uint64_t *more = realloc(*array, to * sizeof(*more));

	if (!more)
		return false;
	memset(more + from, 0, (to - from) * sizeof(*more));
	*array = more;
	return true;
}

static bool reserve(struct reckoning *t, uint32_t number)
{
	uint32_t room = t->room ? t->room : ROOM_LEAST;

	if (number >= ROOM_MOST)
		return false;
	while (room <= number)
		room *= 2;
	if (room == t->room)
		return true;
	if (!grow(&t->sent_ns, t->room, room) || !grow(&t->arrived_ns, t->room, room))
		return false;
	t->room = room;
	return true;
}

/* Never 0, which is "not yet". */
static uint64_t moment(const struct stage *s)
{
	return journal_now(s->journal) | 1;
}

void stage_sent(struct stage *s, enum side side, uint32_t number)
{
	uint64_t now = moment(s);
	struct reckoning *t = &s->reckonings[side];

	lock_take(&s->lock);
	if (reserve(t, number)) {
		t->score.sent += t->sent_ns[number] == 0;
		t->sent_ns[number] = now;
	}
	lock_drop(&s->lock);
}

bool stage_arrived(struct stage *s, enum side side, uint32_t number)
{
	uint64_t now = moment(s);
	struct reckoning *t = &s->reckonings[side];
	bool first = false;

	lock_take(&s->lock);
	if (reserve(t, number)) {
		first = t->arrived_ns[number] == 0;
		if (!first)
			t->score.twice++;
		else if (number + 1 < t->highest)
			t->score.late++;
		if (number + 1 > t->highest)
			t->highest = number + 1;
	}
	if (first) {
		uint64_t sent = t->sent_ns[number];
		t->arrived_ns[number] = now;
		t->score.received++;
		if (sent)
			histogram_view_add(
				&t->score.latency_us, now > sent ? (now - sent) / 1000 : 0);
	}
	lock_drop(&s->lock);
	return first;
}

void stage_give_up(struct stage *s, enum side side)
{
	struct score *x = &s->reckonings[side].score;

	lock_take(&s->lock);
	x->lost = x->sent > x->received ? x->sent - x->received : 0;
	lock_drop(&s->lock);
}

/* Of all streams that were asked. */
static void add_retransmissions_locked(const struct stage *s, struct score *out)
{
	lock_assert_held(&s->lock);
	out->retransmitted = s->closed_retransmitted;
	out->retransmitted_known = s->closed_asked;
	for (size_t i = 0; i < STAGE_SOCKETS; i++) {
		const struct stage_end *e = &s->ends[i];
		if (e->fd < 0 || !e->asked)
			continue;
		out->retransmitted += e->retransmitted;
		out->retransmitted_known = true;
	}
}

/* Nobody sends a datagram again: what the wire has lost never comes. */
static void count_gone(struct stage *s, struct score *out)
{
	struct wire_counts c;
	uint64_t missing = out->sent > out->received ? out->sent - out->received : 0;

	if (missing == 0)
		return;
	stage_counts(s, SIDE_UDP, &c);
	uint64_t gone = c.lost + c.overflowed < missing ? c.lost + c.overflowed : missing;
	out->lost = gone > out->lost ? gone : out->lost;
}

void stage_score(struct stage *s, enum side side, struct score *out)
{
	lock_take(&s->lock);
	*out = s->reckonings[side].score;
	if (side == SIDE_TCP)
		add_retransmissions_locked(s, out);
	lock_drop(&s->lock);
	if (side == SIDE_UDP)
		count_gone(s, out);
	uint64_t done = out->received + out->lost;
	out->in_flight = out->sent > done ? out->sent - done : 0;
}

int64_t stage_latency_us(struct stage *s, enum side side, uint32_t number)
{
	struct reckoning *t = &s->reckonings[side];
	int64_t us = -1;

	lock_take(&s->lock);
	if (number < t->room && t->arrived_ns[number] &&
		t->arrived_ns[number] >= t->sent_ns[number])
		us = (int64_t)((t->arrived_ns[number] - t->sent_ns[number]) / 1000);
	lock_drop(&s->lock);
	return us;
}
