/*
 * TLS over a pair of sockets: the handshake, who the peer is, bytes in any pieces,
 * sockets that are full, and peers that speak something else.
 */
#include "common/err.h"
#include "common/frame.h"
#include "common/net.h"
#include "common/stream.h"
#include "common/tls.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[64];
static struct tls *tls[2]; /* the client's, the server's */
static struct identity ids[2];
static int fds[2];
static struct stream *ends[2];

static struct tls *context(const char *name, enum tls_side side, struct identity *id)
{
	char path[128];
	struct tls *t = NULL;

	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	ck_assert_int_eq(tls_new(path, side, id, &t), 0);
	return t;
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	tls[0] = context("client", TLS_CLIENT, &ids[0]);
	tls[1] = context("server", TLS_SERVER, &ids[1]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(stream_new_tls(fds[i], tls[i], &ends[i]), 0);
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++) {
		stream_free(ends[i]);
		tls_free(tls[i]);
	}
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* Both sides until both are done, or one fails; its result, and which it was. */
static int shake(int *who)
{
	int r[2] = {ERR_AGAIN, ERR_AGAIN};

	for (int i = 0; i < 100; i++) {
		r[i % 2] = stream_handshake(ends[i % 2]);
		*who = i % 2;
		if (r[i % 2] != 0 && r[i % 2] != ERR_AGAIN)
			return r[i % 2];
		if (r[0] == 0 && r[1] == 0)
			return 0;
	}
	return ERR_TIMEOUT;
}

static void shake_hands(void)
{
	int who;

	ck_assert_int_eq(shake(&who), 0);
}

START_TEST(test_handshake)
{
	ck_assert_ptr_null(stream_peer(ends[0]));
	shake_hands();
	ck_assert_mem_eq(stream_peer(ends[0]), ids[1].id, IDENTITY_SIZE);
	ck_assert_mem_eq(stream_peer(ends[1]), ids[0].id, IDENTITY_SIZE);
	ck_assert_str_eq(stream_problem(ends[0]), "");
	ck_assert_int_eq(stream_handshake(ends[0]), 0);
	/* The same key file is the same peer. */
	struct identity again;
	struct tls *t = context("client", TLS_CLIENT, &again);
	ck_assert_mem_eq(again.id, ids[0].id, IDENTITY_SIZE);
	tls_free(t);
}
END_TEST

/* ---- bytes ---- */

#define MUCH ((size_t)3 * 1024 * 1024)

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* Send what is left of MUCH bytes, in pieces of `piece` bytes, as far as it goes. */
static int send_some(struct stream *s, const uint8_t *bytes, size_t piece, size_t *sent)
{
	struct iovec pieces[8];
	int count = 0;
	size_t at = *sent, taken = 0;

	for (; count < 8 && at < MUCH; count++) {
		size_t size = piece < MUCH - at ? piece : MUCH - at;
		pieces[count] = (struct iovec){.iov_base = (void *)(bytes + at), .iov_len = size};
		at += size;
	}
	int r = stream_send(s, pieces, count, &taken);
	if (r == 0)
		*sent += taken;
	return r;
}

static const size_t pieces_of[] = {1000, 16384, 17, 100000, 16383};

START_TEST(test_bytes)
{
	uint8_t *bytes = malloc(MUCH), buffer[50000];
	size_t sent = 0, received = 0;
	int full = 0;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = byte_at(i);
	shake_hands();
	while (received < MUCH) {
		int r = sent < MUCH ? send_some(ends[0], bytes, pieces_of[_i], &sent) : ERR_AGAIN;
		if (r == ERR_AGAIN) {
			/* What waits inside goes first, and nothing more is taken until it has. */
			full += stream_pending(ends[0]);
			r = stream_flush(ends[0]);
			ck_assert(r == 0 || r == ERR_AGAIN);
			ck_assert_int_eq(stream_pending(ends[0]), r == ERR_AGAIN);
			size_t got = 0;
			r = stream_recv(ends[1], buffer, (size_t)(received % 49999) + 1, &got);
			if (r == ERR_AGAIN)
				continue;
			ck_assert_int_eq(r, 0);
			ck_assert_mem_eq(buffer, bytes + received, got);
			received += got;
		}
	}
	ck_assert_int_gt(full, 0);
	ck_assert(!stream_buffered(ends[1]));
	free(bytes);
}
END_TEST

/* Less is taken than has come: the socket does not tell of the rest. */
START_TEST(test_buffered)
{
	struct iovec piece = {.iov_base = (void *)"0123456789", .iov_len = 10};
	struct pollfd p = {.fd = fds[1], .events = POLLIN};
	char buffer[16];
	size_t n;

	shake_hands();
	ck_assert(!stream_buffered(ends[1]));
	ck_assert_int_eq(stream_send(ends[0], &piece, 1, &n), 0);
	ck_assert_int_eq(poll(&p, 1, 1000), 1);
	ck_assert_int_eq(stream_recv(ends[1], buffer, 4, &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	ck_assert(stream_buffered(ends[1]));
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), 0);
	ck_assert_uint_eq(n, 6);
	ck_assert(!stream_buffered(ends[1]));
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), ERR_AGAIN);
}
END_TEST

START_TEST(test_the_end)
{
	struct iovec piece = {.iov_base = (void *)"last", .iov_len = 4};
	char buffer[16];
	size_t n;

	shake_hands();
	ck_assert_int_eq(stream_send(ends[0], &piece, 1, &n), 0);
	if (_i == 0)
		stream_shutdown(ends[0], SHUT_WR);
	else
		ck_assert_int_eq(shutdown(fds[0], SHUT_WR), 0); /* cut off */
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), ERR_CLOSED);
	/* The other direction is still open. */
	ck_assert_int_eq(stream_send(ends[1], &piece, 1, &n), 0);
	ck_assert_int_eq(stream_recv(ends[0], buffer, sizeof(buffer), &n), 0);
}
END_TEST

/* One thread reads while others send. */
static void *echo(void *unused)
{
	char buffer[3000];
	size_t total = 0, n = 0;

	(void)unused;
	while (total < 400000) {
		struct pollfd p = {.fd = fds[1], .events = POLLIN};
		int r = stream_recv(ends[1], buffer, sizeof(buffer), &n);
		if (r == ERR_AGAIN)
			(void)poll(&p, 1, 1000);
		else if (r)
			return (void *)1;
		else
			total += n;
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	pthread_t thread;
	void *failed;
	char text[1000] = {0}, buffer[2000];
	struct iovec piece = {.iov_base = text, .iov_len = sizeof(text)};
	size_t total[2] = {0}, n;

	shake_hands();
	ck_assert_int_eq(pthread_create(&thread, NULL, echo, NULL), 0);
	while (total[0] < 400000 || total[1] < 400000) {
		if (total[0] < 400000 && stream_flush(ends[0]) == 0 &&
			stream_send(ends[0], &piece, 1, &n) == 0)
			total[0] += n;
		if (total[1] < 400000 && stream_flush(ends[1]) == 0 &&
			stream_send(ends[1], &piece, 1, &n) == 0)
			total[1] += n;
		while (stream_recv(ends[0], buffer, sizeof(buffer), &n) == 0)
			;
	}
	while (stream_flush(ends[0]) == ERR_AGAIN)
		;
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
}
END_TEST

/* ---- peers of another kind ---- */

static void send_plainly(int end, const void *bytes, size_t size)
{
	ck_assert_int_eq(write(fds[end], bytes, size), (ssize_t)size);
}

/* A client hears it after its first word, or before; a server before it has said anything. */
START_TEST(test_not_tls)
{
	uint8_t frame[FRAME_HEADER];
	int end = _i == 2;

	frame_encode_header(frame, 10, 1, 0);
	if (_i == 0)
		ck_assert_int_eq(stream_handshake(ends[0]), ERR_AGAIN);
	send_plainly(!end, frame, sizeof(frame));
	ck_assert_int_eq(stream_handshake(ends[end]), ERR_PROTOCOL);
	ck_assert_str_eq(stream_problem(ends[end]), STREAM_NOT_TLS);
	ck_assert_ptr_null(stream_peer(ends[end]));
}
END_TEST

START_TEST(test_garbage)
{
	static const char *const garbage[] = {
		"GET / HTTP/1.0\r\n\r\n",
		"\x16\x03\x01\xff\xffgarbage that claims to be a handshake",
		"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff",
		"\x15\x03\x03\x00\x02\x02\x28",
	};
	static const size_t sizes[] = {18, 42, 10, 7};

	send_plainly(0, garbage[_i], sizes[_i]);
	ck_assert_int_eq(stream_handshake(ends[1]), ERR_PROTOCOL);
	ck_assert_str_ne(stream_problem(ends[1]), "");
}
END_TEST

START_TEST(test_nothing_comes)
{
	ck_assert_int_eq(stream_handshake(ends[1]), ERR_AGAIN);
	ck_assert_int_eq(stream_handshake(ends[1]), ERR_AGAIN);
	stream_free(ends[0]);
	ends[0] = NULL;
	ck_assert_int_eq(stream_handshake(ends[1]), ERR_CLOSED);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(stream_new_tls(fds[0], tls[0], &ends[0]), 0);
	close(fds[1]);
}
END_TEST

/* A client of OpenSSL's alone, which does what ours does not. */
static SSL *stranger(SSL_CTX *c)
{
	SSL *ssl = SSL_new(c);

	ck_assert_ptr_nonnull(ssl);
	ck_assert_int_eq(SSL_set_fd(ssl, fds[0]), 1);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Both sides, until the server's has a result. */
static int shake_with(SSL *ssl)
{
	int r = ERR_AGAIN;

	for (int i = 0; i < 100 && r == ERR_AGAIN; i++) {
		(void)SSL_do_handshake(ssl);
		r = stream_handshake(ends[1]);
	}
	return r;
}

static void give_certificate(SSL_CTX *c, EVP_PKEY *key)
{
	X509 *cert = X509_new();

	ck_assert(X509_set_version(cert, 2) && X509_set_pubkey(cert, key) &&
		  X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		  X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	ck_assert_int_gt(
		X509_sign(cert, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(c, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(c, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

START_TEST(test_refused)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	switch (_i) {
	case 0: /* no certificate */
		break;
	case 1: /* of another kind */
		give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
		break;
	default: /* an older version */
		give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
		ck_assert_int_eq(SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION), 1);
		break;
	}
	SSL *ssl = stranger(c);
	ck_assert_int_eq(shake_with(ssl), ERR_PROTOCOL);
	ck_assert_ptr_null(stream_peer(ends[1]));
	SSL_free(ssl);
	SSL_CTX_free(c);
}
END_TEST

/* What the peer wrote in many records comes at once, as far as there is room; an end after it comes with
 * the next call. (A call for each record made the server act on each message alone.) */
START_TEST(test_records_together)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	char buffer[16] = "";
	size_t n = 0;

	give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	SSL *ssl = stranger(c);
	ck_assert_int_eq(shake_with(ssl), 0);
	ck_assert_int_eq(SSL_write(ssl, "one ", 4), 4);
	ck_assert_int_eq(SSL_write(ssl, "two ", 4), 4);
	ck_assert_int_eq(SSL_write(ssl, "three ", 6), 6);
	ck_assert_int_eq(SSL_write(ssl, "four", 4), 4);
	(void)SSL_shutdown(ssl);
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), 0);
	ck_assert_mem_eq(buffer, "one two three fo", n);
	ck_assert_uint_eq(n, sizeof(buffer));
	ck_assert(stream_buffered(ends[1]));
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(buffer, "ur", 2);
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), ERR_CLOSED);
	SSL_free(ssl);
	SSL_CTX_free(c);
}
END_TEST

/* What is wrong is told also where it came together with what is not. */
START_TEST(test_garbage_behind_a_record)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	char buffer[16] = "";
	size_t n = 0;

	give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	SSL *ssl = stranger(c);
	ck_assert_int_eq(shake_with(ssl), 0);
	ck_assert_int_eq(SSL_write(ssl, "good", 4), 4);
	ck_assert_int_eq(write(SSL_get_fd(ssl), "no record at all", 16), 16);
	ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert(stream_buffered(ends[1]));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(stream_recv(ends[1], buffer, sizeof(buffer), &n), ERR_PROTOCOL);
	SSL_free(ssl);
	SSL_CTX_free(c);
}
END_TEST

/* New keys now and then are served, floods of them are not. */
START_TEST(test_key_updates)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	char buffer[16];
	size_t n;
	int r = 0;

	give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	SSL *ssl = stranger(c);
	ck_assert_int_eq(shake_with(ssl), 0);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_write(ssl, "x", 1), 1);
		while ((r = stream_recv(ends[1], buffer, sizeof(buffer), &n)) == ERR_AGAIN)
			;
		ck_assert_int_eq(r, 0);
		(void)SSL_read(ssl, buffer, sizeof(buffer)); /* the answer */
	}
	for (int i = 0; i < 100 && (r == 0 || r == ERR_AGAIN); i++) {
		ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_write(ssl, "x", 1), 1);
		r = stream_recv(ends[1], buffer, sizeof(buffer), &n);
		(void)SSL_read(ssl, buffer, sizeof(buffer));
	}
	ck_assert_int_eq(r, ERR_PROTOCOL);
	SSL_free(ssl);
	SSL_CTX_free(c);
}
END_TEST

/* Each call deals with one message, so a flood cannot keep anybody inside one; what answers it is
 * bounded. */
START_TEST(test_flood_of_key_updates)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	char buffer[16];
	size_t n;
	int calls = 0, r = ERR_AGAIN;

	give_certificate(c, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	SSL *ssl = stranger(c);
	ck_assert_int_eq(shake_with(ssl), 0);
	/* Without a word between them, and nobody reads the answers. */
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		if (SSL_do_handshake(ssl) != 1)
			break;
	}
	while (r == ERR_AGAIN && calls++ < 1000)
		r = stream_recv(ends[1], buffer, sizeof(buffer), &n);
	ck_assert_int_eq(r, ERR_PROTOCOL);
	ck_assert_int_gt(calls, 10);
	ck_assert_int_le(calls, 100);
	SSL_free(ssl);
	SSL_CTX_free(c);
}
END_TEST

/* Both ends have the same, nobody else, and no two purposes. */
START_TEST(test_export)
{
	const uint8_t context[] = {1, 2, 3}, another[] = {1, 2, 4};
	const struct stream_export what = {"EXPORTER-test", context, sizeof(context)};
	const struct stream_export others[] = {{"EXPORTER-other", context, sizeof(context)},
		{"EXPORTER-test", another, sizeof(another)}, {"EXPORTER-test", NULL, 0}};
	uint8_t keys[2][88], other[88];
	struct stream *plain;
	int pair[2];

	ck_assert_int_eq(stream_export(ends[0], &what, keys[0], sizeof(keys[0])), ERR_CRYPTO);
	shake_hands();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(stream_export(ends[i], &what, keys[i], sizeof(keys[i])), 0);
	ck_assert_mem_eq(keys[0], keys[1], sizeof(keys[0]));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(stream_export(ends[0], &others[i], other, sizeof(other)), 0);
		ck_assert_mem_ne(other, keys[0], sizeof(other));
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(stream_new_plain(pair[0], &plain), 0);
	ck_assert_int_eq(stream_export(plain, &what, other, sizeof(other)), ERR_NOT_FOUND);
	stream_free(plain);
	close(pair[1]);
}
END_TEST

START_TEST(test_no_key)
{
	struct identity id;
	struct tls *t = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/client.pem/none", folder);
	ck_assert_int_eq(tls_new(path, TLS_CLIENT, &id, &t), ERR_SYSTEM);
	snprintf(path, sizeof(path), "%s/bad.pem", folder);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(tls_new(path, TLS_CLIENT, &id, &t), ERR_CRYPTO);
	ck_assert_ptr_null(t);
	tls_free(NULL);
}
END_TEST

Suite *stream_tls_suite(void)
{
	Suite *s = suite_create("stream_tls");
	TCase *t = tcase_create("stream_tls");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_handshake);
	tcase_add_loop_test(t, test_bytes, 0, (int)(sizeof(pieces_of) / sizeof(pieces_of[0])));
	tcase_add_test(t, test_buffered);
	tcase_add_loop_test(t, test_the_end, 0, 2);
	tcase_add_test(t, test_two_threads);
	tcase_add_loop_test(t, test_not_tls, 0, 3);
	tcase_add_loop_test(t, test_garbage, 0, 4);
	tcase_add_test(t, test_nothing_comes);
	tcase_add_loop_test(t, test_refused, 0, 3);
	tcase_add_test(t, test_records_together);
	tcase_add_test(t, test_garbage_behind_a_record);
	tcase_add_test(t, test_key_updates);
	tcase_add_test(t, test_flood_of_key_updates);
	tcase_add_test(t, test_export);
	tcase_add_test(t, test_no_key);
	suite_add_tcase(s, t);
	return s;
}
