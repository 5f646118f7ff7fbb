#include "tools/report/gnuplot.h"

#include "common/clock.h"
#include "common/err.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define ANSWER_MAX  ((off_t)64 << 20)

/* Its stdin, stdout and stderr, in that order. */
enum {
	SCRIPT,
	ANSWER,
	WORDS,
	FILES
};

static int fail(char *error, size_t size, const char *what)
{
	snprintf(error, size, "cannot run gnuplot: %s: %s", what, strerror(errno));
	return ERR_SYSTEM;
}

/* ---- its files ---- */

static void close_files(const int fds[FILES])
{
	for (int i = 0; i < FILES; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static bool write_all(int fd, const char *text, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pwrite(fd, text + done, length - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int open_files(int fds[FILES], const char *script, size_t length)
{
	for (int i = 0; i < FILES; i++) {
		fds[i] = memfd_create("lanchat-plot", MFD_CLOEXEC);
		if (fds[i] < 0)
			return ERR_SYSTEM;
	}
	return write_all(fds[SCRIPT], script, length) ? 0 : ERR_SYSTEM;
}

/* All that was written into a file, terminated; NULL with errno. */
static char *read_all(int fd)
{
	struct stat s;

	if (fstat(fd, &s) != 0)
		return NULL;
	if (s.st_size > ANSWER_MAX) {
		errno = EFBIG;
		return NULL;
	}
	size_t length = (size_t)s.st_size, done = 0;
	char *text = malloc(length + 1);
	if (!text)
		return NULL;
	while (done < length) {
		ssize_t n = pread(fd, text + done, length - done, (off_t)done);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	text[done] = '\0';
	return text;
}

/* ---- the process ---- */

/* Signals as usual, whatever this program does with its own. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, const int *fds)
{
	sigset_t none, every;
	int err = 0;

	sigemptyset(&none);
	sigfillset(&every);
	for (int i = 0; i < FILES && !err; i++)
		err = posix_spawn_file_actions_adddup2(files, fds[i], i);
	if (!err)
		err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &every);
	if (!err)
		err = posix_spawnattr_setflags(
			attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return err;
}

/* 0, or what is wrong as errno has it. */
static int spawn(const int fds[FILES], pid_t *pid)
{
	/* -d: no settings of the system's or the user's; a home would be looked through for history. */
	char program[] = "gnuplot", bare[] = "-d", locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/";
	char *arguments[] = {program, bare, NULL}, *environment[] = {locale, home, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	int err = posix_spawn_file_actions_init(&files);
	if (err)
		return err;
	err = posix_spawnattr_init(&attributes);
	if (!err) {
		err = prepare(&files, &attributes, fds);
		if (!err)
			err = posix_spawnp(
				pid, program, &files, &attributes, arguments, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* Wait for its end; one that takes too long is ended. */
static int await(pid_t pid, int *status)
{
	struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int64_t until = clock_ms() + PATIENCE_MS, left = PATIENCE_MS;
	int ready = 0;

	/* Without a descriptor to wait on there is no deadline either. */
	while (end.fd >= 0 && ready <= 0 && left > 0) {
		ready = poll(&end, 1, (int)left);
		left = until - clock_ms();
	}
	bool late = end.fd >= 0 && ready <= 0;
	if (late)
		(void)kill(pid, SIGKILL);
	if (end.fd >= 0)
		(void)close(end.fd);
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return ERR_SYSTEM;
	return late ? ERR_TIMEOUT : 0;
}

/* What it said first, which is why it ended. Its messages begin with an empty line and a caret. */
static void read_reason(int fd, char *error, size_t size)
{
	char *words = read_all(fd);
	const char *line = words ? strstr(words, "line ") : NULL;

	if (!line)
		line = words ? words + strspn(words, " \n") : "";
	snprintf(error, size, "gnuplot failed: %.*s", (int)strcspn(line, "\n"), line);
	free(words);
}

static int run(const int fds[FILES], char **answer, char *error, size_t size)
{
	pid_t pid;
	int status = 0;

	errno = spawn(fds, &pid);
	if (errno == ENOENT) {
		snprintf(error, size,
			"plots need gnuplot, which is not installed: install the package "
			"gnuplot-nox");
		return ERR_NOT_FOUND;
	}
	if (errno)
		return fail(error, size, "posix_spawn");
	int r = await(pid, &status);
	if (r == ERR_SYSTEM)
		return fail(error, size, "waitpid");
	if (r) {
		snprintf(error, size, "gnuplot did not end within %d s", PATIENCE_MS / 1000);
		return r;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		read_reason(fds[WORDS], error, size);
		return ERR_REFUSED;
	}
	char *text = read_all(fds[ANSWER]);
	if (!text) {
		r = errno == EFBIG ? ERR_TOO_BIG : errno == ENOMEM ? ERR_MEMORY : ERR_SYSTEM;
		snprintf(error, size, "cannot read what gnuplot drew: %s", strerror(errno));
		return r;
	}
	*answer = text;
	return 0;
}

int gnuplot_run(const char *script, size_t length, char **answer, char *error, size_t size)
{
	int fds[FILES] = {-1, -1, -1};
	int r = open_files(fds, script, length);

	r = r ? fail(error, size, "memfd") : run(fds, answer, error, size);
	close_files(fds);
	return r;
}
