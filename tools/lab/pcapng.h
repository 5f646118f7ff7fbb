/*
 * A capture that Wireshark and tshark open: each packet once as it entered the wire, with a comment
 * where it was dropped, delayed by more than the wire's delay, reordered or duplicated, and each copy
 * as it arrived at the other end. An interface for each end of the wire.
 *
 * Source: draft-ietf-opsawg-pcapng (Section Header, Interface Description, Enhanced Packet, opt_comment).
 */
#ifndef LANCHAT_LAB_PCAPNG_H
#define LANCHAT_LAB_PCAPNG_H

#include "tools/lab/journal.h"
#include "tools/lab/site.h"

#include <stdio.h>

/* Write what the journal has. 0, or ERR_SYSTEM. `command` is what made it, for the section's header. */
int pcapng_write(FILE *f, const struct journal *j, enum site_medium medium, size_t hosts,
	const char *command);

#endif
