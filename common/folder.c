#include "common/folder.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems have nothing to sync in a folder, and say so with EINVAL. */
	int r = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL) ? 0 : ERR_SYSTEM;
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return r;
}

char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

#define SAME ((uid_t)-1) /* as in chown(2) */

/* By its descriptor: a folder in a folder of that user may be something else by now, under its name,
 * but nothing else is a folder that can have come there. */
static int give(const char *path, uid_t uid, gid_t gid)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd >= 0 && fchown(fd, uid, gid) == 0 ? 0 : ERR_SYSTEM;
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return r;
}

/* Make one folder; it may be there already. */
static int make_one(const char *path, uid_t uid, gid_t gid)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : ERR_SYSTEM;
	if (uid != SAME && give(path, uid, gid) != 0)
		return ERR_SYSTEM;
	char *above = folder_of(path);
	int r = above ? folder_sync(above) : ERR_MEMORY;
	free(above);
	return r;
}

int folder_make_for(const char *path, uid_t uid, gid_t gid)
{
	int r = make_one(path, uid, gid);

	if (r != ERR_SYSTEM || errno != ENOENT)
		return r;
	char *above = folder_of(path);
	r = above ? folder_make_for(above, uid, gid) : ERR_MEMORY;
	free(above);
	/* Once: where a link leads nowhere, the folder above is there and this still fails. */
	return r ? r : make_one(path, uid, gid);
}

int folder_make(const char *path)
{
	return folder_make_for(path, SAME, (gid_t)-1);
}
