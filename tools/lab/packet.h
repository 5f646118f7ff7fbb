/*
 * What is in an IP packet: the fields that the lab shows. Pure. Checksums are not looked at.
 *
 * Sources: RFC 791 (IPv4), 8200 (IPv6), 4302 section 2.2 (AH), 9293 (TCP), 2018 (SACK), 768 (UDP),
 * 792 and 1191 (ICMP), 4443 (ICMPv6).
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

/* One end of a flow. IPv4 addresses stand in the first four bytes, and the others are 0. */
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
	bool has_sack;   /* blocks, that is; not the permission */
	uint32_t mss;    /* of a SYN; 0: none */

	/* ICMP */
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_mtu;      /* of "fragmentation needed"; 0: none */
	uint8_t about_protocol; /* of the packet that an error is about; 0: none */
	struct packet_end about_from, about_to;

	/* What TCP or UDP carries; what follows the first eight bytes of ICMP; of a fragment, and of
	 * another protocol, what IP carries. */
	const uint8_t *payload; /* into the bytes that were read */
	uint32_t payload_length;
};

/* Read what stands at `bytes`; more than the packet's own length may stand there. ERR_PROTOCOL: not an
 * IP packet, or cut short. Headers of extension are walked; a first fragment has ports, the others have
 * not. */
int packet_read(const uint8_t *bytes, size_t length, struct packet *out);

/* Do both have the same two ends and protocol, whichever way they go? */
bool packet_same_flow(const struct packet *a, const struct packet *b);

bool packet_same_end(const struct packet_end *a, const struct packet_end *b);

/* Is it a part of a datagram only? */
bool packet_is_fragment(const struct packet *p);

#endif
