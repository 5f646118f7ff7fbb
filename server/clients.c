#include "server/clients.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/stream.h"
#include "server/refusal.h"
#include "server/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct clients *all;
	struct session *session;
	pthread_t thread;
	struct client *previous, *next; /* guarded by the lock of all */
};

struct clients {
	struct chat *chat; /* borrowed, constant */
	size_t stack;
	int ended_fd; /* eventfd */
	struct lock lock;
	/* guarded by lock */
	struct client *running, *ended;
	size_t count; /* running and ended */
	size_t most;
	bool stopping;
};

int clients_new(struct chat *c, size_t most, size_t stack, struct clients **out)
{
	struct clients *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return ERR_MEMORY;
	cs->chat = c;
	cs->most = most;
	cs->stack = stack;
	cs->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cs->ended_fd < 0) {
		free(cs);
		return ERR_SYSTEM;
	}
	lock_init(&cs->lock, LOCK_SERVER);
	*out = cs;
	return 0;
}

void clients_free(struct clients *cs)
{
	if (!cs)
		return;
	(void)close(cs->ended_fd);
	lock_fini(&cs->lock);
	free(cs);
}

static void unlink_locked(struct clients *cs, struct client *c)
{
	lock_assert_held(&cs->lock);
	if (c->previous)
		c->previous->next = c->next;
	else
		cs->running = c->next;
	if (c->next)
		c->next->previous = c->previous;
}

static void *run(void *argument)
{
	struct client *c = argument;
	struct clients *cs = c->all;
	uint64_t one = 1;

	session_run(c->session);
	lock_take(&cs->lock);
	/* From the thread itself: whoever created it may not have stored the id yet. */
	c->thread = pthread_self();
	unlink_locked(cs, c);
	c->next = cs->ended;
	cs->ended = c;
	lock_drop(&cs->lock);
	ssize_t n = write(cs->ended_fd, &one, sizeof(one));
	(void)n;
	return NULL;
}

/* ---- taking ---- */

/* A place for one more; it is in the count from then on. */
static enum code reserve(struct clients *cs)
{
	enum code code = CODE_NONE;

	lock_take(&cs->lock);
	if (cs->stopping)
		code = CODE_STOPPING;
	else if (cs->count >= cs->most)
		code = CODE_FULL;
	else
		cs->count++;
	lock_drop(&cs->lock);
	return code;
}

static void unreserve(struct clients *cs)
{
	lock_take(&cs->lock);
	cs->count--;
	lock_drop(&cs->lock);
}

static void link_client(struct clients *cs, struct client *c)
{
	lock_take(&cs->lock);
	c->previous = NULL;
	c->next = cs->running;
	if (c->next)
		c->next->previous = c;
	cs->running = c;
	bool late = cs->stopping;
	lock_drop(&cs->lock);
	if (late)
		session_stop(c->session);
}

static enum code start(struct clients *cs, struct client *c)
{
	pthread_t thread;

	c->all = cs;
	link_client(cs, c);
	if (thread_start(&thread, "session", cs->stack, run, c) == 0)
		return CODE_NONE;
	log_warning("no thread for %s (%s): refusing it; see RLIMIT_NPROC, kernel.pid_max and "
		    "vm.max_map_count",
		c->session->peer, strerror(errno));
	lock_take(&cs->lock);
	unlink_locked(cs, c);
	lock_drop(&cs->lock);
	return CODE_RESOURCES;
}

/* The descriptor goes from hand to hand: ours, the stream's, the session's. A refusal is sent while
 * one of them still has it open. */
static enum code admit(struct clients *cs, int fd, const struct net_address *peer)
{
	struct client *c = calloc(1, sizeof(*c));
	struct stream *stream = NULL;
	enum code code = CODE_RESOURCES;

	if (c && stream_new_plain(fd, &stream) == 0 &&
		session_new(cs->chat, stream, peer, &c->session) == 0)
		code = start(cs, c);
	if (code == CODE_NONE)
		return code;
	refusal_send(fd, code);
	if (c && c->session)
		session_free(c->session);
	else if (stream)
		stream_free(stream);
	else
		net_close(fd);
	free(c);
	return code;
}

void clients_take(void *context, int fd, const struct net_address *peer)
{
	struct clients *cs = context;
	enum code code = reserve(cs);

	if (code != CODE_NONE) {
		refusal_send(fd, code);
		net_close(fd);
	} else if (admit(cs, fd, peer) != CODE_NONE) {
		unreserve(cs);
	}
}

void clients_set_most(struct clients *cs, size_t most)
{
	lock_take(&cs->lock);
	cs->most = most;
	lock_drop(&cs->lock);
}

size_t clients_count(struct clients *cs)
{
	lock_take(&cs->lock);
	size_t n = cs->count;
	lock_drop(&cs->lock);
	return n;
}

/* ---- ending ---- */

int clients_fd(const struct clients *cs)
{
	return cs->ended_fd;
}

void clients_reap(struct clients *cs)
{
	uint64_t n;
	ssize_t got = read(cs->ended_fd, &n, sizeof(n));

	(void)got;
	lock_take(&cs->lock);
	struct client *ended = cs->ended;
	cs->ended = NULL;
	lock_drop(&cs->lock);
	while (ended) {
		struct client *c = ended;
		ended = c->next;
		PTHREAD_OK(pthread_join(c->thread, NULL));
		session_free(c->session);
		free(c);
		unreserve(cs);
	}
}

static void stop_all(struct clients *cs, bool cut)
{
	lock_take(&cs->lock);
	cs->stopping = true;
	for (struct client *c = cs->running; c; c = c->next) {
		session_stop(c->session);
		if (cut)
			stream_shutdown(c->session->outlet->stream, SHUT_RDWR);
	}
	lock_drop(&cs->lock);
}

void clients_stop(struct clients *cs, int64_t deadline)
{
	struct pollfd p = {.fd = cs->ended_fd, .events = POLLIN};

	stop_all(cs, false);
	while (clients_count(cs) > 0) {
		if (poll(&p, 1, clock_poll_timeout(deadline)) == 0) {
			/* Whoever has not taken its goodbye by now does without. */
			stop_all(cs, true);
			deadline = INT64_MAX;
		}
		clients_reap(cs);
	}
}
