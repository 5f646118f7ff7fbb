#include "server/status_socket.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/net.h"
#include "common/wakeup.h"
#include "server/status_path.h"
#include "server/status_print.h"
#include "server/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE    0600
#define BACKLOG 16 /* that wait for a place: within the patience of whoever asks, STATUS_ASK_MS */

struct peer {
	int fd;           /* -1: the place is free */
	int64_t deadline; /* clock_ms */
	char line[STATUS_LINE_MAX];
	size_t got;
	char *answer; /* owned; NULL: the question is not complete */
	size_t length, sent;
};

struct status_socket {
	/* Constant after start. */
	int folder;   /* owned, as are the next two; O_PATH */
	int listener; /* -1 when there is none */
	int wake;
	pthread_t thread;
	atomic_bool stopping;

	/* The thread's own. */
	int reserve; /* a descriptor to give up for a peer when there are no others; -1 */
	int64_t next_sample, deaf_until;
	struct status_watch *watch; /* owned */
	struct peer peers[STATUS_PEERS];
};

/* ---- one peer ---- */

static void hang_up(struct peer *p)
{
	net_close(p->fd);
	free(p->answer);
	*p = (struct peer){.fd = -1};
}

/* Ours, or root's. */
static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t length = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
		return false;
	return who.uid == 0 || who.uid == geteuid();
}

/* The whole answer, with its header, in memory. ERR_MEMORY. */
static int compose(
	const struct status *status, enum status_format format, char **out, size_t *length)
{
	char header[STATUS_HEADER_MAX], *body = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&body, &size);

	if (!f)
		return ERR_MEMORY;
	status_print(status, format, f);
	bool good = ferror(f) == 0;
	good = fclose(f) == 0 && good;
	int n = snprintf(header, sizeof(header), STATUS_HEADER, size);
	char *all = good && n > 0 ? malloc((size_t)n + size) : NULL;
	if (all) {
		memcpy(all, header, (size_t)n);
		memcpy(all + n, body, size);
		*out = all;
		*length = (size_t)n + size;
	}
	free(body);
	return all ? 0 : ERR_MEMORY;
}

static int find_format(const char *name, size_t length, enum status_format *out)
{
	for (size_t i = 0; i < STATUS_FORMATS; i++) {
		if (strlen(status_format_names[i]) == length &&
			memcmp(status_format_names[i], name, length) == 0) {
			*out = (enum status_format)i;
			return 0;
		}
	}
	return ERR_PROTOCOL;
}

/* 0: the answer is there; ERR_AGAIN: the question is not; anything else: hang up. */
static int hear(struct status_socket *s, struct peer *p)
{
	enum status_format format;
	ssize_t n = recv(p->fd, p->line + p->got, sizeof(p->line) - p->got, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : ERR_CLOSED;
	if (n == 0)
		return ERR_CLOSED;
	p->got += (size_t)n;
	const char *end = memchr(p->line, '\n', p->got);
	if (!end)
		return p->got == sizeof(p->line) ? ERR_PROTOCOL : ERR_AGAIN;
	int r = find_format(p->line, (size_t)(end - p->line), &format);
	if (r)
		return r;
	return compose(status_gather(s->watch, clock_ms()), format, &p->answer, &p->length);
}

/* 0: all of it is on its way; ERR_AGAIN: there is more. */
static int tell(struct peer *p)
{
	ssize_t n = send(p->fd, p->answer + p->sent, p->length - p->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : ERR_CLOSED;
	p->sent += (size_t)n;
	return p->sent < p->length ? ERR_AGAIN : 0;
}

static void serve(struct status_socket *s, struct peer *p)
{
	int r = p->answer ? 0 : hear(s, p);

	if (r == 0)
		r = tell(p);
	if (r != ERR_AGAIN)
		hang_up(p);
}

/* ---- all of them ---- */

static struct peer *free_place(struct status_socket *s)
{
	for (size_t i = 0; i < STATUS_PEERS; i++) {
		if (s->peers[i].fd < 0)
			return &s->peers[i];
	}
	return NULL;
}

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* When there are no descriptors left, an administrator wants to know. */
static int accept_one(struct status_socket *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || s->reserve < 0)
		return fd;
	net_close(s->reserve);
	s->reserve = -1;
	return accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void accept_some(struct status_socket *s, int64_t now)
{
	struct peer *p;

	while ((p = free_place(s)) != NULL) {
		int fd = accept_one(s);
		if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			s->deaf_until =
				now + STATUS_SAMPLE_MS; /* or poll would report it for ever */
		if (fd < 0)
			return;
		if (!may_ask(fd)) {
			net_close(fd);
			continue;
		}
		*p = (struct peer){.fd = fd, .deadline = now + STATUS_PEER_MS};
	}
}

enum {
	AT_WAKE,
	AT_LISTENER,
	AT_PEERS,
	FDS = AT_PEERS + STATUS_PEERS
};

static void wait_for_something(struct status_socket *s, struct pollfd fds[FDS], int64_t now)
{
	bool listens = now >= s->deaf_until && free_place(s);
	int64_t deadline = s->next_sample;

	fds[AT_WAKE] = (struct pollfd){.fd = s->wake, .events = POLLIN};
	fds[AT_LISTENER] = (struct pollfd){.fd = listens ? s->listener : -1, .events = POLLIN};
	for (size_t i = 0; i < STATUS_PEERS; i++) {
		const struct peer *p = &s->peers[i];
		short events = p->answer ? POLLOUT : POLLIN;
		fds[AT_PEERS + i] = (struct pollfd){.fd = p->fd, .events = events};
		if (p->fd >= 0)
			deadline = clock_earlier(deadline, p->deadline);
	}
	(void)poll(fds, FDS, clock_poll_timeout(deadline));
}

static void turn(struct status_socket *s)
{
	struct pollfd fds[FDS] = {0};

	wait_for_something(s, fds, clock_ms());
	int64_t now = clock_ms();
	if (now >= s->next_sample) {
		status_sample(s->watch, now);
		s->next_sample = now + STATUS_SAMPLE_MS;
		if (s->reserve < 0)
			s->reserve = open_reserve();
	}
	for (size_t i = 0; i < STATUS_PEERS; i++) {
		struct peer *p = &s->peers[i];
		if (p->fd >= 0 && fds[AT_PEERS + i].revents)
			serve(s, p);
		if (p->fd >= 0 && now >= p->deadline)
			hang_up(p);
	}
	if (fds[AT_LISTENER].revents)
		accept_some(s, now);
}

static void *run(void *argument)
{
	struct status_socket *s = argument;

	while (!atomic_load(&s->stopping))
		turn(s);
	return NULL;
}

/* ---- life ---- */

/* What a killed server left. */
static int remove_stale(int folder)
{
	struct stat st;

	if (fstatat(folder, STATUS_SOCKET_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : ERR_SYSTEM;
	if (!S_ISSOCK(st.st_mode))
		return ERR_EXISTS;
	return unlinkat(folder, STATUS_SOCKET_FILE, 0) == 0 ? 0 : ERR_SYSTEM;
}

static int listen_in(struct status_socket *s, const struct data_folder *folder)
{
	struct sockaddr_un address;
	socklen_t length;

	s->folder = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0)
		return ERR_SYSTEM;
	int r = remove_stale(s->folder);
	if (r)
		return r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	/* Linux gives the file the mode of the socket, so there is no moment at which others could
	 * connect; the umask is the whole process's, and other threads make files. */
	status_path(folder->path, s->folder, &address, &length);
	if (fchmod(fd, MODE) != 0 || bind(fd, (const struct sockaddr *)&address, length) != 0) {
		int saved = errno;
		net_close(fd);
		errno = saved;
		return ERR_SYSTEM;
	}
	s->listener = fd;
	if (fchmodat(s->folder, STATUS_SOCKET_FILE, MODE, 0) != 0 || listen(fd, BACKLOG) != 0)
		return ERR_SYSTEM;
	return 0;
}

static void release(struct status_socket *s)
{
	int saved = errno;

	if (s->listener >= 0)
		(void)unlinkat(s->folder, STATUS_SOCKET_FILE, 0);
	for (size_t i = 0; i < STATUS_PEERS; i++)
		hang_up(&s->peers[i]);
	net_close(s->listener);
	net_close(s->folder);
	net_close(s->reserve);
	net_close(s->wake);
	status_watch_free(s->watch);
	free(s);
	errno = saved;
}

int status_socket_start(const struct data_folder *folder, const struct status_sources *sources,
	struct status_socket **out)
{
	struct status_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_MEMORY;
	s->folder = s->listener = s->wake = -1;
	s->reserve = open_reserve();
	for (size_t i = 0; i < STATUS_PEERS; i++)
		s->peers[i].fd = -1;
	s->next_sample = clock_ms() + STATUS_SAMPLE_MS;
	int r = status_watch_new(sources, &s->watch);
	if (r == 0)
		r = wakeup_open(&s->wake);
	if (r == 0)
		r = listen_in(s, folder);
	if (r == 0)
		r = thread_start(&s->thread, "status", thread_stack(), run, s);
	if (r) {
		release(s);
		return r;
	}
	*out = s;
	return 0;
}

void status_socket_stop(struct status_socket *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	wakeup_signal(s->wake);
	PTHREAD_OK(pthread_join(s->thread, NULL));
	release(s);
}
