/*
 * The sandbox as a whole: its modes, what is left of it where the kernel lacks a part, and how it is
 * told.
 */
#include "server/sandbox.h"

#include "common/err.h"
#include "server/instrumented.h"
#include "server/landlock.h"
#include "tests/unit/confined.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ERRORS 256
#define PATH   200

static char base[64];

static void path_to(char out[PATH], const char *name)
{
	snprintf(out, PATH, "%s/%s", base, name);
}

static void make_file(const char *name)
{
	char path[PATH];

	path_to(path, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *const folders[] = {"data", "config", "behind", "ports", "other"};
static const char *const files[] = {"config/config", "behind/motd", "other/file", "ports/port",
	"config/motd", "data/new", "config/new"};

static void setup(void)
{
	char made[] = "/tmp/lanchat-test-sandbox-XXXXXX", path[PATH];

	ck_assert_ptr_nonnull(mkdtemp(made));
	snprintf(base, sizeof(base), "%s", made);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path_to(path, folders[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < 4; i++)
		make_file(files[i]);
	path_to(path, "config/motd");
	ck_assert_int_eq(symlink("../behind/motd", path), 0);
}

static void teardown(void)
{
	char path[PATH];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_to(path, files[i]);
		(void)unlink(path);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path_to(path, folders[i]);
		ck_assert_int_eq(rmdir(path), 0);
	}
	ck_assert_int_eq(rmdir(base), 0);
}

/* What a child that enters is told to do, and finds. */
struct plan {
	enum sandbox_mode mode;
	bool no_landlock, no_seccomp; /* as on an old kernel */
};

/* Kernels without one of them: that is what a filter can pretend. */
static int pretend(const struct plan *plan)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!plan->no_landlock && !plan->no_seccomp) {
		seccomp_release(filter);
		return 0;
	}
	if (plan->no_landlock)
		(void)seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	if (plan->no_seccomp) {
		const struct scmp_arg_cmp is_seccomp = {
			.arg = 0, .op = SCMP_CMP_EQ, .datum_a = PR_SET_SECCOMP, .datum_b = 0};
		(void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 0);
		(void)seccomp_rule_add_array(
			filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, &is_seccomp);
	}
	int r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

static int enter(const struct plan *plan, struct sandbox *s, char error[ERRORS])
{
	char data[PATH], config[PATH], motd[PATH], port[PATH];

	path_to(data, "data");
	path_to(config, "config/config");
	path_to(motd, "config/motd");
	path_to(port, "ports/port");
	const struct sandbox_config c = {
		.mode = plan->mode, .data = data, .port_file = port, .files = {config, NULL, motd}};
	return sandbox_enter(&c, s, error, ERRORS);
}

static int try_open(const char *name, int flags)
{
	char path[PATH];

	path_to(path, name);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0 ? close(fd) : errno;
}

/* Which of both parts are on: 1, 2; and 4: something that they promise does not hold. */
static int enter_and_look(void *context)
{
	const struct plan *plan = context;
	struct sandbox s;
	char error[ERRORS] = "", port[PATH];

	if (pretend(plan) != 0)
		return CONFINED_SKIP;
	if (enter(plan, &s, error) != 0)
		return 100;
	int found = (s.landlock_abi > 0 ? 1 : 0) + (s.syscalls ? 2 : 0);
	if (s.landlock_abi > 0) {
		path_to(port, "ports/port");
		if (try_open("other/file", O_RDONLY) != EACCES ||
			try_open("config/new", O_WRONLY | O_CREAT) != EACCES ||
			try_open("config/config", O_RDONLY) != 0 ||
			try_open("config/motd", O_RDONLY) != 0 ||
			try_open("behind/motd", O_RDONLY) != 0 ||
			try_open("ports/port", O_RDONLY) != EACCES || unlink(port) != 0 ||
			try_open("data/new", O_RDWR | O_CREAT) != 0)
			found |= 4;
	}
	if (s.syscalls && (setuid(getuid()) == 0 || errno != ENOSYS))
		found |= 4;
	if (s.entered && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		found |= 4;
	return found;
}

static int both(void)
{
	return INSTRUMENTED ? 0 : (landlock_abi() > 0 ? 1 : 0) + 2;
}

/* Is there seccomp at all? Otherwise there is nothing to pretend by. */
static bool has_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

START_TEST(automatic)
{
	struct plan plan = {.mode = SANDBOX_AUTO};

	if (!has_seccomp())
		return;
	ck_assert_int_eq(confined_run(enter_and_look, &plan), both());
}
END_TEST

START_TEST(off)
{
	struct plan plan = {.mode = SANDBOX_OFF};

	ck_assert_int_eq(confined_run(enter_and_look, &plan), 0);
}
END_TEST

START_TEST(an_old_kernel)
{
	struct plan plan = {.mode = SANDBOX_AUTO, .no_landlock = _i & 1, .no_seccomp = _i & 2};
	int left = (_i & 1 ? 0 : 1) + (_i & 2 ? 0 : 2);

	if (!has_seccomp())
		return;
	int found = confined_run(enter_and_look, &plan);
	ck_assert_msg(found == CONFINED_SKIP || found == (both() & left), "%d", found);
}
END_TEST

static int require(void *context)
{
	const struct plan *plan = context;
	struct sandbox s;
	char error[ERRORS] = "";

	if (pretend(plan) != 0)
		return CONFINED_SKIP;
	if (enter(plan, &s, error) == 0)
		return 0;
	if (strchr(error, '\n') || !strstr(error, "--sandbox require"))
		return 100;
	if (INSTRUMENTED)
		return strstr(error, "instrumented") ? 4 : 101;
	return strstr(error, "Landlock") ? 1 : strstr(error, "seccomp") ? 2 : 102;
}

START_TEST(required)
{
	struct plan plan = {.mode = SANDBOX_REQUIRE, .no_landlock = _i & 1, .no_seccomp = _i & 2};
	int lacks = INSTRUMENTED ? 4 : _i & 1 || landlock_abi() == 0 ? 1 : _i & 2;

	if (!has_seccomp())
		return;
	int found = confined_run(require, &plan);
	ck_assert_msg(found == CONFINED_SKIP || found == lacks, "%d, not %d", found, lacks);
}
END_TEST

static const struct {
	struct sandbox s;
	const char *begins;
} lines[] = {
	{{.entered = false}, "sandbox: off; "},
	{{.entered = true, .landlock_abi = 3, .syscalls = true},
		"sandbox: landlock (abi 3), seccomp, no new privileges; "},
	{{.entered = true, .syscalls = true, .landlock_error = EOPNOTSUPP},
		"sandbox: no landlock (Operation not supported), seccomp, no new privileges; "},
	{{.entered = true, .landlock_abi = 1, .syscalls_error = EINVAL},
		"sandbox: landlock (abi 1), no seccomp (Invalid argument), no new privileges; "},
	{{.entered = true, .instrumented = true}, "sandbox: no landlock, no seccomp (this build is "
						  "instrumented), no new privileges; "},
};

START_TEST(described)
{
	char text[256];

	sandbox_describe(&lines[_i].s, text, sizeof(text));
	ck_assert_msg(strncmp(text, lines[_i].begins, strlen(lines[_i].begins)) == 0, "%s", text);
	ck_assert_str_eq(text + strlen(lines[_i].begins),
		geteuid() == 0 ? "root: choose another user with --user" : "not root");
}
END_TEST

Suite *sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *c = tcase_create("sandbox");

	if (!has_seccomp())
		printf("sandbox: SKIP of most, the kernel has no seccomp\n");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, automatic);
	tcase_add_test(c, off);
	tcase_add_loop_test(c, an_old_kernel, 1, 4);
	tcase_add_loop_test(c, required, 0, 4);
	tcase_add_loop_test(c, described, 0, sizeof(lines) / sizeof(lines[0]));
	suite_add_tcase(s, c);
	return s;
}
