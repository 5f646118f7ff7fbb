/*
 * gnuplot's SVG made fit to stand inside of a page.
 *
 * Only shapes are taken over, one by one: lines, dots, areas, and the words at
 * ticks. Everything else (its header, its definitions with ids that would be
 * there twice, its titles, its fonts) is left behind. What a thing is, is told by
 * the colour that the script gave it, which becomes a class; the colours that are
 * seen are the page's stylesheet's. Pure but for the stream; any thread.
 */
#ifndef LANCHAT_DRAWING_H
#define LANCHAT_DRAWING_H

#include <stdio.h>

/* Colours for the script. From DRAWING_SERIES on, one for each series. */
#define DRAWING_COLOUR "#0100%02x"
enum {
	DRAWING_AXIS,
	DRAWING_GRID,
	DRAWING_SERIES = 16
};

/* Series have the classes s1 to s6, and then s1 again. */
#define DRAWING_CLASSES 6

/* Write the shapes of `svg`, which is gnuplot's whole answer. ERR_DAMAGED where that is no such thing. */
int drawing_write(FILE *out, const char *svg);

#endif
