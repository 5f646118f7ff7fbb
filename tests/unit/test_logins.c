/*
 * Logins: who ends whom, and who waits for whom.
 */
#include "server/logins.h"

#include "common/clock.h"
#include "common/err.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>

#define SOON 50 /* milliseconds */
#define LATE 30000

static struct logins *all;
static struct login logins[4];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static unsigned ended[4]; /* guarded by lock */

static void note_end(void *context, const struct login_end *e)
{
	ck_assert_int_eq(e->why, CODE_ALREADY);
	pthread_mutex_lock(&lock);
	++*(unsigned *)context;
	pthread_cond_broadcast(&one_ended);
	pthread_mutex_unlock(&lock);
}

/* How often it was ended. */
static unsigned ends_of(int i)
{
	pthread_mutex_lock(&lock);
	unsigned count = ended[i];
	pthread_mutex_unlock(&lock);
	return count;
}

static void setup(void)
{
	all = logins_new();
	ck_assert_ptr_nonnull(all);
	for (int i = 0; i < 4; i++) {
		logins[i] = (struct login){.end = note_end, .context = &ended[i]};
		ended[i] = 0;
	}
}

static void teardown(void)
{
	for (int i = 0; i < 4; i++)
		logins_leave(&logins[i]);
	logins_free(all);
}

static int enter(int i, int person, int instance, int64_t wait)
{
	uint8_t p[PERSON_ID] = {0}, id[INSTANCE_ID] = {0};

	p[PERSON_ID - 1] = (uint8_t)person;
	id[0] = (uint8_t)instance;
	return logins_enter(all, &logins[i], p, id, clock_ms() + wait);
}

static bool may_append(int i)
{
	if (!login_may_append(&logins[i]))
		return false;
	login_appended(&logins[i]);
	return true;
}

/* The second login of each row beside the first. */
static const struct {
	int person, instance;
	bool ends;
} seconds[] = {
	{1, 1, true},
	{1, 2, false},
	{2, 1, false}, /* somebody else, who claims the instance */
	{2, 2, false},
};

START_TEST(the_same_alone_is_ended)
{
	ck_assert_int_eq(enter(0, 1, 1, 0), 0);
	ck_assert(may_append(0));
	ck_assert_int_eq(enter(1, seconds[_i].person, seconds[_i].instance, 0), 0);
	ck_assert_uint_eq(ends_of(0), seconds[_i].ends);
	ck_assert(may_append(0) == !seconds[_i].ends);
	ck_assert(may_append(0) == !seconds[_i].ends);
	ck_assert_uint_eq(ends_of(1), 0);
	ck_assert(may_append(1));
}
END_TEST

/* Each is ended once, in whatever order they leave. */
START_TEST(many_of_one)
{
	static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(enter(i, 1, 1, 0), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(ends_of(i), i < 3);
		ck_assert(may_append(i) == (i == 3));
	}
	for (int i = 0; i < 4; i++)
		logins_leave(&logins[orders[_i][i]]);
	logins_leave(&logins[0]); /* it has left */
	/* Whoever comes now is the first. */
	ck_assert_int_eq(enter(0, 1, 1, 0), 0);
	ck_assert(may_append(0));
}
END_TEST

START_TEST(given_up_in_time)
{
	ck_assert_int_eq(enter(0, 1, 1, 0), 0);
	ck_assert(login_may_append(&logins[0]));
	ck_assert_int_eq(enter(1, 1, 1, SOON), ERR_TIMEOUT);
	ck_assert_uint_eq(ends_of(0), 1);
	ck_assert_int_eq(enter(2, 1, 2, 0), 0); /* another waits for nobody */
	login_appended(&logins[0]);
	ck_assert(!may_append(0));
	ck_assert_int_eq(enter(1, 1, 1, 0), 0);
	ck_assert_uint_eq(ends_of(0), 1);
	ck_assert(may_append(1));
}
END_TEST

static atomic_bool entered;

static void *enter_in_thread(void *argument)
{
	int i = *(int *)argument;

	atomic_store(&entered, enter(i, 1, 1, LATE) == 0);
	return NULL;
}

static void await_end_of(int i)
{
	pthread_mutex_lock(&lock);
	while (!ended[i])
		pthread_cond_wait(&one_ended, &lock);
	pthread_mutex_unlock(&lock);
}

START_TEST(waits_for_the_append)
{
	pthread_t thread;
	int who = 1;

	atomic_store(&entered, false);
	ck_assert_int_eq(enter(0, 1, 1, 0), 0);
	ck_assert(login_may_append(&logins[0]));
	ck_assert_int_eq(pthread_create(&thread, NULL, enter_in_thread, &who), 0);
	await_end_of(0);
	ck_assert(!atomic_load(&entered));
	login_appended(&logins[0]);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(atomic_load(&entered));
	ck_assert(may_append(1));
}
END_TEST

/* A third login comes while the second waits for the first: the second need not wait any more. */
START_TEST(ended_while_it_waits)
{
	pthread_t second, third;
	int two = 1, three = 2;

	ck_assert_int_eq(enter(0, 1, 1, 0), 0);
	ck_assert(login_may_append(&logins[0]));
	ck_assert_int_eq(pthread_create(&second, NULL, enter_in_thread, &two), 0);
	await_end_of(0);
	ck_assert_int_eq(pthread_create(&third, NULL, enter_in_thread, &three), 0);
	ck_assert_int_eq(pthread_join(second, NULL), 0);
	ck_assert_uint_eq(ends_of(1), 1);
	ck_assert(!may_append(1));
	login_appended(&logins[0]);
	ck_assert_int_eq(pthread_join(third, NULL), 0);
	ck_assert(may_append(2));
}
END_TEST

/* Threads that log in as the same, append and leave, over and over: only one appends at a time. */
#define ROUNDS 300

static atomic_int appending, clashes;

static void *come_and_go(void *argument)
{
	int i = *(int *)argument;

	for (int round = 0; round < ROUNDS; round++) {
		if (enter(i, 1, 1, LATE) != 0) {
			atomic_fetch_add(&clashes, 1);
			continue;
		}
		for (int n = 0; n < round % 20 && login_may_append(&logins[i]); n++) {
			if (atomic_fetch_add(&appending, 1) != 0)
				atomic_fetch_add(&clashes, 1);
			sched_yield();
			atomic_fetch_sub(&appending, 1);
			login_appended(&logins[i]);
		}
		logins_leave(&logins[i]);
	}
	return NULL;
}

START_TEST(one_at_a_time)
{
	pthread_t threads[4];
	int who[4] = {0, 1, 2, 3};

	atomic_store(&appending, 0);
	atomic_store(&clashes, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &who[i]), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(atomic_load(&clashes), 0);
}
END_TEST

Suite *logins_suite(void)
{
	Suite *s = suite_create("logins");
	TCase *c = tcase_create("logins");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, the_same_alone_is_ended, 0, sizeof(seconds) / sizeof(seconds[0]));
	tcase_add_loop_test(c, many_of_one, 0, 3);
	tcase_add_test(c, given_up_in_time);
	tcase_add_test(c, waits_for_the_append);
	tcase_add_test(c, ended_while_it_waits);
	tcase_add_test(c, one_at_a_time);
	suite_add_tcase(s, c);
	return s;
}
