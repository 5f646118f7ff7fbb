#include "tools/report/percentiles.h"

#define CLOSER 0.891250938133746 /* 10 to the power of -1/20 */

size_t percentiles_fill(const struct histogram_view *v, struct plot_point points[PERCENTILES_MAX])
{
	size_t count = 0;
	double above = 1;

	while (count < PERCENTILES_MAX && above * (double)v->count >= 1) {
		points[count++] = (struct plot_point){
			1 - above, (double)histogram_quantile(v, 1 - above) / 1000};
		above *= CLOSER;
	}
	return count;
}
