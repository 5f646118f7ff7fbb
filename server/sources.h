/*
 * Where connections come from: how many each address has, how many rooms these are in, how long they
 * searched, and how often its peers broke the protocol.
 *
 * An address that has as many as it may gets no more; one whose peers misbehaved too often gets none
 * for a while: each time counts one point, and a point goes away every three seconds. IPv6 addresses
 * count one by one, for on a LAN all share a prefix. Loopback is exempt: there it is the machine's
 * own users who would be locked out by one of them.
 *
 * Whoever makes up many addresses gains nothing against the limits that all share. The table has an
 * entry for each address with connections, points or searches, and of those without connections only so
 * many: the one with the fewest points makes room.
 *
 * Not locked; times are clock_ms.
 */
#ifndef LANCHAT_SERVER_SOURCES_H
#define LANCHAT_SERVER_SOURCES_H

#include "common/message.h"
#include "common/net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCES_POINT_MS    3000 /* after which a point is forgiven */
#define SOURCES_POINTS_MOST 1000 /* so that in an hour all is forgiven */
#define SOURCES_IDLE        1000 /* entries without a connection, at most */
#define SOURCES_SEARCH_REST 10   /* milliseconds in which one of searching is forgotten */

struct sources;

struct sources_limits {
	long each;   /* connections of one address; -1: without limit */
	long points; /* from which on it gets none; -1: never */
	long rooms;  /* that its connections may be in, counted for each; -1: without limit */
};

/* NULL: no memory. */
struct sources *sources_new(void);
void sources_free(struct sources *s); /* NULL is allowed */

/* One more from there? CODE_NONE: it is counted, sources_leave takes it back. CODE_TOO_MANY_HERE,
 * CODE_PENALTY, CODE_RESOURCES (no memory). */
enum code sources_enter(struct sources *s, const struct net_address *from,
	const struct sources_limits *limits, int64_t now);
void sources_leave(struct sources *s, const struct net_address *from, int64_t now);

/* A peer there, which is counted, broke the protocol. */
void sources_blame(struct sources *s, const struct net_address *from, int64_t now);

/* A peer there, which is counted, guessed at something secret: may it be told whether that was right?
 * CODE_NONE: yes, and a wrong guess is a point; CODE_PENALTY: no, for the address has had as many as it
 * may. So however many connections it has, it gets no answer more. */
enum code sources_guess(struct sources *s, const struct net_address *from,
	const struct sources_limits *limits, bool right, int64_t now);

/* A connection there, which is counted, comes into one more room: may it? If so, sources_leave_room takes it
 * back. */
bool sources_enter_room(
	struct sources *s, const struct net_address *from, const struct sources_limits *limits);
void sources_leave_room(struct sources *s, const struct net_address *from);

/* A connection there, which is counted, searches: may it? One at a time of each address. If so, `*had` is
 * for how many milliseconds the address did so of late, and sources_leave_search tells how many this one
 * took. */
bool sources_enter_search(
	struct sources *s, const struct net_address *from, int64_t now, int64_t *had);
void sources_leave_search(
	struct sources *s, const struct net_address *from, int64_t took, int64_t now);

/* Entries, for tests. */
size_t sources_count(const struct sources *s);

#endif
