/*
 * 7: the receiver does not read.
 */
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include "common/err.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER  16384
#define FULL_MS 500 /* for so long there is no room: it is full */
#define BURST   50
#define READ    65536

/* Send until the kernel takes no more, and nothing moves any more. Bytes. */
static uint64_t fill(
	struct stage *s, const struct pair *p, const char *bytes, size_t size, bool *full)
{
	uint64_t total = 0;
	int came;

	while ((came = stage_wait(s, p->client, POLLOUT, FULL_MS)) > 0) {
		ssize_t n = stage_send(s, p->client, bytes, size, 0, total ? NULL : "nobody reads");
		if (n < 0 && errno != EAGAIN)
			break;
		total += n > 0 ? (uint64_t)n : 0;
	}
	/* poll calls a socket writable while a third of its buffer is free: the rest is filled, too. */
	ssize_t n = -1;
	while (came == 0 && (n = stage_send(s, p->client, bytes, size, 0, NULL)) > 0)
		total += (uint64_t)n;
	*full = came == 0 && n < 0 && errno == EAGAIN;
	return total;
}

static uint64_t empty(struct stage *s, const struct pair *p, char *bytes, uint64_t total)
{
	uint64_t have = 0;

	while (have < total) {
		ssize_t n = stage_receive(s, p->server, bytes, READ, NULL, STAGE_PATIENCE_MS,
			have ? NULL : "now it reads");
		if (n <= 0)
			break;
		have += (uint64_t)n;
	}
	return have;
}

/* Retransmissions that no loss explains would be odd without a word. */
static void tell_probes(struct stage *s)
{
	struct wire_counts c;

	stage_counts(s, SIDE_TCP, &c);
	if (c.retransmitted == 0 || c.lost + c.overflowed > 0)
		return;
	stage_say(s, SIDE_TCP,
		"Nothing was lost, and still %lu packet%s sent again: while the receiver is silent "
		"its sender cannot know whether it is full or gone, and asks with bytes that it "
		"has sent already (a probe).",
		(unsigned long)c.retransmitted, c.retransmitted == 1 ? " was" : "s were");
}

static int streams(struct stage *s)
{
	struct pair p;
	bool full;
	char *bytes = calloc(1, READ);
	int r = bytes ? pair_tcp_small(s, PAIR_PORT, BUFFER, &p) : ERR_MEMORY;

	if (r) {
		free(bytes);
		return r;
	}
	memset(bytes, 'x', READ);
	uint64_t total = fill(s, &p, bytes, stage_options(s)->size, &full);
	stage_expect(s, SIDE_TCP, full, "the sender is stopped: EAGAIN", "after %lu bytes",
		(unsigned long)total);
	stage_say(s, SIDE_TCP,
		"The receiver's window is closed: its kernel has no room, and says so in every "
		"acknowledgement. A blocking send would sleep here.");
	uint64_t have = empty(s, &p, bytes, total);
	stage_expect(s, SIDE_TCP, have == total, "once it reads, all of it is there",
		"%lu of %lu bytes", (unsigned long)have, (unsigned long)total);
	tell_probes(s);
	free(bytes);
	return 0;
}

static int datagrams(struct stage *s)
{
	const struct stage_options *o = stage_options(s);
	struct pair p;
	struct wire_counts c;
	char *bytes = malloc(o->size > READ ? o->size : READ);
	uint64_t sent = 0, got = 0;
	int r = bytes ? pair_udp(s, PAIR_PORT, true, &p) : ERR_MEMORY;

	if (r) {
		free(bytes);
		return r;
	}
	(void)stage_option(
		s, p.server, SOL_SOCKET, SO_RCVBUF, BUFFER, "the kernel keeps as little here");
	for (uint32_t i = 0; i < o->count && r == 0; i++) {
		traffic_make(bytes, o->size, i);
		stage_sent(s, SIDE_UDP, i);
		sent += stage_send(s, p.client, bytes, o->size, 0, i ? NULL : "nobody reads") > 0;
		/* The sender's device has a queue of its own, which must not be what overflows. */
		if (i % BURST == BURST - 1)
			r = stage_taken(s, SIDE_UDP, sent);
	}
	if (r == 0)
		r = stage_settle(s, SIDE_UDP, sent);
	ssize_t n;
	while (r == 0 && (n = stage_receive(s, p.server, bytes, READ, NULL, 0,
				  got ? NULL : "now it reads")) >= 0) {
		(void)stage_arrived(s, SIDE_UDP, (uint32_t)traffic_number(bytes, (size_t)n));
		got++;
	}
	stage_give_up(s, SIDE_UDP);
	stage_counts(s, SIDE_UDP, &c);
	uint64_t full = (uint64_t)stage_drops(s, p.server);
	stage_check(s, SIDE_UDP, sent == o->count, "every send succeeds", "%lu of %u",
		(unsigned long)sent, o->count);
	stage_expect(s, SIDE_UDP, full > 0 && got + full == c.arrived,
		"what has no room at the receiver is thrown away",
		"%lu arrived, %lu were received, %lu found the buffer full",
		(unsigned long)c.arrived, (unsigned long)got, (unsigned long)full);
	stage_say(s, SIDE_UDP,
		"Nobody tells the sender to wait. Even a perfect network loses datagrams, at its "
		"end.");
	free(bytes);
	return r == ERR_TIMEOUT ? 0 : r;
}

int scenario_slow_reader(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
