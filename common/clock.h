/*
 * Time. Deadlines use the monotonic clock, which no administrator can set back;
 * people see the wall clock. Any thread may call these; they cannot fail.
 * Source: clock_gettime(2).
 */
#ifndef LANCHAT_CLOCK_H
#define LANCHAT_CLOCK_H

#include <stdint.h>

/* Milliseconds and microseconds on the monotonic clock. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* Microseconds since the machine was started, also those in which it slept. */
int64_t clock_boot_us(void);

/* Microseconds since 1970-01-01 00:00 UTC, on the wall clock. */
uint64_t clock_wall_us(void);

/* What poll(2) wants: milliseconds from now until `deadline` (monotonic ms), at least 0, clamped to
 * INT_MAX; -1, which is for ever, when `deadline` is INT64_MAX. */
int clock_poll_timeout(int64_t deadline);

/* Of two deadlines, the one that comes first; INT64_MAX never comes. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
