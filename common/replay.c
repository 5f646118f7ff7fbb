#include "common/replay.h"

#include <assert.h>

static uint64_t bit_of(uint64_t number)
{
	return UINT64_C(1) << number % 64;
}

bool replay_is_new(const struct replay *r, uint64_t number)
{
	if (number > r->newest)
		return true;
	if (number == 0 || r->newest - number >= REPLAY_WINDOW)
		return false;
	return !(r->seen[number / 64 % REPLAY_WORDS] & bit_of(number));
}

bool replay_was_there(const struct replay *r, uint64_t number)
{
	return number != 0 && number <= r->newest && r->newest - number < REPLAY_WINDOW &&
	       !replay_is_new(r, number);
}

bool replay_take(struct replay *r, uint64_t number)
{
	bool newest = number > r->newest;

	assert(replay_is_new(r, number));
	if (newest) {
		uint64_t top = r->newest / 64, steps = number / 64 - top;
		for (uint64_t i = 1; i <= steps && i <= REPLAY_WORDS; i++)
			r->seen[(top + i) % REPLAY_WORDS] = 0;
		r->newest = number;
	}
	r->seen[number / 64 % REPLAY_WORDS] |= bit_of(number);
	return newest;
}
