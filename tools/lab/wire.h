/*
 * The wire: a thread that carries packets between the devices of a site's hosts, and treats them as
 * badly as it is told to. Every packet and every arrival goes into the journal, an arrival before what
 * it brings about.
 *
 * Each host has a direction of its own to each other, and in it TCP and UDP have a line each, with its
 * own queue and chances: so both sides meet the same network, neither takes the other's room, and the
 * fate of datagrams that are sent in the same order is the same for the same seed. A packet to everybody takes
 * its chances once for each host that it goes to. Not impaired, nor written down, are ARP's questions
 * and answers; not carried at all is IPv6, which the hosts are told not to speak, and what no IP packet
 * can be read from.
 *
 * A device's sending queue is short, so the thread reads what is there first and delivers what is due
 * after; it sleeps in ppoll until the next is due. Of two that are due at the same time, the one that
 * entered first arrives first.
 */
#ifndef LANCHAT_LAB_WIRE_H
#define LANCHAT_LAB_WIRE_H

#include "tools/lab/impair.h"
#include "tools/lab/journal.h"
#include "tools/lab/site.h"

struct wire;

/* A script's rule: which packets, counted from 1 among those that match, from when it was made. */
struct wire_rule {
	enum side side;      /* SIDE_BOTH: of either */
	uint8_t from_host;   /* whose packets */
	enum flow_kind kind; /* FLOW_DATA, FLOW_DATAGRAM, FLOW_ICMP, ... */
	uint32_t nth;        /* from 1; 0: every one */
	uint32_t offset;     /* FLOW_FRAGMENT: only that offset; else unused */
	bool any_offset;
};
#define WIRE_RULES 8 /* at once; one that has picked its nth makes room */

/* What is on its way at most, over all directions; more than that is an overflow of the queue. */
#define WIRE_BYTES (64UL << 20)

/* Start. `site` and `journal` are borrowed until wire_stop. One seed for all directions. ERR_SYSTEM
 * also where the devices cannot have that MTU; ERR_MEMORY. */
int wire_start(struct wire **out, struct site *site, struct journal *journal,
	const struct impairment *how, uint64_t seed);
/* What is still on its way is dropped. */
void wire_stop(struct wire *w);

/* All of these: any thread. */

/* From now on, all directions; the devices' MTU too, where they can have it (0: SITE_MTU), which one
 * thread at a time may change. */
void wire_set(struct wire *w, const struct impairment *how);
void wire_get(struct wire *w, struct impairment *how);
int wire_script(struct wire *w, const struct wire_rule *rule); /* drop what it picks; ERR_FULL */
void wire_unplug(struct wire *w, bool unplugged);              /* what enters meanwhile is lost */
void wire_pause(struct wire *w, bool paused); /* packets enter, and wait; kernels' clocks go on */
/* Paused: let the next arrive, be it due or not. Where nothing is on its way, nothing happens. */
void wire_step(struct wire *w);
void wire_drop_next(struct wire *w, enum side side); /* by hand: the next that carries data */
void wire_slow(
	struct wire *w, unsigned factor); /* delay and jitter that many times as long; 1: as set */

/* Which pane a packet belongs to: TCP and what ICMP says about TCP, and everything else. */
enum side wire_side(const struct packet *p);

/* What entered, what left again (duplicates too), and what came in between. Of a packet to everybody
 * each copy counts. */
struct wire_counts {
	uint64_t sent, arrived, lost, overflowed, duplicated, reordered, retransmitted,
		duplicate_acks;
	uint64_t bytes; /* of those that were sent, IP headers included */
};
/* `lost` is by chance, script, hand, unplugging and MTU. SIDE_BOTH: the sum. */
void wire_counts(struct wire *w, enum side side, struct wire_counts *out);

#endif
