/*
 * Intake: the bytes that a connection has received and not yet understood.
 *
 * There is no buffer while the connection is idle; it grows while much arrives, and
 * never beyond one largest frame. For the session's own thread.
 */
#ifndef LANCHAT_SERVER_INTAKE_H
#define LANCHAT_SERVER_INTAKE_H

#include "common/frame.h"
#include "common/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake {
	uint8_t *bytes; /* owned */
	size_t start, end, size;
	uint32_t limit; /* the largest payload accepted now */
};

void intake_init(struct intake *in, uint32_t limit);
void intake_fini(struct intake *in);

/* Nothing is likely to come for a while: keep no buffer, unless there is something in it. Frames taken
 * before become invalid. */
void intake_rest(struct intake *in);

/* Receive what the stream has, as far as there is room. 0: something came; otherwise what
 * stream_recv says, or ERR_MEMORY. Frames taken before become invalid. */
int intake_fill(struct intake *in, struct stream *s);

/* Take the next frame; it is borrowed until the next fill. ERR_AGAIN, ERR_PROTOCOL. */
int intake_next(struct intake *in, struct frame *f);

/* Bytes that are not understood yet. */
size_t intake_waiting(const struct intake *in);

/* The first byte that is not understood yet; -1: there is none. */
int intake_first(const struct intake *in);

/* All that came has been acted on. Who sends little keeps no buffer for it, who sends much does until
 * intake_rest. */
void intake_settle(struct intake *in);

/* Has a frame begun that is not complete? */
bool intake_partial(const struct intake *in);

#endif
