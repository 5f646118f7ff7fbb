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

/* Make one folder; it may be there already. */
static int make_one(const char *path)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : ERR_SYSTEM;
	char *above = folder_of(path);
	int r = above ? folder_sync(above) : ERR_MEMORY;
	free(above);
	return r;
}

int folder_make(const char *path)
{
	int r = make_one(path);

	if (r != ERR_SYSTEM || errno != ENOENT)
		return r;
	char *above = folder_of(path);
	r = above ? folder_make(above) : ERR_MEMORY;
	free(above);
	/* Once: where a link leads nowhere, the folder above is there and this still fails. */
	return r ? r : make_one(path);
}
