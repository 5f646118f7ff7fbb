/*
 * The prober: who is gone is known at once, who does not answer is forgotten in
 * time, and there is an end to how many are asked.
 */
#include "client/prober.h"

#include "common/beacon_socket.h"
#include "common/err.h"

#include <check.h>
#include <string.h>

static struct prober prober;
static const uint8_t packet[BEACON_SIZE] = {1, 2, 3};

static void set_up(void)
{
	prober_init(&prober);
}

static void tear_down(void)
{
	prober_fini(&prober);
}

static struct net_address own_address(int fd)
{
	struct net_address a;

	ck_assert_int_eq(net_local(fd, &a), 0);
	a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int listen_somewhere(struct net_address *at)
{
	int fd = -1;

	ck_assert_int_eq(beacon_socket_open(AF_INET, 0, &fd), 0);
	*at = own_address(fd);
	return fd;
}

static size_t under_way(void)
{
	struct pollfd fds[PROBER_MAX];
	size_t n = 0;

	prober_poll(&prober, fds);
	for (size_t i = 0; i < PROBER_MAX; i++)
		n += fds[i].fd >= 0;
	return n;
}

static void wait_for_replies(void)
{
	struct pollfd fds[PROBER_MAX];

	prober_poll(&prober, fds);
	ck_assert_int_gt(poll(fds, PROBER_MAX, 5000), 0);
}

START_TEST(nothing_asked)
{
	struct prober_question q;
	uint8_t reply[BEACON_SIZE];

	ck_assert(prober_deadline(&prober) == INT64_MAX);
	ck_assert_int_eq(prober_next(&prober, 0, &q, reply), ERR_AGAIN);
}
END_TEST

START_TEST(gone)
{
	struct net_address at;
	struct prober_question q;
	uint8_t reply[BEACON_SIZE];

	net_close(listen_somewhere(&at));
	prober_ask(&prober, &at, packet, 123);
	ck_assert_uint_eq(under_way(), 1);
	wait_for_replies();
	ck_assert_int_eq(prober_next(&prober, 124, &q, reply), ERR_REFUSED);
	ck_assert(net_equal(&q.peer, &at));
	ck_assert_int_eq(q.asked_ms, 123);
	ck_assert_uint_eq(under_way(), 0);
}
END_TEST

START_TEST(still_there)
{
	struct net_address at;
	struct prober_question q;
	struct beacon_arrival a;
	uint8_t reply[BEACON_SIZE];
	int server = listen_somewhere(&at);
	struct pollfd p = {.fd = server, .events = POLLIN};

	prober_ask(&prober, &at, packet, 0);
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(beacon_socket_receive(server, &a), 0);
	ck_assert_mem_eq(a.packet, packet, sizeof(packet));
	ck_assert_int_eq(beacon_socket_send(server, a.index, &a.to, &a.from, packet), 0);
	wait_for_replies();
	ck_assert_int_eq(prober_next(&prober, 1, &q, reply), 0);
	ck_assert_mem_eq(reply, packet, sizeof(packet));
	ck_assert(net_equal(&q.peer, &at));
	ck_assert_uint_eq(under_way(), 0);
	net_close(server);
}
END_TEST

START_TEST(no_answer)
{
	struct net_address at;
	struct prober_question q;
	uint8_t reply[BEACON_SIZE];
	int server = listen_somewhere(&at);

	prober_ask(&prober, &at, packet, 1000);
	int64_t deadline = prober_deadline(&prober);
	ck_assert_int_gt(deadline, 1000);
	ck_assert_int_eq(prober_next(&prober, deadline - 1, &q, reply), ERR_AGAIN);
	ck_assert_uint_eq(under_way(), 1);
	ck_assert_int_eq(prober_next(&prober, deadline, &q, reply), ERR_AGAIN);
	ck_assert_uint_eq(under_way(), 0);
	net_close(server);
}
END_TEST

START_TEST(an_end_to_it)
{
	struct net_address at;
	int server = listen_somewhere(&at);

	for (int i = 0; i < PROBER_MAX + 5; i++)
		prober_ask(&prober, &at, packet, 0);
	ck_assert_uint_eq(under_way(), PROBER_MAX);
	net_close(server);
}
END_TEST

Suite *prober_suite(void)
{
	Suite *s = suite_create("prober");
	TCase *t = tcase_create("questions");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, nothing_asked);
	tcase_add_test(t, gone);
	tcase_add_test(t, still_there);
	tcase_add_test(t, no_answer);
	tcase_add_test(t, an_end_to_it);
	suite_add_tcase(s, t);
	return s;
}
