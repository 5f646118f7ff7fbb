/*
 * When: a point in time as people type it.
 *
 *     2026-11-20            the beginning of that day
 *     2026-11-20T14:30      or with a blank for the T; seconds may follow
 *     14:30                 the last time that it was so: today or yesterday
 *     90m  2h  3d  2w       so long ago (a day is 24 hours)
 *
 * All is local time. It depends on nothing but its arguments and the time zone
 * (tzset). Source: mktime(3). Any thread, as long as none changes TZ.
 */
#ifndef LANCHAT_WHEN_H
#define LANCHAT_WHEN_H

#include <stdint.h>

/* The point in time that `text` means, if it is `now_s` (seconds since 1970); what would lie before
 * 1970 is 0. Where the clocks were put back and a time came twice, the first is meant. ERR_ARGUMENT:
 * it is none of the above. */
int when_parse(const char *text, int64_t now_s, int64_t *seconds_since_1970);

#endif
