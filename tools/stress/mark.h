/*
 * Marks: what stands in each message of a load, so that whoever gets it can tell what it is.
 *
 * A mark is text, of fixed length, at the beginning of the message, and the same in every protocol:
 *
 *     L rrrrrr sssss cccccccc tttttttttt .......
 *     |   |      |       |        |         padding up to the size that was asked for
 *     |   run  sender  counter  time at which it was to be sent, microseconds
 *
 * without the blanks, in hexadecimal digits. Pure; any thread.
 */
#ifndef LANCHAT_STRESS_MARK_H
#define LANCHAT_STRESS_MARK_H

#include <stddef.h>
#include <stdint.h>

#define MARK_LENGTH  30
#define MARK_RUNS    (UINT32_C(1) << 24)
#define MARK_SENDERS (UINT32_C(1) << 20)

struct mark {
	uint32_t run;     /* below MARK_RUNS: no two runs at once have the same */
	uint32_t sender;  /* below MARK_SENDERS: the number of the client */
	uint32_t counter; /* from 1 on, of this sender */
	uint64_t due;     /* microseconds since the run began, below 2^40 */
};

/* Write the text of a message of `size` bytes, at least MARK_LENGTH. */
void mark_write(const struct mark *m, char *text, size_t size);

/* 0, or ERR_PROTOCOL: that is no mark. */
int mark_read(const char *text, size_t length, struct mark *out);

#endif
