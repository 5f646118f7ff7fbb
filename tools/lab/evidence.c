#include "tools/lab/evidence.h"

#include "common/clock.h"

static bool matches(const struct journal_entry *x, struct evidence e)
{
	if (x->kind != JOURNAL_PACKET)
		return false;
	const struct journal_packet *p = &x->of.packet;
	return (e.side == EVIDENCE_ANY || (int)x->side == e.side) &&
	       (e.host == EVIDENCE_ANY || p->host == e.host) &&
	       (e.kind == EVIDENCE_ANY || (int)p->note.kind == e.kind) &&
	       (e.fate == EVIDENCE_ANY || (int)p->fate.kind == e.fate);
}

const struct journal_entry *evidence_find(
	const struct journal *j, uint64_t from, struct evidence e, uint32_t nth)
{
	const struct journal_entry *x;

	for (uint64_t i = from; (x = journal_at(j, i)) != NULL; i++) {
		if (matches(x, e) && --nth == 0)
			return x;
	}
	return NULL;
}

uint64_t evidence_count(const struct journal *j, uint64_t from, struct evidence e)
{
	const struct journal_entry *x;
	uint64_t count = 0;

	for (uint64_t i = from; (x = journal_at(j, i)) != NULL; i++)
		count += matches(x, e);
	return count;
}

const struct journal_entry *evidence_arrival(const struct journal *j, uint64_t packet)
{
	const struct journal_entry *x;

	for (uint64_t i = packet + 1; (x = journal_at(j, i)) != NULL; i++) {
		if (x->kind == JOURNAL_ARRIVAL && x->of.arrival.of == packet)
			return x;
	}
	return NULL;
}

bool evidence_wait(
	struct journal *j, uint64_t from, struct evidence e, uint64_t count, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;

	for (;;) {
		uint64_t entries = journal_count(j);
		if (evidence_count(j, from, e) >= count)
			return true;
		int64_t left = end - clock_ms();
		if (left <= 0)
			return false;
		(void)journal_wait(j, entries, left > 50 ? 50 : (int)left);
	}
}
