/*
 * A thin mutex that knows its owner.
 *
 * Every lock has a rank. A thread takes locks in rising rank only; the wrapper
 * checks that on each acquisition, in release builds as well, and aborts on a
 * violation, so a wrong order is found the first time that it runs and not the
 * first time that it deadlocks. docs/ARCHITECTURE.md lists what each one guards.
 *
 * clang's -Wthread-safety understands the annotations; gcc ignores them.
 */
#ifndef LANCHAT_LOCK_H
#define LANCHAT_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif
#define LOCK_ACQUIRES(l) LOCK_ATTRIBUTE(acquire_capability(l))
#define LOCK_RELEASES(l) LOCK_ATTRIBUTE(release_capability(l))
#define LOCK_TRIES(l)    LOCK_ATTRIBUTE(try_acquire_capability(true, l))
#define LOCK_REQUIRES(l) LOCK_ATTRIBUTE(requires_capability(l))
#define LOCK_ASSERTS(l)  LOCK_ATTRIBUTE(assert_capability(l))

/* Ranks, in the order in which locks may be taken. Two locks of one rank are never held at once by
 * one thread. */
enum lock_rank {
	LOCK_SERVER = 1,   /* the list of connections, the reaper's queue */
	LOCK_PEOPLE,       /* who is logged in */
	LOCK_HUB,          /* the table of rooms */
	LOCK_CONN,         /* one connection's output; held across a non-blocking send */
	LOCK_ROOM,         /* one room's people and pending presence */
	LOCK_FEED,         /* one feed's segments and members */
	LOCK_QUEUE,        /* work queues between threads */
	LOCK_ENGINE_QUEUE, /* the engine's waiting appends */
	LOCK_ENGINE,       /* the engine's log */
	LOCK_CLIENT,       /* the client's queues between its two threads */
	LOCK_STREAM,       /* one stream's TLS; held across non-blocking calls of its socket */
	LOCK_LOGINS,       /* which sessions may append, or are sent away */
	LOCK_LEAF,         /* locks under which nothing else is ever taken */
};

struct LOCK_ATTRIBUTE(capability("mutex")) lock {
	pthread_mutex_t mutex;
	_Atomic(uintptr_t) owner; /* an address unique to the holder; 0 when free */
	enum lock_rank rank;      /* constant after init */
};

/* Prepare storage that the caller owns; cannot fail on Linux. Pair with lock_fini. */
void lock_init(struct lock *l, enum lock_rank rank);

/* The lock must be free. */
void lock_fini(struct lock *l);

void lock_take(struct lock *l) LOCK_ACQUIRES(l);
bool lock_try(struct lock *l) LOCK_TRIES(l);
void lock_drop(struct lock *l) LOCK_RELEASES(l);

/* Abort unless the calling thread holds `l`: the first line of every function ending in _locked. */
void lock_assert_held(const struct lock *l) LOCK_ASSERTS(l);

/* Wait on `c`, which the holder of `l` does; false when `deadline` (clock_ms) passed first.
 * INT64_MAX waits for ever. The condition must come from lock_cond_init. */
bool lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline) LOCK_REQUIRES(l);

/* A condition variable on the monotonic clock. Pair with pthread_cond_destroy. */
void lock_cond_init(pthread_cond_t *c);

/* Abort with the place and the error's text if a pthread call that cannot fail has failed. */
#define PTHREAD_OK(call) lock_check((call), #call, __FILE__, __LINE__)
void lock_check(int error, const char *what, const char *file, int line);

#endif
