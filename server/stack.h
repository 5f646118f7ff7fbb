/*
 * Stacks for threads that come and go by the thousand.
 *
 * The C library keeps the stacks of threads that have ended, 40 MiB of them, with the pages that they
 * touched (nptl, allocatestack.c): after a crowd has left, megabytes that nobody uses. These are mapped
 * for one thread and unmapped after it, and what it does not need while it waits can be given back.
 */
#ifndef LANCHAT_SERVER_STACK_H
#define LANCHAT_SERVER_STACK_H

#include <stddef.h>

/* Zeroed: none. */
struct stack {
	void *base; /* owned: the lowest byte above the guard page */
	size_t size;
};

/* At least `size` bytes, below which there is a page that nobody may touch. ERR_SYSTEM with errno. */
int stack_new(size_t size, struct stack *out);

/* After the thread that ran on it has been joined, or was never started. None is allowed. */
void stack_free(struct stack *s);

/* Give back the pages that the calling thread, which runs on it, has touched and left again
 * (madvise(2), MADV_DONTNEED). They come back as they are touched. */
void stack_rest(const struct stack *s);

#endif
