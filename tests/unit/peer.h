/*
 * The far end of a connection under test.
 *
 * One end of a pair of connected sockets goes to the code under test, the other is
 * read and written here, frame by frame, with a deadline, so that a test waits for
 * what has to come and for nothing else. Failures are returned, not asserted: most
 * peers live on threads of their own. For one thread at a time.
 */
#ifndef LANCHAT_TESTS_PEER_H
#define LANCHAT_TESTS_PEER_H

#include "common/frame.h"
#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_PATIENCE 20000 /* milliseconds after which what has to come is given up */

struct peer {
	int fd;
	uint8_t *bytes; /* received and not yet taken; owned */
	size_t start, end, size;
};

/* A pair of connected, non-blocking sockets: `p` has one end, `*other` is the caller's. A `buffer`
 * above 0 is the size of the other end's send buffer (SO_SNDBUF). 0 or ERR_SYSTEM. */
int peer_open(struct peer *p, int buffer, int *other);
void peer_close(struct peer *p);

/* Take the next frame, borrowed until the next call, and, where `m` is given, decode it. Receives at
 * most `chunk` bytes at a time. 0; ERR_CLOSED; ERR_TIMEOUT; ERR_PROTOCOL. */
int peer_take(struct peer *p, size_t chunk, int64_t deadline, struct frame *f, union message *m);

/* The next frame, which must be a `number`; ERR_PROTOCOL when it is another one. */
int peer_expect(struct peer *p, enum message_number number, union message *m);

/* Passing over others, the next frame that is a `number`. */
int peer_await(struct peer *p, enum message_number number, union message *m);

/* Send a message, or bytes; waits for room. */
int peer_send(struct peer *p, enum message_number number, const void *value);
int peer_send_bytes(struct peer *p, const void *bytes, size_t length);

/* Everything that is there now, appended to what has been received and not taken. Returns how many
 * bytes wait in `p->bytes + p->start` after that. */
size_t peer_drain(struct peer *p);

/* Wait until the other end has closed; false when something else comes, or nothing at all. */
bool peer_is_closed(struct peer *p);

#endif
