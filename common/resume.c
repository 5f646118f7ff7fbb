#include "common/resume.h"

#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* A year ahead. */
#define FAR ((time_t)365 * 24 * 3600)

static int arm(int fd)
{
	struct itimerspec when = {.it_value.tv_sec = time(NULL) + FAR};
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	return timerfd_settime(fd, flags, &when, NULL) < 0 ? ERR_SYSTEM : 0;
}

int resume_watch(int *fd)
{
	int s = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (s < 0)
		return ERR_SYSTEM;
	if (arm(s) != 0) {
		(void)close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return 0;
}

bool resume_happened(int fd)
{
	uint64_t expirations;

	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != ECANCELED)
		return false;
	(void)arm(fd);
	return true;
}
