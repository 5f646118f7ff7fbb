#include "tools/report/plot.h"

#include "common/err.h"
#include "tools/report/drawing.h"
#include "tools/report/gnuplot.h"
#include "tools/report/markup.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In units of the SVG, which are pixels where there is room for all of them. */
struct layout {
	int width, height;
	int above, below,
		right;         /* of the axes; gnuplot measures what the labels need at the left */
	size_t most_x, most_y; /* ticks, about */
};

static const struct layout layouts[] = {
	[PLOT_WIDE] = {760, 320, 38, 48, 22, 8, 5},
	[PLOT_NARROW] = {380, 300, 38, 48, 20, 4, 5},
};

#define FONT 12

/* How much of the room between two bars they take. */
#define BAR_WIDTH 0.8

/* What is drawn: the axes, and the room that one bar has. */
struct scene {
	const struct plot *plot;
	const struct layout *layout;
	struct ticks x, y;
	double bar;
};

/* ---- ranges ---- */

struct range {
	double low, high; /* values; low is above high where there are none */
};

static void widen(struct range *r, double value)
{
	r->low = fmin(r->low, value);
	r->high = fmax(r->high, value);
}

static bool place(const struct plot *p, const struct plot_point *point, double *x, double *y)
{
	*x = ticks_place(p->x.scale, point->x);
	*y = ticks_place(p->y.scale, point->y);
	return isfinite(*x) && isfinite(*y);
}

/* Of the points that have a place. */
static void measure(const struct plot *p, struct range *x, struct range *y)
{
	double at_x, at_y;

	*x = *y = (struct range){INFINITY, -INFINITY};
	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = 0; k < p->series[i].count; k++) {
			const struct plot_point *point = &p->series[i].points[k];

			if (!place(p, point, &at_x, &at_y))
				continue;
			widen(x, point->x);
			widen(y, point->y);
		}
	}
	if (p->x.fixed)
		*x = (struct range){p->x.low, p->x.high};
	if (p->y.fixed)
		*y = (struct range){p->y.low, p->y.high};
	else if (p->y.scale == TICKS_LINEAR)
		widen(y, 0);
}

/* The smallest step between neighbours of a series of bars, in places; 0 where there are none. */
static double bar_step(const struct plot *p)
{
	double least = INFINITY, before = NAN, x, y;
	bool any = false;

	for (size_t i = 0; i < p->count; i++) {
		before = NAN;
		for (size_t k = 0; p->series[i].style == PLOT_BARS && k < p->series[i].count; k++) {
			if (!place(p, &p->series[i].points[k], &x, &y))
				continue;
			if (isfinite(before) && x > before)
				least = fmin(least, x - before);
			before = x;
			any = true;
		}
	}
	if (!any)
		return 0;
	return isfinite(least) ? least : 1;
}

static void arrange(struct scene *s, const struct plot *p, enum plot_shape shape)
{
	struct range x, y;

	*s = (struct scene){.plot = p, .layout = &layouts[shape]};
	measure(p, &x, &y);
	s->bar = bar_step(p);
	ticks_choose(p->x.scale, x.low, x.high, false, s->layout->most_x, &s->x);
	ticks_choose(p->y.scale, y.low, y.high, !p->y.fixed, s->layout->most_y, &s->y);
	if (s->bar > 0 && !p->x.fixed) {
		bool single = x.low == x.high;

		/* The outermost bars are whole ones. */
		s->x.low = ticks_place(p->x.scale, x.low) - s->bar / 2;
		s->x.high = ticks_place(p->x.scale, x.high) + s->bar / 2;
		if (single)
			s->x.count = 0;
	}
}

/* ---- the script ---- */

static int series_colour(const struct plot *p, size_t i)
{
	int chosen = p->series[i].colour;

	return chosen > 0 ? (chosen - 1) % DRAWING_CLASSES : (int)(i % DRAWING_CLASSES);
}

/* What stands at a tick is a format for gnuplot, so a percent sign is two. */
static void script_word(FILE *f, const char *label)
{
	fputc('\'', f);
	for (; *label; label++)
		fputs(*label == '%' ? "%%" : (char[]){*label, '\0'}, f);
	fputc('\'', f);
}

static void script_ticks(FILE *f, char axis, const struct ticks *t)
{
	fprintf(f, "set %crange [%.17g:%.17g]\nset %ctics (", axis, t->low, t->high, axis);
	for (size_t i = 0; i < t->count; i++) {
		fputs(i ? ", " : "", f);
		script_word(f, t->at[i].label);
		fprintf(f, " %.17g", t->at[i].place);
	}
	fputs(")\n", f);
}

static void script_frame(FILE *f, const struct scene *s)
{
	const struct layout *l = s->layout;

	fprintf(f,
		"set encoding utf8\n"
		"set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,%d'\n"
		"unset key\n"
		"set border 1 linecolor rgb '" DRAWING_COLOUR "'\n"
		"set tics scale 0 nomirror\n"
		"set clip one\nset clip two\n"
		"set tmargin at screen %.6f\nset bmargin at screen %.6f\nset rmargin at screen "
		"%.6f\n",
		l->width, l->height, FONT, (unsigned)DRAWING_AXIS, 1 - (double)l->above / l->height,
		(double)l->below / l->height, 1 - (double)l->right / l->width);
	script_ticks(f, 'x', &s->x);
	script_ticks(f, 'y', &s->y);
	fprintf(f, "set grid ytics %s linetype 1 linecolor rgb '" DRAWING_COLOUR "'\n",
		s->plot->x.scale == TICKS_LINEAR ? "noxtics" : "xtics", (unsigned)DRAWING_GRID);
}

/* The points of a series by their places, in a block that the plot names. An empty line is a gap. */
static void script_points(FILE *f, const struct scene *s, size_t i)
{
	const struct plot_series *series = &s->plot->series[i];
	double x, y, half = s->bar * BAR_WIDTH / 2;
	/* Where bars stand: on 0, if that is a place on the axis. */
	double base = s->plot->y.scale == TICKS_LINEAR ? fmax(s->y.low, 0) : s->y.low;
	bool open = false;

	fprintf(f, "$series%zu << END\n", i);
	for (size_t k = 0; k < series->count; k++) {
		if (!place(s->plot, &series->points[k], &x, &y)) {
			fputs(open ? "\n" : "", f);
			open = false;
			continue;
		}
		open = true;
		if (series->style == PLOT_BARS)
			fprintf(f, "%.9g %.9g %.9g %.9g %.9g %.9g\n", x, y, x - half, x + half,
				fmin(base, y), fmax(base, y));
		else
			fprintf(f, "%.9g %.9g\n", x, y);
	}
	fputs("END\n", f);
}

static bool has_points(const struct plot *p, size_t i)
{
	double x, y;

	for (size_t k = 0; k < p->series[i].count; k++)
		if (place(p, &p->series[i].points[k], &x, &y))
			return true;
	return false;
}

static void script_plot(FILE *f, const struct scene *s)
{
	static const char *const styles[] = {
		[PLOT_LINE] = "with lines",
		[PLOT_STEPS] = "with steps",
		[PLOT_DOTS] = "with points pointtype 7",
		[PLOT_BARS] = "with boxxyerror fillstyle solid 1 noborder",
	};

	/* Without a single point gnuplot refuses to draw even the axes; this one is outside of them. */
	fprintf(f, "plot '+' using (%.17g):(%.17g) with dots linecolor rgb '" DRAWING_COLOUR "'",
		2 * s->x.high - s->x.low, s->y.low, (unsigned)DRAWING_AXIS);
	for (size_t i = 0; i < s->plot->count; i++) {
		if (has_points(s->plot, i))
			fprintf(f, ", $series%zu %s linecolor rgb '" DRAWING_COLOUR "'", i,
				styles[s->plot->series[i].style],
				(unsigned)(DRAWING_SERIES + series_colour(s->plot, i)));
	}
	fputs("\n", f);
}

/* Allocated; NULL when memory is out. */
static char *script(const struct scene *s, size_t *length)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, length);

	if (!f)
		return NULL;
	script_frame(f, s);
	for (size_t i = 0; i < s->plot->count; i++)
		if (has_points(s->plot, i))
			script_points(f, s, i);
	script_plot(f, s);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- the element ---- */

static int write_label(FILE *out, const struct plot_axis *axis, int x, int y, const char *anchor)
{
	if (!axis->label && !axis->unit)
		return 0;
	fprintf(out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
	int r = axis->label ? markup_text(out, axis->label) : 0;
	if (axis->unit && !r) {
		fputs(axis->label ? ", " : "", out);
		r = markup_text(out, axis->unit);
	}
	fputs("</text>\n", out);
	return r;
}

static int write_svg(FILE *out, const struct scene *s, const char *drawn)
{
	const struct plot *p = s->plot;
	const struct layout *l = s->layout;
	bool any = false;

	fprintf(out, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
		l->width, l->height);
	int r = markup_text(out, p->title ? p->title : "");
	fputs("\">\n", out);
	if (!r)
		r = write_label(out, &p->y, 0, FONT + 2, "start");
	if (!r)
		r = write_label(out, &p->x, l->width - l->right, l->height - 6, "end");
	if (!r)
		r = drawing_write(out, drawn);
	for (size_t i = 0; i < p->count; i++)
		any = any || has_points(p, i);
	if (!any)
		fprintf(out,
			"<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">no "
			"data</text>\n",
			l->width / 2, l->height / 2);
	fputs("</svg>\n", out);
	return r;
}

static int draw(FILE *out, const struct plot *p, enum plot_shape shape, char *error, size_t size)
{
	struct scene s;
	size_t length;
	char *drawn = NULL;

	arrange(&s, p, shape);
	char *text = script(&s, &length);
	if (!text) {
		snprintf(error, size, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	int r = gnuplot_run(text, length, &drawn, error, size);
	free(text);
	if (r)
		return r;
	r = write_svg(out, &s, drawn);
	free(drawn);
	if (r)
		snprintf(error, size, "cannot take over what gnuplot drew: %s", err_text(r));
	return r;
}

int plot_svg(FILE *out, const struct plot *plot, enum plot_shape shape, char *error, size_t size)
{
	if (plot->count > PLOT_SERIES_MAX) {
		snprintf(error, size, "a plot may have %d series", PLOT_SERIES_MAX);
		return ERR_ARGUMENT;
	}
	/* gnuplot and ticks want a decimal point, whatever the program's locale has. */
	locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	if (!plain) {
		snprintf(error, size, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	locale_t before = uselocale(plain);
	int r = draw(out, plot, shape, error, size);
	uselocale(before);
	freelocale(plain);
	return r;
}

int plot_check(char *error, size_t size)
{
	static const char nothing[] = "exit\n";
	char *answer = NULL;
	int r = gnuplot_run(nothing, sizeof(nothing) - 1, &answer, error, size);

	free(answer);
	return r;
}

/* ---- the legend ---- */

static void write_key(FILE *out, enum plot_style style, int class)
{
	static const char *const shapes[] = {
		[PLOT_LINE] = "class=\"line s%d\" d=\"M1,6H27\"",
		[PLOT_STEPS] = "class=\"line s%d\" d=\"M1,9H14V3H27\"",
		[PLOT_DOTS] = "class=\"dots s%d\" d=\"M8,6h.1M20,6h.1\"",
		[PLOT_BARS] = "class=\"bars s%d\" d=\"M8,1H20V11H8Z\"",
	};
	const char *rest = strchr(shapes[style], '%') + 2;

	fputs("<svg class=\"key\" viewBox=\"0 0 28 12\" aria-hidden=\"true\"><path ", out);
	fprintf(out, "%.*s%d%s/></svg>", (int)(rest - 2 - shapes[style]), shapes[style], class,
		rest);
}

int plot_legend(FILE *out, const struct plot *plot)
{
	int r = 0;

	if (plot->count < 2)
		return 0;
	fputs("<ul class=\"legend\">\n", out);
	for (size_t i = 0; i < plot->count && !r; i++) {
		fputs("<li>", out);
		write_key(out, plot->series[i].style, series_colour(plot, i) + 1);
		/* A name written from right to left does not turn its neighbours around. */
		fputs("<bdi>", out);
		r = markup_text(out, plot->series[i].name ? plot->series[i].name : "");
		fputs("</bdi></li>\n", out);
	}
	fputs("</ul>\n", out);
	return r;
}
