/*
 * Landlock: what was named can be used as it was named, and all else is out of reach.
 */
#include "server/landlock.h"

#include "common/err.h"
#include "tests/unit/confined.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH 200

static char base[64], own[PATH], names[PATH], readable[PATH], elsewhere[PATH];

static void make(char *path, const char *name)
{
	char file[PATH + 8];

	snprintf(path, PATH, "%s/%s", base, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/file", path);
	int fd = open(file, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(close(fd), 0);
}

static void setup(void)
{
	char made[] = "/tmp/lanchat-test-landlock-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(made));
	snprintf(base, sizeof(base), "%s", made);
	make(own, "own");
	make(names, "names");
	make(readable, "readable");
	make(elsewhere, "elsewhere");
}

static void remove_all(const char *folder)
{
	static const char *const left[] = {"file", "new", "other", "socket"};
	char path[PATH + 8];

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, left[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static void teardown(void)
{
	remove_all(own);
	remove_all(names);
	remove_all(readable);
	remove_all(elsewhere);
	ck_assert_int_eq(rmdir(base), 0);
}

/* ---- things to try in a folder: 0, or errno ---- */

static int try_open(const char *folder, const char *name, int flags)
{
	char path[PATH + 8];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0 ? close(fd) : errno;
}

static int try_read(const char *folder)
{
	return try_open(folder, "file", O_RDONLY);
}

static int try_write(const char *folder)
{
	return try_open(folder, "file", O_WRONLY);
}

static int try_make(const char *folder)
{
	return try_open(folder, "new", O_WRONLY | O_CREAT);
}

static int try_list(const char *folder)
{
	return try_open(folder, "", O_RDONLY | O_DIRECTORY);
}

static int try_rename(const char *folder)
{
	char from[PATH + 8], to[PATH + 8];

	snprintf(from, sizeof(from), "%s/file", folder);
	snprintf(to, sizeof(to), "%s/other", folder);
	return rename(from, to) == 0 && rename(to, from) == 0 ? 0 : errno;
}

static int try_remove(const char *folder)
{
	char path[PATH + 8];

	snprintf(path, sizeof(path), "%s/file", folder);
	return unlink(path) == 0 ? 0 : errno;
}

static int try_socket(const char *folder)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/socket", folder);
	int error = bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 ? 0 : errno;
	(void)close(fd);
	return error;
}

static int try_folder(const char *folder)
{
	char path[PATH + 8];

	snprintf(path, sizeof(path), "%s/below", folder);
	return mkdir(path, 0700) == 0 ? rmdir(path) : errno;
}

static int try_execute(const char *folder)
{
	(void)folder;
	(void)execl("/bin/true", "true", NULL);
	return errno;
}

static const struct {
	const char *name, *folder;
	int (*action)(const char *folder);
	bool allowed;
} attempts[] = {
	{"read own", own, try_read, true},
	{"write own", own, try_write, true},
	{"make own", own, try_make, true},
	{"list own", own, try_list, true},
	{"rename own", own, try_rename, true},
	{"remove own", own, try_remove, true},
	{"socket own", own, try_socket, true},
	{"folder own", own, try_folder, false},
	{"read names", names, try_read, false},
	{"write names", names, try_write, false},
	{"list names", names, try_list, false},
	{"rename names", names, try_rename, true},
	{"remove names", names, try_remove, true},
	{"socket names", names, try_socket, false},
	{"read readable", readable, try_read, true},
	{"list readable", readable, try_list, true},
	{"write readable", readable, try_write, false},
	{"make readable", readable, try_make, false},
	{"rename readable", readable, try_rename, false},
	{"remove readable", readable, try_remove, false},
	{"read elsewhere", elsewhere, try_read, false},
	{"write elsewhere", elsewhere, try_write, false},
	{"make elsewhere", elsewhere, try_make, false},
	{"list elsewhere", elsewhere, try_list, false},
	{"rename elsewhere", elsewhere, try_rename, false},
	{"remove elsewhere", elsewhere, try_remove, false},
	{"socket elsewhere", elsewhere, try_socket, false},
	{"execute", elsewhere, try_execute, false},
};

/* Newer kernels do as older ones did when they are asked that way. */
#define ABI_MAX 8

static int enter(int abi)
{
	const struct landlock_place places[] = {{own, LANDLOCK_OWN}, {names, LANDLOCK_NAMES},
		{readable, LANDLOCK_READ}, {"/dev/null", LANDLOCK_DEVICE},
		{"/nowhere/at/all", LANDLOCK_READ}};

	return landlock_enter(abi, places, sizeof(places) / sizeof(places[0]));
}

/* What is tried, and under which version. */
struct trial {
	size_t attempt;
	int abi;
};

static int attempt(void *context)
{
	const struct trial *t = context;

	if (enter(t->abi) != 0)
		return errno == EOPNOTSUPP ? CONFINED_SKIP : 1;
	return attempts[t->attempt].action(attempts[t->attempt].folder);
}

static void forget(const char *folder, const char *name)
{
	char path[PATH + 8];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
}

START_TEST(places)
{
	const size_t count = sizeof(attempts) / sizeof(attempts[0]);
	struct trial t = {.attempt = (size_t)_i % count, .abi = 1 + _i / (int)count};
	size_t i = t.attempt;

	if (t.abi > landlock_abi())
		return;
	/* It is Landlock that refuses: without it all of them work. */
	if (attempts[i].action != try_execute && attempts[i].action != try_remove) {
		int before = attempts[i].action(attempts[i].folder);
		ck_assert_msg(before == 0, "%s: %s", attempts[i].name, strerror(before));
		forget(attempts[i].folder, "socket");
		forget(attempts[i].folder, "new");
	}
	int answer = confined_run(attempt, &t);
	if (answer == CONFINED_SKIP)
		return;
	ck_assert_msg(answer == (attempts[i].allowed ? 0 : EACCES), "ABI %d, %s: %s", t.abi,
		attempts[i].name, answer < 0 ? strsignal(-answer) : strerror(answer));
}
END_TEST

START_TEST(none_at_all)
{
	ck_assert_int_eq(enter(0), ERR_SYSTEM);
	ck_assert_int_eq(errno, EOPNOTSUPP);
	/* And nothing is confined. */
	ck_assert_int_eq(try_write(elsewhere), 0);
}
END_TEST

/* ---- beyond files ---- */

static struct sockaddr_in loopback(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = port};
}

/* To the listener, whose port is at `context`; and to have another one. */
static int connect_and_bind(void *context)
{
	const struct sockaddr_in there = loopback(*(const in_port_t *)context), any = loopback(0);
	int out = socket(AF_INET, SOCK_STREAM, 0), in = socket(AF_INET, SOCK_STREAM, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	if (enter(landlock_abi()) != 0 || landlock_abi() < 4)
		return CONFINED_SKIP;
	if (connect(out, (const struct sockaddr *)&there, sizeof(there)) == 0 || errno != EACCES)
		return 1;
	if (bind(in, (const struct sockaddr *)&any, sizeof(any)) == 0 || errno != EACCES)
		return 2;
	/* The beacon's sockets are UDP's. */
	return bind(udp, (const struct sockaddr *)&any, sizeof(any)) == 0 ? 0 : 3;
}

START_TEST(no_tcp_elsewhere)
{
	struct sockaddr_in a = loopback(0);
	socklen_t length = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &length), 0);
	int answer = confined_run(connect_and_bind, &a.sin_port);
	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
	ck_assert_int_eq(close(listener), 0);
}
END_TEST

/* What is open stays open, and a device can be used. */
static int use_open(void *context)
{
	int fd = *(const int *)context;

	if (enter(landlock_abi()) != 0)
		return CONFINED_SKIP;
	if (write(fd, "y", 1) != 1)
		return 1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null >= 0 && write(null, "y", 1) == 1 ? 0 : 2;
}

START_TEST(open_files_stay)
{
	char path[PATH + 8];

	snprintf(path, sizeof(path), "%s/file", elsewhere);
	int fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	int answer = confined_run(use_open, &fd);
	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

Suite *landlock_suite(void)
{
	Suite *s = suite_create("landlock");
	TCase *c = tcase_create("places");

	if (landlock_abi() == 0)
		printf("landlock: SKIP, the kernel has none\n");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, places, 0, ABI_MAX * sizeof(attempts) / sizeof(attempts[0]));
	tcase_add_test(c, none_at_all);
	tcase_add_test(c, no_tcp_elsewhere);
	tcase_add_test(c, open_files_stay);
	suite_add_tcase(s, c);
	return s;
}
