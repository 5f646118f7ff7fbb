/*
 * The drain thread's tick: called in time, and not for what has time.
 */
#include "server/drain.h"

#include "common/clock.h"
#include "server/thread.h"

#include <check.h>
#include <stdatomic.h>
#include <unistd.h>

#define FAR   60000 /* milliseconds */
#define TIMES 100

static _Atomic(int64_t) planned;
static atomic_uint ticks;

static int64_t tick(void *context, int64_t now)
{
	(void)context;
	(void)now;
	atomic_fetch_add(&ticks, 1);
	return atomic_load(&planned);
}

static struct drain *start(int64_t next)
{
	struct drain *d;

	atomic_store(&planned, next);
	atomic_store(&ticks, 0);
	ck_assert_int_eq(drain_start(thread_stack(), tick, NULL, &d), 0);
	return d;
}

/* The test's own timeout ends it. */
static void wait_for_ticks(unsigned count)
{
	while (atomic_load(&ticks) < count)
		usleep(100);
}

/* Each who comes into a room asks for a tick within a quarter of a second, and one is planned mostly;
 * waking the thread for that cost more than the rest of coming in. */
START_TEST(what_has_time)
{
	int64_t soon = clock_ms() + FAR;
	struct drain *d = start(soon);

	wait_for_ticks(1);
	for (unsigned i = 0; i < TIMES; i++) {
		drain_wake_by(d, soon + 1);
		drain_wake_by(d, INT64_MAX);
		unsigned turns = drain_turns(d);
		drain_wake(d);
		while (drain_turns(d) == turns)
			usleep(100);
	}
	ck_assert_uint_le(atomic_load(&ticks), 2 + TIMES);
	drain_stop(d);
}
END_TEST

START_TEST(what_has_not)
{
	struct drain *d = start(clock_ms() + FAR);

	wait_for_ticks(1);
	for (unsigned i = 0; i < TIMES; i++) {
		unsigned before = atomic_load(&ticks);
		drain_wake_by(d, clock_ms());
		wait_for_ticks(before + 1);
	}
	drain_stop(d);
}
END_TEST

Suite *drain_suite(void)
{
	Suite *s = suite_create("drain");
	TCase *c = tcase_create("tick");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, what_has_time);
	tcase_add_test(c, what_has_not);
	suite_add_tcase(s, c);
	return s;
}
