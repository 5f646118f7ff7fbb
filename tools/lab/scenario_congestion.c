/*
 * 15: more than fits through the line.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include "common/err.h"

#include <errno.h>

#define BURST 50

static int run(struct stage *s, enum side side, const struct pair *p, const char *why)
{
	const struct stage_options *o = stage_options(s);
	struct traffic t = {
		.side = side,
		.from = p->client,
		.to = p->server,
		.count = o->count,
		.size = o->size,
		/* The sender's device has a queue of its own, which must not be what overflows. */
		.burst = side == SIDE_UDP ? BURST : 0,
		.why = why,
	};
	return traffic_run(s, &t);
}

static bool ends_it(int r)
{
	return r == ERR_STOPPING || r == ERR_MEMORY;
}

/* Packets with data of the client's, and how many of them found the queue full. */
static double share_lost(struct stage *s, enum side side, uint64_t *sent, uint64_t *lost)
{
	static const enum flow_kind kinds[] = {FLOW_DATA, FLOW_RETRANSMISSION, FLOW_DATAGRAM};

	*sent = *lost = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*sent += evidence_count(stage_journal(s), 0,
			(struct evidence){(int)side, CLIENT_HOST, (int)kinds[i], EVIDENCE_ANY});
		*lost += evidence_count(stage_journal(s), 0,
			(struct evidence){(int)side, CLIENT_HOST, (int)kinds[i], FATE_OVERFLOW});
	}
	return *sent ? (double)*lost / (double)*sent : 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	struct score x;
	uint64_t sent, lost;
	int r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	(void)stage_option(
		s, p.server, SOL_SOCKET, SO_RCVBUF, 1 << 20, "room, so that nothing is lost here");
	r = run(s, SIDE_UDP, &p, "as fast as the program can");
	if (ends_it(r))
		return r;
	double share = share_lost(s, SIDE_UDP, &sent, &lost);
	stage_score(s, SIDE_UDP, &x);
	uint64_t chance = evidence_count(stage_journal(s), 0,
		(struct evidence){SIDE_UDP, CLIENT_HOST, FLOW_DATAGRAM, FATE_LOST});
	static const char overflows[] = "UDP goes on sending, and the queue overflows";
	if (r == ERR_TIMEOUT)
		stage_unshown(s, SIDE_UDP, overflows, "%lu sent, %lu received",
			(unsigned long)x.sent, (unsigned long)x.received);
	else
		stage_check(s, SIDE_UDP, lost > 0 && x.received + lost + chance == x.sent,
			overflows,
			"%lu sent, %lu received, %lu found the queue full (%d %%), %lu lost by "
			"chance",
			(unsigned long)x.sent, (unsigned long)x.received, (unsigned long)lost,
			(int)(share * 100), (unsigned long)chance);
	stage_say(s, SIDE_UDP,
		"No send failed. A program that uses UDP must find out by itself how much is too "
		"much, "
		"for its own sake and its neighbours'.");
	return 0;
}

static int streams(struct stage *s)
{
	struct pair p;
	struct tcp_info info;
	uint64_t sent, lost, udp_sent, udp_lost;
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	r = run(s, SIDE_TCP, &p, "as fast as the kernel takes it");
	int error = errno;
	if (ends_it(r))
		return r;
	(void)stage_tcp_info(s, p.client, &info);
	double share = share_lost(s, SIDE_TCP, &sent, &lost);
	double udp = share_lost(s, SIDE_UDP, &udp_sent, &udp_lost);
	traffic_check_stream(s, r, error, "TCP delivers everything, in order");
	stage_check(s, SIDE_TCP, share < udp, "and slows down: far less finds the queue full",
		"%lu of %lu packets (%d %%), of UDP %d %%; window of congestion %u packets",
		(unsigned long)lost, (unsigned long)sent, (int)(share * 100), (int)(udp * 100),
		info.tcpi_snd_cwnd);
	stage_say(s, SIDE_TCP,
		"TCP sends as many packets as are acknowledged, and a few more to find out. A loss "
		"tells it that the line is full, and it halves its window or so.");
	return 0;
}

/* One after the other, so that each has the line for itself. */
int scenario_congestion(struct stage *s)
{
	int r = datagrams(s);

	return r ? r : streams(s);
}
