#include "tools/lab/ladder.h"

#include <stdlib.h>

struct ladder {
	const struct journal *journal; /* borrowed */
	enum side side;
	uint64_t next;           /* entry to read */
	struct ladder_row *rows; /* owned */
	size_t count, room;
	size_t *sent; /* owned: by the packet's number, the row where it was sent */
	size_t sent_room;
	size_t in_flight;
};

struct ladder *ladder_new(const struct journal *j, enum side side)
{
	struct ladder *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->journal = j;
	l->side = side;
	return l;
}

void ladder_free(struct ladder *l)
{
	if (!l)
		return;
	free(l->rows);
	free(l->sent);
	free(l);
}

/* ---- room ---- */

static bool make_row(struct ladder *l)
{
	if (l->count < l->room)
		return true;
	size_t room = l->room ? l->room * 2 : 64;
	struct ladder_row *more = realloc(l->rows, room * sizeof(*more));
	if (!more)
		return false;
	l->rows = more;
	l->room = room;
	return true;
}

/* That `sent` has a place for this number. */
static bool make_place(struct ladder *l, uint64_t number)
{
	size_t room = l->sent_room ? l->sent_room : 64;

	while (room <= number)
		room *= 2;
	if (room == l->sent_room)
		return true;
	size_t *more = realloc(l->sent, room * sizeof(*more));
	if (!more)
		return false;
	for (size_t i = l->sent_room; i < room; i++)
		more[i] = LADDER_NOWHERE;
	l->sent = more;
	l->sent_room = room;
	return true;
}

/* ---- reading ---- */

static bool take_packet(struct ladder *l, const struct journal_entry *e)
{
	if (!make_row(l) || !make_place(l, e->number))
		return false;
	l->sent[e->number] = l->count;
	l->rows[l->count] = (struct ladder_row){
		.number = e->number,
		.packet = &e->of.packet,
		.side = e->side,
		.sent = true,
		.sent_ns = e->time_ns,
		.send_row = l->count,
		.arrival_row = {LADDER_NOWHERE, LADDER_NOWHERE},
	};
	l->count++;
	l->in_flight += e->of.packet.fate.kind == FATE_CARRIED;
	return true;
}

static bool take_arrival(struct ladder *l, const struct journal_entry *e)
{
	uint64_t of = e->of.arrival.of;
	bool second = e->of.arrival.second;
	size_t at = of < l->sent_room ? l->sent[of] : LADDER_NOWHERE;

	if (at == LADDER_NOWHERE)
		return true; /* of a packet that there was no room to write down */
	if (!make_row(l))
		return false;
	struct ladder_row *from = &l->rows[at], *to = from;
	bool here =
		from->arrival_row[0] != LADDER_NOWHERE || from->arrival_row[1] != LADDER_NOWHERE;

	l->in_flight -= !here;
	if (here || at + 1 < l->count) {
		to = &l->rows[l->count];
		*to = *from;
		to->sent = false;
		to->arrival_row[0] = to->arrival_row[1] = LADDER_NOWHERE;
		l->count++;
	}
	to->arrived = true;
	to->second = second;
	to->arrived_ns = e->time_ns;
	from->arrival_row[second] = (size_t)(to - l->rows);
	return true;
}

bool ladder_read(struct ladder *l)
{
	const struct journal_entry *e;
	bool some = false;

	for (; (e = journal_at(l->journal, l->next)) != NULL; l->next++) {
		if (l->side != SIDE_BOTH && e->side != l->side)
			continue;
		if (e->kind == JOURNAL_PACKET ? !take_packet(l, e)
					      : e->kind == JOURNAL_ARRIVAL && !take_arrival(l, e))
			break;
		some |= e->kind == JOURNAL_PACKET || e->kind == JOURNAL_ARRIVAL;
	}
	return some;
}

size_t ladder_count(const struct ladder *l)
{
	return l->count;
}

const struct ladder_row *ladder_at(const struct ladder *l, size_t row)
{
	return row < l->count ? &l->rows[row] : NULL;
}

size_t ladder_in_flight(const struct ladder *l)
{
	return l->in_flight;
}

bool ladder_is_trouble(const struct journal_packet *p)
{
	if (p->fate.kind != FATE_CARRIED)
		return true;
	switch (p->note.kind) {
	case FLOW_RETRANSMISSION:
	case FLOW_DUPLICATE_ACK:
	case FLOW_WINDOW_PROBE:
	case FLOW_RST:
	case FLOW_ICMP:
		return true;
	case FLOW_SYN:
	case FLOW_SYN_ACK:
	case FLOW_DATA:
	case FLOW_ACK:
	case FLOW_WINDOW_UPDATE:
	case FLOW_KEEPALIVE:
	case FLOW_FIN:
	case FLOW_DATAGRAM:
	case FLOW_FRAGMENT:
	case FLOW_OTHER:
		return false;
	}
	return false;
}
