/*
 * Waking: readable after any number of signals, and not after clearing once.
 */
#include "common/wakeup.h"

#include "common/net.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

START_TEST(signals_count_as_one)
{
	int fd = -1;

	ck_assert_int_eq(wakeup_open(&fd), 0);
	ck_assert(!readable(fd));
	for (int i = 0; i < 1000; i++)
		wakeup_signal(fd);
	ck_assert(readable(fd));
	wakeup_clear(fd);
	ck_assert(!readable(fd));
	wakeup_signal(fd);
	ck_assert(readable(fd));
	net_close(fd);
}
END_TEST

START_TEST(clearing_what_is_clear)
{
	int fd = -1;

	ck_assert_int_eq(wakeup_open(&fd), 0);
	errno = ENOENT;
	wakeup_clear(fd);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(!readable(fd));
	net_close(fd);
}
END_TEST

Suite *wakeup_suite(void)
{
	Suite *s = suite_create("wakeup");
	TCase *t = tcase_create("descriptor");

	tcase_add_test(t, signals_count_as_one);
	tcase_add_test(t, clearing_what_is_clear);
	suite_add_tcase(s, t);
	return s;
}
