/*
 * A place in the discovery traffic, on the loopback interface alone.
 */
#include "common/beacon_net.h"

#include "common/clock.h"
#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static char *lo[] = {(char[]){"lo"}}, *none[] = {(char[]){"no such interface"}};
static const struct option_list only_lo = {.items = lo, .count = 1};
static const struct option_list only_none = {.items = none, .count = 1};
static const struct net_address any = {
	.length = sizeof(struct sockaddr_in), .u.v4 = {.sin_family = AF_INET}};

static uint8_t packet[BEACON_SIZE] = {1, 2, 3};

/* A port that nobody has. */
static uint16_t free_port(void)
{
	struct net_address a;
	int fd = -1;

	ck_assert_int_eq(beacon_socket_open(AF_INET, 0, &fd), 0);
	ck_assert_int_eq(net_local(fd, &a), 0);
	net_close(fd);
	return net_port(&a);
}

static int open_on(struct beacon_net *n, const struct option_list *only, uint16_t port)
{
	struct beacon_net_config config = {
		.filter = {.only = only},
		.listening = &any,
		.listening_count = 1,
		.port = port,
	};

	return beacon_net_open(n, &config);
}

static void wait_readable(const struct beacon_net *n)
{
	struct pollfd fds[BEACON_NET_FDS];

	beacon_net_poll(n, fds);
	ck_assert_int_gt(poll(fds, BEACON_NET_FDS, 5000), 0);
}

static struct beacon_arrival receive(struct beacon_net *n, int expected)
{
	struct beacon_arrival heard;
	int fd = -1;

	/* Whoever speaks hears it as well, for the port is shared. */
	do {
		wait_readable(n);
		ck_assert_int_eq(beacon_net_receive(n, &heard, &fd), 0);
	} while (fd != expected);
	return heard;
}

START_TEST(said_to_everybody)
{
	struct beacon_net a, b;
	struct beacon_arrival heard;
	uint16_t port = free_port();
	int fd = -1;

	ck_assert_int_eq(open_on(&a, &only_lo, port), 0);
	ck_assert_int_eq(open_on(&b, &only_lo, port), 0);
	ck_assert_uint_eq(a.path_count, 1);
	ck_assert_int_eq(a.shared_errno, 0);
	ck_assert_int_eq(beacon_net_receive(&b, &heard, &fd), ERR_AGAIN);
	beacon_net_send(&a, &a.paths[0], packet);
	heard = receive(&b, b.shared[0]);
	ck_assert(heard.everybody);
	ck_assert_mem_eq(heard.packet, packet, sizeof(packet));
	ck_assert_ptr_eq(beacon_net_way_back(&b, &heard), &b.paths[0]);
	beacon_net_close(&a);
	beacon_net_close(&b);
}
END_TEST

/* From the private port when everybody was asked, else from the one that was. */
START_TEST(answered)
{
	struct beacon_net a, b;
	struct net_address private;
	uint16_t port = free_port();

	ck_assert_int_eq(open_on(&a, &only_lo, port), 0);
	ck_assert_int_eq(open_on(&b, &only_lo, port), 0);
	ck_assert_int_eq(net_local(b.own[0], &private), 0);
	beacon_net_send(&a, &a.paths[0], packet);
	struct beacon_arrival asked = receive(&b, b.shared[0]);
	beacon_net_answer(&b, &asked, b.shared[0], &b.paths[0], packet);
	struct beacon_arrival answer = receive(&a, a.own[0]);
	ck_assert(!answer.everybody);
	ck_assert_uint_eq(net_port(&answer.from), net_port(&private));

	asked.everybody = false;
	beacon_net_answer(&b, &asked, b.shared[0], &b.paths[0], packet);
	answer = receive(&a, a.own[0]);
	ck_assert_uint_eq(net_port(&answer.from), port);
	beacon_net_close(&a);
	beacon_net_close(&b);
}
END_TEST

START_TEST(other_interfaces_are_deaf_and_mute)
{
	struct beacon_net on, off;
	struct beacon_arrival heard;
	uint16_t port = free_port();
	int fd = -1;

	ck_assert_int_eq(open_on(&on, &only_lo, port), 0);
	ck_assert_int_eq(open_on(&off, &only_none, port), 0);
	ck_assert_uint_eq(off.path_count, 0);
	beacon_net_send(&on, &on.paths[0], packet);
	wait_readable(&off);
	ck_assert_int_eq(beacon_net_receive(&off, &heard, &fd), ERR_PROTOCOL);
	ck_assert_int_eq(beacon_net_receive(&off, &heard, &fd), ERR_AGAIN);
	beacon_net_close(&on);
	beacon_net_close(&off);
}
END_TEST

/* One socket in a flood does not keep the others from being read. */
START_TEST(sockets_take_turns)
{
	struct beacon_net a, b;
	struct beacon_arrival heard;
	uint16_t port = free_port();
	struct net_address own;
	int fd = -1;
	bool private = false;

	ck_assert_int_eq(open_on(&a, &only_lo, port), 0);
	ck_assert_int_eq(open_on(&b, &only_lo, port), 0);
	for (int i = 0; i < 50; i++)
		beacon_net_send(&a, &a.paths[0], packet);
	ck_assert_int_eq(net_local(b.own[0], &own), 0);
	own.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(
		beacon_socket_send(a.own[0], a.paths[0].local.index, NULL, &own, packet), 0);
	wait_readable(&b);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(beacon_net_receive(&b, &heard, &fd), 0);
		private |= fd == b.own[0];
	}
	ck_assert(private);
	beacon_net_close(&a);
	beacon_net_close(&b);
}
END_TEST

START_TEST(the_port_is_somebody_elses)
{
	struct beacon_net n;
	struct net_address at = any;
	int greedy = -1;

	ck_assert_int_eq(net_udp(AF_INET, &greedy), 0);
	ck_assert_int_eq(net_bind(greedy, &at), 0);
	ck_assert_int_eq(net_local(greedy, &at), 0);
	ck_assert_int_eq(open_on(&n, &only_lo, net_port(&at)), 0);
	ck_assert_int_eq(n.shared_errno, EADDRINUSE);
	ck_assert_int_lt(n.shared[0], 0);
	ck_assert_int_ge(n.own[0], 0);
	beacon_net_close(&n);
	net_close(greedy);
}
END_TEST

START_TEST(too_many_addresses)
{
	struct net_address many[BEACON_NET_LISTENING + 1];
	struct beacon_net n;
	struct beacon_net_config config = {
		.filter = {.only = &only_lo},
		.listening = many,
		.listening_count = BEACON_NET_LISTENING + 1,
		.port = free_port(),
	};

	for (size_t i = 0; i <= BEACON_NET_LISTENING; i++)
		many[i] = any;
	ck_assert_int_eq(beacon_net_open(&n, &config), ERR_ARGUMENT);
	beacon_net_close(&n);
	config.listening_count--;
	ck_assert_int_eq(beacon_net_open(&n, &config), 0);
	beacon_net_close(&n);
	beacon_net_close(&n);
}
END_TEST

/* A look at the interfaces that fails is not the last one. */
START_TEST(looked_at_again)
{
	struct beacon_net n;
	struct pollfd fds[BEACON_NET_FDS] = {0};
	struct rlimit limit, none_left;
	int64_t now = clock_ms();

	ck_assert_int_eq(open_on(&n, &only_lo, free_port()), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none_left = (struct rlimit){.rlim_cur = 3, .rlim_max = limit.rlim_max};
	n.scan_at = now;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
	(void)beacon_net_turn(&n, fds, now);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_gt(beacon_net_deadline(&n), now);
	ck_assert_int_lt(beacon_net_deadline(&n), now + 60000);
	now = beacon_net_deadline(&n);
	(void)beacon_net_turn(&n, fds, now);
	ck_assert_int_eq(beacon_net_deadline(&n), INT64_MAX);
	beacon_net_close(&n);
}
END_TEST

Suite *beacon_net_suite(void)
{
	Suite *s = suite_create("beacon_net");
	TCase *t = tcase_create("loopback");

	tcase_add_test(t, said_to_everybody);
	tcase_add_test(t, answered);
	tcase_add_test(t, other_interfaces_are_deaf_and_mute);
	tcase_add_test(t, sockets_take_turns);
	tcase_add_test(t, the_port_is_somebody_elses);
	tcase_add_test(t, too_many_addresses);
	tcase_add_test(t, looked_at_again);
	suite_add_tcase(s, t);
	return s;
}
