/*
 * The pictures of a scenario: its diagrams and plots.
 */
#include "tools/lab/lab_report_private.h"

#include "common/err.h"
#include "tools/lab/lab_diagram.h"
#include "tools/report/percentiles.h"

#include <math.h>
#include <stdlib.h>

#define FIRST      40   /* packets of a diagram */
#define NOTABLE    30   /* more of them */
#define POINTS_MAX 1000 /* of a series: more than the page has columns */
#define TEXT       256

static const char *const titles[SIDES] = {"On the wire: TCP", "On the wire: UDP"};

/* ---- diagrams ---- */

static int add_diagram(struct page *page, const struct ladder *l, const struct frames *frames,
	enum side side, const struct outcome *o)
{
	/* When the outcome was taken; kernels go on to answer each other. */
	const struct lab_diagram_bounds bounds = {FIRST, NOTABLE, o->wire[side].sent, frames};
	struct lab_diagram *d;
	char caption[TEXT];
	int r = lab_diagram_new(&d, l, o->options.scenario->hosts, &bounds);

	if (r)
		return r;
	size_t packets = lab_diagram_packets(d), shown = lab_diagram_shown(d);
	if (shown == packets)
		snprintf(caption, sizeof(caption),
			"All %zu packets, with the times at which they were sent and arrived. "
			"Longer pauses are a little longer.",
			packets);
	else
		snprintf(caption, sizeof(caption),
			"%zu of %zu packets: the first %d, and of the others those that were lost, "
			"sent again, doubled or overtaken, %d at most. --pcap keeps them all.",
			shown, packets, FIRST, NOTABLE);
	const struct page_drawing drawing = {.title = titles[side],
		.caption = caption,
		.width = LAB_DIAGRAM_WIDTH,
		.height = lab_diagram_height(d),
		.draw = lab_diagram_draw,
		.context = d};
	page_figure(page, &drawing);
	lab_diagram_free(d);
	return 0;
}

int report_wire(struct page *page, const struct outcome *o, const struct journal *j)
{
	struct frames *frames = frames_new(j);
	int r = frames ? 0 : ERR_MEMORY;

	if (frames)
		frames_read(frames);
	for (int side = 0; side < SIDES && r == 0; side++) {
		struct ladder *l = ladder_new(j, (enum side)side);
		if (l)
			(void)ladder_read(l);
		if (!l)
			r = ERR_MEMORY;
		else if (ladder_count(l))
			r = add_diagram(page, l, frames, (enum side)side, o);
		ladder_free(l);
	}
	frames_free(frames);
	return r;
}

/* ---- latency ---- */

/* Of a side, by number: how long messages took, and which were not received. */
struct by_number {
	struct plot_point came[POINTS_MAX], lost[POINTS_MAX];
	size_t came_count, lost_count;
};

/* Of every `step` messages side by side: the slowest, and whether one is missing. */
static void fill(struct by_number *b, struct stage *s, enum side side, uint32_t count)
{
	uint32_t step = 1 + (count - 1) / POINTS_MAX;

	for (uint32_t from = 0; from < count; from += step) {
		int64_t slowest = -1;
		bool missing = false;
		for (uint32_t i = from; i < count && i < from + step; i++) {
			int64_t us = stage_latency_us(s, side, i);
			slowest = us > slowest ? us : slowest;
			missing |= us < 0;
		}
		if (slowest >= 0)
			b->came[b->came_count++] =
				(struct plot_point){from + 1, (double)slowest / 1e3};
		if (missing)
			b->lost[b->lost_count++] = (struct plot_point){from + 1, 0};
	}
}

/* Nothing of it: no series. */
static void add_series(struct plot_series *series, size_t *count, const struct plot_series *one)
{
	if (one->count)
		series[(*count)++] = *one;
}

static void plot_by_number(struct page *page, const struct outcome *o, struct by_number b[SIDES])
{
	static const char *const names[SIDES][2] = {
		{"TCP", "TCP, not received"}, {"UDP", "UDP, not received"}};
	struct plot_series series[SIDES * 2];
	size_t count = 0;
	uint64_t most = 0;
	char caption[TEXT];

	for (int side = 0; side < SIDES; side++) {
		const struct plot_series came = {.name = names[side][0],
			.points = b[side].came,
			.count = b[side].came_count,
			.style = PLOT_DOTS,
			.colour = side + 1};
		const struct plot_series lost = {.name = names[side][1],
			.points = b[side].lost,
			.count = b[side].lost_count,
			.style = PLOT_DOTS,
			.colour = side + 3};
		add_series(series, &count, &came);
		add_series(series, &count, &lost);
		most = o->score[side].sent > most ? o->score[side].sent : most;
	}
	const struct plot plot = {.title = "How long each message took",
		.x = {.label = "message, by number"},
		.y = {.label = "from send to receive", .unit = "ms"},
		.series = series,
		.count = count};
	snprintf(caption, sizeof(caption), "%s%s", "What was not received stands at the bottom.",
		most > POINTS_MAX ? " Of messages side by side the slowest is shown." : "");
	if (count)
		page_plot(page, &plot, caption);
}

static void plot_by_percentile(struct page *page, const struct outcome *o)
{
	static const char *const names[SIDES] = {"TCP", "UDP"};
	struct plot_point points[SIDES][PERCENTILES_MAX];
	struct plot_series series[SIDES];
	size_t count = 0;

	for (int side = 0; side < SIDES; side++) {
		const struct plot_series one = {.name = names[side],
			.points = points[side],
			.count = percentiles_fill(&o->score[side].latency_us, points[side]),
			.colour = side + 1};
		add_series(series, &count, &one);
	}
	const struct plot plot = {.title = "Latency by percentile",
		.x = {.label = "percentile of those that came", .scale = TICKS_PERCENTILE},
		.y = {.label = "from send to receive", .unit = "ms"},
		.series = series,
		.count = count};
	if (count)
		page_plot(page, &plot,
			"At 99 %: what 99 of 100 took at most. From 90 to 99 % there is as much "
			"room as from 99 to 99.9 %.");
}

int report_latency(struct page *page, const struct outcome *o, struct stage *s)
{
	if (o->score[SIDE_TCP].sent + o->score[SIDE_UDP].sent == 0)
		return 0;
	struct by_number *b = calloc(SIDES, sizeof(*b));
	if (!b)
		return ERR_MEMORY;
	for (int side = 0; side < SIDES; side++) {
		if (o->score[side].sent && o->score[side].sent < UINT32_MAX)
			fill(&b[side], s, (enum side)side, (uint32_t)o->score[side].sent);
	}
	page_subheading(page, "Latency");
	plot_by_number(page, o, b);
	plot_by_percentile(page, o);
	free(b);
	return 0;
}
