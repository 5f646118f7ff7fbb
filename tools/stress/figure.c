#include "tools/stress/figure.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

char *figure_count(uint64_t number, char out[FIGURE_MAX])
{
	char digits[FIGURE_MAX];
	int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
	return out;
}

/* With `decimals` digits behind a point, whatever the locale has in its place. */
static char *print_scaled(double number, unsigned decimals, const char *unit, char out[FIGURE_MAX])
{
	uint64_t one = decimals == 2 ? 100 : 10;
	uint64_t scaled = (uint64_t)(number * (double)one + 0.5);
	char whole[FIGURE_MAX];

	(void)snprintf(out, FIGURE_MAX, "%.20s.%0*" PRIu64 "%s", figure_count(scaled / one, whole),
		(int)decimals, scaled % one, unit);
	return out;
}

#define MILLION 1e6
#define LARGEST 1e15 /* beyond that nothing is told apart */

char *figure_about(double number, char out[FIGURE_MAX])
{
	if (!(number > 0))
		number = 0;
	if (number > LARGEST)
		number = LARGEST;
	if (number >= 1000 * MILLION - 5000)
		return print_scaled(number / (1000 * MILLION), 2, " G", out);
	if (number >= MILLION - 0.5)
		return print_scaled(number / MILLION, 2, " M", out);
	if (number > 0 && number < 99.95 && number != (double)(uint64_t)number)
		return print_scaled(number, 1, "", out);
	return figure_count((uint64_t)(number + 0.5), out);
}

char *figure_time(uint64_t us, char out[FIGURE_MAX])
{
	if (us < 1000)
		(void)snprintf(out, FIGURE_MAX, "%" PRIu64 " us", us);
	else if (us < 999950)
		(void)print_scaled((double)us / 1000, 1, " ms", out);
	else
		(void)print_scaled((double)us / MILLION, 2, " s", out);
	return out;
}

char *figure_bytes(uint64_t bytes, char out[FIGURE_MAX])
{
	static const char *const units[] = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
	double number = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(out, FIGURE_MAX, "%" PRIu64 " B", bytes);
		return out;
	}
	/* What would be printed as 1,024.0 is one of the next. */
	while (number >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
		number /= 1024;
		unit++;
	}
	return print_scaled(number, 1, units[unit], out);
}
