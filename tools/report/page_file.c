#include "tools/report/page_file.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DESCRIPTOR_PATH 40

/* Is there something that a renamed file may not take the place of? */
static bool is_special(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode);
}

/* With the folder as it is really called, where there is no such file yet. */
static char *whole_path(const char *path)
{
	char *whole = realpath(path, NULL);
	const char *slash = strrchr(path, '/');

	if (whole)
		return whole;
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *real = folder ? realpath(folder, NULL) : NULL;
	if (!real || asprintf(&whole, "%s/%s", real, slash ? slash + 1 : path) < 0)
		whole = strdup(path);
	free(folder);
	free(real);
	return whole;
}

/* As stat(2); "-" is stdout. */
static bool look(const char *path, struct stat *s)
{
	return (strcmp(path, "-") == 0 ? fstat(STDOUT_FILENO, s) : stat(path, s)) == 0;
}

/* Is it written as it is? Of /dev/null nothing is left. */
static bool is_written_into(const char *path, const struct stat *s)
{
	bool null = S_ISCHR(s->st_mode) && s->st_rdev == makedev(1, 3);

	return !null && (strcmp(path, "-") == 0 || !S_ISREG(s->st_mode));
}

bool page_file_same(const char *a, const char *b)
{
	struct stat s, t;

	if (!a || !b)
		return false;
	if (look(a, &s) && look(b, &t) && s.st_dev == t.st_dev && s.st_ino == t.st_ino &&
		(is_written_into(a, &s) || is_written_into(b, &t)))
		return true;
	char *x = whole_path(a), *y = whole_path(b);
	bool same = strcmp(a, b) == 0 || (x && y && strcmp(x, y) == 0);
	free(x);
	free(y);
	return same;
}

static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Its names. */
static int name(struct page_file *f, const char *path)
{
	struct stat s;

	/* A name that a link stands for is kept: the new file goes where it leads. */
	f->path = is_stdout(path) ? NULL : realpath(path, NULL);
	/* What is there, and has no path, has no place that another file could take. */
	bool pathless = !f->path && (is_stdout(path) || stat(path, &s) == 0);
	if (!f->path)
		f->path = strdup(path);
	if (!f->path)
		return ERR_MEMORY;
	if (pathless || is_special(path))
		return 0;
	/* rename(2) would tell only in the end. */
	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
		errno = EISDIR;
		return ERR_SYSTEM;
	}
	if (asprintf(&f->written, "%s.%ld.new", f->path, (long)getpid()) < 0) {
		f->written = NULL;
		return ERR_MEMORY;
	}
	return 0;
}

/* How one gives a name to a file that has none: linkat(2). */
static void by_descriptor(int fd, char out[DESCRIPTOR_PATH])
{
	(void)snprintf(out, DESCRIPTOR_PATH, "/proc/self/fd/%d", fd);
}

/* A file without a name, in the folder where it will have one; -1: there can be none. */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + (slash == path) : 1;
	char *folder = strndup(slash ? path : ".", length), name[DESCRIPTOR_PATH];
	int fd = folder ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666) : -1;

	free(folder);
	if (fd < 0)
		return -1;
	by_descriptor(fd, name);
	if (access(name, F_OK) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int page_file_open(struct page_file *f, const char *path)
{
	*f = (struct page_file){0};
	int r = name(f, path);
	if (r == 0) {
		int fd = f->written ? open_nameless(f->path) : -1;

		f->nameless = fd >= 0;
		if (is_stdout(path))
			fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		/* /dev/stdout leads to a pipe that has no path of its own. */
		else if (fd < 0)
			fd = open(f->written ? f->written : path,
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
					(f->written ? O_NOFOLLOW : 0),
				0666);
		f->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!f->out)
			r = ERR_SYSTEM;
		if (!f->out && fd >= 0)
			(void)close(fd);
	}
	if (r) {
		int saved = errno;
		page_file_close(f);
		errno = saved;
	}
	return r;
}

static bool give_name(struct page_file *f)
{
	char from[DESCRIPTOR_PATH];

	by_descriptor(fileno(f->out), from);
	/* Of one with this number that was killed between this and its renaming. */
	(void)unlink(f->written);
	f->nameless = linkat(AT_FDCWD, from, AT_FDCWD, f->written, AT_SYMLINK_FOLLOW) != 0;
	return !f->nameless;
}

/* Whoever made the file that is replaced may have said who may read it. */
static void keep_mode(const struct page_file *f)
{
	struct stat s;

	if (stat(f->path, &s) == 0 && S_ISREG(s.st_mode))
		(void)fchmod(fileno(f->out), s.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO));
}

int page_file_publish(struct page_file *f)
{
	bool whole = fflush(f->out) == 0 && !ferror(f->out);

	if (whole && f->written)
		keep_mode(f);
	if (whole && f->written)
		whole = fsync(fileno(f->out)) == 0 && (!f->nameless || give_name(f));
	int saved = errno;
	if (fclose(f->out) != 0 && whole) {
		whole = false;
		saved = errno;
	}
	f->out = NULL;
	errno = saved;
	if (!whole)
		return ERR_SYSTEM;
	if (!f->written)
		return 0;
	if (rename(f->written, f->path) != 0)
		return ERR_SYSTEM;
	free(f->written);
	f->written = NULL;
	return 0;
}

void page_file_close(struct page_file *f)
{
	if (f->out)
		(void)fclose(f->out);
	if (f->written && !f->nameless)
		(void)unlink(f->written);
	free(f->written);
	free(f->path);
	*f = (struct page_file){0};
}
