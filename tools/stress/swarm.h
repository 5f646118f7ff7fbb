/*
 * The swarm: all clients of a load, in one thread.
 *
 *     swarm.c         the phases of a run, and its loop (epoll(7))
 *     swarm_client.c  one client: connecting, bytes in and out
 *     swarm_take.c    what it is told: deliveries, acknowledgements
 *     swarm_pace.c    who says something when
 *     swarm_roles.c   who reads slowly, comes and goes, quits
 *     tally.c         times and counts, second by second
 *
 * A run connects everybody, lets the server rest, puts the load to it, waits until everybody has
 * everything, and says goodbye.
 *
 * Latency counts from the time at which a message was to be sent (by rate: at which it was due, whether
 * or not it could be sent then, so that a server that stalls does not keep its own stall out of the
 * figures; Tene, "How NOT to measure latency"), to the return of the call that received it.
 */
#ifndef LANCHAT_STRESS_SWARM_H
#define LANCHAT_STRESS_SWARM_H

#include "common/net.h"
#include "tools/stress/live.h"
#include "tools/stress/plan.h"
#include "tools/stress/result.h"
#include "tools/stress/subject.h"

struct swarm;

/* What a run has to do with. Borrowed. */
struct swarm_setting {
	const struct plan *plan;
	const struct net_address *at; /* the server */
	struct subject *subject;      /* NULL: it cannot be seen */
	struct live *live;
	int stop_fd; /* signalfd(2): a signal ends it early, with what there is; -1: never */
};

/* ERR_MEMORY, ERR_SYSTEM with errno, ERR_CRYPTO. */
int swarm_new(const struct swarm_setting *setting, struct swarm **out);
void swarm_free(struct swarm *s);

/* Run, and fill in of `*result` what was measured. ERR_REFUSED, ERR_TIMEOUT, ERR_CLOSED, ERR_SYSTEM,
 * ERR_MEMORY: there was no load, or it had to be ended; ERR_FULL: this machine has not enough ports.
 * `error` has a line. */
int swarm_run(struct swarm *s, struct result *result, char *error, size_t size);

#endif
