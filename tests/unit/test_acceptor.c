/*
 * Acceptors without descriptors: whoever comes is told at once, and the next one is taken again.
 */
#include "server/acceptor.h"

#include "tests/unit/peer.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROWD  300
#define OWN    2 /* descriptors that an acceptor has: the reserve and its eventfd */
#define STACK  ((size_t)64 * 1024)
#define ENOUGH 30 /* turns for the crowd; one for each of them would be ten times that */

Suite *acceptor_suite(void);

static struct net_address here;
static int listener;
static int taken[2]; /* a byte for each who was taken */

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

/* The kernel counts its own overhead in and reports the double: socket(7). */
static bool is_prepared(int fd)
{
	return option(fd, IPPROTO_TCP, TCP_NODELAY) == 1 &&
	       option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1 &&
	       option(fd, SOL_SOCKET, SO_SNDBUF) == 2 * ACCEPTOR_SEND_BUFFER;
}

static void take(void *context, int fd, const struct net_address *peer)
{
	(void)context;
	(void)peer;
	const char *told = is_prepared(fd) ? "p" : "-";
	net_close(fd);
	if (write(taken[1], told, 1) < 0)
		abort();
}

static void setup(void)
{
	here = (struct net_address){.length = sizeof(here.u.v4)};
	here.u.v4.sin_family = AF_INET;
	here.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(pipe(taken), 0);
	ck_assert_int_eq(net_listen(&here, CROWD + 1, ACCEPTOR_SEND_BUFFER, &listener), 0);
	ck_assert_int_eq(getsockname(listener, &here.u.any, &here.length), 0);
}

static int visit(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, &here.u.any, here.length), 0);
	return fd;
}

static void allow(rlim_t descriptors)
{
	struct rlimit l;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
	l.rlim_cur = descriptors;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static void expect_refusal(int fd)
{
	struct peer peer = {.fd = fd};
	union message m;

	ck_assert_int_eq(peer_expect(&peer, MESSAGE_ERROR, &m), 0);
	ck_assert_uint_eq(m.error.code, CODE_RESOURCES);
	ck_assert(peer_is_closed(&peer));
	free(peer.bytes);
}

/* Those who wait in the queue when it starts, all of whom find no descriptor. */
START_TEST(a_crowd_is_refused)
{
	struct acceptor *a;
	struct rlimit before;
	int crowd[CROWD], last = -1;
	char byte;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < CROWD; i++)
		last = crowd[i] = visit();
	allow((rlim_t)last + 1 + OWN);
	ck_assert_int_eq(acceptor_start(listener, true, STACK, take, NULL, &a), 0);
	for (int i = 0; i < CROWD; i++)
		expect_refusal(crowd[i]);
	ck_assert_uint_eq(acceptor_refused(a), CROWD);
	ck_assert_uint_lt(acceptor_turns(a), ENOUGH);
	for (int i = 0; i < CROWD; i++)
		net_close(crowd[i]);
	allow(before.rlim_cur);
	int fd = visit();
	ck_assert_int_eq(read(taken[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'p');
	net_close(fd);
	acceptor_stop(a);
}
END_TEST

/* Whoever connects to a socket that somebody else opened may be there before it is ours: what the socket
 * is given then comes too late for them. */
START_TEST(handed_over)
{
	struct acceptor *a;
	char byte;

	net_close(listener);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	net_set_port(&here, 0);
	ck_assert_int_eq(bind(listener, &here.u.any, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(net_local(listener, &here), 0);
	int before = visit();
	ck_assert_int_eq(acceptor_start(listener, false, STACK, take, NULL, &a), 0);
	int after = visit();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(read(taken[0], &byte, 1), 1);
		ck_assert_int_eq(byte, 'p');
	}
	net_close(before);
	net_close(after);
	acceptor_stop(a);
}
END_TEST

Suite *acceptor_suite(void)
{
	Suite *s = suite_create("acceptor");
	TCase *t = tcase_create("acceptor");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_crowd_is_refused);
	tcase_add_test(t, handed_over);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return s;
}
