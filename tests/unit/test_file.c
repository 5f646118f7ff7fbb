/*
 * A motd or config that was a pipe made the server wait for ever, deaf to signals.
 */
#include "common/file.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *file_suite(void);

static char folder[32], path[64];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/f", folder);
}

static void tear_down(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

START_TEST(a_file_is_opened)
{
	char text[8];
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("hi\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	f = file_open(path);
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	ck_assert_str_eq(text, "hi\n");
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

START_TEST(a_pipe_is_not)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(file_open(path));
	ck_assert_int_eq(errno, ENOTSUP);
}
END_TEST

START_TEST(nor_is_anything_else)
{
	ck_assert_ptr_null(file_open(folder));
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_ptr_null(file_open("/dev/zero"));
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_ptr_null(file_open(path));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *file_suite(void)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_file_is_opened);
	tcase_add_test(t, a_pipe_is_not);
	tcase_add_test(t, nor_is_anything_else);
	suite_add_tcase(s, t);
	return s;
}
