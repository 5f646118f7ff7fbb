/*
 * The plain stream: what any kind of stream promises.
 */
#include "common/stream.h"

#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct stream *a, *b;

static void setup(void)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(stream_new_plain(fds[0], &a), 0);
	ck_assert_int_eq(stream_new_plain(fds[1], &b), 0);
	ck_assert_int_eq(stream_fd(a), fds[0]);
}

static void teardown(void)
{
	stream_free(a);
	stream_free(b);
}

static int send_bytes(struct stream *s, const void *bytes, size_t size, size_t *taken)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};

	return stream_send(s, &piece, 1, taken);
}

START_TEST(both_directions)
{
	char buffer[8];
	size_t n = 0;

	ck_assert_int_eq(stream_recv(b, buffer, sizeof(buffer), &n), ERR_AGAIN);
	ck_assert_int_eq(send_bytes(a, "there", 5, &n), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(stream_recv(b, buffer, sizeof(buffer), &n), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(buffer, "there", 5);
	ck_assert_int_eq(send_bytes(b, "back", 4, &n), 0);
	ck_assert_int_eq(stream_recv(a, buffer, 2, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(stream_recv(a, buffer + 2, sizeof(buffer) - 2, &n), 0);
	ck_assert_mem_eq(buffer, "back", 4);
}
END_TEST

/* Send from a to b with the loop that a connection has: what waits inside goes first, and after
 * ERR_AGAIN the rest is offered again. The reader takes a little now and then. */
START_TEST(a_full_socket_loses_nothing)
{
	enum {
		TOTAL = 3000000
	};
	uint8_t *bytes = malloc(TOTAL);
	uint8_t *back = malloc(TOTAL);
	size_t sent = 0;
	size_t received = 0;
	int full = 0;

	ck_assert(bytes && back);
	for (size_t i = 0; i < TOTAL; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 509);
	while (received < TOTAL) {
		size_t n = 0;
		int r = stream_pending(a) ? stream_flush(a) : 0;
		if (r == 0 && sent < TOTAL) {
			r = send_bytes(a, bytes + sent, TOTAL - sent, &n);
			if (r == 0)
				sent += n;
		}
		ck_assert(r == 0 || r == ERR_AGAIN);
		full += r == ERR_AGAIN;
		if (r == 0 && sent < TOTAL)
			continue;
		size_t room = TOTAL - received < 70000 ? TOTAL - received : 70000;
		ck_assert_int_eq(stream_recv(b, back + received, room, &n), 0);
		received += n;
	}
	ck_assert_int_gt(full, 0);
	ck_assert_int_eq(stream_flush(a), 0);
	ck_assert(!stream_pending(a));
	ck_assert_mem_eq(bytes, back, TOTAL);
	free(bytes);
	free(back);
}
END_TEST

START_TEST(end_of_writing)
{
	char buffer[8];
	size_t n = 0;

	ck_assert_int_eq(send_bytes(a, "last", 4, &n), 0);
	stream_shutdown(a, SHUT_WR);
	ck_assert_int_eq(send_bytes(a, "more", 4, &n), ERR_CLOSED);
	ck_assert_int_eq(stream_recv(b, buffer, sizeof(buffer), &n), 0);
	ck_assert_int_eq(stream_recv(b, buffer, sizeof(buffer), &n), ERR_CLOSED);
	ck_assert_int_eq(send_bytes(b, "ok", 2, &n), 0);
	ck_assert_int_eq(stream_recv(a, buffer, sizeof(buffer), &n), 0);
}
END_TEST

START_TEST(the_peer_is_gone)
{
	char buffer[8];
	size_t n = 0;

	stream_free(a);
	a = NULL;
	ck_assert_int_eq(send_bytes(b, "x", 1, &n), ERR_CLOSED);
	ck_assert_int_eq(stream_recv(b, buffer, sizeof(buffer), &n), ERR_CLOSED);
}
END_TEST

START_TEST(shutdown_wakes_a_poll)
{
	struct pollfd p = {.fd = stream_fd(a), .events = POLLIN};
	char byte;
	size_t n;

	ck_assert_int_eq(poll(&p, 1, 0), 0);
	stream_shutdown(a, SHUT_RD);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(stream_recv(a, &byte, 1, &n), ERR_CLOSED);
}
END_TEST

START_TEST(free_closes)
{
	int fd = stream_fd(a);

	stream_free(a);
	a = NULL;
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
	stream_free(NULL);
}
END_TEST

Suite *stream_suite(void);

Suite *stream_suite(void)
{
	Suite *s = suite_create("stream");
	TCase *c = tcase_create("plain");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, both_directions);
	tcase_add_test(c, a_full_socket_loses_nothing);
	tcase_add_test(c, end_of_writing);
	tcase_add_test(c, the_peer_is_gone);
	tcase_add_test(c, shutdown_wakes_a_poll);
	tcase_add_test(c, free_closes);
	suite_add_tcase(s, c);
	return s;
}
