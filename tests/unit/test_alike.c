/*
 * Calls that are alike: the first of them are told, the others counted.
 */
#include "tools/lab/alike.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* What is kept of a call is borrowed. */
static char op_send[] = "send", op_receive[] = "recvmsg", op_close[] = "close", reason[] = "so";
static struct alike a;
static char told[256];

static void tell(void *of, const char *line)
{
	size_t used = strlen(told);

	ck_assert_ptr_eq(of, &a);
	snprintf(told + used, sizeof(told) - used, "%s;", line);
}

static void setup(void)
{
	a = (struct alike){.tell = tell, .of = &a};
	told[0] = '\0';
}

/* How many of so many calls are shown. */
static unsigned shown(char *operation, int fd, long result, char *why, unsigned count)
{
	const struct journal_call c = {
		.fd = fd, .result = result, .operation = operation, .why = why};
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += !alike_is_more(&a, &c);
	return n;
}

START_TEST(first_ones)
{
	ck_assert_uint_eq(shown(op_send, 4, 5, NULL, 10), ALIKE);
	ck_assert_str_eq(told, "");
	alike_end(&a);
	ck_assert_str_eq(told, "... and 7 more send(4, ...);");
	/* They begin anew, and nothing is told of what was shown. */
	told[0] = '\0';
	ck_assert_uint_eq(shown(op_send, 4, 5, NULL, ALIKE), ALIKE);
	alike_end(&a);
	ck_assert_str_eq(told, "");
}
END_TEST

/* Two in turn are counted each for itself; another descriptor or another outcome is another kind. */
START_TEST(kinds)
{
	unsigned n = 0;

	for (int i = 0; i < 5; i++)
		n += shown(op_send, 4, 5, NULL, 1) + shown(op_receive, 6, 5, NULL, 1);
	ck_assert_uint_eq(n, 2 * ALIKE);
	ck_assert_uint_eq(shown(op_send, 4, -1, NULL, 5), ALIKE);
	ck_assert_str_eq(told, "... and 2 more send(4, ...);... and 2 more recvmsg(6, ...);");
	told[0] = '\0';
	ck_assert_uint_eq(shown(op_send, 7, 5, NULL, 1), 1);
	ck_assert_str_eq(told, "... and 2 more send(4, ...) that failed;");
}
END_TEST

/* What has a reason, and what is not done again and again, is told each time, behind what was left out. */
START_TEST(always)
{
	ck_assert_uint_eq(shown(op_send, 4, 5, reason, 9), 9);
	ck_assert_uint_eq(shown(op_close, 4, 0, NULL, 9), 9);
	ck_assert_uint_eq(shown(op_send, 4, 5, NULL, 9), ALIKE);
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(shown(op_close, 4, 0, NULL, 1), 1);
	ck_assert_str_eq(told, "... and 6 more send(4, ...);");
}
END_TEST

/* More kinds than there are places: all are told in the end. */
START_TEST(many)
{
	for (int fd = 0; fd < ALIKE_KINDS + 1; fd++)
		ck_assert_uint_eq(shown(op_send, fd, 5, NULL, ALIKE), ALIKE);
	ck_assert_uint_eq(shown(op_send, ALIKE_KINDS, 5, NULL, 2), 0);
	alike_end(&a);
	ck_assert_str_eq(told, "... and 2 more send(16, ...);");
}
END_TEST

Suite *alike_suite(void);

Suite *alike_suite(void)
{
	Suite *s = suite_create("alike");
	TCase *t = tcase_create("alike");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, first_ones);
	tcase_add_test(t, kinds);
	tcase_add_test(t, always);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	return s;
}
