/*
 * The sockets of discovery, on the loopback interface: all who share the port
 * hear what is sent to everybody; what is not exactly right is dropped.
 */
#include "common/beacon_socket.h"

#include "common/err.h"

#include <check.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>

static uint8_t packet[BEACON_SIZE];

static void set_up(void)
{
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)i;
}

static struct net_address loopback(uint8_t last, uint16_t port)
{
	return (struct net_address){
		.length = sizeof(struct sockaddr_in),
		.u.v4 = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(0x7f000000U + last)},
	};
}

static struct net_address everybody(uint16_t port)
{
	struct net_address a = loopback(1, port);

	a.u.v4.sin_addr.s_addr = htonl(0x7fffffff);
	return a;
}

static int open_socket(uint16_t port)
{
	int fd = -1;

	ck_assert_int_eq(beacon_socket_open(AF_INET, port, &fd), 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct net_address a;

	ck_assert_int_eq(net_local(fd, &a), 0);
	return net_port(&a);
}

/* A port that nobody has. */
static uint16_t free_port(void)
{
	int fd = open_socket(0);
	uint16_t port = port_of(fd);

	net_close(fd);
	return port;
}

static int receive(int fd, struct beacon_arrival *a)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	return beacon_socket_receive(fd, a);
}

START_TEST(all_who_share_the_port_hear)
{
	uint16_t port = free_port();
	int first = open_socket(port), second = open_socket(port), sender = open_socket(0);
	unsigned lo = if_nametoindex("lo");
	struct net_address to = everybody(port), source = loopback(1, 0);
	struct beacon_arrival a;
	int hearers[] = {first, second};

	ck_assert_int_eq(beacon_socket_send(sender, lo, &source, &to, packet), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(receive(hearers[i], &a), 0);
		ck_assert_mem_eq(a.packet, packet, sizeof(packet));
		ck_assert_uint_eq(a.index, lo);
		ck_assert(a.everybody);
		struct net_address from = loopback(1, port_of(sender));
		ck_assert(net_equal(&a.from, &from));
		ck_assert_int_eq(beacon_socket_receive(hearers[i], &a), ERR_AGAIN);
	}
	net_close(first);
	net_close(second);
	net_close(sender);
}
END_TEST

START_TEST(sources_are_chosen)
{
	int hearer = open_socket(0), sender = open_socket(0);
	struct net_address to = loopback(1, port_of(hearer)), source = loopback(77, 0);
	struct net_address at = loopback(1, 0);
	struct beacon_arrival a;

	ck_assert_int_eq(beacon_socket_send(sender, if_nametoindex("lo"), &source, &to, packet), 0);
	ck_assert_int_eq(receive(hearer, &a), 0);
	ck_assert(!a.everybody);
	ck_assert(net_equal(&a.to, &at));
	net_set_port(&a.from, 0);
	ck_assert(net_equal(&a.from, &source));
	net_close(hearer);
	net_close(sender);
}
END_TEST

START_TEST(ipv6_unicast)
{
	int hearer = -1, sender = -1;
	struct net_address to = {.length = sizeof(to.u.v6),
		.u.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
	struct beacon_arrival a;

	/* Where IPv6 is switched off there is nothing to test. */
	if (beacon_socket_open(AF_INET6, 0, &hearer) != 0 ||
		beacon_socket_open(AF_INET6, 0, &sender) != 0)
		return;
	net_set_port(&to, port_of(hearer));
	if (beacon_socket_send(sender, if_nametoindex("lo"), NULL, &to, packet) == 0) {
		ck_assert_int_eq(receive(hearer, &a), 0);
		ck_assert(!a.everybody);
		ck_assert(net_is_loopback(&a.from) && net_is_loopback(&a.to));
		ck_assert_mem_eq(a.packet, packet, sizeof(packet));
	}
	net_close(hearer);
	net_close(sender);
}
END_TEST

/* Size and TTL of a packet, and what becomes of it. */
static const struct {
	size_t size;
	int hops;
	int result;
} wrong_cases[] = {
	{BEACON_SIZE, 255, 0},
	{BEACON_SIZE, 254, ERR_PROTOCOL},
	{BEACON_SIZE, 64, ERR_PROTOCOL},
	{BEACON_SIZE, 1, ERR_PROTOCOL},
	{BEACON_SIZE - 1, 255, ERR_PROTOCOL},
	{BEACON_SIZE + 1, 255, ERR_PROTOCOL},
	{0, 255, ERR_PROTOCOL},
};

START_TEST(size_and_hops)
{
	int hearer = open_socket(0), sender = open_socket(0);
	struct net_address to = loopback(1, port_of(hearer));
	uint8_t bytes[BEACON_SIZE + 1] = {0};
	struct beacon_arrival a = {.index = 4711};

	ck_assert_int_eq(setsockopt(sender, IPPROTO_IP, IP_TTL, &wrong_cases[_i].hops,
				 sizeof(wrong_cases[_i].hops)),
		0);
	ck_assert_int_eq(sendto(sender, bytes, wrong_cases[_i].size, 0, &to.u.any, to.length),
		(ssize_t)wrong_cases[_i].size);
	ck_assert_int_eq(receive(hearer, &a), wrong_cases[_i].result);
	ck_assert_int_eq(a.index == 4711, wrong_cases[_i].result != 0);
	ck_assert_int_eq(beacon_socket_receive(hearer, &a), ERR_AGAIN);
	net_close(hearer);
	net_close(sender);
}
END_TEST

START_TEST(an_interface_that_is_not_there)
{
	int sender = open_socket(0);
	struct net_address to = everybody(9);

	ck_assert_int_eq(beacon_socket_send(sender, 0x7ffffff, NULL, &to, packet), ERR_SYSTEM);
	net_close(sender);
}
END_TEST

START_TEST(nobody_is_there)
{
	struct net_address peer = loopback(1, free_port());
	struct pollfd p = {.fd = -1, .events = POLLIN};
	uint8_t answer[BEACON_SIZE];

	ck_assert_int_eq(beacon_socket_connect(&peer, packet, &p.fd), 0);
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(beacon_socket_result(p.fd, answer), ERR_REFUSED);
	net_close(p.fd);
}
END_TEST

START_TEST(somebody_is_there)
{
	int server = open_socket(0);
	struct net_address peer = loopback(1, port_of(server));
	struct pollfd p = {.fd = -1, .events = POLLIN};
	struct beacon_arrival a;
	uint8_t answer[BEACON_SIZE];

	ck_assert_int_eq(beacon_socket_connect(&peer, packet, &p.fd), 0);
	ck_assert_int_eq(beacon_socket_result(p.fd, answer), ERR_AGAIN);
	ck_assert_int_eq(receive(server, &a), 0);
	packet[0] = 42;
	ck_assert_int_eq(beacon_socket_send(server, a.index, &a.to, &a.from, packet), 0);
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(beacon_socket_result(p.fd, answer), 0);
	ck_assert_mem_eq(answer, packet, sizeof(answer));
	net_close(p.fd);
	net_close(server);
}
END_TEST

Suite *beacon_socket_suite(void)
{
	Suite *s = suite_create("beacon_socket");
	TCase *t = tcase_create("loopback");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, all_who_share_the_port_hear);
	tcase_add_test(t, sources_are_chosen);
	tcase_add_test(t, ipv6_unicast);
	tcase_add_loop_test(
		t, size_and_hops, 0, (int)(sizeof(wrong_cases) / sizeof(wrong_cases[0])));
	tcase_add_test(t, an_interface_that_is_not_there);
	tcase_add_test(t, nobody_is_there);
	tcase_add_test(t, somebody_is_there);
	suite_add_tcase(s, t);
	return s;
}
