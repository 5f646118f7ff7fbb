#include "server/catchup.h"

#include "common/err.h"
#include "common/lock.h"
#include "server/outlet.h"
#include "server/said.h"
#include "server/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#define READERS_MAX 4
#define PAGE        (64 * 1024)

struct reader {
	struct catchup *catchup;
	pthread_t thread;
	uint8_t *page; /* PAGE bytes, owned */
};

struct catchup {
	struct engine *engine; /* borrowed */
	struct reader readers[READERS_MAX];
	unsigned count; /* of those that run */
	struct lock lock;
	pthread_cond_t wake;
	/* guarded by lock */
	struct member *first, *last;
	bool stopping;
};

void catchup_add(struct catchup *c, struct member *m)
{
	lock_take(&c->lock);
	m->next = NULL;
	if (c->last)
		c->last->next = m;
	else
		c->first = m;
	c->last = m;
	PTHREAD_OK(pthread_cond_signal(&c->wake));
	lock_drop(&c->lock);
}

static struct member *take_first_locked(struct catchup *c)
{
	lock_assert_held(&c->lock);
	struct member *m = c->first;
	if (m) {
		c->first = m->next;
		if (!c->first)
			c->last = NULL;
	}
	return m;
}

/* The next membership in the queue; NULL when the threads are to end. */
static struct member *take(struct catchup *c)
{
	struct member *m = NULL;

	lock_take(&c->lock);
	while (!c->stopping && !(m = take_first_locked(c)))
		lock_wait(&c->lock, &c->wake, INT64_MAX);
	lock_drop(&c->lock);
	return m;
}

/* ---- one page ---- */

struct page {
	const struct member *member;
	const uint8_t *inbox; /* whose, or NULL for a room */
	uint8_t *bytes;       /* PAGE of them */
	size_t length;
	uint64_t last;  /* the number of the last entry on it */
	uint64_t first; /* of the first; 0 while there is none */
	bool full;
};

static bool add_entry(void *context, const struct log_entry *e)
{
	struct page *p = context;

	if (PAGE - p->length < SAID_FRAME_MAX) {
		p->full = true;
		return false;
	}
	if (!p->first)
		p->first = e->seq;
	p->length += said_encode(e, feed_name(p->member->feed), p->inbox, p->bytes + p->length);
	p->last = e->seq;
	return true;
}

static size_t encode_gap(const struct member *m, uint64_t after, uint64_t next, uint8_t *out)
{
	struct msg_gap gap = {
		.room = span_of(feed_name(m->feed)),
		.after = after,
		.next = next,
	};
	size_t used = 0;
	int r = message_encode(MESSAGE_GAP, &gap, out, SAID_FRAME_MAX, &used);

	assert(r == 0);
	(void)r;
	return used;
}

/* Send the page after `after`; false when the reader is to let go of the membership. */
static bool send_page(
	struct catchup *c, struct member *m, uint64_t after, uint64_t upto, uint8_t *buffer)
{
	const struct stream_key *key = feed_key(m->feed);
	uint8_t gap[SAID_FRAME_MAX];
	uint64_t pruned = 0;
	struct page p = {
		.member = m,
		.inbox = key->bytes[0] == 'i' ? key->bytes + 1 : NULL,
		.bytes = buffer,
	};

	if (engine_range(c->engine, key, after, upto, add_entry, &p, &pruned) != 0) {
		/* Without its history the membership would stand still: its client comes again. */
		stream_shutdown(m->outlet->stream, SHUT_RDWR);
		return false;
	}
	/* Nothing more is there up to the number published when we looked. */
	uint64_t last = p.full ? p.last : upto;
	if (pruned > after) {
		uint64_t next = p.first ? p.first : upto + 1;
		size_t length = encode_gap(m, after, next, gap);
		if (!member_deliver(m, gap, length, next - 1))
			return false;
	}
	return member_deliver(m, p.bytes, p.length, last);
}

static void *run(void *argument)
{
	struct reader *reader = argument;
	struct catchup *c = reader->catchup;
	struct member *m;
	uint64_t after, upto;

	while ((m = take(c)) != NULL) {
		if (member_next(m, &after, &upto) == MEMBER_NEXT_READ &&
			send_page(c, m, after, upto, reader->page))
			catchup_add(c, m);
		else
			member_unref(m);
	}
	return NULL;
}

/* ---- life ---- */

int catchup_start(struct engine *e, size_t stack, unsigned readers, struct catchup **out)
{
	struct catchup *c = calloc(1, sizeof(*c));

	assert(readers <= READERS_MAX);
	if (!c)
		return ERR_MEMORY;
	c->engine = e;
	lock_init(&c->lock, LOCK_QUEUE);
	lock_cond_init(&c->wake);
	for (unsigned i = 0; i < readers; i++) {
		struct reader *reader = &c->readers[i];
		reader->catchup = c;
		reader->page = malloc(PAGE);
		int r = reader->page ? thread_start(&reader->thread, "history", stack, run, reader)
				     : ERR_MEMORY;
		if (r) {
			catchup_stop(c);
			return r;
		}
		c->count++;
	}
	*out = c;
	return 0;
}

void catchup_stop(struct catchup *c)
{
	struct member *m;

	if (!c)
		return;
	lock_take(&c->lock);
	c->stopping = true;
	PTHREAD_OK(pthread_cond_broadcast(&c->wake));
	lock_drop(&c->lock);
	for (unsigned i = 0; i < c->count; i++)
		PTHREAD_OK(pthread_join(c->readers[i].thread, NULL));
	for (;;) {
		lock_take(&c->lock);
		m = take_first_locked(c);
		lock_drop(&c->lock);
		if (!m)
			break;
		member_unref(m);
	}
	for (unsigned i = 0; i < READERS_MAX; i++)
		free(c->readers[i].page);
	PTHREAD_OK(pthread_cond_destroy(&c->wake));
	lock_fini(&c->lock);
	free(c);
}
