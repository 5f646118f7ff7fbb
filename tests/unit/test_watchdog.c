/*
 * The watchdog: signs of life as long as every loop goes round, and not one more.
 */
#include "server/watchdog.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>

static const struct {
	const char *usec, *pid;
	int64_t interval;
} values[] = {
	{NULL, NULL, 0},
	{"60000000", NULL, 30000},
	{"60000000", "1234", 30000},
	{"60000000", "1235", 0},
	{"60000000", "x", 0},
	{NULL, "1234", 0},
	{"0", NULL, 0},
	{"1", NULL, 1},
	{"3000", NULL, 1},
	{"", NULL, 0},
	{"x", NULL, 0},
	{"-5", NULL, 0},
	{"18446744073709551615", NULL, 0},
	{"99999999999999999999999", NULL, 0},
};

START_TEST(intervals)
{
	ck_assert_int_eq(
		watchdog_interval(values[_i].usec, values[_i].pid, 1234), values[_i].interval);
}
END_TEST

/* Two loops that go round when they are nudged, unless one of them is stuck. */
struct loops {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned turns[2];
	bool stuck;
	unsigned looks, alive;
};

static void nudge(void *context)
{
	struct loops *l = context;

	pthread_mutex_lock(&l->lock);
	l->turns[0]++;
	l->turns[1] += !l->stuck;
	pthread_mutex_unlock(&l->lock);
}

static size_t turns(void *context, unsigned out[WATCHDOG_LOOPS])
{
	struct loops *l = context;

	pthread_mutex_lock(&l->lock);
	out[0] = l->turns[0];
	out[1] = l->turns[1];
	l->looks++;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return 2;
}

static void alive(void *context)
{
	struct loops *l = context;

	pthread_mutex_lock(&l->lock);
	l->alive++;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* Until so many have come; the lock is held. */
static void wait_for(struct loops *l, const unsigned *count, unsigned wanted)
{
	while (*count < wanted)
		pthread_cond_wait(&l->changed, &l->lock);
}

START_TEST(a_stuck_loop)
{
	struct loops l = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	const struct watchdog_config config = {
		.interval_ms = 8, .context = &l, .nudge = nudge, .turns = turns, .alive = alive};
	struct watchdog *w;

	ck_assert_int_eq(watchdog_start(&config, &w), 0);
	pthread_mutex_lock(&l.lock);
	wait_for(&l, &l.alive, 3);
	l.stuck = true;
	/* It may have gone round since it was asked, once. */
	wait_for(&l, &l.looks, l.looks + 10);
	unsigned last = l.alive;
	wait_for(&l, &l.looks, l.looks + 20);
	unsigned told = l.alive - last;
	/* It goes on, however late. */
	l.stuck = false;
	l.turns[1]++;
	wait_for(&l, &l.alive, l.alive + 2);
	pthread_mutex_unlock(&l.lock);
	watchdog_stop(w);
	watchdog_stop(NULL);
	ck_assert_uint_eq(told, 0);
}
END_TEST

Suite *watchdog_suite(void)
{
	Suite *s = suite_create("watchdog");
	TCase *c = tcase_create("watchdog");

	tcase_add_loop_test(c, intervals, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(c, a_stuck_loop);
	suite_add_tcase(s, c);
	return s;
}
