#include "server/ballast.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/identity.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

struct ballast {
	char *folder; /* owned */
	char *path;   /* owned */
	bool held;
};

/* Errors that mean "no room", as opposed to "not possible here". */
static int failed(int error)
{
	errno = error;
	return error == ENOSPC || error == EDQUOT ? ERR_FULL : ERR_SYSTEM;
}

/* Where the file system cannot allocate, write; and what no file system can compress away. */
static int write_noise(int fd, int64_t size)
{
	char noise[CHUNK];
	int64_t left = size;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return failed(errno);
	while (left > 0) {
		identity_random(noise, sizeof(noise));
		ssize_t n = write(fd, noise, left < CHUNK ? (size_t)left : CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(n < 0 ? errno : ENOSPC);
		left -= n;
	}
	/* Some file systems find out only now. */
	return fsync(fd) == 0 ? 0 : failed(errno);
}

static int allocate(int fd, int64_t size)
{
	int r;

	do {
		r = fallocate(fd, 0, 0, size);
	} while (r != 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? write_noise(fd, size) : failed(errno);
}

/* Is the file there in full, from an earlier run? */
static bool complete(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= BALLAST_SIZE &&
	       (int64_t)st.st_blocks * 512 >= BALLAST_SIZE;
}

/* Have the file, having seen that there is `spare` more. What was not had in full is not kept: half
 * of it would only make the disk fuller. */
static int take(struct ballast *b, int64_t spare)
{
	int fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int r = 0;

	if (fd < 0)
		return failed(errno);
	if (spare > 0 || !complete(fd)) {
		r = allocate(fd, BALLAST_SIZE + spare);
		if (r == 0 && ftruncate(fd, BALLAST_SIZE) != 0)
			r = failed(errno);
	}
	int error = errno;
	(void)close(fd);
	if (r)
		(void)unlink(b->path);
	else
		(void)folder_sync(b->folder); /* after a power cut the next start makes it anew */
	b->held = r == 0;
	errno = error;
	return r;
}

int ballast_open(const char *folder, struct ballast **out)
{
	struct ballast *b = calloc(1, sizeof(*b));

	if (!b)
		return ERR_MEMORY;
	b->folder = strdup(folder);
	if (!b->folder || asprintf(&b->path, "%s/" BALLAST_FILE, folder) < 0) {
		b->path = NULL;
		ballast_close(b);
		return ERR_MEMORY;
	}
	if (take(b, 0) != 0)
		log_warning("no ballast in '%s' for when the disk is full: %s", folder,
			strerror(errno));
	*out = b;
	return 0;
}

void ballast_close(struct ballast *b)
{
	if (!b)
		return;
	free(b->folder);
	free(b->path);
	free(b);
}

void ballast_release(struct ballast *b)
{
	if (!b->held)
		return;
	(void)unlink(b->path);
	b->held = false;
}

int ballast_take(struct ballast *b)
{
	return b->held ? 0 : take(b, BALLAST_SPARE);
}

bool ballast_held(const struct ballast *b)
{
	return b->held;
}
