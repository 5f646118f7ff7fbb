/*
 * `lanchat --pipe`: the client for scripts. Lines of stdin are messages to the
 * first room; events are lines on stdout (client/pipe_print.h).
 *
 * It reads no faster than the server keeps: input waits while many messages are
 * unacknowledged. A line that cannot be sent is named on stderr and left out. It
 * ends when stdin has ended, everything sent is acknowledged, and what `until` and
 * `linger_ms` ask for is satisfied.
 *
 * With `resume` it prints first what was said since the last line that an earlier
 * run printed, and what was flushed to stdout is noted after that: killed in between,
 * the next run prints those lines once more. What was read from stdin and is not
 * acknowledged outlives the process where there is a state folder.
 *
 * Called by the main thread, once; SIGPIPE must be ignored.
 */
#ifndef LANCHAT_PIPE_H
#define LANCHAT_PIPE_H

#include "common/identity.h"
#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything is borrowed. */
struct tls;

struct pipe_config {
	struct identity identity;
	struct tls *tls;         /* borrowed; NULL: plaintext */
	const char *data_folder; /* as in link.h */
	const char *nick;
	const char *password;                     /* the server's; NULL: none */
	const char *server;                       /* as typed; NULL: the one on this network */
	const struct option_list *rooms;          /* at least one */
	const struct option_list *interfaces;     /* to look for servers on; may be NULL */
	const struct option_list *not_interfaces; /* may be NULL */
	uint32_t replay;                          /* messages to get on joining */
	const char *state_folder; /* what outlives the process; NULL: nothing does */
	bool resume;              /* needs a state folder */
	bool json;
	uint64_t until;     /* messages of the joined rooms to print before ending */
	int64_t linger_ms;  /* to stay after stdin has ended */
	int64_t timeout_ms; /* for connecting, at first and after a break */
};

/* Returns the exit status: 0, or 1 with a line on stderr: it could not connect or stay connected, a
 * message was refused or could not be sent, or stdout takes no more. */
int pipe_run(const struct pipe_config *config);

#endif
