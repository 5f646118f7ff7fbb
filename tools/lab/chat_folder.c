#include "tools/lab/chat_folder.h"

#include "common/err.h"
#include "common/net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX    "lanchat-lab-"
#define UNIQUE    "XXXXXX"
#define LOCK_FILE "lock"
#define NEW_FILE  "lock.new"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path);
	return 0;
}

static void remove_all(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *base(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && *folder ? folder : "/tmp";
}

/* ---- what others have left ---- */

/* Its lock, if its owner is gone; -1. */
static int lock_of_nobody(const char *path)
{
	struct stat st;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ours = folder >= 0 && fstat(folder, &st) == 0 && st.st_uid == geteuid();
	int lock = ours ? openat(folder, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
			: -1;

	net_close(folder);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	net_close(lock);
	return -1;
}

static void remove_left(const char *parent)
{
	DIR *d = opendir(parent);
	const struct dirent *e;
	char path[PATH_MAX];

	while (d && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0 ||
			strlen(e->d_name) != strlen(PREFIX UNIQUE))
			continue;
		int n = snprintf(path, sizeof(path), "%s/%s", parent, e->d_name);
		int lock = n > 0 && (size_t)n < sizeof(path) ? lock_of_nobody(path) : -1;
		if (lock >= 0)
			remove_all(path);
		net_close(lock);
	}
	if (d)
		(void)closedir(d);
}

/* ---- one's own ---- */

/* It has its name only when it is locked: nobody finds it before. */
static int take_lock(struct chat_folder *f)
{
	int folder = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	f->lock = openat(folder, NEW_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = f->lock >= 0 && flock(f->lock, LOCK_EX) == 0 &&
		    renameat(folder, NEW_FILE, folder, LOCK_FILE) == 0;
	int saved = errno;
	net_close(folder);
	errno = saved;
	return good ? 0 : ERR_SYSTEM;
}

int chat_folder_make(struct chat_folder *f, size_t more)
{
	*f = (struct chat_folder){.lock = -1};
	int n = snprintf(f->path, sizeof(f->path), "%s/" PREFIX UNIQUE, base());

	if (n <= 0 || (size_t)n + more >= sizeof(f->path)) {
		f->path[0] = '\0';
		errno = ENAMETOOLONG;
		return ERR_SYSTEM;
	}
	remove_left(base());
	if (!mkdtemp(f->path)) {
		f->path[0] = '\0';
		return ERR_SYSTEM;
	}
	if (take_lock(f) == 0)
		return 0;
	int saved = errno;
	chat_folder_remove(f);
	errno = saved;
	return ERR_SYSTEM;
}

void chat_folder_remove(struct chat_folder *f)
{
	if (f->path[0])
		remove_all(f->path);
	f->path[0] = '\0';
	net_close(f->lock);
	f->lock = -1;
}
