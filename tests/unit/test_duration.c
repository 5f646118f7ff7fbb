/*
 * Durations: what is one, what is none, and how they are shown.
 */
#include "common/duration.h"

#include "common/err.h"

#include <check.h>

#define MOST UINT64_C(315360000)

static const struct {
	const char *text;
	int err;
	uint64_t seconds;
} cases[] = {
	{"1s", 0, 1},
	{"90s", 0, 90},
	{"10m", 0, 600},
	{"2h", 0, 7200},
	{"1d", 0, 86400},
	{"2w", 0, 1209600},
	{"1h30m", 0, 5400},
	{"1w2d3h4m5s", 0, 788645},
	{"0h5m", 0, 300},
	{"007s", 0, 7},
	{"315360000s", 0, MOST},
	{"3650d", 0, MOST},
	{"315360001s", ERR_TOO_BIG, 0},
	{"3650d1s", ERR_TOO_BIG, 0},
	{"99999999999999d", ERR_TOO_BIG, 0},
	{"18446744073709551617s", ERR_TOO_BIG, 0}, /* 2^64 + 1 */
	{"99999999999999999999999999999999999999999999w9d", ERR_TOO_BIG, 0},
	{"", ERR_ARGUMENT, 0},
	{"s", ERR_ARGUMENT, 0},
	{"5", ERR_ARGUMENT, 0},
	{"2x", ERR_ARGUMENT, 0},
	{"0s", ERR_ARGUMENT, 0},
	{"0d0h", ERR_ARGUMENT, 0},
	{"-5m", ERR_ARGUMENT, 0},
	{"+5m", ERR_ARGUMENT, 0},
	{"1.5h", ERR_ARGUMENT, 0},
	{"1h30", ERR_ARGUMENT, 0},
	{"30m1h", ERR_ARGUMENT, 0},
	{"1h1h", ERR_ARGUMENT, 0},
	{"1h ", ERR_ARGUMENT, 0},
	{" 1h", ERR_ARGUMENT, 0},
	{"1H", ERR_ARGUMENT, 0},
};

START_TEST(parsed)
{
	uint64_t seconds = 0;

	ck_assert_int_eq(duration_parse(cases[_i].text, MOST, &seconds), cases[_i].err);
	ck_assert_uint_eq(seconds, cases[_i].seconds);
}
END_TEST

static const struct {
	uint64_t seconds;
	const char *text;
} shown[] = {
	{0, "0 s"},
	{4, "4 s"},
	{60, "1 min"},
	{90, "1 min 30 s"},
	{600, "10 min"},
	{3600, "1 h"},
	{5400, "1 h 30 min"},
	{5401, "1 h 30 min"},
	{3601, "1 h"},
	{86400, "1 day"},
	{86400 + 3 * 3600, "1 day 3 h"},
	{2 * 86400 + 59, "2 days"},
	{MOST, "3650 days"},
	{UINT64_MAX, "213503982334601 days 7 h"},
};

START_TEST(printed)
{
	char text[DURATION_SIZE];

	ck_assert_str_eq(duration_print(shown[_i].seconds, text), shown[_i].text);
}
END_TEST

Suite *duration_suite(void)
{
	Suite *s = suite_create("duration");
	TCase *t = tcase_create("duration");

	tcase_add_loop_test(t, parsed, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_loop_test(t, printed, 0, (int)(sizeof shown / sizeof shown[0]));
	suite_add_tcase(s, t);
	return s;
}
