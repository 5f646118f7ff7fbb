/*
 * Figures as people read them: every unit's edges, and no locale in them.
 */
#include "tools/stress/figure.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static const struct {
	uint64_t number;
	const char *count, *time, *bytes;
} whole[] = {
	{0, "0", "0 us", "0 B"},
	{999, "999", "999 us", "999 B"},
	{1000, "1,000", "1.0 ms", "1000 B"},
	{1023, "1,023", "1.0 ms", "1023 B"},
	{1024, "1,024", "1.0 ms", "1.0 KiB"},
	{999949, "999,949", "999.9 ms", "976.5 KiB"},
	{999950, "999,950", "1.00 s", "976.5 KiB"},
	{1048575, "1,048,575", "1.05 s", "1.0 MiB"},
	{12345678, "12,345,678", "12.35 s", "11.8 MiB"},
	{UINT64_MAX, "18,446,744,073,709,551,615", "18,446,744,073,709.55 s", "16.0 EiB"},
};

START_TEST(whole_numbers)
{
	char out[FIGURE_MAX];

	ck_assert_ptr_eq(figure_count(whole[_i].number, out), out);
	ck_assert_str_eq(out, whole[_i].count);
	ck_assert_str_eq(figure_time(whole[_i].number, out), whole[_i].time);
	ck_assert_str_eq(figure_bytes(whole[_i].number, out), whole[_i].bytes);
}
END_TEST

static const struct {
	double number;
	const char *text;
} about[] = {
	{0, "0"},
	{-1, "0"},
	{(double)NAN, "0"},
	{(double)INFINITY, "1,000,000.00 G"},
	{0.04, "0.0"},
	{0.5, "0.5"},
	{7, "7"},
	{7.34, "7.3"},
	{99.94, "99.9"},
	{99.95, "100"},
	{11812.4, "11,812"},
	{999999.4, "999,999"},
	{999999.6, "1.00 M"},
	{5.6e6, "5.60 M"},
	{999.996e6, "1.00 G"},
	{1.2e9, "1.20 G"},
};

START_TEST(about_so_many)
{
	char out[FIGURE_MAX];

	ck_assert_str_eq(figure_about(about[_i].number, out), about[_i].text);
}
END_TEST

/* Where a comma stands for the point, programs that read the table would be misled. */
START_TEST(the_same_in_every_locale)
{
	char out[FIGURE_MAX];

	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		(void)setlocale(LC_ALL, "");
	ck_assert_str_eq(figure_time(1500000, out), "1.50 s");
	ck_assert_str_eq(figure_about(7.34, out), "7.3");
}
END_TEST

Suite *figure_suite(void)
{
	Suite *s = suite_create("figure");
	TCase *c = tcase_create("figure");

	tcase_add_loop_test(c, whole_numbers, 0, (int)(sizeof whole / sizeof whole[0]));
	tcase_add_loop_test(c, about_so_many, 0, (int)(sizeof about / sizeof about[0]));
	tcase_add_test(c, the_same_in_every_locale);
	suite_add_tcase(s, c);
	return s;
}
