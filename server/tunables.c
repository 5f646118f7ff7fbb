#include "server/tunables.h"

#include "server/instrumented.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME "GLIBC_TUNABLES"

/* A thread goes on keeping small pieces, seven of each size, which come and go with each message; fewer
 * of them, or none, cost processor time. Of what is loaded later nothing of ours has thread-local
 * variables; the 144 bytes that are always there have to do. */
#define SETTINGS "glibc.malloc.tcache_max=256:glibc.rtld.nns=1:glibc.rtld.optional_static_tls=0"

void tunables_apply(char **argv)
{
	char path[PATH_MAX];

	if (INSTRUMENTED || getenv(NAME) || getenv("LD_PRELOAD"))
		return;
	/* By its name and not by the link, which would be what ps shows. */
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length <= 0 || (size_t)length == sizeof(path) - 1)
		return;
	path[length] = '\0';
	if (setenv(NAME, SETTINGS, 0) != 0)
		return;
	(void)execv(path, argv);
	(void)unsetenv(NAME);
}
