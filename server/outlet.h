/*
 * Outlets: the sending side of a connection.
 *
 * Whoever has something for a client sends it, on its own thread, with one
 * non-blocking call: replies that wait, then what the connection's feeds have new.
 * Nothing is queued per client but the replies, which are bounded, and the rest of
 * a frame of which the socket took a part. When the socket is full, the outlet is
 * blocked; the drain thread goes on when there is room.
 *
 * The lock is held across the non-blocking send, which keeps frames whole. Who
 * finds it taken leaves a mark, and whoever holds it looks again: nobody waits for
 * a connection that somebody else is busy with.
 */
#ifndef LANCHAT_SERVER_OUTLET_H
#define LANCHAT_SERVER_OUTLET_H

#include "common/lock.h"
#include "common/net_address.h"
#include "common/stream.h"
#include "server/member.h"
#include "server/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTLET_REPLIES (128 * 1024) /* bytes of replies that may wait */

/* What an outlet asks of its surroundings. Called with the outlet's lock held. */
struct outlet_hooks {
	/* The socket is full: call outlet_writable when it is not. */
	void (*blocked)(void *context, struct outlet *o);
	/* `m` is in CATCHUP, and its reference in the queue: call catchup on it. */
	void (*behind)(void *context, struct member *m);
	void *context;
	struct metrics *metrics; /* borrowed; NULL: nobody counts */
};

/* Who is at the other end; set before the first membership, and constant from then on. */
struct outlet_peer {
	uint8_t person[PERSON_ID];
	struct net_address address;
	bool lane; /* its program knows of datagram lanes */
};

struct outlet {
	struct stream *stream; /* owned, constant */
	struct outlet_peer peer;
	const struct outlet_hooks *hooks; /* borrowed, constant */
	atomic_uint refs;                 /* the session's, each member's, the drain's */
	atomic_bool blocked;              /* the socket is full; written under the lock */
	atomic_bool held;            /* the session has more to say, and will send all at once */
	atomic_bool again;           /* somebody found the lock taken */
	atomic_bool closed;          /* nothing goes out any more */
	atomic_bool expelled;        /* one of its memberships was ended by somebody else */
	struct outlet *next_leaving; /* guarded by the drain thread's lock */
	struct lane_row *lane;       /* borrowed; guarded by the lanes' lock (lanes.h) */
	struct lock lock;
	/* Guarded by lock. */
	uint8_t *pending; /* replies, and the rest of a frame in front of them */
	size_t pending_start, pending_end, pending_size;
	struct member **members;
	size_t member_count, member_size;
	bool watched; /* the drain thread's epoll knows the descriptor */
};

/* An outlet with one reference; it owns the stream from then on. ERR_MEMORY. */
int outlet_new(struct stream *s, const struct outlet_hooks *hooks, struct outlet **out);
struct outlet *outlet_ref(struct outlet *o);
void outlet_unref(struct outlet *o); /* the last one closes the descriptor */

/* Put a frame behind the replies that wait; it goes out with the next send. ERR_FULL: too much
 * waits already; ERR_CLOSED; ERR_MEMORY. */
int outlet_reply(struct outlet *o, const uint8_t *frame, size_t length);

/* The same for what may be lost, and comes from somebody else: only while much room is left for the
 * session's own. Any thread. */
int outlet_reply_spare(struct outlet *o, const uint8_t *frame, size_t length);

/* Is the connection a member of that feed? Any thread. */
bool outlet_is_in(struct outlet *o, const struct stream_key *key);

/* Send all that there is and the socket takes. Any thread; never waits. */
void outlet_push(struct outlet *o);

/* Let all that there is wait until outlet_release, which sends it: for the session that has several
 * answers, and waits for nobody meanwhile. Its thread alone. */
void outlet_hold(struct outlet *o);
void outlet_release(struct outlet *o);

/* As outlet_push, when the socket has room again. */
void outlet_writable(struct outlet *o);

/* Send one membership what it has not yet, and the replies that wait, from a window taken before.
 * Any thread; never waits. */
void outlet_push_member(struct outlet *o, struct member *m, const struct feed_window *w);

/* Something will be pushed to it in a moment: have the processor fetch what that looks at. */
void outlet_foresee(const struct outlet *o);

/* Nothing is likely to be sent for a while: keep no buffer, unless there is something in it. Any
 * thread. */
void outlet_rest(struct outlet *o);

/* Bytes that wait: 0 when all replies are sent. */
size_t outlet_pending(struct outlet *o);

/* Has the socket taken all of them? */
bool outlet_sent(struct outlet *o);

/* Has everything been sent that there is, replies and news? */
bool outlet_settled(struct outlet *o);

/* Nothing goes out any more, and no membership is served. Idempotent. */
void outlet_close(struct outlet *o);

#endif
