#include "tools/report/ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* U+202F, a narrow blank at which no line breaks. */
#define NARROW "\xe2\x80\xaf"

/* A tick at the end of an axis is on it, whatever rounding says. */
#define SLACK 1e-9

double ticks_place(enum ticks_scale scale, double value)
{
	switch (scale) {
	case TICKS_LINEAR:
		return value;
	case TICKS_LOG:
		return value > 0 ? log10(value) : NAN;
	case TICKS_PERCENTILE:
		return value >= 0 && value < 1 ? -log10(1 - value) : NAN;
	}
	return NAN;
}

/* ---- numbers for people ---- */

/* Digits in threes where an axis reaches 10 000; else a year or a port keeps its four. */
static void group(const char *digits, bool apart, char out[TICKS_LABEL])
{
	const char *sign = digits[0] == '-' ? "-" : "";
	size_t whole = strspn(digits + strlen(sign), "0123456789"), used = 0;

	used += (size_t)snprintf(out, TICKS_LABEL, "%s", sign);
	digits += strlen(sign);
	for (size_t i = 0; digits[i] && used + 5 < TICKS_LABEL; i++) {
		bool blank = apart && i > 0 && i < whole && (whole - i) % 3 == 0;

		used += (size_t)snprintf(
			out + used, TICKS_LABEL - used, "%s%c", blank ? NARROW : "", digits[i]);
	}
}

/* `step` says how exact it has to be, `largest` what else is on the axis. Beyond what groups well, in
 * millions and so on. */
static void print_number(double value, double step, double largest, char out[TICKS_LABEL])
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}};
	char digits[TICKS_LABEL];

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (value == 0 || step < units[i].unit / 10 || fabs(value) < units[i].unit)
			continue;
		snprintf(
			out, TICKS_LABEL, "%.4g" NARROW "%s", value / units[i].unit, units[i].name);
		return;
	}
	int decimals = (int)fmax(0, -floor(log10(step) + SLACK));
	if (decimals > 6 || fabs(value) >= 1e15) {
		snprintf(out, TICKS_LABEL, "%.3g", value);
		return;
	}
	snprintf(digits, sizeof(digits), "%.*f", decimals, value);
	group(digits, largest >= 10000, out);
}

static void add(struct ticks *t, double place, double value, double step, double largest)
{
	if (t->count == TICKS_MAX || place < t->low - SLACK * fabs(t->high - t->low) ||
		place > t->high + SLACK * fabs(t->high - t->low))
		return;
	t->at[t->count].place = place;
	print_number(value, step, largest, t->at[t->count].label);
	t->count++;
}

/* ---- linear ---- */

/* 1, 2 or 5 times a power of ten: the smallest that is not below `rough`. */
static double round_step(double rough)
{
	double power = pow(10, floor(log10(rough) + SLACK)), times = rough / power;

	if (times <= 1 + SLACK)
		return power;
	if (times <= 2 + SLACK)
		return 2 * power;
	return times <= 5 + SLACK ? 5 * power : 10 * power;
}

static void choose_linear(double low, double high, bool whole, size_t most, struct ticks *t)
{
	/* Doubles this close together cannot be told apart on an axis. */
	double least = fmax(fabs(low), fabs(high)) * 1e-12;

	if (!(high - low > least) || !isfinite(high - low)) {
		low = isfinite(low) ? low : 0;
		high = low > 0 ? low * 2 : low + 1;
		low = low > 0 ? 0 : low;
	}
	double step = round_step((high - low) / (double)most);
	t->low = whole ? floor(low / step + SLACK) * step : low;
	t->high = whole ? ceil(high / step - SLACK) * step : high;
	double first = ceil(t->low / step - SLACK);
	for (size_t i = 0; i < TICKS_MAX && (first + (double)i) * step <= t->high + SLACK * step;
		i++) {
		/* Never "-0". */
		double value = (first + (double)i) * step + 0.0;

		add(t, value, value, step, fmax(fabs(t->low), fabs(t->high)));
	}
}

/* ---- logarithmic ---- */

/* The multiple of `each` that is not above `number`. */
static int floor_to(int number, int each)
{
	int rest = number % each;

	return number - (rest < 0 ? rest + each : rest);
}

/* 1, 2, 5, 10, 20 ... by their number; 0 is 1. */
static double series_value(int number)
{
	static const double digits[] = {1, 2, 5};
	int power = floor_to(number, 3) / 3;

	return digits[number - 3 * power] * pow(10, power);
}

/* The number of the last that is not above `value`. */
static int series_below(double value)
{
	int number = 3 * (int)floor(log10(value) + SLACK);

	while (series_value(number + 1) <= value * (1 + SLACK))
		number++;
	return number;
}

static void choose_log(double low, double high, bool whole, size_t most, struct ticks *t)
{
	if (!(low > 0) || !isfinite(low))
		low = high > 0 && isfinite(high) ? high / 10 : 1;
	if (!(high > low) || !isfinite(high))
		high = low * 10;
	int first = series_below(low), last = series_below(high);
	if (series_value(last) < high * (1 - SLACK))
		last++;
	/* All of 1, 2, 5 where they have room, else every power of ten, or every few of them. */
	int each = last - first + 1 <= (int)most + 4 ? 1 : 3;
	while (each >= 3 && (last - first) / each > (int)most)
		each += 3;
	if (each >= 3) {
		first = floor_to(first, 3);
		last = -floor_to(-last, 3);
	}
	t->low = log10(whole ? series_value(first) : low);
	t->high = log10(whole ? series_value(last) : high);
	for (int i = first; i <= last; i++) {
		if (i % each == 0)
			add(t, log10(series_value(i)), series_value(i), series_value(i), high);
	}
}

/* ---- percentiles ---- */

static void choose_percentile(double low, double high, size_t most, struct ticks *t)
{
	static const char *const labels[] = {
		"0%", "50%", "90%", "99%", "99.9%", "99.99%", "99.999%", "99.9999%"};
	static const double parts[] = {1, 0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6};

	t->low = ticks_place(TICKS_PERCENTILE, low);
	t->high = ticks_place(TICKS_PERCENTILE, high);
	if (!isfinite(t->low))
		t->low = 0;
	if (!isfinite(t->high) || t->high <= t->low)
		t->high = t->low + 2;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		double place = -log10(parts[i]);

		/* 50% is close to 0%, and goes first where there is little room. */
		if ((i == 1 && most < 5 && t->high > 3) || place < t->low - SLACK ||
			place > t->high + SLACK)
			continue;
		t->at[t->count].place = place + 0.0;
		snprintf(t->at[t->count].label, TICKS_LABEL, "%s", labels[i]);
		t->count++;
	}
}

void ticks_choose(
	enum ticks_scale scale, double low, double high, bool whole, size_t most, struct ticks *t)
{
	*t = (struct ticks){0};
	switch (scale) {
	case TICKS_LINEAR:
		choose_linear(low, high, whole, most, t);
		break;
	case TICKS_LOG:
		choose_log(low, high, whole, most, t);
		break;
	case TICKS_PERCENTILE:
		choose_percentile(low, high, most, t);
		break;
	}
}
