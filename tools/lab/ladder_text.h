/*
 * A row of the ladder as one line of text.
 *
 *       client                                 server
 *      0.0 |---------------- SYN ---------------->|      20.0
 *     45.0 |- data 1..64 - - -                    |
 *     50.0 |- data 65..128 --x on purpose         |
 *          |                     - - data 1..64 ->|      65.0
 *
 * The time of sending stands at the sender's side and that of arrival at the receiver's, in
 * milliseconds. An arrow without a head has been sent, and arrives further down; one without a shaft is
 * where it does. Pure; any thread.
 */
#ifndef LANCHAT_LAB_LADDER_TEXT_H
#define LANCHAT_LAB_LADDER_TEXT_H

#include "tools/lab/frames.h"
#include "tools/lab/ladder.h"

#define LADDER_TEXT_COLUMNS 160 /* a line is never longer */
#define LADDER_TEXT_LEAST   24  /* nor is anything drawn in less */
#define LADDER_TEXT_SIZE    (LADDER_TEXT_COLUMNS * 3 + 1)

struct ladder_look {
	size_t columns;
	size_t hosts; /* 2 or 3 */
	bool unicode; /* lines of box drawing, not of ASCII */
	/* Borrowed; NULL: none are looked for. What begins a message of lanchat's is called by it. */
	const struct frames *frames;
};

/* Returns `out`; "" where there is not the room. */
char *ladder_text(
	const struct ladder_row *r, const struct ladder_look *look, char out[LADDER_TEXT_SIZE]);

/* The names of the hosts above their lines. */
char *ladder_text_head(const struct ladder_look *look, char out[LADDER_TEXT_SIZE]);

/* "client"; of static duration. */
const char *ladder_host(size_t host);

#endif
