#include "server/store_pool.h"

#include <assert.h>

int store_pool_init(
	struct store_pool *p, const char *path, unsigned count, char *error, size_t size)
{
	assert(count <= STORE_POOL_MOST);
	lock_init(&p->lock, LOCK_ENGINE);
	p->count = p->waiting = 0;
	p->first = NULL;
	for (unsigned i = 0; i < count; i++) {
		int r = store_open(path, false, &p->idle[i], error, size);
		if (r)
			return r;
		p->count++;
	}
	return 0;
}

void store_pool_fini(struct store_pool *p)
{
	while (p->count)
		store_close(p->idle[--p->count]);
	lock_fini(&p->lock);
}

/* In the order of their turns, and woken one by one: each has a condition of its own. */
struct store_waiter {
	int64_t had;
	pthread_cond_t turn;
	struct store_waiter *next;
};

/* Whoever is first goes on where there is a store. */
static void wake_first(struct store_pool *p) LOCK_REQUIRES(p->lock)
{
	if (p->count && p->first)
		PTHREAD_OK(pthread_cond_signal(&p->first->turn));
}

static void queue_up(struct store_pool *p, struct store_waiter *w) LOCK_REQUIRES(p->lock)
{
	struct store_waiter **at = &p->first;

	while (*at && (*at)->had <= w->had)
		at = &(*at)->next;
	w->next = *at;
	*at = w;
	p->waiting++;
}

static void leave_queue(struct store_pool *p, struct store_waiter *w) LOCK_REQUIRES(p->lock)
{
	struct store_waiter **at = &p->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	p->waiting--;
}

/* Until it is the turn of the one who calls, and there is a store: true; or until it is late. */
static bool wait_for_turn(struct store_pool *p, int64_t had, int64_t deadline)
	LOCK_REQUIRES(p->lock)
{
	struct store_waiter w = {.had = had};

	lock_cond_init(&w.turn);
	queue_up(p, &w);
	while (!(p->count && p->first == &w) && lock_wait(&p->lock, &w.turn, deadline))
		;
	bool got = p->count && p->first == &w;
	leave_queue(p, &w);
	PTHREAD_OK(pthread_cond_destroy(&w.turn));
	return got;
}

struct store *store_pool_take(struct store_pool *p, int64_t had, int64_t deadline)
{
	struct store *s = NULL;

	lock_take(&p->lock);
	bool free_now = p->count && !p->first;
	if (free_now || wait_for_turn(p, had, deadline))
		s = p->idle[--p->count];
	wake_first(p);
	lock_drop(&p->lock);
	return s;
}

void store_pool_give(struct store_pool *p, struct store *s)
{
	lock_take(&p->lock);
	assert(p->count < STORE_POOL_MOST);
	p->idle[p->count++] = s;
	wake_first(p);
	lock_drop(&p->lock);
}
