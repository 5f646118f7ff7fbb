/*
 * The wire: a thread that carries packets between the devices of a site's hosts, and treats them as
 * badly as it is told to. Every packet and every arrival goes into the journal.
 *
 * A device's sending queue is short, so the thread reads what is there first and delivers what is due
 * after; it sleeps in ppoll until the next is due.
 */
#ifndef LANCHAT_LAB_WIRE_H
#define LANCHAT_LAB_WIRE_H

#include "tools/lab/impair.h"
#include "tools/lab/journal.h"
#include "tools/lab/site.h"

struct wire;

/* A script's rule: which packets, counted from 1 among those that match. */
struct wire_rule {
	enum side side;
	uint8_t from_host;   /* whose packets */
	enum flow_kind kind; /* FLOW_DATA, FLOW_DATAGRAM, FLOW_ICMP, ... */
	uint32_t nth;        /* from 1; 0: every one */
	uint32_t offset;     /* FLOW_FRAGMENT: only that offset; else unused */
	bool any_offset;
};
#define WIRE_RULES 8

/* Start. `site` and `journal` are borrowed until wire_stop. One seed for both directions. */
int wire_start(struct wire **out, struct site *site, struct journal *journal,
	const struct impairment *how, uint64_t seed);
/* What is still on its way is dropped. */
void wire_stop(struct wire *w);

/* All of these: any thread. */
void wire_set(struct wire *w,
	const struct impairment *how); /* from now on, both directions; the MTU too */
void wire_get(const struct wire *w, struct impairment *how);
int wire_script(struct wire *w, const struct wire_rule *rule); /* drop what it picks; ERR_FULL */
void wire_unplug(struct wire *w, bool unplugged);              /* everything is lost meanwhile */
void wire_pause(struct wire *w, bool paused); /* packets enter, and wait; kernels' clocks go on */
void wire_step(struct wire *w);               /* paused: let the next arrive */
void wire_drop_next(struct wire *w, enum side side); /* by hand: the next that carries data */
void wire_slow(
	struct wire *w, unsigned factor); /* delay and jitter that many times as long; 1: as set */

/* Which pane a packet belongs to: TCP, and everything else. */
enum side wire_side(const struct packet *p);

struct wire_counts {
	uint64_t sent, arrived, lost, overflowed, duplicated, reordered, retransmitted,
		duplicate_acks;
	uint64_t bytes;
};
void wire_counts(const struct wire *w, enum side side, struct wire_counts *out);

#endif
