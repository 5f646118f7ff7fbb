/*
 * The lab's reading of packets: whatever stands in them, what is read lies within them, and what they
 * are taken for makes sense.
 *
 * Input: packets, each after its length in two bytes.
 *
 * About: tools/lab/packet.c tools/lab/flow.c
 */
#include "tools/lab/flow.h"

#include "common/bytes.h"
#include "common/err.h"
#include "tests/fuzz/require.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* From a block of exactly that length, so that reading behind its end is noticed. NULL: it is none. */
static uint8_t *read_exact(const uint8_t *bytes, size_t length, struct packet *p)
{
	uint8_t *copy = malloc(length ? length : 1);

	REQUIRE(copy);
	if (length)
		memcpy(copy, bytes, length);
	int r = packet_read(copy, length, p);
	REQUIRE(r == 0 || r == ERR_PROTOCOL);
	if (r == 0)
		return copy;
	free(copy);
	return NULL;
}

static void check_packet(const uint8_t *bytes, size_t length, const struct packet *p)
{
	REQUIRE(p->version == 4 || p->version == 6);
	REQUIRE(p->length >= 20 && p->length <= length);
	REQUIRE(p->payload >= bytes + 20);
	REQUIRE((size_t)(p->payload - bytes) + p->payload_length <= p->length);
	REQUIRE(p->fragment_offset == 0 || (p->from.port == 0 && p->to.port == 0));
	REQUIRE(p->flags == 0 || p->protocol == IPPROTO_TCP);
	REQUIRE(p->about_protocol == 0 || p->protocol == IPPROTO_ICMP ||
		p->protocol == IPPROTO_ICMPV6);
	REQUIRE(packet_same_flow(p, p));
	struct packet shorter;
	REQUIRE(!read_exact(bytes, p->length - 1, &shorter));
}

static void check_note(const struct packet *p, const struct flow_note *n, uint32_t notes)
{
	bool whole_tcp = p->protocol == IPPROTO_TCP && !packet_is_fragment(p);

	REQUIRE(n->flow < notes);
	REQUIRE(n->kind <= FLOW_OTHER && *flow_words(n->kind));
	REQUIRE((n->kind == FLOW_FRAGMENT) == packet_is_fragment(p));
	REQUIRE((n->kind <= FLOW_RST) == whole_tcp);
	REQUIRE(whole_tcp || (n->in_flight == 0 && n->relative_seq == 0 && n->relative_ack == 0));
	REQUIRE((n->kind != FLOW_DATA && n->kind != FLOW_DATAGRAM) || n->data_packet > 0);
	REQUIRE(n->data_packet <= notes);
	PLANTED(n->kind == FLOW_DATA && says_bugs(p->payload, p->payload_length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flows *flows = flows_new();
	uint32_t notes = 0;

	REQUIRE(flows);
	while (size >= 2) {
		size_t length = bytes_u16(data);
		struct packet p;
		data += 2;
		size -= 2;
		length = length < size ? length : size;
		uint8_t *packet = read_exact(data, length, &p);
		data += length;
		size -= length;
		if (!packet)
			continue;
		check_packet(packet, length, &p);
		struct flow_note first = flows_note(flows, &p);
		check_note(&p, &first, ++notes);
		/* The same once more goes the same way in the same flow. */
		struct flow_note again = flows_note(flows, &p);
		check_note(&p, &again, ++notes);
		REQUIRE(again.flow == first.flow && again.first == first.first);
		free(packet);
	}
	flows_free(flows);
	return 0;
}
