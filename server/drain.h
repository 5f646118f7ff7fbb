/*
 * The drain thread: what cannot be done by whoever had something to say.
 *
 * It goes on sending when a full socket has room again, pumps feeds for which no
 * other thread will, and calls back at intervals. It never reads the history and
 * never waits for anything but its own queue and epoll.
 */
#ifndef LANCHAT_SERVER_DRAIN_H
#define LANCHAT_SERVER_DRAIN_H

#include "server/feed.h"

#include <stdint.h>

struct drain;
struct outlet;

/* Called on the drain's thread; returns the time of the next call at the latest, clock_ms. */
typedef int64_t drain_tick(void *context, int64_t now);

/* Start the thread. ERR_SYSTEM, ERR_MEMORY. */
int drain_start(size_t stack, drain_tick *tick, void *context, struct drain **out);

/* Stop and join it; what waited is let go of. NULL is allowed. */
void drain_stop(struct drain *d);

/* Have outlet_writable called when the outlet's socket has room. The outlet's lock is held. */
void drain_watch(struct drain *d, struct outlet *o);

/* The outlet's connection is over: forget the descriptor, and the reference that watching took.
 * Any thread, no lock held. */
void drain_forget(struct drain *d, struct outlet *o);

/* Have the feed pumped. Any thread. */
void drain_feed(struct drain *d, struct feed *f);

/* Call the tick again soon. Any thread. */
void drain_wake(struct drain *d);

/* Call the tick at that time (clock_ms; INT64_MAX: never) at the latest: what there is for it to do was
 * there before. Wakes the thread only if it means to sleep longer. Any thread. */
void drain_wake_by(struct drain *d, int64_t when);

/* How often it has gone round. Any thread. */
unsigned drain_turns(const struct drain *d);

#endif
