/*
 * The engine that keeps the log in memory.
 *
 * Appending is leader and followers: threads queue their batches, the first in
 * the queue takes all that wait, applies them one after the other and wakes the
 * rest. So order needs no thread of its own, a lone sender switches threads not
 * once, and many senders share one turn. The log itself is memory_log.h, what is
 * known about people memory_people.h, what acts add up to memory_acts.h.
 */
#include "server/engine.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/lock.h"
#include "server/memory_acts.h"
#include "server/memory_log.h"
#include "server/memory_people.h"
#include "server/words.h"

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
	uint64_t turns;   /* runs of batches in which something was appended */
	uint64_t entries; /* appended in these */

	struct lock lock;
	/* guarded by lock; written by the leader alone, so the leader reads without it */
	struct memory_log log;
	struct memory_acts acts;
	/* guarded by lock */
	struct memory_people people;
};

/* ---- appending ---- */

/* Of an act: was anything said in the room that it is about? */
static bool was_said(const struct memory *m, const struct log_entry *e)
{
	struct stream_key subject;
	struct room_record room;

	return e->kind == SAID_ACT && e->room && stream_key_subject(e->room, &subject) &&
	       memory_log_room(&m->log, &subject, &room) == 0;
}

/* Whoever is sent out is a member no longer from the same moment on. */
static void end_membership(
	struct memory *m, const struct log_entry *e, const struct stream_key *room)
{
	struct act a;

	if (act_parse(e->text, &a) != 0 || !a.has_person ||
		(a.verb != ACT_KICK && a.verb != ACT_BAN))
		return;
	memory_people_part(&m->people, a.person, room);
}

/* In the list of open rooms, or out of it, as the charter says: what is put in can fail, so it is put in
 * before the act is done, and taken out where it did not open the room. */
static int do_act(struct memory *m, const struct log_entry *e)
{
	struct stream_key subject;

	if (!stream_key_subject(e->room, &subject) || subject.bytes[0] != 'r')
		return memory_acts_apply(&m->acts, e);
	int r = memory_log_open_room(&m->log, &subject, true);
	if (r)
		return r;
	r = memory_acts_apply(&m->acts, e);
	if (memory_acts_closed(&m->acts, &subject))
		(void)memory_log_open_room(&m->log, &subject, false);
	if (r == 0)
		end_membership(m, e, &subject);
	return r;
}

/* The log is prepared, the act is done or fails as a whole, and nothing after that can fail: an act is
 * in the log if and only if it has been done. */
static int keep(struct memory *m, struct log_entry *e)
{
	struct memory_needs needs;
	int r = memory_log_prepare(&m->log, e, &needs);

	if (r)
		return r;
	if (e->kind == SAID_ACT)
		r = do_act(m, e);
	else if (needs.new_room && !memory_acts_closed(&m->acts, e->room))
		r = memory_log_open_room(&m->log, e->room, true);
	if (r)
		memory_log_drop(&needs);
	else
		memory_log_append(&m->log, e, &needs);
	return r;
}

static struct append_result append_one(struct memory *m, struct log_entry *e)
{
	struct append_result result;

	if (memory_log_decide(&m->log, e, &result) != 0)
		return result;
	enum code code = memory_acts_decide(&m->acts, e, was_said(m, e));
	if (code != CODE_NONE)
		return (struct append_result){.status = APPEND_REJECTED, .code = code};
	lock_take(&m->lock);
	int r = keep(m, e);
	lock_drop(&m->lock);
	if (r)
		return (struct append_result){.status = APPEND_RETRY};
	m->base.applied(m->base.context, e);
	return (struct append_result){.status = APPEND_OK, .seq = e->seq};
}

/* Returns how many entries are new. */
static uint64_t append_batch(struct memory *m, struct batch *b)
{
	uint64_t count = 0;
	bool retry = false;

	for (size_t i = 0; i < b->count; i++) {
		if (retry)
			b->results[i] = (struct append_result){.status = APPEND_RETRY};
		else
			b->results[i] = append_one(m, &b->entries[i]);
		retry = b->results[i].status == APPEND_RETRY;
		count += b->results[i].status == APPEND_OK && !b->results[i].duplicate;
	}
	return count;
}

/* Take everything that waits, our own batch among it, apply it and wake those whose it was. Who has
 * queued up meanwhile leads next, so that nobody's thread works for others for long. */
static void lead(struct memory *m) LOCK_REQUIRES(&m->queue_lock)
{
	struct batch *run = m->first;
	uint64_t count = 0;

	m->first = m->last = NULL;
	m->leading = true;
	lock_drop(&m->queue_lock);
	for (struct batch *b = run; b; b = b->next)
		count += append_batch(m, b);
	lock_take(&m->queue_lock);
	m->turns += count > 0;
	m->entries += count;
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

/* Call something with `m` locked. */
#define LOCKED(statement)                                                                          \
	do {                                                                                       \
		struct memory *m = (struct memory *)e;                                             \
		lock_take(&m->lock);                                                               \
		statement;                                                                         \
		lock_drop(&m->lock);                                                               \
	} while (0)

static int memory_settled(struct engine *e, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *result)
{
	int r;

	LOCKED(r = memory_log_settled(&m->log, instance, person, counter, result));
	return r;
}

static uint64_t memory_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person)
{
	uint64_t accepted;

	LOCKED(accepted = memory_log_accepted(&m->log, instance, person));
	return accepted;
}

static int memory_range(struct engine *e, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	LOCKED(memory_log_range(&m->log, key, after, upto, reader, context, pruned));
	return 0;
}

static int memory_last(struct engine *e, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	LOCKED(memory_log_last(&m->log, key, count, last, after));
	return 0;
}

static int memory_before(struct engine *e, const struct stream_key *key, uint64_t before,
	uint32_t count, uint64_t *after)
{
	LOCKED(memory_log_before(&m->log, key, before, count, after));
	return 0;
}

static int memory_since(
	struct engine *e, const struct stream_key *key, uint64_t time, uint64_t *after)
{
	LOCKED(memory_log_since(&m->log, key, time, after));
	return 0;
}

static int memory_room(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	int r;

	LOCKED(r = memory_log_room(&m->log, key, out);
		out->closed = memory_acts_closed(&m->acts, key));
	return r;
}

/* Adds to what the log knows of rooms what acts have made of them. */
struct room_reading {
	const struct memory_acts *acts;
	engine_room_reader *reader;
	void *context;
};

static bool read_room(void *context, const struct stream_key *key, const struct room_record *record)
{
	const struct room_reading *reading = context;
	struct room_record with = *record;

	with.closed = memory_acts_closed(reading->acts, key);
	return reading->reader(reading->context, key, &with);
}

static int memory_rooms(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context)
{
	struct room_reading reading = {.reader = reader, .context = context};

	LOCKED(reading.acts = &m->acts;
		memory_log_rooms(&m->log, after, all, limit, read_room, &reading));
	return 0;
}

static enum engine_health memory_health(struct engine *e)
{
	(void)e;
	return ENGINE_WELL;
}

/* ---- searching ---- */

/* A search under way. */
struct hunt {
	struct engine *engine;
	const struct search *what;
	struct words_search words;
	engine_reader *reader;
	void *context;
	uint64_t before; /* what is left to look at */
	uint32_t found;
	bool enough;
};

/* Tell the reader of an entry. What was dropped meanwhile is not there any more. */
static void tell(struct hunt *h, uint64_t seq)
{
	struct engine *e = h->engine;
	bool more;

	LOCKED(more = memory_log_entry(&m->log, seq, h->reader, h->context));
	h->enough = !more || ++h->found == h->what->limit;
}

/* Look through a page without the lock: folding a text takes far longer than copying it. */
static int look_through(struct hunt *h, const struct memory_page *page)
{
	for (size_t i = 0; i < page->count && !h->enough; i++) {
		if (clock_ms() > h->what->deadline)
			return ERR_TIMEOUT;
		char *folded = words_fold(page->texts[i].text);
		if (!folded)
			return ERR_MEMORY;
		if (words_match(&h->words, folded))
			tell(h, page->texts[i].seq);
		free(folded);
		h->before = page->texts[i].seq;
	}
	return 0;
}

static int look_everywhere(struct hunt *h)
{
	const struct search *what = h->what;
	struct engine *e = h->engine;
	struct memory_page *page = malloc(sizeof(*page));
	int r = page ? 0 : ERR_MEMORY;

	while (r == 0 && !h->enough) {
		LOCKED(r = memory_log_page(
			       &m->log, what->streams, what->stream_count, h->before, page));
		if (r || page->count == 0)
			break;
		r = look_through(h, page);
	}
	free(page);
	return r;
}

static int memory_search(
	struct engine *e, const struct search *what, engine_reader *reader, void *context)
{
	struct hunt h = {
		.engine = e,
		.what = what,
		.reader = reader,
		.context = context,
		.before = what->before,
		.enough = what->limit == 0,
	};

	int r = words_parse(what->words, &h.words);
	if (r)
		return r;
	r = look_everywhere(&h);
	words_fini(&h.words);
	return r;
}

/* ---- people ---- */

static int memory_note(struct engine *e, const struct note *n)
{
	int r;

	LOCKED(r = memory_people_note(&m->people, n));
	return r;
}

static int memory_places(
	struct engine *e, const uint8_t *person, engine_place_reader *reader, void *context)
{
	LOCKED(memory_people_places(&m->people, person, reader, context));
	return 0;
}

static int memory_read_position(
	struct engine *e, const uint8_t *person, const struct stream_key *key, uint64_t *seq)
{
	LOCKED(*seq = memory_people_read_position(&m->people, person, key));
	return 0;
}

static int memory_person(
	struct engine *e, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	int r;

	LOCKED(r = memory_people_person(&m->people, folded, person, nick));
	return r;
}

/* ---- who may do what ---- */

static int memory_charter(struct engine *e, const struct stream_key *key, struct charter *out)
{
	int r;

	LOCKED(r = memory_acts_charter(&m->acts, key, out));
	return r;
}

static int memory_owner(
	struct engine *e, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	int r;

	LOCKED(r = memory_acts_owner(&m->acts, look, person, nick));
	return r;
}

static void memory_stats(struct engine *e, struct engine_stats *out)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->queue_lock);
	*out = (struct engine_stats){.transactions = m->turns, .entries = m->entries};
	lock_drop(&m->queue_lock);
	lock_take(&m->lock);
	out->bytes = m->log.bytes;
	lock_drop(&m->lock);
}

/* ---- life ---- */

static void memory_close(struct engine *e)
{
	struct memory *m = (struct memory *)e;

	lock_take(&m->queue_lock);
	m->closing = true;
	lock_drop(&m->queue_lock);
	memory_people_fini(&m->people);
	memory_acts_fini(&m->acts);
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
	.settled = memory_settled,
	.accepted = memory_accepted,
	.range = memory_range,
	.last = memory_last,
	.before = memory_before,
	.since = memory_since,
	.search = memory_search,
	.room = memory_room,
	.rooms = memory_rooms,
	.note = memory_note,
	.places = memory_places,
	.read_position = memory_read_position,
	.person = memory_person,
	.charter = memory_charter,
	.owner = memory_owner,
	.health = memory_health,
	.stats = memory_stats,
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
	memory_people_init(&m->people, MEMORY_PEOPLE_MOST);
	memory_acts_init(&m->acts, MEMORY_ACTS_MOST);
	lock_init(&m->queue_lock, LOCK_ENGINE_QUEUE);
	lock_init(&m->lock, LOCK_ENGINE);
	*out = &m->base;
	return 0;
}
