/*
 * The UDP sockets of the datagram lane: one for each address that is listened on over TCP.
 *
 * So the lane is where the chat is, and nowhere else, and each address may have a port of
 * its own, which clients are told. An answer leaves with the source address that the
 * datagram was sent to, or a host with several would answer from one that the client does
 * not know. Sources: ip(7), ipv6(7), RFC 3542 (IPV6_PKTINFO).
 *
 * Opening is for the start; receiving and sending for one thread.
 */
#ifndef LANCHAT_SERVER_LANE_SOCKET_H
#define LANCHAT_SERVER_LANE_SOCKET_H

#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a datagram came from and to. A plain value. */
struct lane_path {
	int fd;
	struct net_address from;  /* the other end */
	struct net_address local; /* the address of ours, without a port; length 0: not known */
};

bool lane_path_equal(const struct lane_path *a, const struct lane_path *b);

/* A socket for each of the addresses, in order, bound to `port`; 0: each takes a free one. ERR_SYSTEM
 * with one line in `error`, and none is open. */
int lane_sockets_open(const struct net_address *listening, size_t count, uint16_t port, int *fds,
	char *error, size_t size);

/* The port for whoever is connected to this address of ours over TCP; 0: none is for it. */
uint16_t lane_sockets_port(const int *fds, size_t count, const struct net_address *local);

/* The next datagram. ERR_AGAIN: none waits; ERR_TOO_BIG: it had more than `size` bytes. */
int lane_socket_receive(
	int fd, uint8_t *bytes, size_t size, size_t *length, struct lane_path *path);

/* Send one back. ERR_AGAIN: the socket is full, or the path cannot be had now; it is lost. */
int lane_socket_send(const struct lane_path *path, const uint8_t *bytes, size_t length);

#endif
