/*
 * The watchdog: tells the service manager at intervals that the server lives, and only then.
 *
 * A thread of its own that did nothing but tell so would prove that threads run. It asks every loop
 * that all clients depend on (main, each acceptor, the drain) for a turn, and goes through the locks
 * that every login needs; it tells "alive" once each has had its turn since it was asked. A deadlock
 * or a loop that hangs leaves it without an answer, or waiting itself. The log is left out on purpose:
 * a disk that hangs is not mended by a new process, and appends that wait for it are told so. So are
 * single connections, which have deadlines of their own.
 */
#ifndef LANCHAT_SERVER_WATCHDOG_H
#define LANCHAT_SERVER_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WATCHDOG_LOOPS 40

struct watchdog;

/* All called by the watchdog's thread. */
struct watchdog_config {
	int64_t interval_ms; /* between two signs of life; looked at four times as often */
	void *context;
	/* Wake every loop for a turn, and go through locks that must not be held for long. */
	void (*nudge)(void *context);
	/* How many turns each loop has had; returns how many loops there are, always the same. */
	size_t (*turns)(void *context, unsigned turns[WATCHDOG_LOOPS]);
	void (*alive)(void *context);
};

/* The time between two signs of life that the environment asks for (WATCHDOG_USEC, WATCHDOG_PID), in
 * milliseconds: half of what the manager tolerates. 0: none are asked for. Pure; NULL: unset. */
int64_t watchdog_interval(const char *usec, const char *pid, pid_t self);

/* ERR_SYSTEM with errno, ERR_MEMORY. */
int watchdog_start(const struct watchdog_config *config, struct watchdog **out);

/* Stop and join it. NULL is allowed. */
void watchdog_stop(struct watchdog *w);

#endif
