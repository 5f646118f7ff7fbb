/*
 * The relay on loopback: what it passes on of streams, and what it does to datagrams.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"
#include "tools/lab/relay.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SOON_MS 5000

static struct relay *relay;

static void start(const struct impairment *how, uint64_t seed)
{
	ck_assert_int_eq(relay_start(&relay, how, seed), 0);
}

static void setup(void)
{
	start(&(struct impairment){0}, 1);
}

static void teardown(void)
{
	relay_stop(relay);
	relay = NULL;
}

static void local(struct net_address *a)
{
	*a = (struct net_address){.length = sizeof(a->u.v4)};
	a->u.v4.sin_family = AF_INET;
	a->u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* A socket at a port of its own, which is in `at` then. */
static int bound(int type, struct net_address *at)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	local(at);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &at->u.any, at->length), 0);
	ck_assert_int_eq(net_local(fd, at), 0);
	return fd;
}

static bool wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, SOON_MS) == 1;
}

static ssize_t get(int fd, char *bytes, size_t size)
{
	return wait_for(fd, POLLIN) ? recv(fd, bytes, size, 0) : -2;
}

/* Both ends of a stream through the relay, whose port is in `*port`. */
static void make_stream(int *client, int *server, uint16_t *port)
{
	struct net_address at;
	int listener = bound(SOCK_STREAM, &at), fd = -1;

	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(relay_open(relay, SOCK_STREAM, &at, 0, port), 0);
	net_set_port(&at, *port);
	int r = net_connect(&at, &fd);
	ck_assert(r == 0 || r == ERR_AGAIN);
	ck_assert(wait_for(fd, POLLOUT));
	ck_assert_int_eq(net_connect_result(fd), 0);
	ck_assert(wait_for(listener, POLLIN));
	*server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(*server, 0);
	*client = fd;
	net_close(listener);
}

/* ---- streams ---- */

START_TEST(bytes_and_ends_pass)
{
	int client, server;
	uint16_t port;
	char bytes[16];

	make_stream(&client, &server, &port);
	ck_assert_int_eq(send(client, "ask", 3, 0), 3);
	ck_assert_int_eq(get(server, bytes, sizeof(bytes)), 3);
	net_shutdown(client, SHUT_WR);
	ck_assert_int_eq(get(server, bytes, sizeof(bytes)), 0);
	/* The other direction is open still. */
	ck_assert_int_eq(send(server, "answer", 6, 0), 6);
	ck_assert_int_eq(get(client, bytes, sizeof(bytes)), 6);
	net_close(server);
	ck_assert_int_eq(get(client, bytes, sizeof(bytes)), 0);
	net_close(client);
}
END_TEST

START_TEST(a_reset_passes)
{
	int client, server;
	uint16_t port;
	char bytes[16];

	make_stream(&client, &server, &port);
	ck_assert_int_eq(send(client, "unread", 6, 0), 6);
	ck_assert(wait_for(server, POLLIN));
	net_close(server); /* with unread bytes */
	ck_assert_int_eq(get(client, bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	net_close(client);
}
END_TEST

/* Who does not read makes who sends wait, and nothing is lost. */
START_TEST(backpressure_passes)
{
	static char bytes[65536];
	int client, server;
	uint16_t port;
	size_t sent = 0, got = 0;
	struct pollfd p;

	make_stream(&client, &server, &port);
	do {
		ssize_t n = send(client, bytes, sizeof(bytes), 0);
		sent += n > 0 ? (size_t)n : 0;
		p = (struct pollfd){.fd = client, .events = POLLOUT};
		ck_assert_uint_lt(sent, 256U << 20);
	} while (poll(&p, 1, 300) == 1);
	net_shutdown(client, SHUT_WR);
	for (;;) {
		ssize_t n = get(server, bytes, sizeof(bytes));
		ck_assert_int_ge(n, 0);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	ck_assert_uint_eq(got, sent);
	net_close(client);
	net_close(server);
}
END_TEST

/* Where the relay waits no longer, who comes is refused; who is connected stays. */
START_TEST(closed_is_refused)
{
	int client, server, fd;
	uint16_t port;
	char bytes[4];
	struct net_address at;

	make_stream(&client, &server, &port);
	relay_close(relay, SOCK_STREAM, port);
	local(&at);
	net_set_port(&at, port);
	int r = net_connect(&at, &fd);
	if (r == ERR_AGAIN) {
		ck_assert(wait_for(fd, POLLOUT));
		r = net_connect_result(fd);
	}
	ck_assert_int_eq(r, ERR_SYSTEM);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_int_eq(send(client, "yet", 3, 0), 3);
	ck_assert_int_eq(get(server, bytes, sizeof(bytes)), 3);
	net_close(fd);
	net_close(client);
	net_close(server);
}
END_TEST

START_TEST(a_stream_is_delayed)
{
	int client, server;
	uint16_t port;
	char bytes[4];

	relay_set(relay, &(struct impairment){.delay_ns = 30000000});
	make_stream(&client, &server, &port);
	int64_t began = clock_ms();
	ck_assert_int_eq(send(client, "late", 4, 0), 4);
	ck_assert_int_eq(get(server, bytes, sizeof(bytes)), 4);
	ck_assert_int_ge(clock_ms() - began, 29);
	net_close(client);
	net_close(server);
}
END_TEST

/* ---- datagrams ---- */

/* Send some, one after the other; which ones came, as a bit each, and how many in all. */
static uint64_t play(const struct impairment *how, uint64_t seed, unsigned count, unsigned *came,
	struct wire_counts *c)
{
	struct net_address at;
	uint64_t which = 0;
	uint16_t port;
	uint8_t number;

	start(how, seed);
	int server = bound(SOCK_DGRAM, &at);
	ck_assert_int_eq(relay_open(relay, SOCK_DGRAM, &at, 0, &port), 0);
	net_set_port(&at, port);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, &at.u.any, at.length), 0);
	for (number = 0; number < count; number++)
		ck_assert_int_eq(send(client, &number, 1, 0), 1);
	int64_t end = clock_ms() + SOON_MS;
	do {
		relay_counts(relay, SIDE_UDP, c);
		ck_assert_int_lt(clock_ms(), end);
	} while (c->sent < count || c->arrived < c->sent - c->lost + c->duplicated);
	*came = 0;
	while (recv(server, &number, 1, 0) == 1) {
		which |= UINT64_C(1) << number;
		*came += 1;
	}
	net_close(client);
	net_close(server);
	relay_stop(relay);
	relay = NULL;
	return which;
}

START_TEST(the_same_seed_loses_the_same)
{
	struct impairment how = {.loss = 0.3, .duplicate = 0.2};
	struct wire_counts c, again, other;
	unsigned came, came_again, came_other;
	uint64_t which = play(&how, 5, 60, &came, &c);

	ck_assert_uint_eq(c.sent, 60);
	ck_assert_uint_gt(c.lost, 0);
	ck_assert_uint_gt(c.duplicated, 0);
	ck_assert_uint_eq(came, 60 - c.lost + c.duplicated);
	ck_assert_uint_eq((uint64_t)__builtin_popcountll(which), 60 - c.lost);
	ck_assert_uint_eq(play(&how, 5, 60, &came_again, &again), which);
	ck_assert_uint_eq(came_again, came);
	ck_assert_uint_ne(play(&how, 6, 60, &came_other, &other), which);
}
END_TEST

START_TEST(nothing_is_lost_without_loss)
{
	struct wire_counts c;
	unsigned came;

	ck_assert_uint_eq(play(&(struct impairment){.jitter_ns = 1000000, .delay_ns = 2000000}, 5,
				  60, &came, &c),
		(UINT64_C(1) << 60) - 1);
	ck_assert_uint_eq(c.lost + c.duplicated + c.overflowed, 0);
}
END_TEST

/* Each who sends is somebody of his own, and is answered by himself. */
START_TEST(answers_find_back)
{
	struct net_address at, from = {.length = sizeof(from.u)};
	uint16_t port;
	char bytes[8];
	int clients[2];

	setup();
	int server = bound(SOCK_DGRAM, &at);
	ck_assert_int_eq(relay_open(relay, SOCK_DGRAM, &at, 0, &port), 0);
	net_set_port(&at, port);
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		/* Connected: an answer from elsewhere would not be let in. */
		ck_assert_int_eq(connect(clients[i], &at.u.any, at.length), 0);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(send(clients[i], "", 0, 0), 0);
		ck_assert(wait_for(server, POLLIN));
		ck_assert_int_eq(
			recvfrom(server, bytes, sizeof(bytes), 0, &from.u.any, &from.length), 0);
		ck_assert_int_eq(
			sendto(server, i ? "two" : "first", i ? 3 : 5, 0, &from.u.any, from.length),
			i ? 3 : 5);
	}
	ck_assert_int_eq(get(clients[0], bytes, sizeof(bytes)), 5);
	ck_assert_int_eq(get(clients[1], bytes, sizeof(bytes)), 3);
	net_close(clients[0]);
	net_close(clients[1]);
	net_close(server);
	teardown();
}
END_TEST

START_TEST(held_datagrams_wait)
{
	struct net_address at;
	uint16_t port;
	char bytes[8];
	struct pollfd p;

	setup();
	int server = bound(SOCK_DGRAM, &at);
	ck_assert_int_eq(relay_open(relay, SOCK_DGRAM, &at, 0, &port), 0);
	net_set_port(&at, port);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	relay_hold(relay, true);
	ck_assert_int_eq(sendto(client, "wait", 4, 0, &at.u.any, at.length), 4);
	p = (struct pollfd){.fd = server, .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 50), 0);
	relay_hold(relay, false);
	ck_assert_int_eq(get(server, bytes, sizeof(bytes)), 4);
	net_close(client);
	net_close(server);
	teardown();
}
END_TEST

Suite *relay_suite(void)
{
	Suite *s = suite_create("relay");
	TCase *streams = tcase_create("streams"), *datagrams = tcase_create("datagrams");

	tcase_set_timeout(streams, 30);
	tcase_add_checked_fixture(streams, setup, teardown);
	tcase_add_test(streams, bytes_and_ends_pass);
	tcase_add_test(streams, a_reset_passes);
	tcase_add_test(streams, backpressure_passes);
	tcase_add_test(streams, closed_is_refused);
	tcase_add_test(streams, a_stream_is_delayed);
	suite_add_tcase(s, streams);
	tcase_set_timeout(datagrams, 30);
	tcase_add_test(datagrams, the_same_seed_loses_the_same);
	tcase_add_test(datagrams, nothing_is_lost_without_loss);
	tcase_add_test(datagrams, answers_find_back);
	tcase_add_test(datagrams, held_datagrams_wait);
	suite_add_tcase(s, datagrams);
	return s;
}
