#include "server/drain.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "server/outlet.h"
#include "server/pump.h"
#include "server/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

/* A growing list that other threads add to and the drain takes whole. */
struct bag {
	struct feed **items;
	size_t count, size;
};

struct drain {
	pthread_t thread;
	int epoll, wake; /* constant */
	drain_tick *tick;
	void *context;
	atomic_uint turns;

	struct lock lock;
	/* guarded by lock */
	struct bag feeds;       /* to be pumped; counted */
	struct outlet *leaving; /* to be forgotten, linked by next_leaving; counted */
	bool stopping;
	bool woken;        /* the eventfd is set and not yet read */
	int64_t next_tick; /* clock_ms: when the thread wakes by itself; INT64_MAX while it is awake */
};

static int bag_add(struct bag *b, struct feed *item)
{
	if (b->count == b->size) {
		size_t size = b->size ? b->size * 2 : 16;
		struct feed **grown = realloc(b->items, size * sizeof(*grown));
		if (!grown)
			return ERR_MEMORY;
		b->items = grown;
		b->size = size;
	}
	b->items[b->count++] = item;
	return 0;
}

static void wake_locked(struct drain *d)
{
	uint64_t one = 1;

	lock_assert_held(&d->lock);
	if (d->woken)
		return;
	d->woken = true;
	/* An eventfd takes a write unless its counter is full, and then the reader wakes anyway. */
	ssize_t n = write(d->wake, &one, sizeof(one));
	(void)n;
}

void drain_wake(struct drain *d)
{
	lock_take(&d->lock);
	wake_locked(d);
	lock_drop(&d->lock);
}

void drain_wake_by(struct drain *d, int64_t when)
{
	lock_take(&d->lock);
	if (when < d->next_tick)
		wake_locked(d);
	lock_drop(&d->lock);
}

unsigned drain_turns(const struct drain *d)
{
	return atomic_load(&d->turns);
}

void drain_feed(struct drain *d, struct feed *f)
{
	lock_take(&d->lock);
	/* Out of memory: the next message in the feed pumps it. */
	if (bag_add(&d->feeds, f) == 0)
		feed_ref(f);
	wake_locked(d);
	lock_drop(&d->lock);
}

void drain_watch(struct drain *d, struct outlet *o)
{
	struct epoll_event e = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = o};
	int operation = o->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	lock_assert_held(&o->lock);
	if (epoll_ctl(d->epoll, operation, stream_fd(o->stream), &e) != 0) {
		/* No memory in the kernel, or its limit of watches: without one the rest would
		 * never go out, so this connection ends, and its client resumes. */
		stream_shutdown(o->stream, SHUT_RDWR);
		return;
	}
	if (!o->watched) {
		o->watched = true;
		outlet_ref(o);
	}
}

void drain_forget(struct drain *d, struct outlet *o)
{
	lock_take(&o->lock);
	bool watched = o->watched;
	o->watched = false;
	if (watched)
		epoll_ctl(d->epoll, EPOLL_CTL_DEL, stream_fd(o->stream), NULL);
	lock_drop(&o->lock);
	if (!watched)
		return;
	/* The thread may just be looking at an event of it: only it can give the reference back. */
	lock_take(&d->lock);
	o->next_leaving = d->leaving;
	d->leaving = o;
	wake_locked(d);
	lock_drop(&d->lock);
}

/* ---- the thread ---- */

static void wait_and_push(struct drain *d, int64_t next_tick)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(d->epoll, events, EVENTS, clock_poll_timeout(next_tick));

	assert(n >= 0 || errno == EINTR);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			outlet_writable(events[i].data.ptr);
	}
}

/* Take what others have left here; true when the thread is to end. */
static bool take_work(struct drain *d, struct bag *feeds, struct outlet **leaving)
{
	uint64_t count;

	lock_take(&d->lock);
	if (d->woken) {
		ssize_t n = read(d->wake, &count, sizeof(count));
		(void)n;
		d->woken = false;
	}
	d->next_tick = INT64_MAX;
	*feeds = d->feeds;
	*leaving = d->leaving;
	d->feeds = (struct bag){0};
	d->leaving = NULL;
	bool stopping = d->stopping;
	lock_drop(&d->lock);
	return stopping;
}

/* Whoever had something for the tick while it ran has woken us already. */
static void plan(struct drain *d, int64_t next_tick)
{
	lock_take(&d->lock);
	d->next_tick = next_tick;
	lock_drop(&d->lock);
}

static void let_go(struct outlet *leaving)
{
	while (leaving) {
		struct outlet *o = leaving;
		leaving = o->next_leaving;
		outlet_unref(o);
	}
}

static void do_work(struct drain *d, struct bag *feeds)
{
	for (size_t i = 0; i < feeds->count; i++) {
		struct feed *f = feeds->items[i];
		/* One round each, so that one busy feed does not hold up the rest. */
		if (!pump_feed(f, 1))
			drain_feed(d, f);
		feed_unref(f);
	}
	free(feeds->items);
}

static void *run(void *argument)
{
	struct drain *d = argument;
	struct outlet *leaving;
	struct bag feeds;
	int64_t next_tick = clock_ms();
	bool stopping = false;

	while (!stopping) {
		wait_and_push(d, next_tick);
		stopping = take_work(d, &feeds, &leaving);
		let_go(leaving);
		do_work(d, &feeds);
		next_tick = d->tick(d->context, clock_ms());
		plan(d, next_tick);
		atomic_fetch_add(&d->turns, 1);
	}
	return NULL;
}

/* ---- life ---- */

static void destroy(struct drain *d)
{
	struct outlet *leaving;
	struct bag feeds;

	take_work(d, &feeds, &leaving);
	let_go(leaving);
	for (size_t i = 0; i < feeds.count; i++)
		feed_unref(feeds.items[i]);
	free(feeds.items);
	(void)close(d->epoll);
	(void)close(d->wake);
	lock_fini(&d->lock);
	free(d);
}

int drain_start(size_t stack, drain_tick *tick, void *context, struct drain **out)
{
	struct drain *d = calloc(1, sizeof(*d));
	struct epoll_event e = {.events = EPOLLIN};

	if (!d)
		return ERR_MEMORY;
	d->tick = tick;
	d->context = context;
	d->next_tick = INT64_MAX;
	atomic_init(&d->turns, 0);
	lock_init(&d->lock, LOCK_QUEUE);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = ERR_SYSTEM;
	if (d->epoll >= 0 && d->wake >= 0 && epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->wake, &e) == 0)
		r = thread_start(&d->thread, "drain", stack, run, d);
	if (r) {
		destroy(d);
		return r;
	}
	*out = d;
	return 0;
}

void drain_stop(struct drain *d)
{
	if (!d)
		return;
	lock_take(&d->lock);
	d->stopping = true;
	wake_locked(d);
	lock_drop(&d->lock);
	PTHREAD_OK(pthread_join(d->thread, NULL));
	destroy(d);
}
