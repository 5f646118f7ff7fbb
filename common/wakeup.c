#include "common/wakeup.h"

#include "common/err.h"

#include <errno.h>
#include <sys/eventfd.h>

int wakeup_open(int *fd)
{
	int s = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (s < 0)
		return ERR_SYSTEM;
	*fd = s;
	return 0;
}

void wakeup_signal(int fd)
{
	int error = errno;

	(void)eventfd_write(fd, 1);
	errno = error;
}

void wakeup_clear(int fd)
{
	int error = errno;
	eventfd_t count;

	(void)eventfd_read(fd, &count);
	errno = error;
}
