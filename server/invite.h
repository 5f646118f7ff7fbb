/*
 * Invitations: the addresses under which clients reach this server, for people.
 *
 * "Every address" is no address that anybody can type, so a wildcard is spelled out
 * as those that the machine's interfaces have at the moment.
 */
#ifndef LANCHAT_SERVER_INVITE_H
#define LANCHAT_SERVER_INVITE_H

#include "common/net_address.h"

#include <stddef.h>

/* Addresses for `lanchat`, at most `most`, for what is listened on: those for the network first,
 * then loopback; IPv4 before IPv6. Link-local IPv6 is left out unless it was named, for it means
 * another interface on every machine. Returns how many. At start-up. Source: getifaddrs(3). */
size_t invite_addresses(
	const struct net_address *listening, size_t count, struct net_address *out, size_t most);

#endif
