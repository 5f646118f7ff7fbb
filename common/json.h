/*
 * Writing JSON: one object a line, to a stream; and escaping alone, into memory.
 *
 * Strings may be anything: what is not well-formed UTF-8 becomes U+FFFD, and
 * whatever a terminal should not be sent (controls, direction overrides) is
 * written as \uXXXX, so the output is valid JSON (RFC 8259) and harmless to look
 * at. Nothing is flushed, and write errors show in ferror, as usual for a stream.
 * A writer belongs to one thread.
 */
#ifndef LANCHAT_JSON_H
#define LANCHAT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Escape `length` bytes of `text` as the inside of a JSON string into `out` (`size` bytes, always
 * terminated), cut, if need be, between characters. Allocates nothing. Returns `out`. */
char *json_escape(const char *text, size_t length, char *out, size_t size);

/* A plain value; the stream is borrowed. */
struct json {
	FILE *out;
	bool more; /* something was written at this level: a comma comes first */
};

#define JSON_TIME_MAX 32 /* "2026-11-22T19:25:14.000001Z" and its terminator, with room */

/* Begin an object: `{`. */
void json_begin(struct json *j, FILE *out);

/* End it: `}` and a newline. */
void json_end(struct json *j);

/* One member each; in an array an element, with a NULL `key`. A NULL `text` is written as null. */
void json_text(struct json *j, const char *key, const char *text);
void json_text_n(struct json *j, const char *key, const char *text, size_t length);
void json_number(struct json *j, const char *key, int64_t number);
void json_unsigned(struct json *j, const char *key, uint64_t number);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t length);

/* Microseconds since 1970, as RFC 3339 in UTC. */
void json_time(struct json *j, const char *key, uint64_t wall_us);

/* Microseconds or the like, as a number with `decimals` (at most 9) digits behind the point. */
void json_fixed(struct json *j, const char *key, uint64_t number, unsigned decimals);

/* A member, or an element, that is an object. */
void json_object_begin(struct json *j, const char *key);
void json_object_end(struct json *j);

/* A member that is an array: of strings, or of what is written with a NULL `key`. */
void json_array_begin(struct json *j, const char *key);
void json_array_text(struct json *j, const char *text);
void json_array_end(struct json *j);

/* "2026-11-22T19:25:14.000001Z"; times beyond the year 9999 are shown as its end. Returns `out`. */
char *json_print_time(uint64_t wall_us, char out[JSON_TIME_MAX]);

#endif
