/*
 * The announcer and the finder together, on the loopback interface alone: what
 * one says the other lists.
 */
#include "server/announcer.h"

#include "client/finder.h"
#include "common/beacon_socket.h"
#include "common/clock.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

static char *lo[] = {(char[]){"lo"}};
static const struct option_list only_lo = {.items = lo, .count = 1};

static struct finder *finder;
static struct announcer *announcer;
static uint16_t port; /* of discovery, this test's own */
static atomic_uint people;

static uint32_t count_people(void *context)
{
	return atomic_load((atomic_uint *)context);
}

static struct net_address tcp(const char *what)
{
	struct net_address a = {.length = sizeof(a.u.v4), .u.v4 = {.sin_family = AF_INET}};

	if (strcmp(what, "::1") == 0)
		a = (struct net_address){.length = sizeof(a.u.v6),
			.u.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
	else if (strcmp(what, "127.0.0.1") == 0)
		a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	net_set_port(&a, 4242);
	return a;
}

static void start_announcer(const char *listening)
{
	struct net_address at = tcp(listening);
	struct announcer_config config = {
		.server = {1, 2, 3},
		.name = "anna",
		.most = 20,
		.listening = &at,
		.listening_count = 1,
		.interfaces = &only_lo,
		.port = port,
		.people = count_people,
		.context = &people,
	};

	ck_assert_int_eq(announcer_start(&config, &announcer), 0);
}

static void start_finder(void)
{
	struct finder_config config = {.interfaces = &only_lo, .port = port};

	ck_assert_int_eq(finder_start(&config, &finder), 0);
}

static void set_up(void)
{
	struct net_address a;
	int fd = -1;

	ck_assert_int_eq(beacon_socket_open(AF_INET, 0, &fd), 0);
	ck_assert_int_eq(net_local(fd, &a), 0);
	port = net_port(&a);
	net_close(fd);
	atomic_store(&people, 7);
}

static void tear_down(void)
{
	finder_stop(finder);
	announcer_stop(announcer);
	finder = NULL;
	announcer = NULL;
}

/* Wait until there are `count` rows and the first has this name. */
static struct finder_row wait_rows(size_t count, const char *name)
{
	int64_t deadline = clock_ms() + 3000;
	struct finder_row rows[FINDER_ROWS] = {{.people = 0}};

	for (;;) {
		struct pollfd p = {.fd = finder_fd(finder), .events = POLLIN};
		size_t n = finder_list(finder, rows, FINDER_ROWS);

		if (n == count && (n == 0 || strcmp(rows[0].name, name) == 0))
			return rows[0];
		ck_assert_msg(clock_ms() < deadline, "%zu rows, the first is \"%s\"", n,
			n > 0 ? rows[0].name : "");
		(void)poll(&p, 1, clock_poll_timeout(deadline));
	}
}

static const struct {
	const char *listening, *address;
} where_cases[] = {
	{"*", "127.0.0.1:4242"},
	{"127.0.0.1", "127.0.0.1:4242"},
	{"::1", "[::1]:4242"},
};

START_TEST(found_and_gone)
{
	char text[NET_ADDRESS_MAX];

	start_announcer(where_cases[_i].listening);
	start_finder();
	struct finder_row r = wait_rows(1, "anna");
	ck_assert_uint_eq(r.server[2], 3);
	ck_assert_uint_eq(r.people, 7);
	ck_assert_uint_eq(r.people_max, 20);
	ck_assert_uint_eq(r.version_low, PROTOCOL_VERSION);
	ck_assert_uint_eq(r.address_count, 1);
	ck_assert_str_eq(net_print(&r.addresses[0], text), where_cases[_i].address);
	announcer_stop(announcer);
	announcer = NULL;
	(void)wait_rows(0, "");
}
END_TEST

START_TEST(heard_when_it_starts)
{
	start_finder();
	start_announcer("*");
	struct finder_row first = wait_rows(1, "anna");
	announcer_stop(announcer);
	(void)wait_rows(0, "");
	start_announcer("*");
	struct finder_row second = wait_rows(1, "anna");
	ck_assert_mem_eq(first.server, second.server, sizeof(first.server));
	ck_assert_mem_ne(first.instance, second.instance, sizeof(first.instance));
}
END_TEST

START_TEST(updates_are_announced)
{
	start_announcer("*");
	start_finder();
	(void)wait_rows(1, "anna");
	atomic_store(&people, 8);
	announcer_update(announcer, "bertha", 30);
	struct finder_row r = wait_rows(1, "bertha");
	ck_assert_uint_eq(r.people, 8);
	ck_assert_uint_eq(r.people_max, 30);
}
END_TEST

START_TEST(asked_again)
{
	start_announcer("*");
	start_finder();
	(void)wait_rows(1, "anna");
	atomic_store(&people, 9);
	int64_t deadline = clock_ms() + 3000;
	while (wait_rows(1, "anna").people != 9) {
		struct pollfd p = {.fd = finder_fd(finder), .events = POLLIN};

		ck_assert_int_lt(clock_ms(), deadline);
		finder_refresh(finder);
		(void)poll(&p, 1, 100);
	}
	ck_assert_int_ge(wait_rows(1, "anna").rtt_us, 0);
}
END_TEST

START_TEST(too_many_addresses)
{
	struct net_address at[100];
	struct announcer_config config = {
		.name = "anna",
		.listening = at,
		.listening_count = 100,
		.interfaces = &only_lo,
		.port = port,
		.people = count_people,
		.context = &people,
	};

	for (int i = 0; i < 100; i++)
		at[i] = tcp("*");
	ck_assert_int_lt(announcer_start(&config, &announcer), 0);
	ck_assert_ptr_null(announcer);
}
END_TEST

START_TEST(stopping_nothing)
{
	announcer_stop(NULL);
	finder_stop(NULL);
}
END_TEST

Suite *announcer_suite(void)
{
	Suite *s = suite_create("announcer");
	TCase *t = tcase_create("loopback");

	tcase_set_timeout(t, 20);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(
		t, found_and_gone, 0, (int)(sizeof(where_cases) / sizeof(where_cases[0])));
	tcase_add_test(t, heard_when_it_starts);
	tcase_add_test(t, updates_are_announced);
	tcase_add_test(t, asked_again);
	tcase_add_test(t, too_many_addresses);
	tcase_add_test(t, stopping_nothing);
	suite_add_tcase(s, t);
	return s;
}
