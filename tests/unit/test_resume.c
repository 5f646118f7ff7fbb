/*
 * Waking from sleep cannot be had in a test, nor may the clock be set; so this
 * tests that nothing is reported while nothing happens.
 */
#include "common/resume.h"

#include "common/net.h"

#include <check.h>
#include <poll.h>

START_TEST(quiet)
{
	struct pollfd p = {.fd = -1, .events = POLLIN};

	ck_assert_int_eq(resume_watch(&p.fd), 0);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	ck_assert(!resume_happened(p.fd));
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	net_close(p.fd);
}
END_TEST

Suite *resume_suite(void)
{
	Suite *s = suite_create("resume");
	TCase *t = tcase_create("descriptor");

	tcase_add_test(t, quiet);
	suite_add_tcase(s, t);
	return s;
}
