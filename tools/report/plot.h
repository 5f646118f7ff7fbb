/*
 * Plots for a page, as SVG that stands inside of it.
 *
 * A plot is a plain value; what it points to is borrowed for the call. gnuplot
 * (Debian's gnuplot-nox) puts the shapes in their places; no words but those at
 * ticks pass through it, so names that peers chose cannot be commands of it.
 * What comes out takes its colours from the page's stylesheet (style.css), scales
 * to the width that it is given, refers to nothing and has no ids, so a page may
 * have any number of them. A plot has to be drawn in a shape for wide and one for
 * narrow screens to be legible on both: page_plot does that.
 *
 * Any thread; one for a stream.
 */
#ifndef LANCHAT_PLOT_H
#define LANCHAT_PLOT_H

#include "tools/report/ticks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PLOT_SERIES_MAX 12

enum plot_style {
	PLOT_LINE,
	PLOT_STEPS,
	PLOT_DOTS,
	PLOT_BARS
};

enum plot_shape {
	PLOT_WIDE,
	PLOT_NARROW
};

/* A point with a coordinate that is not finite, or has no place on its axis (0 on a logarithmic one,
 * 1 on one of percentiles), is left out, and a line has a gap there. */
struct plot_point {
	double x, y;
};

struct plot_series {
	const char *name; /* from anywhere */
	const struct plot_point *points;
	size_t count; /* each point is drawn: thin out what has more than some thousands */
	enum plot_style style;
	int colour; /* 0: the next one; from 1 on, to let series of several plots look alike */
};

struct plot_axis {
	const char *label, *unit; /* from anywhere; NULL: none */
	double low, high;         /* what it shows, where `fixed` */
	enum ticks_scale scale;
	bool fixed; /* else all points; a linear y axis then begins at 0, or below */
};

struct plot {
	const char *title; /* for those who cannot see it */
	struct plot_axis x, y;
	const struct plot_series *series;
	size_t count;
};

/* Can plots be drawn here? To ask before the work whose result is to be shown. As plot_svg. */
int plot_check(char *error, size_t size);

/* Write an <svg> element. Failures, with their text in `error`: ERR_ARGUMENT, more than
 * PLOT_SERIES_MAX series; ERR_MEMORY; those of gnuplot_run, ERR_NOT_FOUND among them where it is not
 * installed; ERR_DAMAGED, it drew something else. Then `out` has none of it, or part of it. Write
 * errors show in ferror. */
int plot_svg(FILE *out, const struct plot *plot, enum plot_shape shape, char *error, size_t size);

/* Write a list that says which series is which; nothing for a single one. ERR_MEMORY, else 0. */
int plot_legend(FILE *out, const struct plot *plot);

#endif
