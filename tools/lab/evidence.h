/*
 * What the journal says that was on the wire: counted, and found. Any thread.
 */
#ifndef LANCHAT_LAB_EVIDENCE_H
#define LANCHAT_LAB_EVIDENCE_H

#include "tools/lab/journal.h"

#define EVIDENCE_ANY (-1)

/* Which packets: of a side, of a host, of a kind (enum flow_kind), of a fate (enum fate_kind); each may
 * be EVIDENCE_ANY. */
struct evidence {
	int side, host, kind, fate;
};

/* How many there are among the entries from number `from` on. */
uint64_t evidence_count(const struct journal *j, uint64_t from, struct evidence e);

/* The nth of them, from 1; NULL: there are not so many. */
const struct journal_entry *evidence_find(
	const struct journal *j, uint64_t from, struct evidence e, uint32_t nth);

/* When that packet first arrived at the other end; NULL: it has not. */
const struct journal_entry *evidence_arrival(const struct journal *j, uint64_t packet);

/* Wait until there are `count` of them, at most `timeout_ms`. Are there? */
bool evidence_wait(
	struct journal *j, uint64_t from, struct evidence e, uint64_t count, int timeout_ms);

#endif
