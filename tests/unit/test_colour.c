/*
 * Colours: readable on black and on white, and the same for the same nick.
 */
#include "client/colour.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* WCAG 2: relative luminance. */
static double channel(int value)
{
	double v = value / 255.0;

	return v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static void readable(int colour, int red, int green, int blue)
{
	double l = 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);

	ck_assert_msg(1.05 / (l + 0.05) >= 3.5, "colour %d on white", colour);
	ck_assert_msg((l + 0.05) / 0.05 >= 3.5, "colour %d on black", colour);
}

START_TEST(contrast)
{
	static const int levels[] = {0, 95, 135, 175, 215, 255}; /* of xterm's cube */
	size_t count;
	const short *palette = colour_palette(256, &count);

	ck_assert_uint_eq(count, COLOUR_MOST);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_ge(palette[i], 16);
		ck_assert_int_lt(palette[i], 232);
		int c = palette[i] - 16;
		readable(palette[i], levels[c / 36], levels[c / 6 % 6], levels[c % 6]);
		for (size_t j = 0; j < i; j++)
			ck_assert_int_ne(palette[i], palette[j]);
	}
}
END_TEST

START_TEST(contrast_of_eight)
{
	static const int xterm[8][3] = {{0, 0, 0}, {205, 0, 0}, {0, 205, 0}, {205, 205, 0},
		{0, 0, 238}, {205, 0, 205}, {0, 205, 205}, {229, 229, 229}};
	size_t count;
	const short *palette = colour_palette(8, &count);

	for (size_t i = 0; i < count; i++) {
		ck_assert_int_ge(palette[i], 0);
		ck_assert_int_lt(palette[i], 8);
		const int *c = xterm[palette[i]];
		readable(palette[i], c[0], c[1], c[2]);
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
	tcase_add_test(t, contrast_of_eight);
	tcase_add_test(t, few_colours);
	tcase_add_test(t, by_nick);
	suite_add_tcase(s, t);
	return s;
}
