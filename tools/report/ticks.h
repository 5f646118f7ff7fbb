/*
 * Where an axis has its ticks, and what stands at them.
 *
 * Everything is mapped to places on a plain line here, the logarithm of a value
 * on a logarithmic axis, so that what draws needs to know of no other kind. Pure;
 * any thread. Numbers are printed in the locale of the calling thread.
 */
#ifndef LANCHAT_TICKS_H
#define LANCHAT_TICKS_H

#include <stdbool.h>
#include <stddef.h>

enum ticks_scale {
	TICKS_LINEAR,
	TICKS_LOG,
	/* For fractions from 0 to below 1: as much room from 0.9 to 0.99 as from 0.99 to 0.999, which
	 * is what shows the tail of a distribution. */
	TICKS_PERCENTILE,
};

#define TICKS_MAX   24
#define TICKS_LABEL 32

struct tick {
	double place;
	char label[TICKS_LABEL]; /* UTF-8 without quotes or blanks but U+202F */
};

/* A plain value. */
struct ticks {
	double low, high; /* places: where the axis begins and ends; low < high */
	size_t count;
	struct tick at[TICKS_MAX];
};

/* The place of a value. Not finite where the value has none: a logarithm of nothing. */
double ticks_place(enum ticks_scale scale, double value);

/* Choose about `most` (2 to 12) ticks for an axis that shows the values from `low` to `high`. A
 * `whole` one begins and ends at a tick. Where low is not below high, or the scale has no place for
 * them, the axis is a usable one all the same. */
void ticks_choose(
	enum ticks_scale scale, double low, double high, bool whole, size_t most, struct ticks *t);

#endif
