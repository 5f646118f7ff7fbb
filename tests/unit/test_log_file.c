/*
 * Looking at a log before it is opened: one that is not fit stays as it is, with a line that
 * says what to do, and what that line names can be done.
 */
#include "server/log_file.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/maintenance.h"
#include "tests/unit/log_folder.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log_folder folder;
static char error[2048];

static void setup(void)
{
	log_set_file(NULL);
	log_folder_new(&folder);
}

static void teardown(void)
{
	log_folder_remove(&folder);
}

static int run(const struct settings *t)
{
	FILE *out = tmpfile();

	ck_assert_ptr_nonnull(out);
	int r = maintenance_run(t, out, error, sizeof(error));
	ck_assert_int_eq(fclose(out), 0);
	return r;
}

static void zero_header(uint8_t *bytes, size_t *size)
{
	(void)size;
	memset(bytes, 0, 100);
}

static void cut(uint8_t *bytes, size_t *size)
{
	(void)bytes;
	*size = *size / 2 + 100;
}

static void cut_short(uint8_t *bytes, size_t *size)
{
	(void)bytes;
	*size = 50;
}

static void noise_in_a_page(uint8_t *bytes, size_t *size)
{
	for (size_t i = 4096 * 3; i < 4096 * 4 && i < *size; i++)
		bytes[i] = (uint8_t)(i * 31 % 251);
}

static void cut_to_nothing(uint8_t *bytes, size_t *size)
{
	(void)bytes;
	*size = 0;
}

static void newer(uint8_t *bytes, size_t *size)
{
	(void)size;
	bytes[60 + 3] = 200; /* user_version */
}

static void another_programs(uint8_t *bytes, size_t *size)
{
	(void)size;
	memset(bytes + 68, 7, 4); /* application_id */
}

static void nobodys(uint8_t *bytes, size_t *size)
{
	(void)size;
	memset(bytes + 68, 0, 4);
	memset(bytes + 60, 0, 4);
}

static const struct {
	void (*spoil)(uint8_t *bytes, size_t *size);
	const char *why; /* a word of it */
} unfit[] = {
	{zero_header, "not a database"},
	{cut, ""},
	{cut_short, "not a database"},
	{cut_to_nothing, "it is empty, and its write-ahead log is not"},
	{noise_in_a_page, "btreeInitPage() returns"},
	{newer, "newer"},
	{nobodys, "not a log of lanchatd"},
	{another_programs, "not a log of lanchatd"},
};

START_TEST(an_unfit_log_stays_as_it_is)
{
	struct data_folder f;
	char path[PATH_MAX];
	size_t size, again;

	log_folder_make(&folder);
	uint8_t *before = log_folder_bytes(folder.log, &size);
	unfit[_i].spoil(before, &size);
	log_folder_write(folder.log, before, size);
	if (size == 0) {
		snprintf(path, sizeof(path), "%s-wal", folder.log);
		log_folder_write(path, "not yet in it", 13);
	}
	ck_assert_int_eq(data_folder_open(folder.path, &f, error, sizeof(error)), 0);
	error[0] = '\0';
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), ERR_DAMAGED);
	data_folder_close(&f);
	ck_assert_ptr_null(strchr(error, '\n'));
	ck_assert_msg(strstr(error, folder.log) && strstr(error, "--restore FILE") &&
			      strstr(error, "--set-aside") && strstr(error, unfit[_i].why),
		"%s", error);
	ck_assert_msg(!strstr(error, "***"), "%s", error);
	uint8_t *after = log_folder_bytes(folder.log, &again);
	ck_assert_uint_eq(size, again);
	ck_assert_mem_eq(before, after, size);
	free(before);
	free(after);
	ck_assert_int_lt(run(&(struct settings){.data = folder.path, .verify = true}), 0);
	ck_assert_msg(
		run(&(struct settings){.data = folder.path, .set_aside = true}) == 0, "%s", error);
	ck_assert_uint_eq(log_folder_find(&folder, "log.db.aside-", path), 1);
	log_folder_make(&folder);
}
END_TEST

/* What was acknowledged may be in the write-ahead log alone, and SQLite would remove one that belongs to
 * no database. A database that is gone is refused, and both ways out leave what is there. */
START_TEST(a_write_ahead_log_without_its_log)
{
	static const char kept[] = "all that was said";
	struct data_folder f;
	char wal[PATH_MAX], path[PATH_MAX], copy[PATH_MAX];
	glob_t found;
	size_t size;

	log_folder_make(&folder);
	(void)log_folder_file(&folder, "copy", copy);
	ck_assert_int_eq(run(&(struct settings){.data = folder.path, .backup = copy}), 0);
	ck_assert_int_eq(unlink(folder.log), 0);
	snprintf(wal, sizeof(wal), "%s-wal", folder.log);
	log_folder_write(wal, kept, sizeof(kept));
	ck_assert_int_eq(data_folder_open(folder.path, &f, error, sizeof(error)), 0);
	error[0] = '\0';
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), ERR_DAMAGED);
	data_folder_close(&f);
	ck_assert_msg(strstr(error, "it is missing, and its write-ahead log is not") &&
			      strstr(error, "--restore FILE") && strstr(error, "--set-aside"),
		"%s", error);
	ck_assert_int_eq(run(&(struct settings){.data = folder.path, .verify = true}), ERR_DAMAGED);
	ck_assert_int_eq(access(wal, F_OK), 0);
	int r = _i == 0 ? run(&(struct settings){.data = folder.path, .set_aside = true})
			: run(&(struct settings){.data = folder.path, .restore = copy});
	ck_assert_msg(r == 0, "%s", error);
	ck_assert_int_ne(access(wal, F_OK), 0);
	snprintf(path, sizeof(path), "%s.%s-*-wal", folder.log, _i == 0 ? "aside" : "before");
	ck_assert_int_eq(glob(path, 0, NULL, &found), 0);
	ck_assert_uint_eq(found.gl_pathc, 1);
	uint8_t *bytes = log_folder_bytes(found.gl_pathv[0], &size);
	ck_assert_uint_eq(size, sizeof(kept));
	ck_assert_mem_eq(bytes, kept, size);
	free(bytes);
	globfree(&found);
}
END_TEST

START_TEST(a_fit_log_or_none)
{
	struct data_folder f;

	ck_assert_int_eq(data_folder_open(folder.path, &f, error, sizeof(error)), 0);
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), 0);
	log_folder_make(&folder);
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), 0);
	/* A server that was killed while it made the log. */
	ck_assert_int_eq(truncate(folder.log, 0), 0);
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), 0);
	log_folder_sql(folder.log, "PRAGMA journal_mode = WAL; VACUUM");
	ck_assert_int_eq(log_file_check(&f, clock_ms() + 10000, error, sizeof(error)), 0);
	log_folder_make(&folder);
	/* Being late is no damage. */
	ck_assert_int_eq(log_file_check(&f, clock_ms() - 1, error, sizeof(error)), 0);
	data_folder_close(&f);
}
END_TEST

Suite *log_file_suite(void)
{
	Suite *s = suite_create("log_file");
	TCase *c = tcase_create("log_file");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, an_unfit_log_stays_as_it_is, 0, sizeof(unfit) / sizeof(unfit[0]));
	tcase_add_loop_test(c, a_write_ahead_log_without_its_log, 0, 2);
	tcase_add_test(c, a_fit_log_or_none);
	suite_add_tcase(s, c);
	return s;
}
