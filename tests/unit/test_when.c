/*
 * Points in time as people type them: every form, around midnight, and where the
 * clocks are put forward and back.
 */
#include "client/when.h"

#include "common/err.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define BRAZIL "<-03>3<-02>,M11.1.0/0,M2.3.0/0" /* forward at midnight */
#define NOON   INT64_C(1795348800)              /* 2026-11-22 12:00:00 UTC */

static const struct {
	const char *zone;
	const char *text;
	int64_t now;
	int64_t expected; /* -1: ERR_ARGUMENT */
} cases[] = {
	/* days and times */
	{"UTC0", "2026-11-22", NOON, NOON - 43200},
	{"UTC0", "2026-11-20T14:30", NOON, NOON - 2 * 86400 + 9000},
	{"UTC0", "2026-11-20 14:30", NOON, NOON - 2 * 86400 + 9000},
	{"UTC0", "2026-11-20T14:30:05", NOON, NOON - 2 * 86400 + 9005},
	{"UTC0", "1970-01-01", NOON, 0},
	{"CET-1", "1970-01-01", NOON, 0}, /* an hour before 1970 */
	{"UTC0", "2024-02-29", NOON, 1709164800},
	{"UTC0", "2000-02-29", NOON, 951782400},
	{"CET-1", "2026-11-22T13:00", NOON, NOON},
	{"EST5", "2026-11-22T07:00", NOON, NOON},
	{"UTC0", "2030-01-01", NOON, 1893456000}, /* to come */
	/* the last time that it was so */
	{"UTC0", "12:00", NOON, NOON},
	{"UTC0", "11:59:59", NOON, NOON - 1},
	{"UTC0", "12:00:01", NOON, NOON + 1 - 86400},
	{"UTC0", "00:00", NOON, NOON - 43200},
	{"UTC0", "23:59", NOON - 43200, NOON - 43200 - 60}, /* at midnight sharp */
	{"UTC0", "00:00", NOON - 43200, NOON - 43200},
	{"UTC0", "00:00", NOON - 43201, NOON - 43200 - 86400}, /* a second before it */
	{"UTC0", "23:59", 1798761600, 1798761540},             /* into the year before */
	{"CET-1", "00:30", NOON + 43200, NOON + 43200 - 1800}, /* 01:00 there */
	/* so long ago */
	{"UTC0", "0m", NOON, NOON},
	{"UTC0", "90m", NOON, NOON - 5400},
	{"UTC0", "2h", NOON, NOON - 7200},
	{"UTC0", "3d", NOON, NOON - 3 * 86400},
	{"UTC0", "2w", NOON, NOON - 14 * 86400},
	{"UTC0", "007d", NOON, NOON - 7 * 86400},
	{"UTC0", "999999w", NOON, 0},
	{"UTC0", "1d", 86399, 0},
	/* 2026-03-29: 02:00 becomes 03:00 at 1774746000; days of 23 and 25 hours */
	{BERLIN, "2026-03-29", 1774746000, 1774738800},
	{BERLIN, "2026-03-30", 1774900000, 1774821600},
	{BERLIN, "2026-03-29T03:00", 1774746000, 1774746000},
	{BERLIN, "01:59", 1774746000, 1774745940},
	{BERLIN, "12:00", 1774746000, 1774695600}, /* yesterday's, before the change */
	{BERLIN, "1d", 1774746000, 1774746000 - 86400},
	/* 2026-10-25: 03:00 becomes 02:00 at 1792890000; 02:30 comes twice */
	{BERLIN, "2026-10-25T02:30", 1792900000, 1792888200},
	{BERLIN, "02:30", 1792888500, 1792888200}, /* between the two */
	{BERLIN, "02:30", 1792900000, 1792888200},
	{BERLIN, "2026-10-25T01:59", 1792900000, 1792886340},
	{BERLIN, "2026-10-25T03:00", 1792900000, 1792893600},
	{BERLIN, "2026-10-26", 1793000000, 1792969200},
	/* none of these */
	{"UTC0", "", NOON, -1},
	{"UTC0", " ", NOON, -1},
	{"UTC0", "yesterday", NOON, -1},
	{"UTC0", "50", NOON, -1},
	{"UTC0", "h", NOON, -1},
	{"UTC0", "2hh", NOON, -1},
	{"UTC0", "2 h", NOON, -1},
	{"UTC0", "-2h", NOON, -1},
	{"UTC0", "+2h", NOON, -1},
	{"UTC0", "2y", NOON, -1},
	{"UTC0", "10000000000000000000000d", NOON, -1},
	{"UTC0", "24:00", NOON, -1},
	{"UTC0", "23:60", NOON, -1},
	{"UTC0", "23:59:60", NOON, -1},
	{"UTC0", "1:30", NOON, -1},
	{"UTC0", "14:3", NOON, -1},
	{"UTC0", "14:30:", NOON, -1},
	{"UTC0", "14:30 ", NOON, -1},
	{"UTC0", "14:30:05:", NOON, -1},
	{"UTC0", "2026-11", NOON, -1},
	{"UTC0", "2026-11-2", NOON, -1},
	{"UTC0", "2026-11-31", NOON, -1},
	{"UTC0", "2026-02-29", NOON, -1},
	{"UTC0", "2100-02-29", NOON, -1},
	{"UTC0", "2026-00-10", NOON, -1},
	{"UTC0", "2026-13-10", NOON, -1},
	{"UTC0", "2026-10-00", NOON, -1},
	{"UTC0", "1969-12-31", NOON, -1},
	{"UTC0", "2026-11-20T", NOON, -1},
	{"UTC0", "2026-11-20 ", NOON, -1},
	{"UTC0", "2026-11-20X14:30", NOON, -1},
	{"UTC0", "2026-11-20T14", NOON, -1},
	{"UTC0", "2026-11-20T14:30Z", NOON, -1},
};

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

START_TEST(test_cases)
{
	int64_t seconds = -7;

	set_zone(cases[_i].zone);
	int r = when_parse(cases[_i].text, cases[_i].now, &seconds);
	if (cases[_i].expected < 0) {
		ck_assert_msg(r == ERR_ARGUMENT, "\"%s\" was taken", cases[_i].text);
		ck_assert_int_eq(seconds, -7);
	} else {
		ck_assert_msg(r == 0, "\"%s\" was not taken", cases[_i].text);
		ck_assert_int_eq(seconds, cases[_i].expected);
	}
}
END_TEST

/* A day that has no midnight begins within an hour of where it should. */
START_TEST(test_no_midnight)
{
	int64_t seconds;

	set_zone(BRAZIL);
	ck_assert_int_eq(when_parse("2026-11-01", NOON, &seconds), 0);
	ck_assert_int_ge(seconds, 1793502000 - 3600);
	ck_assert_int_le(seconds, 1793502000);
}
END_TEST

Suite *when_suite(void)
{
	Suite *s = suite_create("when");
	TCase *tc = tcase_create("when");

	tcase_add_loop_test(tc, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, test_no_midnight);
	suite_add_tcase(s, tc);
	return s;
}
