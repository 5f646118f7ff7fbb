#include "common/duration.h"

#include "common/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNITS 5

static const struct {
	uint64_t seconds;
	const char *one, *many; /* as it is shown */
	char letter;            /* as it is typed */
} units[UNITS] = {
	{604800, "week", "weeks", 'w'},
	{86400, "day", "days", 'd'},
	{3600, "h", "h", 'h'},
	{60, "min", "min", 'm'},
	{1, "s", "s", 's'},
};

/* A number, which stops growing above any that makes sense. Returns what follows it. */
static const char *take_number(const char *text, uint64_t *n)
{
	const uint64_t enough = UINT64_C(1) << 40;

	*n = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		*n = *n < enough ? *n * 10 + (uint64_t)(*text - '0') : enough;
	return text;
}

static size_t unit_of(char letter, size_t first)
{
	while (first < UNITS && units[first].letter != letter)
		first++;
	return first;
}

int duration_parse(const char *text, uint64_t most, uint64_t *seconds)
{
	uint64_t sum = 0, n;
	size_t unit = 0;

	do {
		const char *end = take_number(text, &n);
		/* Each unit once, and the larger ones first. */
		unit = unit_of(*end, unit);
		if (end == text || unit == UNITS)
			return ERR_ARGUMENT;
		sum += n * units[unit++].seconds;
		text = end + 1;
	} while (*text);
	if (sum == 0)
		return ERR_ARGUMENT;
	if (sum > most)
		return ERR_TOO_BIG;
	*seconds = sum;
	return 0;
}

char *duration_print(uint64_t seconds, char out[DURATION_SIZE])
{
	size_t used = 0, shown = 0;

	/* Weeks are typed, and days are shown: ten years say nothing in weeks. */
	for (size_t i = 1; i < UNITS && shown < 2; i++) {
		uint64_t n = seconds / units[i].seconds;
		seconds %= units[i].seconds;
		if (n == 0 && (shown > 0 || i + 1 < UNITS)) {
			shown += shown > 0;
			continue;
		}
		int length = snprintf(out + used, DURATION_SIZE - used, "%s%" PRIu64 " %s",
			shown ? " " : "", n, n == 1 ? units[i].one : units[i].many);
		used += length > 0 ? (size_t)length : 0;
		shown++;
	}
	return out;
}
