/*
 * What the two halves of sending share: outlet.c, which is about a connection, and
 * member.c, which is about its places in feeds. Nobody else includes this.
 *
 * All of it is called with the outlet's lock held.
 */
#ifndef LANCHAT_SERVER_OUTLET_PRIVATE_H
#define LANCHAT_SERVER_OUTLET_PRIVATE_H

#include "server/feed.h"
#include "server/member.h"
#include "server/outlet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* ---- outlet.c ---- */

/* Is what there is to be sent by somebody else, and later: by the drain thread when the socket has room, or
 * by the session when it has said all? Without the lock, too. */
static inline bool outlet_waits(const struct outlet *o)
{
	return atomic_load(&o->blocked) || atomic_load(&o->held);
}

/* Put bytes behind those that wait. ERR_MEMORY. */
int outlet_append_locked(struct outlet *o, const uint8_t *bytes, size_t length);

/* The peer is gone, or memory is: nothing goes out any more, and the session's thread sees the
 * socket end and cleans up. */
void outlet_fail_locked(struct outlet *o);

/* One send of what waits and `count` more pieces of `total` bytes. 0: all of it went; ERR_AGAIN: a
 * part or nothing did, `*taken` bytes of the pieces, and the outlet is blocked now; ERR_CLOSED. */
int outlet_send_locked(
	struct outlet *o, const struct iovec *pieces, int count, size_t total, size_t *taken);

/* `taken` bytes of frames went. Whole frames count as sent (`*sent` is the last number, and
 * `*entries` grows by how many had one); the rest of
 * the one that was cut waits in front, so that nothing but its own end can follow it. Returns the
 * bytes accounted for. */
size_t outlet_account_locked(
	struct outlet *o, const uint8_t *frames, size_t taken, uint64_t *sent, uint64_t *entries);

/* Give the lock back, and look after those who found it taken. */
void outlet_drop(struct outlet *o) LOCK_RELEASES(&o->lock);

/* ---- member.c ---- */

/* Send a membership what its feed has new; from the window, where the caller has one. 0 when nothing
 * is left to send, or the history readers have it now. */
int member_push_locked(struct outlet *o, struct member *m);
int member_push_window_locked(struct outlet *o, struct member *m, const struct feed_window *w);

/* Has the membership got all that its feed has? */
bool member_settled_locked(const struct member *m);

#endif
