/*
 * The one thing that a connection reads and writes through.
 *
 * Plain TCP, or TLS (tls.h). Reading and writing are non-blocking. Plaintext given to stream_send is either taken or not; what was
 * taken may still wait inside (ciphertext that the socket would not take), and
 * then stream_pending is true and stream_flush goes on. No new plaintext is
 * taken while something waits, so the amount inside is bounded by one record.
 *
 * Threads: stream_handshake, stream_recv and stream_buffered are for one reader
 * thread; stream_send, stream_flush and stream_pending are called with the
 * connection's lock held, and only when the handshake is done. The others are for any
 * thread.
 */
#ifndef LANCHAT_STREAM_H
#define LANCHAT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct evp_pkey_st;
struct stream;
struct tls;

/* What stream_problem says where a peer sends frames of ours in place of TLS. */
#define STREAM_NOT_TLS "the other side does not speak TLS"

/* A stream over a connected, non-blocking socket, which it owns from then on. ERR_MEMORY: the
 * descriptor is still the caller's. */
int stream_new_plain(int fd, struct stream **out);

/* The same with TLS, of which the handshake is yet to come. `tls` must outlive it. */
int stream_new_tls(int fd, struct tls *tls, struct stream **out);

/* The same for somebody with a key of their own (tls_connection_as). */
int stream_new_tls_as(int fd, struct tls *tls, struct evp_pkey_st *key, struct stream **out);

/* Close and free; NULL is allowed. Nobody may be using it. */
void stream_free(struct stream *s);

int stream_fd(const struct stream *s);

/* Go on with the handshake, which comes before all else. 0: it is done, or there is none; ERR_AGAIN:
 * wait until the socket is readable; ERR_PROTOCOL: stream_problem says why; ERR_CLOSED, ERR_SYSTEM. */
int stream_handshake(struct stream *s);

/* The 32 bytes of the id (identity.h) whose key the peer has proven to have; NULL: it has proven
 * none. */
const uint8_t *stream_peer(const struct stream *s);

/* What was wrong in the handshake, in words; or empty. */
const char *stream_problem(const struct stream *s);

/* Keys for something else that belongs to this connection, the same at both ends (RFC 8446 7.5): `size`
 * bytes. ERR_NOT_FOUND: there is no TLS; ERR_CRYPTO, also before the handshake is done. Any thread. */
struct stream_export {
	const char *label; /* what for; each purpose has one of its own */
	const uint8_t *context;
	size_t context_size;
};
int stream_export(struct stream *s, const struct stream_export *what, uint8_t *out, size_t size);

/* Has it input that came already, so that the socket need not become readable again? */
bool stream_buffered(struct stream *s);

/* 0 with `*got` > 0, ERR_AGAIN, ERR_CLOSED, ERR_SYSTEM; ERR_PROTOCOL when the peer breaks TLS. */
int stream_recv(struct stream *s, void *buffer, size_t size, size_t *got);

/* Take as much plaintext as can go now: 0 with `*taken` > 0, or ERR_AGAIN (wait until the socket is
 * writable, then stream_flush), ERR_CLOSED, ERR_SYSTEM. */
int stream_send(struct stream *s, const struct iovec *pieces, int count, size_t *taken);

/* Send what waits inside. 0: nothing waits any more; ERR_AGAIN: the socket is full. */
int stream_flush(struct stream *s);
bool stream_pending(struct stream *s);

/* The calling thread has nothing to do with it for a while: what is kept for this thread alone is freed, and
 * comes back as it is needed. */
void stream_rest(struct stream *s);

/* End reading, writing or both (SHUT_RD, SHUT_WR, SHUT_RDWR), which wakes a poll of it. */
void stream_shutdown(struct stream *s, int how);

#endif
