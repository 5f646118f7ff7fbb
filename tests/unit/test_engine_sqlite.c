#include "tests/unit/engine_cases.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store.h"
#include "server/store_verify.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"

#include <ftw.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a log in a folder of its own ---- */

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_folder(void)
{
	if (folder[0])
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	folder[0] = '\0';
}

/* Another folder, which goes with the process. */
static void new_folder(void)
{
	if (!folder[0])
		atexit(remove_folder);
	remove_folder();
	snprintf(folder, sizeof(folder), "/tmp/lanchat-engine-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int open_in(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out)
{
	char error[512] = "";
	int r = engine_open_sqlite(config, applied, context, out, error, sizeof(error));

	if (r)
		fprintf(stderr, "%s\n", error);
	return r;
}

static int make(size_t keep_bytes, engine_applied *applied, void *context, struct engine **out)
{
	struct engine_config config = {.folder = folder, .sync = SYNC_OFF};

	(void)keep_bytes; /* it keeps more than that */
	new_folder();
	return open_in(&config, applied, context, out);
}

static void use_sqlite(void)
{
	engine_cases_use(make);
}

/* ---- opened again ---- */

static const struct engine_config plain = {.folder = folder, .sync = SYNC_OFF};

static void reopen_with(struct log *l, const struct engine_config *config)
{
	uint8_t id[ENGINE_LOG_ID];

	memcpy(id, l->engine->log_id, sizeof(id));
	engine_close(l->engine);
	ck_assert_int_eq(open_in(config, log_applied, l, &l->engine), 0);
	ck_assert_mem_eq(l->engine->log_id, id, sizeof(id));
}

static void reopen(struct log *l)
{
	reopen_with(l, &plain);
}

static void say_many(struct log *l, const struct stream_key *key, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		log_accept(l, log_said(key, 1, i, "some words"), i);
}

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
	reopen(&l);
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

/* ---- change the database behind the engine's back ---- */

static void sql(const char *text)
{
	char path[128];
	char *error = NULL;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	/* What the engine does when nothing is said may be going on. */
	ck_assert_int_eq(sqlite3_busy_timeout(db, 20000), SQLITE_OK);
	int r = sqlite3_exec(db, text, NULL, NULL, &error);
	ck_assert_msg(r == SQLITE_OK, "%s: %s", text, error);
	sqlite3_close(db);
}

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
	sql(text);
	ck_assert_int_eq(open_in(&plain, log_applied, &l, &l.engine), 0);
	log_accept(&l, log_said(&a, 1, 2, "two"), 2);
	ck_assert_uint_eq(l.applied[1].time, later);
	log_close(&l);
}
END_TEST

/* What somebody has done to the file: the reader gets something that can be sent. */
static const struct {
	const char *sql, *text, *nick;
} changed[] = {
	{"UPDATE entry SET text = x'61ff'", "(damaged)", "nick"},
	{"UPDATE entry SET text = hex(zeroblob(3000))", "(damaged)", "nick"},
	{"UPDATE entry SET text = hex(zeroblob(40000))", "(damaged)", "nick"},
	{"UPDATE entry SET text = 'a' || char(10)", "(damaged)", "nick"},
	{"UPDATE entry SET text = ''", "(damaged)", "nick"},
	{"UPDATE entry SET nick = ''", "one", "?"},
	{"UPDATE entry SET nick = hex(zeroblob(300))", "one", "?"},
	{"UPDATE stream SET name = hex(zeroblob(3000))", "one", "nick"},
	{"UPDATE stream SET name = ''", "one", "nick"},
	{"UPDATE stream SET topic = hex(zeroblob(3000)), topic_nick = x'ff'", "one", "nick"},
};

static bool expect_changed(void *context, const struct log_entry *e)
{
	int i = *(const int *)context;

	ck_assert(span_equal(e->text, changed[i].text));
	ck_assert(span_equal(e->nick, changed[i].nick));
	ck_assert(span_equal(e->room_name, "a"));
	return true;
}

START_TEST(a_file_that_was_changed)
{
	struct stream_key a = entry_room("a");
	struct room_record room;
	uint64_t pruned;
	struct log l;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	engine_close(l.engine);
	sql(changed[_i].sql);
	ck_assert_int_eq(open_in(&plain, log_applied, &l, &l.engine), 0);
	ck_assert_int_eq(
		engine_range(l.engine, &a, 0, UINT64_MAX, expect_changed, &_i, &pruned), 0);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), 0);
	ck_assert_str_eq(room.name, "a");
	ck_assert_str_eq(room.topic, "");
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
	say_many(&l, &a, 1, 9);
	sql("INSERT INTO ancestor VALUES (x'11111111111111111111111111111111', 7),"
	    " (x'22222222222222222222222222222222', 0), (x'3333', 5), ('4444444444444444', 6),"
	    " (x'55555555555555555555555555555555', -1)");
	reopen(&l);
	ck_assert(engine_shares(l.engine, l.engine->log_id, &upto));
	ck_assert_uint_eq(upto, UINT64_MAX);
	check_shares(&l, 0x11, true, 7);
	check_shares(&l, 0x22, true, 0); /* a copy of an empty log */
	check_shares(&l, 0x33, false, 0);
	check_shares(&l, 0x44, false, 0);
	check_shares(&l, 0x55, true, 0); /* a file that was changed: less is shared, not all */
	check_shares(&l, 0, false, 0);
	/* They stay what they are while it is open. */
	sql("DELETE FROM ancestor");
	check_shares(&l, 0x11, true, 7);
	reopen(&l);
	check_shares(&l, 0x11, false, 0);
	log_close(&l);
}
END_TEST

/* ---- pruning ---- */

/* Wait until a stream's floor is there. */
static void wait_pruned(struct log *l, const struct stream_key *key, uint64_t floor)
{
	struct page p;
	int64_t until = clock_ms() + 20000;

	while (log_read(l, key, 0, UINT64_MAX, LOG_PAGE, &p) < floor) {
		ck_assert_int_lt(clock_ms(), until);
		poll(NULL, 0, 2); /* the engine says nothing when it has pruned */
	}
}

static const struct engine_config limits[] = {
	{.folder = folder, .sync = SYNC_OFF, .keep_messages = 10},
	{.folder = folder, .sync = SYNC_OFF, .keep_days = 1},
	{.folder = folder, .sync = SYNC_OFF, .keep_bytes = 10 * (190 + 2 * 10)}, /* of ten */
};

START_TEST(the_oldest_go)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct append_result r;
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&b, 1, 1, "rare"), 1);
	say_many(&l, &a, 2, 1000);
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
		sql("UPDATE entry SET time = 1000000 WHERE seq <= 990");
	ck_assert_int_eq(open_in(&limits[_i], log_applied, &l, &l.engine), 0);
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

static void check_sound(void)
{
	struct verify_report report;
	char path[sizeof(folder) + 16], error[512] = "";

	snprintf(path, sizeof(path), "%s/log.db", folder);
	int r = store_verify(path, &report, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
	ck_assert_msg(report.findings == 0, "%s", report.shown[0]);
}

/* What is said pushes none out, but those beyond the newest thousand of a room; what is too old goes. */
START_TEST(acts_are_spared)
{
	struct stream_key a = entry_room("a"), acts;
	bool by_age = limits[_i].keep_days > 0;
	struct log l;

	stream_key_acts(&a, &acts);
	log_open(&l, 1 << 20);
	do_acts(&l, &acts);
	for (uint64_t i = 1; i <= 1000; i++)
		log_accept(&l, log_said(&a, 3, i, "some words"), MANY_ACTS + i);
	engine_close(l.engine);
	if (by_age)
		sql("UPDATE entry SET time = 1000000 WHERE seq <= 2090");
	/* Twice, as the second time it is not known what was spared. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(open_in(&limits[_i], log_applied, &l, &l.engine), 0);
		wait_pruned(&l, &a, 2090 + (uint64_t)i);
		uint64_t floor, oldest = log_oldest(&l, &acts, &floor);
		ck_assert_uint_eq(floor, by_age ? MANY_ACTS : MANY_ACTS - 1000);
		ck_assert_uint_eq(oldest, by_age ? 0 : floor + 1);
		log_accept(&l, log_said(&a, 3, 1001 + (uint64_t)i, "some words"),
			MANY_ACTS + 1001 + (uint64_t)i);
		engine_close(l.engine);
		if (by_age)
			sql("UPDATE entry SET time = 1000000 WHERE seq <= 2091");
	}
	/* A log that begins with acts alone is no damaged one. */
	check_sound();
	ck_assert_int_eq(open_in(&limits[_i], log_applied, &l, &l.engine), 0);
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
	struct engine_config careful = {.folder = folder, .sync = SYNC_FULL};
	struct stream_key a = entry_room("a");
	struct append_result r;
	struct log l;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	reopen_with(&l, &careful);
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
	struct engine_config config = {.folder = folder, .sync = (enum engine_sync)_i};
	struct stream_key a = entry_room("a");
	struct log l;

	faulty_vfs_install();
	log_open(&l, 1 << 20);
	reopen_with(&l, &config);
	log_accept(&l, log_said(&a, 1, 1, "the first makes the file"), 1);
	for (uint64_t i = 2; i < 20; i++) {
		unsigned before = faulty_vfs_syncs();
		log_accept(&l, log_said(&a, 1, i, "x"), i);
		ck_assert_int_eq(faulty_vfs_syncs() > before, _i == SYNC_FULL);
	}
	log_close(&l);
}
END_TEST

/* ---- what is not our log ---- */

static void damage(const char *how)
{
	char command[256];

	snprintf(command, sizeof(command), how, folder);
	ck_assert_int_eq(system(command), 0);
}

static const struct {
	const char *sql, *shell, *says;
} strangers[] = {
	{NULL, "head -c 100 /dev/zero > %s/" STORE_FILE, "not a database"},
	{NULL,
		"echo 'some text of somebody, longer than a header of a database would be, so that "
		"it "
		"is one hundred bytes at least' > %s/" STORE_FILE,
		"not a database"},
	{"PRAGMA user_version = 99", NULL, "newer"},
	{"PRAGMA application_id = 0; PRAGMA user_version = 0", NULL, "not a log of lanchatd"},
	{"PRAGMA application_id = 7", NULL, "not a log of lanchatd"},
	{NULL, "truncate -s 4096 %s/" STORE_FILE, "malformed"},
	{"DELETE FROM meta WHERE name = 'log'", NULL, "no id"},
	{"DROP TABLE chain", NULL, "chain"},
};

START_TEST(a_log_that_is_not_ours)
{
	struct stream_key a = entry_room("a");
	char error[512] = "";
	struct engine *e = NULL;
	struct log l;

	log_open(&l, 1 << 20);
	say_many(&l, &a, 1, 100);
	log_close(&l);
	if (strangers[_i].sql)
		sql(strangers[_i].sql);
	if (strangers[_i].shell)
		damage(strangers[_i].shell);
	damage("cp %1$s/" STORE_FILE " %1$s/before");
	ck_assert_int_eq(
		engine_open_sqlite(&plain, NULL, NULL, &e, error, sizeof(error)), ERR_DAMAGED);
	ck_assert_msg(strstr(error, strangers[_i].says) != NULL, "%s", error);
	ck_assert_ptr_nonnull(strstr(error, "--restore"));
	ck_assert_ptr_nonnull(strstr(error, "--set-aside"));
	damage("cmp -s %1$s/" STORE_FILE " %1$s/before"); /* nobody touched it */
}
END_TEST

static const char *const earlier[] = {
	"sqlite3 %s/" STORE_FILE " < tests/vectors/log-version-1.sql",
	"sqlite3 %s/" STORE_FILE " < tests/vectors/log-version-2.sql",
	"sqlite3 %s/" STORE_FILE " < tests/vectors/log-version-3.sql",
};

static void check_verified(void)
{
	struct verify_report report;
	char path[128], error[512] = "";

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	ck_assert_msg(store_verify(path, &report, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(report.findings == 0, "%s", report.shown[0]);
	ck_assert_uint_eq(report.version, 5);
}

/* A log of each earlier version becomes one of today, with all that it had. */
START_TEST(an_earlier_version)
{
	struct stream_key a = entry_room("a");
	struct log l = {0};
	struct page p;

	new_folder();
	damage(earlier[_i]);
	ck_assert_int_eq(open_in(&plain, log_applied, &l, &l.engine), 0);
	log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 2);
	ck_assert_str_eq(p.texts[1], "second words");
	struct stream_key streams[] = {a};
	struct search find = {.streams = streams,
		.stream_count = 1,
		.words = span_of("SECOND"),
		.before = UINT64_MAX,
		.limit = 10,
		.deadline = INT64_MAX};
	p.count = 0;
	p.most = 10;
	ck_assert_int_eq(engine_search(l.engine, &find, log_on_read, &p), 0);
	ck_assert_uint_eq(p.count, 1);
	ck_assert_uint_eq(p.seqs[0], 3);
	/* Who had a nick owns it. */
	uint8_t owner[PERSON_ID];
	char nick[NICK_MAX + 1];
	struct looks looks;
	ck_assert_int_eq(looks_of("ANNA", 4, &looks), 0);
	ck_assert_int_eq(engine_owner(l.engine, &looks, owner, nick), 0);
	ck_assert_str_eq(nick, "Anna");
	log_accept(&l, log_said(&a, 1, 2, "on"), 4);
	log_close(&l);
	check_verified();
}
END_TEST

static TCase *trouble(void)
{
	TCase *t = tcase_create("trouble");

	tcase_add_test(t, a_full_disk);
	tcase_add_test(t, an_fsync_that_fails);
	tcase_add_loop_test(t, synced_before_it_returns, 0, SYNC_OFF + 1);
	tcase_add_loop_test(
		t, a_log_that_is_not_ours, 0, (int)(sizeof(strangers) / sizeof(strangers[0])));
	tcase_set_timeout(t, 60);
	return t;
}

Suite *engine_sqlite_suite(void)
{
	Suite *s = suite_create("engine_sqlite");
	TCase *t = tcase_create("again");

	engine_cases_add(s, use_sqlite);
	tcase_add_unchecked_fixture(t, use_sqlite, NULL);
	tcase_add_test(t, everything_is_there_again);
	tcase_add_test(t, a_clock_set_back_makes_no_disorder);
	tcase_add_loop_test(t, acts_are_spared, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_loop_test(t, the_oldest_go, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_loop_test(t, an_earlier_version, 0, (int)(sizeof(earlier) / sizeof(earlier[0])));
	tcase_add_test(t, ancestors);
	tcase_add_loop_test(
		t, a_file_that_was_changed, 0, (int)(sizeof(changed) / sizeof(changed[0])));
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	TCase *u = trouble();
	tcase_add_unchecked_fixture(u, use_sqlite, NULL);
	suite_add_tcase(s, u);
	return s;
}
