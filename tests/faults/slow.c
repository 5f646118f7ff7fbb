/*
 * Preload shim: a disk that takes LANCHAT_SLOW milliseconds for each sync, so that what waits
 * for one can be overtaken.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slowly(const char *name, int fd)
{
	int (*real)(int);
	const char *text = getenv("LANCHAT_SLOW");
	long ms = text ? strtol(text, NULL, 10) : 0;
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	*(void **)&real = dlsym(RTLD_NEXT, name);
	(void)nanosleep(&t, NULL);
	return real(fd);
}

int fsync(int fd)
{
	return slowly("fsync", fd);
}

int fdatasync(int fd)
{
	return slowly("fdatasync", fd);
}
