/*
 * The ladder: what was on the wire as the rows of a sequence diagram, from the journal's packets alone.
 *
 * Hosts stand side by side, the client at the left, and time runs downwards. A packet leaves one host on
 * one row and arrives at the other on a later one; where nothing came in between, on the same. A packet
 * that was dropped arrives on no row, and one that was doubled on two. A packet that is on its way may
 * yet arrive: then its row of sending is changed, and a row of arrival may be added; no other row ever
 * changes, and none moves.
 *
 * Who draws it as a picture takes every row that is `sent`, and draws an arrow from there to each of its
 * `arrival_row`s; who draws it as text takes the rows as they are (ladder_text.h).
 *
 * The journal is borrowed and must outlive the ladder. One thread.
 */
#ifndef LANCHAT_LAB_LADDER_H
#define LANCHAT_LAB_LADDER_H

#include "tools/lab/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LADDER_NOWHERE SIZE_MAX /* the number of no row */
#define LADDER_LABEL   64

struct ladder_row {
	uint64_t number;                     /* the packet's in the journal */
	const struct journal_packet *packet; /* borrowed: from and to whom, what it is, its fate */
	enum side side;
	bool sent, arrived;    /* which ends of the arrow are on this row: one, or both */
	bool second;           /* what arrives here is its duplicate */
	uint64_t sent_ns;      /* when it was sent, on every row */
	uint64_t arrived_ns;   /* when it arrived, where `arrived` */
	size_t send_row;       /* where it was sent; this one, where `sent` */
	size_t arrival_row[2]; /* where `sent`: where it arrived, and its duplicate */
};

struct ladder;

/* Of that side's packets; SIDE_BOTH: of all. NULL where memory is short. */
struct ladder *ladder_new(const struct journal *j, enum side side);
void ladder_free(struct ladder *l);

/* Take what the journal has got since. True: there was something for this ladder. Where memory is short
 * it goes on from there the next time. */
bool ladder_read(struct ladder *l);

size_t ladder_count(const struct ladder *l);

/* Borrowed until the next ladder_read; NULL: there is no such row. */
const struct ladder_row *ladder_at(const struct ladder *l, size_t row);

/* How many packets are on their way: sent, not dropped, and neither they nor their duplicate here. */
size_t ladder_in_flight(const struct ladder *l);

/* "data 65..128", "retransmission 65..128", "duplicate ACK 65", "datagram 5, 64 bytes", "ICMP port
 * unreachable": what a packet is, in `columns` ASCII characters at most where that can be, "resent
 * 65..128" then. Numbers of a sequence count from 0 at the SYN. Returns `out`. */
char *ladder_label(const struct journal_packet *p, size_t columns, char out[LADDER_LABEL]);

/* Is it lost, sent again, or an answer that says so: what a reader should notice? */
bool ladder_is_trouble(const struct journal_packet *p);

#endif
