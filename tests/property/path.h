/*
 * A connection between a client and a server's session, with a network in the
 * middle that does as it is told.
 *
 * The server's end is a real session on a thread of its own, over one of a pair
 * of sockets. What the client has sent waits in `up` and what the server has sent
 * in `down`, until the schedule says how much of it arrives. A path can go on
 * when its client has given it up: what was on its way may arrive later, when the
 * client has long come back on another one.
 *
 * After each delivery the test waits until the session has done all that follows
 * from it: until it has taken the bytes and waits for more (which a wrapper
 * around poll() tells), and until what it owes by the protocol is there
 * (CAUGHT_UP). So a schedule does the same each time, as far as threads allow.
 *
 * For the test's thread, but for the session's own.
 */
#ifndef LANCHAT_TESTS_PATH_H
#define LANCHAT_TESTS_PATH_H

#include "server/chat.h"
#include "server/session.h"
#include "tests/property/truth.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *bytes; /* owned */
	size_t start, end, size;
};

/* Where a session's thread is. */
struct parking {
	struct lock lock;
	pthread_cond_t moved;
	bool waiting; /* guarded by lock: in poll(), or about to be */
	bool over;    /* guarded by lock: the session has ended */
};

struct path {
	struct session *session; /* NULL: the server's end is gone */
	pthread_t thread;
	struct parking parking;
	int fd;                           /* ours */
	const struct stream_key *streams; /* borrowed: which room is which stream */
	size_t stream_count;
	int inbox;           /* the stream of whoever logs in here */
	struct truth *truth; /* borrowed: the log that this path's numbers are of */

	struct bytes up, down;
	size_t visible;          /* bytes of `down` that have arrived */
	size_t scanned;          /* bytes of `down` that have been looked at */
	bool stalled;            /* nothing is taken from the server's socket */
	bool ended;              /* the server's end is closed */
	bool owed[STREAMS_MOST]; /* a CAUGHT_UP is to come */
	uint64_t inbox_last;     /* the inbox's last number when the login was accepted */
	uint64_t answered;       /* the token of the last PONG */
	struct path *next;
};

/* Connect to a chat. `buffer`: the size of the server's send buffer, or 0. */
struct path *path_open(struct chat *c, struct truth *t, int inbox, int buffer);

/* Put bytes on their way to the server. */
void path_send(struct path *p, const uint8_t *bytes, size_t length);

/* Let up to `length` bytes arrive at the server, and wait for what follows from them. */
void path_deliver(struct path *p, size_t length);

/* Take what the server has sent, without waiting. */
void path_collect(struct path *p);

/* Wait until what the server owes has come, and the end where it is to end; false when it does not. */
bool path_await(struct path *p);

/* Let `frames` more frames arrive at the client, and `bytes` more after them. What has arrived is in
 * down.bytes from down.start, `visible` bytes. */
void path_show(struct path *p, size_t frames, size_t bytes);

/* The client has dealt with so many bytes. */
void path_shown(struct path *p, size_t bytes);

/* Is something on its way to the client? */
bool path_has_news(const struct path *p);

/* End the server's side: told to stop, which lets it say goodbye, or as if its process were killed. What
 * it had sent can still arrive. */
void path_stop(struct path *p, bool told);

/* Cut it, and free it: what is on its way is lost. The session has ended after that. NULL is
 * allowed. */
void path_cut(struct path *p);

#endif
