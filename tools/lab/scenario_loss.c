/*
 * 4: many numbered messages over a bad network.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include "common/err.h"

#include <errno.h>

#define PACE_US 2000

static int run(struct stage *s, enum side side, const struct pair *p, const char *why)
{
	const struct stage_options *o = stage_options(s);
	struct traffic t = {
		.side = side,
		.from = p->client,
		.to = p->server,
		.count = o->count,
		.size = o->size,
		.pace_us = PACE_US,
		.why = why,
	};
	return traffic_run(s, &t);
}

static bool ends_it(int r)
{
	return r == ERR_STOPPING || r == ERR_MEMORY;
}

static int streams(struct stage *s)
{
	struct pair p;
	struct score x;
	struct tcp_info info;
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	(void)stage_option(
		s, p.client, IPPROTO_TCP, TCP_NODELAY, 1, "each message leaves as soon as it can");
	r = run(s, SIDE_TCP, &p, "numbered messages, one after the other");
	int error = errno;
	if (ends_it(r))
		return r;
	(void)stage_tcp_info(s, p.client, &info);
	stage_score(s, SIDE_TCP, &x);
	traffic_check_stream(s, r, error, "every message arrives, once and in order");
	if (!stage_wire(s)) {
		stage_say(s, SIDE_TCP,
			"A relay on loopback cannot lose a segment, so what TCP does about loss is "
			"not shown here. The delay is real.");
		return 0;
	}
	uint64_t gone = evidence_count(stage_journal(s), 0,
		(struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_DATA, FATE_LOST});
	stage_check(s, SIDE_TCP, gone == 0 || x.retransmitted > 0, "what was lost was sent again",
		"%lu packets with new data lost, %lu retransmissions", (unsigned long)gone,
		(unsigned long)x.retransmitted);
	stage_say(s, SIDE_TCP,
		"The sender keeps each byte until it is acknowledged, and sends again what is not. "
		"The receiver puts order into what comes, and waits for what is missing: that is "
		"what the slowest messages paid for.");
	return 0;
}

/* How many messages the wire delivered after a later one; each counts when it comes first. */
static uint64_t wire_late(struct stage *s)
{
	const struct journal *j = stage_journal(s);
	const struct journal_entry *x;
	uint64_t late = 0;
	int64_t highest = -1;

	for (uint64_t i = 0; (x = journal_at(j, i)) != NULL; i++) {
		if (x->kind != JOURNAL_ARRIVAL || x->side != SIDE_UDP)
			continue;
		const struct journal_entry *of = journal_at(j, x->of.arrival.of);
		const struct packet *p = &of->of.packet.packet;
		int64_t number = traffic_number(p->payload, p->payload_length);
		const struct fate *f = &of->of.packet.fate;
		/* Of two copies the one that is due first is the message. */
		bool first = f->copies < 2 || x->of.arrival.second == (f->due_ns[1] < f->due_ns[0]);
		if (first && number < highest)
			late++;
		if (number > highest)
			highest = number;
	}
	return late;
}

static void check_datagrams(struct stage *s, const struct pair *p)
{
	struct score x;
	struct wire_counts c;
	char latency[TRAFFIC_LATENCY];
	uint64_t full = (uint64_t)stage_drops(s, p->server);

	stage_score(s, SIDE_UDP, &x);
	stage_counts(s, SIDE_UDP, &c);
	uint64_t gone = c.lost + c.overflowed;
	stage_check(s, SIDE_UDP,
		x.received + x.lost == x.sent && x.lost >= gone && x.lost <= gone + full,
		"received and lost are all that was sent, and lost is what the network lost",
		"%lu sent, %lu received, %lu lost; the network lost %lu; %s", (unsigned long)x.sent,
		(unsigned long)x.received, (unsigned long)x.lost, (unsigned long)gone,
		traffic_latency(&x, latency));
	stage_check(s, SIDE_UDP, x.received + x.twice + full == c.arrived,
		"what the network doubled comes twice", "%lu twice; the network doubled %lu",
		(unsigned long)x.twice, (unsigned long)c.duplicated);
	if (!stage_wire(s))
		return;
	uint64_t late = wire_late(s);
	stage_check(s, SIDE_UDP, full || x.late == late,
		"what was overtaken comes after what overtook it", "%lu late; on the wire %lu were",
		(unsigned long)x.late, (unsigned long)late);
}

static int datagrams(struct stage *s)
{
	struct pair p;
	int r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	(void)stage_option(
		s, p.server, SOL_SOCKET, SO_RCVBUF, 1 << 20, "room, so that nothing is lost here");
	r = run(s, SIDE_UDP, &p, "the same messages, a datagram each");
	if (ends_it(r))
		return r;
	check_datagrams(s, &p);
	stage_say(s, SIDE_UDP,
		"Nobody notices. What is lost is not missed, what comes twice is two messages, and "
		"what comes late is late: but nothing ever waits for anything else.");
	return 0;
}

int scenario_loss(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
