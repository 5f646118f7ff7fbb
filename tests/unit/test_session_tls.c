/*
 * A session whose connection is TLS: who may log in, and what happens to peers that
 * do not get that far.
 */
#include "tests/unit/session_client.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/stream.h"
#include "common/tls.h"
#include "server/session.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
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
static struct chat *chat;
static struct session *session;
static struct stream *stream; /* the client's end */
static pthread_t thread;
static uint8_t input[64 * 1024];
static size_t input_length;

static void *run(void *argument)
{
	session_run(argument, NULL, NULL);
	return NULL;
}

static struct policy policy;

static void open_session(void)
{
	struct net_address nowhere = {0};
	struct stream *end;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(stream_new_tls(fds[0], tls[0], &stream), 0);
	ck_assert_int_eq(stream_new_tls(fds[1], tls[1], &end), 0);
	chat_set_policy(chat, &policy);
	ck_assert_int_eq(session_new(chat, end, &nowhere, &session), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, session), 0);
}

static void setup(void)
{
	char path[128];

	snprintf(folder, sizeof(folder), "/tmp/lanchat-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%d.pem", folder, i);
		ck_assert_int_eq(tls_new(path, i ? TLS_SERVER : TLS_CLIENT, &ids[i], &tls[i]), 0);
	}
	chat = client_chat();
	policy = client_policy;
	input_length = 0;
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
	stream_free(stream);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	session_free(session);
	chat_stop(chat);
	tls_free(tls[0]);
	tls_free(tls[1]);
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void wait_input(void)
{
	struct pollfd p = {.fd = stream_fd(stream), .events = POLLIN};

	if (!stream_buffered(stream))
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
}

static void shake_hands(void)
{
	int r;

	while ((r = stream_handshake(stream)) == ERR_AGAIN)
		wait_input();
	ck_assert_int_eq(r, 0);
}

static void give(enum message_number number, const void *value)
{
	uint8_t bytes[8192];
	size_t used, taken;

	ck_assert_int_eq(message_encode((uint16_t)number, value, bytes, sizeof(bytes), &used), 0);
	struct iovec piece = {.iov_base = bytes, .iov_len = used};
	ck_assert_int_eq(stream_send(stream, &piece, 1, &taken), 0);
	ck_assert_uint_eq(taken, used);
}

/* The next message, which must be this one; what it borrows holds until the next call. */
static union message expect(enum message_number number)
{
	static size_t done;
	union message m;
	struct frame f;

	memmove(input, input + done, input_length - done);
	input_length -= done;
	done = 0;
	while (frame_decode(input, input_length, FRAME_PAYLOAD_MAX, &f, NULL) == ERR_AGAIN) {
		size_t got = 0;
		int r = stream_recv(
			stream, input + input_length, sizeof(input) - input_length, &got);
		if (r == ERR_AGAIN)
			wait_input();
		else
			ck_assert_int_eq(r, 0);
		input_length += got;
	}
	ck_assert_uint_eq(f.type, number);
	ck_assert_int_eq(message_decode(&f, &m), 0);
	done = FRAME_HEADER + (size_t)f.length;
	return m;
}

static void hello(void)
{
	struct msg_hello m = {.version_low = 1, .version_high = 1};

	give(MESSAGE_HELLO, &m);
	union message welcome = expect(MESSAGE_WELCOME);
	ck_assert_uint_eq(welcome.welcome.version, 1);
}

static void log_in(uint32_t tag, const uint8_t *person)
{
	struct msg_login m = client_login(1, "anna");

	m.tag = tag;
	memcpy(m.person, person, PERSON_ID);
	give(MESSAGE_LOGIN, &m);
}

START_TEST(test_own_key)
{
	open_session();
	shake_hands();
	ck_assert_mem_eq(stream_peer(stream), ids[1].id, IDENTITY_SIZE);
	hello();
	log_in(1, ids[1].id); /* somebody else's */
	union message m = expect(MESSAGE_ERROR);
	ck_assert_uint_eq(m.error.code, CODE_NOT_YOUR_KEY);
	ck_assert_uint_eq(m.error.fatal, 0);
	log_in(2, ids[0].id);
	m = expect(MESSAGE_LOGGED_IN);
	ck_assert_uint_eq(m.logged_in.tag, 2);
}
END_TEST

/* Where the handshake takes too long, or the whole opening, there is one way to say so: a frame in
 * place of TLS. Nobody waits for it to arrive. */
START_TEST(test_silent)
{
	static const enum limit limits[] = {LIMIT_LOGIN_TIMEOUT, LIMIT_HANDSHAKE_TIMEOUT};
	uint8_t bytes[512];
	size_t length = 0;
	union message m;
	struct frame f;
	ssize_t n;

	policy.login_ms = _i ? 60000 : 50;
	policy.handshake_ms = _i ? 50 : 60000;
	open_session();
	struct pollfd p = {.fd = stream_fd(stream), .events = POLLIN};
	do {
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		n = recv(stream_fd(stream), bytes + length, sizeof(bytes) - length, 0);
		ck_assert_int_ge(n, 0);
		length += (size_t)n;
	} while (n > 0);
	ck_assert_int_eq(frame_decode(bytes, length, FRAME_PAYLOAD_MAX, &f, NULL), 0);
	ck_assert_uint_eq(f.type, MESSAGE_ERROR);
	ck_assert_int_eq(message_decode(&f, &m), 0);
	ck_assert_uint_eq(m.error.code, CODE_TIMEOUT);
	ck_assert(span_equal(m.error.text, limit_text(limits[_i])));
}
END_TEST

START_TEST(test_stopped_in_the_handshake)
{
	open_session();
	session_stop(session);
	struct pollfd p = {.fd = stream_fd(stream), .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
}
END_TEST

/* What comes in place of a handshake. */
START_TEST(test_not_tls)
{
	static const char *const bytes[] = {"\0\0\0\20\0\1\0\0", "GET / HTTP/1.0\r\n\r\n"};
	static const size_t sizes[] = {8, 18};
	uint8_t answer[512];
	size_t length = 0;
	ssize_t n;

	open_session();
	int fd = stream_fd(stream);
	ck_assert_int_eq(write(fd, bytes[_i], sizes[_i]), (ssize_t)sizes[_i]);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		n = recv(fd, answer + length, sizeof(answer) - length, 0);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (_i > 0) {
		ck_assert_uint_eq(length, 0);
		return;
	}
	struct frame f;
	union message m;
	ck_assert_int_eq(frame_decode(answer, length, FRAME_PAYLOAD_MAX, &f, NULL), 0);
	ck_assert_int_eq(message_decode(&f, &m), 0);
	ck_assert_uint_eq(f.type, MESSAGE_ERROR);
	ck_assert_uint_eq(m.error.code, CODE_TLS_WANTED);
	ck_assert_uint_eq(m.error.fatal, 1);
}
END_TEST

Suite *session_tls_suite(void)
{
	Suite *s = suite_create("session_tls");
	TCase *t = tcase_create("session_tls");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_own_key);
	tcase_add_loop_test(t, test_silent, 0, 2);
	tcase_add_test(t, test_stopped_in_the_handshake);
	tcase_add_loop_test(t, test_not_tls, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
