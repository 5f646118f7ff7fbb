/*
 * Ballast: it is really there, goes and comes back, and a full disk is told from
 * one with room. A small tmpfs plays the disk where mounting is allowed; a limit
 * on the size of files plays it elsewhere.
 */
#include "server/ballast.h"

#include "common/err.h"
#include "common/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char file[128];
static bool mounted;

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-test-ballast-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/" BALLAST_FILE, folder);
	log_set_file(NULL);
	mounted = false;
}

static void teardown(void)
{
	if (mounted)
		(void)umount2(folder, MNT_DETACH);
	(void)unlink(file);
	(void)rmdir(folder);
}

static struct ballast *opened(void)
{
	struct ballast *b = NULL;

	ck_assert_int_eq(ballast_open(folder, &b), 0);
	ck_assert_ptr_nonnull(b);
	return b;
}

static int64_t allocated(void)
{
	struct stat st;

	return stat(file, &st) == 0 ? (int64_t)st.st_blocks * 512 : -1;
}

static void write_file(const char *name, size_t size)
{
	char *bytes = calloc(1, size);
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
	free(bytes);
}

START_TEST(it_is_really_there)
{
	struct stat st;
	struct ballast *b = opened();

	ck_assert(ballast_held(b));
	ck_assert_int_ge(allocated(), BALLAST_SIZE);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, BALLAST_SIZE);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ballast_close(b);
	ck_assert_int_ge(allocated(), BALLAST_SIZE); /* for the next start */
}
END_TEST

START_TEST(goes_and_comes_back)
{
	struct ballast *b = opened();

	for (int i = 0; i < 3; i++) {
		ballast_release(b);
		ck_assert(!ballast_held(b));
		ck_assert_int_eq(allocated(), -1);
		ballast_release(b);
		ck_assert_int_eq(ballast_take(b), 0);
		ck_assert(ballast_held(b));
		ck_assert_int_ge(allocated(), BALLAST_SIZE);
		ck_assert_int_lt(allocated(), BALLAST_SIZE + BALLAST_SPARE);
		ck_assert_int_eq(ballast_take(b), 0);
	}
	ballast_close(b);
}
END_TEST

/* A file that is no ballast yet: empty, half, all holes. */
static const struct {
	size_t written;
	int64_t length;
} leftovers[] = {
	{0, 0},
	{BALLAST_SIZE / 2, BALLAST_SIZE / 2},
	{0, BALLAST_SIZE},
	{BALLAST_SIZE / 2, BALLAST_SIZE},
	{BALLAST_SIZE, BALLAST_SIZE},
};

START_TEST(what_is_there_is_completed)
{
	write_file(file, leftovers[_i].written);
	ck_assert_int_eq(truncate(file, leftovers[_i].length), 0);
	struct ballast *b = opened();
	ck_assert(ballast_held(b));
	ck_assert_int_ge(allocated(), BALLAST_SIZE);
	ballast_close(b);
}
END_TEST

START_TEST(no_folder_is_a_warning)
{
	ck_assert_int_eq(rmdir(folder), 0);
	struct ballast *b = opened();
	ck_assert(!ballast_held(b));
	ballast_release(b);
	ck_assert_int_eq(ballast_take(b), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ballast_close(b);
	ballast_close(NULL);
}
END_TEST

/* What has the name but is no file of ours: a folder, a link to somewhere. */
START_TEST(another_thing_of_that_name)
{
	if (_i == 0)
		ck_assert_int_eq(mkdir(file, 0700), 0);
	else
		ck_assert_int_eq(symlink("/nowhere/at/all", file), 0);
	struct ballast *b = opened();
	ck_assert(!ballast_held(b));
	ck_assert_int_eq(ballast_take(b), ERR_SYSTEM);
	ballast_close(b);
	(void)rmdir(file);
}
END_TEST

/* Another disk in place of the folder; false where that is not allowed. */
static bool other_disk(const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	mounted = mount(type, folder, type, 0, options) == 0;
	return mounted;
}

START_TEST(a_full_disk)
{
	char other[128];

	if (!other_disk("tmpfs", "size=12M"))
		return;
	snprintf(other, sizeof(other), "%s/other", folder);
	write_file(other, 5 << 20);
	struct ballast *b = opened();
	ck_assert(!ballast_held(b));
	ck_assert_int_eq(allocated(), -1); /* nothing is left of it */
	ck_assert_int_eq(ballast_take(b), ERR_FULL);

	/* Room for the ballast alone is not enough; with the spare it is. */
	ck_assert_int_eq(truncate(other, 7 << 19), 0);
	ck_assert_int_eq(ballast_take(b), ERR_FULL);
	ck_assert_int_eq(allocated(), -1);
	ck_assert_int_eq(truncate(other, 3 << 20), 0);
	ck_assert_int_eq(ballast_take(b), 0);
	ballast_release(b);

	/* At a start the ballast alone will do. */
	ck_assert_int_eq(truncate(other, 7 << 19), 0);
	ballast_close(b);
	b = opened();
	ck_assert(ballast_held(b));
	ballast_close(b);
	ck_assert_int_eq(unlink(other), 0);
}
END_TEST

/* Where nothing can be allocated ahead, it is written. */
START_TEST(a_disk_without_allocation)
{
	struct stat st;

	if (!other_disk("ramfs", NULL))
		return;
	struct ballast *b = opened();
	ck_assert(ballast_held(b));
	ballast_release(b);
	ck_assert_int_eq(ballast_take(b), 0);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, BALLAST_SIZE);
	ballast_close(b);
}
END_TEST

/* EFBIG is no full disk. */
START_TEST(a_bound_on_files)
{
	struct rlimit l = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
	struct ballast *b = opened();
	ck_assert(!ballast_held(b));
	ck_assert_int_eq(ballast_take(b), ERR_SYSTEM);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(allocated(), -1);
	ballast_close(b);
}
END_TEST

Suite *ballast_suite(void)
{
	Suite *s = suite_create("ballast");
	TCase *c = tcase_create("ballast");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, it_is_really_there);
	tcase_add_test(c, goes_and_comes_back);
	tcase_add_loop_test(
		c, what_is_there_is_completed, 0, sizeof(leftovers) / sizeof(leftovers[0]));
	tcase_add_test(c, no_folder_is_a_warning);
	tcase_add_loop_test(c, another_thing_of_that_name, 0, 2);
	tcase_add_test(c, a_full_disk);
	tcase_add_test(c, a_disk_without_allocation);
	tcase_add_test(c, a_bound_on_files);
	suite_add_tcase(s, c);
	return s;
}
