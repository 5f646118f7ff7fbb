/*
 * `lanchat --export ROOM`: all that the server keeps of a room, oldest first, on
 * stdout, as text (client/plain.h) or as JSON (client/pipe_print.h).
 *
 * It logs in without joining, fetches page after page and prints each as it comes,
 * so a room of any length passes through. After a break it goes on behind the last
 * message that it printed. What is missing is told on stderr; so is how far it is,
 * where that is a terminal.
 *
 * Called by the main thread, once. SIGINT and SIGTERM end the program at once, with
 * status 1; SIGPIPE must be ignored.
 */
#ifndef LANCHAT_EXPORT_H
#define LANCHAT_EXPORT_H

#include "common/identity.h"
#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything is borrowed. */
struct tls;

struct export_config {
	struct identity identity;
	struct tls *tls;         /* borrowed; NULL: plaintext */
	const char *data_folder; /* as in link.h */
	const char *nick;
	const char *password;                 /* the server's; NULL: none */
	const char *server;                   /* as typed; NULL: the one on this network */
	const char *room;                     /* "": the user's own direct messages */
	uint64_t since;                       /* microseconds since 1970; 0: from the beginning */
	const struct option_list *interfaces; /* to look for servers on; may be NULL */
	const struct option_list *not_interfaces; /* may be NULL */
	bool json;
	int64_t timeout_ms; /* for connecting, at first and after a break */
};

/* Returns the exit status: 0, or 1: it could not connect or stay connected, nothing of the room is
 * kept, it was interrupted, or stdout takes no more. Each has a line on stderr, but for a reader
 * of stdout that has had enough. */
int export_run(const struct export_config *config);

#endif
