/*
 * Listeners: the addresses that the settings name, or the sockets that were handed over, each with
 * its acceptor.
 *
 * They are opened first and started later: opening may need rights that the server then gives up
 * (sandbox.h), and threads begin after that. Meanwhile whoever connects waits in the kernel.
 */
#ifndef LANCHAT_SERVER_LISTENERS_H
#define LANCHAT_SERVER_LISTENERS_H

#include "common/net.h"
#include "common/options.h"
#include "server/acceptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENERS_MAX 32

struct listeners {
	struct acceptor *acceptors[LISTENERS_MAX]; /* owned; NULL: not started */
	int sockets[LISTENERS_MAX];                /* owned; the acceptor's once there is one */
	size_t count;                              /* of the two */
	bool adopted; /* handed over: somebody may have connected before they were ours */
	/* What they are bound to. One socket may stand for the wildcards of both families. */
	struct net_address addresses[LISTENERS_MAX];
	size_t address_count;
};

/* Listen on every address of every item ("host:port"; none: every address, the default port). A
 * machine without IPv6, or without IPv4, is no error where the other one works. On failure one line
 * in `error`, which names who has the port if that can be known, and nothing is listened on. */
int listeners_open(struct listeners *l, const struct option_list *wanted, char *error, size_t size);

/* Take `count` sockets that listen already (activation.h), from `first` on. ERR_SYSTEM with one line
 * in `error`, and they are closed. */
int listeners_adopt(struct listeners *l, int first, size_t count, char *error, size_t size);

/* Start the acceptors. On failure one line in `error`; listeners_stop is due all the same. */
int listeners_start(struct listeners *l, size_t stack, acceptor_take *take, void *context,
	char *error, size_t size);

/* Connections so far that were refused for want of descriptors or memory. Any thread. */
uint64_t listeners_refused(const struct listeners *l);

/* Stop accepting, and close; idempotent. */
void listeners_stop(struct listeners *l);

#endif
