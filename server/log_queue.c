#include "server/log_queue.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

void log_queue_init(struct log_queue *q)
{
	memset(q, 0, sizeof(*q));
	q->notes_end = &q->notes;
	lock_init(&q->lock, LOCK_ENGINE_QUEUE);
	lock_cond_init(&q->work);
	lock_cond_init(&q->indexed);
}

void log_queue_fini(struct log_queue *q)
{
	kept_notes_free(q->notes);
	PTHREAD_OK(pthread_cond_destroy(&q->work));
	PTHREAD_OK(pthread_cond_destroy(&q->indexed));
	lock_fini(&q->lock);
}

/* ---- batches ---- */

static void retry_all(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		b->results[i] = (struct append_result){.status = APPEND_RETRY};
	b->state = BATCH_DONE;
}

static void link_batch_locked(struct log_queue *q, struct batch *b)
{
	lock_assert_held(&q->lock);
	b->state = BATCH_WAITS;
	b->next = NULL;
	b->previous = q->last;
	if (q->last)
		q->last->next = b;
	else
		q->first = b;
	q->last = b;
	PTHREAD_OK(pthread_cond_signal(&q->work));
}

static void unlink_batch_locked(struct log_queue *q, struct batch *b)
{
	lock_assert_held(&q->lock);
	if (b->previous)
		b->previous->next = b->next;
	else
		q->first = b->next;
	if (b->next)
		b->next->previous = b->previous;
	else
		q->last = b->previous;
}

void log_queue_append(struct log_queue *q, struct batch *b, int64_t deadline)
{
	lock_cond_init(&b->done);
	lock_take(&q->lock);
	if (q->stopping)
		retry_all(b);
	else
		link_batch_locked(q, b);
	while (b->state != BATCH_DONE) {
		if (lock_wait(&q->lock, &b->done, deadline))
			continue;
		if (b->state == BATCH_WAITS) {
			unlink_batch_locked(q, b);
			retry_all(b);
		}
		deadline = INT64_MAX; /* the writer has it, and will be done */
	}
	lock_drop(&q->lock);
	PTHREAD_OK(pthread_cond_destroy(&b->done));
}

/* Off the queue: whole batches, until there are enough entries. */
static struct batch *take_batches_locked(struct log_queue *q)
{
	struct batch *taken = q->first, *b = taken;
	size_t entries = 0;

	lock_assert_held(&q->lock);
	while (b && entries < LOG_QUEUE_ENTRIES) {
		entries += b->count;
		b->state = BATCH_TAKEN;
		b = b->next;
	}
	if (b) {
		b->previous->next = NULL;
		b->previous = NULL;
	} else {
		q->last = NULL;
	}
	q->first = b;
	return taken;
}

void log_queue_done(struct log_queue *q, struct batch *batches)
{
	struct batch *next;

	lock_take(&q->lock);
	for (struct batch *b = batches; b; b = next) {
		next = b->next; /* it is on its sender's stack: the state ends its life */
		b->state = BATCH_DONE;
		PTHREAD_OK(pthread_cond_signal(&b->done));
	}
	lock_drop(&q->lock);
}

/* ---- notes ---- */

static struct kept_note *keep(const struct note *n)
{
	struct kept_note *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->note = *n;
	memcpy(k->person, n->person, PERSON_ID);
	k->note.person = k->person;
	if (n->stream) {
		k->stream = *n->stream;
		k->note.stream = &k->stream;
	}
	if (n->name.length > sizeof(k->name))
		k->note.name.length = sizeof(k->name);
	if (k->note.name.length)
		memcpy(k->name, n->name.text, k->note.name.length);
	k->note.name.text = k->name;
	return k;
}

int log_queue_note(struct log_queue *q, const struct note *n)
{
	struct kept_note *k = keep(n);
	int r = ERR_MEMORY;

	if (!k)
		return r;
	lock_take(&q->lock);
	if (q->note_count < LOG_QUEUE_NOTES && !q->stopping) {
		*q->notes_end = k;
		q->notes_end = &k->next;
		q->note_count++;
		k = NULL;
		r = 0;
		PTHREAD_OK(pthread_cond_signal(&q->work));
	}
	lock_drop(&q->lock);
	free(k);
	return r;
}

void kept_notes_free(struct kept_note *notes)
{
	while (notes) {
		struct kept_note *next = notes->next;
		free(notes);
		notes = next;
	}
}

/* ---- the index ---- */

int log_queue_index(struct log_queue *q, int64_t deadline)
{
	int r = 0;

	lock_take(&q->lock);
	/* The round that is under way may have begun before our last entry was there. */
	uint64_t enough = q->index_rounds + 2;
	if (q->index_wanted < enough)
		q->index_wanted = enough;
	PTHREAD_OK(pthread_cond_signal(&q->work));
	while (q->index_rounds < enough && r == 0) {
		if (q->stopping)
			r = ERR_STOPPING;
		else if (!lock_wait(&q->lock, &q->indexed, deadline))
			r = ERR_TIMEOUT;
	}
	lock_drop(&q->lock);
	return r;
}

void log_queue_indexed(struct log_queue *q)
{
	lock_take(&q->lock);
	q->index_rounds++;
	PTHREAD_OK(pthread_cond_broadcast(&q->indexed));
	lock_drop(&q->lock);
}

/* ---- the writer ---- */

bool log_queue_take(struct log_queue *q, int64_t deadline, struct work *out)
{
	bool more = true;

	lock_take(&q->lock);
	while (!q->first && !q->notes && q->index_rounds >= q->index_wanted && !q->stopping) {
		if (!lock_wait(&q->lock, &q->work, deadline))
			break;
	}
	out->batches = take_batches_locked(q);
	out->notes = q->notes;
	out->index = q->index_rounds < q->index_wanted;
	q->notes = NULL;
	q->notes_end = &q->notes;
	q->note_count = 0;
	if (q->stopping && !out->batches && !out->notes)
		more = false;
	lock_drop(&q->lock);
	return more;
}

void log_queue_stop(struct log_queue *q)
{
	lock_take(&q->lock);
	q->stopping = true;
	PTHREAD_OK(pthread_cond_signal(&q->work));
	PTHREAD_OK(pthread_cond_broadcast(&q->indexed));
	lock_drop(&q->lock);
}
