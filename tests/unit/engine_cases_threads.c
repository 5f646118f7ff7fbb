#include "tests/unit/engine_cases.h"

#include "tests/unit/entries.h"

#include <pthread.h>
#include <stdatomic.h>

#define NEVER INT64_MAX

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
		engine_accepted(look->log->engine, log_instance(1), log_person(1));
	}
	return NULL;
}

static bool on_found(void *context, const struct log_entry *e)
{
	struct look *look = context;

	look->wrong |= e->seq >= look->seen;
	look->seen = e->seq;
	return true;
}

/* All the other calls, one after the other. */
static void *keep_asking(void *argument)
{
	struct look *look = argument;
	struct engine *e = look->log->engine;
	const struct stream_key keys[2] = {entry_room("even"), entry_room("odd")};
	struct append_result result;
	struct room_record room;
	uint64_t after, seq;

	for (uint64_t turn = 1; !atomic_load(&look->done); turn++) {
		struct search what = {.streams = keys,
			.stream_count = 2,
			.words = span_of("x"),
			.before = UINT64_MAX,
			.limit = 5,
			.deadline = NEVER};
		struct note n = {.kind = NOTE_READ,
			.person = log_person(1),
			.stream = &keys[1],
			.name = span_of("odd"),
			.seq = turn};
		look->seen = UINT64_MAX;
		look->wrong |= engine_search(e, &what, on_found, look) != 0;
		look->wrong |= engine_before(e, &keys[0], turn, 3, &after) != 0;
		look->wrong |= engine_since(e, &keys[0], turn, &after) != 0;
		look->wrong |= engine_note(e, &n) != 0;
		look->wrong |= engine_read_position(e, n.person, n.stream, &seq) || seq > turn;
		if (engine_room(e, &keys[1], &room) == 0)
			look->wrong |= room.last == 0;
		if (engine_settled(e, log_instance(1), log_person(1), 1, &result) == 0)
			look->wrong |= result.status != APPEND_OK || result.seq == 0;
	}
	return NULL;
}

START_TEST(reading_meanwhile)
{
	struct log l;
	struct look looks[2] = {{.log = &l}, {.log = &l}};
	struct appender appenders[2];
	pthread_t lookers[2];

	log_open(&l, 1 << 24);
	ck_assert_int_eq(pthread_create(&lookers[0], NULL, keep_looking, &looks[0]), 0);
	ck_assert_int_eq(pthread_create(&lookers[1], NULL, keep_asking, &looks[1]), 0);
	for (int i = 0; i < 2; i++) {
		appenders[i].log = &l;
		appenders[i].who = i;
		ck_assert_int_eq(
			pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(appenders[i].thread, NULL), 0);
	for (int i = 0; i < 2; i++) {
		atomic_store(&looks[i].done, true);
		ck_assert_int_eq(pthread_join(lookers[i], NULL), 0);
		ck_assert(!looks[i].wrong);
	}
	log_close(&l);
}
END_TEST

void engine_cases_threads(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("threads");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, eight_threads_one_order);
	tcase_add_test(t, one_instance_by_two_threads);
	tcase_add_test(t, reading_meanwhile);
	suite_add_tcase(s, t);
}
