/*
 * Figures as people read them: thousands grouped, and a unit that leaves one to four digits.
 *
 * Each is written into a buffer of the caller's, which is returned, so that several stand in one
 * call of printf. ASCII alone, the same in every locale. Pure; any thread.
 */
#ifndef LANCHAT_STRESS_FIGURE_H
#define LANCHAT_STRESS_FIGURE_H

#include <stdint.h>

#define FIGURE_MAX 32 /* the longest of any, and its terminator */

/* "12,345,678" */
char *figure_count(uint64_t number, char out[FIGURE_MAX]);

/* About so many, of what comes by the second: "0.5", "7.3", "11,812", "5.60 M", "1.20 G". What is not
 * finite, or is negative, counts as none. */
char *figure_about(double number, char out[FIGURE_MAX]);

/* Microseconds: "870 us", "3.1 ms", "12.0 ms", "1.50 s". */
char *figure_time(uint64_t us, char out[FIGURE_MAX]);

/* Bytes: "870 B", "3.1 KiB", "12.0 MiB". */
char *figure_bytes(uint64_t bytes, char out[FIGURE_MAX]);

#endif
