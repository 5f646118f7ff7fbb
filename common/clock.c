#include "common/clock.h"

#include <limits.h>
#include <time.h>

static int64_t read_us(clockid_t which)
{
	struct timespec ts;

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

uint64_t clock_wall_us(void)
{
	return (uint64_t)read_us(CLOCK_REALTIME);
}

int clock_poll_timeout(int64_t deadline)
{
	if (deadline == INT64_MAX)
		return -1;
	if (deadline > clock_ms() && deadline - clock_ms() > INT_MAX)
		return INT_MAX;
	if (deadline < clock_ms())
		return 0;
	/* Rounded up, or a waiter would spin through the last fraction of a millisecond. */
	int64_t left = (deadline * 1000 - clock_us() + 999) / 1000;
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
