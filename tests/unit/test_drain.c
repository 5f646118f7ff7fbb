/*
 * The drain thread's tick: called in time, and not for what has time.
 */
#include "server/drain.h"

#include "common/clock.h"
#include "server/thread.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>

#define FAR    60000 /* milliseconds */
#define TIMES  100
#define ROUNDS 10

/* A drain whose tick is counted, and planned for the same time always. */
struct ticker {
	struct drain *drain;
	int64_t planned; /* constant once it has started */
	pthread_mutex_t lock;
	pthread_cond_t ticked;
	unsigned ticks; /* guarded by lock */
};

static int64_t tick(void *context, int64_t now)
{
	struct ticker *t = context;

	(void)now;
	pthread_mutex_lock(&t->lock);
	t->ticks++;
	pthread_cond_broadcast(&t->ticked);
	pthread_mutex_unlock(&t->lock);
	return t->planned;
}

static void start(struct ticker *t, int64_t planned)
{
	*t = (struct ticker){.planned = planned};
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->ticked, NULL);
	ck_assert_int_eq(drain_start(thread_stack(), tick, t, &t->drain), 0);
}

static void stop(struct ticker *t)
{
	drain_stop(t->drain);
	pthread_cond_destroy(&t->ticked);
	pthread_mutex_destroy(&t->lock);
}

/* How many there have been, once there are `least`. The test's own timeout ends it. */
static unsigned await_ticks(struct ticker *t, unsigned least)
{
	pthread_mutex_lock(&t->lock);
	while (t->ticks < least)
		pthread_cond_wait(&t->ticked, &t->lock);
	unsigned count = t->ticks;
	pthread_mutex_unlock(&t->lock);
	return count;
}

/* And what that tick returned has been noted: nothing is called after it that could tell, and there is
 * next to nothing to be done. */
static void await_turn(struct ticker *t, unsigned turn)
{
	(void)await_ticks(t, turn);
	while (drain_turns(t->drain) < turn)
		sched_yield();
}

/* Each who comes into a room asks for a tick within a quarter of a second, and one is planned mostly;
 * waking the thread for that cost more than the rest of coming in. */
START_TEST(what_has_time)
{
	int64_t soon = clock_ms() + FAR;
	struct ticker t, other;

	start(&t, soon);
	start(&other, soon);
	await_turn(&t, 1);
	await_turn(&other, 1);
	for (unsigned i = 0; i < ROUNDS * TIMES; i++) {
		drain_wake_by(t.drain, soon + 1);
		drain_wake_by(t.drain, INT64_MAX);
		/* One that is woken after it goes round, as it would have, had it been woken. */
		drain_wake(other.drain);
		await_turn(&other, 2 + i);
		if (i % TIMES > 0)
			continue;
		drain_wake(t.drain);
		await_turn(&t, 2 + i / TIMES);
	}
	ck_assert_uint_eq(await_ticks(&t, 0), 1 + ROUNDS);
	stop(&t);
	stop(&other);
}
END_TEST

START_TEST(what_has_not)
{
	struct ticker t;

	start(&t, clock_ms() + FAR);
	unsigned before = await_ticks(&t, 1);
	for (unsigned i = 0; i < TIMES; i++) {
		drain_wake_by(t.drain, clock_ms());
		before = await_ticks(&t, before + 1);
	}
	stop(&t);
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
