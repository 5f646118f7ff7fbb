#include "tools/lab/score_line.h"

#include <inttypes.h>

static const struct score_term terms[] = {
	{"sent", "messages that the program has handed to the kernel, in scenarios that number "
		 "them; - where none is numbered"},
	{"received", "of these, how many the other program has read"},
	{"lost", "never came, and never will: given up, or, of UDP, lost on the wire"},
	{"twice", "came once more, having come before"},
	{"late", "came behind one that was sent after them: out of order"},
	{"waiting", "sent, and neither received nor given up: in flight, or in a buffer"},
	{"p50", "half of the messages took no longer than this, from send to receive"},
	{"p99", "and all but one in a hundred no longer than this"},
	{"packets", "that entered the wire, in both directions"},
	{"dropped",
		"of these, lost by chance, by a script, by hand, or by a wire that is unplugged"},
	{"no room", "found the queue of the line full"},
	{"doubled", "the wire made two of one"},
	{"overtaken", "the wire let others pass"},
	{"on the wire", "on their way now"},
	{"dup ACKs", "TCP: the receiver repeats what it still waits for"},
	{"resent", "TCP: packets whose bytes were on the wire before: retransmissions"},
	{"TCP_INFO", "TCP: the retransmissions that the sender's kernel has counted"},
};

const struct score_term *score_line_terms(size_t *count)
{
	*count = sizeof(terms) / sizeof(terms[0]);
	return terms;
}

static void add_time(struct items *out, const char *name, const struct score *x, double part)
{
	if (x->received == 0)
		items_add(out, "%s -", name);
	else
		items_add(out, "%s %.1f ms", name,
			(double)histogram_quantile(&x->latency_us, part) / 1000);
}

void score_line_messages(const struct score *x, struct items *out)
{
	static const char *const names[] = {
		"sent", "received", "lost", "twice", "late", "waiting", "p50", "p99"};

	*out = (struct items){0};
	/* Where no messages are numbered there is nothing to say of them. */
	for (size_t i = 0; x->sent + x->received == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		items_add(out, "%s -", names[i]);
	if (out->count)
		return;
	items_add(out, "sent %" PRIu64, x->sent);
	items_add(out, "received %" PRIu64, x->received);
	items_add(out, "lost %" PRIu64, x->lost);
	items_add(out, "twice %" PRIu64, x->twice);
	items_add(out, "late %" PRIu64, x->late);
	items_add(out, "waiting %" PRIu64, x->in_flight);
	add_time(out, "p50", x, 0.5);
	add_time(out, "p99", x, 0.99);
}

void score_line_packets(enum side side, const struct wire_counts *c, const size_t *in_flight,
	uint64_t tcp_info, struct items *out)
{
	*out = (struct items){0};
	if (!in_flight && side == SIDE_TCP)
		return;
	items_add(out, "packets %" PRIu64, c->sent);
	items_add(out, "dropped %" PRIu64, c->lost);
	items_add(out, "no room %" PRIu64, c->overflowed);
	items_add(out, "doubled %" PRIu64, c->duplicated);
	items_add(out, "overtaken %" PRIu64, c->reordered);
	if (in_flight)
		items_add(out, "on the wire %zu", *in_flight);
	if (side != SIDE_TCP)
		return;
	items_add(out, "dup ACKs %" PRIu64, c->duplicate_acks);
	items_add(out, "resent %" PRIu64, c->retransmitted);
	if (tcp_info)
		items_add(out, "TCP_INFO %" PRIu64, tcp_info);
}
