#include "server/data_folder.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE "lock"

static int find(const char *wanted, char *out, size_t size, char *error, size_t errors)
{
	const char *state = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	int n = -1;

	if (wanted)
		n = snprintf(out, size, "%s", wanted);
	else if (state && *state)
		n = snprintf(out, size, "%.*s", (int)strcspn(state, ":"), state);
	else if (xdg && *xdg)
		n = snprintf(out, size, "%s/lanchatd", xdg);
	else if (home && *home)
		n = snprintf(out, size, "%s/.local/share/lanchatd", home);
	if (n > 0 && (size_t)n < size)
		return 0;
	snprintf(error, errors, "no folder for the server's data: give one with --data");
	return ERR_ARGUMENT;
}

static int fail(const char *path, int r, char *error, size_t size)
{
	snprintf(error, size, "cannot use the folder '%s' for data: %s; choose one with --data",
		path, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

/* The path without symbolic links: the database is not opened through them. */
static int resolve(const char *path, struct data_folder *f, char *error, size_t size)
{
	if (!realpath(path, f->path))
		return fail(path, ERR_SYSTEM, error, size);
	return 0;
}

/* ---- the lock ---- */

/* Who holds the lock, for the message; 0 where that cannot be read. */
static long holder(int fd)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int taken(const struct data_folder *f, int fd, char *error, size_t size)
{
	long pid = holder(fd);
	char process[40] = "";

	if (pid > 0)
		snprintf(process, sizeof(process), " (process %ld)", pid);
	snprintf(error, size,
		"another lanchatd%s has the folder '%s': end it, or choose another folder with "
		"--data",
		process, f->path);
	return ERR_EXISTS;
}

/* For whoever comes later and wants to know who holds it. That it cannot be written, on a full disk,
 * does not make the lock worse. */
static void sign(int fd)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)length, 0);
}

/* Somebody may remove the file, and the next server would lock another one; the folder stays. Where
 * folders cannot be locked, as over NFS, the file has to do. */
static int lock_itself(struct data_folder *f, int file, char *error, size_t size)
{
	int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(f->path, ERR_SYSTEM, error, size);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int r = errno == EWOULDBLOCK ? taken(f, file, error, size) : 0;
		(void)close(fd);
		return r;
	}
	f->itself = fd;
	return 0;
}

static int lock(struct data_folder *f, char *error, size_t size)
{
	char *path = data_folder_file(f, LOCK_FILE);

	if (!path)
		return fail(f->path, ERR_MEMORY, error, size);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	free(path);
	if (fd < 0)
		return fail(f->path, ERR_SYSTEM, error, size);
	/* The file stays for ever. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int r = errno == EWOULDBLOCK ? taken(f, fd, error, size)
					     : fail(f->path, ERR_SYSTEM, error, size);
		(void)close(fd);
		return r;
	}
	int r = lock_itself(f, fd, error, size);
	if (r) {
		(void)close(fd);
		return r;
	}
	sign(fd);
	f->lock = fd;
	return 0;
}

/* ---- the folder ---- */

/* Whoever may write to it may put another key or another log there, or take them away, whatever their own
 * modes are. What may be there already is for the administrator to look at, so it is not put right. */
static int refuse_everybodys(const struct data_folder *f, char *error, size_t size)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return fail(f->path, ERR_SYSTEM, error, size);
	if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(error, size,
		"other people may write to the data folder '%s': see that all in it is yours, then "
		"chmod go-w it, or choose another with --data",
		f->path);
	return ERR_REFUSED;
}

/* Nothing in it is for other people to look at. */
static void make_private(const struct data_folder *f)
{
	struct stat st;

	if (stat(f->path, &st) != 0 || !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return;
	if (st.st_uid == geteuid() && chmod(f->path, S_IRWXU) == 0)
		log_info("the data folder '%s' was open to other people; it is private now (0700)",
			f->path);
	else
		log_warning("the data folder '%s' is open to other people; make it private with "
			    "chmod 700",
			f->path);
}

int data_folder_give(
	const char *wanted, uid_t uid, gid_t gid, const char *user, char *error, size_t size)
{
	char path[PATH_MAX];
	struct stat st;
	int r = find(wanted, path, sizeof(path), error, size);

	if (r)
		return r;
	r = folder_make_for(path, uid, gid);
	if (r == 0 && stat(path, &st) != 0)
		r = ERR_SYSTEM;
	if (r)
		return fail(path, r, error, size);
	if (st.st_uid == uid)
		return 0;
	snprintf(error, size,
		"the data folder '%s' does not belong to '%s': chown -R %s it, or choose another "
		"with "
		"--data",
		path, user, user);
	return ERR_REFUSED;
}

int data_folder_open(const char *wanted, struct data_folder *out, char *error, size_t size)
{
	struct data_folder f = {.lock = -1, .itself = -1};
	char path[PATH_MAX];
	int r = find(wanted, path, sizeof(path), error, size);

	if (r)
		return r;
	r = folder_make(path);
	if (r)
		return fail(path, r, error, size);
	r = resolve(path, &f, error, size);
	if (r == 0)
		r = refuse_everybodys(&f, error, size);
	if (r == 0)
		r = lock(&f, error, size);
	if (r == 0) {
		make_private(&f);
		*out = f;
	}
	return r;
}

int data_folder_own(const struct data_folder *f, char *error, size_t size)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return fail(f->path, ERR_SYSTEM, error, size);
	if (st.st_uid == geteuid())
		return 0;
	snprintf(error, size,
		"the data folder '%s' belongs to another user (%ju), who could put another key and "
		"another operator's code there: start the server as that one (--user), or choose "
		"another folder with --data",
		f->path, (uintmax_t)st.st_uid);
	return ERR_REFUSED;
}

int data_folder_look(const char *wanted, struct data_folder *out, char *error, size_t size)
{
	struct data_folder f = {.lock = -1, .itself = -1};
	char path[PATH_MAX];
	int r = find(wanted, path, sizeof(path), error, size);

	if (r == 0)
		r = resolve(path, &f, error, size);
	if (r == 0)
		*out = f;
	return r;
}

void data_folder_close(struct data_folder *f)
{
	if (f->lock >= 0)
		(void)close(f->lock);
	if (f->itself >= 0)
		(void)close(f->itself);
	f->lock = f->itself = -1;
}

char *data_folder_file(const struct data_folder *f, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", f->path, name) < 0 ? NULL : path;
}
