#include "tests/unit/engine_cases.h"

#include <stdlib.h>
#include <string.h>

/* ---- the log ---- */

void log_applied(void *context, const struct log_entry *e)
{
	struct log *l = context;

	if (l->count == l->size) {
		l->size = l->size ? l->size * 2 : 64;
		l->applied = realloc(l->applied, l->size * sizeof(l->applied[0]));
	}
	l->applied[l->count++] = (struct applied){
		.seq = e->seq,
		.time = e->time,
		.counter = e->counter,
		.prev = e->prev,
		.prev_to = e->prev_to,
		.instance = e->instance[0],
		.person = e->person[0],
	};
}

/* Set before the tests run; each runs in a process of its own. */
static engine_factory *factory;

/* Ids that are told apart by their first byte. */
static uint8_t log_persons[256][PERSON_ID];
static uint8_t log_instances[256][INSTANCE_ID];

void engine_cases_use(engine_factory *f)
{
	factory = f;
	for (int i = 0; i < 256; i++) {
		log_persons[i][0] = (uint8_t)i;
		log_instances[i][0] = (uint8_t)i;
	}
}

void log_open(struct log *l, size_t keep_bytes)
{
	*l = (struct log){0};
	ck_assert_int_eq(factory(keep_bytes, log_applied, l, &l->engine), 0);
}

const uint8_t *log_instance(int who)
{
	return log_instances[who];
}

const uint8_t *log_person(int who)
{
	return log_persons[who];
}

void log_close(struct log *l)
{
	engine_close(l->engine);
	free(l->applied);
}

struct log_entry log_said(
	const struct stream_key *room, int who, uint64_t counter, const char *text)
{
	return (struct log_entry){
		.room = room,
		.person = log_persons[who],
		.instance = log_instances[who],
		.counter = counter,
		.nick = span_of("nick"),
		.text = span_of(text),
	};
}

struct log_entry log_direct(int from, int to, uint64_t counter, const char *text)
{
	struct log_entry e = log_said(NULL, from, counter, text);

	e.to = log_persons[to];
	e.to_nick = span_of("other");
	return e;
}

struct append_result log_append(struct log *l, struct log_entry e)
{
	struct append_result result = {.status = APPEND_RETRY};

	ck_assert_int_eq(engine_append(l->engine, &e, 1, INT64_MAX, &result), 0);
	return result;
}

void log_accept(struct log *l, struct log_entry e, uint64_t seq)
{
	struct append_result r = log_append(l, e);

	ck_assert_int_eq(r.status, APPEND_OK);
	ck_assert(!r.duplicate);
	ck_assert_uint_eq(r.seq, seq);
	ck_assert_uint_eq(l->applied[l->count - 1].seq, seq);
}

bool log_on_read(void *context, const struct log_entry *e)
{
	struct page *p = context;

	if (p->count == p->most)
		return false;
	p->seqs[p->count] = e->seq;
	p->prevs[p->count] = e->prev;
	ck_assert_uint_lt(e->text.length, sizeof(p->texts[0]));
	memcpy(p->texts[p->count], e->text.text, e->text.length);
	p->texts[p->count++][e->text.length] = '\0';
	return true;
}

uint64_t log_read(struct log *l, const struct stream_key *key, uint64_t after, uint64_t upto,
	size_t most, struct page *p)
{
	uint64_t pruned = UINT64_MAX;

	memset(p, 0, sizeof(*p));
	p->most = most;
	ck_assert_int_eq(engine_range(l->engine, key, after, upto, log_on_read, p, &pruned), 0);
	return pruned;
}

/* A reader that wants one. */
static bool note_seq(void *context, const struct log_entry *e)
{
	*(uint64_t *)context = e->seq;
	return false;
}

uint64_t log_oldest(struct log *l, const struct stream_key *key, uint64_t *floor)
{
	uint64_t seq = 0;

	ck_assert_int_eq(engine_range(l->engine, key, 0, UINT64_MAX, note_seq, &seq, floor), 0);
	return seq;
}

void log_check_last(
	struct log *l, const struct stream_key *key, uint32_t count, uint64_t last, uint64_t after)
{
	uint64_t got_last = UINT64_MAX, got_after = UINT64_MAX;

	ck_assert_int_eq(engine_last(l->engine, key, count, &got_last, &got_after), 0);
	ck_assert_uint_eq(got_last, last);
	ck_assert_uint_eq(got_after, after);
}

void engine_cases_add(Suite *s, void (*setup)(void))
{
	engine_cases_order(s, setup);
	engine_cases_ids(s, setup);
	engine_cases_read(s, setup);
	engine_cases_rooms(s, setup);
	engine_cases_search(s, setup);
	engine_cases_people(s, setup);
	engine_cases_nicks(s, setup);
	engine_cases_acts(s, setup);
	engine_cases_threads(s, setup);
}
