/*
 * The engine over SQLite: a file that somebody changed, that is no log of ours, or of an earlier version.
 */
#include "tests/unit/kept_log.h"

#include "common/err.h"
#include "server/store.h"
#include "server/store_verify.h"
#include "tests/unit/entries.h"

#include <stdio.h>
#include <string.h>

/* ---- changed ---- */

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
	kept_sql(changed[_i].sql);
	ck_assert_int_eq(kept_open(&kept_plain, log_applied, &l, &l.engine), 0);
	ck_assert_int_eq(
		engine_range(l.engine, &a, 0, UINT64_MAX, expect_changed, &_i, &pruned), 0);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), 0);
	ck_assert_str_eq(room.name, "a");
	ck_assert_str_eq(room.topic, "");
	log_close(&l);
}
END_TEST

/* ---- what is not our log ---- */

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
	kept_say_many(&l, &a, 1, 100);
	log_close(&l);
	if (strangers[_i].sql)
		kept_sql(strangers[_i].sql);
	if (strangers[_i].shell)
		kept_shell(strangers[_i].shell);
	kept_shell("cp %1$s/" STORE_FILE " %1$s/before");
	ck_assert_int_eq(
		engine_open_sqlite(&kept_plain, NULL, NULL, &e, error, sizeof(error)), ERR_DAMAGED);
	ck_assert_msg(strstr(error, strangers[_i].says) != NULL, "%s", error);
	ck_assert_ptr_nonnull(strstr(error, "--restore"));
	ck_assert_ptr_nonnull(strstr(error, "--set-aside"));
	kept_shell("cmp -s %1$s/" STORE_FILE " %1$s/before"); /* nobody touched it */
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

	snprintf(path, sizeof(path), "%s/" STORE_FILE, kept_folder);
	ck_assert_msg(store_verify(path, &report, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(report.findings == 0, "%s", report.shown[0]);
	ck_assert_uint_eq(report.version, 6);
}

/* A log of each earlier version becomes one of today, with all that it had. */
START_TEST(an_earlier_version)
{
	struct stream_key a = entry_room("a");
	struct log l = {0};
	struct page p;

	kept_new_folder();
	kept_shell(earlier[_i]);
	ck_assert_int_eq(kept_open(&kept_plain, log_applied, &l, &l.engine), 0);
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
	ck_assert_int_eq(engine_owner(l.engine, looks.at[0], owner, nick), 0);
	ck_assert_str_eq(nick, "Anna");
	log_accept(&l, log_said(&a, 1, 2, "on"), 4);
	log_close(&l);
	check_verified();
}
END_TEST

Suite *engine_sqlite_file_suite(void)
{
	Suite *s = suite_create("engine_sqlite_file");
	TCase *file = tcase_create("file");

	tcase_add_unchecked_fixture(file, kept_use, NULL);
	tcase_set_timeout(file, 60);
	tcase_add_loop_test(
		file, a_file_that_was_changed, 0, (int)(sizeof(changed) / sizeof(changed[0])));
	tcase_add_loop_test(
		file, a_log_that_is_not_ours, 0, (int)(sizeof(strangers) / sizeof(strangers[0])));
	tcase_add_loop_test(
		file, an_earlier_version, 0, (int)(sizeof(earlier) / sizeof(earlier[0])));
	suite_add_tcase(s, file);
	return s;
}
