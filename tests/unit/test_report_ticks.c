/*
 * The ticks of an axis: round numbers, enough of them and never too many, whatever the range.
 */
#include "tools/report/ticks.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define N "\xe2\x80\xaf"

static const struct {
	enum ticks_scale scale;
	double low, high;
	bool whole;
	size_t most;
	const char *labels;
} cases[] = {
	{TICKS_LINEAR, 0, 60, false, 8, "0 10 20 30 40 50 60"},
	{TICKS_LINEAR, 3, 58, false, 8, "10 20 30 40 50"},
	{TICKS_LINEAR, 3, 58, true, 8, "0 10 20 30 40 50 60"},
	{TICKS_LINEAR, 0, 0.8, true, 5, "0.0 0.2 0.4 0.6 0.8"},
	{TICKS_LINEAR, -3, 4, true, 5, "-4 -2 0 2 4"},
	{TICKS_LINEAR, 0, 12480, true, 5, "0 5" N "000 10" N "000 15" N "000"},
	{TICKS_LINEAR, 0, 9000, true, 5, "0 2" N "000 4" N "000 6" N "000 8" N "000 10" N "000"},
	{TICKS_LINEAR, 0, 4e6, true, 5, "0 1" N "M 2" N "M 3" N "M 4" N "M"},
	{TICKS_LINEAR, 0, 3e9, true, 5, "0 1" N "G 2" N "G 3" N "G"},
	/* All the same, nothing, and what is no number. */
	{TICKS_LINEAR, 0, 0, true, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
	{TICKS_LINEAR, 7, 7, true, 5, "0 5 10 15"},
	{TICKS_LINEAR, INFINITY, -INFINITY, true, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
	{TICKS_LINEAR, NAN, NAN, false, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
	{TICKS_LOG, 0.3, 37, true, 5, "0.2 0.5 1 2 5 10 20 50"},
	{TICKS_LOG, 0.3, 37, false, 5, "0.5 1 2 5 10 20"},
	{TICKS_LOG, 0.3, 3700, true, 5, "0.1 1 10 100 1" N "000 10" N "000"},
	{TICKS_LOG, 1, 1e12, true, 5, "1 1" N "000 1" N "M 1" N "G 1" N "T"},
	{TICKS_LOG, 5, 5, true, 5, "5 10 20 50"},
	{TICKS_LOG, INFINITY, -INFINITY, true, 5, "1 2 5 10"},
	{TICKS_PERCENTILE, 0, 0.9995, false, 8, "0% 50% 90% 99% 99.9%"},
	{TICKS_PERCENTILE, 0, 0.9995, false, 4, "0% 90% 99% 99.9%"},
	{TICKS_PERCENTILE, 0.5, 0.99, false, 8, "50% 90% 99%"},
	{TICKS_PERCENTILE, 1, 1, false, 8, "0% 50% 90% 99%"},
};

static void join(const struct ticks *t, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < t->count; i++) {
		size_t used = strlen(out);

		snprintf(out + used, size - used, "%s%s", i ? " " : "", t->at[i].label);
	}
}

START_TEST(labels)
{
	struct ticks t;
	char joined[TICKS_MAX * TICKS_LABEL];

	ticks_choose(cases[_i].scale, cases[_i].low, cases[_i].high, cases[_i].whole,
		cases[_i].most, &t);
	join(&t, joined, sizeof(joined));
	ck_assert_str_eq(joined, cases[_i].labels);
	ck_assert(isfinite(t.low) && isfinite(t.high));
	ck_assert_double_lt(t.low, t.high);
	for (size_t i = 0; i < t.count; i++) {
		ck_assert_double_ge(t.at[i].place, t.low - 1e-6 * fabs(t.low));
		ck_assert_double_le(t.at[i].place, t.high + 1e-6 * fabs(t.high));
	}
}
END_TEST

/* Over many powers of ten, wherever the range begins, there are some ticks, and they have room. */
START_TEST(any_range)
{
	struct ticks t;

	for (int power = -9; power <= 12; power++) {
		for (double low = 0; low < 10; low += 0.7) {
			for (double wide = 0.013; wide < 100; wide *= 1.9) {
				double from = low * pow(10, power),
				       to = from + wide * pow(10, power);

				for (size_t most = 3; most <= 12; most++) {
					ticks_choose(
						TICKS_LINEAR, from, to, most % 2 == 0, most, &t);
					ck_assert_uint_ge(t.count, most % 2 == 0 ? 2 : 1);
					ck_assert_uint_le(t.count, most + 3);
					ck_assert_double_le(t.low, from + 1e-9 * fabs(from));
					ck_assert_double_ge(t.high, to - 1e-9 * fabs(to));
					ticks_choose(TICKS_LOG, from, to, true, most, &t);
					ck_assert_uint_ge(t.count, 2);
					ck_assert_uint_le(t.count, most + 4);
				}
			}
		}
	}
}
END_TEST

START_TEST(places)
{
	ck_assert_double_eq(ticks_place(TICKS_LINEAR, -3), -3);
	ck_assert_double_eq_tol(ticks_place(TICKS_LOG, 1000), 3, 1e-12);
	ck_assert(!isfinite(ticks_place(TICKS_LOG, 0)));
	ck_assert(!isfinite(ticks_place(TICKS_LOG, -1)));
	ck_assert_double_eq_tol(ticks_place(TICKS_PERCENTILE, 0.999), 3, 1e-9);
	ck_assert(!isfinite(ticks_place(TICKS_PERCENTILE, 1)));
	ck_assert(!isfinite(ticks_place(TICKS_PERCENTILE, -0.1)));
}
END_TEST

Suite *report_ticks_suite(void)
{
	Suite *s = suite_create("report_ticks");
	TCase *c = tcase_create("report_ticks");

	tcase_add_loop_test(c, labels, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(c, any_range);
	tcase_add_test(c, places);
	suite_add_tcase(s, c);
	return s;
}
