/*
 * Invitations: the addresses under which clients reach this server, for people.
 *
 * "Every address" is no address that anybody can type, so a wildcard is spelled out
 * as those that the machine's interfaces have at the moment.
 */
#ifndef LANCHAT_SERVER_INVITE_H
#define LANCHAT_SERVER_INVITE_H

#include "common/net_address.h"

#include <ifaddrs.h>
#include <stdbool.h>
#include <stddef.h>

/* Addresses for `lanchat`, at most `most`, for what is listened on: those for the network first,
 * then loopback; IPv4 before IPv6. Link-local IPv6, which means another interface on every machine, is
 * left out unless it was named, or there is nothing else for the network. Returns how many. At
 * start-up. Source: getifaddrs(3). */
size_t invite_addresses(
	const struct net_address *listening, size_t count, struct net_address *out, size_t most);

/* The same with a list of interfaces, as of getifaddrs(3); NULL: it is not known. Pure. */
size_t invite_from(const struct ifaddrs *interfaces, const struct net_address *listening,
	size_t count, struct net_address *out, size_t most);

/* Is it an IPv6 address that others have to write with the name of their own interface? */
bool invite_is_link_local(const struct net_address *a);

#endif
