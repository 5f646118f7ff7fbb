/*
 * How far was read, on disk: one process at a time, damage, another log, and what
 * an older lanchat left in the files of instances.
 */
#include "client/positions.h"

#include "client/state.h"
#include "common/err.h"
#include "common/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t server[IDENTITY_SIZE] = {0xaa};
static const uint8_t log_a[INSTANCE_ID] = {1};
static const uint8_t log_b[INSTANCE_ID] = {2};
static const uint8_t log_c[INSTANCE_ID] = {3};
static char folder[64];
static char path[PATH_MAX]; /* of the file */

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-positions-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	log_set_level(LOG_LEVEL_ERROR);
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct positions *open_them(void)
{
	struct positions *p = NULL;

	ck_assert_int_eq(positions_open(folder, server, path, &p), 0);
	ck_assert_ptr_nonnull(p);
	return p;
}

/* The position of a room, or -1. */
static int64_t get(struct positions *p, const char *room)
{
	uint64_t seq = 0;

	int r = positions_get(p, room, &seq);

	ck_assert(r == 0 || r == ERR_NOT_FOUND);
	return r == 0 ? (int64_t)seq : -1;
}

static void put(struct positions *p, const char *room, uint64_t seq)
{
	positions_begin(p);
	positions_put(p, room, seq);
	ck_assert(positions_end(p));
}

/* Log a, the lobby at 8 and the direct messages at 3. */
static void fill(void)
{
	struct positions *p = open_them();

	positions_set_log(p, log_a, 0);
	put(p, "lobby", 8);
	put(p, "", 3);
	positions_close(p);
}

static void execute(const char *file, const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(test_kept)
{
	struct positions *p = open_them();
	struct stat st;

	ck_assert_ptr_null(positions_log(p));
	ck_assert_mem_eq(positions_server(p), server, sizeof(server));
	ck_assert_int_eq(get(p, "lobby"), -1);
	positions_close(p);
	fill();
	p = open_them();
	put(p, "huge", UINT64_MAX);     /* not honest: ignored */
	positions_set_log(p, log_a, 0); /* the same one: nothing moves */
	ck_assert_mem_eq(positions_log(p), log_a, sizeof(log_a));
	ck_assert_int_eq(get(p, "lobby"), 8);
	ck_assert_int_eq(get(p, ""), 3);
	ck_assert_int_eq(get(p, "huge"), -1);
	positions_close(p);
	positions_close(NULL);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(test_another_log)
{
	struct positions *p;

	fill();
	p = open_them();
	positions_set_log(p, log_b, 5);
	ck_assert_int_eq(get(p, "lobby"), 5);
	ck_assert_int_eq(get(p, ""), 3);
	positions_close(p);
	p = open_them();
	ck_assert_mem_eq(positions_log(p), log_b, sizeof(log_b));
	ck_assert_int_eq(get(p, "lobby"), 5);
	put(p, "lobby", 6);
	positions_set_log(p, log_c, UINT64_MAX);
	ck_assert_int_eq(get(p, "lobby"), 6);
	positions_close(p);
}
END_TEST

/* While the disk takes nothing, what is to become of the positions waits, and is not lost. */
START_TEST(test_another_log_on_a_full_disk)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct positions *p;

	fill();
	p = open_them();
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	positions_set_log(p, log_b, 5);
	positions_set_log(p, log_c, 6);
	positions_begin(p);
	positions_put(p, "lobby", 7);
	ck_assert(!positions_end(p));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	positions_begin(p);
	positions_put(p, "market", 7);
	ck_assert(positions_end(p));
	positions_close(p);
	p = open_them();
	ck_assert_mem_eq(positions_log(p), log_c, sizeof(log_c));
	ck_assert_int_eq(get(p, "lobby"), 5);
	ck_assert_int_eq(get(p, ""), 3);
	ck_assert_int_eq(get(p, "market"), 7);
	positions_close(p);
}
END_TEST

/* ---- one at a time ---- */

START_TEST(test_one_process)
{
	int ready[2];
	char byte;
	int status;
	struct positions *p = NULL;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		p = open_them();
		positions_set_log(p, log_a, 0);
		put(p, "lobby", 8);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(positions_open(folder, server, path, &p), ERR_AGAIN);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	p = open_them();
	ck_assert_int_eq(get(p, "lobby"), 8);
	positions_close(p);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* ---- damage ---- */

static void empty(void)
{
	ck_assert_int_eq(truncate(path, 0), 0);
}

static void overwrite(void)
{
	FILE *f = fopen(path, "r+");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 400; i++)
		ck_assert_int_ge(fputs("this is no database", f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void of_another_program(void)
{
	execute(path, "PRAGMA application_id = 5");
}

static void of_another_server(void)
{
	execute(path, "UPDATE meta SET server = zeroblob(32)");
}

static void without_meta(void)
{
	execute(path, "DELETE FROM meta");
}

static void with_half_a_log(void)
{
	execute(path, "UPDATE meta SET log = x'0011'");
}

static void without_table(void)
{
	execute(path, "DROP TABLE position");
}

static void with_wal_alone(void)
{
	char wal[PATH_MAX + 8];

	snprintf(wal, sizeof(wal), "%s-wal", path);
	ck_assert_int_eq(rename(path, wal), 0);
}

static void (*const damages[])(void) = {empty, overwrite, of_another_program, of_another_server,
	without_meta, with_half_a_log, without_table, with_wal_alone};

/* Not used, and left for a person to look at. */
START_TEST(test_damaged)
{
	struct positions *p = NULL;
	struct stat before, after;

	fill();
	damages[_i]();
	bool there = stat(path, &before) == 0;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(positions_open(folder, server, path, &p), ERR_DAMAGED);
	ck_assert_int_eq(stat(path, &after) == 0, there);
	if (there)
		ck_assert_int_eq(before.st_size, after.st_size);
}
END_TEST

/* A position that is none is not the same as no position. */
START_TEST(test_bad_position)
{
	static const char *const values[] = {"-5", "'text'", "x'00'", "1.5"};
	char sql_text[128];
	uint64_t seq = 0;
	struct positions *p;

	fill();
	snprintf(sql_text, sizeof(sql_text), "UPDATE position SET seq = %s WHERE room = 'lobby'",
		values[_i]);
	execute(path, sql_text);
	p = open_them();
	ck_assert_int_eq(positions_get(p, "lobby", &seq), ERR_DAMAGED);
	ck_assert_int_eq(positions_get(p, "", &seq), 0);
	ck_assert_int_eq(positions_get(p, "elsewhere", &seq), ERR_NOT_FOUND);
	positions_close(p);
}
END_TEST

START_TEST(test_newer)
{
	struct positions *p = NULL;

	fill();
	execute(path, "PRAGMA user_version = 77");
	ck_assert_int_eq(positions_open(folder, server, path, &p), ERR_REFUSED);
	execute(path, "PRAGMA user_version = 1");
	p = open_them();
	ck_assert_int_eq(get(p, "lobby"), 8);
	positions_close(p);
}
END_TEST

START_TEST(test_no_folder)
{
	struct positions *p = NULL;
	char name[128];

	snprintf(name, sizeof(name), "%s/a-file", folder);
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	errno = 0;
	ck_assert_int_eq(positions_open(name, server, path, &p), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOTDIR);
}
END_TEST

/* Cut short while it was made: what is left of that is no file of ours yet. */
START_TEST(test_making_cut_short)
{
	char name[256];
	struct positions *p;

	positions_close(open_them());
	ck_assert_int_eq(unlink(path), 0);
	snprintf(name, sizeof(name), "%.*s.new", (int)(strlen(path) - strlen(".db")), path);
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("half of something", f), 0);
	fclose(f);
	p = open_them();
	ck_assert_int_eq(get(p, "lobby"), -1);
	positions_close(p);
	ck_assert_int_ne(access(name, F_OK), 0);
}
END_TEST

/* ---- what was kept elsewhere before ---- */

/* A file of an instance as an older lanchat wrote it; the later one is the newer one. */
static void old_file(int number, const uint8_t *log, int lobby, int market)
{
	uint8_t instance[INSTANCE_ID] = {(uint8_t)number};
	char name[256], sql[512];
	struct state *st = NULL;
	struct timespec times[2] = {{.tv_sec = 1000 + number}, {.tv_sec = 1000 + number}};

	ck_assert_int_eq(state_create(folder, server, instance, 0, &st), 0);
	state_close(st);
	snprintf(name, sizeof(name), "%s/servers/aa%062d/%02x%030d.db", folder, 0, number, 0);
	snprintf(sql, sizeof(sql),
		"UPDATE meta SET log = x'%02x%030d';"
		"INSERT INTO position VALUES ('lobby', %d), ('market', %d)",
		log[0], 0, lobby, market);
	execute(name, sql);
	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

START_TEST(test_imported)
{
	struct positions *p;

	old_file(1, log_b, 900, 900); /* of a log that is no more */
	old_file(2, log_a, 10, 40);
	old_file(3, log_a, 30, 20);
	p = open_them();
	ck_assert_mem_eq(positions_log(p), log_a, sizeof(log_a));
	ck_assert_int_eq(get(p, "lobby"), 30);
	ck_assert_int_eq(get(p, "market"), 40);
	positions_close(p);
	/* Once: whoever removes the file begins anew. */
	ck_assert_int_eq(unlink(path), 0);
	p = open_them();
	ck_assert_ptr_null(positions_log(p));
	ck_assert_int_eq(get(p, "lobby"), -1);
	positions_close(p);
}
END_TEST

/* The files are still good for what else they are for, and a broken one is no obstacle. */
START_TEST(test_import_leaves_the_rest)
{
	static const uint8_t instance[INSTANCE_ID] = {2};
	struct outbox box = {0};
	struct outgoing m = {.kind = SAID_TEXT, .to = "lobby"};
	struct state *st = NULL;
	struct positions *p;
	char name[256];

	old_file(1, log_a, 5, 6);
	ck_assert_int_eq(state_create(folder, server, instance, 0, &st), 0);
	state_add(st, outbox_add(&box, &m, "words"));
	outbox_fini(&box);
	snprintf(name, sizeof(name), "%s/servers/aa%062d/%032d.db", folder, 0, 7);
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("no database at all", f), 0);
	fclose(f);
	p = open_them(); /* while somebody has the second one */
	ck_assert_int_eq(get(p, "lobby"), 5);
	positions_close(p);
	state_close(st);
	ck_assert_int_eq(state_adopt(folder, server, &st), 0);
	ck_assert_mem_eq(state_instance(st), instance, sizeof(instance));
	state_close(st);
}
END_TEST

Suite *positions_suite(void)
{
	Suite *s = suite_create("positions");
	TCase *t = tcase_create("positions");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_kept);
	tcase_add_test(t, test_another_log);
	tcase_add_test(t, test_another_log_on_a_full_disk);
	tcase_add_test(t, test_one_process);
	tcase_add_loop_test(t, test_damaged, 0, (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_loop_test(t, test_bad_position, 0, 4);
	tcase_add_test(t, test_newer);
	tcase_add_test(t, test_no_folder);
	tcase_add_test(t, test_making_cut_short);
	tcase_add_test(t, test_imported);
	tcase_add_test(t, test_import_leaves_the_rest);
	suite_add_tcase(s, t);
	return s;
}
