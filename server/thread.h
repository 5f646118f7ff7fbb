/*
 * Starting threads: small stacks, a name for ps and gdb, every signal blocked.
 */
#ifndef LANCHAT_SERVER_THREAD_H
#define LANCHAT_SERVER_THREAD_H

#include "server/stack.h"

#include <pthread.h>
#include <stddef.h>

/* A stack that is enough for every thread of the server; larger where a sanitizer needs it. */
size_t thread_stack(void);

/* Start a joinable thread; `name` has at most 15 bytes. ERR_SYSTEM with errno: the machine has no
 * room for one more (RLIMIT_NPROC, pid_max, vm.max_map_count, memory). */
int thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument);

/* The same on a stack of the caller's, which has to outlive it. */
int thread_start_on(const struct stack *stack, pthread_t *thread, const char *name,
	void *(*run)(void *), void *argument);

#endif
