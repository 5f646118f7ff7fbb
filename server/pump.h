/*
 * The pump: bringing what a feed has new to its members.
 *
 * Whoever published pumps, unless somebody does already, who then looks again. So
 * one message reaches every member by one direct send each, with no change of
 * threads, and under load the messages of many senders share a send by themselves
 * while nobody waits for a batch.
 */
#ifndef LANCHAT_SERVER_PUMP_H
#define LANCHAT_SERVER_PUMP_H

#include "server/feed.h"

#include <stdbool.h>

/* Send every member what it has not yet, at most `rounds` times over, as long as there is more.
 * False: there is still more, and the caller should have another thread pump (drain_feed). Any
 * thread with no lock held; never waits for a peer. */
bool pump_feed(struct feed *f, unsigned rounds);

#endif
