/*
 * Acceptors: one thread for each listening address.
 *
 * It takes connections and hands them over; a connection that cannot be had is
 * told why and closed, and costs nobody else anything. When descriptors run out,
 * one held in reserve makes it possible to say so, to each as they come, instead of
 * leaving newcomers waiting and the loop spinning.
 */
#ifndef LANCHAT_SERVER_ACCEPTOR_H
#define LANCHAT_SERVER_ACCEPTOR_H

#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCEPTOR_SEND_BUFFER (256 * 1024) /* of each connection: kernel memory counts as well */

struct acceptor;

/* A connection has come; `fd` is the callee's, who takes it or refuses it (refusal.h) and closes it.
 * On the acceptor's thread, so it must not wait for anybody. */
typedef void acceptor_take(void *context, int fd, const struct net_address *peer);

/* Start the thread for a listening, non-blocking socket, which is the acceptor's from then on; `prepared`:
 * it was before anybody could connect, so that each connection is (net_prepare). On failure it stays the
 * caller's: ERR_SYSTEM with errno, ERR_MEMORY. */
int acceptor_start(int listener, bool prepared, size_t stack, acceptor_take *take, void *context,
	struct acceptor **out);

/* Have the thread go round once more, and how often it has so far. Any thread. */
void acceptor_nudge(struct acceptor *a);
unsigned acceptor_turns(const struct acceptor *a);

/* Connections so far that were refused for want of descriptors or memory. Any thread. */
uint64_t acceptor_refused(const struct acceptor *a);

/* Stop accepting, close, join. NULL is allowed. */
void acceptor_stop(struct acceptor *a);

#endif
