/*
 * The route to a server that was found by its beacon: which of its addresses to try.
 *
 * A server that is away may come back at another address or port, and its beacon says so. That proves
 * nothing, so whoever is met at such an address has to show the server's key (link_secure.c), and what
 * was good once is not given up for it: where somebody else answered, that address is left out, and the
 * next try goes to the old ones alone.
 *
 * Pure; the caller owns the storage, and locks if need be.
 */
#ifndef LANCHAT_ROUTE_H
#define LANCHAT_ROUTE_H

#include "client/finder.h"
#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_EACH FINDER_ADDRESSES
#define ROUTE_MOST (2 * ROUTE_EACH) /* addresses to try */

struct route {
	struct net_address own[ROUTE_EACH]; /* where it was last, or was chosen */
	size_t own_count;
	struct net_address heard[ROUTE_EACH]; /* where its beacon says that it is */
	size_t heard_count;
	struct net_address refused[ROUTE_EACH]; /* where somebody else was; the oldest gives way */
	size_t refused_count;
	bool own_alone;       /* the next time */
	uint8_t instance[16]; /* of the server's start that was heard last */
	bool instance_known;
};

/* Begin with where the server was found; more than ROUTE_EACH addresses are ignored. */
void route_init(struct route *r, const struct net_address *addresses, size_t count);

/* What to try now, in this order: what was heard comes first. Returns how many. */
size_t route_take(struct route *r, struct net_address out[ROUTE_MOST]);

/* Look for the server among those that are announced. True: it is somewhere else than was known, or was
 * started anew, so that it is worth a try. */
bool route_hear(
	struct route *r, const struct finder_row *rows, size_t count, const uint8_t server[32]);

/* It was not the server that answered there. False: it is an address of its own, so that the beacon is
 * not to blame. */
bool route_refuse(struct route *r, const struct net_address *address);

/* It was, at the address: if that was only heard of, that alone is where it is now. What else was heard
 * has shown nothing. */
void route_prove(struct route *r, const struct net_address *address);

#endif
