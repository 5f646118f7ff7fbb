/*
 * The data folder: found by the environment, made, and held by one at a time.
 */
#include "server/data_folder.h"

#include "common/err.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS 512

static char base[64];

static void setup(void)
{
	char made[] = "/tmp/lanchat-test-data-XXXXXX", path[PATH_MAX];

	ck_assert_ptr_nonnull(mkdtemp(made));
	ck_assert_ptr_nonnull(realpath(made, path));
	snprintf(base, sizeof(base), "%.60s", path);
	ck_assert_int_eq(unsetenv("STATE_DIRECTORY"), 0);
	ck_assert_int_eq(unsetenv("XDG_DATA_HOME"), 0);
	ck_assert_int_eq(unsetenv("HOME"), 0);
}

/* Remove a folder below `base`, with its lock, and those above it. */
static void discard(const char *below)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/lock", base, below);
	(void)unlink(path);
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (strlen(path) < strlen(base))
			break;
		(void)rmdir(path);
	}
}

/* ---- which folder ---- */

static const struct {
	const char *wanted, *state, *xdg, *home, *found; /* below `base`; NULL: not given */
} places[] = {
	{"/a", "/b", "/c", "/d", "/a"},
	{NULL, "/b", "/c", "/d", "/b"},
	{NULL, NULL, "/c", "/d", "/c/lanchatd"},
	{NULL, NULL, NULL, "/d", "/d/.local/share/lanchatd"},
	{"/a/b/c/d", NULL, NULL, NULL, "/a/b/c/d"},
};

static void give(const char *variable, const char *below)
{
	char value[128];

	snprintf(value, sizeof(value), "%s%s", base, below ? below : "");
	if (below)
		ck_assert_int_eq(setenv(variable, value, 1), 0);
}

START_TEST(which_folder)
{
	char wanted[128], expected[128], error[ERRORS] = "";
	struct data_folder f;
	struct stat st;

	give("STATE_DIRECTORY", places[_i].state);
	give("XDG_DATA_HOME", places[_i].xdg);
	give("HOME", places[_i].home);
	snprintf(wanted, sizeof(wanted), "%s%s", base, places[_i].wanted ? places[_i].wanted : "");
	snprintf(expected, sizeof(expected), "%s%s", base, places[_i].found);
	int r = data_folder_open(places[_i].wanted ? wanted : NULL, &f, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
	ck_assert_str_eq(f.path, expected);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	data_folder_close(&f);
	ck_assert_int_eq(data_folder_look(expected, &f, error, sizeof(error)), 0);
	ck_assert_str_eq(f.path, expected);
	ck_assert_int_eq(f.lock, -1);
	data_folder_close(&f);
	discard(places[_i].found);
}
END_TEST

/* systemd may name several, separated by colons: the first is ours. */
START_TEST(the_first_of_several)
{
	char value[160], error[ERRORS];
	struct data_folder f;

	snprintf(value, sizeof(value), "%s/one:%s/two", base, base);
	ck_assert_int_eq(setenv("STATE_DIRECTORY", value, 1), 0);
	ck_assert_int_eq(data_folder_open(NULL, &f, error, sizeof(error)), 0);
	ck_assert_str_eq(strrchr(f.path, '/'), "/one");
	data_folder_close(&f);
	discard("/one");
}
END_TEST

START_TEST(none_to_find)
{
	struct data_folder f = {.lock = 99};
	char error[ERRORS] = "";

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(data_folder_open(NULL, &f, error, sizeof(error)), ERR_ARGUMENT);
		ck_assert_ptr_nonnull(strstr(error, "--data"));
		ck_assert_int_eq(f.lock, 99);
		/* An empty variable is none. */
		ck_assert_int_eq(setenv("STATE_DIRECTORY", "", 1), 0);
		ck_assert_int_eq(setenv("XDG_DATA_HOME", "", 1), 0);
		ck_assert_int_eq(setenv("HOME", "", 1), 0);
	}
	discard("");
}
END_TEST

START_TEST(one_that_cannot_be)
{
	struct data_folder f = {.lock = 99};
	char path[128], error[ERRORS] = "";

	snprintf(path, sizeof(path), "%s/none", base);
	ck_assert_int_eq(data_folder_look(path, &f, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, path));
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	error[0] = '\0';
	ck_assert_int_eq(data_folder_open(path, &f, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, path));
	ck_assert_int_eq(f.lock, 99);
	ck_assert_int_eq(unlink(path), 0);
	discard("");
}
END_TEST

/* What others may do with a folder that was there, and what becomes of it. */
static const struct {
	mode_t before;
	int result;
	mode_t after;
} modes[] = {
	{0700, 0, 0700},
	{0755, 0, 0700},
	{0711, 0, 0700},
	{0750, 0, 0700},
	{0775, ERR_REFUSED, 0775},
	{0777, ERR_REFUSED, 0777},
	{01777, ERR_REFUSED, 01777},
	{0702, ERR_REFUSED, 0702},
};

START_TEST(open_to_others)
{
	char error[ERRORS] = "";
	struct data_folder f;
	struct stat st;

	ck_assert_int_eq(chmod(base, modes[_i].before), 0);
	int r = data_folder_open(base, &f, error, sizeof(error));
	ck_assert_int_eq(r, modes[_i].result);
	ck_assert_int_eq(stat(base, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, modes[_i].after);
	if (r == 0)
		data_folder_close(&f);
	else
		ck_assert_ptr_nonnull(strstr(error, "chmod go-w"));
	discard("");
}
END_TEST

START_TEST(links_are_resolved)
{
	char link[128], expected[128], error[ERRORS];
	struct data_folder f;

	snprintf(link, sizeof(link), "%s/link", base);
	snprintf(expected, sizeof(expected), "%s/there", base);
	ck_assert_int_eq(mkdir(expected, 0700), 0);
	ck_assert_int_eq(symlink("there", link), 0);
	ck_assert_int_eq(data_folder_open(link, &f, error, sizeof(error)), 0);
	ck_assert_str_eq(f.path, expected);
	char *file = data_folder_file(&f, "log.db");
	ck_assert_int_eq(strncmp(file, expected, strlen(expected)), 0);
	ck_assert_str_eq(strrchr(file, '/'), "/log.db");
	free(file);
	data_folder_close(&f);
	ck_assert_int_eq(unlink(link), 0);
	discard("/there");
}
END_TEST

/* ---- the lock ---- */

START_TEST(one_server_at_a_time)
{
	struct data_folder first, second = {.lock = 99};
	char error[ERRORS], pid[32];

	ck_assert_int_eq(data_folder_open(base, &first, error, sizeof(error)), 0);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), ERR_EXISTS);
	ck_assert_int_eq(second.lock, 99);
	snprintf(pid, sizeof(pid), "process %ld)", (long)getpid());
	ck_assert_msg(strstr(error, pid) != NULL, "%s", error);
	ck_assert_msg(strstr(error, base) != NULL, "%s", error);
	ck_assert_ptr_null(strchr(error, '\n'));

	/* Looking needs no lock. */
	ck_assert_int_eq(data_folder_look(base, &second, error, sizeof(error)), 0);
	data_folder_close(&second);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), ERR_EXISTS);
	data_folder_close(&first);
	data_folder_close(&first);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), 0);
	data_folder_close(&second);
	discard("");
}
END_TEST

/* Nobody can take the lock by removing its file. */
START_TEST(the_file_is_removed)
{
	struct data_folder first, second;
	char error[ERRORS];

	ck_assert_int_eq(data_folder_open(base, &first, error, sizeof(error)), 0);
	char *file = data_folder_file(&first, "lock");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), ERR_EXISTS);
	ck_assert_msg(strstr(error, base) != NULL, "%s", error);
	data_folder_close(&first);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), 0);
	data_folder_close(&second);
	free(file);
	discard("");
}
END_TEST

/* What the file says about the holder: nothing, or no number. */
static const char *const signatures[] = {"", "x\n", "-1\n", "0", "99999999999999999999999999"};

START_TEST(a_holder_that_did_not_sign)
{
	struct data_folder first, second;
	char error[ERRORS];

	ck_assert_int_eq(data_folder_open(base, &first, error, sizeof(error)), 0);
	size_t length = strlen(signatures[_i]);
	ck_assert_int_eq(ftruncate(first.lock, 0), 0);
	ck_assert_int_eq(pwrite(first.lock, signatures[_i], length, 0), (ssize_t)length);
	ck_assert_int_eq(data_folder_open(base, &second, error, sizeof(error)), ERR_EXISTS);
	ck_assert_msg(strstr(error, base) != NULL, "%s", error);
	ck_assert_int_eq(strstr(error, "process") != NULL, length > 20);
	data_folder_close(&first);
	discard("");
}
END_TEST

/* The lock ends with the process, and with nothing that it started. */
START_TEST(killed)
{
	int ready[2];
	struct data_folder f;
	char error[ERRORS], byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (data_folder_open(base, &f, error, sizeof(error)) == 0)
			(void)!write(ready[1], "x", 1);
		(void)pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(data_folder_open(base, &f, error, sizeof(error)), ERR_EXISTS);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(data_folder_open(base, &f, error, sizeof(error)), 0);
	ck_assert_int_ne(fcntl(f.lock, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(f.itself, F_GETFD) & FD_CLOEXEC, 0);
	data_folder_close(&f);
	(void)close(ready[0]);
	(void)close(ready[1]);
	discard("");
}
END_TEST

Suite *data_folder_suite(void)
{
	Suite *s = suite_create("data_folder");
	TCase *c = tcase_create("which"), *l = tcase_create("lock");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_loop_test(c, which_folder, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_test(c, the_first_of_several);
	tcase_add_test(c, none_to_find);
	tcase_add_test(c, one_that_cannot_be);
	tcase_add_test(c, links_are_resolved);
	tcase_add_loop_test(c, open_to_others, 0, sizeof(modes) / sizeof(modes[0]));
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(l, setup, NULL);
	tcase_add_test(l, one_server_at_a_time);
	tcase_add_loop_test(
		l, a_holder_that_did_not_sign, 0, sizeof(signatures) / sizeof(signatures[0]));
	tcase_add_test(l, the_file_is_removed);
	tcase_add_test(l, killed);
	suite_add_tcase(s, l);
	return s;
}
