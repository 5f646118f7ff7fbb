/*
 * Socket calls in words: the names of options and flags, and what is in a buffer. Pure.
 */
#ifndef LANCHAT_LAB_CALL_TEXT_H
#define LANCHAT_LAB_CALL_TEXT_H

#include <stddef.h>

#define CALL_TEXT 160

/* "SOL_SOCKET, SO_REUSEADDR"; numbers where it is not one that the lab uses. Returns `out`. */
char *call_text_option(int level, int name, char out[CALL_TEXT]);

/* "MSG_PEEK|MSG_NOSIGNAL", or "0". Returns `out`. */
char *call_text_flags(int flags, char out[CALL_TEXT]);

/* "\"hello\", 5 bytes"; long texts are cut; "64 bytes" where not all of it can be printed. Returns
 * `out`. */
char *call_text_bytes(const void *bytes, size_t length, char out[CALL_TEXT]);

/* "SHUT_WR"; of static duration. */
const char *call_text_shutdown(int how);

/* "ECONNREFUSED"; of static duration. */
const char *call_text_error(int error);

#endif
