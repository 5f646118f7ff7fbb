/*
 * The engine over SQLite: the oldest go where a log has a limit, and acts are spared.
 */
#include "tests/unit/kept_log.h"

#include "server/store_verify.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"

#include <stdio.h>
#include <string.h>

/* Wait until a stream's floor is there. */
static void wait_pruned(struct log *l, const struct stream_key *key, uint64_t floor)
{
	struct page p;
	unsigned seen = faulty_vfs_commits();

	/* The engine says nothing when it has pruned. */
	while (log_read(l, key, 0, UINT64_MAX, LOG_PAGE, &p) < floor)
		seen = faulty_vfs_await(seen);
}

static const struct engine_config limits[] = {
	{.folder = kept_folder, .sync = SYNC_OFF, .keep_messages = 10},
	{.folder = kept_folder, .sync = SYNC_OFF, .keep_days = 1},
	{.folder = kept_folder, .sync = SYNC_OFF, .keep_bytes = 10 * (190 + 2 * 10)}, /* of ten */
};

START_TEST(the_oldest_go)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct append_result r;
	struct log l;
	struct page p;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&b, 1, 1, "rare"), 1);
	kept_say_many(&l, &a, 2, 1000);
	/* Words that are indexed go with their entries. */
	struct stream_key streams[] = {a};
	struct search all = {.streams = streams,
		.stream_count = 1,
		.words = span_of("words"),
		.before = UINT64_MAX,
		.limit = 1,
		.deadline = INT64_MAX};
	p.count = 0;
	p.most = 1;
	ck_assert_int_eq(engine_search(l.engine, &all, log_on_read, &p), 0);
	ck_assert_uint_eq(p.count, 1);
	engine_close(l.engine);
	if (_i == 1)
		kept_sql("UPDATE entry SET time = 1000000 WHERE seq <= 990");
	ck_assert_int_eq(kept_open(&limits[_i], log_applied, &l, &l.engine), 0);
	wait_pruned(&l, &a, 990);
	uint64_t floor = log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(floor, 990); /* no more than had to */
	ck_assert_uint_eq(p.count, 1000 - floor);
	ck_assert_uint_eq(p.seqs[0], floor + 1);
	ck_assert_uint_eq(p.prevs[0], floor);
	ck_assert_uint_eq(log_read(&l, &b, 0, UINT64_MAX, LOG_PAGE, &p), 1);
	log_check_last(&l, &b, 10, 1, 1);
	/* What was accepted once stays accepted. */
	r = log_append(&l, log_said(&a, 1, 5, "some words"));
	ck_assert(r.status == APPEND_OK && r.duplicate && r.seq == 0);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(1)), 1000);
	/* No word of what went is found any more. */
	all.before = floor + 1;
	p.count = 0;
	ck_assert_int_eq(engine_search(l.engine, &all, log_on_read, &p), 0);
	ck_assert_uint_eq(p.count, 0);
	log_accept(&l, log_said(&a, 1, 1001, "on"), 1001);
	log_close(&l);
}
END_TEST

/* ---- acts are spared ---- */

#define MANY_ACTS 1100

/* A room's: it is taken, and somebody muted and unmuted. */
static void do_acts(struct log *l, const struct stream_key *stream)
{
	struct act a = {.verb = ACT_TAKE, .has_person = true, .label = "p1"};

	memcpy(a.person, log_person(1), PERSON_ID);
	ck_assert_int_eq(log_act(l, 1, stream, &a).status, APPEND_OK);
	memcpy(a.person, log_person(2), PERSON_ID);
	for (int i = 1; i < MANY_ACTS; i++) {
		a.verb = i % 2 ? ACT_MUTE : ACT_UNMUTE;
		ck_assert_int_eq(log_act(l, 1, stream, &a).status, APPEND_OK);
	}
}

static void verify(struct verify_report *report)
{
	char path[sizeof(kept_folder) + 16], error[512] = "";

	snprintf(path, sizeof(path), "%s/log.db", kept_folder);
	int r = store_verify(path, report, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
}

static void check_sound(void)
{
	struct verify_report report;

	verify(&report);
	ck_assert_msg(report.findings == 0, "%s", report.shown[0]);
}

/* Behind the hole that pruning leaves, words are looked at as in any log. */
static void check_words(void)
{
	struct verify_report report;

	kept_sql("UPDATE entry SET text = 'other words'"
		 " WHERE seq = (SELECT min(seq) FROM entry WHERE kind = 0)");
	verify(&report);
	ck_assert_uint_eq(report.findings, 1);
	ck_assert_ptr_nonnull(strstr(report.shown[0], "the index of words has others"));
}

/* What is said pushes none out, but those beyond the newest thousand of a room; what is too old goes. */
START_TEST(acts_are_spared)
{
	struct stream_key a = entry_room("a"), acts;
	bool by_age = limits[_i].keep_days > 0;
	struct log l;

	stream_key_acts(&a, &acts);
	faulty_vfs_install();
	log_open(&l, 1 << 20);
	do_acts(&l, &acts);
	for (uint64_t i = 1; i <= 1000; i++)
		log_accept(&l, log_said(&a, 3, i, "some words"), MANY_ACTS + i);
	engine_close(l.engine);
	if (by_age)
		kept_sql("UPDATE entry SET time = 1000000 WHERE seq <= 2090");
	/* Twice, as the second time it is not known what was spared. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(kept_open(&limits[_i], log_applied, &l, &l.engine), 0);
		wait_pruned(&l, &a, 2090 + (uint64_t)i);
		uint64_t floor, oldest = log_oldest(&l, &acts, &floor);
		ck_assert_uint_eq(floor, by_age ? MANY_ACTS : MANY_ACTS - 1000);
		ck_assert_uint_eq(oldest, by_age ? 0 : floor + 1);
		log_accept(&l, log_said(&a, 3, 1001 + (uint64_t)i, "some words"),
			MANY_ACTS + 1001 + (uint64_t)i);
		engine_close(l.engine);
		if (by_age)
			kept_sql("UPDATE entry SET time = 1000000 WHERE seq <= 2091");
	}
	/* A log that begins with acts alone is no damaged one. */
	check_sound();
	check_words();
	ck_assert_int_eq(kept_open(&limits[_i], log_applied, &l, &l.engine), 0);
	log_close(&l);
}
END_TEST

/* An act that was spared, and a newer one that was not passed yet, become too old in one turn, as after a
 * machine has slept: what is gone of their room is up to the newer one. */
START_TEST(old_at_once)
{
	const struct engine_config both = {
		.folder = kept_folder, .sync = SYNC_OFF, .keep_messages = 10, .keep_days = 1};
	struct stream_key a = entry_room("a"), acts;
	struct act act = {.verb = ACT_TAKE, .has_person = true, .label = "p1"};
	struct log l;
	uint64_t floor = 0;

	stream_key_acts(&a, &acts);
	faulty_vfs_install();
	log_open(&l, 1 << 20);
	engine_close(l.engine);
	ck_assert_int_eq(kept_open(&both, log_applied, &l, &l.engine), 0);
	memcpy(act.person, log_person(1), PERSON_ID);
	ck_assert_int_eq(log_act(&l, 1, &acts, &act).status, APPEND_OK);
	for (uint64_t i = 1; i <= 100; i++)
		log_accept(&l, log_said(&a, 3, i, "some words"), 1 + i);
	wait_pruned(&l, &a, 91);
	memcpy(act.person, log_person(2), PERSON_ID);
	for (int i = 0; i < 2; i++) {
		act.verb = i == 0 ? ACT_MUTE : ACT_UNMUTE;
		ck_assert_int_eq(log_act(&l, 1, &acts, &act).status, APPEND_OK);
	}
	kept_sql("UPDATE entry SET time = 1000000 WHERE seq <= 102");
	for (uint64_t i = 101; i <= 110; i++)
		log_accept(&l, log_said(&a, 3, i, "some words"), 3 + i);
	unsigned seen = faulty_vfs_commits();
	while (log_oldest(&l, &acts, &floor) < 103)
		seen = faulty_vfs_await(seen);
	ck_assert_uint_eq(floor, 102);
	engine_close(l.engine);
	check_sound();
	ck_assert_int_eq(kept_open(&both, log_applied, &l, &l.engine), 0);
	log_close(&l);
}
END_TEST

Suite *engine_sqlite_prune_suite(void)
{
	Suite *s = suite_create("engine_sqlite_prune");
	TCase *prune = tcase_create("prune");

	tcase_add_unchecked_fixture(prune, kept_use, NULL);
	tcase_set_timeout(prune, 60);
	tcase_add_loop_test(prune, the_oldest_go, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_loop_test(prune, acts_are_spared, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(prune, old_at_once);
	suite_add_tcase(s, prune);
	return s;
}
