/*
 * Locks: every misuse aborts, waiting ends at its deadline.
 */
#include "common/lock.h"

#include "common/clock.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* What aborts explains itself first; in a test that succeeds it would only puzzle the reader. */
static void be_quiet(void)
{
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

/* clang finds the mistakes below when it compiles them, and dislikes locks taken in a loop; it does
 * not look through pointers. */
static void (*const unseen_take)(struct lock *) = lock_take;
static bool (*const unseen_try)(struct lock *) = lock_try;
static void (*const unseen_drop)(struct lock *) = lock_drop;

START_TEST(rising_ranks)
{
	struct lock locks[LOCK_LEAF + 1];

	for (int rank = LOCK_SERVER; rank <= LOCK_LEAF; rank++) {
		lock_init(&locks[rank], (enum lock_rank)rank);
		unseen_take(&locks[rank]);
	}
	/* The order of dropping does not matter. */
	for (int rank = LOCK_SERVER; rank <= LOCK_LEAF; rank++) {
		lock_assert_held(&locks[rank]);
		unseen_drop(&locks[rank]);
	}
	lock_take(&locks[LOCK_SERVER]);
	lock_drop(&locks[LOCK_SERVER]);
	for (int rank = LOCK_SERVER; rank <= LOCK_LEAF; rank++)
		lock_fini(&locks[rank]);
}
END_TEST

static const struct {
	enum lock_rank first, second;
	bool try;
} violations[] = {
	{LOCK_LEAF, LOCK_SERVER, false},
	{LOCK_ROOM, LOCK_CONN, false},
	{LOCK_ROOM, LOCK_ROOM, false},
	{LOCK_PEOPLE, LOCK_SERVER, true},
	{LOCK_LEAF, LOCK_LEAF, true},
};

START_TEST(wrong_order_aborts)
{
	struct lock a;
	struct lock b;

	be_quiet();
	lock_init(&a, violations[_i].first);
	lock_init(&b, violations[_i].second);
	unseen_take(&a);
	if (violations[_i].try)
		(void)unseen_try(&b);
	else
		unseen_take(&b);
}
END_TEST

START_TEST(taking_twice_aborts)
{
	struct lock l;

	be_quiet();
	lock_init(&l, LOCK_ROOM);
	unseen_take(&l);
	unseen_take(&l);
}
END_TEST

START_TEST(dropping_what_is_free_aborts)
{
	struct lock l;

	be_quiet();
	lock_init(&l, LOCK_ROOM);
	unseen_drop(&l);
}
END_TEST

START_TEST(destroying_what_is_held_aborts)
{
	struct lock l;

	be_quiet();
	lock_init(&l, LOCK_ROOM);
	unseen_take(&l);
	lock_fini(&l);
}
END_TEST

START_TEST(failed_pthread_call_aborts)
{
	be_quiet();
	PTHREAD_OK(0);
	PTHREAD_OK(EINVAL);
}
END_TEST

/* ---- with a second thread ---- */

struct shared {
	struct lock lock;
	pthread_cond_t changed;
	/* Guarded by lock. */
	int turn;
	/* The other thread's results, read after joining it. */
	bool got_it;
	bool woken;
};

static void shared_init(struct shared *s)
{
	*s = (struct shared){0};
	lock_init(&s->lock, LOCK_ROOM);
	lock_cond_init(&s->changed);
}

static void shared_fini(struct shared *s)
{
	PTHREAD_OK(pthread_cond_destroy(&s->changed));
	lock_fini(&s->lock);
}

static void run_and_join(void *(*body)(void *), struct shared *s)
{
	pthread_t thread;

	PTHREAD_OK(pthread_create(&thread, NULL, body, s));
	PTHREAD_OK(pthread_join(thread, NULL));
}

static void *try_it(void *argument)
{
	struct shared *s = argument;

	if (lock_try(&s->lock)) {
		s->got_it = true;
		lock_drop(&s->lock);
	}
	return NULL;
}

START_TEST(try_fails_while_another_holds_it)
{
	struct shared s;

	shared_init(&s);
	lock_take(&s.lock);
	run_and_join(try_it, &s);
	ck_assert(!s.got_it);
	lock_drop(&s.lock);
	run_and_join(try_it, &s);
	ck_assert(s.got_it);
	/* A failed attempt left no rank behind in the other thread, nor here. */
	lock_take(&s.lock);
	lock_drop(&s.lock);
	shared_fini(&s);
}
END_TEST

static void *claim_to_hold(void *argument)
{
	struct shared *s = argument;

	lock_assert_held(&s->lock);
	return NULL;
}

START_TEST(another_threads_lock_is_not_mine)
{
	struct shared s;

	be_quiet();
	shared_init(&s);
	unseen_take(&s.lock);
	run_and_join(claim_to_hold, &s);
}
END_TEST

START_TEST(waiting_ends_at_the_deadline)
{
	struct shared s;

	shared_init(&s);
	lock_take(&s.lock);
	int64_t deadline = clock_ms() + 20;
	while (lock_wait(&s.lock, &s.changed, deadline))
		continue;
	ck_assert_int_ge(clock_ms(), deadline);
	lock_assert_held(&s.lock);
	/* One that has passed already ends it at once. */
	ck_assert(!lock_wait(&s.lock, &s.changed, deadline));
	lock_drop(&s.lock);
	shared_fini(&s);
}
END_TEST

static void *answer(void *argument)
{
	struct shared *s = argument;

	lock_take(&s->lock);
	while (s->turn != 1)
		(void)lock_wait(&s->lock, &s->changed, INT64_MAX);
	s->woken = true;
	s->turn = 2;
	PTHREAD_OK(pthread_cond_broadcast(&s->changed));
	lock_drop(&s->lock);
	return NULL;
}

START_TEST(waiting_gives_the_lock_away_and_back)
{
	struct shared s;
	pthread_t thread;

	shared_init(&s);
	PTHREAD_OK(pthread_create(&thread, NULL, answer, &s));
	lock_take(&s.lock);
	s.turn = 1;
	PTHREAD_OK(pthread_cond_broadcast(&s.changed));
	while (s.turn != 2)
		ck_assert(lock_wait(&s.lock, &s.changed, clock_ms() + 60000));
	lock_assert_held(&s.lock);
	lock_drop(&s.lock);
	PTHREAD_OK(pthread_join(thread, NULL));
	ck_assert(s.woken);
	shared_fini(&s);
}
END_TEST

Suite *lock_suite(void);

Suite *lock_suite(void)
{
	Suite *s = suite_create("lock");
	TCase *c = tcase_create("lock");
	int count = (int)(sizeof(violations) / sizeof(violations[0]));

	tcase_set_timeout(c, 30);
	tcase_add_test(c, rising_ranks);
	tcase_add_test(c, try_fails_while_another_holds_it);
	tcase_add_test(c, waiting_ends_at_the_deadline);
	tcase_add_test(c, waiting_gives_the_lock_away_and_back);
	suite_add_tcase(s, c);

	TCase *aborts = tcase_create("aborts");
	tcase_add_loop_test_raise_signal(aborts, wrong_order_aborts, SIGABRT, 0, count);
	tcase_add_test_raise_signal(aborts, taking_twice_aborts, SIGABRT);
	tcase_add_test_raise_signal(aborts, dropping_what_is_free_aborts, SIGABRT);
	tcase_add_test_raise_signal(aborts, destroying_what_is_held_aborts, SIGABRT);
	tcase_add_test_raise_signal(aborts, failed_pthread_call_aborts, SIGABRT);
	tcase_add_test_raise_signal(aborts, another_threads_lock_is_not_mine, SIGABRT);
	suite_add_tcase(s, aborts);
	return s;
}
