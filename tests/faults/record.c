/*
 * Preload shim: writes down, in the order in which it happens, everything that changes
 * files in the folder LANCHAT_FOLDER, every fsync there, and every byte that goes to a
 * client, into the file LANCHAT_RECORD (appended).
 *
 * A call and its record are made under one lock, so the order of the records is that of
 * the calls. A record is a struct head, the path, and the bytes. A test replays them up
 * to some point to have the folder as a power cut then would have left it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FD_MAX 4096

enum kind {
	CREATED = 'C',  /* path */
	WRITTEN = 'W',  /* path, offset, bytes */
	CUT = 'T',      /* path, offset: the new size */
	SYNCED = 'S',   /* path, may be the folder itself */
	REMOVED = 'U',  /* path */
	RENAMED = 'R',  /* path, bytes: the new path */
	ACCEPTED = 'N', /* number: the connection */
	SENT = 'M',     /* number, bytes */
};

struct head {
	uint32_t kind;
	uint32_t number;
	uint64_t offset;
	uint32_t path_length;
	uint32_t length;
};
_Static_assert(sizeof(struct head) == 24, "the test unpacks it");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t connections;
static uint32_t connection_of[FD_MAX]; /* 0: no connection of a client */

static void next(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	memcpy(function, &found, sizeof(found));
}

/* Define `real` as the function behind ours. */
#define REAL(type, name, ...)                                                                      \
	static type (*real)(__VA_ARGS__);                                                          \
	if (!real)                                                                                 \
	next(#name, &real)

/* ---- records ---- */

static void put(const void *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		const char *path = getenv("LANCHAT_RECORD");
		fd = (int)syscall(SYS_openat, AT_FDCWD, path ? path : "/dev/null",
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
	while (size > 0) {
		ssize_t n = syscall(SYS_write, fd, bytes, size);
		if (n <= 0)
			abort();
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
	}
}

static void record(enum kind kind, uint32_t number, const char *path, uint64_t offset,
	const void *bytes, size_t length)
{
	int error = errno;
	struct head h = {.kind = (uint32_t)kind,
		.number = number,
		.offset = offset,
		.path_length = (uint32_t)strlen(path),
		.length = (uint32_t)length};

	put(&h, sizeof(h));
	put(path, h.path_length);
	put(bytes, length);
	errno = error;
}

/* Is it the folder or in it? */
static bool ours(const char *path)
{
	const char *folder = getenv("LANCHAT_FOLDER");
	size_t length = folder ? strlen(folder) : 0;

	return length && strncmp(path, folder, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* The path of an open file of ours. */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	int error = errno;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	errno = error;
	return ours(path);
}

/* An absolute path, for those that are given relative to a folder. */
static bool path_at(int folder, const char *name, char path[PATH_MAX])
{
	char base[PATH_MAX] = "";

	if (name[0] == '/' || folder == AT_FDCWD)
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && ours(path);
	(void)path_of(folder, base);
	return snprintf(path, PATH_MAX, "%s/%s", base, name) < PATH_MAX && ours(path);
}

/* ---- files ---- */

static int open_at(int folder, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];

	pthread_mutex_lock(&lock);
	bool watched = (flags & O_CREAT) && path_at(folder, name, path);
	bool there = watched && access(path, F_OK) == 0;
	int fd = (int)syscall(SYS_openat, folder, name, flags, mode);
	if (watched && fd >= 0 && !there)
		record(CREATED, 0, path, 0, "", 0);
	pthread_mutex_unlock(&lock);
	return fd;
}

/* The mode is there with O_CREAT alone. */
#define MODE(flags, last, mode)                                                                    \
	do {                                                                                       \
		va_list a;                                                                         \
		va_start(a, last);                                                                 \
		mode = (flags)&O_CREAT ? (mode_t)va_arg(a, unsigned) : 0;                          \
		va_end(a);                                                                         \
	} while (0)

int open(const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, flags, mode);
	return open_at(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, flags, mode);
	return open_at(AT_FDCWD, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, flags, mode);
	return open_at(folder, name, flags, mode);
}

static void written(int fd, uint64_t offset, const void *bytes, ssize_t n)
{
	char path[PATH_MAX];

	if (n > 0 && path_of(fd, path))
		record(WRITTEN, 0, path, offset, bytes, (size_t)n);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
	pthread_mutex_lock(&lock);
	ssize_t n = real(fd, bytes, size, offset);
	written(fd, (uint64_t)offset, bytes, n);
	pthread_mutex_unlock(&lock);
	return n;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	return pwrite(fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t);
	pthread_mutex_lock(&lock);
	ssize_t n = real(fd, bytes, size);
	off_t end = n > 0 ? lseek(fd, 0, SEEK_CUR) : -1;
	if (end >= n)
		written(fd, (uint64_t)(end - n), bytes, n);
	pthread_mutex_unlock(&lock);
	return n;
}

int ftruncate(int fd, off_t size)
{
	char path[PATH_MAX];

	REAL(int, ftruncate, int, off_t);
	pthread_mutex_lock(&lock);
	int r = real(fd, size);
	if (r == 0 && path_of(fd, path))
		record(CUT, 0, path, (uint64_t)size, "", 0);
	pthread_mutex_unlock(&lock);
	return r;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

static void synced(int fd, int r)
{
	char path[PATH_MAX];

	if (r == 0 && path_of(fd, path))
		record(SYNCED, 0, path, 0, "", 0);
}

int fsync(int fd)
{
	REAL(int, fsync, int);
	pthread_mutex_lock(&lock);
	int r = real(fd);
	synced(fd, r);
	pthread_mutex_unlock(&lock);
	return r;
}

int fdatasync(int fd)
{
	REAL(int, fdatasync, int);
	pthread_mutex_lock(&lock);
	int r = real(fd);
	synced(fd, r);
	pthread_mutex_unlock(&lock);
	return r;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int unlinkat(int folder, const char *name, int flags)
{
	char path[PATH_MAX];

	REAL(int, unlinkat, int, const char *, int);
	pthread_mutex_lock(&lock);
	int r = real(folder, name, flags);
	if (r == 0 && path_at(folder, name, path))
		record(REMOVED, 0, path, 0, "", 0);
	pthread_mutex_unlock(&lock);
	return r;
}

static int rename_at(int a, const char *from, int b, const char *to, unsigned flags)
{
	char old[PATH_MAX], new[PATH_MAX];

	pthread_mutex_lock(&lock);
	int r = (int)syscall(SYS_renameat2, a, from, b, to, flags);
	if (r == 0 && path_at(a, from, old) && path_at(b, to, new))
		record(RENAMED, 0, old, 0, new, strlen(new));
	pthread_mutex_unlock(&lock);
	return r;
}

int rename(const char *from, const char *to)
{
	return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int a, const char *from, int b, const char *to)
{
	return rename_at(a, from, b, to, 0);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	return rename_at(a, from, b, to, flags);
}

/* ---- connections ---- */

int accept4(int listener, __SOCKADDR_ARG peer, socklen_t *restrict size, int flags)
{
	int fd = (int)syscall(SYS_accept4, listener, peer.__sockaddr__, size, flags);

	if (fd >= 0 && fd < FD_MAX) {
		pthread_mutex_lock(&lock);
		connection_of[fd] = ++connections;
		record(ACCEPTED, connections, "", 0, "", 0);
		pthread_mutex_unlock(&lock);
	}
	return fd;
}

int close(int fd)
{
	REAL(int, close, int);
	if (fd >= 0 && fd < FD_MAX) {
		pthread_mutex_lock(&lock);
		connection_of[fd] = 0;
		pthread_mutex_unlock(&lock);
	}
	return real(fd);
}

/* A record for what of the pieces was taken. */
static void sent(int fd, const struct iovec *pieces, size_t count, ssize_t n)
{
	size_t left = n > 0 ? (size_t)n : 0;

	if (fd < 0 || fd >= FD_MAX || !connection_of[fd])
		return;
	for (size_t i = 0; i < count && left > 0; i++) {
		size_t some = pieces[i].iov_len < left ? pieces[i].iov_len : left;
		record(SENT, connection_of[fd], "", 0, pieces[i].iov_base, some);
		left -= some;
	}
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
	pthread_mutex_lock(&lock);
	ssize_t n = real(fd, m, flags);
	sent(fd, m->msg_iov, m->msg_iovlen, n);
	pthread_mutex_unlock(&lock);
	return n;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};

	return sendmsg(fd, &m, flags);
}
