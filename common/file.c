#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or what is wrong with it. */
static int check(int fd)
{
	struct stat s;

	if (fstat(fd, &s) != 0)
		return errno;
	if (S_ISDIR(s.st_mode))
		return EISDIR;
	return S_ISREG(s.st_mode) ? 0 : ENOTSUP;
}

FILE *file_open(const char *path)
{
	/* Without O_NONBLOCK the opening of a pipe waits for somebody to write. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	int error = check(fd);
	FILE *f = error ? NULL : fdopen(fd, "r");
	if (!f) {
		if (!error)
			error = errno;
		(void)close(fd);
		errno = error;
	}
	return f;
}
