/*
 * Acceptors: one thread for each listening address.
 *
 * It takes connections and hands them over; a connection that cannot be had is
 * told why and closed, and costs nobody else anything. When descriptors run out,
 * one held in reserve makes it possible to say so instead of leaving the newcomer
 * waiting and the loop spinning.
 */
#ifndef LANCHAT_SERVER_ACCEPTOR_H
#define LANCHAT_SERVER_ACCEPTOR_H

#include "common/net.h"

#include <stddef.h>
#include <stdint.h>

struct acceptor;

/* A connection has come; `fd` is the callee's, who takes it or refuses it (refusal.h) and closes it.
 * On the acceptor's thread, so it must not wait for anybody. */
typedef void acceptor_take(void *context, int fd, const struct net_address *peer);

/* Listen on `a` and start the thread; `*bound` is the address really bound. ERR_SYSTEM with errno. */
int acceptor_start(const struct net_address *a, size_t stack, acceptor_take *take, void *context,
	struct net_address *bound, struct acceptor **out);

/* Connections so far that were refused for want of descriptors or memory. Any thread. */
uint64_t acceptor_refused(const struct acceptor *a);

/* Stop accepting, close, join. NULL is allowed. */
void acceptor_stop(struct acceptor *a);

#endif
