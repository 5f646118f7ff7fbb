/*
 * A pool of stores for reading: whoever reads takes one, and gives it back. Where several wait, those
 * who had least of it come first, so that nobody can keep others from reading by asking for more than all
 * the stores can bring.
 *
 * Several pools keep kinds of reading apart, so that nobody who looks one number
 * up waits behind a search.
 */
#ifndef LANCHAT_SERVER_STORE_POOL_H
#define LANCHAT_SERVER_STORE_POOL_H

#include "common/lock.h"
#include "server/store.h"

#include <pthread.h>

#define STORE_POOL_MOST 4

/* Somebody who waits for a store. */
struct store_waiter;

struct store_pool {
	struct lock lock;
	/* guarded by lock */
	struct store *idle[STORE_POOL_MOST]; /* owned */
	unsigned count;                      /* of those that are idle */
	struct store_waiter *first; /* on the stacks of those who wait, whose turn is first */
	unsigned waiting;
};

/* Open `count` stores for reading. Errors as store_open; the pool is then empty, and store_pool_fini
 * may be called all the same. */
int store_pool_init(
	struct store_pool *p, const char *path, unsigned count, char *error, size_t size);

/* All stores have been given back. */
void store_pool_fini(struct store_pool *p);

/* Wait for a store; NULL when `deadline` (clock_ms) passed first. `had` says how much of it the one for
 * whom it is has had, in any unit; among equals whoever came first is the first. */
struct store *store_pool_take(struct store_pool *p, int64_t had, int64_t deadline);
void store_pool_give(struct store_pool *p, struct store *s);

#endif
