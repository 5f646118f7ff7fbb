/*
 * Between the files of the wire: what picks packets, and what is on its way.
 */
#ifndef LANCHAT_LAB_WIRE_PRIVATE_H
#define LANCHAT_LAB_WIRE_PRIVATE_H

#include "tools/lab/wire.h"

/* ---- who is dropped on purpose; zeroed it is empty ---- */

struct wire_picks {
	struct {
		bool used;
		struct wire_rule rule;
		uint32_t matched;
	} rule[WIRE_RULES];
	unsigned by_hand[SIDES];
};

/* ERR_FULL. */
int wire_picks_add(struct wire_picks *picks, const struct wire_rule *rule);
void wire_picks_by_hand(struct wire_picks *picks, enum side side);

/* Does a rule or a hand want this one? It is counted by every rule that it matches. */
bool wire_picks_take(struct wire_picks *picks, enum side side, size_t from_host,
	const struct packet *p, const struct flow_note *note);

/* ---- what is on its way: a heap, the next to arrive on top; zeroed it is empty ---- */

struct transit_packet {
	uint64_t due_ns;
	uint64_t order; /* of entry; transit_add's */
	uint8_t to_host;
	enum side side;
	int64_t number; /* the packet's in the journal; negative: it is not there */
	bool second;
	uint32_t length;
	uint8_t bytes[]; /* as they are written to the device */
};

struct transit {
	struct transit_packet **heap;
	size_t count, room;
	uint64_t orders;
	size_t bytes;
};

/* A copy of `bytes` is made, and all else taken from `how`. ERR_MEMORY. */
int transit_add(struct transit *t, const struct transit_packet *how, const uint8_t *bytes);

/* When the next is due; UINT64_MAX: there is none. */
uint64_t transit_due(const struct transit *t);

/* The next, which is the caller's to free; NULL. */
struct transit_packet *transit_take(struct transit *t);

void transit_fini(struct transit *t);

#endif
