#include "tests/unit/engine_cases.h"

#include "common/err.h"
#include "tests/unit/entries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NEVER INT64_MAX

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

	ck_assert_int_eq(engine_append(l->engine, &e, 1, NEVER, &result), 0);
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

void log_check_last(
	struct log *l, const struct stream_key *key, uint32_t count, uint64_t last, uint64_t after)
{
	uint64_t got_last = UINT64_MAX, got_after = UINT64_MAX;

	ck_assert_int_eq(engine_last(l->engine, key, count, &got_last, &got_after), 0);
	ck_assert_uint_eq(got_last, last);
	ck_assert_uint_eq(got_after, after);
}

/* ---- keys ---- */

static const struct {
	const char *a, *b;
	bool same;
} names[] = {
	{"lobby", "LOBBY", true},
	{"lobby", "lobby2", false},
	{"caf\u00e9", "CAFE\u0301", true}, /* composed or not */
	{"a", "b", false},
};

START_TEST(keys_of_rooms)
{
	struct stream_key a = entry_room(names[_i].a), b = entry_room(names[_i].b);

	ck_assert_int_eq(stream_key_compare(&a, &b) == 0, names[_i].same);
	ck_assert_int_eq(stream_key_compare(&a, &a), 0);
	if (!names[_i].same)
		ck_assert_int_eq(stream_key_compare(&a, &b) < 0, stream_key_compare(&b, &a) > 0);
}
END_TEST

START_TEST(keys_that_cannot_be)
{
	struct stream_key key = {.length = 77};
	char name[ROOM_NAME_MAX + 2];

	ck_assert_int_ne(stream_key_room("", 0, &key), 0);
	ck_assert_int_eq(stream_key_room("a b", 3, &key), ERR_TEXT);
	ck_assert_int_eq(stream_key_room("\xff", 1, &key), ERR_TEXT);
	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(stream_key_room(name, ROOM_NAME_MAX + 1, &key), ERR_TOO_BIG);
	ck_assert_uint_eq(key.length, 77);
	ck_assert_int_eq(stream_key_room(name, ROOM_NAME_MAX, &key), 0);
	/* No room is anybody's inbox. */
	struct stream_key inbox;
	stream_key_inbox(log_persons[1], &inbox);
	ck_assert_int_ne(stream_key_compare(&key, &inbox), 0);
}
END_TEST

/* ---- one thread ---- */

START_TEST(numbers_and_chains)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 1, "one"), 1);
	log_accept(&l, log_said(&b, 1, 2, "two"), 2);
	log_accept(&l, log_said(&a, 2, 1, "three"), 3);
	log_accept(&l, log_said(&a, 1, 10, "four"), 4); /* counters may leave some out */
	static const uint64_t prevs[] = {0, 0, 1, 3};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(l.applied[i].prev, prevs[i]);
		if (i)
			ck_assert_uint_ge(l.applied[i].time, l.applied[i - 1].time);
	}
	struct page p;
	ck_assert_uint_eq(log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 3);
	ck_assert_uint_eq(p.seqs[2], 4);
	ck_assert_uint_eq(p.prevs[2], 3);
	ck_assert_str_eq(p.texts[1], "three");
	log_close(&l);
}
END_TEST

START_TEST(inboxes)
{
	struct stream_key of1, of2, of3;
	struct log l;
	struct page p;

	stream_key_inbox(log_persons[1], &of1);
	stream_key_inbox(log_persons[2], &of2);
	stream_key_inbox(log_persons[3], &of3);
	log_open(&l, 1 << 20);
	log_accept(&l, log_direct(1, 2, 1, "1 to 2"), 1);
	log_accept(&l, log_direct(3, 2, 1, "3 to 2"), 2);
	log_accept(&l, log_direct(2, 1, 1, "2 to 1"), 3);
	log_accept(&l, log_direct(1, 1, 2, "to myself"), 4);
	ck_assert_uint_eq(l.applied[1].prev, 0);
	ck_assert_uint_eq(l.applied[1].prev_to, 1);
	ck_assert_uint_eq(l.applied[2].prev, 2);    /* the writer's */
	ck_assert_uint_eq(l.applied[2].prev_to, 1); /* the other's */
	ck_assert_uint_eq(l.applied[3].prev, 3);
	ck_assert_uint_eq(l.applied[3].prev_to, 3);
	log_read(&l, &of1, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 3); /* and once, not twice, what one writes to oneself */
	ck_assert_uint_eq(p.seqs[1], 3);
	log_read(&l, &of2, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 3);
	log_read(&l, &of3, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, 1);
	log_close(&l);
}
END_TEST

static bool check_whole(void *context, const struct log_entry *e)
{
	const struct log_entry *x = context;

	ck_assert_mem_eq(e->person, x->person, PERSON_ID);
	ck_assert_mem_eq(e->instance, x->instance, INSTANCE_ID);
	ck_assert_mem_eq(e->to, x->to, PERSON_ID);
	ck_assert_ptr_null(e->room);
	ck_assert_uint_eq(e->counter, x->counter);
	ck_assert_int_eq(e->kind, x->kind);
	ck_assert(span_equal(e->nick, "nick"));
	ck_assert(span_equal(e->to_nick, "other"));
	ck_assert(span_equal(e->text, "text"));
	return true;
}

START_TEST(everything_is_kept)
{
	struct stream_key inbox;
	struct log l;
	struct log_entry e = log_direct(1, 2, 77, "text");
	uint64_t pruned;

	log_open(&l, 1 << 20);
	e.kind = SAID_ACTION;
	log_accept(&l, e, 1);
	for (int who = 1; who <= 2; who++) {
		stream_key_inbox(log_persons[who], &inbox);
		ck_assert_int_eq(engine_range(l.engine, &inbox, 0, 1, check_whole, &e, &pruned), 0);
	}
	log_close(&l);
}
END_TEST

START_TEST(ids_count_once)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	for (uint64_t i = 1; i <= 100; i++)
		log_accept(&l, log_said(&a, 1, i * 2, "x"), i);
	/* Again, the latest and the oldest; and one that was left out comes too late. */
	for (uint64_t counter = 1; counter <= 200; counter++) {
		struct append_result r = log_append(&l, log_said(&a, 1, counter, "again"));
		ck_assert_int_eq(r.status, APPEND_OK);
		ck_assert(r.duplicate);
		if (counter % 2)
			ck_assert_uint_eq(r.seq, 0);
		else
			ck_assert(r.seq == counter / 2 || r.seq == 0);
	}
	ck_assert_uint_eq(log_append(&l, log_said(&a, 1, 200, "again")).seq, 100);
	ck_assert_uint_eq(l.count, 100); /* nothing was applied twice */
	ck_assert_uint_eq(engine_accepted(l.engine, log_instances[1], log_persons[1]), 200);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instances[2], log_persons[1]), 0);
	/* The same counters of another instance are other ids. */
	log_accept(&l, log_said(&a, 2, 1, "y"), 101);
	log_accept(&l, log_said(&a, 1, UINT64_MAX, "last"), 102);
	ck_assert(log_append(&l, log_said(&a, 1, UINT64_MAX, "last")).duplicate);
	log_close(&l);
}
END_TEST

START_TEST(an_instance_is_one_persons)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	log_accept(&l, log_said(&a, 1, 5, "mine"), 1);
	for (uint64_t counter = 4; counter <= 6; counter++) {
		struct log_entry e = log_said(&a, 1, counter, "theirs");
		e.person = log_persons[2];
		struct append_result r = log_append(&l, e);
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_BAD_VALUE);
	}
	/* Nor does anybody learn how far it is. */
	ck_assert_uint_eq(engine_accepted(l.engine, log_instances[1], log_persons[2]), 0);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instances[1], log_persons[1]), 5);
	log_accept(&l, log_said(&a, 1, 6, "mine"), 2);
	log_close(&l);
}
END_TEST

START_TEST(no_topic_for_one_person)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct log_entry e = log_direct(1, 2, 1, "topic");

	log_open(&l, 1 << 20);
	e.kind = SAID_TOPIC;
	ck_assert_int_eq(log_append(&l, e).status, APPEND_REJECTED);
	ck_assert_uint_eq(l.count, 0);
	e = log_said(&a, 1, 1, "topic");
	e.kind = SAID_TOPIC;
	log_accept(&l, e, 1);
	log_close(&l);
}
END_TEST

START_TEST(a_batch_is_in_order)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct log_entry entries[5] = {log_said(&a, 1, 1, "1"), log_said(&a, 1, 2, "2"),
		log_said(&a, 1, 2, "2 again"), log_said(&a, 1, 4, "4"), log_said(&a, 1, 3, "late")};
	struct append_result results[5];

	log_open(&l, 1 << 20);
	ck_assert_int_eq(engine_append(l.engine, entries, 5, NEVER, results), 0);
	static const uint64_t seqs[] = {1, 2, 2, 3, 0};
	static const bool duplicates[] = {false, false, true, false, true};
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(results[i].status, APPEND_OK);
		ck_assert_uint_eq(results[i].seq, seqs[i]);
		ck_assert_int_eq(results[i].duplicate, duplicates[i]);
	}
	ck_assert_int_eq(engine_append(l.engine, entries, 0, NEVER, results), 0);
	ck_assert_uint_eq(l.count, 3);
	log_close(&l);
}
END_TEST

/* Ten entries of one room at 2, 4, ... 20; another room has the odd numbers. */
static const struct {
	uint64_t after, upto;
	size_t most, count;
	uint64_t first;
} ranges[] = {
	{0, UINT64_MAX, LOG_PAGE, 10, 2},
	{0, 20, LOG_PAGE, 10, 2},
	{0, 19, LOG_PAGE, 9, 2},
	{1, 20, LOG_PAGE, 10, 2},
	{2, 20, LOG_PAGE, 9, 4},
	{18, 20, LOG_PAGE, 1, 20},
	{19, 20, LOG_PAGE, 1, 20},
	{20, 20, LOG_PAGE, 0, 0},
	{20, UINT64_MAX, LOG_PAGE, 0, 0},
	{UINT64_MAX, UINT64_MAX, LOG_PAGE, 0, 0},
	{5, 5, LOG_PAGE, 0, 0},
	{6, 3, LOG_PAGE, 0, 0},
	{0, 0, LOG_PAGE, 0, 0},
	{0, 20, 3, 3, 2},
	{4, 20, 1, 1, 6},
	{4, 20, 0, 0, 0},
};

static void fill_two_rooms(struct log *l, const struct stream_key *a, const struct stream_key *b)
{
	for (uint64_t i = 1; i <= 20; i++)
		log_accept(l, log_said(i % 2 ? b : a, 1, i, "x"), i);
}

START_TEST(reading)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	fill_two_rooms(&l, &a, &b);
	ck_assert_uint_eq(
		log_read(&l, &a, ranges[_i].after, ranges[_i].upto, ranges[_i].most, &p), 0);
	ck_assert_uint_eq(p.count, ranges[_i].count);
	for (size_t i = 0; i < p.count; i++)
		ck_assert_uint_eq(p.seqs[i], ranges[_i].first + 2 * i);
	log_close(&l);
}
END_TEST

START_TEST(the_last_few)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), none = entry_room("none");
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	log_check_last(&l, &a, 5, 0, 0);
	fill_two_rooms(&l, &a, &b);
	log_check_last(&l, &a, 0, 20, 20);
	for (uint32_t count = 1; count < 10; count++) {
		log_check_last(&l, &a, count, 20, 20 - 2 * count);
		log_read(&l, &a, 20 - 2 * count, UINT64_MAX, LOG_PAGE, &p);
		ck_assert_uint_eq(p.count, count);
	}
	log_check_last(&l, &a, 10, 20, 0);
	log_check_last(&l, &a, 11, 20, 0);
	log_check_last(&l, &a, UINT32_MAX, 20, 0);
	log_check_last(&l, &none, 10, 0, 0);
	ck_assert_uint_eq(log_read(&l, &none, 0, UINT64_MAX, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 0);
	log_close(&l);
}
END_TEST

START_TEST(logs_differ)
{
	struct log a, b;

	log_open(&a, 1 << 20);
	log_open(&b, 1 << 20);
	ck_assert_mem_ne(a.engine->log_id, b.engine->log_id, ENGINE_LOG_ID);
	log_close(&a);
	log_close(&b);
	engine_close(NULL);
}
END_TEST

/* ---- many threads ---- */

#define THREADS  8
#define PER      400
#define BATCH_AT 7 /* entries in a batch at most */

struct appender {
	struct log *log;
	int who;
	pthread_t thread;
	struct append_result results[PER];
};

static void *append_many(void *argument)
{
	struct appender *a = argument;
	struct stream_key room = entry_room(a->who % 2 ? "odd" : "even");
	struct log_entry batch[BATCH_AT];

	for (size_t at = 0; at < PER;) {
		size_t count = 1 + at * 31 % BATCH_AT;
		count = count < PER - at ? count : PER - at;
		for (size_t i = 0; i < count; i++)
			batch[i] = log_said(&room, a->who, at + i + 1, "x");
		engine_append(a->log->engine, batch, count, NEVER, a->results + at);
		at += count;
	}
	return NULL;
}

START_TEST(eight_threads_one_order)
{
	struct log l;
	struct appender appenders[THREADS];
	uint64_t prev[2] = {0, 0}, counters[THREADS] = {0};

	log_open(&l, 1 << 24);
	for (int i = 0; i < THREADS; i++) {
		appenders[i].log = &l;
		appenders[i].who = i;
		ck_assert_int_eq(
			pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(appenders[i].thread, NULL), 0);
	/* Applied in the order of the log, each of them once, and chained in its room; each sender's in
	 * the order of its counters; and each result says what was applied. */
	ck_assert_uint_eq(l.count, THREADS * PER);
	for (size_t i = 0; i < l.count; i++) {
		const struct applied *x = &l.applied[i];
		ck_assert_uint_eq(x->seq, i + 1);
		ck_assert_uint_eq(x->prev, prev[x->instance % 2]);
		prev[x->instance % 2] = x->seq;
		ck_assert_uint_eq(x->counter, ++counters[x->instance]);
		const struct append_result *r = &appenders[x->instance].results[x->counter - 1];
		ck_assert_int_eq(r->status, APPEND_OK);
		ck_assert(!r->duplicate);
		ck_assert_uint_eq(r->seq, x->seq);
	}
	log_close(&l);
}
END_TEST

/* Two connections of one instance, as when a client comes again before its old connection is known
 * to be dead: each id counts once all the same. */
START_TEST(one_instance_by_two_threads)
{
	struct log l;
	struct appender appenders[2];

	log_open(&l, 1 << 24);
	for (int i = 0; i < 2; i++) {
		appenders[i].log = &l;
		appenders[i].who = 1;
		ck_assert_int_eq(
			pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(appenders[i].thread, NULL), 0);
	ck_assert_uint_eq(l.count, PER);
	for (size_t i = 0; i < PER; i++) {
		ck_assert_uint_eq(l.applied[i].counter, i + 1);
		ck_assert_int_eq(appenders[0].results[i].status, APPEND_OK);
		ck_assert_int_eq(appenders[1].results[i].status, APPEND_OK);
		ck_assert_int_eq(
			appenders[0].results[i].duplicate + appenders[1].results[i].duplicate, 1);
	}
	log_close(&l);
}
END_TEST

struct look {
	struct log *log;
	atomic_bool done;
	bool wrong;
	uint64_t seen;
};

static bool on_look(void *context, const struct log_entry *e)
{
	struct look *look = context;

	look->wrong |= e->prev != look->seen;
	look->seen = e->seq;
	return true;
}

static void *keep_looking(void *argument)
{
	struct look *look = argument;
	struct stream_key key = entry_room("odd");
	uint64_t pruned, last, after;

	while (!atomic_load(&look->done)) {
		look->seen = 0;
		engine_last(look->log->engine, &key, 3, &last, &after);
		engine_range(look->log->engine, &key, 0, last, on_look, look, &pruned);
		look->wrong |= look->seen != last || after > last;
		engine_accepted(look->log->engine, log_instances[1], log_persons[1]);
	}
	return NULL;
}

START_TEST(reading_meanwhile)
{
	struct log l;
	struct look look = {.log = &l};
	struct appender appenders[2];
	pthread_t looker;

	log_open(&l, 1 << 24);
	ck_assert_int_eq(pthread_create(&looker, NULL, keep_looking, &look), 0);
	for (int i = 0; i < 2; i++) {
		appenders[i].log = &l;
		appenders[i].who = i;
		ck_assert_int_eq(
			pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(appenders[i].thread, NULL), 0);
	atomic_store(&look.done, true);
	ck_assert_int_eq(pthread_join(looker, NULL), 0);
	ck_assert(!look.wrong);
	log_close(&l);
}
END_TEST

void engine_cases_add(Suite *s, void (*setup)(void))
{
	TCase *keys = tcase_create("keys");
	TCase *any = tcase_create("any engine");
	TCase *threads = tcase_create("threads");

	tcase_add_unchecked_fixture(keys, setup, NULL);
	tcase_add_loop_test(keys, keys_of_rooms, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(keys, keys_that_cannot_be);
	suite_add_tcase(s, keys);
	tcase_add_unchecked_fixture(any, setup, NULL);
	tcase_add_test(any, numbers_and_chains);
	tcase_add_test(any, inboxes);
	tcase_add_test(any, everything_is_kept);
	tcase_add_test(any, ids_count_once);
	tcase_add_test(any, an_instance_is_one_persons);
	tcase_add_test(any, no_topic_for_one_person);
	tcase_add_test(any, a_batch_is_in_order);
	tcase_add_loop_test(any, reading, 0, sizeof(ranges) / sizeof(ranges[0]));
	tcase_add_test(any, the_last_few);
	tcase_add_test(any, logs_differ);
	suite_add_tcase(s, any);
	tcase_add_unchecked_fixture(threads, setup, NULL);
	tcase_set_timeout(threads, 60);
	tcase_add_test(threads, eight_threads_one_order);
	tcase_add_test(threads, one_instance_by_two_threads);
	tcase_add_test(threads, reading_meanwhile);
	suite_add_tcase(s, threads);
}
