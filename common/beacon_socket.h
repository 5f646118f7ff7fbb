/*
 * The sockets of discovery, one packet at a time.
 *
 * Whoever takes part has up to four: for each family the shared port, where
 * everybody on the host hears what is sent to all (SO_REUSEADDR), and a private
 * one to send from, because what is sent to the shared port of one host reaches
 * just one of those who share it. A packet leaves by one named interface with one
 * named source address, and comes with the interface, the address that it was
 * sent to, and the hop limit, which must still be 255: then no router has touched
 * it, and the sender is on this very link.
 *
 * Sources: ip(7) IP_PKTINFO, IP_RECVTTL; ipv6(7), RFC 3542; RFC 5082 for the 255.
 * Each descriptor is for one thread.
 */
#ifndef LANCHAT_BEACON_SOCKET_H
#define LANCHAT_BEACON_SOCKET_H

#include "common/beacon.h"
#include "common/beacon_path.h"
#include "common/net.h"

#include <stdbool.h>
#include <stdint.h>

/* One packet that came. */
struct beacon_arrival {
	unsigned index;          /* of the interface */
	struct net_address from; /* where an answer goes */
	struct net_address to;   /* which address of ours it was sent to, or everybody's */
	bool everybody;          /* sent by broadcast or multicast */
	uint8_t packet[BEACON_SIZE];
};

/* A socket of `family` on `port`, shared when that is not 0 and private, on a port that the kernel
 * chooses, when it is. ERR_SYSTEM with errno: EAFNOSUPPORT and EADDRNOTAVAIL where the family is
 * switched off, EADDRINUSE where somebody does not share. */
int beacon_socket_open(int family, uint16_t port, int *fd);

/* Hear the IPv6 group on an interface; again, after the interface changed, does no harm. ERR_SYSTEM. */
int beacon_socket_join(int fd, unsigned index);

/* Send one packet out of interface `index`; `source` (its port does not matter) is the source
 * address, or NULL for the kernel's choice. ERR_AGAIN: no room now; ERR_SYSTEM: this interface
 * cannot, which is no reason to give up on the others. */
int beacon_socket_send(int fd, unsigned index, const struct net_address *source,
	const struct net_address *to, const uint8_t packet[BEACON_SIZE]);

/* Take one packet. ERR_AGAIN: none is left. ERR_PROTOCOL: it has the wrong size or came from
 * elsewhere than this link, and is gone. ERR_SYSTEM. */
int beacon_socket_receive(int fd, struct beacon_arrival *a);

/* A socket that talks to one peer alone, and so hears when nobody is there any more (ECONNREFUSED,
 * as ERR_REFUSED from beacon_socket_result). ERR_SYSTEM. */
int beacon_socket_connect(
	const struct net_address *peer, const uint8_t packet[BEACON_SIZE], int *fd);

/* What became of that: 0, and the answer is in `packet`; ERR_AGAIN: nothing yet; ERR_REFUSED: nobody
 * is there; ERR_PROTOCOL: something of another size; ERR_SYSTEM. */
int beacon_socket_result(int fd, uint8_t packet[BEACON_SIZE]);

#endif
