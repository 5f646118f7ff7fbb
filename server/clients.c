#include "server/clients.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/stream.h"
#include "server/refusal.h"
#include "server/stack.h"
#include "server/thread.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_MS  1000 /* for all to have heard their last message, when the server stops */
#define TRIM_FROM 64   /* connections; fewer leave too little behind to be worth a look */
#define TRIM_EACH 500  /* connections that have ended */
#define TRIM_CALM 8    /* the same, when it is calm */
#define CALM_MS   1250 /* without one that comes or leaves; those that came are at rest by then */

struct client {
	struct clients *all;
	struct session *session;
	struct net_address peer;
	pthread_t thread;
	struct stack stack;             /* that it runs on; owned */
	struct client *previous, *next; /* guarded by the lock of all, as is the next */
	bool quiet;                     /* it has heard its last message */
	bool logged_in;
};

struct clients {
	struct chat *chat; /* borrowed, constant */
	struct tls *tls;   /* the same; NULL: plaintext */
	size_t stack;      /* bytes of each */
	int ended_fd;      /* eventfd */
	struct lock lock;
	pthread_cond_t all_quiet;
	/* guarded by lock */
	struct client *running, *ended;
	size_t running_count;
	size_t quiet;            /* of the running ones: those that have heard their last message */
	int64_t quiet_deadline;  /* clock_ms; while stopping */
	size_t count;            /* running and ended */
	size_t most;             /* there ever were of those */
	size_t crowd;            /* there were at most since memory was given back */
	size_t come;             /* that logged in since then */
	size_t gone;             /* that ended since then */
	int64_t changed_at;      /* clock_ms: when the last of those did either */
	size_t logging_in;       /* of those: not logged in */
	struct sources *sources; /* owned: where all of them come from */
	struct clients_limits limits;
	bool stopping;
};

int clients_new(struct chat *c, struct tls *tls, const struct clients_limits *limits, size_t stack,
	struct clients **out)
{
	struct clients *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return ERR_MEMORY;
	cs->chat = c;
	cs->tls = tls;
	cs->limits = *limits;
	cs->stack = stack;
	cs->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cs->sources = sources_new();
	if (cs->ended_fd < 0 || !cs->sources) {
		int r = cs->ended_fd < 0 ? ERR_SYSTEM : ERR_MEMORY;
		net_close(cs->ended_fd);
		sources_free(cs->sources);
		free(cs);
		return r;
	}
	lock_init(&cs->lock, LOCK_SERVER);
	lock_cond_init(&cs->all_quiet);
	*out = cs;
	return 0;
}

void clients_free(struct clients *cs)
{
	if (!cs)
		return;
	(void)close(cs->ended_fd);
	PTHREAD_OK(pthread_cond_destroy(&cs->all_quiet));
	lock_fini(&cs->lock);
	sources_free(cs->sources);
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
	cs->running_count--;
	if (c->quiet)
		cs->quiet--;
	PTHREAD_OK(pthread_cond_broadcast(&cs->all_quiet));
}

/* A session has heard its last message. When the server stops, it waits until all have: what one
 * client is told was accepted has then been published to every other one, which is still here to get
 * it. */
static void wait_until_quiet(void *context)
{
	struct client *c = context;
	struct clients *cs = c->all;

	lock_take(&cs->lock);
	c->quiet = true;
	cs->quiet++;
	PTHREAD_OK(pthread_cond_broadcast(&cs->all_quiet));
	while (cs->stopping && cs->quiet < cs->running_count) {
		if (!lock_wait(&cs->lock, &cs->all_quiet, cs->quiet_deadline))
			break;
	}
	lock_drop(&cs->lock);
}

/* Whoever polls clients_fd. */
static void wake(const struct clients *cs)
{
	uint64_t one = 1;
	ssize_t n = write(cs->ended_fd, &one, sizeof(one));

	(void)n;
}

static void note_login(void *context)
{
	struct client *c = context;
	struct clients *cs = c->all;

	lock_take(&cs->lock);
	cs->logging_in -= !c->logged_in;
	c->logged_in = true;
	bool crowd = ++cs->come == TRIM_FROM;
	cs->changed_at = clock_ms();
	lock_drop(&cs->lock);
	if (crowd)
		wake(cs); /* clients_next has a time for it now */
	metrics_add(chat_metrics(cs->chat), METRIC_LOGINS, 1);
}

/* At once: connections that were there before would have guesses of their own otherwise. */
static enum code judge_guess(void *context, bool right)
{
	struct client *c = context;
	struct clients *cs = c->all;

	lock_take(&cs->lock);
	enum code code = sources_guess(cs->sources, &c->peer, &cs->limits.here, right, clock_ms());
	lock_drop(&cs->lock);
	if (code == CODE_NONE && !right)
		metrics_add(chat_metrics(cs->chat), METRIC_FAULTS, 1);
	return code;
}

static bool count_share(void *context, enum session_share what, bool in, int64_t *ms)
{
	struct client *c = context;
	struct clients *cs = c->all;
	bool may = true;

	lock_take(&cs->lock);
	if (what == SESSION_ROOM && in)
		may = sources_enter_room(cs->sources, &c->peer, &cs->limits.here);
	else if (what == SESSION_ROOM)
		sources_leave_room(cs->sources, &c->peer);
	else if (in)
		may = sources_enter_search(cs->sources, &c->peer, clock_ms(), ms);
	else
		sources_leave_search(cs->sources, &c->peer, *ms, clock_ms());
	lock_drop(&cs->lock);
	return may;
}

static void *run(void *argument)
{
	struct client *c = argument;
	struct clients *cs = c->all;

	session_run(c->session, wait_until_quiet, c);
	bool misbehaved = session_misbehaved(c->session);
	metrics_add(chat_metrics(cs->chat), METRIC_FAULTS, misbehaved);
	lock_take(&cs->lock);
	if (misbehaved)
		sources_blame(cs->sources, &c->peer, clock_ms());
	/* From the thread itself: whoever created it may not have stored the id yet. */
	c->thread = pthread_self();
	unlink_locked(cs, c);
	c->next = cs->ended;
	cs->ended = c;
	lock_drop(&cs->lock);
	wake(cs);
	return NULL;
}

/* ---- taking ---- */

static bool is_full(size_t count, long most)
{
	return most >= 0 && count >= (size_t)most;
}

/* A place for one more; it is in the counts from then on. */
static enum code reserve(struct clients *cs, const struct net_address *peer)
{
	enum code code = CODE_NONE;

	lock_take(&cs->lock);
	if (cs->stopping)
		code = CODE_STOPPING;
	else if (is_full(cs->count, cs->limits.most))
		code = CODE_FULL;
	else if (is_full(cs->logging_in, cs->limits.logging_in))
		code = CODE_TOO_MANY_LOGINS;
	else
		code = sources_enter(cs->sources, peer, &cs->limits.here, clock_ms());
	if (code == CODE_NONE) {
		cs->count++;
		cs->logging_in++;
		if (cs->count > cs->most)
			cs->most = cs->count;
		if (cs->count > cs->crowd)
			cs->crowd = cs->count;
	}
	lock_drop(&cs->lock);
	return code;
}

static void unreserve(struct clients *cs, const struct net_address *peer, bool logged_in)
{
	lock_take(&cs->lock);
	cs->count--;
	cs->gone++;
	cs->changed_at = clock_ms();
	cs->logging_in -= !logged_in;
	sources_leave(cs->sources, peer, clock_ms());
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
	cs->running_count++;
	bool late = cs->stopping;
	lock_drop(&cs->lock);
	if (late)
		session_stop(c->session);
}

static enum code start(struct clients *cs, struct client *c)
{
	pthread_t thread;

	c->all = cs;
	session_on_logged_in(c->session, note_login, c);
	session_on_guess(c->session, judge_guess, c);
	session_on_share(c->session, count_share, c);
	session_on_stack(c->session, &c->stack);
	link_client(cs, c);
	if (stack_new(cs->stack, &c->stack) == 0 &&
		thread_start_on(&c->stack, &thread, "session", run, c) == 0)
		return CODE_NONE;
	log_warning("no thread for %s (%s): refusing it; see RLIMIT_NPROC, RLIMIT_AS (ulimit -v), "
		    "kernel.pid_max and vm.max_map_count",
		c->session->peer, strerror(errno));
	lock_take(&cs->lock);
	unlink_locked(cs, c);
	lock_drop(&cs->lock);
	return CODE_RESOURCES;
}

static int open_stream(const struct clients *cs, int fd, struct stream **out)
{
	return cs->tls ? stream_new_tls(fd, cs->tls, out) : stream_new_plain(fd, out);
}

/* The descriptor goes from hand to hand: ours, the stream's, the session's. A refusal is sent while
 * one of them still has it open. */
static enum code admit(struct clients *cs, int fd, const struct net_address *peer)
{
	struct client *c = calloc(1, sizeof(*c));
	struct stream *stream = NULL;
	enum code code = CODE_RESOURCES;

	if (c)
		c->peer = *peer;
	if (c && open_stream(cs, fd, &stream) == 0 &&
		session_new(cs->chat, stream, peer, &c->session) == 0)
		code = start(cs, c);
	if (code == CODE_NONE)
		return code;
	metrics_refusal(chat_metrics(cs->chat), code);
	refusal_send(fd, code, NULL);
	if (c && c->session)
		session_free(c->session);
	else if (stream)
		stream_free(stream);
	else
		net_close(fd);
	if (c)
		stack_free(&c->stack);
	free(c);
	return code;
}

void clients_take(void *context, int fd, const struct net_address *peer)
{
	struct clients *cs = context;
	enum code code = reserve(cs, peer);

	/* Counted before anybody can know. */
	if (code != CODE_NONE) {
		metrics_refusal(chat_metrics(cs->chat), code);
		refusal_send(fd, code, NULL);
		net_close(fd);
		return;
	}
	metrics_add(chat_metrics(cs->chat), METRIC_CONNECTIONS, 1);
	if (admit(cs, fd, peer) != CODE_NONE)
		unreserve(cs, peer, false);
}

void clients_set_limits(struct clients *cs, const struct clients_limits *limits)
{
	lock_take(&cs->lock);
	cs->limits = *limits;
	lock_drop(&cs->lock);
}

size_t clients_count(struct clients *cs)
{
	lock_take(&cs->lock);
	size_t n = cs->count;
	lock_drop(&cs->lock);
	return n;
}

void clients_numbers(struct clients *cs, struct clients_numbers *out)
{
	lock_take(&cs->lock);
	*out = (struct clients_numbers){
		.now = cs->count,
		.most = cs->most,
		.logging_in = cs->logging_in,
	};
	lock_drop(&cs->lock);
}

/* ---- ending ---- */

int clients_fd(const struct clients *cs)
{
	return cs->ended_fd;
}

static int64_t calm_at_locked(const struct clients *cs)
{
	lock_assert_held(&cs->lock);
	bool many = cs->gone >= TRIM_CALM || cs->come >= TRIM_FROM;
	return many ? cs->changed_at + CALM_MS : INT64_MAX;
}

/* What connections had, and what they needed to come in, is left as holes in the heap, which malloc
 * keeps by itself (malloc_trim(3)). It is given back whenever half of a crowd is gone, after every so
 * many that came and went, and when it is calm again: that is rare, and costs less than they did. */
static void give_back(struct clients *cs)
{
	lock_take(&cs->lock);
	bool half = cs->crowd >= TRIM_FROM && cs->count <= cs->crowd / 2;
	bool calm = clock_ms() >= calm_at_locked(cs);
	bool trim = !cs->stopping && (half || calm || cs->gone >= TRIM_EACH);
	if (trim) {
		cs->crowd = cs->count;
		cs->come = cs->gone = 0;
	}
	lock_drop(&cs->lock);
	if (trim)
		(void)malloc_trim(0);
}

int64_t clients_next(struct clients *cs)
{
	lock_take(&cs->lock);
	int64_t next = calm_at_locked(cs);
	lock_drop(&cs->lock);
	return next;
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
		stack_free(&c->stack);
		session_free(c->session);
		unreserve(cs, &c->peer, c->logged_in);
		free(c);
	}
	give_back(cs);
}

static void stop_all(struct clients *cs, bool cut)
{
	lock_take(&cs->lock);
	if (!cs->stopping)
		cs->quiet_deadline = clock_ms() + QUIET_MS;
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
