/*
 * Maintenance: backups of a log in use, restoring them, setting aside, refusing; what
 * cannot be done changes nothing.
 */
#include "server/maintenance.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/data_folder.h"
#include "server/store_verify.h"
#include "tests/unit/entries.h"
#include "tests/unit/log_folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct log_folder folder;
static struct settings settings; /* of the folder; no job is asked for */
static char copy[PATH_MAX];      /* where backups go */
static char error[2048];
static char *told; /* by the last job; owned */

static void setup(void)
{
	log_set_file(NULL);
	log_folder_new(&folder);
	settings = (struct settings){.data = folder.path};
	(void)log_folder_file(&folder, "copy", copy);
}

static void teardown(void)
{
	log_folder_remove(&folder);
	free(told);
	told = NULL;
}

static int run(const struct settings *t)
{
	size_t size;

	free(told);
	FILE *out = open_memstream(&told, &size);
	ck_assert_ptr_nonnull(out);
	error[0] = '\0';
	int r = maintenance_run(t, out, error, sizeof(error));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_msg((r != 0) == (error[0] != '\0'), "%d: %s", r, error);
	ck_assert_ptr_null(strchr(error, '\n'));
	return r;
}

static int backup(const char *path)
{
	struct settings t = settings;
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s", path);
	t.backup = file;
	return run(&t);
}

static int restore(const char *path)
{
	struct settings t = settings;
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s", path);
	t.restore = file;
	return run(&t);
}

static int verify(void)
{
	struct settings t = settings;

	t.verify = true;
	return run(&t);
}

static int set_aside(void)
{
	struct settings t = settings;

	t.set_aside = true;
	return run(&t);
}

static void check_sound(const char *path, uint64_t entries)
{
	struct verify_report p;

	ck_assert_msg(store_verify(path, &p, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(p.findings == 0, "%s: %s", path, p.shown[0]);
	ck_assert_uint_eq(p.entries, entries);
}

/* ---- backing up ---- */

START_TEST(a_copy_is_one_private_file)
{
	char path[PATH_MAX];
	uint8_t a[ENGINE_LOG_ID], b[ENGINE_LOG_ID];
	struct stat st;
	struct log l;

	log_folder_open(&folder, 0, &l);
	log_folder_fill(&l);
	for (int i = 0; i < 2; i++) { /* the second takes the first one's place */
		ck_assert_msg(backup(copy) == 0, "%s", error);
		ck_assert_ptr_nonnull(strstr(told, "40 messages"));
		ck_assert_uint_eq(log_folder_find(&folder, "copy", path), 1);
	}
	ck_assert_int_eq(stat(copy, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	log_close(&l);
	check_sound(copy, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(
		log_folder_find(&folder, "copy", path), 1); /* reading makes nothing beside it */
	log_folder_id(folder.log, a);
	log_folder_id(copy, b);
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

/* What has the name already is no copy: it stays. */
static const char *const occupied[] = {"", "some text", "SQLite format 3"};

START_TEST(another_file_stays)
{
	char path[PATH_MAX];
	size_t size;

	log_folder_make(&folder);
	log_folder_write(copy, occupied[_i], strlen(occupied[_i]));
	ck_assert_int_eq(backup(copy), ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(error, copy));
	uint8_t *bytes = log_folder_bytes(copy, &size);
	ck_assert_uint_eq(size, strlen(occupied[_i]));
	ck_assert_mem_eq(bytes, occupied[_i], size);
	free(bytes);
	ck_assert_uint_eq(log_folder_find(&folder, "copy", path), 1);
}
END_TEST

START_TEST(where_no_copy_may_be)
{
	char path[PATH_MAX], other[PATH_MAX];

	ck_assert_int_eq(backup(copy), ERR_NOT_FOUND); /* there is no log */
	log_folder_make(&folder);
	ck_assert_int_eq(backup(folder.log), ERR_EXISTS);
	ck_assert_int_eq(symlink(folder.log, copy), 0);
	ck_assert_int_eq(backup(copy), ERR_EXISTS);
	ck_assert_int_eq(unlink(copy), 0);
	ck_assert_int_eq(backup(log_folder_file(&folder, "none/copy", other)), ERR_SYSTEM);
	ck_assert_int_eq(mkdir(copy, 0700), 0);
	ck_assert_int_lt(backup(copy), 0);
	ck_assert_int_eq(rmdir(copy), 0);

	/* Another program's database, and a log that is in use. */
	log_folder_sql(copy, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
	ck_assert_int_eq(backup(copy), ERR_EXISTS);
	ck_assert_int_eq(unlink(copy), 0);
	ck_assert_int_eq(backup(copy), 0);
	snprintf(other, sizeof(other), "%.*s-wal", PATH_MAX - 8, copy);
	log_folder_write(other, "x", 1);
	ck_assert_int_eq(backup(copy), ERR_EXISTS);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_uint_eq(log_folder_find(&folder, "copy", path), 1);
	check_sound(folder.log, LOG_FOLDER_ENTRIES);
}
END_TEST

/* A damaged log can be read far enough to be copied, and the copy would take the place of the last one
 * that is good for anything. */
START_TEST(a_damaged_log_takes_no_copys_place)
{
	char path[PATH_MAX];
	size_t size;

	log_folder_make(&folder);
	ck_assert_msg(backup(copy) == 0, "%s", error);
	uint8_t *bytes = log_folder_bytes(folder.log, &size);
	ck_assert_uint_gt(size, 4096 * 4);
	for (size_t i = 4096 * 3; i < 4096 * 4; i++)
		bytes[i] = (uint8_t)(i * 31 % 251);
	log_folder_write(folder.log, bytes, size);
	free(bytes);
	ck_assert_int_eq(backup(copy), ERR_DAMAGED);
	ck_assert_msg(strstr(error, folder.log) && strstr(error, "--restore FILE"), "%s", error);
	ck_assert_uint_eq(log_folder_find(&folder, "copy", path), 1);
	check_sound(copy, LOG_FOLDER_ENTRIES);
	ck_assert_msg(restore(copy) == 0, "%s", error);
}
END_TEST

/* A link to a copy is written through, and stays; one that leads nowhere is refused. */
START_TEST(through_a_link)
{
	char link[PATH_MAX], path[PATH_MAX];
	struct stat st;

	log_folder_make(&folder);
	(void)log_folder_file(&folder, "link", link);
	ck_assert_int_eq(symlink("copy", link), 0);
	ck_assert_int_eq(backup(link), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error, link));
	ck_assert_int_eq(backup(copy), 0);
	ck_assert_msg(backup(link) == 0, "%s", error);
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(lstat(copy, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(log_folder_find(&folder, "copy", path), 1);
	check_sound(copy, LOG_FOLDER_ENTRIES);
}
END_TEST

struct writer {
	struct log log;
	atomic_bool stop;
	atomic_uint_fast64_t kept;
};

static void *write_on(void *context)
{
	struct writer *w = context;
	struct stream_key a = entry_room("a");

	for (uint64_t i = 1; !atomic_load(&w->stop); i++) {
		struct append_result r;
		struct log_entry e = log_said(&a, 1, i, "while it is copied");
		if (engine_append(w->log.engine, &e, 1, clock_ms() + 10000, &r) == 0 &&
			r.status == APPEND_OK)
			atomic_store(&w->kept, r.seq);
	}
	return NULL;
}

/* A copy has everything that was acknowledged before it began. */
START_TEST(while_it_is_written)
{
	struct writer w;
	struct verify_report p;
	pthread_t thread;

	log_folder_open(&folder, 0, &w.log);
	atomic_init(&w.stop, false);
	atomic_init(&w.kept, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_on, &w), 0);
	for (int i = 0; i < 12; i++) {
		uint64_t kept = atomic_load(&w.kept);
		ck_assert_msg(backup(copy) == 0, "%s", error);
		ck_assert_msg(store_verify(copy, &p, error, sizeof(error)) == 0, "%s", error);
		ck_assert_msg(p.findings == 0, "%s", p.shown[0]);
		ck_assert_uint_ge(p.last, kept);
	}
	atomic_store(&w.stop, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	log_close(&w.log);
}
END_TEST

/* ---- restoring ---- */

START_TEST(a_restored_log_is_another_one)
{
	uint8_t before[ENGINE_LOG_ID], after[ENGINE_LOG_ID];
	char path[PATH_MAX];
	struct stream_key a = entry_room("a");
	struct log l;

	log_folder_make(&folder);
	log_folder_id(folder.log, before);
	ck_assert_int_eq(backup(copy), 0);
	log_folder_open(&folder, 0, &l);
	log_accept(&l, log_said(&a, 9, 1, "later"), LOG_FOLDER_ENTRIES + 1);
	log_close(&l);

	ck_assert_msg(restore(copy) == 0, "%s", error);
	ck_assert_ptr_nonnull(strstr(told, "40 messages"));
	log_folder_id(folder.log, after);
	ck_assert_mem_ne(before, after, sizeof(after));
	check_sound(folder.log, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.before-", path), 1);
	check_sound(path, LOG_FOLDER_ENTRIES + 1); /* what was there is kept */
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.new", path), 0);
	check_sound(copy, LOG_FOLDER_ENTRIES);

	/* It goes on where the copy ended, and each time it is another one. */
	log_folder_open(&folder, 0, &l);
	ck_assert_mem_eq(l.engine->log_id, after, sizeof(after));
	log_accept(&l, log_said(&a, 9, 1, "again"), LOG_FOLDER_ENTRIES + 1);
	log_close(&l);
	ck_assert_msg(restore(copy) == 0, "%s", error);
	log_folder_id(folder.log, before);
	ck_assert_mem_ne(before, after, sizeof(after));
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.before-", path), 2);
}
END_TEST

START_TEST(where_there_is_no_log)
{
	char path[PATH_MAX];

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	ck_assert_int_eq(unlink(folder.log), 0);
	ck_assert_msg(restore(copy) == 0, "%s", error);
	check_sound(folder.log, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db", path), 1);
}
END_TEST

/* What a copy may be spoilt by. */
static const char *const spoilers[] = {
	"DELETE FROM entry WHERE seq = 7",
	"UPDATE chain SET prev = 3 WHERE seq = 9",
	"PRAGMA application_id = 5",
	"PRAGMA user_version = 999",
	"DROP TABLE chain",
};

START_TEST(a_spoilt_copy_changes_nothing)
{
	char path[PATH_MAX];
	size_t size, again;

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	log_folder_sql(copy, spoilers[_i]);
	uint8_t *before = log_folder_bytes(folder.log, &size);
	ck_assert_int_lt(restore(copy), 0);
	ck_assert_ptr_nonnull(strstr(error, copy));
	ck_assert_ptr_nonnull(strstr(error, "nothing has changed"));
	uint8_t *after = log_folder_bytes(folder.log, &again);
	ck_assert_uint_eq(size, again);
	ck_assert_mem_eq(before, after, size);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db", path), 1);
	free(before);
	free(after);
}
END_TEST

/* SQLite would take what is cut off the last page for zeros. */
static const int cuts[] = {1, 100, 4095, 4096, -1, -4096};

START_TEST(a_cut_copy_changes_nothing)
{
	size_t size, cut;

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	uint8_t *bytes = log_folder_bytes(copy, &size);
	cut = (size_t)((long)size - cuts[_i]);
	uint8_t *other = calloc(1, cut);
	ck_assert_ptr_nonnull(other);
	memcpy(other, bytes, cut < size ? cut : size);
	log_folder_write(copy, other, cut);
	ck_assert_int_eq(restore(copy), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(error, "it was cut or added to"));
	ck_assert_int_eq(backup(copy), ERR_EXISTS); /* nor is it replaced */
	log_folder_write(folder.log, other, cut);
	ck_assert_int_eq(verify(), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(error, "it was cut or added to"));
	free(bytes);
	free(other);
}
END_TEST

/* What was left by one that was killed goes, and nothing else. */
START_TEST(leftovers)
{
	static const char *const names[] = {"log.db.new-aB3xyZ", "log.db.new-aB3xyZ-journal"};
	static const char *const others[] = {
		"log.db.new-aB3xy", "log.db.new-aB3xyZ.old", "log.db.news"};
	char path[PATH_MAX];

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	for (size_t i = 0; i < 2; i++)
		log_folder_write(log_folder_file(&folder, names[i], path), "x", 1);
	for (size_t i = 0; i < 3; i++)
		log_folder_write(log_folder_file(&folder, others[i], path), "x", 1);
	ck_assert_int_eq(verify(), 0);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.new", path), 5);
	ck_assert_msg(restore(copy) == 0, "%s", error);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.new", path), 3);
}
END_TEST

/* A damaged log is moved out of the way as it is, with what belongs to it. */
START_TEST(in_place_of_a_damaged_one)
{
	char path[PATH_MAX], beside[PATH_MAX];
	size_t size;

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	log_folder_write(folder.log, "noise", 5);
	snprintf(path, sizeof(path), "%s-wal", folder.log);
	log_folder_write(path, "more noise", 10);
	ck_assert_msg(restore(copy) == 0, "%s", error);
	check_sound(folder.log, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.before-", path), 1);
	free(log_folder_bytes(path, &size));
	ck_assert_uint_eq(size, 5);
	snprintf(beside, sizeof(beside), "%.*s-wal", PATH_MAX - 8, path);
	free(log_folder_bytes(beside, &size));
	ck_assert_uint_eq(size, 10);
	snprintf(beside, sizeof(beside), "%s-wal", folder.log);
	ck_assert_int_ne(access(beside, F_OK), 0);
}
END_TEST

static const char *const older[] = {
	LOG_FOLDER_VERSION_3 "DROP TABLE ancestor; PRAGMA user_version = 2",
	LOG_FOLDER_VERSION_3
	"DROP TABLE ancestor; DROP TABLE words;"
	"DELETE FROM meta WHERE name IN ('indexed', 'folded'); PRAGMA user_version = 1",
};

/* A copy of an earlier version is brought up to date; the file given is not. */
START_TEST(an_older_copy)
{
	size_t size, again;

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	log_folder_sql(copy, older[_i]);
	uint8_t *before = log_folder_bytes(copy, &size);
	ck_assert_msg(restore(copy) == 0, "%s", error);
	check_sound(folder.log, LOG_FOLDER_ENTRIES);
	uint8_t *after = log_folder_bytes(copy, &again);
	ck_assert_uint_eq(size, again);
	ck_assert_mem_eq(before, after, size);
	free(before);
	free(after);
}
END_TEST

/* ---- with a server ---- */

START_TEST(not_while_a_server_has_it)
{
	struct data_folder held;
	char path[PATH_MAX];

	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	ck_assert_int_eq(data_folder_open(folder.path, &held, error, sizeof(error)), 0);
	ck_assert_int_eq(restore(copy), ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(error, folder.path));
	ck_assert_int_eq(set_aside(), ERR_EXISTS);
	ck_assert_int_eq(backup(copy), 0);
	ck_assert_int_eq(verify(), 0);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db", path), 1);
	data_folder_close(&held);
	ck_assert_int_eq(set_aside(), 0);
}
END_TEST

/* ---- verifying, setting aside ---- */

START_TEST(verifying)
{
	ck_assert_int_eq(verify(), ERR_NOT_FOUND);
	log_folder_make(&folder);
	ck_assert_int_eq(verify(), 0);
	ck_assert_ptr_nonnull(strstr(told, "40 messages, numbers 1 to 40"));
	ck_assert_ptr_nonnull(strstr(told, "sound\n"));
	log_folder_sql(folder.log, "UPDATE entry SET kind = 9");
	ck_assert_int_eq(verify(), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(told, "wrong: entry 1: kind 9 is unknown\n"));
	ck_assert_ptr_nonnull(strstr(told, "and 30 more\n"));
	ck_assert_ptr_null(strstr(told, "sound\n"));
	ck_assert_ptr_nonnull(strstr(error, "40 things are wrong"));
	ck_assert_ptr_nonnull(strstr(error, "--restore"));
	ck_assert_ptr_nonnull(strstr(error, "--set-aside"));
}
END_TEST

/* Each in its own words, whatever is asked for: a log needs the server that brings it up to date, and
 * where there is none that would help nobody. */
static void refused_as(const char *why, const char * not )
{
	ck_assert_int_eq(verify(), ERR_DAMAGED);
	ck_assert_msg(strstr(error, why) && !strstr(error, not ), "%s", error);
	ck_assert_int_eq(backup(copy), ERR_DAMAGED);
	ck_assert_msg(strstr(error, why) && !strstr(error, not ), "%s", error);
	ck_assert_int_ne(access(copy, F_OK), 0);
}

START_TEST(nothing_in_it_or_an_older_one)
{
	static const char empty[] = "it is empty: no history is in it",
			  once[] = "server on it once";

	log_folder_write(folder.log, "", 0);
	refused_as(empty, once);
	ck_assert_int_eq(restore(folder.log), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(error, empty));
	/* A header alone, of a server that was killed while it made the log. */
	log_folder_sql(folder.log, "PRAGMA journal_mode = WAL; VACUUM");
	refused_as(empty, once);
	log_folder_make(&folder);
	log_folder_sql(
		folder.log, LOG_FOLDER_VERSION_3 "DROP TABLE ancestor; PRAGMA user_version = 2");
	refused_as("it is of version 2, not 6: start the server on it once", "empty");
	/* Neither nothing nor a log. */
	log_folder_sql(folder.log, "PRAGMA user_version = 0");
	refused_as("it is not a log of lanchatd", "empty");
}
END_TEST

START_TEST(setting_aside)
{
	char path[PATH_MAX];
	uint8_t before[ENGINE_LOG_ID], after[ENGINE_LOG_ID];

	ck_assert_int_eq(set_aside(), ERR_NOT_FOUND);
	for (size_t i = 1; i < 4; i++) {
		log_folder_make(&folder);
		log_folder_id(folder.log, before);
		ck_assert_msg(set_aside() == 0, "%s", error);
		ck_assert_int_ne(access(folder.log, F_OK), 0);
		ck_assert_uint_eq(log_folder_find(&folder, "log.db.aside-", path), i);
		ck_assert_ptr_nonnull(strstr(told, "log.db.aside-"));
	}
	check_sound(path, LOG_FOLDER_ENTRIES);
	log_folder_make(&folder);
	log_folder_id(folder.log, after);
	ck_assert_mem_ne(before, after, sizeof(after));
}
END_TEST

/* What root leaves in somebody else's folder could not be read there. */
START_TEST(in_the_folder_of_another_user)
{
	const struct settings code = {.data = folder.path, .operator_code = true};
	char path[PATH_MAX];

	if (geteuid() != 0) {
		printf("SKIP: in_the_folder_of_another_user: not root\n");
		return;
	}
	log_folder_make(&folder);
	ck_assert_int_eq(backup(copy), 0);
	if (chown(folder.path, 12345, 12345) != 0) {
		printf("SKIP: in_the_folder_of_another_user: there is no other one here\n");
		return;
	}
	ck_assert_int_eq(restore(copy), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(error, "--user"));
	ck_assert_int_eq(run(&code), ERR_REFUSED);
	ck_assert_int_eq(set_aside(), ERR_REFUSED);
	ck_assert_uint_eq(log_folder_find(&folder, "operator-code", path), 0);
	ck_assert_uint_eq(log_folder_find(&folder, "lock", path), 0);
	ck_assert_int_eq(verify(), 0);
}
END_TEST

START_TEST(one_job_at_a_time)
{
	char file[] = "/nowhere";

	ck_assert(!maintenance_asked(&settings));
	for (int i = 0; i < 16; i++) {
		struct settings t = settings;
		t.backup = i & 1 ? file : NULL;
		t.restore = i & 2 ? file : NULL;
		t.verify = i & 4;
		t.set_aside = i & 8;
		bool several = (i & (i - 1)) != 0;
		ck_assert_int_eq(maintenance_asked(&t), i != 0);
		ck_assert_int_eq(
			maintenance_check(&t, error, sizeof(error)), several ? ERR_ARGUMENT : 0);
		if (several)
			ck_assert_int_eq(run(&t), ERR_ARGUMENT);
	}
}
END_TEST

Suite *maintenance_suite(void)
{
	Suite *s = suite_create("maintenance");
	TCase *c = tcase_create("maintenance");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_copy_is_one_private_file);
	tcase_add_loop_test(c, another_file_stays, 0, sizeof(occupied) / sizeof(occupied[0]));
	tcase_add_test(c, where_no_copy_may_be);
	tcase_add_test(c, a_damaged_log_takes_no_copys_place);
	tcase_add_test(c, through_a_link);
	tcase_add_test(c, while_it_is_written);
	tcase_add_test(c, a_restored_log_is_another_one);
	tcase_add_test(c, where_there_is_no_log);
	tcase_add_loop_test(
		c, a_spoilt_copy_changes_nothing, 0, sizeof(spoilers) / sizeof(spoilers[0]));
	tcase_add_loop_test(c, a_cut_copy_changes_nothing, 0, sizeof(cuts) / sizeof(cuts[0]));
	tcase_add_test(c, leftovers);
	tcase_add_test(c, in_place_of_a_damaged_one);
	tcase_add_loop_test(c, an_older_copy, 0, sizeof(older) / sizeof(older[0]));
	tcase_add_test(c, not_while_a_server_has_it);
	tcase_add_test(c, verifying);
	tcase_add_test(c, nothing_in_it_or_an_older_one);
	tcase_add_test(c, setting_aside);
	tcase_add_test(c, in_the_folder_of_another_user);
	tcase_add_test(c, one_job_at_a_time);
	suite_add_tcase(s, c);
	return s;
}
