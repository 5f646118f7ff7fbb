/*
 * A peer that has shaken hands properly and then writes its TLS records by hand:
 * halves of messages, floods, records cut short, garbage. Neither the stream nor a
 * session on it may spin, take a part for the whole, or wait for what never comes.
 *
 * Sources: RFC 8446 sections 4.6.3 (KeyUpdate), 5.2 (records), 7.3 (keys).
 */
#include "common/err.h"
#include "common/stream.h"
#include "common/tls.h"
#include "server/session.h"
#include "tests/unit/session_client.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE   22
#define APPLICATION 23
#define HEADER      5
#define TAG_BYTES   16

/* KeyUpdate, of which no answer is wanted. */
static const uint8_t key_update[] = {24, 0, 0, 1, 0};
#define HALF                                                                                       \
	4 /* bytes of it: what kind it is, and how long; with fewer OpenSSL does not begin yet */

static char folder[64];
static struct tls *tls; /* the server's */
static struct identity id, me;
static struct stream *end; /* the server's; while no session has it */
static int fd;             /* the peer's */
static SSL_CTX *context;
static SSL *ssl;
static uint8_t secret[64]; /* of what the peer sends; SHA-256 uses half */
static uint8_t key[16], iv[12];
static uint64_t sequence; /* of its next record */

/* ---- the peer ---- */

static void note_secret(const SSL *unused, const char *line)
{
	static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
	const char *hex = strrchr(line, ' ');

	(void)unused;
	if (strncmp(line, label, sizeof(label) - 1) != 0)
		return;
	for (size_t i = 0; i < 32; i++)
		ck_assert_int_eq(sscanf(hex + 1 + 2 * i, "%2hhx", &secret[i]), 1);
}

static void expand(const char *label, uint8_t *out, size_t size)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (void *)"tls13 ", 6),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_LABEL, (void *)label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};

	ck_assert_int_eq(EVP_KDF_derive(c, out, size, params), 1);
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
}

/* A record as it goes over the wire; returns its bytes. */
static size_t make_record(uint8_t type, const void *content, size_t length, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t size = length + 1 + TAG_BYTES;
	uint8_t nonce[12];
	int n = 0;

	memcpy(nonce, iv, sizeof(nonce));
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(sequence >> 8 * i);
	sequence++;
	memcpy(out, (const uint8_t[]){APPLICATION, 3, 3, (uint8_t)(size >> 8), (uint8_t)size},
		HEADER);
	ck_assert_int_eq(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(c, NULL, &n, out, HEADER), 1);
	uint8_t *at = out + HEADER;
	if (length)
		ck_assert_int_eq(EVP_EncryptUpdate(c, at, &n, content, (int)length), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(c, at + length, &n, &type, 1), 1);
	ck_assert_int_eq(EVP_EncryptFinal_ex(c, at + length + 1, &n), 1);
	ck_assert_int_eq(
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, at + length + 1), 1);
	EVP_CIPHER_CTX_free(c);
	return HEADER + size;
}

/* Send bytes, waiting for room; false when the other side takes no more. */
static bool send_bytes(const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			ck_assert_int_eq(poll(&p, 1, PEER_PATIENCE), 1);
		else if (n < 0)
			return false;
		else {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return true;
}

static bool send_record(uint8_t type, const void *content, size_t length)
{
	static uint8_t record[20000];

	return send_bytes(record, make_record(type, content, length, record));
}

static void send_message(enum message_number number, const void *value)
{
	uint8_t frame[8192];
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, value, frame, sizeof(frame), &used), 0);
	ck_assert(send_record(APPLICATION, frame, used));
}

/* Read what the server says until it ends the connection. Returns how many bytes of plaintext came, the
 * last of them in `tail`; `*proper`: it said that this was all. */
static size_t read_to_end(uint8_t *tail, size_t size, bool *proper)
{
	size_t total = 0, kept = 0, n;
	uint8_t bytes[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (SSL_read_ex(ssl, bytes, sizeof(bytes), &n)) {
			total += n;
			size_t keep = n < size ? n : size;
			size_t old = kept < size - keep ? kept : size - keep;
			memmove(tail, tail + kept - old, old);
			memcpy(tail + old, bytes + n - keep, keep);
			kept = old + keep;
			continue;
		}
		int why = SSL_get_error(ssl, 0);
		if (why != SSL_ERROR_WANT_READ) {
			*proper = why == SSL_ERROR_ZERO_RETURN;
			return total;
		}
		ck_assert_int_eq(poll(&p, 1, PEER_PATIENCE), 1);
	}
}

/* ---- the surroundings ---- */

static void give_certificate(void)
{
	EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509 *cert = X509_new();

	ck_assert(X509_set_version(cert, 2) && X509_set_pubkey(cert, own) &&
		  X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		  X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	ck_assert_int_gt(X509_sign(cert, own, NULL), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(context, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, own), 1);
	X509_free(cert);
	ck_assert_int_eq(identity_of_key(own, &me), 0);
	EVP_PKEY_free(own);
}

static void setup(void)
{
	char path[128];
	int fds[2];

	snprintf(folder, sizeof(folder), "/tmp/lanchat-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/server.pem", folder);
	ck_assert_int_eq(tls_new(path, TLS_SERVER, &id, &tls), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fd = fds[0];
	ck_assert_int_eq(stream_new_tls(fds[1], tls, &end), 0);
	context = SSL_CTX_new(TLS_client_method());
	ck_assert_int_eq(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), 1);
	SSL_CTX_set_keylog_callback(context, note_secret);
	give_certificate();
	ssl = SSL_new(context);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	sequence = 0;
	ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* the peer's OpenSSL does not do without */
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
	SSL_free(ssl);
	SSL_CTX_free(context);
	(void)close(fd);
	stream_free(end);
	tls_free(tls);
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void shake_hands(void)
{
	int r = ERR_AGAIN, done = 0;

	for (int i = 0; i < 100 && (r != 0 || done != 1); i++) {
		done = SSL_do_handshake(ssl);
		r = stream_handshake(end);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(done, 1);
	expand("key", key, sizeof(key));
	expand("iv", iv, sizeof(iv));
}

/* ---- the stream ---- */

/* Nothing that was sent once is worth anything a second time: there is no session to resume, so there is
 * no early data, which alone can be replayed (RFC 8446 section 8). */
START_TEST(test_nothing_to_resume)
{
	struct iovec piece = {.iov_base = (void *)"word", .iov_len = 4};
	char buffer[8];
	size_t n = 0;

	shake_hands();
	ck_assert_int_eq(stream_send(end, &piece, 1, &n), 0);
	ck_assert_int_eq(
		SSL_read(ssl, buffer, sizeof(buffer)), 4); /* tickets would come before it */
	ck_assert_uint_eq(SSL_SESSION_get_max_early_data(SSL_get_session(ssl)), 0);
	ck_assert_int_eq(SSL_SESSION_has_ticket(SSL_get_session(ssl)), 0);
	ck_assert_int_eq(SSL_SESSION_is_resumable(SSL_get_session(ssl)), 0);
}
END_TEST

static int receive(void)
{
	char buffer[64];
	size_t n = 0;

	return stream_recv(end, buffer, sizeof(buffer), &n);
}

static int say(size_t *taken)
{
	struct iovec piece = {.iov_base = (void *)"word", .iov_len = 4};

	return stream_send(end, &piece, 1, taken);
}

/* While half of a KeyUpdate is there, nothing can be sent, and no writable socket would change that: who
 * wanted to wait for one would spin. */
START_TEST(test_half_a_key_update)
{
	size_t n = 0;

	shake_hands();
	ck_assert_int_eq(say(&n), 0);
	ck_assert(send_record(HANDSHAKE, key_update, HALF));
	ck_assert_int_eq(receive(), ERR_AGAIN);
	ck_assert(!stream_buffered(end));
	ck_assert_int_eq(say(&n), ERR_PROTOCOL);
	ck_assert(!stream_pending(end));
}
END_TEST

/* In as many pieces as it has bytes, it is one KeyUpdate. */
START_TEST(test_key_update_in_pieces)
{
	size_t n = 0;

	shake_hands();
	for (size_t i = 0; i < sizeof(key_update); i++) {
		ck_assert(send_record(HANDSHAKE, key_update + i, 1));
		ck_assert_int_eq(receive(), ERR_AGAIN);
	}
	ck_assert_int_eq(say(&n), 0);
	ck_assert_uint_eq(n, 4);
}
END_TEST

/* Records with nothing in them, without end. */
START_TEST(test_empty_records)
{
	int calls = 0, r = ERR_AGAIN;

	shake_hands();
	for (int i = 0; i < 200; i++)
		(void)send_record(APPLICATION, NULL, 0);
	while (r == ERR_AGAIN && calls++ < 1000)
		r = receive();
	ck_assert_int_eq(r, ERR_PROTOCOL);
}
END_TEST

/* Of a record that is cut short nothing is taken, wherever it is cut. */
START_TEST(test_cut_record)
{
	uint8_t record[64];

	shake_hands();
	ck_assert(send_record(APPLICATION, "whole", 5));
	size_t size = make_record(APPLICATION, "never", 5, record);
	size_t cuts[] = {1, HEADER - 1, HEADER, HEADER + 3, size - TAG_BYTES, size - 1};
	ck_assert(send_bytes(record, cuts[_i]));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(receive(), 0);
	ck_assert_int_ne(receive(), 0);
	int r = receive();
	ck_assert_msg(r == ERR_CLOSED || r == ERR_PROTOCOL, "%d", r);
}
END_TEST

/* ---- a session ---- */

static struct chat *chat;
static struct session *session;
static pthread_t thread;

static int64_t processor_ms; /* that its thread has had, when it has ended */

static void *run(void *argument)
{
	struct timespec t;

	session_run(argument, NULL, NULL);
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	processor_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return NULL;
}

static void open_session(int64_t ping_ms)
{
	struct net_address nowhere = {0};
	struct policy policy = client_policy;

	policy.ping_ms = ping_ms;
	chat = client_chat();
	chat_set_policy(chat, &policy);
	shake_hands();
	ck_assert_int_eq(session_new(chat, end, &nowhere, &session), 0);
	end = NULL;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, session), 0);
}

static void close_session(void)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	session_free(session);
	chat_stop(chat);
}

static void log_in(void)
{
	struct msg_hello hello = {.version_low = 1, .version_high = 1};
	struct msg_login login = client_login(1, "anna");
	struct msg_join join = {.tag = 9, .room = span_of("lobby")};

	memcpy(login.person, me.id, PERSON_ID);
	send_message(MESSAGE_HELLO, &hello);
	send_message(MESSAGE_LOGIN, &login);
	send_message(MESSAGE_JOIN, &join);
}

/* Whoever stands there with a half is waited for, asleep, and not for longer than until something is to
 * be said to it. */
START_TEST(test_session_with_a_half)
{
	uint8_t tail[64];
	bool proper;

	open_session(300);
	log_in();
	ck_assert(send_record(HANDSHAKE, key_update, HALF));
	(void)read_to_end(tail, sizeof(tail), &proper);
	ck_assert(!proper);
	close_session();
	ck_assert_int_lt(processor_ms, 150);
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	bool encrypted;
} garbage[] = {
	{"GET / HTTP/1.1\r\n\r\n", 18, false},
	{"\x17\x03\x03\x00\x20"
	 "0123456789012345678901234567890",
		36, false}, /* one byte of it never comes */
	{"\x17\x03\x03\xff\xff", 5, false},
	{"\x17\x03\x03\x00\x13"
	 "0123456789012345678",
		24, false},
	{"\xff\xff\xff\xff\xff\xff\xff\xff", 8, true},
	{"\0\0\0\1", 4, true}, /* nor the rest of this frame */
};

/* What makes no sense ends the connection; what may yet make some is waited for, asleep. */
START_TEST(test_session_with_garbage)
{
	const uint8_t *bytes = (const uint8_t *)garbage[_i].bytes;
	uint8_t tail[64];
	bool proper, waits = _i == 1 || _i == 5;

	open_session(60000);
	log_in();
	if (garbage[_i].encrypted)
		ck_assert(send_record(APPLICATION, bytes, garbage[_i].size));
	else
		ck_assert(send_bytes(bytes, garbage[_i].size));
	if (waits) {
		/* It has had all of it when the room has told who came, a quarter of a second later. */
		struct pollfd p = {.fd = fd, .events = POLLIN};
		while (poll(&p, 1, 500) > 0) {
			while (SSL_read(ssl, tail, sizeof(tail)) > 0)
				;
		}
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	}
	(void)read_to_end(tail, sizeof(tail), &proper);
	close_session();
	ck_assert_int_lt(processor_ms, 250);
}
END_TEST

/* The server stops while more waits for this client than its socket takes, ciphertext too: it still gets
 * all of it, the goodbye last, and is told that this was the end. */
START_TEST(test_goodbye_behind_much)
{
	char text[TEXT_MAX];
	uint8_t tail[128];
	bool proper;
	struct client other;
	union message m;
	struct frame f;

	open_session(60000);
	client_open(&other, chat);
	client_log_in(&other, 2, "boris");
	client_join(&other, "lobby");
	log_in();
	memset(text, 'x', sizeof(text));
	struct msg_say word = {.room = span_of("lobby"), .text = {.text = text, .length = 4000}};
	for (word.counter = 1; word.counter <= 200; word.counter++)
		send_message(MESSAGE_SAY, &word);
	/* All have been taken in when somebody else has the last one of them. */
	for (int i = 0; i < 200; i++)
		(void)client_await(&other, MESSAGE_SAID);
	client_close(&other);
	session_stop(session);
	size_t total = read_to_end(tail, sizeof(tail), &proper);
	ck_assert(proper);
	ck_assert_uint_gt(total, (size_t)200 * 4000);
	const char *words = code_text(CODE_STOPPING);
	size_t size = FRAME_HEADER + 4 + strlen(words);
	ck_assert_int_eq(
		frame_decode(tail + sizeof(tail) - size, size, FRAME_PAYLOAD_MAX, &f, NULL), 0);
	ck_assert_int_eq(message_decode(&f, &m), 0);
	ck_assert_uint_eq(f.type, MESSAGE_BYE);
	ck_assert_uint_eq(m.bye.code, CODE_STOPPING);
	close_session();
}
END_TEST

Suite *tls_records_suite(void)
{
	Suite *s = suite_create("tls_records");
	TCase *t = tcase_create("tls_records");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_nothing_to_resume);
	tcase_add_test(t, test_half_a_key_update);
	tcase_add_test(t, test_key_update_in_pieces);
	tcase_add_test(t, test_empty_records);
	tcase_add_loop_test(t, test_cut_record, 0, 6);
	tcase_add_test(t, test_session_with_a_half);
	tcase_add_loop_test(t, test_session_with_garbage, 0, sizeof(garbage) / sizeof(garbage[0]));
	tcase_add_test(t, test_goodbye_behind_much);
	suite_add_tcase(s, t);
	return s;
}
