#include "tools/lab/wire_private.h"

#include "common/err.h"

int wire_picks_add(struct wire_picks *picks, const struct wire_rule *rule)
{
	for (size_t i = 0; i < WIRE_RULES; i++) {
		if (picks->rule[i].used)
			continue;
		picks->rule[i].used = true;
		picks->rule[i].rule = *rule;
		picks->rule[i].matched = 0;
		return 0;
	}
	return ERR_FULL;
}

void wire_picks_by_hand(struct wire_picks *picks, enum side side)
{
	for (int each = 0; each < SIDES; each++)
		if (side == SIDE_BOTH || (int)side == each)
			picks->by_hand[each]++;
}

static bool matches(const struct wire_rule *r, enum side side, size_t from_host,
	const struct packet *p, const struct flow_note *note)
{
	if ((r->side != SIDE_BOTH && r->side != side) || r->from_host != from_host ||
		r->kind != note->kind)
		return false;
	return r->kind != FLOW_FRAGMENT || r->any_offset || r->offset == p->fragment_offset;
}

static bool carries_data(const struct packet *p, const struct flow_note *note)
{
	switch (note->kind) {
	case FLOW_DATAGRAM:
	case FLOW_FRAGMENT:
		return true;
	case FLOW_DATA:
	case FLOW_RETRANSMISSION:
		return p->payload_length > 0;
	default:
		return false;
	}
}

bool wire_picks_take(struct wire_picks *picks, enum side side, size_t from_host,
	const struct packet *p, const struct flow_note *note)
{
	bool picked = false;

	for (size_t i = 0; i < WIRE_RULES; i++) {
		const struct wire_rule *r = &picks->rule[i].rule;
		if (!picks->rule[i].used || !matches(r, side, from_host, p, note))
			continue;
		picks->rule[i].matched++;
		if (r->nth == 0) {
			picked = true;
		} else if (picks->rule[i].matched == r->nth) {
			picked = true;
			picks->rule[i].used = false;
		}
	}
	if (!picked && picks->by_hand[side] && carries_data(p, note)) {
		picks->by_hand[side]--;
		picked = true;
	}
	return picked;
}
