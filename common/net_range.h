/*
 * Ranges of addresses: "10.0.0.0/8", "2001:db8::/32", or one address alone.
 *
 * An IPv4 address that came over an IPv6 socket (::ffff:a.b.c.d) is in the ranges of IPv4.
 * Pure functions; any thread. Source: RFC 4632 section 3.1.
 */
#ifndef LANCHAT_NET_RANGE_H
#define LANCHAT_NET_RANGE_H

#include "common/net_address.h"

#include <stdbool.h>
#include <stddef.h>

/* A plain value. */
struct net_range {
	uint8_t bytes[16];
	uint8_t bits; /* of the prefix */
	bool v6;
};

/* ERR_ARGUMENT: it is no range. Bits below the prefix do not count, and become 0. */
int net_range_parse(const char *text, struct net_range *out);

/* "10.0.0.0/8"; an address alone without the prefix. Returns `out`. */
char *net_range_print(const struct net_range *range, char *out, size_t size);

bool net_range_has(const struct net_range *range, const struct net_address *a);

#endif
