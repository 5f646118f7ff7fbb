/*
 * Preload shim: makes one call of a kind fail, once.
 *
 *     LANCHAT_FAIL    "KIND ERRNO N": the Nth call of that kind fails with that error
 *     LANCHAT_FAILED  a file: what failed, and from where; empty as long as nothing has
 *     LANCHAT_COUNTS  a file: how many calls of each kind there were, at a regular end
 *
 * Both are opened at once, because a program may later be in a sandbox that knows nothing of them.
 *
 * Kinds: alloc, and by themselves the many allocations of libcrypto (crypto), of
 * SQLite (sqlite) and of libseccomp (seccomp); write (to files), sync, lock (of files), open, socket (sending and
 * receiving), thread, event (eventfd, epoll and their like), map.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEPTH     40
#define EARLY     (1 << 18)
#define ALIGNMENT 16

enum kind {
	ALLOC,
	CRYPTO,
	SQLITE,
	SECCOMP,
	WRITE,
	SYNC,
	LOCK,
	OPEN,
	SOCKET,
	THREAD,
	EVENT,
	MAP,
	KINDS
};

static const char *const names[KINDS] = {"alloc", "crypto", "sqlite", "seccomp", "write", "sync",
	"lock", "open", "socket", "thread", "event", "map"};

static atomic_long counts[KINDS];

/* Constant after the constructor; before it nothing fails. */
static enum kind chosen = KINDS;
static long chosen_call;
static int chosen_error;

/* The two files; -1: none. Constant after the constructor. */
static int failed_file = -1, counts_file = -1;

/* Where the code of libraries is. Constant after the constructor. */
static struct library {
	const char *name;
	enum kind kind;
	uintptr_t begin, end;
} libraries[] = {{.name = "/libcrypto.so", .kind = CRYPTO},
	{.name = "/libsqlite3.so", .kind = SQLITE}, {.name = "/libseccomp.so", .kind = SECCOMP}};
#define LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

/* What the shim does itself neither counts nor fails. */
static _Thread_local bool inside;

/* What is behind our allocator. Constant after the constructor; before it NULL. */
static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void (*free)(void *);
} behind;

/* ---- what is behind ours ---- */

static void next(const char *name, void *function)
{
	bool was = inside;

	inside = true;
	void *found = dlsym(RTLD_NEXT, name);
	inside = was;
	if (!found)
		abort();
	memcpy(function, &found, sizeof(found));
}

/* All at once, so that what one of them gives another one of the same family takes. */
static void find_allocator(void)
{
	void *found[5];

	next("free", &found[0]);
	next("posix_memalign", &found[1]);
	next("realloc", &found[2]);
	next("calloc", &found[3]);
	next("malloc", &found[4]);
	memcpy(&behind.free, &found[0], sizeof(found[0]));
	memcpy(&behind.posix_memalign, &found[1], sizeof(found[1]));
	memcpy(&behind.realloc, &found[2], sizeof(found[2]));
	memcpy(&behind.calloc, &found[3], sizeof(found[3]));
	memcpy(&behind.malloc, &found[4], sizeof(found[4]));
}

/* ---- what fails ---- */

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	for (size_t i = 0; i < LIBRARIES; i++) {
		struct library *l = &libraries[i];
		if (!strstr(info->dlpi_name, l->name))
			continue;
		for (int n = 0; n < info->dlpi_phnum; n++) {
			const ElfW(Phdr) *p = &info->dlpi_phdr[n];
			if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
				l->begin = info->dlpi_addr + p->p_vaddr;
				l->end = l->begin + p->p_memsz;
			}
		}
	}
	return 0;
}

static int open_named(const char *variable)
{
	const char *path = getenv(variable);

	return path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
		    : -1;
}

/* Not sscanf, which might allocate. */
__attribute__((constructor)) static void choose(void)
{
	void *frames[2];
	const char *text = getenv("LANCHAT_FAIL");
	char *end;

	inside = true;
	find_allocator();
	(void)backtrace(frames, 2); /* loads what it needs now */
	(void)dl_iterate_phdr(find_library, NULL);
	failed_file = open_named("LANCHAT_FAILED");
	counts_file = open_named("LANCHAT_COUNTS");
	inside = false;
	if (!text)
		return;
	for (int i = 0; i < KINDS; i++) {
		size_t length = strlen(names[i]);
		if (strncmp(text, names[i], length) != 0 || text[length] != ' ')
			continue;
		chosen_error = (int)strtol(text + length, &end, 10);
		chosen_call = strtol(end, NULL, 10);
		chosen = (enum kind)i;
	}
}

__attribute__((destructor)) static void report_counts(void)
{
	inside = true;
	if (counts_file >= 0) {
		(void)syscall(SYS_ftruncate, counts_file, (off_t)0);
		for (int i = 0; i < KINDS; i++)
			dprintf(counts_file, "%s %ld\n", names[i], atomic_load(&counts[i]));
	}
	inside = false;
}

static void report(const char *call)
{
	void *frames[DEPTH];

	if (failed_file < 0)
		return;
	(void)syscall(SYS_ftruncate, failed_file, (off_t)0);
	dprintf(failed_file, "%s\n", call);
	backtrace_symbols_fd(frames, backtrace(frames, DEPTH), failed_file);
}

/* Count a call; true: it is the one that fails, and errno is set. */
static bool fails(enum kind kind, const char *call)
{
	if (inside)
		return false;
	long number = atomic_fetch_add(&counts[kind], 1) + 1;
	if (kind != chosen || number != chosen_call)
		return false;
	inside = true;
	report(call);
	inside = false;
	errno = chosen_error;
	return true;
}

static bool is(int fd, mode_t type)
{
	struct stat s;
	int error = errno;
	bool answer = fstat(fd, &s) == 0 && (s.st_mode & S_IFMT) == type;

	errno = error;
	return answer;
}

/* Define `real` as the function behind ours. */
#define REAL(type, name, ...)                                                                      \
	static type (*real)(__VA_ARGS__);                                                          \
	if (!real)                                                                                 \
	next(#name, &real)

/* ---- memory ---- */

static bool no_memory(const char *call, const void *caller)
{
	uintptr_t from = (uintptr_t)caller;
	enum kind kind = ALLOC;

	for (size_t i = 0; i < LIBRARIES; i++)
		if (from >= libraries[i].begin && from < libraries[i].end)
			kind = libraries[i].kind;
	return fails(kind, call);
}

/* Until the constructor has run, memory comes from here and is never given back: what is behind ours
 * may not be ready yet (a sanitizer's is not), and finding it may itself need memory. */
static _Alignas(ALIGNMENT) char early[EARLY];
static size_t early_used;

static void *early_alloc(size_t alignment, size_t size)
{
	size_t at = (early_used + ALIGNMENT + alignment - 1) & ~(alignment - 1);

	if (size > EARLY || at > EARLY - size)
		abort();
	early_used = (at + size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	memcpy(early + at - ALIGNMENT, &size, sizeof(size)); /* for realloc */
	return early + at;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + EARLY;
}

void *malloc(size_t size)
{
	if (!behind.malloc)
		return early_alloc(ALIGNMENT, size);
	return no_memory("malloc", __builtin_return_address(0)) ? NULL : behind.malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!behind.calloc)
		return early_alloc(ALIGNMENT, count * size);
	return no_memory("calloc", __builtin_return_address(0)) ? NULL : behind.calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	size_t had = 0;

	if (old && is_early(old)) {
		memcpy(&had, (char *)old - ALIGNMENT, sizeof(had));
		void *new = malloc(size);
		return new ? memcpy(new, old, had < size ? had : size) : NULL;
	}
	if (!behind.realloc)
		return early_alloc(ALIGNMENT, size);
	return no_memory("realloc", __builtin_return_address(0)) ? NULL : behind.realloc(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	if (!behind.posix_memalign) {
		*out = early_alloc(alignment, size);
		return 0;
	}
	return no_memory("posix_memalign", __builtin_return_address(0))
		       ? ENOMEM
		       : behind.posix_memalign(out, alignment, size);
}

void free(void *old)
{
	if (old && !is_early(old))
		behind.free(old);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	REAL(void *, mmap, void *, size_t, int, int, int, off_t);
	return fails(MAP, "mmap") ? MAP_FAILED : real(address, size, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap(address, size, protection, flags, fd, offset);
}

/* ---- files ---- */

ssize_t write(int fd, const void *bytes, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t);
	return is(fd, S_IFREG) && fails(WRITE, "write") ? -1 : real(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
	return fails(WRITE, "pwrite") ? -1 : real(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	return pwrite(fd, bytes, size, offset);
}

int ftruncate(int fd, off_t size)
{
	REAL(int, ftruncate, int, off_t);
	return fails(WRITE, "ftruncate") ? -1 : real(fd, size);
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	REAL(int, fallocate, int, int, off_t, off_t);
	return fails(WRITE, "fallocate") ? -1 : real(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	REAL(int, posix_fallocate, int, off_t, off_t);
	return fails(WRITE, "posix_fallocate") ? chosen_error : real(fd, offset, size);
}

int fsync(int fd)
{
	REAL(int, fsync, int);
	return fails(SYNC, "fsync") ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(int, fdatasync, int);
	return fails(SYNC, "fdatasync") ? -1 : real(fd);
}

/* Taking a lock can fail; giving one back cannot. */
static bool locks(int command, const void *argument)
{
	return (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
		       command == F_OFD_SETLKW) &&
	       ((const struct flock *)argument)->l_type != F_UNLCK;
}

int fcntl(int fd, int command, ...)
{
	va_list a;

	va_start(a, command);
	void *argument = va_arg(a, void *);
	va_end(a);
	REAL(int, fcntl, int, int, ...);
	return locks(command, argument) && fails(LOCK, "fcntl") ? -1 : real(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
	va_list a;

	va_start(a, command);
	void *argument = va_arg(a, void *);
	va_end(a);
	return fcntl(fd, command, argument);
}

int flock(int fd, int operation)
{
	REAL(int, flock, int, int);
	return fails(LOCK, "flock") ? -1 : real(fd, operation);
}

/* The mode is there with O_CREAT alone, but another argument does no harm. */
#define MODE(last, mode)                                                                           \
	do {                                                                                       \
		va_list a;                                                                         \
		va_start(a, last);                                                                 \
		mode = (mode_t)va_arg(a, unsigned);                                                \
		va_end(a);                                                                         \
	} while (0)

int open(const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, mode);
	REAL(int, open, const char *, int, ...);
	return fails(OPEN, "open") ? -1 : real(name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, mode);
	return open(name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
	mode_t mode;

	MODE(flags, mode);
	REAL(int, openat, int, const char *, int, ...);
	return fails(OPEN, "openat") ? -1 : real(folder, name, flags, mode);
}

/* ---- sockets ---- */

/* A connection that was reset is so for every call from then on. */
static bool breaks(int fd, const char *call)
{
	if (!fails(SOCKET, call))
		return false;
	if (chosen_error == ECONNRESET)
		(void)shutdown(fd, SHUT_RDWR);
	errno = chosen_error;
	return true;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	REAL(ssize_t, recv, int, void *, size_t, int);
	return breaks(fd, "recv") ? -1 : real(fd, bytes, size, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	REAL(ssize_t, recvmsg, int, struct msghdr *, int);
	return breaks(fd, "recvmsg") ? -1 : real(fd, m, flags);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	REAL(ssize_t, send, int, const void *, size_t, int);
	return breaks(fd, "send") ? -1 : real(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
	return breaks(fd, "sendmsg") ? -1 : real(fd, m, flags);
}

int accept4(int listener, __SOCKADDR_ARG peer, socklen_t *restrict size, int flags)
{
	if (fails(SOCKET, "accept4"))
		return -1;
	return (int)syscall(SYS_accept4, listener, peer.__sockaddr__, size, flags);
}

int socket(int domain, int type, int protocol)
{
	REAL(int, socket, int, int, int);
	return fails(EVENT, "socket") ? -1 : real(domain, type, protocol);
}

/* ---- threads, and what wakes them ---- */

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
	void *(*run)(void *), void *restrict argument)
{
	REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	return fails(THREAD, "pthread_create") ? chosen_error
					       : real(thread, attributes, run, argument);
}

/* The address sanitizer asks for the stack of each thread that starts, and ends the program where that
 * fails: it allocates, but what it needs is not the program's. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
	REAL(int, pthread_getattr_np, pthread_t, pthread_attr_t *);
	bool was = inside;

	inside = true;
	int error = real(thread, attributes);
	inside = was;
	return error;
}

/* Where memory is out half-way, glibc's loses what it had. */
char *setlocale(int category, const char *locale)
{
	REAL(char *, setlocale, int, const char *);
	bool was = inside;

	inside = true;
	char *got = real(category, locale);
	inside = was;
	return got;
}

int eventfd(unsigned value, int flags)
{
	REAL(int, eventfd, unsigned, int);
	return fails(EVENT, "eventfd") ? -1 : real(value, flags);
}

int epoll_create1(int flags)
{
	REAL(int, epoll_create1, int);
	return fails(EVENT, "epoll_create1") ? -1 : real(flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	REAL(int, epoll_ctl, int, int, int, struct epoll_event *);
	return operation != EPOLL_CTL_DEL && fails(EVENT, "epoll_ctl")
		       ? -1
		       : real(epoll, operation, fd, event);
}

int signalfd(int fd, const sigset_t *mask, int flags)
{
	REAL(int, signalfd, int, const sigset_t *, int);
	return fails(EVENT, "signalfd") ? -1 : real(fd, mask, flags);
}

int pipe2(int ends[2], int flags)
{
	REAL(int, pipe2, int *, int);
	return fails(EVENT, "pipe2") ? -1 : real(ends, flags);
}
