/*
 * Logging: one line a record, to stderr or to a file, in one write.
 *
 * What peers sent may appear in a line; every byte that is not printable UTF-8
 * is escaped, so that nobody can forge a line or reach a terminal. Any thread
 * may log; errno is kept. No logging under a lock. A record longer than 1 KiB is cut.
 *
 *     2026-11-22T19:30:00.123Z info    listening on [::]:19830
 *
 * Or, for programs that read it, each line is a JSON object; then it is escaped as JSON is, and what
 * is no UTF-8 becomes U+FFFD:
 *
 *     {"time":"2026-11-22T19:30:00.123456Z","level":"info","message":"listening on [::]:19830"}
 */
#ifndef LANCHAT_LOG_H
#define LANCHAT_LOG_H

#include <stddef.h>
#include <stdio.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_TEXT,
	LOG_JSON,
};

/* Whom a record is about; in JSON these are members of their own ("peer", "nick"). NULL: not known. */
struct log_about {
	const char *peer;
	const char *nick;
};

/* Where lines go (borrowed, a file with a descriptor; stderr at first; NULL drops them) and which
 * are written: `level` and what is graver, at first LOG_LEVEL_INFO. Any thread, at any time. */
void log_set_file(FILE *f);
void log_set_level(enum log_level level);

/* How they look, at first LOG_TEXT. Any thread, at any time. */
void log_set_format(enum log_format format);

/* "error", "warning", "info" or "debug" to a level; ERR_ARGUMENT for anything else. */
int log_level_parse(const char *name, enum log_level *level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with whom it is about, which the text says as well. */
void log_about(enum log_level level, const struct log_about *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Escape `length` bytes of `text` into `out` (`size` bytes, always terminated): printable UTF-8
 * stays, backslash doubles, all else becomes \n, \r, \t, \xHH. Cut, if need be, between characters.
 * Returns `out`. */
char *log_escape(const char *text, size_t length, char *out, size_t size);

/* Write text made elsewhere, which may be several lines and is escaped already, to `f` in one write(2),
 * past its buffer, with a newline; in JSON as one record of the level "trace". errno is kept. */
void log_trace(FILE *f, const char *text, size_t length);

#endif
