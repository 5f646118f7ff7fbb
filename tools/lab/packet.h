/*
 * What is in an IP packet: the fields that the lab shows. Pure.
 *
 * Sources: RFC 791 (IPv4), 8200 (IPv6), 9293 (TCP), 768 (UDP), 792 (ICMP), 4443 (ICMPv6).
 */
#ifndef LANCHAT_LAB_PACKET_H
#define LANCHAT_LAB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_PSH 0x08
#define PACKET_ACK 0x10

/* One end of a flow. IPv4 addresses stand in the first four bytes. */
struct packet_end {
	uint8_t address[16];
	uint16_t port; /* 0 where there is none: ICMP, later fragments */
};

struct packet {
	uint8_t version;  /* 4 or 6 */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, or another */
	uint8_t ttl;
	bool dont_fragment, more_fragments;
	uint16_t fragment_offset; /* in bytes */
	uint32_t id;              /* IPv4 identification, or that of the fragment header */
	uint32_t length;          /* of the whole packet */
	struct packet_end from, to;

	/* TCP */
	uint8_t flags;
	uint32_t seq, ack;
	uint32_t window; /* as it stands in the header, not scaled */
	bool has_sack;
	uint32_t mss; /* of a SYN; 0: none */

	/* ICMP */
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_mtu;      /* of "fragmentation needed"; 0: none */
	uint8_t about_protocol; /* of the packet that an error is about; 0: none */
	struct packet_end about_from, about_to;

	/* What TCP or UDP carries; of a fragment, what IP carries. */
	const uint8_t *payload; /* into the bytes that were read */
	uint32_t payload_length;
};

/* Read what stands at `bytes`. ERR_PROTOCOL: not an IP packet, or cut short. Headers of extension are
 * walked; a first fragment has ports, the others have not. */
int packet_read(const uint8_t *bytes, size_t length, struct packet *out);

/* Do both have the same two ends, whichever way they go? */
bool packet_same_flow(const struct packet *a, const struct packet *b);

#endif
