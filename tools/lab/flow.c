#include "tools/lab/flow.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* One direction. Numbers of a sequence are compared by their distance, for they begin anew at 2^32. */
struct way {
	bool begun;           /* `start` is known */
	uint32_t start;       /* the number of the SYN; without one, that before the first data */
	uint32_t next;        /* behind the last byte, SYN and FIN that were sent */
	uint32_t data_end;    /* the same without the FIN */
	bool acknowledged;    /* the other end has, up to `acked` */
	uint32_t acked;       /* the highest that it acknowledged */
	uint32_t ack, window; /* of the last packet; meaningless unless the other is acknowledged */
	bool stalled;         /* the other end's window was 0, and no data was sent since */
	uint32_t packets;     /* that carry new data */
	uint32_t id;          /* of the last first fragment */
	uint32_t fragment_number; /* and which datagram it was */
	bool fragmented;
};

struct flow {
	bool used;
	uint32_t number;
	uint64_t heard; /* when, in packets */
	uint8_t version, protocol;
	struct packet_end end[2]; /* the first to speak, the other */
	struct way way[2];        /* from it, to it */
};

struct flows {
	struct flow flow[FLOW_MAX];
	uint32_t numbers;
	uint64_t clock;
};

struct flows *flows_new(void)
{
	return calloc(1, sizeof(struct flows));
}

void flows_free(struct flows *f)
{
	free(f);
}

/* ---- which flow ---- */

/* Is `a` before `b`? */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* A place for a flow that is new: a free one, or that of the one silent longest. */
static struct flow *place(struct flows *f)
{
	struct flow *oldest = &f->flow[0];

	for (size_t i = 0; i < FLOW_MAX; i++) {
		if (!f->flow[i].used)
			return &f->flow[i];
		if (f->flow[i].heard < oldest->heard)
			oldest = &f->flow[i];
	}
	return oldest;
}

static struct flow *begin(struct flows *f, struct flow *at, const struct packet *p)
{
	*at = (struct flow){
		.used = true,
		.number = f->numbers++,
		.version = p->version,
		.protocol = p->protocol,
		.end = {p->from, p->to},
	};
	return at;
}

static struct flow *find(struct flows *f, uint8_t version, uint8_t protocol,
	const struct packet_end *from, const struct packet_end *to)
{
	for (size_t i = 0; i < FLOW_MAX; i++) {
		struct flow *at = &f->flow[i];
		if (!at->used || at->version != version || at->protocol != protocol)
			continue;
		for (size_t way = 0; way < 2; way++)
			if (packet_same_end(&at->end[way], from) &&
				packet_same_end(&at->end[1 - way], to))
				return at;
	}
	return NULL;
}

static bool same_address(const struct packet_end *a, const struct packet_end *b)
{
	return memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Later fragments have no ports: theirs is the flow in which that address sent the first one. */
static struct flow *find_fragmented(struct flows *f, const struct packet *p)
{
	for (size_t i = 0; i < FLOW_MAX; i++) {
		struct flow *at = &f->flow[i];
		if (!at->used || at->version != p->version || at->protocol != p->protocol)
			continue;
		for (size_t way = 0; way < 2; way++)
			if (at->way[way].fragmented && at->way[way].id == p->id &&
				same_address(&at->end[way], &p->from) &&
				same_address(&at->end[1 - way], &p->to))
				return at;
	}
	return NULL;
}

static struct flow *flow_of(struct flows *f, const struct packet *p)
{
	struct flow *at = NULL;

	if (p->about_protocol)
		at = find(f, p->version, p->about_protocol, &p->about_from, &p->about_to);
	else if (p->fragment_offset > 0)
		at = find_fragmented(f, p);
	if (!at)
		at = find(f, p->version, p->protocol, &p->from, &p->to);
	return at ? at : begin(f, place(f), p);
}

/* Which way it goes. An error may come from an address that is neither's: from the second then. */
static size_t way_of(const struct flow *at, const struct packet *p)
{
	if (p->protocol != at->protocol || p->fragment_offset > 0)
		return same_address(&at->end[0], &p->from) ? 0 : 1;
	return packet_same_end(&at->end[0], &p->from) ? 0 : 1;
}

/* ---- what it is: TCP ---- */

/* The same ports are used again, or the first SYN was of a connection that nobody remembers. */
static bool is_new_connection(const struct way *w, const struct packet *p)
{
	return (p->flags & (PACKET_SYN | PACKET_ACK | PACKET_RST)) == PACKET_SYN && w->begun &&
	       w->start != p->seq;
}

static enum flow_kind note_syn(struct way *w, const struct packet *p)
{
	if (w->begun)
		return FLOW_RETRANSMISSION;
	w->begun = true;
	w->start = p->seq;
	w->next = w->data_end = p->seq + 1;
	return p->flags & PACKET_ACK ? FLOW_SYN_ACK : FLOW_SYN;
}

/* Of data, a FIN, or both. */
static enum flow_kind note_sent(struct way *w, const struct packet *p, struct flow_note *note)
{
	bool fin = p->flags & PACKET_FIN;
	uint32_t data_end = p->seq + p->payload_length;
	bool again = before(p->seq, w->next);

	if (p->payload_length > 0) {
		w->stalled = false;
		/* What is behind all that was sent is new, wherever numbers that make no sense have left the
		 * end of the data. */
		if (!again || before(w->data_end, data_end)) {
			w->data_end = data_end;
			note->data_packet = ++w->packets;
		}
	}
	if (before(w->next, data_end + fin))
		w->next = data_end + fin;
	if (again)
		return FLOW_RETRANSMISSION;
	return p->payload_length > 0 ? FLOW_DATA : FLOW_FIN;
}

/* Of nothing but an acknowledgement. `back` is the direction that it acknowledges. */
static enum flow_kind note_empty(
	const struct way *w, const struct way *back, const struct packet *p)
{
	bool outstanding = back->acknowledged && before(back->acked, back->next);

	/* An end acknowledges with the number that it sends next; one that it has behind it asks for an
	 * answer. */
	if (w->acknowledged && before(p->seq, w->acked))
		return w->stalled ? FLOW_WINDOW_PROBE : FLOW_KEEPALIVE;
	if (!back->acknowledged || p->ack != back->acked || w->ack != p->ack)
		return FLOW_ACK;
	/* The bytes that came out of order fill the buffer, so the window may change with a duplicate that
	 * says which they are. */
	if (outstanding && (p->window == w->window || p->has_sack))
		return FLOW_DUPLICATE_ACK;
	return p->window == w->window ? FLOW_ACK : FLOW_WINDOW_UPDATE;
}

/* What it acknowledges of the other direction. */
static void note_acknowledged(struct way *w, struct way *back, const struct packet *p)
{
	if (!back->begun) {
		/* Its beginning was not seen: what is sent next counts from 1. */
		back->begun = true;
		back->start = p->ack - 1;
		back->next = back->data_end = p->ack;
	}
	if (!back->acknowledged || before(back->acked, p->ack))
		back->acked = p->ack;
	back->acknowledged = true;
	back->stalled |= p->window == 0;
	w->ack = p->ack;
	w->window = p->window;
}

static uint32_t in_flight(const struct way *w)
{
	uint32_t from = w->acknowledged ? w->acked : w->start + 1;

	return before(from, w->data_end) ? w->data_end - from : 0;
}

static void note_tcp(
	struct way *w, struct way *back, const struct packet *p, struct flow_note *note)
{
	if (p->flags & PACKET_RST) {
		/* Its numbers may be made up: it changes nothing. */
		note->kind = FLOW_RST;
	} else {
		if (!w->begun && !(p->flags & PACKET_SYN)) {
			w->begun = true;
			w->start = p->seq - 1;
			w->next = w->data_end = p->seq;
		}
		if (p->flags & PACKET_SYN)
			note->kind = note_syn(w, p);
		else if (p->payload_length > 0 || (p->flags & PACKET_FIN))
			note->kind = note_sent(w, p, note);
		else
			note->kind = note_empty(w, back, p);
		if (p->flags & PACKET_ACK)
			note_acknowledged(w, back, p);
	}
	if (w->begun)
		note->relative_seq = p->seq - w->start;
	if (back->begun && (p->flags & PACKET_ACK))
		note->relative_ack = p->ack - back->start;
	note->in_flight = in_flight(w);
}

/* ---- what it is: the others ---- */

static void note_fragment(struct way *w, const struct packet *p, struct flow_note *note)
{
	note->kind = FLOW_FRAGMENT;
	if (p->fragment_offset == 0) {
		w->fragmented = true;
		w->id = p->id;
		w->fragment_number = ++w->packets;
	}
	if (w->fragmented && w->id == p->id)
		note->data_packet = w->fragment_number;
}

struct flow_note flows_note(struct flows *f, const struct packet *p)
{
	struct flow *at = flow_of(f, p);
	size_t way = way_of(at, p);

	if (p->protocol == IPPROTO_TCP && is_new_connection(&at->way[way], p)) {
		at = begin(f, at, p);
		way = 0;
	}
	at->heard = ++f->clock;
	struct flow_note note = {.kind = FLOW_OTHER, .flow = at->number, .first = way == 0};
	if (packet_is_fragment(p)) {
		note_fragment(&at->way[way], p, &note);
	} else if (p->protocol == IPPROTO_TCP) {
		note_tcp(&at->way[way], &at->way[1 - way], p, &note);
	} else if (p->protocol == IPPROTO_UDP) {
		note.kind = FLOW_DATAGRAM;
		note.data_packet = ++at->way[way].packets;
	} else if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
		note.kind = FLOW_ICMP;
	}
	return note;
}

const char *flow_words(enum flow_kind kind)
{
	switch (kind) {
	case FLOW_SYN:
		return "SYN";
	case FLOW_SYN_ACK:
		return "SYN-ACK";
	case FLOW_DATA:
		return "data";
	case FLOW_RETRANSMISSION:
		return "retransmission";
	case FLOW_ACK:
		return "ACK";
	case FLOW_DUPLICATE_ACK:
		return "duplicate ACK";
	case FLOW_WINDOW_UPDATE:
		return "window update";
	case FLOW_WINDOW_PROBE:
		return "window probe";
	case FLOW_KEEPALIVE:
		return "keepalive";
	case FLOW_FIN:
		return "FIN";
	case FLOW_RST:
		return "RST";
	case FLOW_DATAGRAM:
		return "datagram";
	case FLOW_FRAGMENT:
		return "fragment";
	case FLOW_ICMP:
		return "ICMP";
	case FLOW_OTHER:
		return "other";
	}
	return "";
}
