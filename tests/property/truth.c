#include "tests/property/truth.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct truth *truth_of(const struct engine *e)
{
	return (struct truth *)((uintptr_t)e->class - offsetof(struct truth, class));
}

/* ---- what is applied ---- */

static int stream_of(const struct truth *t, const struct stream_key *key)
{
	for (size_t i = 0; i < t->stream_count; i++) {
		if (stream_key_compare(&t->streams[i], key) == 0)
			return (int)i;
	}
	return -1;
}

static int inbox_of(const struct truth *t, const uint8_t *person)
{
	struct stream_key key;

	stream_key_inbox(person, &key);
	return stream_of(t, &key);
}

static bool is_of(const struct fact *f, int stream)
{
	return f->stream == stream || f->other == stream;
}

static uint64_t last_locked(const struct truth *t, int stream, uint64_t upto)
{
	for (size_t i = t->count; i-- > 0;) {
		if (t->facts[i]->seq <= upto && is_of(t->facts[i], stream))
			return t->facts[i]->seq;
	}
	return 0;
}

static struct fact *fact_new(const struct truth *t, const struct log_entry *e)
{
	struct fact *f = calloc(1, sizeof(*f));

	assert(f);
	f->seq = e->seq;
	f->prev = e->prev;
	f->prev_to = e->prev_to;
	f->author = e->instance[0];
	f->counter = e->counter;
	f->stream = e->room ? stream_of(t, e->room) : inbox_of(t, e->person);
	f->other = e->room ? -1 : inbox_of(t, e->to);
	if (f->other == f->stream)
		f->other = -1;
	memcpy(f->person, e->person, sizeof(f->person));
	f->text = strndup(e->text.text, e->text.length);
	assert(f->text);
	return f;
}

/* Numbers rise, counters of an instance rise, and each entry names the one before it. */
static void judge_locked(struct truth *t, const struct fact *f)
{
	if (t->count && t->facts[t->count - 1]->seq >= f->seq)
		verdict_complain(t->verdict, "the log: %" PRIu64 " comes after %" PRIu64, f->seq,
			t->facts[t->count - 1]->seq);
	if (f->prev != last_locked(t, f->stream, UINT64_MAX))
		verdict_complain(t->verdict, "the log: %" PRIu64 " has a wrong prev, %" PRIu64,
			f->seq, f->prev);
	if (f->other >= 0 && f->prev_to != last_locked(t, f->other, UINT64_MAX))
		verdict_complain(t->verdict, "the log: %" PRIu64 " has a wrong prev_to, %" PRIu64,
			f->seq, f->prev_to);
	for (size_t i = 0; i < t->count; i++) {
		const struct fact *g = t->facts[i];
		if (g->author == f->author && g->counter >= f->counter)
			verdict_complain(t->verdict,
				"the log: counter %" PRIu64 " of client %u comes after %" PRIu64,
				f->counter, f->author - 1, g->counter);
	}
}

static void applied(void *context, const struct log_entry *e)
{
	struct truth *t = context;
	struct fact *f = fact_new(t, e);

	lock_take(&t->lock);
	judge_locked(t, f);
	if (t->count == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->facts = realloc(t->facts, t->size * sizeof(struct fact *));
		assert(t->facts);
	}
	t->facts[t->count++] = f;
	lock_drop(&t->lock);
	t->applied(t->context, e);
}

/* ---- appends that fail ---- */

/* Known already? A full disk does not matter then. */
static bool is_settled(struct truth *t, struct engine *e, const struct log_entry *entry)
{
	struct append_result result;

	return t->real->settled(e, entry->instance, entry->person, entry->counter, &result) == 0;
}

static enum fault fault_of_next(struct truth *t)
{
	enum fault fault = FAULT_NONE;

	lock_take(&t->lock);
	if (t->fault_wait) {
		t->fault_wait--;
	} else if (t->fault_left) {
		t->fault_left--;
		fault = t->fault;
	}
	lock_drop(&t->lock);
	return fault;
}

/* One at a time, each as it is fated. After a RETRY all that follow are RETRY: what follows one that
 * is not in the log may not be in it either, what follows one that is may or may not. */
static int append(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
	struct append_result *results)
{
	struct truth *t = truth_of(e);
	bool lost = false, retry = false;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		enum fault fault = lost ? FAULT_LOST : fault_of_next(t);
		if (fault == FAULT_FULL && is_settled(t, e, &entries[i]))
			fault = FAULT_NONE;
		if (fault == FAULT_FULL && !retry) {
			results[i] = (struct append_result){
				.status = APPEND_REJECTED, .code = CODE_DISK_FULL};
			continue;
		}
		if (fault == FAULT_LOST || fault == FAULT_FULL)
			lost = true;
		else if (t->real->append(e, &entries[i], 1, deadline, &results[i]) != 0)
			r = -1;
		retry = retry || lost || fault == FAULT_UNTOLD || results[i].status == APPEND_RETRY;
		lost = lost || (r == 0 && retry && results[i].status == APPEND_RETRY);
		if (retry)
			results[i] = (struct append_result){.status = APPEND_RETRY};
	}
	return r;
}

/* ---- life ---- */

struct truth *truth_new(const struct stream_key *streams, size_t count, struct verdict *verdict)
{
	struct truth *t = calloc(1, sizeof(*t));

	assert(t && count <= STREAMS_MOST);
	memcpy(t->streams, streams, count * sizeof(streams[0]));
	t->stream_count = count;
	t->verdict = verdict;
	lock_init(&t->lock, LOCK_LEAF);
	return t;
}

void truth_free(struct truth *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->facts[i]->text);
		free(t->facts[i]);
	}
	free(t->facts);
	lock_fini(&t->lock);
	free(t);
}

/* Of this thread: whose engine is opened next. */
static _Thread_local struct truth *expecting;

void truth_expect(struct truth *t)
{
	expecting = t;
}

/* The test is in between what the engine applies and whoever asked for it. */
static struct truth *watch(engine_applied *to, void *context)
{
	struct truth *t = expecting;

	assert(t && !t->engine);
	expecting = NULL;
	t->applied = to;
	t->context = context;
	return t;
}

static void attach(struct truth *t, struct engine *e)
{
	t->real = e->class;
	t->class = *e->class;
	t->class.append = append;
	t->engine = e;
	e->class = &t->class;
}

int __real_engine_open_memory(
	size_t keep_bytes, engine_applied *to, void *context, struct engine **out);
int __wrap_engine_open_memory(
	size_t keep_bytes, engine_applied *to, void *context, struct engine **out);
int __real_engine_open_sqlite(const struct engine_config *config, engine_applied *to, void *context,
	struct engine **out, char *error, size_t size);
int __wrap_engine_open_sqlite(const struct engine_config *config, engine_applied *to, void *context,
	struct engine **out, char *error, size_t size);

int __wrap_engine_open_memory(
	size_t keep_bytes, engine_applied *to, void *context, struct engine **out)
{
	struct truth *t = watch(to, context);
	int r = __real_engine_open_memory(keep_bytes, applied, t, out);

	if (r == 0)
		attach(t, *out);
	return r;
}

int __wrap_engine_open_sqlite(const struct engine_config *config, engine_applied *to, void *context,
	struct engine **out, char *error, size_t size)
{
	struct truth *t = watch(to, context);
	int r = __real_engine_open_sqlite(config, applied, t, out, error, size);

	if (r == 0)
		attach(t, *out);
	return r;
}

void truth_set_fault(struct truth *t, enum fault fault, unsigned wait, unsigned count)
{
	lock_take(&t->lock);
	t->fault = fault;
	t->fault_wait = wait;
	t->fault_left = fault == FAULT_NONE ? 0 : count;
	lock_drop(&t->lock);
}

/* ---- questions ---- */

const struct fact *truth_next(struct truth *t, int stream, uint64_t after)
{
	const struct fact *found = NULL;

	lock_take(&t->lock);
	for (size_t i = 0; i < t->count && !found; i++) {
		if (t->facts[i]->seq > after && is_of(t->facts[i], stream))
			found = t->facts[i];
	}
	lock_drop(&t->lock);
	return found;
}

uint64_t truth_last(struct truth *t, int stream, uint64_t upto)
{
	lock_take(&t->lock);
	uint64_t last = last_locked(t, stream, upto);
	lock_drop(&t->lock);
	return last;
}

uint64_t truth_before(struct truth *t, int stream, uint64_t upto, uint32_t count)
{
	lock_take(&t->lock);
	uint64_t at = last_locked(t, stream, upto);
	while (at && count-- > 0)
		at = last_locked(t, stream, at - 1);
	lock_drop(&t->lock);
	return at;
}

const struct fact *truth_find(struct truth *t, unsigned author, uint64_t counter)
{
	const struct fact *found = NULL;

	lock_take(&t->lock);
	for (size_t i = 0; i < t->count && !found; i++) {
		if (t->facts[i]->author == author && t->facts[i]->counter == counter)
			found = t->facts[i];
	}
	lock_drop(&t->lock);
	return found;
}

static bool note(void *context, const struct log_entry *e)
{
	(void)e;
	*(bool *)context = true;
	return false;
}

static bool is_in_engine(struct truth *t, int stream, uint64_t seq)
{
	bool found = false;
	uint64_t pruned;
	int r = engine_range(t->engine, &t->streams[stream], seq - 1, seq, note, &found, &pruned);

	return r != 0 || found;
}

bool truth_is_kept(struct truth *t, int stream, uint64_t seq)
{
	if (t->engine)
		return is_in_engine(t, stream, seq);
	const struct fact *f = truth_next(t, stream, seq - 1);
	return f && f->seq == seq && !f->pruned;
}

void truth_detach(struct truth *t)
{
	if (!t->engine)
		return;
	for (size_t i = 0; i < t->count; i++)
		t->facts[i]->pruned = !is_in_engine(t, t->facts[i]->stream, t->facts[i]->seq);
	t->engine->class = t->real;
	t->engine = NULL;
}
