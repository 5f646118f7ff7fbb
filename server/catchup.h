/*
 * The history readers: bringing memberships on that the window has left behind.
 *
 * A few threads share one queue. Each takes a membership, reads one page of the
 * history, sends it, and puts the membership at the end again, so that one client
 * with much to read delays nobody else's. Whoever's socket is full drops out
 * until it has room.
 */
#ifndef LANCHAT_SERVER_CATCHUP_H
#define LANCHAT_SERVER_CATCHUP_H

#include "server/engine.h"
#include "server/member.h"

#include <stddef.h>

struct catchup;

/* Start `readers` threads. ERR_MEMORY, ERR_SYSTEM. */
int catchup_start(struct engine *e, size_t stack, unsigned readers, struct catchup **out);

/* Stop and join them; queued memberships are let go of. NULL is allowed. */
void catchup_stop(struct catchup *c);

/* Queue a membership, with a reference that is the queue's from then on. Any thread; an outlet's
 * lock may be held. */
void catchup_add(struct catchup *c, struct member *m);

#endif
