/*
 * The list of system calls: what an intruder would do first ends the process, what is merely not
 * needed fails, and what the server does works, in threads as well.
 */
#include "server/syscalls.h"

#include "server/instrumented.h"
#include "server/thread.h"
#include "tests/unit/confined.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- each is 0, or errno ---- */

static int answer(long result)
{
	return result >= 0 ? 0 : errno;
}

static int try_execute(void)
{
	return answer(execl("/bin/true", "true", NULL));
}

static int try_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return answer(child);
}

static int try_raw_clone(void)
{
	long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return answer(child);
}

static int try_clone3(void)
{
	return answer(syscall(SYS_clone3, NULL, (size_t)0));
}

static int try_ptrace(void)
{
	return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_mount(void)
{
	return answer(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int try_unshare(void)
{
	return answer(unshare(CLONE_NEWUSER));
}

static int try_bpf(void)
{
	return answer(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_socket(int family, int type)
{
	int fd = socket(family, type, 0);

	return fd < 0 ? errno : close(fd);
}

static int try_packet(void)
{
	return try_socket(AF_PACKET, SOCK_RAW);
}

static int try_vsock(void)
{
	return try_socket(AF_VSOCK, SOCK_STREAM);
}

static int try_families(void)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		int error =
			try_socket(families[i], families[i] == AF_NETLINK ? SOCK_RAW : SOCK_STREAM);
		if (error && error != EAFNOSUPPORT)
			return error;
	}
	return 0;
}

static int try_keyring(void)
{
	return answer(syscall(SYS_add_key, "user", "x", "x", (size_t)1, -1));
}

static int try_io_uring(void)
{
	return answer(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_become_root(void)
{
	return answer(setuid(0));
}

static int try_limit(void)
{
	const struct rlimit l = {.rlim_cur = 16, .rlim_max = 16};

	return answer(setrlimit(RLIMIT_NOFILE, &l));
}

static int try_read_limit(void)
{
	struct rlimit l;

	return answer(getrlimit(RLIMIT_NOFILE, &l));
}

static int try_kill_other(void)
{
	return answer(kill(getppid(), 0));
}

static int try_kill_self(void)
{
	return answer(kill(getpid(), 0));
}

static int try_abort(void)
{
	abort();
}

static int try_map(int protection)
{
	void *p = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : munmap(p, 4096);
}

static int try_executable(void)
{
	return try_map(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int try_plain_map(void)
{
	return try_map(PROT_READ | PROT_WRITE);
}

static int try_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return answer(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_dumpable(void)
{
	return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_interface(void)
{
	char name[IF_NAMESIZE];

	return if_indextoname(1, name) || errno == ENXIO ? 0 : errno;
}

static void *allocate(void *argument)
{
	/* So much that it comes and goes by mmap, and so little that it comes from an arena. */
	for (size_t size = 64; size < (size_t)1 << 22; size *= 2)
		free(calloc(1, size));
	return argument;
}

static int try_threads(void)
{
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++) {
		if (thread_start(&threads[i], "test", thread_stack(), allocate, NULL) != 0)
			return errno;
	}
	for (size_t i = 0; i < 8; i++) {
		if (pthread_join(threads[i], NULL) != 0)
			return EINVAL;
	}
	return 0;
}

/* All that SQLite does with a database in write-ahead mode. */
static int try_database(void)
{
	char folder[] = "/tmp/lanchat-test-syscalls-XXXXXX", path[64];
	sqlite3 *db = NULL;

	if (!mkdtemp(folder))
		return errno;
	snprintf(path, sizeof(path), "%s/db", folder);
	int r = sqlite3_open(path, &db);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db,
			"PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES "
			"(randomblob(100000)); PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA "
			"journal_mode = DELETE; DELETE FROM t;",
			NULL, NULL, NULL);
	if (sqlite3_close(db) != SQLITE_OK || r != SQLITE_OK)
		return EIO;
	return answer(unlink(path)) + answer(rmdir(folder));
}

/* A socket for administration in a folder, as a server may have. */
static int try_unix_socket(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), other;

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/lanchat-test-%ld", (long)getpid());
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 ||
		chmod(a.sun_path, 0600) != 0 || listen(fd, 1) != 0)
		return errno;
	other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(other, (const struct sockaddr *)&a, sizeof(a)) != 0 ||
		accept(fd, NULL, NULL) < 0)
		return errno;
	return answer(unlink(a.sun_path));
}

/* What each answers; minus a signal: it is the end. */
static const struct {
	const char *name;
	int (*action)(void);
	int expected;
} attempts[] = {
	{"execute", try_execute, -SIGSYS},
	{"fork", try_fork, -SIGSYS},
	{"clone", try_raw_clone, -SIGSYS},
	{"ptrace", try_ptrace, -SIGSYS},
	{"mount", try_mount, -SIGSYS},
	{"unshare", try_unshare, -SIGSYS},
	{"bpf", try_bpf, -SIGSYS},
	{"clone3", try_clone3, ENOSYS},
	{"packet socket", try_packet, ENOSYS},
	{"vsock", try_vsock, ENOSYS},
	{"keyring", try_keyring, ENOSYS},
	{"io_uring", try_io_uring, ENOSYS},
	{"setuid", try_become_root, ENOSYS},
	{"setrlimit", try_limit, ENOSYS},
	{"signal to another process", try_kill_other, ENOSYS},
	{"memory to write and execute", try_executable, ENOSYS},
	{"written memory to execute", try_make_executable, ENOSYS},
	{"dumpable", try_dumpable, ENOSYS},
	{"abort", try_abort, -SIGABRT},
	{"signal to itself", try_kill_self, 0},
	{"getrlimit", try_read_limit, 0},
	{"memory", try_plain_map, 0},
	{"sockets", try_families, 0},
	{"interface name", try_interface, 0},
	{"threads", try_threads, 0},
	{"database", try_database, 0},
	{"unix socket", try_unix_socket, 0},
};

static int attempt(void *context)
{
	/* Whoever builds core files should not get one for each test. */
	const struct rlimit none = {.rlim_cur = 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (syscalls_restrict() != 0)
		return errno == ENOSYS || errno == EINVAL ? CONFINED_SKIP : 255;
	return attempts[*(const size_t *)context].action();
}

START_TEST(calls)
{
	size_t i = (size_t)_i;
	int found = confined_run(attempt, &i);

	if (found != CONFINED_SKIP)
		ck_assert_msg(found == attempts[i].expected, "%s: %d, not %d", attempts[i].name,
			found, attempts[i].expected);
}
END_TEST

static void *execute(void *argument)
{
	(void)try_execute();
	return argument;
}

/* A thread that ran before is confined as well. */
static void *execute_later(void *argument)
{
	char byte;

	(void)!read(*(const int *)argument, &byte, 1);
	return execute(NULL);
}

static int earlier_thread(void *context)
{
	int pipes[2];
	pthread_t thread;

	(void)context;
	if (pipe(pipes) != 0 ||
		thread_start(&thread, "test", thread_stack(), execute_later, &pipes[0]) != 0)
		return 1;
	if (syscalls_restrict() != 0)
		return errno == ENOSYS || errno == EINVAL ? CONFINED_SKIP : 2;
	(void)!write(pipes[1], "x", 1);
	(void)pthread_join(thread, NULL);
	return 3;
}

START_TEST(all_threads)
{
	int found = confined_run(earlier_thread, NULL);

	ck_assert_msg(found == -SIGSYS || found == CONFINED_SKIP, "%d", found);
}
END_TEST

Suite *syscalls_suite(void)
{
	Suite *s = suite_create("syscalls");
	TCase *c = tcase_create("calls");

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		printf("syscalls: SKIP, the kernel has no seccomp\n");
	if (INSTRUMENTED)
		printf("syscalls: SKIP, sanitizers and coverage need more than is on the list\n");
	else {
		tcase_add_loop_test(c, calls, 0, sizeof(attempts) / sizeof(attempts[0]));
		tcase_add_test(c, all_threads);
	}
	suite_add_tcase(s, c);
	return s;
}
