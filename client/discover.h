/*
 * `lanchat --discover`: the servers on the network, for people and for scripts.
 *
 * Each server is a line, written and flushed by itself as soon as it is found and
 * again when it goes away:
 *
 *     class room 5     192.0.2.7:19830     12 of 1000 people     0.4 ms
 *     gone: class room 5
 *
 * With `json`, one object a line. `type` is "found", "changed" (its name, people
 * or addresses) or "gone"; the others are always there:
 *
 *     name        text, clean
 *     id          the server's id, 64 hex digits
 *     instance    of this start of it, 32 hex digits
 *     addresses   list of text, the best one first: "192.0.2.7:19830"
 *     people, people_max          how many are logged in, and how many may be
 *     version_low, version_high   the protocol versions that it speaks
 *     compatible  whether this client speaks one of them
 *     rtt_us      microseconds from a question to its answer, or null
 *     time        RFC 3339, UTC
 *
 * Called by the main thread of the program, once; it starts and ends a finder.
 */
#ifndef LANCHAT_DISCOVER_H
#define LANCHAT_DISCOVER_H

#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DISCOVER_SECONDS 2 /* how long to look when nobody says */

struct discover_config {
	bool json;
	int64_t timeout_ms;                       /* how long to look; 0: until interrupted */
	const struct option_list *interfaces;     /* globs; NULL or empty: all that suit */
	const struct option_list *not_interfaces; /* globs; NULL or empty: none left out */
	uint16_t port;                            /* of discovery; 0: NET_PORT */
	FILE *out;                                /* borrowed; NULL: stdout */
};

/* Look and print. The exit status: 0 when a server was found (or `timeout_ms` was 0 and a signal
 * ended it), 1 when none was or looking failed, with the reason in one line on stderr. Returns early
 * when `out` can take no more or SIGINT or SIGTERM came, which it blocks and takes itself. */
int discover_run(const struct discover_config *config);

#endif
