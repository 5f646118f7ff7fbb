/*
 * Logging: one line a record, to stderr or to a file, in one write.
 *
 * What peers sent may appear in a line; every byte that is not printable UTF-8
 * is escaped, so that nobody can forge a line or reach a terminal. Any thread
 * may log; errno is kept. No logging under a lock.
 */
#ifndef LANCHAT_LOG_H
#define LANCHAT_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Where lines go (borrowed; stderr at first; NULL drops them) and which are written. */
void log_set_file(FILE *f);
void log_set_level(enum log_level level);

/* "error", "warning", "info" or "debug" to a level; ERR_ARGUMENT for anything else. */
int log_level_parse(const char *name, enum log_level *level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Escape `length` bytes of `text` into `out` (`size` bytes, always terminated): printable UTF-8
 * stays, backslash doubles, all else becomes \n, \t, \xHH. Returns `out`. */
char *log_escape(const char *text, size_t length, char *out, size_t size);

#endif
