#include "server/store_pool.h"

#include <assert.h>

int store_pool_init(
	struct store_pool *p, const char *path, unsigned count, char *error, size_t size)
{
	assert(count <= STORE_POOL_MOST);
	lock_init(&p->lock, LOCK_ENGINE);
	lock_cond_init(&p->given);
	p->count = 0;
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
	PTHREAD_OK(pthread_cond_destroy(&p->given));
	lock_fini(&p->lock);
}

struct store *store_pool_take(struct store_pool *p, int64_t deadline)
{
	struct store *s = NULL;

	lock_take(&p->lock);
	while (p->count == 0) {
		if (!lock_wait(&p->lock, &p->given, deadline))
			break;
	}
	if (p->count)
		s = p->idle[--p->count];
	lock_drop(&p->lock);
	return s;
}

void store_pool_give(struct store_pool *p, struct store *s)
{
	lock_take(&p->lock);
	assert(p->count < STORE_POOL_MOST);
	p->idle[p->count++] = s;
	PTHREAD_OK(pthread_cond_signal(&p->given));
	lock_drop(&p->lock);
}
