/*
 * Colours: readable on black and on white, and the same for the same nick.
 */
#include "client/colour.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* WCAG 2: relative luminance of a colour of xterm's cube. */
static double channel(int level)
{
	static const int values[] = {0, 95, 135, 175, 215, 255};
	double v = values[level] / 255.0;

	return v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

START_TEST(contrast)
{
	size_t count;
	const short *palette = colour_palette(256, &count);

	ck_assert_uint_eq(count, COLOUR_MOST);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_ge(palette[i], 16);
		ck_assert_int_lt(palette[i], 232);
		int c = palette[i] - 16;
		double l = 0.2126 * channel(c / 36) + 0.7152 * channel(c / 6 % 6) +
			   0.0722 * channel(c % 6);
		ck_assert_msg(1.05 / (l + 0.05) >= 3.5, "colour %d on white", palette[i]);
		ck_assert_msg((l + 0.05) / 0.05 >= 3.5, "colour %d on black", palette[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_int_ne(palette[i], palette[j]);
	}
}
END_TEST

START_TEST(few_colours)
{
	size_t count;

	colour_palette(8, &count);
	ck_assert_uint_gt(count, 1);
	colour_palette(16, &count);
	ck_assert_uint_gt(count, 1);
	colour_palette(2, &count);
	ck_assert_uint_eq(count, 0);
	colour_palette(0, &count);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(by_nick)
{
	bool used[COLOUR_MOST] = {0};
	size_t different = 0;
	char nick[32];

	ck_assert_uint_eq(colour_of_nick("Anna", COLOUR_MOST), colour_of_nick("anna", COLOUR_MOST));
	for (int i = 0; i < 200; i++) {
		(void)snprintf(nick, sizeof nick, "person%d", i);
		size_t c = colour_of_nick(nick, COLOUR_MOST);
		ck_assert_uint_lt(c, COLOUR_MOST);
		different += !used[c];
		used[c] = true;
	}
	ck_assert_uint_eq(different, COLOUR_MOST);
	ck_assert_uint_eq(colour_of_nick("\xff", 1), 0);
}
END_TEST

Suite *colour_suite(void)
{
	Suite *s = suite_create("colour");
	TCase *t = tcase_create("palette");

	tcase_add_test(t, contrast);
	tcase_add_test(t, few_colours);
	tcase_add_test(t, by_nick);
	suite_add_tcase(s, t);
	return s;
}
