/*
 * Plots: what gnuplot draws of them, and what is left of that.
 */
#include "tools/report/plot.h"

#include "common/err.h"
#include "tools/report/drawing.h"
#include "tools/report/gnuplot.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRORS 256

static char *text;
static size_t length;
static char error[ERRORS];

static size_t count(const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
		n++;
	return n;
}

static int draw_shape(const struct plot *p, enum plot_shape shape)
{
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	int r = plot_svg(out, p, shape, error, sizeof(error));
	ck_assert_int_eq(fclose(out), 0);
	return r;
}

static void draw(const struct plot *p)
{
	ck_assert_msg(draw_shape(p, PLOT_WIDE) == 0, "%s", error);
	ck_assert_ptr_null(strstr(text, "rgb("));
	ck_assert_ptr_null(strstr(text, " id="));
	ck_assert_ptr_null(strstr(text, "href"));
}

/* Some tests have another PATH. */
static char path_before[4096];

static void setup(void)
{
	snprintf(path_before, sizeof(path_before), "%s", getenv("PATH"));
}

static void teardown(void)
{
	ck_assert_int_eq(setenv("PATH", path_before, 1), 0);
	free(text);
	text = NULL;
}

static const struct plot_point points[] = {{0, 1}, {1, 3}, {2, 2}, {3, 5}};
#define POINTS (sizeof(points) / sizeof(points[0]))

static struct plot_series one(enum plot_style style)
{
	return (struct plot_series){.name = "n", .points = points, .count = POINTS, .style = style};
}

START_TEST(line)
{
	struct plot_series s = one(PLOT_LINE);

	draw(&(struct plot){.title = "t", .x = {.label = "a"}, .series = &s, .count = 1});
	ck_assert_uint_eq(count("class=\"line s1\""), 1);
	/* The frame, and five ticks of 0, 1, 2, ... 5. */
	ck_assert_uint_ge(count("class=\"axis\""), 1);
	ck_assert_uint_ge(count("class=\"grid\""), 5);
	ck_assert_ptr_nonnull(strstr(text, ">5</text>"));
	/* Its four points, joined. */
	const char *path = strstr(text, "class=\"line s1\"");
	size_t joints = 0;
	for (const char *p = path; *p && *p != '>'; p++)
		joints += *p == 'L';
	ck_assert_uint_eq(joints, 3);
}
END_TEST

START_TEST(every_style)
{
	struct plot_series s[] = {
		one(PLOT_LINE), one(PLOT_STEPS), one(PLOT_DOTS), one(PLOT_BARS), one(PLOT_LINE)};

	s[4].colour = 6;
	draw(&(struct plot){.title = "t", .series = s, .count = 5});
	ck_assert_uint_eq(count("class=\"line s1\""), 1);
	ck_assert_uint_eq(count("class=\"line s2\""), 1);
	/* All dots are one path, and there are as many as points. */
	ck_assert_uint_eq(count("class=\"dots s3\""), 1);
	ck_assert_uint_eq(count("h.1"), POINTS);
	ck_assert_uint_eq(count("class=\"bars s4\""), POINTS);
	ck_assert_uint_eq(count("class=\"line s6\""), 1);
}
END_TEST

/* A line is two where a point between has no place. */
START_TEST(gap)
{
	const struct plot_point broken[] = {{0, 1}, {1, 2}, {2, NAN}, {3, 2}, {4, 3}, {5, 0}};
	struct plot_series s = {.name = "n", .points = broken, .count = 6};

	draw(&(struct plot){.title = "t", .y = {.scale = TICKS_LOG}, .series = &s, .count = 1});
	const char *path = strstr(text, "class=\"line s1\"");
	ck_assert_ptr_nonnull(path);
	size_t moves = 0, joints = 0;
	for (const char *p = path; *p && *p != '>'; p++) {
		moves += *p == 'M';
		joints += *p == 'L';
	}
	ck_assert_uint_eq(moves, 2);
	ck_assert_uint_eq(joints, 2);
}
END_TEST

START_TEST(nothing_to_draw)
{
	const struct plot_point nowhere[] = {{0, NAN}, {NAN, 1}, {INFINITY, 2}};
	struct plot_series s[] = {{.name = "empty"}, {.name = "n", .points = nowhere, .count = 3}};

	draw(&(struct plot){.title = "t", .series = s, .count = 2});
	ck_assert_ptr_nonnull(strstr(text, "no data"));
	ck_assert_uint_eq(count("class=\"line"), 0);
}
END_TEST

/* Every combination of scales and odd points is one that gnuplot takes. */
START_TEST(odd_points)
{
	const struct plot_point odd[][2] = {
		{{0, 0}, {0, 0}},
		{{5, 5}, {5, 5}},
		{{-1, -1}, {-2, -2}},
		{{1e300, 1e300}, {1e-300, 1e-300}},
		{{0.5, 1e15}, {0.5, 1e15 + 1}},
		{{0.25, 1e-12}, {0.75, 2e-12}},
	};
	const enum plot_style styles[] = {PLOT_LINE, PLOT_STEPS, PLOT_DOTS, PLOT_BARS};
	struct plot_series s = {.name = "n", .points = odd[_i], .count = 2};

	for (int x = TICKS_LINEAR; x <= TICKS_PERCENTILE; x++) {
		for (int y = TICKS_LINEAR; y <= TICKS_PERCENTILE; y++) {
			s.style = styles[(x + y) % 4];
			draw(&(struct plot){.title = "t",
				.x = {.scale = (enum ticks_scale)x},
				.y = {.scale = (enum ticks_scale)y},
				.series = &s,
				.count = 1});
			free(text);
			text = NULL;
		}
	}
}
END_TEST

START_TEST(fixed_range)
{
	struct plot_series s = one(PLOT_LINE);

	draw(&(struct plot){.title = "t",
		.y = {.fixed = true, .low = 0, .high = 50},
		.series = &s,
		.count = 1});
	ck_assert_ptr_nonnull(strstr(text, ">50</text>"));
}
END_TEST

/* Words that would be commands of gnuplot, or markup, are neither. */
START_TEST(hostile_words)
{
	const char *hostile = "'; system('touch /tmp/x') `id` <b>\"&\n\x1b[31m\xff\xe2\x80\xae";
	struct plot_series s[] = {one(PLOT_LINE), one(PLOT_DOTS)};

	s[0].name = hostile;
	draw(&(struct plot){.title = hostile,
		.x = {.label = hostile, .unit = hostile},
		.y = {.label = hostile},
		.series = s,
		.count = 2});
	ck_assert_uint_eq(count("&#39;; system(&#39;touch"), 4);
	ck_assert_uint_eq(count("&lt;b&gt;&quot;&amp;"), 4);
	ck_assert_ptr_null(strstr(text, "<b>"));
	ck_assert_ptr_null(strchr(text, '\x1b'));
	ck_assert_ptr_null(strchr(text, '\xff'));
	ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
}
END_TEST

static void list(const struct plot *p)
{
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(plot_legend(out, p), 0);
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(legend)
{
	struct plot_series s[] = {
		one(PLOT_LINE), one(PLOT_STEPS), one(PLOT_DOTS), one(PLOT_BARS), one(PLOT_LINE)};

	s[0].name = "a<b";
	s[4].colour = 6;
	list(&(struct plot){.series = s, .count = 5});
	ck_assert_uint_eq(count("<li>"), 5);
	ck_assert_uint_eq(count("<bdi>a&lt;b</bdi>"), 1);
	ck_assert_uint_eq(count("class=\"line s2\""), 1);
	ck_assert_uint_eq(count("class=\"dots s3\""), 1);
	ck_assert_uint_eq(count("class=\"bars s4\""), 1);
	ck_assert_uint_eq(count("class=\"line s6\""), 1);
}
END_TEST

START_TEST(no_legend_for_one)
{
	struct plot_series s = one(PLOT_LINE);

	list(&(struct plot){.series = &s, .count = 1});
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(too_many_series)
{
	struct plot_series s[PLOT_SERIES_MAX + 1];

	for (size_t i = 0; i <= PLOT_SERIES_MAX; i++)
		s[i] = one(PLOT_LINE);
	draw(&(struct plot){.title = "t", .series = s, .count = PLOT_SERIES_MAX});
	ck_assert_uint_eq(count("class=\"line s1\""), 2);
	free(text);
	ck_assert_int_eq(
		draw_shape(&(struct plot){.series = s, .count = PLOT_SERIES_MAX + 1}, PLOT_NARROW),
		ERR_ARGUMENT);
}
END_TEST

/* Who has no gnuplot is told which package to install; nothing is drawn. */
START_TEST(not_installed)
{
	struct plot_series s = one(PLOT_LINE);

	ck_assert_msg(plot_check(error, sizeof(error)) == 0, "%s", error);
	ck_assert_int_eq(setenv("PATH", "/nowhere", 1), 0);
	ck_assert_int_eq(plot_check(error, sizeof(error)), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error, "gnuplot-nox"));
	ck_assert_int_eq(
		draw_shape(&(struct plot){.series = &s, .count = 1}, PLOT_WIDE), ERR_NOT_FOUND);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(bad_script)
{
	const char script[] = "plot nonsense(\n";
	char *answer = NULL;

	ck_assert_int_eq(
		gnuplot_run(script, strlen(script), &answer, error, sizeof(error)), ERR_REFUSED);
	ck_assert_ptr_null(answer);
	ck_assert_ptr_nonnull(strstr(error, "invalid expression"));
}
END_TEST

/* Another program of that name, whose settings and signals are not ours. */
START_TEST(killed)
{
	char folder[] = "/tmp/lanchat-test-plot-XXXXXX", path[64], *answer = NULL;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/gnuplot", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	const char script[] = "#!/bin/sh\nkill -9 $$\n";
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, script, strlen(script)), (ssize_t)strlen(script));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(setenv("PATH", folder, 1), 0);
	int r = gnuplot_run("", 0, &answer, error, sizeof(error));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(r, ERR_REFUSED);
	ck_assert_ptr_null(answer);
}
END_TEST

/* Answers that are cut anywhere are refused or drawn, never read beyond their end. */
START_TEST(cut_answer)
{
	static const char answer[] =
		"<?xml version=\"1.0\"?><svg viewBox='0 0 1 1'><title>x</title><g id=\"p\">"
		"<path stroke='rgb(  1,   0,  16)' d='M1.25,2.00 L3.99,4.00 '/>"
		"<use xlink:href='#gpPt6' transform='translate(1.50,2.50) scale(2.44)' "
		"color='rgb(  1,   0,  17)'/>"
		"<polygon fill = 'rgb(  1,   0,  18)' points = '1,1 2,2 '/>"
		"<g transform=\"translate(5.00,6.55)\" "
		"text-anchor=\"end\"><text>10</text></g></g></svg>";

	for (size_t cut = 0; cut < sizeof(answer); cut++) {
		char *part = strndup(answer, cut);
		FILE *out = open_memstream(&text, &length);

		ck_assert_ptr_nonnull(part);
		ck_assert_ptr_nonnull(out);
		ck_assert_int_eq(
			drawing_write(out, part), cut < sizeof(answer) - 1 ? ERR_DAMAGED : 0);
		ck_assert_int_eq(fclose(out), 0);
		free(part);
		if (cut < sizeof(answer) - 1) {
			free(text);
			text = NULL;
		}
	}
	ck_assert_str_eq(text,
		"<path class=\"line s1\" d=\"M1.2,2 L3.9,4 \"/>\n"
		"<path class=\"dots s2\" d=\"M1.5,2.5h.1\"/>\n"
		"<polygon class=\"bars s3\" points=\"1,1 2,2 \"/>\n"
		"<text class=\"tick\" x=\"5\" y=\"6.5\" text-anchor=\"end\">10</text>\n");
}
END_TEST

Suite *report_plot_suite(void)
{
	Suite *s = suite_create("report_plot");
	TCase *c = tcase_create("report_plot");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, line);
	tcase_add_test(c, every_style);
	tcase_add_test(c, gap);
	tcase_add_test(c, nothing_to_draw);
	tcase_add_loop_test(c, odd_points, 0, 6);
	tcase_add_test(c, fixed_range);
	tcase_add_test(c, hostile_words);
	tcase_add_test(c, legend);
	tcase_add_test(c, no_legend_for_one);
	tcase_add_test(c, too_many_series);
	tcase_add_test(c, not_installed);
	tcase_add_test(c, bad_script);
	tcase_add_test(c, killed);
	tcase_add_test(c, cut_answer);
	suite_add_tcase(s, c);
	return s;
}
