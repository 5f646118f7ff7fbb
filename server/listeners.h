/*
 * Listeners: the addresses that the settings name, each with its acceptor.
 */
#ifndef LANCHAT_SERVER_LISTENERS_H
#define LANCHAT_SERVER_LISTENERS_H

#include "common/net.h"
#include "common/options.h"
#include "server/acceptor.h"

#include <stddef.h>
#include <stdint.h>

#define LISTENERS_MAX 32

struct listeners {
	struct acceptor *acceptors[LISTENERS_MAX]; /* owned */
	struct net_address addresses[LISTENERS_MAX];
	size_t count;
};

/* Listen on every address of every item ("host:port"; none: every address, the default port). A
 * machine without IPv6, or without IPv4, is no error where the other one works. On failure one line
 * in `error`, which names who has the port if that can be known, and nothing is listened on. */
int listeners_start(struct listeners *l, const struct option_list *wanted, size_t stack,
	acceptor_take *take, void *context, char *error, size_t size);

/* Connections so far that were refused for want of descriptors or memory. Any thread. */
uint64_t listeners_refused(const struct listeners *l);

/* Stop accepting; idempotent. */
void listeners_stop(struct listeners *l);

#endif
