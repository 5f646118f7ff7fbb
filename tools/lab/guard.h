/*
 * A thread that waits for SIGINT, SIGTERM and SIGHUP, which must be blocked in every thread, and then
 * stops whatever plays.
 */
#ifndef LANCHAT_LAB_GUARD_H
#define LANCHAT_LAB_GUARD_H

#include "common/lock.h"
#include "tools/lab/stage.h"

#include <stdbool.h>

struct guard {
	/* Constant while it runs. */
	pthread_t thread;
	int signals, done; /* descriptors, owned */

	struct lock lock;      /* LOCK_LEAF; and below */
	struct stage *playing; /* borrowed; NULL: nothing */
	bool told;             /* there was a signal */
};

/* Start and end the thread. ERR_SYSTEM. */
int guard_start(struct guard *g);
void guard_stop(struct guard *g);

/* What plays now; NULL: nothing, so that a stage can be closed. False: there was a signal, and nothing is
 * to begin. */
bool guard_set(struct guard *g, struct stage *s);

#endif
