/*
 * The server's beacon: it announces the server on every network that it listens
 * on, answers those who ask, and says goodbye.
 *
 * It has one thread of its own, which owns its sockets. Announcements go out at
 * 0, 0.25 and 1 s and then every 2 s, give or take 5 %, and anew when interfaces
 * or addresses come and when the machine wakes from sleep. Where the server does
 * not listen nothing is said: an address of 127.0.0.0/8 is never advertised to
 * the LAN. An answer is never larger than the question, and no source gets more
 * than a few dozen a second. docs/PROTOCOL.md describes the packet (also
 * common/beacon.h).
 *
 * announcer_update may be called by any thread between start and stop.
 */
#ifndef LANCHAT_ANNOUNCER_H
#define LANCHAT_ANNOUNCER_H

#include "common/identity.h"
#include "common/net.h"
#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct announcer;

struct announcer_config {
	uint8_t server[IDENTITY_SIZE]; /* the server's id */
	const char *name;              /* clean text; copied, cut at SERVER_NAME_MAX bytes */
	bool plaintext;                /* connections are without TLS */
	uint32_t most;                 /* how many people may be logged in */

	/* The addresses that listeners are bound to, with their ports; copied. A wildcard
	 * address stands for every address of its own family. At most 32. */
	const struct net_address *listening;
	size_t listening_count;

	/* Globs on interface names; NULL or empty: all that suit, none left out. Borrowed until
	 * announcer_stop. */
	const struct option_list *interfaces;
	const struct option_list *not_interfaces;
	uint16_t port; /* of discovery; 0: NET_PORT */

	/* How many people are logged in now. Called by the announcer's thread, often; it must not
	 * block. */
	uint32_t (*people)(void *context);
	void *context;
};

/* Start announcing. 0; ERR_SYSTEM with errno when neither IPv4 nor IPv6 can be used at all;
 * ERR_MEMORY; ERR_ARGUMENT: too many addresses. An interface that fails is passed over. When another
 * program holds the port for itself, a warning is logged, and the server is announced but cannot be
 * asked. */
int announcer_start(const struct announcer_config *config, struct announcer **out);

/* Another name or limit from now on, announced at once. Any thread. */
void announcer_update(struct announcer *a, const char *name, uint32_t most);

/* What it did so far. */
struct announcer_numbers {
	uint64_t announcements; /* rounds over all networks */
	uint64_t queries;       /* packets that asked, as they should */
	uint64_t answers;
	uint64_t dropped; /* queries left unanswered: too many, or no way back */
	uint64_t strange; /* packets that were not understood, or came from where they should not */
};
/* Any thread, between start and stop. */
void announcer_numbers(const struct announcer *a, struct announcer_numbers *out);

/* Say goodbye (three times, 30 ms apart), end and join the thread, free. NULL is allowed. */
void announcer_stop(struct announcer *a);

#endif
