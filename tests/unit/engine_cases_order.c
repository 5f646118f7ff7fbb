#include "tests/unit/engine_cases.h"

#include "common/err.h"
#include "tests/unit/entries.h"

#include <string.h>

#define NEVER INT64_MAX

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
	stream_key_inbox(log_person(1), &inbox);
	ck_assert_int_ne(stream_key_compare(&key, &inbox), 0);
}
END_TEST

/* ---- order ---- */

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

	stream_key_inbox(log_person(1), &of1);
	stream_key_inbox(log_person(2), &of2);
	stream_key_inbox(log_person(3), &of3);
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
		stream_key_inbox(log_person(who), &inbox);
		ck_assert_int_eq(engine_range(l.engine, &inbox, 0, 1, check_whole, &e, &pruned), 0);
	}
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
	static const uint64_t seqs[] = {1, 2, 2, 3};
	static const bool duplicates[] = {false, false, true, false};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(results[i].status, APPEND_OK);
		ck_assert_uint_eq(results[i].seq, seqs[i]);
		ck_assert_int_eq(results[i].duplicate, duplicates[i]);
	}
	ck_assert_int_eq(results[4].status, APPEND_REJECTED);
	ck_assert_int_eq(results[4].code, CODE_NOT_KEPT);
	ck_assert_int_eq(engine_append(l.engine, entries, 0, NEVER, results), 0);
	ck_assert_uint_eq(l.count, 3);
	log_close(&l);
}
END_TEST

/* What is new counts, once. */
START_TEST(stats)
{
	struct engine_stats before, after;
	struct stream_key room;
	struct log l;

	ck_assert_int_eq(stream_key_room("room", 4, &room), 0);
	log_open(&l, 1 << 20);
	engine_stats(l.engine, &before);
	ck_assert_uint_eq(before.transactions, 0);
	ck_assert_uint_eq(before.entries, 0);
	for (uint64_t i = 1; i <= 5; i++)
		log_accept(&l, log_said(&room, 1, i, "text"), i);
	struct append_result again = log_append(&l, log_said(&room, 1, 5, "text"));
	ck_assert(again.duplicate);
	engine_stats(l.engine, &after);
	ck_assert_uint_eq(after.transactions, 5); /* one after the other */
	ck_assert_uint_eq(after.entries, 5);
	ck_assert_uint_gt(after.bytes, 5 * 4);
	ck_assert_uint_ge(after.bytes, before.bytes);
	log_close(&l);
}
END_TEST

START_TEST(logs_differ)
{
	struct log a, b;

	log_open(&a, 1 << 20);
	log_open(&b, 1 << 20);
	ck_assert_int_eq(engine_health(a.engine), ENGINE_WELL);
	ck_assert_mem_ne(a.engine->log_id, b.engine->log_id, ENGINE_LOG_ID);
	/* And neither knows the other. */
	static const uint8_t none[ENGINE_LOG_ID];
	uint64_t upto = 0;
	ck_assert(engine_shares(a.engine, a.engine->log_id, &upto));
	ck_assert_uint_eq(upto, UINT64_MAX);
	ck_assert(!engine_shares(a.engine, b.engine->log_id, &upto));
	ck_assert(!engine_shares(a.engine, none, &upto));
	log_close(&a);
	log_close(&b);
	engine_close(NULL);
}
END_TEST

void engine_cases_order(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("order");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, keys_of_rooms, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(t, keys_that_cannot_be);
	tcase_add_test(t, numbers_and_chains);
	tcase_add_test(t, inboxes);
	tcase_add_test(t, everything_is_kept);
	tcase_add_test(t, a_batch_is_in_order);
	tcase_add_test(t, stats);
	tcase_add_test(t, logs_differ);
	suite_add_tcase(s, t);
}
