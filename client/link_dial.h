/*
 * Connecting to a server that has several addresses (RFC 8305, "happy eyeballs").
 *
 * The addresses are tried in turn, each with a short head start before the next
 * one is tried beside it; one that fails lets the next begin at once. The first
 * connection wins and the others are closed. So a dead address costs a tenth of a
 * second, not the minutes after which TCP gives up.
 *
 * A dial is a state machine without a thread: its owner polls the descriptors
 * that it names and calls dial_step. Times are clock_ms.
 */
#ifndef LANCHAT_LINK_DIAL_H
#define LANCHAT_LINK_DIAL_H

#include "common/net.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define DIAL_MOST       16  /* addresses tried at most */
#define DIAL_HEAD_START 100 /* ms; the RFC's 250 are for the internet, this is for a LAN */

struct dial {
	struct net_address addresses[DIAL_MOST];
	int fds[DIAL_MOST]; /* owned; -1 when not open */
	size_t count;
	size_t started;     /* how many were tried so far: owners tell people about each */
	int64_t next_at;    /* when the next address is tried */
	int error;          /* errno of the first that failed; 0: none has */
	size_t error_index; /* and which that was */
};

/* Prepare; more than DIAL_MOST addresses are ignored. Pair with dial_fini, which closes all. */
void dial_init(struct dial *d, const struct net_address *addresses, size_t count, int64_t now);
void dial_fini(struct dial *d);

/* Go on. 0: connected, `*fd` is the caller's and `*which` the address; ERR_AGAIN: poll, until
 * dial_deadline at most; ERR_SYSTEM: all have failed (`error`, `error_index`). */
int dial_step(struct dial *d, int64_t now, int *fd, size_t *which);

/* Fill in what to poll; returns how many, at most DIAL_MOST. */
size_t dial_poll(const struct dial *d, struct pollfd *out);

int64_t dial_deadline(const struct dial *d);

#endif
