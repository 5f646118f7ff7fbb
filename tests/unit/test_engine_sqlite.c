/*
 * The engine over SQLite: what every engine must do, what is there when it is opened again, and trouble
 * with the disk.
 */
#include "tests/unit/kept_log.h"

#include "common/clock.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

START_TEST(everything_is_there_again)
{
	struct stream_key a = entry_room("a");
	struct room_record room;
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	struct log_entry topic = log_said(&a, 1, 2, "a topic");
	topic.kind = SAID_TOPIC;
	topic.room_name = span_of("A");
	log_accept(&l, topic, 2);
	log_accept(&l, log_direct(1, 2, 3, "psst"), 3);
	kept_reopen(&l);
	log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 2);
	ck_assert_str_eq(p.texts[0], "one");
	ck_assert_uint_eq(p.prevs[1], 1);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), 0);
	ck_assert_str_eq(room.topic, "a topic");
	ck_assert_str_eq(room.topic_nick, "nick");
	ck_assert_uint_eq(room.last, 2);
	/* An id still counts once, and numbers go on. */
	struct append_result r = log_append(&l, log_said(&a, 1, 1, "one"));
	ck_assert(r.status == APPEND_OK && r.duplicate);
	ck_assert_uint_eq(r.seq, 1);
	log_accept(&l, log_said(&a, 1, 4, "two"), 4);
	ck_assert_uint_eq(l.applied[l.count - 1].prev, 2);
	log_close(&l);
}
END_TEST

START_TEST(a_clock_set_back_makes_no_disorder)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	uint64_t later = l.applied[0].time + 3600ULL * 1000000;
	engine_close(l.engine);
	char text[128];
	snprintf(text, sizeof(text), "UPDATE entry SET time = %llu", (unsigned long long)later);
	kept_sql(text);
	ck_assert_int_eq(kept_open(&kept_plain, log_applied, &l, &l.engine), 0);
	log_accept(&l, log_said(&a, 1, 2, "two"), 2);
	ck_assert_uint_eq(l.applied[1].time, later);
	log_close(&l);
}
END_TEST

/* ---- logs that it was a copy of ---- */

static void check_shares(struct log *l, uint8_t first, bool shares, uint64_t upto)
{
	uint8_t id[ENGINE_LOG_ID];
	uint64_t got = 0;

	memset(id, first, sizeof(id));
	ck_assert_int_eq(engine_shares(l->engine, id, &got), shares);
	if (shares)
		ck_assert_uint_eq(got, upto);
}

START_TEST(ancestors)
{
	struct stream_key a = entry_room("a");
	uint64_t upto = 0;
	struct log l;

	log_open(&l, 1 << 20);
	kept_say_many(&l, &a, 1, 9);
	kept_sql("INSERT INTO ancestor VALUES (x'11111111111111111111111111111111', 7),"
		 " (x'22222222222222222222222222222222', 0), (x'3333', 5), ('4444444444444444', 6),"
		 " (x'55555555555555555555555555555555', -1)");
	kept_reopen(&l);
	ck_assert(engine_shares(l.engine, l.engine->log_id, &upto));
	ck_assert_uint_eq(upto, UINT64_MAX);
	check_shares(&l, 0x11, true, 7);
	check_shares(&l, 0x22, true, 0); /* a copy of an empty log */
	check_shares(&l, 0x33, false, 0);
	check_shares(&l, 0x44, false, 0);
	check_shares(&l, 0x55, true, 0); /* a file that was changed: less is shared, not all */
	check_shares(&l, 0, false, 0);
	/* They stay what they are while it is open. */
	kept_sql("DELETE FROM ancestor");
	check_shares(&l, 0x11, true, 7);
	kept_reopen(&l);
	check_shares(&l, 0x11, false, 0);
	log_close(&l);
}
END_TEST

/* ---- trouble with the disk ---- */

START_TEST(a_full_disk)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct page p;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	faulty_vfs_set(VFS_FULL);
	for (uint64_t i = 2; i <= 4; i++) {
		struct append_result r = log_append(&l, log_said(&a, 1, i, "no"));
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_DISK_FULL);
	}
	/* What is kept is known all the same, and can be read. */
	struct append_result r = log_append(&l, log_said(&a, 1, 1, "one"));
	ck_assert(r.status == APPEND_OK && r.duplicate && r.seq == 1);
	ck_assert_uint_eq(log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 1);
	ck_assert_int_eq(engine_health(l.engine), ENGINE_FULL);
	faulty_vfs_set(VFS_WELL);
	int64_t until = clock_ms() + 20000;
	while (engine_health(l.engine) != ENGINE_WELL) {
		ck_assert_int_lt(clock_ms(), until);
		poll(NULL, 0, 10); /* it tries once a second, and tells nobody */
	}
	log_accept(&l, log_said(&a, 1, 5, "two"), 2);
	/* Those that were refused are not in the log, although a later one is. */
	r = log_append(&l, log_said(&a, 1, 3, "no"));
	ck_assert(r.status == APPEND_REJECTED && r.code == CODE_NOT_KEPT);
	ck_assert_uint_eq(l.count, 2);
	log_close(&l);
}
END_TEST

START_TEST(an_fsync_that_fails)
{
	struct engine_config careful = {.folder = kept_folder, .sync = SYNC_FULL};
	struct stream_key a = entry_room("a");
	struct append_result r;
	struct log l;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	kept_reopen_with(&l, &careful);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	faulty_vfs_set(VFS_BROKEN);
	r = log_append(&l, log_said(&a, 1, 2, "two"));
	ck_assert_int_eq(r.status, APPEND_RETRY);
	ck_assert_uint_eq(l.count, 1); /* nobody has seen it */
	r = log_append(&l, log_said(&a, 1, 2, "two"));
	ck_assert_int_eq(r.status, APPEND_RETRY);
	faulty_vfs_set(VFS_WELL);
	int64_t until = clock_ms() + 20000;
	do {
		ck_assert_int_lt(clock_ms(), until);
		r = log_append(&l, log_said(&a, 1, 2, "two"));
	} while (r.status == APPEND_RETRY);
	ck_assert_int_eq(r.status, APPEND_OK);
	ck_assert_uint_eq(r.seq, 2);
	ck_assert_uint_eq(l.count, 2); /* applied once, by now or when it was opened anew */
	log_accept(&l, log_said(&a, 1, 3, "three"), 3);
	log_close(&l);
}
END_TEST

/* In each way of keeping: an append is followed by a sync before it returns, or it is not. */
START_TEST(synced_before_it_returns)
{
	struct engine_config config = {.folder = kept_folder, .sync = (enum engine_sync)_i};
	struct stream_key a = entry_room("a");
	struct log l;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	kept_reopen_with(&l, &config);
	log_accept(&l, log_said(&a, 1, 1, "the first makes the file"), 1);
	for (uint64_t i = 2; i < 20; i++) {
		unsigned before = faulty_vfs_syncs();
		log_accept(&l, log_said(&a, 1, i, "x"), i);
		ck_assert_int_eq(faulty_vfs_syncs() > before, _i == SYNC_FULL);
	}
	log_close(&l);
}
END_TEST

Suite *engine_sqlite_suite(void)
{
	Suite *s = suite_create("engine_sqlite");
	TCase *again = tcase_create("again");
	TCase *trouble = tcase_create("trouble");

	engine_cases_add(s, kept_use);
	tcase_add_unchecked_fixture(again, kept_use, NULL);
	tcase_set_timeout(again, 60);
	tcase_add_test(again, everything_is_there_again);
	tcase_add_test(again, a_clock_set_back_makes_no_disorder);
	tcase_add_test(again, ancestors);
	suite_add_tcase(s, again);
	tcase_add_unchecked_fixture(trouble, kept_use, NULL);
	tcase_set_timeout(trouble, 60);
	tcase_add_test(trouble, a_full_disk);
	tcase_add_test(trouble, an_fsync_that_fails);
	tcase_add_loop_test(trouble, synced_before_it_returns, 0, SYNC_OFF + 1);
	suite_add_tcase(s, trouble);
	return s;
}
