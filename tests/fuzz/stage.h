/*
 * A stage: threads, sockets and clocks of the real programs, played by one thread,
 * step by step, so that the same input always gives the same play.
 *
 * The linker puts what is here in place of poll, the clock, starting and joining
 * threads, waiting for a condition, epoll and random bytes (STAGE_WRAPS in the
 * Makefile); outside of a play all of them are the real ones. Sockets are streams in
 * memory, of which the target has the other end. Whenever the program waits, the
 * target is asked to do one thing (stage_step) until what is waited for is there;
 * where it has nothing left to do, time passes until the deadline.
 */
#ifndef LANCHAT_TESTS_STAGE_H
#define LANCHAT_TESTS_STAGE_H

#include "common/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One end of a connection is the program's, a stream; this is the target's. Plain value; zeroed, and
 * `room` and `cut` set, before stage_connect. */
struct stage_end {
	const uint8_t *in; /* what the program may receive; borrowed */
	size_t in_length;
	size_t cut;   /* at most so many bytes at once */
	bool closed;  /* nothing more will come */
	bool shut;    /* the program ended its writing, or all of it */
	bool gone;    /* the program has closed it */
	size_t room;  /* so many bytes can still be sent to us */
	uint8_t *out; /* what was sent to us; owned: stage_end_fini */
	size_t out_length, out_size;
	int fd; /* the number that the program knows it by; no real descriptor */
	struct stage_end *next;
};

/* Do one thing of the play; false: nothing is left to do. */
typedef bool stage_step(void *context);

/* Begin a play at the same time as ever; at most `waits` times may anybody wait in it. */
void stage_begin(stage_step *step, void *context, size_t waits);

/* The play is over. Whatever was connected must have been closed. */
void stage_finish(void);

/* The clock. */
int64_t stage_now_ms(void);
void stage_pass_ms(int64_t ms);

/* A stream whose other end is `e`, which must live until `gone`. */
struct stream *stage_connect(struct stage_end *e);
void stage_end_fini(struct stage_end *e);

/* Have each thread that was started run until it would wait. */
void stage_run_threads(void);

/* Run the thread that was started last, from its beginning to its end, on this thread. */
void stage_run_last(void);

#endif
