/*
 * The knobs: what of the network can be changed while it runs, each by one step up or down, in a table.
 * Pure; any thread.
 */
#ifndef LANCHAT_LAB_KNOBS_H
#define LANCHAT_LAB_KNOBS_H

#include "tools/lab/impair.h"
#include "tools/lab/items.h"

#include <stdbool.h>

enum knob {
	KNOB_LOSS,
	KNOB_DELAY,
	KNOB_JITTER,
	KNOB_REORDER,
	KNOB_DUPLICATE,
	KNOB_RATE,
	KNOB_QUEUE,
	KNOB_MTU,
	KNOBS,
};

#define KNOB_VALUE 24

/* One step down (`by` < 0) or up, to the next value of the knob's scale. False: it stands at the end of
 * it. What has no bound is above all that have one. */
bool knob_turn(struct impairment *how, enum knob k, int by);

/* "5%", "20 ms", "1 Mbit/s", "off". Returns `out`. */
char *knob_value(const struct impairment *how, enum knob k, char out[KNOB_VALUE]);

/* "dElay": its name, with the letter of its keys as the only capital. Of static duration. */
const char *knob_name(enum knob k);

/* "how much later a packet arrives": what it is, for people. The same. */
const char *knob_about(enum knob k);

/* The names and values of all of them. */
void knobs_items(const struct impairment *how, struct items *out);

#endif
