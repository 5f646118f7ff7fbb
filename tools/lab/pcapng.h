/*
 * A capture that Wireshark and tshark open: each packet once as it entered the wire, with a comment
 * where it was dropped, waited for the line, was reordered or duplicated, and each copy as it arrived
 * at the other end. A packet to everybody entered once, and has a comment for each copy.
 *
 * There is an interface for each host, on which what it sent is outbound and what reached it inbound:
 * those with `frame.interface_id == 0` are what a capture on the first host would have. Wireshark does
 * not tell the interfaces apart when it looks for retransmissions, so it finds some where there are
 * none until the others are left out of the file; the section's comment says how. What is written is
 * IP (LINKTYPE_RAW), whatever the medium.
 *
 * Source: draft-ietf-opsawg-pcapng (Section Header, Interface Description, Enhanced Packet, opt_comment).
 */
#ifndef LANCHAT_LAB_PCAPNG_H
#define LANCHAT_LAB_PCAPNG_H

#include "tools/lab/journal.h"
#include "tools/lab/site.h"

#include <stdio.h>

/* Write what the journal has. 0, ERR_MEMORY, or ERR_SYSTEM. `command` is what made it, for the section's
 * header. */
int pcapng_write(FILE *f, const struct journal *j, enum site_medium medium, size_t hosts,
	const char *command);

#endif
