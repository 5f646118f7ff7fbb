#include "common/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

bool standard_streams_keep(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* Not close-on-exec: a program that is started from this one has them too. */
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
	}
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}
