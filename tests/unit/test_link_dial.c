/*
 * Connecting to several addresses, on loopback sockets.
 */
#include "client/link_dial.h"

#include "common/clock.h"
#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <string.h>

/* 127.0.0.1 with nobody listening, and with a listener. */
static struct net_address closed, open_address;
static int listener;

static struct net_address loopback(void)
{
	struct net_address a;
	size_t count;
	const char *why;

	ck_assert_int_eq(net_resolve("127.0.0.1", 0, SOCK_STREAM, false, &a, 1, &count, &why), 0);
	return a;
}

static void setup(void)
{
	int fd;
	struct net_address any = loopback();

	ck_assert_int_eq(net_listen(&any, 10, 0, &listener), 0);
	ck_assert_int_eq(net_local(listener, &open_address), 0);
	/* A port that was free a moment ago. */
	ck_assert_int_eq(net_listen(&any, 1, 0, &fd), 0);
	ck_assert_int_eq(net_local(fd, &closed), 0);
	net_close(fd);
}

static void teardown(void)
{
	net_close(listener);
}

static int run(struct dial *d, int *fd, size_t *which)
{
	int64_t deadline = clock_ms() + 5000;
	int r;

	while ((r = dial_step(d, clock_ms(), fd, which)) == ERR_AGAIN) {
		struct pollfd fds[DIAL_MOST];
		int64_t until = dial_deadline(d) < deadline ? dial_deadline(d) : deadline;

		ck_assert_int_lt(clock_ms(), deadline);
		ck_assert_int_ge(
			poll(fds, (nfds_t)dial_poll(d, fds), clock_poll_timeout(until)), 0);
	}
	return r;
}

START_TEST(test_first_that_answers)
{
	struct net_address addresses[3] = {closed, closed, open_address};
	struct dial d;
	size_t which;
	int fd;

	dial_init(&d, addresses, 3, clock_ms());
	ck_assert_int_eq(run(&d, &fd, &which), 0);
	ck_assert_uint_eq(which, 2);
	ck_assert_uint_eq(d.started, 3);
	net_close(fd);
	dial_fini(&d);
}
END_TEST

START_TEST(test_all_refused)
{
	struct net_address addresses[2] = {closed, closed};
	struct dial d;
	size_t which;
	int fd;

	dial_init(&d, addresses, 2, clock_ms());
	ck_assert_int_eq(run(&d, &fd, &which), ERR_SYSTEM);
	ck_assert_int_eq(d.error, ECONNREFUSED);
	ck_assert_uint_eq(d.error_index, 0);
	dial_fini(&d);
}
END_TEST

START_TEST(test_no_address)
{
	struct dial d;
	size_t which;
	int fd;

	dial_init(&d, NULL, 0, clock_ms());
	ck_assert_int_eq(dial_step(&d, clock_ms(), &fd, &which), ERR_SYSTEM);
	ck_assert_int_eq(dial_deadline(&d), INT64_MAX);
	dial_fini(&d);
}
END_TEST

/* More addresses than there is room for are no harm. */
START_TEST(test_many)
{
	struct net_address addresses[DIAL_MOST + 4];
	struct dial d;
	size_t which;
	int fd;

	for (size_t i = 0; i < DIAL_MOST + 4; i++)
		addresses[i] = i == 5 ? open_address : closed;
	dial_init(&d, addresses, DIAL_MOST + 4, clock_ms());
	ck_assert_uint_eq(d.count, DIAL_MOST);
	ck_assert_int_eq(run(&d, &fd, &which), 0);
	ck_assert_uint_eq(which, 5);
	net_close(fd);
	dial_fini(&d);
}
END_TEST

Suite *link_dial_suite(void)
{
	Suite *s = suite_create("link_dial");
	TCase *t = tcase_create("link_dial");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_first_that_answers);
	tcase_add_test(t, test_all_refused);
	tcase_add_test(t, test_no_address);
	tcase_add_test(t, test_many);
	suite_add_tcase(s, t);
	return s;
}
