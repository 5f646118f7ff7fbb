#include "tools/stress/result_plots.h"

#include "tools/report/percentiles.h"
#include "tools/stress/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CAPTION    160
#define POINTS_MAX 1000 /* of a series: more than the page has columns */

/* ---- by percentile ---- */

void plots_latency(struct page *page, const struct result *r)
{
	const struct {
		const char *name;
		const struct histogram_view *view;
	} kinds[] = {
		{r->rate > 0 ? "from when it was due" : "from sending", &r->latency},
		{"from sending", &r->service},
		{"acknowledged", &r->acknowledge},
	};
	struct plot_point points[3][PERCENTILES_MAX];
	struct plot_series series[3];
	size_t count = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t got = percentiles_fill(kinds[i].view, points[i]);

		/* By window a message is sent when it is due. */
		if (got == 0 || (i == 1 && !(r->rate > 0)))
			continue;
		series[count] = (struct plot_series){.name = kinds[i].name,
			.points = points[i],
			.count = got,
			.colour = (int)i + 1};
		count++;
	}
	const struct plot plot = {.title = "Latency by percentile",
		.x = {.label = "percentile", .scale = TICKS_PERCENTILE},
		.y = {.label = "latency", .unit = "ms", .scale = TICKS_LOG},
		.series = series,
		.count = count};
	if (count > 0)
		page_plot(page, &plot,
			"At 99 %: what 99 of 100 took at most. From 90 to 99 % there is as much "
			"room as from 99 to 99.9 %.");
}

/* ---- second by second ---- */

/* What of a second is shown; a second without it: not finite. */
typedef double (*figure_of)(const struct result_second *s, double length);

static double delivered(const struct result_second *s, double length)
{
	return (double)s->delivered / length;
}

static double p50(const struct result_second *s, double length)
{
	(void)length;
	return s->delivered > 0 ? s->p50_us / 1e3 : NAN;
}

static double p99(const struct result_second *s, double length)
{
	(void)length;
	return s->delivered > 0 ? s->p99_us / 1e3 : NAN;
}

static double most(const struct result_second *s, double length)
{
	(void)length;
	return s->delivered > 0 ? s->most_us / 1e3 : NAN;
}

static double own_cpu(const struct result_second *s, double length)
{
	(void)length;
	return s->own_cpu_permille / 1e3;
}

static double server_cpu(const struct result_second *s, double length)
{
	return s->server_resident > 0 ? (double)s->server_cpu_ns / 1e9 / length : NAN;
}

static double memory(const struct result_second *s, double length)
{
	(void)length;
	return s->server_resident > 0 ? (double)s->server_resident / (1 << 20) : NAN;
}

/* Every n-th one, such that POINTS_MAX are not exceeded. */
static size_t fill_seconds(const struct result *r, figure_of figure, struct plot_point *points)
{
	size_t step = 1 + (r->seconds_count - 1) / POINTS_MAX, count = 0;

	for (size_t i = 0; i < r->seconds_count; i += step) {
		uint64_t end = r->by_second[i].at_ms, begin = i ? r->by_second[i - 1].at_ms : 0;

		/* What is left at the end may be next to nothing of a second. */
		if (end < begin + 100)
			continue;
		points[count++] = (struct plot_point){
			(double)end / 1e3, figure(&r->by_second[i], (double)(end - begin) / 1e3)};
	}
	return count;
}

struct line {
	const char *name;
	figure_of figure;
};

/* A plot of up to three lines. */
static void plot_seconds(struct page *page, const struct result *r, const char *title,
	const struct plot_axis *y, const struct line *lines, size_t count)
{
	struct plot_series series[3];
	struct plot_point *points = calloc(3 * (size_t)POINTS_MAX, sizeof *points);

	/* Where there is none for this, the page has a plot less, or fails by itself. */
	if (!points)
		return;
	for (size_t i = 0; i < count; i++) {
		struct plot_point *its = points + i * POINTS_MAX;

		series[i] = (struct plot_series){.name = lines[i].name,
			.points = its,
			.count = fill_seconds(r, lines[i].figure, its)};
	}
	const struct plot plot = {.title = title,
		.x = {.label = "time", .unit = "s"},
		.y = *y,
		.series = series,
		.count = count};
	if (count > 0 && series[0].count > 0)
		page_plot(page, &plot, NULL);
	free(points);
}

void plots_over_time(struct page *page, const struct result *r)
{
	static const struct plot_axis rate = {.label = "deliveries", .unit = "/s"};
	static const struct plot_axis time = {.label = "latency", .unit = "ms", .scale = TICKS_LOG};
	static const struct plot_axis cores = {.label = "CPU", .unit = "cores"};
	static const struct plot_axis bytes = {.label = "memory", .unit = "MiB"};
	static const struct line resident[] = {{"resident", memory}};
	static const struct line rates[] = {{"delivered", delivered}};
	static const struct line times[] = {{"max", most}, {"p99", p99}, {"p50", p50}};
	static const struct line programs[] = {
		{"lanchat-stress", own_cpu}, {"the server", server_cpu}};

	if (r->seconds_count == 0)
		return;
	page_heading(page, "Second by second");
	plot_seconds(page, r, "Deliveries over time", &rate, rates, 1);
	plot_seconds(page, r, "Latency over time", &time, times, 3);
	plot_seconds(page, r, "CPU over time", &cores, programs, r->seen ? 2 : 1);
	if (r->seen)
		plot_seconds(page, r, "The server's memory over time", &bytes, resident, 1);
}

/* ---- by client ---- */

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct result_client *)a)->mean_us;
	uint32_t y = ((const struct result_client *)b)->mean_us;

	return (x > y) - (x < y);
}

/* Those whose times are known, slow ones or the others, in order. */
static size_t sort_clients(const struct result *r, bool slow, struct result_client *sorted)
{
	size_t count = 0;

	for (uint32_t i = 0; i < r->clients; i++) {
		if (r->by_client[i].slow == slow && r->by_client[i].most_us > 0)
			sorted[count++] = r->by_client[i];
	}
	qsort(sorted, count, sizeof *sorted, compare);
	return count;
}

/* Where not all of them have a point, the best and the worst do. */
static size_t fill_clients(const struct result_client *sorted, size_t count, bool worst,
	struct plot_point points[POINTS_MAX])
{
	size_t shown = count < POINTS_MAX ? count : POINTS_MAX;

	for (size_t i = 0; i < shown; i++) {
		size_t at = shown > 1 ? i * (count - 1) / (shown - 1) : 0;

		uint32_t us = worst ? sorted[at].most_us : sorted[at].mean_us;

		/* Less than a microsecond has a place on the log scale as well. */
		points[i] = (struct plot_point){
			count > 1 ? 100.0 * (double)at / (double)(count - 1) : 0,
			(us > 0 ? us : 1) / 1e3};
	}
	return shown;
}

static void add_series(struct plot_series *series, const char *name, struct plot_point *points,
	size_t count, enum plot_style style)
{
	*series = (struct plot_series){
		.name = name, .points = points, .count = count, .style = style};
}

/* Who is in none of the lines is told of. */
static const char *caption(const struct result *r, size_t shown, char out[CAPTION])
{
	static const char alike[] = "The flatter the line, the more alike clients were treated.";
	char count[FIGURE_MAX];

	if (shown == r->clients)
		return alike;
	(void)snprintf(out, CAPTION, "%s Left out: %s that came and went, or got nothing.", alike,
		figure_count(r->clients - shown, count));
	return out;
}

void plots_by_client(struct page *page, const struct result *r)
{
	struct plot_series series[3];
	size_t count = 0, all = 0;
	char words[CAPTION];

	if (!r->by_client)
		return;
	struct result_client *sorted = calloc(r->clients, sizeof *sorted);
	struct plot_point *points = calloc(3 * (size_t)POINTS_MAX, sizeof *points);
	if (sorted && points) {
		size_t usual = sort_clients(r, false, sorted);
		size_t slow;
		size_t shown = fill_clients(sorted, usual, true, points);

		if (shown > 0) {
			add_series(
				&series[count++], "each client's worst", points, shown, PLOT_DOTS);
			(void)fill_clients(sorted, usual, false, points + POINTS_MAX);
			add_series(&series[count++], "each client's mean", points + POINTS_MAX,
				shown, PLOT_LINE);
		}
		slow = sort_clients(r, true, sorted);
		shown = fill_clients(sorted, slow, false, points + 2 * POINTS_MAX);
		all = usual + slow;
		if (shown > 0)
			add_series(&series[count++], "mean of those told to read slowly",
				points + (size_t)2 * POINTS_MAX, shown, PLOT_LINE);
	}
	const struct plot plot = {.title = "Latency by client",
		.x = {.label = "clients, the best first", .unit = "%"},
		.y = {.label = "latency", .unit = "ms", .scale = TICKS_LOG},
		.series = series,
		.count = count};
	if (count > 0) {
		page_heading(page, "Client by client");
		page_plot(page, &plot, caption(r, all, words));
	}
	free(sorted);
	free(points);
}
