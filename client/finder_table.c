#include "client/finder_table.h"

#include "common/source_limit.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* Instances that said goodbye, remembered so far. */
#define GRAVES 32

/* A host with a dozen servers on a few networks, all answering at once, stays well below this. */
static const struct source_rate rate_each = {.per_second = 64, .burst = 256};
static const struct source_rate rate_together = {.per_second = 2000, .burst = 4000};

/* One address of one server. */
struct sighting {
	struct net_address tcp;    /* for the chat */
	struct net_address beacon; /* where its beacons come from */
	int preference;            /* the lower, the better */
	int64_t heard_ms;
	bool asked; /* since it was last heard */
};

struct row {
	struct finder_row shown; /* without the addresses, which are made when listing */
	uint8_t commitment[BEACON_SECRET];
	struct net_address maker; /* whose packet made the row */
	uint32_t sequence;        /* the newest heard */
	uint32_t question;        /* that the round-trip time is of */
	int64_t lifetime_ms;
	struct sighting sightings[FINDER_ADDRESSES]; /* by preference, then by age */
	size_t sighting_count;
};

struct grave {
	uint8_t instance[INSTANCE_ID];
	int64_t until_ms;
};

struct finder_table {
	struct source_limit limit;
	struct grave graves[GRAVES];
	size_t next_grave;
	size_t count;
	struct row rows[FINDER_ROWS]; /* oldest first */
};

struct finder_table *finder_table_new(int64_t now_ms)
{
	struct finder_table *t = calloc(1, sizeof(*t));

	if (t)
		source_limit_init(&t->limit, rate_each, rate_together, now_ms);
	return t;
}

void finder_table_free(struct finder_table *t)
{
	free(t);
}

/* ---- rows ---- */

static struct row *find(struct finder_table *t, const struct beacon *b)
{
	for (size_t i = 0; i < t->count; i++) {
		struct row *r = &t->rows[i];

		if (memcmp(r->shown.instance, b->instance, sizeof(b->instance)) == 0 &&
			memcmp(r->shown.server, b->server, sizeof(b->server)) == 0 &&
			(b->type == BEACON_GOODBYE
					? beacon_opens(b->proof, r->commitment)
					: memcmp(r->commitment, b->proof, BEACON_SECRET) == 0))
			return r;
	}
	return NULL;
}

static void remove_row(struct finder_table *t, struct row *r)
{
	size_t after = t->count - (size_t)(r - t->rows) - 1;

	memmove(r, r + 1, after * sizeof(*r));
	t->count--;
}

static bool may_make_row(const struct finder_table *t, const struct net_address *maker)
{
	size_t made = 0;

	for (size_t i = 0; i < t->count; i++)
		made += net_same_host(&t->rows[i].maker, maker);
	return t->count < FINDER_ROWS && made < FINDER_ROWS_A_SOURCE;
}

static struct row *make_row(struct finder_table *t, const struct beacon *b,
	const struct net_address *from, int64_t now_ms)
{
	if (!may_make_row(t, from))
		return NULL;
	struct row *r = &t->rows[t->count++];
	*r = (struct row){
		.shown = {.rtt_us = -1, .first_seen = now_ms},
		.maker = *from,
		.sequence = b->sequence - 1,
	};
	memcpy(r->shown.server, b->server, sizeof(b->server));
	memcpy(r->shown.instance, b->instance, sizeof(b->instance));
	memcpy(r->commitment, b->proof, sizeof(b->proof));
	return r;
}

/* ---- what a packet says about its server ---- */

/* Also what is clean may be shown wrongly: a name of nothing but combining marks, say. */
static bool take_name(struct row *r, const char *name)
{
	char kept[SERVER_NAME_MAX + 1];
	char *clean = text_sanitize(name, strlen(name), 0);

	beacon_name(kept, clean ? clean : "?");
	free(clean);
	if (strcmp(kept, r->shown.name) == 0)
		return false;
	memcpy(r->shown.name, kept, sizeof(kept));
	return true;
}

const char *finder_row_name(const struct finder_row *row)
{
	return row->name[strspn(row->name, " ")] ? row->name : "(no name)";
}

static bool take_number(uint32_t *to, uint32_t value)
{
	bool changed = *to != value;

	*to = value;
	return changed;
}

/* Packets that took different ways may arrive in another order than they were sent in; what an older
 * one says is out of date. Numbers wrap (RFC 1982). */
static bool take_facts(struct row *r, const struct beacon *b)
{
	if ((int32_t)(b->sequence - r->sequence) <= 0)
		return false;
	r->sequence = b->sequence;
	r->lifetime_ms = b->lifetime_ms < BEACON_LIFETIME_MS ? b->lifetime_ms : BEACON_LIFETIME_MS;
	bool changed =
		r->shown.version_low != b->version_low || r->shown.version_high != b->version_high;
	r->shown.version_low = b->version_low;
	r->shown.version_high = b->version_high;
	changed |= take_number(&r->shown.people, b->people);
	changed |= take_number(&r->shown.people_max, b->people_max);
	changed |= take_name(r, b->name);
	return changed;
}

/* Of the answers to one question, which come by several ways, the shortest time counts. */
static bool take_rtt(struct row *r, const struct finder_origin *origin)
{
	bool again = r->question == origin->question && r->shown.rtt_us >= 0;

	if (origin->rtt_us < 0 || (again && origin->rtt_us >= r->shown.rtt_us))
		return false;
	r->question = origin->question;
	r->shown.rtt_us = origin->rtt_us;
	return true;
}

/* ---- addresses ---- */

static int preference(const struct finder_origin *origin)
{
	if (origin->loopback)
		return 0;
	int family = origin->from.u.any.sa_family == AF_INET ? 1 : 3;
	return family + (origin->bridge ? 1 : 0);
}

static struct net_address tcp_address(const struct beacon *b, const struct finder_origin *origin)
{
	struct net_address a = origin->from;

	if ((b->flags & BEACON_FLAG_LOOPBACK6) != 0)
		a = (struct net_address){
			.length = sizeof(a.u.v6),
			.u.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT},
		};
	net_set_port(&a, b->port);
	return a;
}

/* Keep the list in order of preference; where it is full, the least preferred makes room. */
static bool insert(struct row *r, const struct sighting *s)
{
	size_t at = r->sighting_count;

	while (at > 0 && r->sightings[at - 1].preference > s->preference)
		at--;
	if (at == FINDER_ADDRESSES)
		return false;
	if (r->sighting_count < FINDER_ADDRESSES)
		r->sighting_count++;
	memmove(&r->sightings[at + 1], &r->sightings[at],
		(r->sighting_count - at - 1) * sizeof(*s));
	r->sightings[at] = *s;
	return true;
}

static bool take_sighting(
	struct row *r, const struct beacon *b, const struct finder_origin *origin, int64_t now_ms)
{
	struct sighting s = {
		.tcp = tcp_address(b, origin),
		.beacon = origin->from,
		.preference = preference(origin),
		.heard_ms = now_ms,
	};

	for (size_t i = 0; i < r->sighting_count; i++) {
		struct sighting *known = &r->sightings[i];

		if (!net_equal(&known->tcp, &s.tcp))
			continue;
		known->beacon = s.beacon;
		known->heard_ms = now_ms;
		known->asked = false;
		return false;
	}
	return insert(r, &s);
}

/* ---- goodbyes ---- */

static bool is_buried(const struct finder_table *t, const struct beacon *b, int64_t now_ms)
{
	for (size_t i = 0; i < GRAVES; i++)
		if (now_ms < t->graves[i].until_ms &&
			memcmp(t->graves[i].instance, b->instance, sizeof(b->instance)) == 0)
			return true;
	return false;
}

static bool take_goodbye(struct finder_table *t, const struct beacon *b, int64_t now_ms)
{
	struct row *r = find(t, b);

	if (!r)
		return false;
	struct grave *g = &t->graves[t->next_grave++ % GRAVES];
	memcpy(g->instance, b->instance, sizeof(b->instance));
	g->until_ms = now_ms + FINDER_GRAVE_MS;
	remove_row(t, r);
	return true;
}

/* ---- hearing ---- */

static bool take_server(struct finder_table *t, const struct beacon *b,
	const struct finder_origin *origin, int64_t now_ms)
{
	struct row *r = find(t, b);

	if (!r) {
		if (is_buried(t, b, now_ms))
			return false;
		r = make_row(t, b, &origin->from, now_ms);
	}
	if (!r)
		return false;
	bool changed = take_facts(r, b);
	changed |= take_rtt(r, origin);
	changed |= take_sighting(r, b, origin, now_ms);
	return changed;
}

bool finder_table_hear(struct finder_table *t, const struct beacon *b,
	const struct finder_origin *origin, int64_t now_ms)
{
	if (!source_limit_allows(&t->limit, &origin->from, now_ms))
		return false;
	if ((b->flags & BEACON_FLAG_LOOPBACK6) != 0 && !origin->loopback)
		return false;
	switch (b->type) {
	case BEACON_QUERY:
		return false;
	case BEACON_ANSWER:
	case BEACON_ANNOUNCEMENT:
		return take_server(t, b, origin, now_ms);
	case BEACON_GOODBYE:
		return take_goodbye(t, b, now_ms);
	}
	return false;
}

/* ---- silence ---- */

static int64_t last_heard(const struct row *r)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < r->sighting_count; i++)
		if (r->sightings[i].heard_ms > last)
			last = r->sightings[i].heard_ms;
	return last;
}

/* Drop what `doomed` says, and rows of which nothing is left. */
static bool drop_sightings(struct finder_table *t,
	bool (*doomed)(const struct row *, const struct sighting *, const void *),
	const void *context)
{
	bool changed = false;

	for (size_t i = t->count; i-- > 0;) {
		struct row *r = &t->rows[i];
		size_t kept = 0;

		for (size_t k = 0; k < r->sighting_count; k++)
			if (!doomed(r, &r->sightings[k], context))
				r->sightings[kept++] = r->sightings[k];
		changed |= kept != r->sighting_count;
		r->sighting_count = kept;
		if (kept == 0)
			remove_row(t, r);
	}
	return changed;
}

static bool is_expired(const struct row *r, const struct sighting *s, const void *now_ms)
{
	return *(const int64_t *)now_ms - s->heard_ms >= r->lifetime_ms;
}

bool finder_table_expire(struct finder_table *t, int64_t now_ms)
{
	return drop_sightings(t, is_expired, &now_ms);
}

struct refusal {
	const struct net_address *at;
	int64_t asked_ms;
};

static bool is_refused(const struct row *r, const struct sighting *s, const void *context)
{
	const struct refusal *refusal = context;

	(void)r;
	return s->heard_ms < refusal->asked_ms && net_equal(&s->beacon, refusal->at);
}

bool finder_table_refused(struct finder_table *t, const struct net_address *at, int64_t asked_ms)
{
	struct refusal refusal = {.at = at, .asked_ms = asked_ms};

	return drop_sightings(t, is_refused, &refusal);
}

size_t finder_table_silent(
	struct finder_table *t, int64_t now_ms, struct net_address *out, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct row *r = &t->rows[i];

		if (now_ms - last_heard(r) < FINDER_SILENCE_MS)
			continue;
		for (size_t k = 0; k < r->sighting_count && n < most; k++) {
			if (r->sightings[k].asked)
				continue;
			r->sightings[k].asked = true;
			out[n++] = r->sightings[k].beacon;
		}
	}
	return n;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t finder_table_deadline(const struct finder_table *t)
{
	int64_t deadline = INT64_MAX;

	for (size_t i = 0; i < t->count; i++) {
		const struct row *r = &t->rows[i];

		for (size_t k = 0; k < r->sighting_count; k++) {
			deadline = least(deadline, r->sightings[k].heard_ms + r->lifetime_ms);
			if (!r->sightings[k].asked)
				deadline = least(deadline, last_heard(r) + FINDER_SILENCE_MS);
		}
	}
	return deadline;
}

/* ---- listing ---- */

size_t finder_table_list(const struct finder_table *t, struct finder_row *rows, size_t most)
{
	size_t n = t->count < most ? t->count : most;

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &t->rows[i];

		rows[i] = r->shown;
		rows[i].address_count = r->sighting_count;
		for (size_t k = 0; k < r->sighting_count; k++)
			rows[i].addresses[k] = r->sightings[k].tcp;
	}
	return n;
}
