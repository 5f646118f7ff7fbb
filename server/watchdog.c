#include "server/watchdog.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/net.h"
#include "common/wakeup.h"
#include "server/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS 4 /* in an interval: an answer that comes a little late is not late for the manager */

struct watchdog {
	struct watchdog_config config; /* constant, as are the next two */
	int wake;                      /* owned */
	pthread_t thread;
	atomic_bool stopping;
	/* The thread's own. */
	unsigned before[WATCHDOG_LOOPS]; /* turns when the loops were last asked */
	size_t loops;
};

static bool read_number(const char *text, unsigned long long *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && errno == 0;
}

int64_t watchdog_interval(const char *usec, const char *pid, pid_t self)
{
	unsigned long long n;

	if (pid && (!read_number(pid, &n) || n != (unsigned long long)self))
		return 0;
	if (!usec || !read_number(usec, &n) || n == 0 || n > INT64_MAX)
		return 0;
	return n < 2000 ? 1 : (int64_t)(n / 2000);
}

static void ask(struct watchdog *w)
{
	w->loops = w->config.turns(w->config.context, w->before);
	w->config.nudge(w->config.context);
}

/* Has every loop had a turn since? */
static bool all_answered(struct watchdog *w)
{
	unsigned now[WATCHDOG_LOOPS];
	size_t loops = w->config.turns(w->config.context, now);

	for (size_t i = 0; i < loops; i++) {
		if (now[i] == w->before[i])
			return false;
	}
	return loops == w->loops;
}

static void *run(void *argument)
{
	struct watchdog *w = argument;
	struct pollfd p = {.fd = w->wake, .events = POLLIN};
	int64_t told = clock_ms();
	int64_t look = w->config.interval_ms / LOOKS + 1;

	ask(w);
	while (!atomic_load(&w->stopping)) {
		(void)poll(&p, 1, (int)(look < 60000 ? look : 60000));
		int64_t now = clock_ms();
		if (now - told < w->config.interval_ms - look || !all_answered(w))
			continue;
		w->config.alive(w->config.context);
		told = now;
		ask(w);
	}
	return NULL;
}

int watchdog_start(const struct watchdog_config *config, struct watchdog **out)
{
	struct watchdog *w = calloc(1, sizeof(*w));

	if (!w)
		return ERR_MEMORY;
	w->config = *config;
	w->wake = -1;
	atomic_init(&w->stopping, false);
	int r = wakeup_open(&w->wake);
	if (r == 0)
		r = thread_start(&w->thread, "watchdog", thread_stack(), run, w);
	if (r) {
		int saved = errno;
		net_close(w->wake);
		free(w);
		errno = saved;
		return r;
	}
	*out = w;
	return 0;
}

void watchdog_stop(struct watchdog *w)
{
	if (!w)
		return;
	atomic_store(&w->stopping, true);
	wakeup_signal(w->wake);
	PTHREAD_OK(pthread_join(w->thread, NULL));
	net_close(w->wake);
	free(w);
}
