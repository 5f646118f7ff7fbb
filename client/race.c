#include "client/race.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* How one number is doing by one way. */
struct trip {
	bool back;
	uint32_t took_us;
};

struct lap {
	struct trip *trips;
	uint32_t arrived, late, twice;
	uint32_t highest; /* of those that are back, and one more; 0: none is */
};

struct race {
	uint32_t count, sent;
	int64_t began; /* when the first was due; 0: not yet */
	int64_t cut;   /* INT64_MAX: it was not */
	int64_t heard; /* when one came back for the first time; the newest */
	int64_t *sent_at;
	struct lap laps[RACE_WAYS];
	uint32_t *sorted; /* room for the score */
};

struct race *race_new(uint32_t count)
{
	struct race *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->count = count;
	r->cut = INT64_MAX;
	r->sent_at = calloc(count, sizeof r->sent_at[0]);
	r->sorted = calloc(count, sizeof r->sorted[0]);
	for (int i = 0; i < RACE_WAYS; i++)
		r->laps[i].trips = calloc(count, sizeof r->laps[i].trips[0]);
	if (r->sent_at && r->sorted && r->laps[RACE_TCP].trips && r->laps[RACE_UDP].trips)
		return r;
	race_free(r);
	return NULL;
}

void race_free(struct race *r)
{
	if (!r)
		return;
	for (int i = 0; i < RACE_WAYS; i++)
		free(r->laps[i].trips);
	free(r->sent_at);
	free(r->sorted);
	free(r);
}

int64_t race_due(const struct race *r)
{
	if (r->sent == r->count)
		return INT64_MAX;
	return r->sent == 0 ? 0 : r->began + (int64_t)r->sent * RACE_EVERY_US;
}

uint32_t race_next(struct race *r, int64_t now)
{
	assert(r->sent < r->count);
	/* Whoever was held up sends the next ones on time, not all that were missed at once. */
	if (r->sent == 0 || race_due(r) + RACE_EVERY_US < now)
		r->began = now - (int64_t)r->sent * RACE_EVERY_US;
	r->sent_at[r->sent] = now;
	return r->sent++;
}

void race_back(struct race *r, enum race_way way, uint32_t number, int64_t now)
{
	struct lap *l = &r->laps[way];

	if (number >= r->sent)
		return;
	struct trip *t = &l->trips[number];
	if (t->back) {
		l->twice++;
		return;
	}
	int64_t took = now - r->sent_at[number];
	*t = (struct trip){
		.back = true, .took_us = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took};
	l->arrived++;
	r->heard = now > r->heard ? now : r->heard;
	if (number + 1 < l->highest)
		l->late++;
	else
		l->highest = number + 1;
}

void race_copy(struct race *r, enum race_way way, uint32_t number)
{
	if (number < r->sent && r->laps[way].trips[number].back)
		r->laps[way].twice++;
}

void race_cut(struct race *r, int64_t now)
{
	if (now < r->cut)
		r->cut = now;
}

static int64_t lost_after(enum race_way way)
{
	return way == RACE_TCP ? RACE_LOST_TCP_US : RACE_LOST_US;
}

int64_t race_end(const struct race *r, int64_t now)
{
	if (r->sent < r->count)
		return INT64_MAX;
	int64_t last = r->sent_at[r->count - 1], end = r->heard ? r->heard + RACE_COPY_US : now;
	for (int i = 0; i < RACE_WAYS; i++) {
		int64_t lost = last + lost_after((enum race_way)i);
		if (r->laps[i].arrived < r->count && lost > end)
			end = lost;
	}
	return end > now ? end : now;
}

static bool is_lost(const struct race *r, enum race_way way, uint32_t number, int64_t now)
{
	if (now > r->cut)
		now = r->cut;
	return !r->laps[way].trips[number].back && now - r->sent_at[number] >= lost_after(way);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void race_score(const struct race *r, enum race_way way, int64_t now, struct race_score *out)
{
	const struct lap *l = &r->laps[way];
	uint32_t n = 0;

	*out = (struct race_score){.count = r->count,
		.sent = r->sent,
		.arrived = l->arrived,
		.late = l->late,
		.twice = l->twice};
	for (uint32_t i = 0; i < r->sent; i++) {
		out->lost += is_lost(r, way, i, now);
		if (l->trips[i].back)
			r->sorted[n++] = l->trips[i].took_us;
	}
	if (n == 0)
		return;
	qsort(r->sorted, n, sizeof r->sorted[0], compare);
	/* The nearest rank: at least so many of a hundred took no longer. */
	out->p50_us = r->sorted[(n * UINT64_C(50) + 99) / 100 - 1];
	out->p99_us = r->sorted[(n * UINT64_C(99) + 99) / 100 - 1];
}

void race_marks(
	const struct race *r, enum race_way way, int64_t now, enum race_mark *out, uint32_t columns)
{
	const struct lap *l = &r->laps[way];

	for (uint32_t c = 0; c < columns; c++) {
		uint32_t from = (uint32_t)((uint64_t)c * r->count / columns);
		uint32_t to = (uint32_t)((uint64_t)(c + 1) * r->count / columns);
		if (to == from)
			to = from + 1;
		out[c] = from < r->sent ? RACE_MARK_BACK : RACE_MARK_NONE;
		for (uint32_t i = from; i < to && i < r->sent; i++) {
			if (is_lost(r, way, i, now))
				out[c] = RACE_MARK_LOST;
			else if (!l->trips[i].back && out[c] != RACE_MARK_LOST)
				out[c] = RACE_MARK_WAIT;
		}
		if (to > r->sent && out[c] == RACE_MARK_BACK)
			out[c] = RACE_MARK_WAIT;
	}
}

char *race_print(const struct race_score *s, char *out, size_t size)
{
	uint32_t open = s->sent - s->arrived - s->lost;
	char more[32] = "", times[64] = "";

	if (open)
		(void)snprintf(more, sizeof more, " %u not waited for,", open);
	if (s->arrived)
		(void)snprintf(times, sizeof times, ", p50 %.1f ms, p99 %.1f ms", s->p50_us / 1e3,
			s->p99_us / 1e3);
	(void)snprintf(out, size, "%u of %u arrived, %u lost,%s %u late, %u twice%s", s->arrived,
		s->sent, s->lost, more, s->late, s->twice, times);
	return out;
}

uint32_t race_guest_count(uint16_t size)
{
	uint32_t most = (uint32_t)(RACE_GUEST_BYTES / (size ? size : 1));

	return most < RACE_GUEST_COUNT ? most : RACE_GUEST_COUNT;
}
