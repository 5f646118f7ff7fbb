/*
 * The status bar's words: what the connection is doing, how many messages wait,
 * what else the user should know. Pure; one thread.
 */
#ifndef LANCHAT_STATUS_H
#define LANCHAT_STATUS_H

#include "client/model.h"

#include <stddef.h>
#include <stdint.h>

/* The connection's state in words: "online, 0.4 ms", "offline: WHY; next try in 4 s (Enter: now)".
 * `now` is clock_ms. Cut to `size`; returns `out`. */
char *status_connection(const struct model *m, int64_t now, char *out, size_t size);

/* Where something is unread, where no pane shows it: "2:#dev(3) 4:anna(1!)"; empty when nowhere.
 * Returns `out`. */
char *status_activity(const struct model *m, char *out, size_t size);

/* How far the pane is from the newest line: "scrolled back, 82 below, 3 new (Esc)"; empty at that line.
 * Returns `out`. */
char *status_scrolled(const struct buffer *b, char *out, size_t size);

/* What is before the oldest line of those shown, as far as that is worth a row: "the beginning of #dev",
 * "loading..."; empty where it is not. Returns `out`. */
char *status_top(const struct buffer *b, char *out, size_t size);

/* The name of a buffer as it is shown: "#dev", "anna", the server's. Returns `out`. */
char *status_name(const struct buffer *b, char *out, size_t size);

/* "0.4 ms", "12 ms", "1.2 s". Returns `out`. */
char *status_time(int64_t microseconds, char *out, size_t size);

/* When (clock_ms) the words will be others by themselves; INT64_MAX: never. */
int64_t status_deadline(const struct model *m, int64_t now);

#endif
