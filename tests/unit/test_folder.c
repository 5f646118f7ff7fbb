/*
 * Folders: made with those above them, for their owner alone.
 */
#include "common/folder.h"

#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *path, *folder;
} paths[] = {
	{"a", "."},
	{"a/b", "a"},
	{"/a", "/"},
	{"/a/b/c", "/a/b"},
	{"./a", "."},
	{"", "."},
};

START_TEST(the_folder_of_a_path)
{
	char *folder = folder_of(paths[_i].path);

	ck_assert_str_eq(folder, paths[_i].folder);
	free(folder);
}
END_TEST

START_TEST(made_with_those_above)
{
	char root[] = "/tmp/lanchat-test-folder-XXXXXX", path[64];
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/a/b/c", root);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(folder_make(path), 0);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert(S_ISDIR(st.st_mode));
		ck_assert_int_eq(st.st_mode & 0777, 0700);
		ck_assert_int_eq(folder_sync(path), 0);
	}
	static const char *const below[] = {"/a/b/c", "/a/b", "/a", ""};
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, below[i]);
		ck_assert_int_eq(rmdir(path), 0);
	}
}
END_TEST

START_TEST(that_cannot_be)
{
	char file[] = "/tmp/lanchat-test-folder-XXXXXX", path[64];
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	snprintf(path, sizeof(path), "%s/a", file);
	ck_assert_int_eq(folder_make(path), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(folder_sync(path), ERR_SYSTEM);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(folder_sync(file), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);

	/* A link that leads nowhere must not make it go round in circles. */
	ck_assert_int_eq(symlink("/nowhere/at/all", file), 0);
	ck_assert_int_eq(folder_make(path), ERR_SYSTEM);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

Suite *folder_suite(void)
{
	Suite *s = suite_create("folder");
	TCase *c = tcase_create("folder");

	tcase_add_loop_test(c, the_folder_of_a_path, 0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(c, made_with_those_above);
	tcase_add_test(c, that_cannot_be);
	suite_add_tcase(s, c);
	return s;
}
