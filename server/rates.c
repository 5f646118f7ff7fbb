#include "server/rates.h"

#include <string.h>

void rates_sample(struct rates *r, int64_t now, const uint64_t counters[RATES_OF])
{
	r->samples[r->next].at = now;
	memcpy(r->samples[r->next].counters, counters, sizeof(r->samples[0].counters));
	r->next = (r->next + 1) % RATES_KEPT;
	if (r->count < RATES_KEPT)
		r->count++;
}

uint64_t rates_per_second(
	const struct rates *r, int64_t now, size_t which, uint64_t counter, int64_t span)
{
	size_t i = r->next;
	int64_t took = 0;

	/* From the newest back. */
	for (size_t n = 0; n < r->count && took < span; n++) {
		i = (i + RATES_KEPT - 1) % RATES_KEPT;
		took = now - r->samples[i].at;
	}
	if (took <= 0)
		return 0;
	double grown = (double)(counter - r->samples[i].counters[which]);
	return (uint64_t)(grown * 1e6 / (double)took + 0.5);
}
