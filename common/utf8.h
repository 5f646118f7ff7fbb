/*
 * UTF-8: what is well-formed, and what is clean enough to be shown to people.
 *
 * Well-formed is RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF. Clean means well-formed and without control characters (C0, DEL,
 * C1), bidirectional overrides and isolates, line and paragraph separators, and
 * noncharacters. A name moreover has nothing blank and nothing invisible in it.
 * Pure functions; any thread may call them. Lengths are bytes.
 */
#ifndef LANCHAT_UTF8_H
#define LANCHAT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode one code point from `length` > 0 bytes. Returns how many bytes it took, and the code point
 * in `*c`; 0 when the bytes are not well-formed or not complete. */
size_t utf8_decode(const char *text, size_t length, uint32_t *c);

/* Encode one code point (a valid scalar value) to at most 4 bytes; returns how many. */
size_t utf8_encode(uint32_t c, char out[4]);

bool utf8_is_valid(const char *text, size_t length);

/* Clean text; a block may contain \n. */
bool utf8_is_line(const char *text, size_t length);
bool utf8_is_block(const char *text, size_t length);
bool utf8_is_name(const char *text, size_t length);

/* May this code point appear in a line? */
bool utf8_is_clean(uint32_t c);

#endif
