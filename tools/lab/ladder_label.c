/*
 * What a packet is, in few words.
 *
 * Sources: RFC 792 (types and codes of ICMP), RFC 4443 (of ICMPv6).
 */
#include "tools/lab/ladder.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define UNREACHABLE   3
#define TIME_EXCEEDED 11
#define ECHO_REPLY    0
#define ECHO          8
#define UNREACHABLE_6 1
#define TOO_BIG_6     2
#define PORT_6        4
#define IGMP          2

/* A long form and a short one. */
struct label {
	char full[LADDER_LABEL], brief[LADDER_LABEL];
};

static void both(struct label *l, const char *text)
{
	snprintf(l->full, sizeof(l->full), "%s", text);
	snprintf(l->brief, sizeof(l->brief), "%s", text);
}

/* "WORD 65..128" of the bytes that it carries; "SYN, WORD" of what carries none. */
static void bytes(
	struct label *l, const char *full, const char *brief, const struct journal_packet *p)
{
	uint32_t from = p->note.relative_seq, length = p->packet.payload_length;
	const char *fin = p->packet.flags & PACKET_FIN ? "+FIN" : "";

	if (length == 0) {
		const char *what = p->packet.flags & PACKET_SYN ? "SYN" : "FIN";
		snprintf(l->full, sizeof(l->full), "%s of %s", full, what);
		snprintf(l->brief, sizeof(l->brief), "%s %s", brief, what);
		return;
	}
	snprintf(l->full, sizeof(l->full), "%s %" PRIu32 "..%" PRIu32 "%s", full, from,
		from + length - 1, fin);
	snprintf(l->brief, sizeof(l->brief), "%s %" PRIu32 "..%" PRIu32 "%s", brief, from,
		from + length - 1, fin);
}

static void acknowledgement(
	struct label *l, const char *full, const char *brief, const struct journal_packet *p)
{
	const char *shut = p->packet.window == 0 ? ", window 0" : "";

	snprintf(l->full, sizeof(l->full), "%s %" PRIu32 "%s", full, p->note.relative_ack, shut);
	snprintf(l->brief, sizeof(l->brief), "%s %" PRIu32 "%s", brief, p->note.relative_ack,
		*shut ? ",w0" : "");
}

static void datagram(struct label *l, const struct journal_packet *p)
{
	snprintf(l->full, sizeof(l->full), "datagram %" PRIu32 ", %" PRIu32 " bytes",
		p->note.data_packet, p->packet.payload_length);
	snprintf(l->brief, sizeof(l->brief), "dgram %" PRIu32 ", %" PRIu32 " B",
		p->note.data_packet, p->packet.payload_length);
}

static void fragment(struct label *l, const struct journal_packet *p)
{
	const char *last = p->packet.more_fragments ? "" : ", the last";

	snprintf(l->full, sizeof(l->full), "datagram %" PRIu32 ", fragment at %u%s",
		p->note.data_packet, p->packet.fragment_offset, last);
	snprintf(l->brief, sizeof(l->brief), "fragment at %u", p->packet.fragment_offset);
}

static const char *unreachable(uint8_t code)
{
	static const char *const what[] = {"network", "host", "protocol", "port"};

	return code < sizeof(what) / sizeof(what[0]) ? what[code] : NULL;
}

static void icmp(struct label *l, const struct packet *p)
{
	bool six = p->protocol == IPPROTO_ICMPV6;
	const char *what =
		six ? p->icmp_code == PORT_6 ? "port" : "host" : unreachable(p->icmp_code);

	if (p->icmp_mtu) {
		snprintf(l->full, sizeof(l->full), "ICMP too long, MTU %" PRIu32, p->icmp_mtu);
		snprintf(l->brief, sizeof(l->brief), "ICMP MTU %" PRIu32, p->icmp_mtu);
	} else if (p->icmp_type == (six ? UNREACHABLE_6 : UNREACHABLE) && what) {
		snprintf(l->full, sizeof(l->full), "ICMP %s unreachable", what);
		snprintf(l->brief, sizeof(l->brief), "ICMP no %s", what);
	} else if (!six && p->icmp_type == TIME_EXCEEDED) {
		both(l, p->icmp_code ? "ICMP fragments missing" : "ICMP time exceeded");
	} else if (!six && (p->icmp_type == ECHO || p->icmp_type == ECHO_REPLY)) {
		both(l, p->icmp_type == ECHO ? "ICMP echo" : "ICMP echo reply");
	} else {
		snprintf(l->full, sizeof(l->full), "ICMP type %u code %u", p->icmp_type,
			p->icmp_code);
		snprintf(l->brief, sizeof(l->brief), "ICMP %u/%u", p->icmp_type, p->icmp_code);
	}
}

static void other(struct label *l, const struct packet *p)
{
	if (p->protocol == IGMP) {
		both(l, "IGMP");
		return;
	}
	snprintf(l->full, sizeof(l->full), "protocol %u, %" PRIu32 " bytes", p->protocol,
		p->payload_length);
	snprintf(l->brief, sizeof(l->brief), "protocol %u", p->protocol);
}

static void make(struct label *l, const struct journal_packet *p)
{
	switch (p->note.kind) {
	case FLOW_DATA:
		bytes(l, "data", "data", p);
		break;
	case FLOW_RETRANSMISSION:
		bytes(l, "retransmission", "resent", p);
		break;
	case FLOW_ACK:
		acknowledgement(l, "ACK", "ACK", p);
		break;
	case FLOW_DUPLICATE_ACK:
		acknowledgement(l, "duplicate ACK", "dup ACK", p);
		break;
	case FLOW_DATAGRAM:
		datagram(l, p);
		break;
	case FLOW_FRAGMENT:
		fragment(l, p);
		break;
	case FLOW_ICMP:
		icmp(l, &p->packet);
		break;
	case FLOW_OTHER:
		other(l, &p->packet);
		break;
	case FLOW_SYN:
	case FLOW_SYN_ACK:
	case FLOW_WINDOW_UPDATE:
	case FLOW_WINDOW_PROBE:
	case FLOW_KEEPALIVE:
	case FLOW_FIN:
	case FLOW_RST:
		both(l, flow_words(p->note.kind));
		break;
	}
}

char *ladder_label(const struct journal_packet *p, size_t columns, char out[LADDER_LABEL])
{
	struct label l = {0};

	make(&l, p);
	snprintf(out, LADDER_LABEL, "%s", strlen(l.full) <= columns ? l.full : l.brief);
	return out;
}
