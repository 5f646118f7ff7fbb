/*
 * 10: two small writes. Asserted is the order on the wire, not how long it took.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#define PIECE  5
#define ANSWER 2

/* After so long without an answer the kernel probes for a loss with what it has, Nagle or not (TCP_RTO_MIN,
 * RFC 8985 section 7): on a machine that was too busy to carry the acknowledgement. */
#define PROBE_NS UINT64_C(200000000)

/* Of some exchanges: in how many both pieces were on their way at once, and the shortest one. */
struct outcome {
	unsigned together, complete;
	int64_t least_ms;
};

/* Did the second piece enter the wire before the first was acknowledged? Packets from `from` on. */
static bool was_together(struct stage *s, uint64_t from)
{
	const struct journal *j = stage_journal(s);
	struct evidence data = {SIDE_TCP, CLIENT_HOST, FLOW_DATA, EVIDENCE_ANY};
	const struct journal_entry *first = evidence_find(j, from, data, 1);
	const struct journal_entry *second = evidence_find(j, from, data, 2);

	return second && second->time_ns - first->time_ns < PROBE_NS &&
	       second->of.packet.note.in_flight > second->of.packet.packet.payload_length;
}

static ssize_t get(struct stage *s, int fd, size_t want)
{
	char bytes[2 * PIECE];
	size_t have = 0;

	while (have < want) {
		ssize_t n = stage_receive(s, fd, bytes, want - have, NULL, STAGE_PATIENCE_MS, NULL);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static void exchange(struct stage *s, const struct pair *p, struct outcome *o)
{
	int64_t began = stage_ms(s);
	uint64_t from = journal_count(stage_journal(s));

	/* Its delayed acknowledgements are off at the beginning of a connection, and after a loss. */
	(void)stage_option(s, p->server, IPPROTO_TCP, TCP_QUICKACK, 0, NULL);
	(void)stage_send(s, p->client, "head ", PIECE, 0, NULL);
	(void)stage_send(s, p->client, "tail.", PIECE, 0, NULL);
	if (get(s, p->server, 2 * PIECE) != 2 * PIECE)
		return;
	(void)stage_send(s, p->server, "ok", ANSWER, 0, NULL);
	if (get(s, p->client, ANSWER) != ANSWER)
		return;
	int64_t took = stage_ms(s) - began;
	if (!o->complete++ || took < o->least_ms)
		o->least_ms = took;
	o->together += was_together(s, from);
}

static int exchanges(struct stage *s, uint16_t port, bool nodelay, struct outcome *o)
{
	struct pair p;
	int r = pair_tcp(s, port, &p);

	*o = (struct outcome){0};
	if (r)
		return r;
	if (nodelay)
		(void)stage_option(s, p.client, IPPROTO_TCP, TCP_NODELAY, 1, "do not wait");
	for (uint32_t i = 0; i < stage_options(s)->count && !stage_stopped(s); i++)
		exchange(s, &p, o);
	return 0;
}

static int streams(struct stage *s)
{
	uint32_t count = stage_options(s)->count;
	struct outcome usual, at_once;
	int r = exchanges(s, PAIR_PORT, false, &usual);

	if (r)
		return r;
	stage_expect(s, SIDE_TCP, usual.complete == count && usual.together == 0,
		"the second piece never leaves before the first is acknowledged",
		"%u of %u exchanges had both on their way at once; the shortest took %ld ms",
		usual.together, usual.complete, (long)usual.least_ms);
	stage_say(s, SIDE_TCP,
		"Nagle: a small packet waits while one is not acknowledged yet. And the receiver "
		"waits with its acknowledgement, up to 40 ms, in case it has an answer to go with "
		"it. "
		"Each waits for the other.");
	r = exchanges(s, PAIR_PORT + 1, true, &at_once);
	if (r)
		return r;
	stage_expect(s, SIDE_TCP, at_once.complete == count && at_once.together > 0,
		"with TCP_NODELAY it does",
		"%u of %u exchanges had both on their way at once; the shortest took %ld ms",
		at_once.together, at_once.complete, (long)at_once.least_ms);
	stage_say(s, SIDE_TCP,
		"Or write both pieces with one call: writev, or a buffer of one's own.");
	return 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[16];
	int r = pair_udp(s, PAIR_PORT, true, &p);
	unsigned complete = 0;
	uint32_t count = stage_options(s)->count;
	int64_t least = 0;

	if (r)
		return r;
	for (uint32_t i = 0; i < count && !stage_stopped(s); i++) {
		int64_t began = stage_ms(s);
		(void)stage_send(s, p.client, "head ", PIECE, 0, NULL);
		(void)stage_send(s, p.client, "tail.", PIECE, 0, NULL);
		ssize_t head =
			stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
		ssize_t tail =
			stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
		(void)stage_answer(s, p.server, "ok", ANSWER, NULL);
		ssize_t end =
			stage_receive(s, p.client, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
		int64_t took = stage_ms(s) - began;
		if (head != PIECE || tail != PIECE || end != ANSWER)
			continue;
		if (!complete++ || took < least)
			least = took;
	}
	stage_expect(s, SIDE_UDP, complete == count,
		"each send leaves at once, as a packet of its own",
		"%u of %u exchanges of three datagrams; the shortest took %ld ms", complete, count,
		(long)least);
	stage_say(s, SIDE_UDP,
		"UDP never waits to gather: two sends are two packets, with two headers.");
	return 0;
}

int scenario_nagle(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
