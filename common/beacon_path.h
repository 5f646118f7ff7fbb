/*
 * Paths: out of which interfaces, with which source addresses, beacons go.
 *
 * The source address of a beacon is the address that it advertises, so there is
 * one path for each address that a listener accepts connections at, and none where
 * nobody listens: a server bound to 127.0.0.1 has a path on the loopback interface
 * and no other. A client that only asks passes both wildcard addresses. Pure; any
 * thread.
 */
#ifndef LANCHAT_BEACON_PATH_H
#define LANCHAT_BEACON_PATH_H

#include "common/net.h"
#include "common/netif.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BEACON_PATHS 128

struct beacon_path {
	struct netif_address local; /* the interface and the source address */
	uint16_t port;              /* TCP: where the listener is */
	uint8_t flags;              /* BEACON_FLAG_* that go with it */
	bool loopback;
};

/* The paths of a server that listens at these addresses, interfaces in the table's order and IPv4
 * first on each; at most `most`. Returns how many. */
size_t beacon_paths(const struct netif_table *t, const struct net_address *listening, size_t count,
	struct beacon_path *out, size_t most);

bool beacon_path_equal(const struct beacon_path *a, const struct beacon_path *b);

/* Where beacons go that are for everybody on this path: the limited broadcast address, on the
 * loopback interface 127.255.255.255 (which reaches all who share the port, as unicast would not),
 * or the multicast group with the interface as its scope. `port` is the UDP port. */
struct net_address beacon_path_everybody(const struct beacon_path *p, uint16_t port);

/* The path on which to answer a packet that came from `from` over interface `index`. `at` is the
 * address that it was sent to: NULL when that was everybody's; else the path must have it. NULL when
 * there is no such path, or `from` is the broadcast address of a network there, and so nothing to
 * say. */
const struct beacon_path *beacon_path_back(const struct beacon_path *paths, size_t count,
	unsigned index, const struct net_address *from, const struct net_address *at);

#endif
