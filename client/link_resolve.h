/*
 * Looking a host name up without waiting for it.
 *
 * getaddrinfo(3) blocks, for as long as a dead name server takes, and cannot be
 * interrupted. So it runs on a thread of its own, which whoever asked may turn
 * away from at any moment: the thread and the asker each hold a reference to the
 * look-up, and the last one frees it.
 */
#ifndef LANCHAT_LINK_RESOLVE_H
#define LANCHAT_LINK_RESOLVE_H

#include "common/net.h"

#include <stddef.h>
#include <stdint.h>

struct resolve;

/* Begin to look up TCP addresses of `host` (copied). ERR_MEMORY, ERR_SYSTEM. */
int resolve_start(const char *host, uint16_t port, struct resolve **out);

/* Readable (poll) once there is a result. */
int resolve_fd(const struct resolve *r);

/* The addresses, at most `most`. ERR_AGAIN: not yet; ERR_RESOLVE with the resolver's words in `*why`
 * (static) when there are none. */
int resolve_result(
	struct resolve *r, struct net_address *out, size_t most, size_t *count, const char **why);

/* The asker's reference ends; the look-up may still be under way. NULL is allowed. */
void resolve_drop(struct resolve *r);

#endif
