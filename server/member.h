/*
 * Memberships: one connection's place in one feed.
 *
 * A membership is LIVE, a position in the feed's window, or in CATCHUP, the last
 * sequence number sent; the history readers (catchup.h) bring it on until the
 * window has what comes next. Joining, resuming and having been slow are this one
 * mechanism. The numbers sent to one membership always rise; that is asserted.
 */
#ifndef LANCHAT_SERVER_MEMBER_H
#define LANCHAT_SERVER_MEMBER_H

#include "server/feed.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outlet;

enum member_state {
	MEMBER_LIVE,
	MEMBER_CATCHUP,
	MEMBER_GONE, /* left; an older set of members may still show it */
};

struct member {
	atomic_uint refs;      /* the outlet's, the feed's, each set's, the queue's */
	struct outlet *outlet; /* counted, constant */
	struct feed *feed;     /* counted, constant */
	atomic_bool expelled; /* somebody else has ended it, and taken the person out of the room */
	size_t index;         /* in the feed's list; guarded by the feed's lock */
	struct member *next;  /* in the readers' queue; guarded by the queue's lock */
	/* Guarded by the outlet's lock. */
	enum member_state state;
	uint64_t position; /* LIVE: what to send next */
	uint64_t entries;  /* LIVE: published before that, of those with a number */
	uint64_t sent;     /* the last number sent */
	bool queued;       /* CATCHUP: a reader has it, or will */
	bool announce;     /* tell when all that there is has been sent */
};

struct member *member_ref(struct member *m);
void member_unref(struct member *m);

/* Make `o` a member of `f` that has everything up to `after`. It begins in CATCHUP or LIVE as
 * the window allows; when it has all that there is, it is told so (CAUGHT_UP). What is to be sent
 * first must already be waiting in the outlet. The caller owns one reference. ERR_MEMORY;
 * ERR_CLOSED when the connection is over. */
int member_join(struct outlet *o, struct feed *f, uint64_t after, struct member **out);

/* End the membership. Waits for nobody: a pump may still hold it, and will see that it is gone. The
 * caller's reference stays the caller's. */
void member_leave(struct member *m);

/* ---- for catchup.c: bringing a membership on from the history ---- */

enum member_next {
	MEMBER_NEXT_READ,  /* read `*after` < seq <= `*upto` and deliver it */
	MEMBER_NEXT_LATER, /* blocked; the outlet asks again by itself */
	MEMBER_NEXT_DONE,  /* live again, or gone */
};
enum member_next member_next(struct member *m, uint64_t *after, uint64_t *upto);

/* Send a page of whole frames, after which the membership has everything up to `seq`. What the
 * socket does not take is dropped and read again later. Returns false when the outlet is blocked
 * or closed, and the reader lets go of the membership. */
bool member_deliver(struct member *m, const uint8_t *page, size_t length, uint64_t seq);

#endif
