/*
 * A log that somebody takes away, or puts another file in the place of, while it is in use.
 */
#include "common/log.h"
#include "tests/unit/entries.h"
#include "tests/unit/log_folder.h"

#include <stdio.h>
#include <unistd.h>

static struct log_folder folder;

static void setup(void)
{
	log_set_file(NULL);
	log_folder_new(&folder);
}

static void teardown(void)
{
	log_folder_remove(&folder);
}

static void remove_it(void)
{
	ck_assert_int_eq(unlink(folder.log), 0);
}

static void replace_it(void)
{
	char fresh[PATH_MAX];

	log_folder_write(log_folder_file(&folder, "fresh", fresh), "another file", 12);
	ck_assert_int_eq(rename(fresh, folder.log), 0);
}

static void (*const ways[])(void) = {remove_it, replace_it};

/* SQLite would go on writing to what nobody will find again: nothing is acknowledged. What was can
 * still be read. */
START_TEST(taken_away)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct page p;

	log_folder_open(&folder, 0, &l);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	ways[_i]();
	for (uint64_t i = 2; i < 5; i++) {
		struct append_result r = log_append(&l, log_said(&a, 1, i, "no"));
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_DAMAGED);
	}
	ck_assert_int_eq(engine_health(l.engine), ENGINE_DAMAGED);
	ck_assert_uint_eq(l.count, 1);
	log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 1);
	log_close(&l);
}
END_TEST

Suite *engine_gone_suite(void)
{
	Suite *s = suite_create("engine_gone");
	TCase *t = tcase_create("engine_gone");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, taken_away, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
