/*
 * A stream that speaks TLS.
 *
 * OpenSSL's connection is for one thread at a time, and ours has two kinds of them: the
 * reader, and whoever sends. So a lock of its own guards it, under which nothing waits.
 *
 * OpenSSL reads and writes by a BIO of ours. What it writes and the socket does not take
 * is kept in `left`, so that OpenSSL always sees a socket that takes everything, and never
 * has to be called again with the same bytes; `left` has at most one record, and is freed
 * when it is empty, because most connections are idle.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/net.h"
#include "common/stream_private.h"
#include "common/tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX 16384 /* plaintext bytes; RFC 8446 5.1 */

/* The first byte of a handshake's and of an alert's record; RFC 8446 5.1. */
#define RECORD_HANDSHAKE 22
#define RECORD_ALERT     21

/* Messages of the handshake's kind after it, of which a KeyUpdate is the only one that is of use here: a
 * peer may send one so often, and this many at once. Each costs us a little. */
#define KEY_UPDATES   16
#define KEY_UPDATE_MS 1000

/* Ciphertext that the socket has not taken, at most: a record, and what answers the peer's own. */
#define LEFT_MAX ((size_t)64 * 1024)

struct tls_stream {
	struct stream base;
	struct lock lock;
	/* guarded by lock */
	SSL *ssl;      /* owned */
	uint8_t *left; /* owned: what the socket has not taken, from left_at */
	size_t left_at, left_end, left_room;
	int failed;         /* why nothing more can be read; 0: it can */
	int error;          /* of the socket's, in the call that is under way */
	int system_error;   /* and its errno */
	int updates;        /* that the peer may still make */
	int64_t updates_at; /* clock_ms: when that was so */
	/* Written by the handshake alone, before others use the stream. */
	bool looked; /* at the first byte */
	bool open;   /* the handshake is done */
	struct identity peer;
	char problem[128];
};

static struct tls_stream *of(struct stream *s)
{
	return (struct tls_stream *)s;
}

/* ---- the socket, as OpenSSL sees it ---- */

static void note_error(struct tls_stream *t, int r)
{
	t->error = r;
	t->system_error = errno;
}

/* Is it TLS at all? A frame of ours begins with 0, TLS never does. The byte stays where it is. */
static int look(struct tls_stream *t)
{
	uint8_t first = 0;
	int r = net_peek(t->base.fd, &first);

	if (r == 0 && first != RECORD_HANDSHAKE && first != RECORD_ALERT) {
		snprintf(t->problem, sizeof(t->problem), "%s",
			first == 0 ? STREAM_NOT_TLS : "what came is neither TLS nor lanchat");
		r = ERR_PROTOCOL;
	}
	t->looked = r != ERR_AGAIN;
	return r;
}

static int socket_read(BIO *b, char *buffer, size_t size, size_t *got)
{
	struct tls_stream *t = BIO_get_data(b);
	int r = t->looked ? 0 : look(t);

	if (r == 0)
		r = net_recv(t->base.fd, buffer, size, got);
	BIO_clear_retry_flags(b);
	if (r == ERR_AGAIN)
		BIO_set_retry_read(b);
	else if (r)
		note_error(t, r);
	return r == 0;
}

/* Keep what the socket does not take. */
static int keep(struct tls_stream *t, const uint8_t *bytes, size_t size)
{
	if (t->left_end - t->left_at + size > LEFT_MAX)
		return ERR_FULL;
	if (t->left_room - t->left_end < size) {
		size_t room = t->left_end + size;
		uint8_t *more = realloc(t->left, room);
		if (!more)
			return ERR_MEMORY;
		t->left = more;
		t->left_room = room;
	}
	memcpy(t->left + t->left_end, bytes, size);
	t->left_end += size;
	return 0;
}

static int socket_write(BIO *b, const char *bytes, size_t size, size_t *written)
{
	struct tls_stream *t = BIO_get_data(b);
	struct iovec piece = {.iov_base = (void *)bytes, .iov_len = size};
	size_t sent = 0;
	int r = t->left_end ? ERR_AGAIN : net_sendv(t->base.fd, &piece, 1, &sent);

	if (r == 0 || r == ERR_AGAIN)
		r = sent < size ? keep(t, (const uint8_t *)bytes + sent, size - sent) : 0;
	BIO_clear_retry_flags(b);
	if (r) {
		note_error(t, r);
		return 0;
	}
	*written = size;
	return 1;
}

static long socket_control(BIO *b, int what, long number, void *pointer)
{
	(void)b;
	(void)number;
	(void)pointer;
	return what == BIO_CTRL_FLUSH;
}

static int socket_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lanchat socket");
	if (!method)
		return;
	if (BIO_meth_set_read_ex(method, socket_read) &&
		BIO_meth_set_write_ex(method, socket_write) &&
		BIO_meth_set_ctrl(method, socket_control) &&
		BIO_meth_set_create(method, socket_create))
		return;
	BIO_meth_free(method);
	method = NULL;
}

/* ---- errors ---- */

/* What a call of OpenSSL that failed is as one of our results. */
static int result(struct tls_stream *t, int returned)
{
	int why = SSL_get_error(t->ssl, returned);
	int error = t->error;

	t->error = 0;
	ERR_clear_error();
	switch (why) {
	case SSL_ERROR_WANT_READ:
		return ERR_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return ERR_CLOSED;
	case SSL_ERROR_SYSCALL:
		return error ? error : ERR_CLOSED;
	default:
		/* A connection that the peer cut is reported as a broken protocol as well. */
		return error ? error : ERR_PROTOCOL;
	}
}

static void watch(
	int outgoing, int version, int type, const void *bytes, size_t size, SSL *ssl, void *stream)
{
	struct tls_stream *t = stream;

	(void)version;
	(void)ssl;
	(void)bytes;
	(void)size;
	if (outgoing || type != SSL3_RT_HANDSHAKE || !t->open)
		return;
	int64_t now = clock_ms();
	int64_t more = (now - t->updates_at) / KEY_UPDATE_MS;
	if (more > 0) {
		t->updates = more < KEY_UPDATES - t->updates ? t->updates + (int)more : KEY_UPDATES;
		t->updates_at = now;
	}
	t->updates--;
}

static int flush_locked(struct tls_stream *t)
{
	int r = 0;

	lock_assert_held(&t->lock);
	while (r == 0 && t->left_at < t->left_end) {
		struct iovec piece = {
			.iov_base = t->left + t->left_at, .iov_len = t->left_end - t->left_at};
		size_t sent = 0;

		r = net_sendv(t->base.fd, &piece, 1, &sent);
		t->left_at += sent;
	}
	if (r == 0) {
		free(t->left);
		t->left = NULL;
		t->left_at = t->left_end = t->left_room = 0;
	}
	return r;
}

/* ---- the handshake ---- */

static int step(struct tls_stream *t)
{
	ERR_clear_error();
	int done = SSL_do_handshake(t->ssl);
	if (done == 1)
		return 0;
	unsigned long why = ERR_peek_error();
	int r = result(t, done);
	if (r == ERR_PROTOCOL && why && !t->problem[0])
		snprintf(t->problem, sizeof(t->problem), "TLS: %s",
			ERR_reason_error_string(why) ? ERR_reason_error_string(why) : "failed");
	return r;
}

static int tls_handshake(struct stream *s)
{
	struct tls_stream *t = of(s);
	int r = 0;

	lock_take(&t->lock);
	if (!t->open)
		r = step(t);
	if (r == 0 && !t->open) {
		r = tls_peer(t->ssl, &t->peer);
		t->open = r == 0;
	}
	if (t->left_end && flush_locked(t) == ERR_CLOSED)
		r = ERR_CLOSED;
	lock_drop(&t->lock);
	return r;
}

/* ---- receiving and sending ---- */

static int recv_record(struct tls_stream *t, uint8_t *buffer, size_t size, size_t *got)
{
	lock_take(&t->lock);
	(void)flush_locked(t); /* what answers the peer's own, a KeyUpdate say */
	ERR_clear_error();
	int done = t->failed ? 0 : SSL_read_ex(t->ssl, buffer, size, got);
	int r = done ? 0 : t->failed ? t->failed : result(t, done);
	if (t->updates < 0)
		r = ERR_PROTOCOL;
	/* OpenSSL tells why once. */
	if (r && r != ERR_AGAIN)
		t->failed = r;
	errno = t->system_error;
	lock_drop(&t->lock);
	return r;
}

/* A record is what the peer wrote at once, a message often: as many as there are, for the caller to act
 * on all of them together. What goes wrong after the first is found again by the next call. Between
 * two, whoever sends has its turn. */
static int tls_recv(struct stream *s, void *buffer, size_t size, size_t *got)
{
	struct tls_stream *t = of(s);
	size_t end = 0;
	int r = 0;

	while (end < size) {
		size_t more;
		r = recv_record(t, (uint8_t *)buffer + end, size - end, &more);
		if (r)
			break;
		end += more;
	}
	if (end == 0)
		return r;
	*got = end;
	return 0;
}

static bool tls_buffered(struct stream *s)
{
	struct tls_stream *t = of(s);

	lock_take(&t->lock);
	/* That nothing more can be read is to be told as well. */
	bool any = t->failed || SSL_pending(t->ssl) > 0;
	lock_drop(&t->lock);
	return any;
}

/* Up to one record's worth of what is to be sent, from byte `from` on; `*bytes` is it, in place where
 * that can be. */
static size_t gather(
	const struct iovec *pieces, int count, size_t from, uint8_t *buffer, const uint8_t **bytes)
{
	size_t length = 0;

	for (int i = 0; i < count && length < RECORD_MAX; i++) {
		if (from >= pieces[i].iov_len) {
			from -= pieces[i].iov_len;
			continue;
		}
		const uint8_t *at = (const uint8_t *)pieces[i].iov_base + from;
		size_t size = pieces[i].iov_len - from;
		from = 0;
		if (size > RECORD_MAX - length)
			size = RECORD_MAX - length;
		if (length == 0 && (size == RECORD_MAX || i == count - 1)) {
			*bytes = at;
			return size;
		}
		memcpy(buffer + length, at, size);
		length += size;
	}
	*bytes = buffer;
	return length;
}

static int tls_send(struct stream *s, const struct iovec *pieces, int count, size_t *taken)
{
	struct tls_stream *t = of(s);
	uint8_t buffer[RECORD_MAX];
	const uint8_t *bytes;
	size_t sent = 0, size;

	lock_take(&t->lock);
	int r = flush_locked(t);
	while (r == 0 && t->left_end == 0 && (size = gather(pieces, count, sent, buffer, &bytes))) {
		size_t written = 0;
		ERR_clear_error();
		int done = SSL_write_ex(t->ssl, bytes, size, &written);
		r = done ? 0 : result(t, done);
		/* It waits for the rest of a message of the handshake's kind, which nobody sends in
		 * halves: a socket that can be written to would not help. */
		if (r == ERR_AGAIN)
			r = ERR_PROTOCOL;
		sent += written;
	}
	lock_drop(&t->lock);
	if (sent == 0)
		return r;
	*taken = sent;
	return 0;
}

static int tls_flush(struct stream *s)
{
	struct tls_stream *t = of(s);

	lock_take(&t->lock);
	int r = flush_locked(t);
	lock_drop(&t->lock);
	return r;
}

static bool tls_pending(struct stream *s)
{
	struct tls_stream *t = of(s);

	lock_take(&t->lock);
	bool any = t->left_end > 0;
	lock_drop(&t->lock);
	return any;
}

/* ---- the ends ---- */

static void tls_goodbye(struct stream *s)
{
	struct tls_stream *t = of(s);

	lock_take(&t->lock);
	if (t->open && t->left_end == 0) {
		(void)SSL_shutdown(t->ssl);
		ERR_clear_error();
	}
	lock_drop(&t->lock);
}

/* Each thread that has shaken hands has two generators of random numbers of its own, with ciphers, and
 * whatever has called OpenSSL has a queue of errors: 6 KiB (OPENSSL_thread_stop(3), EVP_RAND(7)). */
static void tls_rest(struct stream *s)
{
	(void)s;
	OPENSSL_thread_stop();
}

static const uint8_t *tls_peer_id(const struct stream *s)
{
	const struct tls_stream *t = (const struct tls_stream *)s;

	return t->open ? t->peer.id : NULL;
}

static const char *tls_problem(const struct stream *s)
{
	return ((const struct tls_stream *)s)->problem;
}

static int tls_stream_export(
	struct stream *s, const struct stream_export *what, uint8_t *out, size_t size)
{
	struct tls_stream *t = of(s);

	lock_take(&t->lock);
	int r = t->open ? tls_export(t->ssl, what, out, size) : ERR_CRYPTO;
	lock_drop(&t->lock);
	return r;
}

static void tls_stream_free(struct stream *s)
{
	struct tls_stream *t = of(s);

	SSL_free(t->ssl);
	ERR_clear_error();
	free(t->left);
	lock_fini(&t->lock);
	free(t);
}

static const struct stream_kind kind = {
	.handshake = tls_handshake,
	.recv = tls_recv,
	.buffered = tls_buffered,
	.send = tls_send,
	.flush = tls_flush,
	.pending = tls_pending,
	.goodbye = tls_goodbye,
	.rest = tls_rest,
	.peer = tls_peer_id,
	.problem = tls_problem,
	.export = tls_stream_export,
	.free = tls_stream_free,
};

int stream_new_tls(int fd, struct tls *tls, struct stream **out)
{
	return stream_new_tls_as(fd, tls, NULL, out);
}

int stream_new_tls_as(int fd, struct tls *tls, EVP_PKEY *key, struct stream **out)
{
	assert(fd >= 0);
	PTHREAD_OK(pthread_once(&method_once, make_method));
	struct tls_stream *t = calloc(1, sizeof(*t));
	BIO *bio = method ? BIO_new(method) : NULL;
	SSL *ssl = key ? tls_connection_as(tls, key) : tls_connection(tls);

	if (!t || !bio || !ssl) {
		free(t);
		BIO_free(bio);
		SSL_free(ssl);
		ERR_clear_error();
		return ERR_MEMORY;
	}
	t->base = (struct stream){.kind = &kind, .fd = fd};
	t->ssl = ssl;
	t->updates = KEY_UPDATES;
	t->updates_at = clock_ms();
	lock_init(&t->lock, LOCK_STREAM);
	BIO_set_data(bio, t);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_msg_callback(ssl, watch);
	SSL_set_msg_callback_arg(ssl, t);
	*out = &t->base;
	return 0;
}
