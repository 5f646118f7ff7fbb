/*
 * The engine that keeps the log in memory.
 *
 * Appending is leader and followers: threads queue their batches, the first in
 * the queue takes all that wait, applies them one after the other and wakes the
 * rest. So order needs no thread of its own, a lone sender switches threads not
 * once, and many senders share one turn. The log itself is memory_log.h.
 */
#include "server/engine.h"

#include "common/err.h"
#include "common/identity.h"
#include "common/lock.h"
#include "server/memory_log.h"

#include <pthread.h>
#include <stdlib.h>

/* One caller of append, waiting in line. */
struct batch {
	struct log_entry *entries;
	struct append_result *results;
	size_t count;
	bool done;
	pthread_cond_t turn;
	struct batch *next;
};

struct memory {
	struct engine base;

	struct lock queue_lock;
	/* guarded by queue_lock */
	struct batch *first, *last;
	bool leading; /* somebody applies a run of batches */
	bool closing;

	struct lock lock;
	/* guarded by lock; written by the leader alone, so the leader reads without it */
	struct memory_log log;
};

/* ---- appending ---- */

static struct append_result append_one(struct memory *m, struct log_entry *e)
{
	struct append_result result;

	if (memory_log_decide(&m->log, e, &result) != 0)
		return result;
	lock_take(&m->lock);
	int r = memory_log_append(&m->log, e);
	lock_drop(&m->lock);
	if (r)
		return (struct append_result){.status = APPEND_RETRY};
	m->base.applied(m->base.context, e);
	return (struct append_result){.status = APPEND_OK, .seq = e->seq};
}

static void append_batch(struct memory *m, struct batch *b)
{
	bool retry = false;

	for (size_t i = 0; i < b->count; i++) {
		if (retry)
			b->results[i] = (struct append_result){.status = APPEND_RETRY};
		else
			b->results[i] = append_one(m, &b->entries[i]);
		retry = b->results[i].status == APPEND_RETRY;
	}
}

/* Take everything that waits, our own batch among it, apply it and wake those whose it was. Who has
 * queued up meanwhile leads next, so that nobody's thread works for others for long. */
static void lead(struct memory *m) LOCK_REQUIRES(&m->queue_lock)
{
	struct batch *run = m->first;

	m->first = m->last = NULL;
	m->leading = true;
	lock_drop(&m->queue_lock);
	for (struct batch *b = run; b; b = b->next)
		append_batch(m, b);
	lock_take(&m->queue_lock);
	m->leading = false;
	for (struct batch *b = run, *next; b; b = next) {
		next = b->next; /* a batch is on its waiter's stack: `done` ends its life */
		b->done = true;
		PTHREAD_OK(pthread_cond_signal(&b->turn));
	}
	if (m->first)
		PTHREAD_OK(pthread_cond_signal(&m->first->turn));
}

static int memory_append(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	struct memory *m = (struct memory *)e;
	struct batch b = {.entries = entries, .results = results, .count = count};

	(void)deadline; /* nothing here waits for anything but other threads' short turns */
	lock_cond_init(&b.turn);
	lock_take(&m->queue_lock);
	if (m->closing) {
		for (size_t i = 0; i < count; i++)
			results[i] = (struct append_result){.status = APPEND_RETRY};
		b.done = true;
	} else {
		if (m->last)
			m->last->next = &b;
		else
			m->first = &b;
		m->last = &b;
	}
	while (!b.done) {
		if (!m->leading)
			lead(m);
		else
			lock_wait(&m->queue_lock, &b.turn, INT64_MAX);
	}
	lock_drop(&m->queue_lock);
	PTHREAD_OK(pthread_cond_destroy(&b.turn));
	return 0;
}

/* ---- reading ---- */

static int memory_range(struct engine *e, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	memory_log_range(&m->log, key, after, upto, reader, context, pruned);
	lock_drop(&m->lock);
	return 0;
}

static int memory_last(struct engine *e, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	memory_log_last(&m->log, key, count, last, after);
	lock_drop(&m->lock);
	return 0;
}

static uint64_t memory_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->lock);
	uint64_t accepted = memory_log_accepted(&m->log, instance, person);
	lock_drop(&m->lock);
	return accepted;
}

/* ---- life ---- */

static void memory_close(struct engine *e)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->queue_lock);
	m->closing = true;
	lock_drop(&m->queue_lock);
	memory_log_fini(&m->log);
	lock_fini(&m->lock);
	lock_fini(&m->queue_lock);
	free(m);
}

static const struct engine_class memory_class = {
	.name = "memory",
	.kept = false,
	.close = memory_close,
	.append = memory_append,
	.range = memory_range,
	.last = memory_last,
	.accepted = memory_accepted,
};

int engine_open_memory(
	size_t keep_bytes, engine_applied *applied, void *context, struct engine **out)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_MEMORY;
	m->base.class = &memory_class;
	m->base.applied = applied;
	m->base.context = context;
	identity_random(m->base.log_id, sizeof(m->base.log_id));
	memory_log_init(&m->log, keep_bytes, MEMORY_LOG_IDLE);
	lock_init(&m->queue_lock, LOCK_ENGINE_QUEUE);
	lock_init(&m->lock, LOCK_ENGINE);
	*out = &m->base;
	return 0;
}
