/*
 * 11: what is larger than a packet.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#include "common/err.h"

#include <errno.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

#define IP_HEADER  20U
#define UDP_HEADER 8U
#define TOO_LARGE  65508U /* 65535 are all that IPv4 can, with its header and UDP's */

static uint32_t mtu(struct stage *s)
{
	return stage_options(s)->impaired.mtu;
}

/* What IP carries of a datagram in each fragment but the last: a multiple of eight (RFC 791). */
static uint32_t piece(struct stage *s)
{
	return (mtu(s) - IP_HEADER) & ~7U;
}

static uint64_t fragments(struct stage *s, int fate)
{
	return evidence_count(
		stage_journal(s), 0, (struct evidence){SIDE_UDP, CLIENT_HOST, FLOW_FRAGMENT, fate});
}

/* Send all of it, in as many sends as the kernel takes it in, and read it meanwhile. Bytes that came. */
static size_t carry(struct stage *s, const struct pair *p, char *bytes, size_t size)
{
	size_t sent = 0, have = 0;

	while (have < size) {
		ssize_t n = sent == size ? 0
					 : stage_send(s, p->client, bytes, size - sent, 0,
						   sent ? "what the kernel had no room for"
							: "cut by TCP, to fit");
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		/* What is on its way comes, and then there is room. */
		n = stage_receive(s, p->server, bytes, size - have, NULL, STAGE_PATIENCE_MS, NULL);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

static int streams(struct stage *s)
{
	struct pair p;
	uint32_t size = stage_options(s)->size;
	char *bytes = calloc(1, size);
	int r = bytes ? pair_tcp(s, PAIR_PORT, &p) : ERR_MEMORY;

	if (r) {
		free(bytes);
		return r;
	}
	memset(bytes, 'x', size);
	size_t have = carry(s, &p, bytes, size);
	free(bytes);
	uint64_t cut = evidence_count(stage_journal(s), 0,
		(struct evidence){SIDE_TCP, EVIDENCE_ANY, FLOW_FRAGMENT, EVIDENCE_ANY});
	uint64_t segments = evidence_count(stage_journal(s), 0,
		(struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_DATA, EVIDENCE_ANY});
	stage_expect(s, SIDE_TCP, have == size && cut == 0 && segments > size / mtu(s),
		"TCP cuts by itself: all arrive, and nothing is a fragment",
		"%zu of %u bytes in %lu segments, %lu fragments", have, size,
		(unsigned long)segments, (unsigned long)cut);
	stage_say(s, SIDE_TCP,
		"In the handshake both ends say what fits into a packet (MSS). One that is lost is "
		"sent again, alone.");
	return 0;
}

/* Two messages, the second small: which one is received first? */
static ssize_t first_of_two(
	struct stage *s, const struct pair *p, uint8_t *bytes, uint32_t size, const char *why)
{
	memset(bytes, 'x', size);
	(void)stage_send(s, p->client, bytes, size, 0, why);
	(void)stage_send(s, p->client, "small", 5, 0, NULL);
	return stage_receive(s, p->server, bytes, TOO_LARGE, NULL, PAIR_SOON_MS, NULL);
}

static void lose_one(struct stage *s, const struct pair *p, uint8_t *bytes, uint32_t size)
{
	struct wire_rule rule = {.side = SIDE_UDP,
		.from_host = CLIENT_HOST,
		.kind = FLOW_FRAGMENT,
		.nth = 1,
		.offset = piece(s)};

	if (wire_script(stage_wire(s), &rule) != 0)
		return;
	stage_say(s, SIDE_UDP, "Now the wire drops one fragment, the second.");
	char came[PAIR_BYTES];
	ssize_t n = first_of_two(s, p, bytes, size, "the same again");
	uint64_t lost = fragments(s, FATE_SCRIPTED);
	stage_expect(s, SIDE_UDP, n == 5 && lost == 1, "one fragment lost loses the whole message",
		"%lu lost; what is received next: %s", (unsigned long)lost, pair_bytes(n, came));
}

static void forbid(struct stage *s, const struct pair *p, const uint8_t *bytes)
{
	uint32_t most = mtu(s) - IP_HEADER - UDP_HEADER;

	(void)stage_option(s, p->client, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO,
		"set DF on what is sent: never cut it");
	ssize_t fits = stage_send(s, p->client, bytes, most, 0, "the largest that fits");
	ssize_t n = stage_send(s, p->client, bytes, most + 1, 0, "one byte more");
	stage_check(s, SIDE_UDP, fits == (ssize_t)most && n < 0 && errno == EMSGSIZE,
		"with DF one byte above the MTU is EMSGSIZE", "%u bytes are sent, and %u: %s", most,
		most + 1, n < 0 ? strerrorname_np(errno) : "sent as well");
	(void)stage_option(s, p->client, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, NULL);
	n = stage_send(s, p->client, bytes, TOO_LARGE, 0, "more than any datagram can be");
	stage_check(s, SIDE_UDP, n < 0 && errno == EMSGSIZE,
		"65,508 bytes are EMSGSIZE in any case", "%s",
		n < 0 ? strerrorname_np(errno) : "sent");
}

static int datagrams(struct stage *s)
{
	struct pair p;
	uint32_t size = stage_options(s)->size;
	uint8_t *bytes = calloc(1, TOO_LARGE);
	int r = bytes ? pair_udp(s, PAIR_PORT, true, &p) : ERR_MEMORY;

	if (r) {
		free(bytes);
		return r;
	}
	char came[PAIR_BYTES];
	uint32_t expected = (size + UDP_HEADER + piece(s) - 1) / piece(s);
	(void)stage_option(s, p.client, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT,
		"IP may cut what is too large");
	ssize_t n = first_of_two(s, &p, bytes, size, "cut by IP");
	uint64_t cut = fragments(s, EVIDENCE_ANY);
	stage_expect(s, SIDE_UDP, n == (ssize_t)size && (expected < 2 || cut == expected),
		"IP cuts it, and the receiver's kernel puts it together",
		"%s in %lu fragments of %u", pair_bytes(n, came), (unsigned long)cut, expected);
	(void)stage_receive(s, p.server, bytes, TOO_LARGE, NULL, PAIR_SOON_MS, NULL);
	if (expected > 1)
		lose_one(s, &p, bytes, size);
	forbid(s, &p, bytes);
	stage_say(s, SIDE_UDP,
		"Nobody sends a fragment again. So programs keep datagrams below the MTU: the "
		"chance to "
		"lose a message grows with the number of its packets.");
	free(bytes);
	return 0;
}

int scenario_fragments(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
