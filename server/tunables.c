#include "server/tunables.h"

#include "server/instrumented.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#define NAME "GLIBC_TUNABLES"

/* A thread goes on keeping small pieces, seven of each size, which come and go with each message; fewer
 * of them, or none, cost processor time. Of what is loaded later nothing of ours has thread-local
 * variables; the 144 bytes that are always there have to do. */
#define SETTINGS "glibc.malloc.tcache_max=256:glibc.rtld.nns=1:glibc.rtld.optional_static_tls=0"

void tunables_apply(char **argv)
{
	char path[PATH_MAX];

	/* With more rights than whoever started it, the dynamic linker takes the variable away again. */
	if (INSTRUMENTED || getauxval(AT_SECURE) || getenv(NAME) || getenv("LD_PRELOAD"))
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

/* Thousands of threads would get an arena each for every few of them. The free end of every arena but the
 * first is not malloc_trim(3)'s business: it goes back when a piece beside it is freed and it is longer
 * than a threshold, which, unless it is set, grows to megabytes with the largest block ever freed. And
 * small pieces that are kept apart for quick use (fast bins) are joined to it only by malloc_trim, behind
 * which nothing is freed any more: after a crowd had left, it was chance whether megabytes stayed. */
#define ARENAS    4
#define FREE_END  (128 << 10)
#define OWN_PAGES (1 << 20) /* from so many bytes on a block has pages of its own */

void tunables_set(void)
{
	(void)mallopt(M_ARENA_MAX, ARENAS);
	(void)mallopt(M_MXFAST, 0);
	(void)mallopt(M_TRIM_THRESHOLD, FREE_END);
	(void)mallopt(M_MMAP_THRESHOLD, OWN_PAGES);
}
