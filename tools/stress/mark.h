/*
 * Marks: what stands in each message of a load, so that whoever gets it can tell what it is.
 *
 * A mark is text, of fixed length, at the beginning of the message, and the same in every protocol:
 *
 *     L rrrr ssss cccccc tttttttt lllll kk L rrrr ...
 *     |  |    |     |       |       |   |  the same again, up to the size that was asked for
 *     | run sender  |       |       |   a check of the five
 *     |          counter    |   microseconds later, at which it was sent
 *     |                     time at which it was to be sent, microseconds
 *
 * without the blanks, in digits of six bits each (RFC 4648, base64url: A to Z, a to z, 0 to 9, - and _).
 * What is damaged anywhere is no mark, nor is the beginning of one message with the end of another. Pure;
 * any thread.
 */
#ifndef LANCHAT_STRESS_MARK_H
#define LANCHAT_STRESS_MARK_H

#include <stddef.h>
#include <stdint.h>

#define MARK_LENGTH  30
#define MARK_RUNS    (UINT32_C(1) << 24)
#define MARK_SENDERS (UINT32_C(1) << 20)
#define MARK_DUE_MAX ((UINT64_C(1) << 48) - 1) /* nearly nine years */
#define MARK_LAG_MAX ((UINT32_C(1) << 30) - 1) /* nearly 18 minutes */

struct mark {
	uint32_t run;     /* below MARK_RUNS: no two runs at once have the same */
	uint32_t sender;  /* below MARK_SENDERS: the number of the client */
	uint32_t counter; /* from 1 on, of this sender */
	uint64_t due;     /* microseconds since the run began, at most MARK_DUE_MAX */
	uint32_t lag;     /* microseconds, at most MARK_LAG_MAX */
};

/* Write the text of a message of `size` bytes, MARK_LENGTH to 65536. */
void mark_write(const struct mark *m, char *text, size_t size);

/* 0, or ERR_PROTOCOL: that is no mark, or not the whole of what was written behind it. */
int mark_read(const char *text, size_t length, struct mark *out);

#endif
