/*
 * The one thing that a connection reads and writes through.
 *
 * Plain TCP now; the shape is the one that TLS needs. Reading and writing are
 * non-blocking. Plaintext given to stream_send is either taken or not; what was
 * taken may still wait inside (ciphertext that the socket would not take), and
 * then stream_pending is true and stream_flush goes on. No new plaintext is
 * taken while something waits, so the amount inside is bounded by one record.
 *
 * Threads: stream_recv is for one reader thread; stream_send, stream_flush and
 * stream_pending are called with the connection's lock held. stream_fd and
 * stream_shutdown are for any thread.
 */
#ifndef LANCHAT_STREAM_H
#define LANCHAT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct stream;

/* A stream over a connected, non-blocking socket, which it owns from then on. ERR_MEMORY: the
 * descriptor is still the caller's. */
int stream_new_plain(int fd, struct stream **out);

/* Close and free; NULL is allowed. Nobody may be using it. */
void stream_free(struct stream *s);

int stream_fd(const struct stream *s);

/* 0 with `*got` > 0, ERR_AGAIN, ERR_CLOSED, ERR_SYSTEM; ERR_PROTOCOL when the peer breaks TLS. */
int stream_recv(struct stream *s, void *buffer, size_t size, size_t *got);

/* Take as much plaintext as can go now: 0 with `*taken` > 0, or ERR_AGAIN (wait until the socket is
 * writable, then stream_flush), ERR_CLOSED, ERR_SYSTEM. */
int stream_send(struct stream *s, const struct iovec *pieces, int count, size_t *taken);

/* Send what waits inside. 0: nothing waits any more; ERR_AGAIN: the socket is full. */
int stream_flush(struct stream *s);
bool stream_pending(const struct stream *s);

/* End reading, writing or both (SHUT_RD, SHUT_WR, SHUT_RDWR), which wakes a poll of it. */
void stream_shutdown(struct stream *s, int how);

#endif
