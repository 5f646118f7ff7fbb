/*
 * Metrics: what the server counts while it works, for --status (status.h).
 *
 * A counter only grows. It is a sum of one part for each processor, in cache lines of its own, so that
 * counting is an addition that no other thread waits for; where a thread runs is asked for without a
 * system call (sched_getcpu(3)), and a wrong answer costs time, not truth.
 *
 * Who counts what:
 *
 *     clients.c       connections, refusals, faults, logins, the limits of newcomers
 *     session.c       bytes that came, limits of time and rate (session_limit.c)
 *     session_say.c   what became of messages, and how long that took
 *     outlet.c        bytes and messages that went (with member.c)
 *
 * What has a number anyhow (people, rooms, the log, the beacon) is asked where it is.
 *
 * Any thread. NULL for a pointer is allowed wherever something is counted: nobody wants to know.
 */
#ifndef LANCHAT_SERVER_METRICS_H
#define LANCHAT_SERVER_METRICS_H

#include "common/histogram.h"
#include "common/message.h"
#include "server/limits.h"

#include <stdint.h>

/* Why a newcomer was refused. */
enum refusal {
	REFUSAL_FULL,        /* max-clients */
	REFUSAL_PER_ADDRESS, /* max-per-address */
	REFUSAL_LOGGING_IN,  /* max-logging-in */
	REFUSAL_PENALTY,     /* max-faults */
	REFUSAL_RESOURCES,   /* no descriptor, thread or memory */
	REFUSAL_STOPPING,
	REFUSALS,
};

enum metric {
	METRIC_CONNECTIONS, /* that were given a place */
	METRIC_LOGINS,
	METRIC_FAULTS,     /* peers that broke the protocol, or did not log in in time */
	METRIC_ACCEPTED,   /* messages kept, each once */
	METRIC_DUPLICATES, /* messages that came again and were known */
	METRIC_REFUSED,    /* messages refused for good */
	METRIC_RETRIED,    /* answers of RETRY */
	METRIC_DELIVERIES, /* messages put on their way to one connection each */
	METRIC_BYTES_IN,   /* of frames, before or after TLS */
	METRIC_BYTES_OUT,
	METRIC_REFUSAL, /* the first of REFUSALS */
	METRIC_LIMIT =
		METRIC_REFUSAL + REFUSALS, /* the first of LIMITS: how often it was reached */
	METRICS = METRIC_LIMIT + LIMITS,
};

struct metrics;

/* All zero. NULL: no memory. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is allowed */

void metrics_add(struct metrics *m, enum metric which, uint64_t count);

/* Somebody ran into a limit. */
void metrics_limit(struct metrics *m, enum limit limit);

/* A newcomer was refused with this code, which also counts for its limit. */
void metrics_refusal(struct metrics *m, enum code code);

/* `count` messages were acknowledged so many microseconds after they had been understood. */
void metrics_appended(struct metrics *m, uint64_t took_us, uint64_t count);

/* The sums of now. */
void metrics_read(const struct metrics *m, uint64_t counters[METRICS]);
void metrics_read_appends(const struct metrics *m, struct histogram_view *out);

#endif
