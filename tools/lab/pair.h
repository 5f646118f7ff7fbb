/*
 * What several scenarios begin with: two ends that can talk, and both sides at once.
 */
#ifndef LANCHAT_LAB_PAIR_H
#define LANCHAT_LAB_PAIR_H

#include "tools/lab/stage.h"

#define PAIR_PORT    7000 /* what the server's sockets are bound to, unless told otherwise */
#define PAIR_SOON_MS 3000 /* for a datagram that should come, but need not */

struct pair {
	int listener; /* -1 of UDP */
	int client, server;
};

/* A TCP connection: the client's socket and the one that accept gave. ERR_SYSTEM, with errno;
 * ERR_STOPPING. The stage closes what is open. */
int pair_tcp(struct stage *s, uint16_t port, struct pair *out);

/* The same, with buffers of that size at both ends, set before they are connected. */
int pair_tcp_small(struct stage *s, uint16_t port, int bytes, struct pair *out);

/* Two UDP sockets: the server's is bound; the client's, where `connected`, has it as its peer. */
int pair_udp(struct stage *s, uint16_t port, bool connected, struct pair *out);

/* What that side's call, which has just failed, comes to: ERR_STOPPING; ERR_TIMEOUT where TCP still tries,
 * which is told as not shown; or ERR_SYSTEM, and the stage knows which call. */
int pair_failure(struct stage *s, enum side side);

/* "4 bytes" or "nothing": what a receive returned. */
#define PAIR_BYTES 32
const char *pair_bytes(ssize_t n, char out[PAIR_BYTES]);

/* Play both sides at once, TCP in a thread of its own. The first error. */
int pair_sides(struct stage *s, int (*tcp)(struct stage *s), int (*udp)(struct stage *s));

#endif
