/*
 * The counters of a side: what was measured of its messages, and what the wire did with its packets; and
 * what each of them means, in a table that the help prints. Pure; any thread.
 */
#ifndef LANCHAT_LAB_SCORE_LINE_H
#define LANCHAT_LAB_SCORE_LINE_H

#include "tools/lab/items.h"
#include "tools/lab/stage.h"

/* "sent 20", "received 19", "lost 1", ...: of the numbered messages that the programs sent. */
void score_line_messages(const struct score *x, struct items *out);

/* "packets 44", "dropped 1", ...: of what was on the wire. `side` tells whether packets are sent again
 * there; what TCP_INFO says of it is told once it says something. `in_flight` is NULL where there is no
 * wire but a relay, which sees nothing of TCP's packets. */
void score_line_packets(enum side side, const struct wire_counts *c, const size_t *in_flight,
	uint64_t tcp_info, struct items *out);

struct score_term {
	const char *name, *meaning;
};

/* All names in the lines above, in their order. */
const struct score_term *score_line_terms(size_t *count);

#endif
