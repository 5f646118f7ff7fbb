/*
 * Network interfaces: which there are, which are good for discovery, and in what
 * order.
 *
 * A table holds the interfaces that suit, with their addresses; common/netlink
 * fills it from the kernel, and everything here is pure. One suits when it is up
 * and running, is not point-to-point (a VPN is not a LAN), is not enslaved (its
 * bridge or bond speaks for it) and passes the filter. Loopback suits too. Bridges
 * come last, for they are mostly the private networks of containers.
 *
 * Any thread may call these functions.
 */
#ifndef LANCHAT_NETIF_H
#define LANCHAT_NETIF_H

#include "common/net.h"
#include "common/options.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETIF_MAX           64
#define NETIF_ADDRESSES_MAX 256

/* One interface. */
struct netif {
	unsigned index; /* the kernel's number for it */
	unsigned flags; /* IFF_* */
	bool enslaved;  /* part of a bridge or a bond */
	bool bridge;
	char name[IF_NAMESIZE];
};

/* One address of one interface. */
struct netif_address {
	unsigned index; /* of the interface */
	sa_family_t family;
	bool tentative; /* IPv6: not usable until duplicate address detection is over */
	uint8_t prefix; /* length of the network's prefix, in bits */
	uint8_t bytes[sizeof(struct in6_addr)]; /* IPv4: the first four */
};

/* A plain value. */
struct netif_table {
	size_t link_count;
	size_t address_count;
	struct netif links[NETIF_MAX];
	struct netif_address addresses[NETIF_ADDRESSES_MAX];
};

/* Globs (fnmatch) on names; either list may be NULL or empty. Borrowed. */
struct netif_filter {
	const struct option_list *only; /* empty: every name */
	const struct option_list * not ;
};

/* Does the filter let this name pass? A name must match one of `only`, if there are any, and none
 * of `not`. Loopback is no exception. */
bool netif_filter_passes(const struct netif_filter *f, const char *name);

/* Is this interface good for discovery? */
bool netif_suits(const struct netif *link, const struct netif_filter *f);

/* Add to the table, which starts out zeroed. ERR_FULL. An address whose interface is not in the
 * table, or of neither IP family, is passed over (0). */
int netif_add(struct netif_table *t, const struct netif *link);
int netif_add_address(struct netif_table *t, const struct netif_address *a);

/* Put the interfaces in order: loopback, others by number, bridges last. */
void netif_sort(struct netif_table *t);

bool netif_table_equal(const struct netif_table *a, const struct netif_table *b);

/* The interface of that number, or NULL. */
const struct netif *netif_find(const struct netif_table *t, unsigned index);

/* The address as a socket address; link-local IPv6 gets its interface as the scope. */
struct net_address netif_socket_address(const struct netif_address *a, uint16_t port);

/* Is `peer` on the network that `a` and its prefix describe? */
bool netif_same_network(const struct netif_address *a, const struct net_address *peer);

#endif
