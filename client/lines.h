/*
 * Lines out of a stream of bytes, made ready to be sent as messages.
 *
 * Bytes go in as they come; lines come out, each judged: tabs become blanks (to
 * the next multiple of 8 columns), a carriage return before the newline goes, and
 * what cannot be sent says why. However long a line is, no more than the limit is
 * kept of it. A plain module: no input, no output, no lock.
 */
#ifndef LANCHAT_LINES_H
#define LANCHAT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
	char *raw; /* owned: the line so far */
	size_t length;
	size_t room;
	char *text; /* owned: the line that was returned last */
	size_t limit;
	uint64_t number; /* of the line that was returned last, from 1 */
	bool too_long;   /* the rest of this line is being skipped */
};

/* Zeroed storage, and how many bytes a message may have. */
void lines_init(struct lines *l, size_t limit);
void lines_fini(struct lines *l);

/* Take bytes up to the end of the first line in them; `*used` says how many. 0: that line is
 * complete, and `*text`, owned by `l` until the next call, is it; it may be empty. ERR_AGAIN: all
 * bytes were taken, and the line goes on. ERR_TEXT, ERR_TOO_BIG: the line is complete and cannot be
 * sent. ERR_MEMORY: so it is, for want of memory. */
int lines_feed(struct lines *l, const char *bytes, size_t length, size_t *used, const char **text);

/* The input has ended: the last line, if it had no newline. Results as above; ERR_AGAIN: there is
 * none. */
int lines_end(struct lines *l, const char **text);

#endif
