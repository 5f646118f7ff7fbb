#include "tests/fuzz/stage.h"

#include "common/err.h"
#include "common/lock.h"
#include "common/stream_private.h"
#include "tests/fuzz/require.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define BEGINNING   INT64_C(1794000000000000) /* microseconds, of both clocks */
#define FIRST_FD    (1 << 20)                 /* above any real one */
#define THREADS     8
#define WATCHED     64
#define ROUNDS_MOST 1000 /* of one thread until it waits */

struct stage_thread {
	void *(*run)(void *);
	void *argument;
};

/* What an epoll is to tell, once. */
struct watch {
	int fd;
	void *pointer; /* whose it is; NULL: a real descriptor that wakes */
	bool armed;
};

static struct {
	bool on;
	stage_step *step;
	void *context;
	size_t waits;
	int64_t now; /* microseconds */
	uint32_t random;
	int next_fd;
	struct stage_end *ends;
	struct stage_thread threads[THREADS];
	size_t thread_count;
	struct watch watches[WATCHED];
	size_t watch_count;
	bool in_thread; /* one of the threads has its turn, */
	jmp_buf turn;   /* which ends where it would wait */
	int rounds;
} stage;

/* ---- what the linker puts these in place of ---- */

int __real_clock_gettime(clockid_t which, struct timespec *ts);
int __wrap_clock_gettime(clockid_t which, struct timespec *ts);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
bool __real_lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline);
bool __wrap_lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline);
int __real_thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument);
int __wrap_thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument);
int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *e);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *e);
int __real_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
void __real_net_shutdown(int fd, int how);
void __wrap_net_shutdown(int fd, int how);
void __real_net_close(int fd);
void __wrap_net_close(int fd);
void __real_identity_random(void *out, size_t size);
void __wrap_identity_random(void *out, size_t size);

/* ---- time ---- */

int64_t stage_now_ms(void)
{
	return stage.now / 1000;
}

void stage_pass_ms(int64_t ms)
{
	stage.now += ms * 1000;
}

int __wrap_clock_gettime(clockid_t which, struct timespec *ts)
{
	if (!stage.on)
		return __real_clock_gettime(which, ts);
	ts->tv_sec = stage.now / 1000000;
	ts->tv_nsec = stage.now % 1000000 * 1000;
	return 0;
}

void __wrap_identity_random(void *out, size_t size)
{
	uint8_t *bytes = out;

	if (!stage.on) {
		__real_identity_random(out, size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		stage.random = stage.random * 1103515245U + 12345;
		bytes[i] = (uint8_t)(stage.random >> 16);
	}
}

/* ---- streams ---- */

struct stage_stream {
	struct stream base;
	struct stage_end *end; /* borrowed */
};

static struct stage_end *end_of(const struct stream *s)
{
	return ((const struct stage_stream *)s)->end;
}

static struct stage_end *find_end(int fd)
{
	struct stage_end *e = stage.ends;

	while (e && e->fd != fd)
		e = e->next;
	return e;
}

static int no_handshake(struct stream *s)
{
	(void)s;
	return 0;
}

static int receive(struct stream *s, void *buffer, size_t size, size_t *got)
{
	struct stage_end *e = end_of(s);

	if (e->in_length == 0 || e->gone)
		return e->closed ? ERR_CLOSED : ERR_AGAIN;
	if (size > e->cut)
		size = e->cut;
	if (size > e->in_length)
		size = e->in_length;
	memcpy(buffer, e->in, size);
	e->in += size;
	e->in_length -= size;
	*got = size;
	return 0;
}

static bool nothing(struct stream *s)
{
	(void)s;
	return false;
}

static void keep(struct stage_end *e, const void *bytes, size_t size)
{
	if (e->out_size - e->out_length < size) {
		e->out_size = (e->out_length + size) * 2;
		e->out = realloc(e->out, e->out_size);
		REQUIRE(e->out);
	}
	memcpy(e->out + e->out_length, bytes, size);
	e->out_length += size;
	e->room -= size;
}

static int send_pieces(struct stream *s, const struct iovec *pieces, int count, size_t *taken)
{
	struct stage_end *e = end_of(s);
	size_t sent = 0;

	if (e->shut)
		return ERR_CLOSED;
	for (int i = 0; i < count && e->room > 0; i++) {
		size_t size = pieces[i].iov_len < e->room ? pieces[i].iov_len : e->room;
		if (size)
			keep(e, pieces[i].iov_base, size);
		sent += size;
	}
	if (sent == 0)
		return ERR_AGAIN;
	*taken = sent;
	return 0;
}

static void no_goodbye(struct stream *s)
{
	(void)s;
}

static const uint8_t *nobody(const struct stream *s)
{
	(void)s;
	return NULL;
}

static const char *no_problem(const struct stream *s)
{
	(void)s;
	return "";
}

static int no_export(struct stream *s, const struct stream_export *what, uint8_t *out, size_t size)
{
	(void)s;
	(void)what;
	(void)out;
	(void)size;
	return ERR_NOT_FOUND;
}

static void free_stream(struct stream *s)
{
	free(s);
}

static const struct stream_kind kind = {
	.handshake = no_handshake,
	.recv = receive,
	.buffered = nothing,
	.send = send_pieces,
	.flush = no_handshake,
	.pending = nothing,
	.goodbye = no_goodbye,
	.rest = no_goodbye,
	.peer = nobody,
	.problem = no_problem,
	.export = no_export,
	.free = free_stream,
};

struct stream *stage_connect(struct stage_end *e)
{
	struct stage_stream *s = malloc(sizeof(*s));

	REQUIRE(s && e->cut > 0);
	e->fd = stage.next_fd++;
	e->next = stage.ends;
	stage.ends = e;
	*s = (struct stage_stream){.base = {.kind = &kind, .fd = e->fd}, .end = e};
	return &s->base;
}

void stage_end_fini(struct stage_end *e)
{
	REQUIRE(e->gone);
	free(e->out);
}

void __wrap_net_shutdown(int fd, int how)
{
	struct stage_end *e = find_end(fd);

	if (!e) {
		__real_net_shutdown(fd, how);
		return;
	}
	e->closed = e->closed || how != SHUT_WR;
	e->shut = e->shut || how != SHUT_RD;
}

void __wrap_net_close(int fd)
{
	struct stage_end **at = &stage.ends;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	if (!*at) {
		__real_net_close(fd);
		return;
	}
	(*at)->gone = true;
	*at = (*at)->next;
}

/* ---- waiting ---- */

static short events_of(const struct stage_end *e, short wanted)
{
	int events = 0;

	if (e->in_length > 0 || e->closed)
		events |= POLLIN;
	if (e->closed)
		events |= POLLRDHUP;
	if (e->room > 0 || e->shut)
		events |= POLLOUT;
	return (short)(events & wanted);
}

static int look(struct pollfd *fds, nfds_t count)
{
	int ready = 0;

	for (nfds_t i = 0; i < count; i++) {
		const struct stage_end *e = find_end(fds[i].fd);

		if (e)
			fds[i].revents = events_of(e, fds[i].events);
		else
			(void)__real_poll(&fds[i], 1, 0);
		ready += fds[i].revents != 0;
	}
	return ready;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t deadline = stage.now + (int64_t)timeout * 1000;
	int ready;

	if (!stage.on)
		return __real_poll(fds, count, timeout);
	REQUIRE(!stage.in_thread);
	/* Who waits for what is there already, again and again, does not wait. */
	REQUIRE(stage.waits-- > 0);
	while ((ready = look(fds, count)) == 0) {
		REQUIRE(stage.waits-- > 0);
		if (timeout >= 0 && stage.now >= deadline)
			return 0;
		if (stage.step(stage.context))
			continue;
		REQUIRE(timeout >= 0); /* for ever */
		stage.now = deadline;
	}
	return ready;
}

bool __wrap_lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline) LOCK_REQUIRES(l)
{
	if (!stage.on)
		return __real_lock_wait(l, c, deadline);
	if (stage.in_thread) {
		lock_drop(l);
		longjmp(stage.turn, 1); /* left where it waits */
	}
	REQUIRE(deadline != INT64_MAX); /* nobody would wake it */
	if (stage.now < deadline * 1000)
		stage.now = deadline * 1000;
	return false;
}

/* ---- threads ---- */

static pthread_t note_thread(void *(*run)(void *), void *argument)
{
	REQUIRE(stage.thread_count < THREADS);
	stage.threads[stage.thread_count++] =
		(struct stage_thread){.run = run, .argument = argument};
	return (pthread_t)stage.thread_count;
}

int __wrap_thread_start(
	pthread_t *thread, const char *name, size_t stack, void *(*run)(void *), void *argument)
{
	if (!stage.on)
		return __real_thread_start(thread, name, stack, run, argument);
	*thread = note_thread(run, argument);
	return 0;
}

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	if (!stage.on)
		return __real_pthread_create(thread, attributes, run, argument);
	*thread = note_thread(run, argument);
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	if (!stage.on || thread == 0 || thread > THREADS)
		return __real_pthread_join(thread, result);
	stage.threads[thread - 1].run = NULL;
	return 0;
}

static void run_thread(const struct stage_thread *t)
{
	stage.in_thread = true;
	stage.rounds = 0;
	if (setjmp(stage.turn) == 0)
		(void)t->run(t->argument);
	stage.in_thread = false;
}

void stage_run_threads(void)
{
	for (size_t i = 0; i < stage.thread_count; i++) {
		if (stage.threads[i].run)
			run_thread(&stage.threads[i]);
	}
}

void stage_run_last(void)
{
	REQUIRE(stage.thread_count > 0);
	const struct stage_thread *t = &stage.threads[stage.thread_count - 1];
	(void)t->run(t->argument);
}

/* ---- epoll, of which there is one ---- */

static struct watch *find_watch(int fd)
{
	size_t i = 0;

	while (i < stage.watch_count && stage.watches[i].fd != fd)
		i++;
	return i < stage.watch_count ? &stage.watches[i] : NULL;
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *e)
{
	struct watch *w = find_watch(fd);

	if (!stage.on)
		return __real_epoll_ctl(epoll, operation, fd, e);
	REQUIRE((operation == EPOLL_CTL_ADD) == !w);
	if (operation == EPOLL_CTL_DEL) {
		*w = stage.watches[--stage.watch_count];
		return 0;
	}
	if (!w) {
		REQUIRE(stage.watch_count < WATCHED);
		w = &stage.watches[stage.watch_count++];
	}
	*w = (struct watch){.fd = fd, .pointer = e->data.ptr, .armed = true};
	return 0;
}

/* Is there something to tell? What is once only is told then. */
static bool take_watch(struct watch *w)
{
	struct pollfd real = {.fd = w->fd, .events = POLLIN};
	const struct stage_end *e = find_end(w->fd);

	if (!e)
		return !w->pointer && __real_poll(&real, 1, 0) > 0;
	bool ready = w->armed && events_of(e, POLLOUT);
	w->armed = w->armed && !ready;
	return ready;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	int count = 0;

	if (!stage.on)
		return __real_epoll_wait(epoll, events, most, timeout);
	REQUIRE(stage.in_thread && stage.rounds < ROUNDS_MOST);
	for (size_t i = 0; i < stage.watch_count && count < most; i++) {
		if (take_watch(&stage.watches[i]))
			events[count++].data.ptr = stage.watches[i].pointer;
	}
	/* The first time it looks, whatever there is, for what is due by the clock. */
	if (count == 0 && stage.rounds > 0)
		longjmp(stage.turn, 1);
	stage.rounds++;
	return count;
}

/* ---- plays ---- */

void stage_begin(stage_step *step, void *context, size_t waits)
{
	REQUIRE(!stage.on && !stage.ends);
	memset(&stage, 0, sizeof(stage));
	stage.step = step;
	stage.context = context;
	stage.waits = waits;
	stage.now = BEGINNING;
	stage.next_fd = FIRST_FD;
	stage.on = true;
}

void stage_finish(void)
{
	REQUIRE(!stage.ends);
	stage.on = false;
}
