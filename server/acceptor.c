#include "server/acceptor.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/wakeup.h"
#include "server/refusal.h"
#include "server/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST       64
#define PAUSE_MS    100   /* between two tries when not even the reserve is left */
#define COMPLAIN_MS 10000 /* between two lines of log about that */

struct acceptor {
	pthread_t thread;
	int listener; /* constant, as are the next five */
	bool prepared;
	int wake; /* eventfd */
	acceptor_take *take;
	void *context;
	atomic_bool stopping;
	atomic_uint turns;
	_Atomic(uint64_t) refused;
	/* The thread's own. */
	int reserve; /* a descriptor to give up for a moment; -1 when there is none */
	int64_t complained;
};

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void complain(struct acceptor *a)
{
	if (clock_ms() - a->complained >= COMPLAIN_MS) {
		a->complained = clock_ms();
		log_warning(
			"out of descriptors or memory (%s): refusing connections; see ulimit -n",
			strerror(errno));
	}
}

/* No descriptor is left: spend the reserve on telling one newcomer so. Each takes one off the queue, so
 * they can go on as fast as they come. ERR_AGAIN: nobody waits; ERR_SYSTEM: another thread has got the
 * reserve's descriptor, or memory is out, and the newcomer stays in the queue. */
static int refuse_one(struct acceptor *a)
{
	struct net_address peer;
	int fd;

	complain(a);
	if (a->reserve >= 0)
		(void)close(a->reserve);
	int r = net_accept(a->listener, &fd, &peer);
	if (r == 0) {
		atomic_fetch_add_explicit(&a->refused, 1, memory_order_relaxed);
		refusal_send(fd, CODE_RESOURCES, NULL);
		net_close(fd);
	}
	a->reserve = open_reserve();
	return r;
}

/* Whoever waits can be neither taken nor told, and poll would say at once that they do. */
static void rest(const struct acceptor *a)
{
	struct pollfd p = {.fd = a->wake, .events = POLLIN};

	(void)poll(&p, 1, PAUSE_MS);
}

/* Take those that wait, a burst at a time: between two we look whether to stop. */
static void accept_some(struct acceptor *a)
{
	struct net_address peer;
	int fd, r = 0;

	for (int i = 0; i < BURST && r == 0; i++) {
		r = net_accept(a->listener, &fd, &peer);
		if (r == 0 && !a->prepared)
			net_prepare(fd, ACCEPTOR_SEND_BUFFER);
		if (r == 0)
			a->take(a->context, fd, &peer);
		else if (r != ERR_AGAIN)
			r = refuse_one(a);
	}
	if (r != 0 && r != ERR_AGAIN)
		rest(a);
}

static void *run(void *argument)
{
	struct acceptor *a = argument;
	struct pollfd p[2] = {
		{.fd = a->wake, .events = POLLIN},
		{.fd = a->listener, .events = POLLIN},
	};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents)
			wakeup_clear(a->wake);
		if (atomic_load(&a->stopping))
			break;
		atomic_fetch_add(&a->turns, 1);
		if (p[1].revents)
			accept_some(a);
	}
	return NULL;
}

/* All but the listener. */
static void destroy(struct acceptor *a)
{
	net_close(a->wake);
	net_close(a->reserve);
	free(a);
}

int acceptor_start(int listener, bool prepared, size_t stack, acceptor_take *take, void *context,
	struct acceptor **out)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (!a)
		return ERR_MEMORY;
	*a = (struct acceptor){.listener = listener,
		.prepared = prepared,
		.wake = -1,
		.take = take,
		.context = context};
	atomic_init(&a->stopping, false);
	atomic_init(&a->turns, 0);
	atomic_init(&a->refused, 0);
	a->complained = clock_ms() - COMPLAIN_MS;
	a->reserve = open_reserve();
	int r = wakeup_open(&a->wake);
	if (r == 0)
		r = thread_start(&a->thread, "acceptor", stack, run, a);
	if (r) {
		int saved = errno;
		destroy(a);
		errno = saved;
		return r;
	}
	*out = a;
	return 0;
}

void acceptor_nudge(struct acceptor *a)
{
	wakeup_signal(a->wake);
}

unsigned acceptor_turns(const struct acceptor *a)
{
	return atomic_load(&a->turns);
}

uint64_t acceptor_refused(const struct acceptor *a)
{
	return atomic_load_explicit(&a->refused, memory_order_relaxed);
}

void acceptor_stop(struct acceptor *a)
{
	if (!a)
		return;
	atomic_store(&a->stopping, true);
	wakeup_signal(a->wake);
	PTHREAD_OK(pthread_join(a->thread, NULL));
	net_close(a->listener);
	destroy(a);
}
