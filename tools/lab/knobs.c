#include "tools/lab/knobs.h"

#include "tools/lab/site.h"

#include <stdio.h>

#define STEPS 12
#define MS    1e6
#define KIB   1024.0

enum unit {
	CHANCE,
	TIME,
	BITS,
	BYTES, /* of which 0 is no bound */
	MTU,
};

/* The steps rise, but for a last 0, which is "off". */
static const struct {
	const char *name, *about;
	enum unit unit;
	size_t count;
	double step[STEPS];
} rows[KNOBS] = {
	[KNOB_LOSS] = {"Loss", "the chance that a packet is lost", CHANCE, 10,
		{0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1}},
	[KNOB_DELAY] = {"dElay", "how long a packet travels, one way", TIME, 10,
		{0, 1 * MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS,
			500 * MS}},
	[KNOB_JITTER] = {"Jitter", "by how much that varies", TIME, 9,
		{0, 1 * MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS}},
	[KNOB_REORDER] = {"reOrder", "the chance that others overtake a packet", CHANCE, 9,
		{0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5}},
	[KNOB_DUPLICATE] = {"Twice", "the chance that a packet arrives twice", CHANCE, 9,
		{0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5}},
	[KNOB_RATE] = {"Bits/s", "how much the line carries", BITS, 11,
		{64e3, 128e3, 256e3, 512e3, 1e6, 2e6, 5e6, 10e6, 50e6, 100e6, 0}},
	[KNOB_QUEUE] = {"queUe", "how much may wait for the line; more is dropped", BYTES, 9,
		{2 * KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 0}},
	[KNOB_MTU] = {"Mtu", "the largest packet, in bytes", MTU, 5,
		{SITE_MTU_LEAST, 1000, 1280, 1492, 0}},
};

/* As a number on the scale; `off` where there is no bound. */
static double get(const struct impairment *how, enum knob k)
{
	switch (k) {
	case KNOB_LOSS:
		return how->loss;
	case KNOB_DELAY:
		return (double)how->delay_ns;
	case KNOB_JITTER:
		return (double)how->jitter_ns;
	case KNOB_REORDER:
		return how->reorder;
	case KNOB_DUPLICATE:
		return how->duplicate;
	case KNOB_RATE:
		return (double)how->rate_bps;
	case KNOB_QUEUE:
		return how->queue_bytes;
	case KNOB_MTU:
		return how->mtu;
	case KNOBS:
		break;
	}
	return 0;
}

static void set(struct impairment *how, enum knob k, double value)
{
	switch (k) {
	case KNOB_LOSS:
		how->loss = value;
		break;
	case KNOB_DELAY:
		how->delay_ns = (uint64_t)value;
		break;
	case KNOB_JITTER:
		how->jitter_ns = (uint64_t)value;
		break;
	case KNOB_REORDER:
		how->reorder = value;
		break;
	case KNOB_DUPLICATE:
		how->duplicate = value;
		break;
	case KNOB_RATE:
		how->rate_bps = (uint64_t)value;
		break;
	case KNOB_QUEUE:
		how->queue_bytes = (uint32_t)value;
		break;
	case KNOB_MTU:
		how->mtu = (uint32_t)value;
		break;
	case KNOBS:
		break;
	}
}

static bool is_unbounded(enum knob k, double value)
{
	return rows[k].unit >= BITS && (value <= 0 || (k == KNOB_MTU && value >= SITE_MTU));
}

bool knob_turn(struct impairment *how, enum knob k, int by)
{
	const double *step = rows[k].step;
	size_t bounded = rows[k].count - (rows[k].unit >= BITS), at = 0;
	double now = get(how, k);
	bool off = is_unbounded(k, now);

	if (by < 0) {
		for (at = bounded; at > 0 && !off && step[at - 1] >= now; at--)
			;
		if (at == 0)
			return false;
		at--;
	} else {
		if (off)
			return false;
		while (at < bounded && step[at] <= now)
			at++;
		if (at == rows[k].count)
			return false;
	}
	set(how, k, step[at]);
	return true;
}

static void print_bits(double value, char out[KNOB_VALUE])
{
	if (value >= 1e6)
		snprintf(out, KNOB_VALUE, "%.6g Mbit", value / 1e6);
	else
		snprintf(out, KNOB_VALUE, "%.6g kbit", value / 1e3);
}

char *knob_value(const struct impairment *how, enum knob k, char out[KNOB_VALUE])
{
	double value = get(how, k);

	switch (rows[k].unit) {
	case CHANCE:
		snprintf(out, KNOB_VALUE, "%.3g%%", value * 100);
		break;
	case TIME:
		snprintf(out, KNOB_VALUE, "%.6g ms", value / MS);
		break;
	case MTU:
		snprintf(out, KNOB_VALUE, "%.0f", is_unbounded(k, value) ? SITE_MTU : value);
		break;
	case BITS:
		if (is_unbounded(k, value))
			snprintf(out, KNOB_VALUE, "off");
		else
			print_bits(value, out);
		break;
	case BYTES:
		if (is_unbounded(k, value))
			snprintf(out, KNOB_VALUE, "off");
		else if (value >= KIB)
			snprintf(out, KNOB_VALUE, "%.4g KiB", value / KIB);
		else
			snprintf(out, KNOB_VALUE, "%.0f B", value);
		break;
	}
	return out;
}

const char *knob_name(enum knob k)
{
	return rows[k].name;
}

const char *knob_about(enum knob k)
{
	return rows[k].about;
}

void knobs_items(const struct impairment *how, struct items *out)
{
	char value[KNOB_VALUE];

	*out = (struct items){0};
	for (int k = 0; k < KNOBS; k++)
		items_add(out, "%s %s", knob_name((enum knob)k),
			knob_value(how, (enum knob)k, value));
}
