/*
 * A capture that Wireshark and tshark open: each packet once as it entered the wire, with a comment
 * where it was dropped, delayed by more than the wire's delay, reordered or duplicated, and each copy as
 * it arrived at the other end. A packet to everybody entered once, and has a comment for each copy.
 *
 * There is an interface for each host, on which what it sent is outbound and what reached it inbound.
 * Wireshark does not tell the interfaces apart when it looks for retransmissions, so with both ends it
 * finds some where there are none. A capture of one host's view has what that host has sent and what
 * has arrived there, as one that is made on it would; the comments stand at what arrives, too. What is
 * written is IP (LINKTYPE_RAW), whatever the medium.
 *
 * Source: draft-ietf-opsawg-pcapng (Section Header, Interface Description, Enhanced Packet, opt_comment).
 */
#ifndef LANCHAT_LAB_PCAPNG_H
#define LANCHAT_LAB_PCAPNG_H

#include "tools/lab/journal.h"
#include "tools/lab/site.h"

#include <stdio.h>

#define PCAPNG_ALL_HOSTS (-1)

struct pcapng_how {
	enum site_medium medium;
	size_t hosts;
	int host;            /* whose view, or PCAPNG_ALL_HOSTS */
	uint64_t delay_ns;   /* of the wire, each way, to begin with */
	const char *command; /* what made it: of the section's header; borrowed */
};

/* Write what the journal has. 0, ERR_MEMORY, or ERR_SYSTEM. */
int pcapng_write(FILE *f, const struct journal *j, const struct pcapng_how *how);

#endif
