/*
 * Clients: the sessions that run, each on its thread, and those to be joined.
 *
 * A session that ends puts itself on a list; whoever polls clients_fd joins it. So
 * no thread waits for another one, and none is left behind.
 */
#ifndef LANCHAT_SERVER_CLIENTS_H
#define LANCHAT_SERVER_CLIENTS_H

#include "server/chat.h"
#include "server/session.h"
#include "server/sources.h"

#include <stddef.h>
#include <stdint.h>

struct clients;
struct tls;

/* How many connections there may be; -1: without limit. */
struct clients_limits {
	long most;                  /* in all */
	long logging_in;            /* that are not logged in yet */
	struct sources_limits here; /* of one address */
};

/* `c` and `tls` are borrowed; without `tls`, connections are plaintext. ERR_MEMORY, ERR_SYSTEM. */
int clients_new(struct chat *c, struct tls *tls, const struct clients_limits *limits, size_t stack,
	struct clients **out);

/* All have ended and been joined. NULL is allowed. */
void clients_free(struct clients *cs);

/* Take a connection: acceptor_take, with the clients as its context. */
void clients_take(void *context, int fd, const struct net_address *peer);

/* From now on. Any thread. */
void clients_set_limits(struct clients *cs, const struct clients_limits *limits);

size_t clients_count(struct clients *cs);

/* Connections: now, at most so far, and those of now that are not logged in. Any thread. */
struct clients_numbers {
	size_t now, most, logging_in;
};
void clients_numbers(struct clients *cs, struct clients_numbers *out);

/* Readable (poll) when a session has ended, or clients_next has changed. */
int clients_fd(const struct clients *cs);

/* clock_ms: when clients_reap is to be called even if none has; INT64_MAX: it is not. */
int64_t clients_next(struct clients *cs);

/* Join those that have ended, and give the system the memory back that many of them had. One
 * thread. */
void clients_reap(struct clients *cs);

/* Have all end, and join them: in good order until `deadline` (clock_ms), then cut off. No
 * acceptor runs any more. */
void clients_stop(struct clients *cs, int64_t deadline);

#endif
