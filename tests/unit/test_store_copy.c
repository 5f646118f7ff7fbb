/*
 * Copies that become logs of their own: each remembers what it comes from, and up to
 * which number it is one with it.
 */
#include "server/store_copy.h"

#include "common/log.h"
#include "server/store.h"
#include "server/store_prune.h"
#include "server/store_verify.h"
#include "tests/unit/entries.h"
#include "tests/unit/log_folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STRANGE (1U << 20) /* no log here has so many entries */

static struct log_folder folder;
static char copy[PATH_MAX];
static char error[512];

static void setup(void)
{
	log_set_file(NULL);
	log_folder_new(&folder);
	(void)log_folder_file(&folder, "copy", copy);
}

static void teardown(void)
{
	log_folder_remove(&folder);
}

static void copy_to(const char *from, const char *to)
{
	uint64_t entries = 0;

	log_folder_write(to, "", 0);
	ck_assert_msg(store_copy(from, to, &entries, error, sizeof(error)) == 0, "%s", error);
	ck_assert_uint_eq(entries, log_folder_count(from));
}

static void back_up(void)
{
	copy_to(folder.log, copy);
}

/* The copy, as a log of its own, takes the log's place; the copy stays what it is. */
static void restore(void)
{
	char fresh[PATH_MAX];
	struct verify_report p;

	(void)log_folder_file(&folder, "fresh", fresh);
	copy_to(copy, fresh);
	ck_assert_msg(store_copy_anew(fresh, folder.log, error, sizeof(error)) == 0, "%s", error);
	ck_assert_int_eq(rename(fresh, folder.log), 0);
	ck_assert_msg(store_verify(folder.log, &p, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(p.findings == 0, "%s", p.shown[0]);
}

/* Up to which number the log has the entries of another; STRANGE where it does not know it. */
static uint64_t shared(const uint8_t id[ENGINE_LOG_ID])
{
	uint64_t upto;
	struct log l;

	log_folder_open(&folder, 0, &l);
	bool shares = engine_shares(l.engine, id, &upto);
	log_close(&l);
	return shares ? upto : STRANGE;
}

/* Say so many things more. */
static void go_on(uint64_t counter, uint64_t count)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_folder_open(&folder, 0, &l);
	for (uint64_t i = 0; i < count; i++) {
		struct append_result r = log_append(&l, log_said(&a, 9, counter + i, "more"));
		ck_assert_int_eq(r.status, APPEND_OK);
	}
	log_close(&l);
}

/* A copy of a copy knows all that it comes from, each as far as they are one. */
START_TEST(where_the_logs_part)
{
	uint8_t first[ENGINE_LOG_ID], second[ENGINE_LOG_ID], third[ENGINE_LOG_ID];

	log_folder_make(&folder);
	log_folder_id(folder.log, first);
	back_up();
	go_on(1, 10);
	restore();
	log_folder_id(folder.log, second);
	ck_assert_uint_eq(shared(second), UINT64_MAX);
	ck_assert_uint_eq(shared(first), 40);
	go_on(1, 3);
	back_up();
	go_on(4, 5);
	restore();
	log_folder_id(folder.log, third);
	ck_assert_uint_eq(shared(third), UINT64_MAX);
	ck_assert_uint_eq(shared(second), 43);
	ck_assert_uint_eq(shared(first), 40);
	/* Once more from the same copy: the log that was there comes from it as well. */
	go_on(9, 2);
	restore();
	ck_assert_uint_eq(shared(third), 43);
	ck_assert_uint_eq(shared(second), 43);
	ck_assert_uint_eq(shared(first), 40);
	ck_assert_int_eq(unlink(folder.log), 0);
	log_folder_make(&folder);
	ck_assert_uint_eq(shared(first), STRANGE);
}
END_TEST

/* Whatever the copy says of its own log, less is shared rather than more. */
START_TEST(a_copy_with_an_odd_past)
{
	uint8_t first[ENGINE_LOG_ID];

	log_folder_make(&folder);
	log_folder_id(folder.log, first);
	back_up();
	log_folder_sql(copy, "INSERT INTO ancestor SELECT value, 12 FROM meta WHERE name = 'log'");
	restore();
	ck_assert_uint_eq(shared(first), 12);
	log_folder_sql(copy, "UPDATE ancestor SET upto = 99");
	restore();
	ck_assert_uint_eq(shared(first), 40);
	log_folder_sql(copy, "DELETE FROM ancestor; DELETE FROM meta WHERE name = 'log'");
	restore();
	ck_assert_uint_eq(shared(first), STRANGE);
}
END_TEST

START_TEST(a_copy_of_the_first_version)
{
	uint8_t first[ENGINE_LOG_ID];

	log_folder_make(&folder);
	log_folder_id(folder.log, first);
	back_up();
	log_folder_sql(copy, LOG_FOLDER_VERSION_3
		"DROP TABLE ancestor; DROP TABLE words;"
		"DELETE FROM meta WHERE name IN ('indexed', 'folded'); PRAGMA user_version = 1");
	restore();
	ck_assert_uint_eq(shared(first), LOG_FOLDER_ENTRIES);
}
END_TEST

static void prune_to_one(void)
{
	struct engine_config config = {.keep_messages = 1};
	struct store_kept kept = {0};
	struct store *s = NULL;
	uint64_t dropped;
	bool more = true;

	ck_assert_msg(store_open(folder.log, true, &s, error, sizeof(error)) == 0, "%s", error);
	while (more)
		ck_assert_int_eq(store_prune(s, &config, &kept, &dropped, &more), 0);
	store_close(s);
	ck_assert_uint_eq(log_folder_count(folder.log), 1);
}

/* Nothing was ever said, or the oldest have gone. */
START_TEST(copies_with_few_entries)
{
	uint8_t first[ENGINE_LOG_ID];
	struct log l;

	log_folder_open(&folder, 0, &l);
	log_close(&l);
	log_folder_id(folder.log, first);
	back_up();
	restore();
	ck_assert_uint_eq(shared(first), 0);
	go_on(1, 5);
	log_folder_id(folder.log, first);
	prune_to_one();
	back_up();
	restore();
	ck_assert_uint_eq(shared(first), 5);
}
END_TEST

Suite *store_copy_suite(void)
{
	Suite *s = suite_create("store_copy");
	TCase *c = tcase_create("store_copy");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, where_the_logs_part);
	tcase_add_test(c, a_copy_with_an_odd_past);
	tcase_add_test(c, a_copy_of_the_first_version);
	tcase_add_test(c, copies_with_few_entries);
	suite_add_tcase(s, c);
	return s;
}
