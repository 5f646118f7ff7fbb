#include "common/lock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One bit for each rank that this thread holds. Its address doubles as the thread's identity. */
static _Thread_local uint32_t held;

static uintptr_t self(void)
{
	return (uintptr_t)&held;
}

void lock_check(int error, const char *what, const char *file, int line)
{
	if (error == 0)
		return;
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(error));
	abort();
}

void lock_init(struct lock *l, enum lock_rank rank)
{
	PTHREAD_OK(pthread_mutex_init(&l->mutex, NULL));
	atomic_init(&l->owner, 0);
	l->rank = rank;
}

void lock_fini(struct lock *l)
{
	assert(atomic_load_explicit(&l->owner, memory_order_relaxed) == 0);
	PTHREAD_OK(pthread_mutex_destroy(&l->mutex));
}

/* Taking a lock while holding one of the same or a higher rank can deadlock. */
static void check_rank(const struct lock *l)
{
	if (held >> l->rank == 0)
		return;
	fprintf(stderr, "lock of rank %d taken while holding ranks 0x%x\n", (int)l->rank, held);
	abort();
}

static void own(struct lock *l)
{
	held |= 1U << l->rank;
	atomic_store_explicit(&l->owner, self(), memory_order_relaxed);
}

void lock_take(struct lock *l) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
	check_rank(l);
	PTHREAD_OK(pthread_mutex_lock(&l->mutex));
	own(l);
}

bool lock_try(struct lock *l) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
	check_rank(l);
	int error = pthread_mutex_trylock(&l->mutex);
	if (error == EBUSY)
		return false;
	PTHREAD_OK(error);
	own(l);
	return true;
}

void lock_drop(struct lock *l) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
	lock_assert_held(l);
	atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
	held &= ~(1U << l->rank);
	PTHREAD_OK(pthread_mutex_unlock(&l->mutex));
}

void lock_assert_held(const struct lock *l) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
	if (atomic_load_explicit(&l->owner, memory_order_relaxed) == self())
		return;
	fprintf(stderr, "lock of rank %d is not held where it must be\n", (int)l->rank);
	abort();
}

bool lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline)
{
	int error;

	lock_assert_held(l);
	atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
	if (deadline == INT64_MAX) {
		error = pthread_cond_wait(c, &l->mutex);
	} else {
		struct timespec until = {
			.tv_sec = (time_t)(deadline / 1000),
			.tv_nsec = (long)(deadline % 1000) * 1000000,
		};
		error = pthread_cond_timedwait(c, &l->mutex, &until);
	}
	atomic_store_explicit(&l->owner, self(), memory_order_relaxed);
	if (error == ETIMEDOUT)
		return false;
	PTHREAD_OK(error);
	return true;
}

void lock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attributes;

	PTHREAD_OK(pthread_condattr_init(&attributes));
	PTHREAD_OK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
	PTHREAD_OK(pthread_cond_init(c, &attributes));
	PTHREAD_OK(pthread_condattr_destroy(&attributes));
}
