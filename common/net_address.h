/*
 * Socket addresses as values and as text, for both families.
 *
 * Nothing here asks the network; names become addresses in common/net.h. Pure
 * but for interface names, which the kernel knows; any thread. Sources:
 * RFC 3986 section 3.2.2 (brackets), RFC 4007 section 11 (scopes), ipv6(7).
 */
#ifndef LANCHAT_NET_ADDRESS_H
#define LANCHAT_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_PORT        19830 /* TCP for chat, UDP for discovery */
#define NET_HOST_MAX    256
#define NET_ADDRESS_MAX 80 /* a printed address: "[fe80::1%eth0]:19830" with room to spare */

/* A socket address of either family. A plain value. */
struct net_address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
};

/* "host", "host:port", "[v6]", "[v6]:port", "v6", ":port", "*", "*:port"; the last three mean every
 * address. `host` (NET_HOST_MAX bytes) gets the host, empty for every address. ERR_ARGUMENT when it
 * is none of these. */
int net_parse(const char *text, uint16_t default_port, char *host, uint16_t *port);

/* "192.0.2.1:19830", "[2001:db8::1]:19830", "[fe80::1%eth0]:19830". Returns `out`. */
char *net_print(const struct net_address *a, char out[NET_ADDRESS_MAX]);

/* The same of a host as net_parse gives it: net_parse reads it back. Cut to `size`; returns `out`. */
char *net_print_host(const char *host, uint16_t port, char *out, size_t size);

/* The port; 0 for an address of neither family. */
uint16_t net_port(const struct net_address *a);
void net_set_port(struct net_address *a, uint16_t port);

/* 127.0.0.0/8 or ::1. */
bool net_is_loopback(const struct net_address *a);

/* An address on a link, without the interface that leads there: it means nothing (RFC 4007 6). */
bool net_lacks_scope(const struct net_address *a);

/* The same family, address, port and scope. */
bool net_equal(const struct net_address *a, const struct net_address *b);

/* The same but for the port. */
bool net_same_host(const struct net_address *a, const struct net_address *b);

#endif
