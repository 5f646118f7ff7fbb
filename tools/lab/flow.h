/*
 * What a packet means to the conversation that it belongs to: the first of its data or the same again,
 * an acknowledgement or the same one twice. State is kept for each flow and each direction, so that a
 * FIN is not taken for data sent again. Pure; one thread.
 *
 * What is seen is what both ends put on the wire, in the order in which they did; what became of it
 * then is not known here.
 *
 * Sources: RFC 9293; RFC 5681 section 2 (what a duplicate acknowledgement is); tcp_keepalive in tcp(7).
 */
#ifndef LANCHAT_LAB_FLOW_H
#define LANCHAT_LAB_FLOW_H

#include "tools/lab/packet.h"

enum flow_kind {
	FLOW_SYN,
	FLOW_SYN_ACK,
	FLOW_DATA,           /* a FIN may be in it */
	FLOW_RETRANSMISSION, /* data, a SYN or a FIN that was on the wire before, or begins so */
	FLOW_ACK,
	FLOW_DUPLICATE_ACK,
	FLOW_WINDOW_UPDATE,
	FLOW_WINDOW_PROBE, /* empty, of a number before what is acknowledged, to a window of 0 */
	FLOW_KEEPALIVE,    /* the same to an open one */
	FLOW_FIN,          /* without data */
	FLOW_RST,
	FLOW_DATAGRAM,
	FLOW_FRAGMENT, /* the first one too */
	FLOW_ICMP,
	FLOW_OTHER,
};

#define FLOW_MAX 64 /* that are known at once; the one that was silent longest is forgotten */

struct flow_note {
	enum flow_kind kind;
	uint32_t
		flow; /* a number of its own for each pair of ends, from 0; of an ICMP error, that of
	                  what it is about */
	bool first;   /* from the end that spoke first */
	uint32_t relative_seq, relative_ack; /* from 0 at the SYN */
	uint32_t
		data_packet; /* the how manieth of its direction that carries new data, from 1; 0: none.
	                        All fragments of a datagram have its number */
	uint32_t in_flight; /* bytes sent this way and not acknowledged yet, this one included */
};

struct flows;

/* NULL where memory is short. */
struct flows *flows_new(void);
void flows_free(struct flows *f);

/* As it enters the wire, before its fate. */
struct flow_note flows_note(struct flows *f, const struct packet *p);

/* "retransmission"; of static duration. */
const char *flow_words(enum flow_kind kind);

#endif
