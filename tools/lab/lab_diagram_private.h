/*
 * Between the files of the diagram: where everything is.
 */
#ifndef LANCHAT_LAB_DIAGRAM_PRIVATE_H
#define LANCHAT_LAB_DIAGRAM_PRIVATE_H

#include "tools/lab/lab_diagram.h"

/* Of a row of the ladder. */
struct diagram_place {
	bool shown;
	double sent_y, arrived_y; /* which differ where both are on this row */
	size_t left_out;          /* packets before it */
	double left_out_y;
};

struct lab_diagram {
	const struct ladder *ladder; /* borrowed */
	const struct frames *frames; /* borrowed; NULL: none */
	size_t hosts;
	size_t rows;                  /* of the ladder, that are looked at */
	struct diagram_place *places; /* owned; by row */
	size_t packets, chosen, left_out_at_end;
	double top, bottom; /* of the hosts' lines */
};

/* The row where it arrived, or its duplicate; LADDER_NOWHERE: on none that is looked at. */
size_t diagram_arrival(const struct lab_diagram *d, const struct ladder_row *r, int second);

/* With the hosts' names below it. */
double diagram_legend_height(const struct lab_diagram *d);

#endif
