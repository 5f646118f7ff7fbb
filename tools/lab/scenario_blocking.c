/*
 * 5: one packet is lost once. What is asserted is order: what was at the receiver's machine before the
 * packet came again was still not read before it, and of UDP nothing waited.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PACE_US 5000
#define VICTIM  5 /* the how manieth packet with data, from 1 */
#define SHOWN   11

/* When each message was read, on the journal's clock. */
struct readings {
	struct stage *stage;
	uint64_t *read_ns; /* by number; 0: not */
};

static void got(void *of, uint32_t number)
{
	struct readings *r = of;

	if (number < stage_options(r->stage)->count && !r->read_ns[number])
		r->read_ns[number] = journal_now(stage_journal(r->stage));
}

static int run(struct stage *s, enum side side, const struct pair *p, struct readings *r)
{
	const struct stage_options *o = stage_options(s);
	struct traffic t = {
		.side = side,
		.from = p->client,
		.to = p->server,
		.count = o->count,
		.size = o->size,
		.pace_us = PACE_US,
		.why = "a message every 5 ms",
		.got = got,
		.of = r,
	};

	*r = (struct readings){.stage = s, .read_ns = calloc(o->count, sizeof(*r->read_ns))};
	if (!r->read_ns)
		return ERR_MEMORY;
	return traffic_run(s, &t);
}

static void tell_latencies(struct stage *s, enum side side)
{
	char text[256] = "";
	size_t used = 0;

	uint32_t count = stage_options(s)->count;

	for (uint32_t i = VICTIM - 2; i < VICTIM - 2 + SHOWN && i < count && used < sizeof(text);
		i++) {
		int64_t us = stage_latency_us(s, side, i);
		int n = us < 0 ? snprintf(text + used, sizeof(text) - used, " -")
			       : snprintf(text + used, sizeof(text) - used, " %ld",
					 (long)(us / 1000));
		used += n > 0 ? (size_t)n : 0;
	}
	stage_say(s, side, "From the %dth on they took, in ms:%s.", VICTIM - 1, text);
}

/* The messages behind the victim, by the time it came again. */
struct queue {
	unsigned behind; /* sent before it was sent again */
	unsigned waited; /* of these, arrived before it did */
	unsigned jumped; /* of these, read before it arrived */
};

static bool is_behind(const struct journal_packet *p, const struct journal_entry *victim)
{
	return p->host == CLIENT_HOST && p->note.kind == FLOW_DATA &&
	       p->note.relative_seq > victim->of.packet.note.relative_seq;
}

static void look_behind(struct stage *s, const struct readings *r,
	const struct journal_entry *victim, const struct journal_entry *again,
	const struct journal_entry *came, struct queue *q)
{
	const struct journal *j = stage_journal(s);
	uint32_t size = stage_options(s)->size, count = stage_options(s)->count;
	const struct journal_entry *x;

	for (uint64_t i = victim->number; i < came->number && (x = journal_at(j, i)) != NULL; i++) {
		if (x->side != SIDE_TCP)
			continue;
		if (x->kind == JOURNAL_PACKET && i < again->number)
			q->behind += is_behind(&x->of.packet, victim);
		if (x->kind != JOURNAL_ARRIVAL)
			continue;
		const struct journal_packet *p = &journal_at(j, x->of.arrival.of)->of.packet;
		if (!is_behind(p, victim))
			continue;
		uint32_t number = (p->note.relative_seq - 1) / size;
		q->waited++;
		q->jumped +=
			number < count && r->read_ns[number] && r->read_ns[number] < came->time_ns;
	}
}

/* When what `victim` carries was sent again, and was not lost again. */
static const struct journal_entry *find_again(
	const struct journal *j, const struct journal_entry *victim)
{
	const struct evidence e = {SIDE_TCP, CLIENT_HOST, FLOW_RETRANSMISSION, FATE_CARRIED};
	const struct journal_entry *x;

	if (!victim)
		return NULL;
	for (uint64_t from = victim->number; (x = evidence_find(j, from, e, 1)) != NULL;
		from = x->number + 1) {
		/* What is sent again may be cut elsewhere, and have more in it. */
		uint32_t begin = x->of.packet.note.relative_seq;
		uint32_t lost = victim->of.packet.note.relative_seq;
		if (begin <= lost && lost - begin < x->of.packet.packet.payload_length)
			return x;
	}
	return NULL;
}

static void check_streams(struct stage *s, const struct readings *r, int result, int error)
{
	struct journal *j = stage_journal(s);
	struct queue q = {0};
	const struct journal_entry *victim = evidence_find(
		j, 0, (struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_DATA, FATE_SCRIPTED}, 1);
	const struct journal_entry *again = find_again(j, victim);
	const struct journal_entry *came = again ? evidence_arrival(j, again->number) : NULL;

	traffic_check_stream(s, result, error, "every message comes, in order");
	stage_expect(s, SIDE_TCP, victim && came, "the packet was lost once, and sent again", "%s",
		!victim ? "none was lost"
		: came  ? "it came the second time"
			: "never again");
	if (victim && came)
		look_behind(s, r, victim, again, came, &q);
	static const char waited[] = "those behind it were there already, and had to wait";
	if (came && q.behind == 0)
		stage_unshown(s, SIDE_TCP, waited,
			"the machine was so busy that nothing was sent behind it in time");
	else if (q.jumped > 0) /* No network may do that. */
		stage_check(s, SIDE_TCP, false, waited, "%u of %u packets were read before it",
			q.jumped, q.waited);
	else
		stage_expect(s, SIDE_TCP, came && q.jumped == 0 && q.waited > 0, waited,
			"%u packets had arrived before it, and %u of them were read before it",
			q.waited, q.jumped);
}

static int streams(struct stage *s)
{
	struct pair p;
	struct readings r;
	int e = pair_tcp(s, PAIR_PORT, &p);

	if (e)
		return e;
	(void)stage_option(s, p.client, IPPROTO_TCP, TCP_NODELAY, 1, "a packet for each message");
	e = run(s, SIDE_TCP, &p, &r);
	int error = errno;
	if (e != ERR_STOPPING && e != ERR_MEMORY) {
		check_streams(s, &r, e, error);
		e = 0;
		tell_latencies(s, SIDE_TCP);
		stage_say(s, SIDE_TCP,
			"A stream is read in order, so one hole holds up all that is behind it. "
			"The "
			"kernel has those bytes, and may not give them out.");
	}
	free(r.read_ns);
	return e;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	struct score x;
	struct readings r;
	uint32_t behind = 0, count = stage_options(s)->count;
	int e = pair_udp(s, PAIR_PORT, true, &p);

	if (e)
		return e;
	e = run(s, SIDE_UDP, &p, &r);
	if (e != ERR_STOPPING && e != ERR_MEMORY)
		e = 0;
	for (uint32_t i = VICTIM; i < count && e == 0; i++)
		behind += r.read_ns[i] != 0;
	stage_score(s, SIDE_UDP, &x);
	if (e == 0) {
		stage_expect(s, SIDE_UDP,
			x.received == count - 1 && count >= VICTIM && !r.read_ns[VICTIM - 1],
			"one is lost, and all others come", "%lu of %u", (unsigned long)x.received,
			count);
		stage_expect(s, SIDE_UDP, behind == count - VICTIM && !x.late,
			"those behind it waited for nothing",
			"%u of %u were read, though it never came", behind, count - VICTIM);
		tell_latencies(s, SIDE_UDP);
		stage_say(s, SIDE_UDP,
			"Datagrams know nothing of each other. Games and calls use UDP for that: "
			"the "
			"newest message is worth more than the lost one.");
	}
	free(r.read_ns);
	return e;
}

int scenario_blocking(struct stage *s)
{
	struct wire_rule rules[] = {
		{.side = SIDE_TCP, .from_host = CLIENT_HOST, .kind = FLOW_DATA, .nth = VICTIM},
		{.side = SIDE_UDP, .from_host = CLIENT_HOST, .kind = FLOW_DATAGRAM, .nth = VICTIM},
	};

	for (size_t i = 0; i < 2; i++) {
		int r = wire_script(stage_wire(s), &rules[i]);
		if (r)
			return r;
	}
	stage_say(s, SIDE_BOTH, "The wire drops the %dth packet with data of each side, once.",
		VICTIM);
	return pair_sides(s, streams, datagrams);
}
