#include "server/thread.h"

#include "common/err.h"
#include "common/lock.h"
#include "server/instrumented.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The deepest chain is a handler that encodes a message and pumps a room: well under 64 KiB. */
#define STACK (128 * 1024)

size_t thread_stack(void)
{
	return SANITIZED ? (size_t)1024 * 1024 : STACK;
}

/* What a thread begins with; it frees it. */
struct start {
	void *(*run)(void *);
	void *argument;
	char name[16];
};

static void *begin(void *argument)
{
	struct start s = *(struct start *)argument;

	free(argument);
	/* A name is a help, not a need. Given by the thread itself: whoever started it may find it
	 * ended, and joined by somebody else, already. */
	(void)pthread_setname_np(pthread_self(), s.name);
	return s.run(s.argument);
}

static int start_with(pthread_attr_t *attributes, pthread_t *thread, const char *name,
	void *(*run)(void *), void *argument)
{
	struct start *s = malloc(sizeof(*s));

	if (!s)
		return ENOMEM;
	*s = (struct start){.run = run, .argument = argument};
	snprintf(s->name, sizeof(s->name), "%s", name);
	int error = pthread_create(thread, attributes, begin, s);
	if (error)
		free(s);
	return error;
}

static int finish(pthread_attr_t *attributes, int error)
{
	PTHREAD_OK(pthread_attr_destroy(attributes));
	errno = error;
	return error ? ERR_SYSTEM : 0;
}

int thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;

	PTHREAD_OK(pthread_attr_init(&attributes));
	PTHREAD_OK(pthread_attr_setstacksize(&attributes, stack));
	return finish(&attributes, start_with(&attributes, thread, name, run, argument));
}

int thread_start_on(const struct stack *stack, pthread_t *thread, const char *name,
	void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;

	PTHREAD_OK(pthread_attr_init(&attributes));
	PTHREAD_OK(pthread_attr_setstack(&attributes, stack->base, stack->size));
	return finish(&attributes, start_with(&attributes, thread, name, run, argument));
}
