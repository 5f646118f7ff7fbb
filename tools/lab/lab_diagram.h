/*
 * The ladder as a picture: hosts are vertical lines, time runs downwards, and every packet is an arrow
 * from where and when it was sent to where and when it arrived.
 *
 * A long one shows its first packets, and then those from which something is to be learned: lost, sent
 * again, doubled, overtaken. Where others are left out it says how many.
 *
 * It writes the inside of an <svg> for a page (tools/report/page.h), whose stylesheet has the colours.
 * The ladder is borrowed and must not be read on meanwhile. One thread.
 */
#ifndef LANCHAT_LAB_DIAGRAM_H
#define LANCHAT_LAB_DIAGRAM_H

#include "tools/lab/frames.h"
#include "tools/lab/ladder.h"

#include <stdio.h>

#define LAB_DIAGRAM_WIDTH 760

struct lab_diagram_bounds {
	size_t first;     /* packets that are shown whatever they are */
	size_t notable;   /* of those behind them, that a reader should notice */
	uint64_t packets; /* that there are: what came on the wire later is left alone; 0: all */
	const struct frames *frames; /* borrowed as the ladder is; NULL: none are looked for */
};

struct lab_diagram;

/* Lay it out. ERR_MEMORY. */
int lab_diagram_new(struct lab_diagram **out, const struct ladder *l, size_t hosts,
	const struct lab_diagram_bounds *bounds);
void lab_diagram_free(struct lab_diagram *d);

int lab_diagram_height(const struct lab_diagram *d);
size_t lab_diagram_packets(const struct lab_diagram *d); /* that were on the wire */
size_t lab_diagram_shown(const struct lab_diagram *d);

/* As page_drawing.draw; `diagram` is a struct lab_diagram. ERR_MEMORY, else 0. */
int lab_diagram_draw(FILE *out, const char *id, void *diagram);

#endif
