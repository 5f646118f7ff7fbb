/*
 * Sockets on loopback: both families, partial writes, ends and resets.
 */
#include "common/net.h"

#include "common/clock.h"
#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATIENCE 10000 /* milliseconds that an event may take before the test fails */

static const char *const hosts[] = {"127.0.0.1", "::1"};

static struct net_address resolve(const char *host, int type)
{
	struct net_address a;
	size_t count = 0;
	const char *why = NULL;

	ck_assert_int_eq(net_resolve(host, 0, type, true, &a, 1, &count, &why), 0);
	ck_assert_uint_eq(count, 1);
	return a;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	ck_assert_int_eq(poll(&p, 1, PATIENCE), 1);
}

static int listen_with(const char *host, int send_buffer, struct net_address *bound)
{
	struct net_address a = resolve(host, SOCK_STREAM);
	int fd = -1;

	ck_assert_int_eq(net_listen(&a, 16, send_buffer, &fd), 0);
	ck_assert_int_eq(net_local(fd, bound), 0);
	ck_assert_uint_ne(net_port(bound), 0);
	return fd;
}

static int listen_on(const char *host, struct net_address *bound)
{
	return listen_with(host, 0, bound);
}

static int connect_to(const struct net_address *a)
{
	int fd = -1;
	int r = net_connect(a, &fd);

	if (r == ERR_AGAIN) {
		wait_for(fd, POLLOUT);
		r = net_connect_result(fd);
	}
	ck_assert_int_eq(r, 0);
	return fd;
}

/* Both ends of one TCP connection. */
struct pair {
	int listener, client, server;
	struct net_address bound, from;
};

static struct pair connect_pair(const char *host, int send_buffer)
{
	struct pair p = {.server = -1};

	p.listener = listen_with(host, send_buffer, &p.bound);
	p.client = connect_to(&p.bound);
	wait_for(p.listener, POLLIN);
	ck_assert_int_eq(net_accept(p.listener, &p.server, &p.from), 0);
	return p;
}

static void close_pair(struct pair *p)
{
	net_close(p->client);
	net_close(p->server);
	net_close(p->listener);
}

static size_t send_text(int fd, const char *text)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	size_t sent = 0;

	ck_assert_int_eq(net_sendv(fd, &piece, 1, &sent), 0);
	return sent;
}

/* Close so that the peer sees a reset instead of an end. */
static void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	net_close(fd);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

static void check_flags(int fd)
{
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* ---- resolving ---- */

START_TEST(resolve_wildcard)
{
	struct net_address out[8];
	size_t count = 0;
	const char *why = NULL;
	bool v4 = false;
	bool v6 = false;

	ck_assert_int_eq(net_resolve("", 19830, SOCK_STREAM, true, out, 8, &count, &why), 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(net_port(&out[i]), 19830);
		v4 |= out[i].u.any.sa_family == AF_INET &&
		      out[i].u.v4.sin_addr.s_addr == INADDR_ANY;
		v6 |= out[i].u.any.sa_family == AF_INET6 &&
		      IN6_IS_ADDR_UNSPECIFIED(&out[i].u.v6.sin6_addr);
	}
	ck_assert(v4 && v6);
	/* No more than asked for. */
	ck_assert_int_eq(net_resolve("", 1, SOCK_STREAM, true, out, 1, &count, &why), 0);
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(resolve_scope)
{
	struct net_address a;
	char text[NET_ADDRESS_MAX];
	size_t count = 0;
	const char *why = NULL;

	ck_assert_int_eq(net_resolve("fe80::1%lo", 7, SOCK_STREAM, false, &a, 1, &count, &why), 0);
	ck_assert_uint_ne(a.u.v6.sin6_scope_id, 0);
	ck_assert_str_eq(net_print(&a, text), "[fe80::1%lo]:7");
}
END_TEST

/* Found out without asking any name server, as befits a test. */
START_TEST(resolve_failure)
{
	struct net_address a = {0};
	size_t count = 77;
	const char *why = NULL;

	ck_assert_int_eq(
		net_resolve("fe80::1%nosuchif", 7, SOCK_STREAM, false, &a, 1, &count, &why),
		ERR_RESOLVE);
	ck_assert_ptr_nonnull(why);
	ck_assert_str_ne(why, "");
	ck_assert_uint_eq(count, 77);
}
END_TEST

/* ---- listening, connecting ---- */

START_TEST(connection_has_what_it_needs)
{
	struct pair p = connect_pair(hosts[_i], 32768);
	struct net_address a;

	check_flags(p.listener);
	check_flags(p.client);
	check_flags(p.server);
	ck_assert_int_eq(option(p.client, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option(p.server, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option(p.client, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option(p.server, SOL_SOCKET, SO_KEEPALIVE), 1);
	/* The kernel counts its own overhead in and reports the double: socket(7). */
	ck_assert_int_eq(option(p.server, SOL_SOCKET, SO_SNDBUF), 65536);

	ck_assert_int_eq(net_local(p.client, &a), 0);
	ck_assert(net_equal(&a, &p.from));
	ck_assert_int_eq(net_peer(p.server, &a), 0);
	ck_assert(net_equal(&a, &p.from));
	ck_assert_int_eq(net_peer(p.client, &a), 0);
	ck_assert(net_equal(&a, &p.bound));
	ck_assert(net_is_loopback(&p.from));
	close_pair(&p);
}
END_TEST

START_TEST(one_port_for_both_families)
{
	struct net_address v6;
	struct net_address v4 = resolve("0.0.0.0", SOCK_STREAM);
	int second = -1;
	int first = listen_on("::", &v6);

	net_set_port(&v4, net_port(&v6));
	ck_assert_int_eq(net_listen(&v4, 1, 0, &second), 0);
	net_close(first);
	net_close(second);
}
END_TEST

START_TEST(port_in_use)
{
	struct net_address a;
	int second = -7;
	int first = listen_on(hosts[_i], &a);

	ck_assert_int_eq(net_listen(&a, 1, 0, &second), ERR_SYSTEM);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(second, -7);
	net_close(first);
}
END_TEST

/* The old connection's TIME_WAIT does not keep a restarted server from its port. */
START_TEST(port_is_free_again)
{
	struct pair p = connect_pair(hosts[_i], 0);
	int again = -1;

	net_close(p.server); /* the server closes first, so TIME_WAIT is on its side */
	wait_for(p.client, POLLIN);
	net_close(p.client);
	net_close(p.listener);
	ck_assert_int_eq(net_listen(&p.bound, 1, 0, &again), 0);
	net_close(again);
}
END_TEST

START_TEST(nobody_listens)
{
	struct net_address a;
	int fd = -1;
	int listener = listen_on(hosts[_i], &a);

	net_close(listener);
	int r = net_connect(&a, &fd);
	if (r == ERR_AGAIN) {
		wait_for(fd, POLLOUT);
		r = net_connect_result(fd);
		int error = errno;
		net_close(fd);
		ck_assert_int_eq(errno, error);
	}
	ck_assert_int_eq(r, ERR_SYSTEM);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

/* A socket bound to the port that it connects to meets itself, and would look like a server. */
START_TEST(connecting_to_oneself_is_refused)
{
	struct net_address a = resolve(hosts[_i], SOCK_STREAM);
	int fd = socket(a.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(net_bind(fd, &a), 0);
	ck_assert_int_eq(net_local(fd, &a), 0);
	ck_assert_int_eq(connect(fd, &a.u.any, a.length), 0);
	ck_assert_int_eq(net_connect_result(fd), ERR_SYSTEM);
	ck_assert_int_eq(errno, ECONNREFUSED);
	net_close(fd);
}
END_TEST

START_TEST(not_connected_yet)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(net_connect_result(fd), ERR_AGAIN);
	net_close(fd);
}
END_TEST

START_TEST(nobody_waits)
{
	struct net_address bound;
	struct net_address peer;
	int fd = -7;
	int listener = listen_on(hosts[_i], &bound);

	ck_assert_int_eq(net_accept(listener, &fd, &peer), ERR_AGAIN);
	ck_assert_int_eq(fd, -7);
	net_close(listener);
}
END_TEST

/* On Linux one that has been reset in the queue is still accepted, and its first recv tells. */
START_TEST(reset_while_waiting)
{
	struct net_address bound;
	struct net_address peer;
	char byte;
	size_t got;
	int fd = -1;
	int listener = listen_on(hosts[_i], &bound);

	reset(connect_to(&bound));
	wait_for(listener, POLLIN);
	int r = net_accept(listener, &fd, &peer);
	if (r == 0) {
		wait_for(fd, POLLIN);
		ck_assert_int_eq(net_recv(fd, &byte, 1, &got), ERR_CLOSED);
	} else {
		ck_assert_int_eq(r, ERR_AGAIN);
	}
	net_close(fd);
	net_close(listener);
}
END_TEST

START_TEST(out_of_descriptors)
{
	struct net_address bound;
	struct net_address peer;
	struct rlimit limit;
	int fd = -7;
	int listener = listen_on(hosts[_i], &bound);
	int client = connect_to(&bound);

	wait_for(listener, POLLIN);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(net_accept(listener, &fd, &peer), ERR_SYSTEM);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(fd, -7);
	ck_assert_int_eq(net_connect(&bound, &fd), ERR_SYSTEM);
	ck_assert_int_eq(errno, EMFILE);
	limit.rlim_cur = before;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* It still waits, and gets in now. */
	ck_assert_int_eq(net_accept(listener, &fd, &peer), 0);
	net_close(fd);
	net_close(client);
	net_close(listener);
}
END_TEST

/* ---- bytes ---- */

START_TEST(pieces_arrive_in_order)
{
	struct pair p = connect_pair(hosts[_i], 0);
	char buffer[16];
	struct iovec pieces[] = {{(char[]){"one "}, 4}, {NULL, 0}, {(char[]){"two"}, 3}};
	size_t sent = 0;
	size_t got = 0;
	size_t all = 0;

	ck_assert_int_eq(net_recv(p.server, buffer, sizeof(buffer), &got), ERR_AGAIN);
	ck_assert_int_eq(net_sendv(p.client, pieces, 3, &sent), 0);
	ck_assert_uint_eq(sent, 7);
	while (all < 7) {
		wait_for(p.server, POLLIN);
		ck_assert_int_eq(net_recv(p.server, buffer + all, sizeof(buffer) - all, &got), 0);
		ck_assert_uint_gt(got, 0);
		all += got;
	}
	ck_assert_mem_eq(buffer, "one two", 7);
	ck_assert_int_eq(net_recv(p.server, buffer, sizeof(buffer), &got), ERR_AGAIN);
	close_pair(&p);
}
END_TEST

/* Byte number i of the stream that fill and drain agree on. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* Send until the socket takes no more; returns how much it took after `from`. */
static size_t fill(int fd, size_t from)
{
	static uint8_t block[100003];
	size_t total = from;

	for (;;) {
		size_t sent = 0;
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = pattern(total + i);
		struct iovec pieces[] = {{block, 1000}, {block + 1000, sizeof(block) - 1000}};
		int r = net_sendv(fd, pieces, 2, &sent);
		if (r == ERR_AGAIN)
			return total - from;
		ck_assert_int_eq(r, 0);
		ck_assert_uint_gt(sent, 0);
		total += sent;
	}
}

static void drain(int fd, size_t from, size_t count)
{
	uint8_t buffer[8192];

	for (size_t done = 0; done < count;) {
		size_t got = 0;
		int r = net_recv(fd, buffer, sizeof(buffer), &got);
		if (r == ERR_AGAIN) {
			wait_for(fd, POLLIN);
			continue;
		}
		ck_assert_int_eq(r, 0);
		for (size_t i = 0; i < got; i++)
			ck_assert_uint_eq(buffer[i], pattern(from + done + i));
		done += got;
	}
}

START_TEST(partial_writes_lose_nothing)
{
	struct pair p = connect_pair(hosts[_i], 16384);
	size_t total = 0;

	for (int round = 0; round < 3; round++) {
		size_t sent = fill(p.server, total);
		ck_assert_uint_gt(sent, 0);
		drain(p.client, total, sent);
		total += sent;
		wait_for(p.server, POLLOUT);
	}
	close_pair(&p);
}
END_TEST

START_TEST(end_after_the_last_byte)
{
	struct pair p = connect_pair(hosts[_i], 0);
	char buffer[8];
	size_t got = 0;

	ck_assert_uint_eq(send_text(p.client, "bye"), 3);
	net_shutdown(p.client, SHUT_WR);
	wait_for(p.server, POLLIN);
	ck_assert_int_eq(net_recv(p.server, buffer, sizeof(buffer), &got), 0);
	ck_assert_uint_eq(got, 3);
	wait_for(p.server, POLLIN);
	ck_assert_int_eq(net_recv(p.server, buffer, sizeof(buffer), &got), ERR_CLOSED);
	/* The other direction is open still. */
	ck_assert_uint_eq(send_text(p.server, "bye"), 3);
	wait_for(p.client, POLLIN);
	ck_assert_int_eq(net_recv(p.client, buffer, sizeof(buffer), &got), 0);
	close_pair(&p);
}
END_TEST

START_TEST(reset_by_the_peer)
{
	struct pair p = connect_pair(hosts[_i], 0);
	struct iovec piece = {(char[]){"x"}, 1};
	char buffer[8];
	size_t n = 0;

	reset(p.client);
	wait_for(p.server, POLLIN);
	ck_assert_int_eq(net_recv(p.server, buffer, sizeof(buffer), &n), ERR_CLOSED);
	/* No SIGPIPE either: it would end the test. */
	ck_assert_int_eq(net_sendv(p.server, &piece, 1, &n), ERR_CLOSED);
	ck_assert_int_eq(net_sendv(p.server, &piece, 1, &n), ERR_CLOSED);
	net_close(p.server);
	net_close(p.listener);
}
END_TEST

START_TEST(sending_finds_the_reset)
{
	struct pair p = connect_pair(hosts[_i], 0);
	struct iovec piece = {(char[]){"x"}, 1};
	size_t n = 0;

	reset(p.client);
	wait_for(p.server, POLLIN);
	ck_assert_int_eq(net_sendv(p.server, &piece, 1, &n), ERR_CLOSED);
	net_close(p.server);
	net_close(p.listener);
}
END_TEST

START_TEST(sending_after_the_end_of_writing)
{
	struct pair p = connect_pair(hosts[_i], 0);
	struct iovec piece = {(char[]){"x"}, 1};
	size_t n = 0;

	net_shutdown(p.server, SHUT_RDWR);
	ck_assert_int_eq(net_sendv(p.server, &piece, 1, &n), ERR_CLOSED);
	close_pair(&p);
}
END_TEST

START_TEST(bad_descriptor)
{
	struct iovec piece = {(char[]){"x"}, 1};
	struct net_address a;
	char byte;
	size_t n = 77;

	ck_assert_int_eq(net_recv(-1, &byte, 1, &n), ERR_SYSTEM);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(net_sendv(-1, &piece, 1, &n), ERR_SYSTEM);
	ck_assert_int_eq(net_local(-1, &a), ERR_SYSTEM);
	ck_assert_int_eq(net_peer(-1, &a), ERR_SYSTEM);
	ck_assert_uint_eq(n, 77);
	errno = ENOENT;
	net_close(-1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* ---- datagrams ---- */

START_TEST(udp)
{
	struct net_address a = resolve(hosts[_i], SOCK_DGRAM);
	int fd = -1;
	char byte;
	size_t n;

	ck_assert_int_eq(net_udp(a.u.any.sa_family, &fd), 0);
	check_flags(fd);
	ck_assert_int_eq(net_bind(fd, &a), 0);
	ck_assert_int_eq(net_local(fd, &a), 0);
	ck_assert_uint_ne(net_port(&a), 0);
	ck_assert_int_eq(net_recv(fd, &byte, 1, &n), ERR_AGAIN);
	net_close(fd);
}
END_TEST

START_TEST(no_such_family)
{
	int fd = -7;

	ck_assert_int_eq(net_udp(AF_MAX, &fd), ERR_SYSTEM);
	ck_assert_int_eq(errno, EAFNOSUPPORT);
	ck_assert_int_eq(fd, -7);
}
END_TEST

Suite *net_suite(void);

Suite *net_suite(void)
{
	const TTest *const both[] = {
		connection_has_what_it_needs,
		port_in_use,
		port_is_free_again,
		nobody_listens,
		connecting_to_oneself_is_refused,
		nobody_waits,
		reset_while_waiting,
		out_of_descriptors,
		pieces_arrive_in_order,
		partial_writes_lose_nothing,
		end_after_the_last_byte,
		reset_by_the_peer,
		sending_finds_the_reset,
		sending_after_the_end_of_writing,
		udp,
	};
	Suite *s = suite_create("net");
	TCase *c = tcase_create("net");
	TCase *families = tcase_create("families");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, resolve_wildcard);
	tcase_add_test(c, resolve_scope);
	tcase_add_test(c, resolve_failure);
	tcase_add_test(c, one_port_for_both_families);
	tcase_add_test(c, not_connected_yet);
	tcase_add_test(c, bad_descriptor);
	tcase_add_test(c, no_such_family);
	suite_add_tcase(s, c);
	tcase_set_timeout(families, 30);
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
		tcase_add_loop_test(families, both[i], 0, 2);
	suite_add_tcase(s, families);
	return s;
}
