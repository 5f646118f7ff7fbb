/*
 * The pool of stores: whose turn it is where several wait.
 */
#include "server/store_pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/log_folder.h"

#include <check.h>
#include <pthread.h>

#define WAITERS 6

static struct log_folder folder;
static struct store_pool pool;

struct reader {
	int64_t had;
	pthread_t thread;
	unsigned turn; /* which of them it was */
};

static unsigned turns; /* by whoever has the only store */

static void setup(void)
{
	char error[256];

	log_set_file(NULL);
	log_folder_new(&folder);
	log_folder_make(&folder);
	turns = 0;
	ck_assert_msg(
		store_pool_init(&pool, folder.log, 1, error, sizeof(error)) == 0, "%s", error);
}

static void teardown(void)
{
	store_pool_fini(&pool);
	log_folder_remove(&folder);
}

static void *read_once(void *argument)
{
	struct reader *r = argument;
	struct store *s = store_pool_take(&pool, r->had, INT64_MAX);

	r->turn = ++turns;
	store_pool_give(&pool, s);
	return NULL;
}

static void wait_until_waiting(unsigned count)
{
	unsigned waiting;

	do {
		lock_take(&pool.lock);
		waiting = pool.waiting;
		lock_drop(&pool.lock);
	} while (waiting != count);
}

/* Who had least comes first, and among equals who came first. */
START_TEST(who_had_least_comes_first)
{
	static const int64_t had[WAITERS] = {500, 20, 500, 0, 20, 7};
	static const unsigned turn[WAITERS] = {5, 3, 6, 1, 4, 2};
	struct reader all[WAITERS];
	struct store *s = store_pool_take(&pool, 0, INT64_MAX);

	ck_assert_ptr_nonnull(s);
	for (unsigned i = 0; i < WAITERS; i++) {
		all[i] = (struct reader){.had = had[i]};
		ck_assert_int_eq(pthread_create(&all[i].thread, NULL, read_once, &all[i]), 0);
		wait_until_waiting(i + 1);
	}
	/* Who is late takes nobody's turn. */
	ck_assert_ptr_null(store_pool_take(&pool, 0, clock_ms()));
	store_pool_give(&pool, s);
	for (unsigned i = 0; i < WAITERS; i++) {
		ck_assert_int_eq(pthread_join(all[i].thread, NULL), 0);
		ck_assert_uint_eq(all[i].turn, turn[i]);
	}
	ck_assert_uint_eq(pool.waiting, 0);
	ck_assert_ptr_null(pool.first);
}
END_TEST

START_TEST(no_store_in_time)
{
	struct store *s = store_pool_take(&pool, 0, 0);

	ck_assert_ptr_nonnull(s); /* there was one */
	ck_assert_ptr_null(store_pool_take(&pool, 0, clock_ms() + 5));
	store_pool_give(&pool, s);
	ck_assert_ptr_eq(store_pool_take(&pool, 99, 0), s);
	store_pool_give(&pool, s);
}
END_TEST

Suite *store_pool_suite(void)
{
	Suite *s = suite_create("store_pool");
	TCase *c = tcase_create("store_pool");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, who_had_least_comes_first);
	tcase_add_test(c, no_store_in_time);
	suite_add_tcase(s, c);
	return s;
}
