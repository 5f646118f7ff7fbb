/*
 * The ledger: who has what.
 *
 * For each client and each sender of its room there is the number of the last message that came. The
 * next one has to be one more. What was skipped is lost until it comes after all, and then was out of
 * order; what comes a second time is doubled. Numbers begin at 1.
 *
 * The numbers of a client are kept by whoever has the client; the ledger has the sums, and remembers
 * what was skipped: 64 Ki stretches, which in a sound run are none.
 *
 * Where the protocol numbers the messages of a room, all senders' together, these numbers have to rise as
 * well: two that changed their places may be of two senders, each of whom is in order.
 *
 * One thread; nothing here waits.
 */
#ifndef LANCHAT_STRESS_LEDGER_H
#define LANCHAT_STRESS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_ANY UINT32_MAX /* as a last number: it may go on from anywhere, once */

/* Numbers of one sender, from..to, that one client has not. */
struct ledger_gap {
	uint32_t client, sender, from, to;
};

struct ledger {
	uint64_t lost, doubled, reordered;
	struct ledger_gap *gaps; /* owned */
	size_t count, size;
};

void ledger_fini(struct ledger *l);

/* A client got number `counter` of a sender; `*last` is the client's. True: it is new to it. Where memory
 * is out, or too many stretches are missing, sums are right but for what is "lost" or "doubled" being
 * counted in place of "reordered". */
bool ledger_note(
	struct ledger *l, uint32_t client, uint32_t sender, uint32_t *last, uint32_t counter);

/* The same message has place `place` in its room; `*newest` is the client's. `known`: ledger_note found it
 * out of order, and it is counted. */
void ledger_place(struct ledger *l, uint64_t *newest, uint64_t place, bool known);

/* Nothing more will come for a client: of this sender, it should have all up to `sent`. */
void ledger_close(struct ledger *l, uint32_t *last, uint32_t sent);

#endif
