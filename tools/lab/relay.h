/*
 * Between the hosts where there are no namespaces: relays on loopback, in a thread of their own.
 *
 * A stream is carried byte by byte, each after the delay; its end is passed on, and so is a reset, and
 * who does not read makes who sends wait. What TCP does about loss cannot be shown so: each half is a
 * connection over loopback, which loses nothing, so the other impairments do not touch streams. To
 * datagrams everything of impair.h happens but the MTU.
 *
 * Whoever is connected to sees the relay's address in place of the peer's.
 */
#ifndef LANCHAT_LAB_RELAY_H
#define LANCHAT_LAB_RELAY_H

#include "common/net_address.h"
#include "tools/lab/impair.h"
#include "tools/lab/wire.h"

struct relay;

/* ERR_MEMORY, ERR_SYSTEM. */
int relay_start(struct relay **out, const struct impairment *how, uint64_t seed);
/* Ends the thread; what is on its way is dropped, connections are closed. NULL is fine. */
void relay_stop(struct relay *r);

/* All of these: any thread. */

/* Wait at a port of the kernel's choice of the same address for whoever wants to reach `target`.
 * `toward` is the direction, 0 or 1: its chances are its own. SOCK_STREAM or SOCK_DGRAM.
 * ERR_FULL, ERR_SYSTEM. */
int relay_open(struct relay *r, int type, const struct net_address *target, unsigned toward,
	uint16_t *port);
/* No longer; connections there are stay. */
void relay_close(struct relay *r, int type, uint16_t port);

void relay_set(struct relay *r, const struct impairment *how);
void relay_slow(struct relay *r, unsigned factor);
void relay_hold(struct relay *r, bool held);
void relay_counts(struct relay *r, enum side side, struct wire_counts *out);

#endif
