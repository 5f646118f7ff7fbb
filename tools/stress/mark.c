#include "tools/stress/mark.h"

#include "common/err.h"

#include <assert.h>
#include <string.h>

/* Digits, in this order behind the letter. */
enum {
	RUN = 6,
	SENDER = 5,
	COUNTER = 8,
	DUE = 10,
};
_Static_assert(1 + RUN + SENDER + COUNTER + DUE == MARK_LENGTH, "the header's picture");
_Static_assert(MARK_RUNS == UINT32_C(1) << 4 * RUN, "a run has its digits");
_Static_assert(MARK_SENDERS == UINT32_C(1) << 4 * SENDER, "a sender has its digits");

/* The value of a digit plus one; 0: none. */
static const uint8_t values[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
};

static char *put(char *to, uint64_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value >>= 4)
		to[i] = "0123456789abcdef"[value & 15];
	return to + digits;
}

void mark_write(const struct mark *m, char *text, size_t size)
{
	assert(size >= MARK_LENGTH && m->run < MARK_RUNS && m->sender < MARK_SENDERS);
	assert(m->counter > 0 && m->due < UINT64_C(1) << 4 * DUE);
	char *to = text;

	*to++ = 'L';
	to = put(to, m->run, RUN);
	to = put(to, m->sender, SENDER);
	to = put(to, m->counter, COUNTER);
	to = put(to, m->due, DUE);
	memset(to, '.', size - MARK_LENGTH);
}

/* Whoever reads looks at all the digits, and asks once whether all were some: there is no branch for
 * each. What is no digit is 2^64 - 1 at its place, and leaves a bit in `bad` above those of digits. */
static inline uint64_t get(const char *from, int digits, uint64_t *bad)
{
	uint64_t value = 0;

	for (int i = 0; i < digits; i++) {
		uint64_t digit = (uint64_t)values[(uint8_t)from[i]] - 1;
		*bad |= digit;
		value = value << 4 | (digit & 15);
	}
	return value;
}

int mark_read(const char *text, size_t length, struct mark *out)
{
	if (length < MARK_LENGTH || text[0] != 'L')
		return ERR_PROTOCOL;
	uint64_t bad = 0;
	const char *at = text + 1;
	uint64_t run = get(at, RUN, &bad);
	uint64_t sender = get(at += RUN, SENDER, &bad);
	uint64_t counter = get(at += SENDER, COUNTER, &bad);
	uint64_t due = get(at + COUNTER, DUE, &bad);

	if (bad > 15 || counter == 0)
		return ERR_PROTOCOL;
	*out = (struct mark){
		.run = (uint32_t)run,
		.sender = (uint32_t)sender,
		.counter = (uint32_t)counter,
		.due = due,
	};
	return 0;
}
