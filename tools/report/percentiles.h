/*
 * A distribution as a curve: what so many of all took at most, with as much room for each further nine.
 *
 * Pure; any thread.
 */
#ifndef LANCHAT_PERCENTILES_H
#define LANCHAT_PERCENTILES_H

#include "common/histogram.h"
#include "tools/report/plot.h"

#define PERCENTILES_MAX 140 /* seven nines, 20 points for each */

/* From the best one on, to where nothing is left above; x is for TICKS_PERCENTILE, y in thousands of
 * what the histogram counts. How many points there are. */
size_t percentiles_fill(const struct histogram_view *v, struct plot_point points[PERCENTILES_MAX]);

#endif
