#include "tools/lab/linger.h"

#include "common/clock.h"

#define MS       UINT64_C(1000000)
#define MORE_MS  500
#define SLICE_MS 20

bool linger_over(struct stage *s)
{
	struct wire_counts c;

	if (!stage_wire(s))
		return true;
	stage_counts(s, SIDE_BOTH, &c);
	return c.arrived + c.lost + c.overflowed >= c.sent + c.duplicated;
}

int64_t linger_most_ms(const struct impairment *how, unsigned slow)
{
	uint64_t there = (how->delay_ns + how->jitter_ns) / MS * (slow ? slow : 1);

	return (int64_t)(2 * there) + MORE_MS;
}

void linger(struct stage *s)
{
	int64_t until = clock_ms() + linger_most_ms(&stage_options(s)->impaired, 1);

	while (!stage_stopped(s) && clock_ms() < until) {
		uint64_t entries = journal_count(stage_journal(s));
		if (linger_over(s))
			return;
		(void)journal_wait(stage_journal(s), entries, SLICE_MS);
	}
}
