#include "server/sources.h"

#include "server/tree.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define KEY 16 /* bytes: an IPv6 address, or an IPv4 one mapped into it (RFC 4291 2.5.5.2) */

struct source {
	uint8_t key[KEY];
	size_t count;   /* connections */
	size_t rooms;   /* that they are in */
	bool searches;  /* one of them does */
	int64_t points; /* as of `at` */
	int64_t at;
	int64_t searched; /* milliseconds, as of `searched_at` */
	int64_t searched_at;
	struct source *previous, *next; /* of those without a connection */
};

struct sources {
	struct tree tree; /* of struct source, owned */
	struct source *idle;
	size_t count, idle_count;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, KEY);
}

struct sources *sources_new(void)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (s)
		s->tree.compare = compare;
	return s;
}

static void make_key(const struct net_address *from, uint8_t key[KEY])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (from->u.any.sa_family == AF_INET6) {
		memcpy(key, &from->u.v6.sin6_addr, KEY);
		return;
	}
	memcpy(key, mapped, sizeof(mapped));
	memcpy(key + sizeof(mapped), &from->u.v4.sin_addr, 4);
}

static struct source *find(const struct sources *s, const struct net_address *from)
{
	uint8_t key[KEY];

	make_key(from, key);
	return tree_find(&s->tree, key);
}

static int64_t less(int64_t value, int64_t by)
{
	return value > by ? value - by : 0;
}

/* Forgive what time has forgiven. */
static void settle(struct source *x, int64_t now)
{
	int64_t points = (now - x->at) / SOURCES_POINT_MS;
	int64_t searched = (now - x->searched_at) / SOURCES_SEARCH_REST;

	if (points > 0) {
		x->points = less(x->points, points);
		x->at += points * SOURCES_POINT_MS;
	}
	if (searched > 0) {
		x->searched = less(x->searched, searched);
		x->searched_at += searched * SOURCES_SEARCH_REST;
	}
}

/* Has time forgiven all of it? */
static bool is_clean(struct source *x, int64_t now)
{
	settle(x, now);
	return x->points == 0 && x->searched == 0;
}

/* ---- those without a connection ---- */

static void unlink_idle(struct sources *s, struct source *x)
{
	if (x->previous)
		x->previous->next = x->next;
	else
		s->idle = x->next;
	if (x->next)
		x->next->previous = x->previous;
	x->previous = x->next = NULL;
	s->idle_count--;
}

static void drop(struct sources *s, struct source *x)
{
	tree_remove(&s->tree, x);
	s->count--;
	free(x);
}

/* Make room among them: those that are forgiven go, and if there are none, the one with the fewest
 * points. */
static void thin_out(struct sources *s, int64_t now)
{
	struct source *least = NULL, *next;

	for (struct source *x = s->idle; x; x = next) {
		next = x->next;
		if (is_clean(x, now)) {
			unlink_idle(s, x);
			drop(s, x);
		} else if (!least || x->points < least->points) {
			least = x;
		}
	}
	if (s->idle_count > SOURCES_IDLE && least) {
		unlink_idle(s, least);
		drop(s, least);
	}
}

static void make_idle(struct sources *s, struct source *x, int64_t now)
{
	if (is_clean(x, now)) {
		drop(s, x);
		return;
	}
	x->next = s->idle;
	if (s->idle)
		s->idle->previous = x;
	s->idle = x;
	if (++s->idle_count > SOURCES_IDLE)
		thin_out(s, now);
}

/* ---- coming and going ---- */

static struct source *add(struct sources *s, const struct net_address *from, int64_t now)
{
	uint8_t key[KEY];

	make_key(from, key);
	struct source *x = tree_add(&s->tree, key, sizeof(key), sizeof(*x));
	if (!x)
		return NULL;
	x->at = x->searched_at = now;
	s->count++;
	return x;
}

static bool has_points(struct source *x, const struct sources_limits *limits, int64_t now)
{
	settle(x, now);
	return limits->points >= 0 && x->points >= limits->points && x->points > 0;
}

enum code sources_enter(struct sources *s, const struct net_address *from,
	const struct sources_limits *limits, int64_t now)
{
	if (net_is_loopback(from))
		return CODE_NONE;
	struct source *x = find(s, from);
	if (x && has_points(x, limits, now))
		return CODE_PENALTY;
	if (limits->each >= 0 && (x ? x->count : 0) >= (size_t)limits->each)
		return CODE_TOO_MANY_HERE;
	if (x && x->count == 0)
		unlink_idle(s, x);
	if (!x)
		x = add(s, from, now);
	if (!x)
		return CODE_RESOURCES;
	x->count++;
	return CODE_NONE;
}

void sources_leave(struct sources *s, const struct net_address *from, int64_t now)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (x && --x->count == 0)
		make_idle(s, x, now);
}

void sources_blame(struct sources *s, const struct net_address *from, int64_t now)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (!x)
		return;
	settle(x, now);
	if (x->points < SOURCES_POINTS_MOST)
		x->points++;
}

enum code sources_guess(struct sources *s, const struct net_address *from,
	const struct sources_limits *limits, bool right, int64_t now)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (x && has_points(x, limits, now))
		return CODE_PENALTY;
	if (!right)
		sources_blame(s, from, now);
	return CODE_NONE;
}

bool sources_enter_room(
	struct sources *s, const struct net_address *from, const struct sources_limits *limits)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (!x)
		return true;
	if (limits->rooms >= 0 && x->rooms >= (size_t)limits->rooms)
		return false;
	x->rooms++;
	return true;
}

void sources_leave_room(struct sources *s, const struct net_address *from)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (x)
		x->rooms--;
}

bool sources_enter_search(
	struct sources *s, const struct net_address *from, int64_t now, int64_t *had)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	*had = 0;
	if (!x)
		return true;
	if (x->searches)
		return false;
	settle(x, now);
	*had = x->searched;
	x->searches = true;
	return true;
}

void sources_leave_search(
	struct sources *s, const struct net_address *from, int64_t took, int64_t now)
{
	struct source *x = net_is_loopback(from) ? NULL : find(s, from);

	if (!x)
		return;
	settle(x, now);
	x->searches = false;
	x->searched += took;
}

size_t sources_count(const struct sources *s)
{
	return s->count;
}

void sources_free(struct sources *s)
{
	struct source *x;
	static const uint8_t first[KEY];

	if (!s)
		return;
	while ((x = tree_find(&s->tree, first)) || (x = tree_after(&s->tree, first)))
		drop(s, x);
	free(s);
}
