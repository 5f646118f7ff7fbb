#include "server/service.h"

#include "common/err.h"
#include "common/log.h"
#include "common/net.h"
#include "common/wakeup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int service_open(struct service *s)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int r = 0;

	*s = (struct service){.wake = -1};
	atomic_init(&s->turns, 0);
	s->interval_ms = watchdog_interval(usec, pid, getpid());
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	notify_open(&s->notify);
	if (s->notify.fd >= 0 && s->interval_ms > 0)
		r = wakeup_open(&s->wake);
	if (r)
		notify_close(&s->notify);
	return r;
}

void service_close(struct service *s)
{
	net_close(s->wake);
	s->wake = -1;
	notify_close(&s->notify);
}

/* ---- signs of life ---- */

static void nudge(void *context)
{
	struct service *s = context;

	wakeup_signal(s->wake);
	server_nudge(s->server);
}

static size_t count_turns(void *context, unsigned turns[WATCHDOG_LOOPS])
{
	struct service *s = context;

	turns[0] = atomic_load(&s->turns);
	return 1 + server_turns(s->server, turns + 1, WATCHDOG_LOOPS - 1);
}

static void alive(void *context)
{
	const struct service *s = context;

	notify_send(&s->notify, "WATCHDOG=1");
}

int service_fd(const struct service *s)
{
	return s->wake;
}

void service_turn(struct service *s)
{
	if (s->wake < 0)
		return;
	wakeup_clear(s->wake);
	atomic_fetch_add(&s->turns, 1);
}

/* ---- what it does ---- */

void service_ready(struct service *s, struct server *server)
{
	const struct watchdog_config config = {.interval_ms = s->interval_ms,
		.context = s,
		.nudge = nudge,
		.turns = count_turns,
		.alive = alive};
	struct net_address address;
	char text[NET_ADDRESS_MAX] = "";

	s->server = server;
	if (server_invite(server, &address, 1) > 0)
		net_print(&address, text);
	notify_send(&s->notify, "READY=1\nMAINPID=%ld\nSTATUS=%s takes clients%s%s", (long)getpid(),
		server_name(server), text[0] ? " at " : "", text);
	if (s->wake < 0)
		return;
	int r = watchdog_start(&config, &s->watchdog);
	/* The manager will then take the server for dead, so it should be known why. */
	if (r)
		log_error("no signs of life for the service manager: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
}

void service_reloading(const struct service *s)
{
	struct timespec now;

	/* Of this clock, whatever clock_ms goes by: the manager compares. */
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return;
	notify_send(&s->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_reloaded(const struct service *s)
{
	notify_send(&s->notify, "READY=1");
}

void service_stopping(struct service *s)
{
	watchdog_stop(s->watchdog);
	s->watchdog = NULL;
	notify_send(&s->notify, "STOPPING=1\nSTATUS=saying goodbye");
}
