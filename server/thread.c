#include "server/thread.h"

#include "common/err.h"
#include "common/lock.h"

#include <errno.h>

/* The deepest chain is a handler that encodes a message and pumps a room: well under 64 KiB. */
#define STACK (128 * 1024)

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

size_t thread_stack(void)
{
#ifdef SANITIZED
	return (size_t)1024 * 1024;
#else
	return STACK;
#endif
}

int thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;

	PTHREAD_OK(pthread_attr_init(&attributes));
	PTHREAD_OK(pthread_attr_setstacksize(&attributes, stack));
	int error = pthread_create(thread, &attributes, run, argument);
	PTHREAD_OK(pthread_attr_destroy(&attributes));
	if (error) {
		errno = error;
		return ERR_SYSTEM;
	}
	/* A name is a help, not a need. */
	(void)pthread_setname_np(*thread, name);
	return 0;
}
