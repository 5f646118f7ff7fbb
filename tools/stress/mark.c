#include "tools/stress/mark.h"

#include "common/err.h"

#include <assert.h>
#include <string.h>

#define SIX       6 /* bits of a digit */
#define SIZE_MOST ((size_t)65536)

/* Digits, in this order behind the letter. */
enum {
	RUN = 4,
	SENDER = 4,
	COUNTER = 6,
	DUE = 8,
	LAG = 5,
	CHECK = 2,
};
_Static_assert(
	1 + RUN + SENDER + COUNTER + DUE + LAG + CHECK == MARK_LENGTH, "the header's picture");
_Static_assert(MARK_RUNS == UINT32_C(1) << SIX * RUN, "a run has its digits");
_Static_assert(MARK_SENDERS <= UINT32_C(1) << SIX * SENDER, "a sender has its digits");
_Static_assert(MARK_DUE_MAX == (UINT64_C(1) << SIX * DUE) - 1, "a time has its digits");
_Static_assert(MARK_LAG_MAX == (UINT32_C(1) << SIX * LAG) - 1, "a lag has its digits");

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of a digit plus one; 0: none. Of the bytes from 0x20 on. */
/* clang-format off */
#define FIRST_BYTE 0x20
static const uint8_t values[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0,
	53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 64,
	0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41,
	42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 0, 0, 0, 0, 0,
};
/* clang-format on */

static char *put(char *to, uint64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value >>= SIX)
		to[i] = digits[value & 63];
	return to + count;
}

/* Whoever changes one of the five changes this, but for one in 4,096. The numbers are odd and at random. */
static uint64_t check_of(const struct mark *m)
{
	uint64_t sum = m->due * UINT64_C(0x9e3779b97f4a7c15);

	sum ^= ((uint64_t)m->counter << 32 | m->run) * UINT64_C(0xd1b54a32d192ed03);
	sum ^= ((uint64_t)m->lag << 32 | m->sender) * UINT64_C(0x8cb92ba72f3d8dd7);
	return (sum ^ sum >> 23) * UINT64_C(0x2127599bf4325c37) >> (64 - SIX * CHECK);
}

void mark_write(const struct mark *m, char *text, size_t size)
{
	assert(size >= MARK_LENGTH && size <= SIZE_MOST);
	assert(m->run < MARK_RUNS && m->sender < MARK_SENDERS && m->counter > 0);
	assert(m->due <= MARK_DUE_MAX && m->lag <= MARK_LAG_MAX);
	char *to = text;

	*to++ = 'L';
	to = put(to, m->run, RUN);
	to = put(to, m->sender, SENDER);
	to = put(to, m->counter, COUNTER);
	to = put(to, m->due, DUE);
	to = put(to, m->lag, LAG);
	(void)put(to, check_of(m), CHECK);
	/* Twice as much each time: what is there is the mark so many times, as a whole. */
	for (size_t has = MARK_LENGTH; has < size; has *= 2)
		memcpy(text + has, text, has < size - has ? has : size - has);
}

/* Whoever reads looks at all the digits, and asks once whether all were some: there is no branch for
 * each. What is no digit is 2^64 - 1 at its place, and leaves a bit in `bad` above those of digits. */
static inline uint64_t get(const char *from, int count, uint64_t *bad)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++) {
		uint64_t digit = (uint64_t)values[(uint8_t)(from[i] - FIRST_BYTE)] - 1;
		*bad |= digit;
		value = value << SIX | (digit & 63);
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
	uint64_t due = get(at += COUNTER, DUE, &bad);
	uint64_t lag = get(at += DUE, LAG, &bad);
	uint64_t check = get(at + LAG, CHECK, &bad);
	struct mark m = {
		.run = (uint32_t)run,
		.sender = (uint32_t)sender,
		.counter = (uint32_t)counter,
		.due = due,
		.lag = (uint32_t)lag,
	};

	if (bad > 63 || sender >= MARK_SENDERS || counter == 0 || counter > UINT32_MAX ||
		check != check_of(&m) ||
		memcmp(text + MARK_LENGTH, text, length - MARK_LENGTH) != 0)
		return ERR_PROTOCOL;
	*out = m;
	return 0;
}
