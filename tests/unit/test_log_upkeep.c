/*
 * The log's writer: what becomes of it after a write that failed.
 */
#include "server/log_writer_private.h"
#include "tests/unit/kept_log.h"

#include "common/err.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int stop(void *context)
{
	(void)context;
	return 1;
}

/* Where it cannot be read either which number comes next, nothing is appended until the log was opened
 * anew: numbers do not begin again. */
START_TEST(the_next_number_is_not_known)
{
	struct stream_key a = entry_room("a");
	struct log_writer w = {0};
	char path[sizeof(kept_folder) + 16], error[256] = "";
	struct log l;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	for (uint64_t i = 1; i <= 5; i++)
		log_accept(&l, log_said(&a, 1, i, "some words"), i);
	log_close(&l);

	snprintf(path, sizeof(path), "%s/log.db", kept_folder);
	w.path = path;
	ck_assert_int_eq(ballast_open(kept_folder, &w.ballast), 0);
	w.applied_seq = 5;
	atomic_init(&w.health, ENGINE_WELL);
	ck_assert_int_eq(writer_open_store(&w, error, sizeof(error)), 0);
	ck_assert_uint_eq(w.memory.seq, 5);
	sqlite3_progress_handler(w.store->db, 1, stop, NULL);
	writer_undo(&w, ERR_TIMEOUT);
	sqlite3_progress_handler(w.store->db, 0, NULL, NULL);
	ck_assert_int_eq((int)writer_health(&w), ENGINE_BROKEN);

	writer_try_again(&w);
	ck_assert_int_eq((int)writer_health(&w), ENGINE_WELL);
	ck_assert_uint_eq(w.memory.seq, 5);
	store_writer_fini(&w.memory);
	store_close(w.store);
	ballast_close(w.ballast);
}
END_TEST

Suite *log_upkeep_suite(void)
{
	Suite *s = suite_create("log_upkeep");
	TCase *t = tcase_create("failures");

	tcase_add_unchecked_fixture(t, kept_use, NULL);
	tcase_add_test(t, the_next_number_is_not_known);
	suite_add_tcase(s, t);
	return s;
}
