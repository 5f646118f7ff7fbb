#include "tools/lab/guard.h"

#include "common/err.h"
#include "common/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void *watch(void *of)
{
	struct guard *g = of;

	for (;;) {
		struct pollfd p[] = {{g->signals, POLLIN, 0}, {g->done, POLLIN, 0}};
		struct signalfd_siginfo info;
		(void)poll(p, 2, -1);
		if (p[1].revents)
			return NULL;
		if (!p[0].revents || read(g->signals, &info, sizeof(info)) < 0)
			continue;
		lock_take(&g->lock);
		g->told = true;
		if (g->playing)
			stage_stop(g->playing);
		lock_drop(&g->lock);
	}
}

int guard_start(struct guard *g)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	*g = (struct guard){.done = -1};
	g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0 || wakeup_open(&g->done) != 0) {
		net_close(g->signals);
		return ERR_SYSTEM;
	}
	lock_init(&g->lock, LOCK_LEAF);
	int e = pthread_create(&g->thread, NULL, watch, g);
	if (e == 0)
		return 0;
	net_close(g->signals);
	net_close(g->done);
	lock_fini(&g->lock);
	errno = e;
	return ERR_SYSTEM;
}

void guard_stop(struct guard *g)
{
	wakeup_signal(g->done);
	PTHREAD_OK(pthread_join(g->thread, NULL));
	net_close(g->signals);
	net_close(g->done);
	lock_fini(&g->lock);
}

bool guard_set(struct guard *g, struct stage *s)
{
	lock_take(&g->lock);
	g->playing = s;
	bool go = !g->told;
	if (s && !go)
		stage_stop(s);
	lock_drop(&g->lock);
	return go;
}
