/*
 * Durations: how long something is to last, as people type it and as it is shown.
 *
 *     30s  10m  2h  1d  2w     and, the largest first, 1h30m  1d12h
 *
 * Pure; any thread.
 */
#ifndef LANCHAT_DURATION_H
#define LANCHAT_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* How a duration is written, for a complaint. */
#define DURATION_FORM "30s, 10m, 2h, 1d, 2w or 1h30m"

/* The seconds that `text` means. ERR_ARGUMENT: it is no duration, or none at all (0s); ERR_TOO_BIG: more
 * than `most`. */
int duration_parse(const char *text, uint64_t most, uint64_t *seconds);

/* The two largest units of it: "4 s", "10 min", "1 h 30 min", "2 days". Returns `out`. */
#define DURATION_SIZE 48
char *duration_print(uint64_t seconds, char out[DURATION_SIZE]);

#endif
