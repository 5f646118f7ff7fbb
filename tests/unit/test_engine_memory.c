/*
 * The engine in memory: what every engine does, and the bound of its memory.
 */
#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/engine_cases.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <string.h>

static void use_memory(void)
{
	engine_cases_use(engine_open_memory);
}

START_TEST(the_oldest_make_room)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;
	struct page p;
	uint64_t pruned = 0;

	log_open(&l, 4000);
	log_accept(&l, log_said(&b, 2, 1, "rare"), 1);
	for (uint64_t i = 2; i <= 300; i++) {
		log_accept(&l, log_said(&a, 1, i, "x"), i);
		uint64_t now = log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
		ck_assert_uint_ge(now, pruned);
		pruned = now;
		/* What is there is all that was said after what is not. */
		ck_assert_uint_gt(p.count, 0);
		ck_assert_uint_eq(p.seqs[p.count - 1], i);
		ck_assert_uint_eq(p.seqs[0], (pruned ? pruned : 1) + 1);
		ck_assert_uint_eq(p.seqs[p.count - 1] - p.seqs[0] + 1, p.count);
		/* More than there are begin after what was pruned: no gap is told to who asks so. */
		log_check_last(&l, &a, LOG_PAGE, i, pruned);
	}
	ck_assert_uint_gt(pruned, 200);
	/* A room of which nothing is left still knows its last number. */
	ck_assert_uint_eq(log_read(&l, &b, 0, UINT64_MAX, LOG_PAGE, &p), 1);
	ck_assert_uint_eq(p.count, 0);
	log_check_last(&l, &b, 10, 1, 1);
	log_accept(&l, log_said(&b, 2, 2, "back"), 301);
	ck_assert_uint_eq(l.applied[l.count - 1].prev, 1);
	/* Ids are never forgotten. */
	ck_assert(log_append(&l, log_said(&b, 2, 1, "rare")).duplicate);
	ck_assert(log_append(&l, log_said(&a, 1, 2, "x")).duplicate);
	log_close(&l);
}
END_TEST

START_TEST(inboxes_are_pruned)
{
	struct stream_key inbox;
	struct log l;
	struct page p;

	log_open(&l, 4000);
	for (uint64_t i = 1; i <= 200; i++)
		log_accept(&l, log_direct(1, i % 2 ? 2 : 3, i, "x"), i);
	for (int who = 1; who <= 3; who++) {
		stream_key_inbox(log_said(NULL, who, 0, "").person, &inbox);
		uint64_t pruned = log_read(&l, &inbox, 0, UINT64_MAX, LOG_PAGE, &p);
		ck_assert_uint_gt(pruned, 100);
		ck_assert_uint_eq(p.seqs[0], pruned + (who == 1 ? 1 : 2));
	}
	log_close(&l);
}
END_TEST

/* An entry of any size that the protocol allows, in the smallest log. */
START_TEST(one_that_does_not_fit)
{
	struct stream_key a = entry_room("a");
	struct log l;
	char bytes[TEXT_MAX];
	struct log_entry big = log_said(&a, 1, 1, "");

	log_open(&l, 2000);
	big.text = entry_text(1, sizeof(bytes), bytes);
	ck_assert_int_eq(log_append(&l, big).status, APPEND_TOO_BIG);
	ck_assert_uint_eq(l.count, 0);
	/* It is not taken for accepted, and what follows is. */
	ck_assert_uint_eq(engine_accepted(l.engine, big.instance, big.person), 0);
	big.text.length = 1000;
	log_accept(&l, big, 1);
	big.counter = 2;
	log_accept(&l, big, 2);
	log_close(&l);
}
END_TEST

/* Counters 2, 4, 6...: of those up to the highest whose entry was dropped nobody knows any more
 * whether they were in the log; above it everybody does. */
START_TEST(counters_of_dropped_entries)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct page p;

	log_open(&l, 4000);
	for (uint64_t i = 1; i <= 100; i++)
		log_accept(&l, log_said(&a, 1, 2 * i, "x"), i);
	uint64_t dropped = log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_gt(dropped, 10);
	ck_assert_uint_lt(dropped, 99);
	for (uint64_t counter = 1; counter <= 200; counter++) {
		bool kept = counter % 2 == 0 && counter / 2 > dropped;
		struct append_result r = {.status = APPEND_RETRY}, again;
		ck_assert_int_eq(
			engine_settled(l.engine, log_instance(1), log_person(1), counter, &r), 0);
		again = log_append(&l, log_said(&a, 1, counter, "x"));
		ck_assert_int_eq(again.status, r.status);
		ck_assert_int_eq(again.duplicate, r.duplicate);
		ck_assert_uint_eq(again.seq, r.seq);
		ck_assert_int_eq(again.code, r.code);
		if (kept || counter <= 2 * dropped) {
			ck_assert_int_eq(r.status, APPEND_OK);
			ck_assert(r.duplicate);
			ck_assert_uint_eq(r.seq, kept ? counter / 2 : 0);
		} else {
			ck_assert_int_eq(r.status, APPEND_REJECTED);
			ck_assert_int_eq(r.code, CODE_NOT_KEPT);
		}
	}
	log_close(&l);
}
END_TEST

/* Pages and times of a room whose beginning, or all of it, was dropped. */
START_TEST(pages_of_what_is_left)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;
	struct page p;
	uint64_t after;

	log_open(&l, 4000);
	log_accept(&l, log_said(&b, 2, 1, "rare"), 1);
	for (uint64_t i = 2; i <= 100; i++)
		log_accept(&l, log_said(&a, 1, i, "x"), i);
	uint64_t dropped = log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_int_eq(engine_before(l.engine, &a, UINT64_MAX, 1000, &after), 0);
	ck_assert_uint_eq(after, dropped);
	ck_assert_int_eq(engine_before(l.engine, &a, dropped + 1, 10, &after), 0);
	ck_assert_uint_eq(after, dropped);
	ck_assert_int_eq(engine_before(l.engine, &a, UINT64_MAX, 2, &after), 0);
	ck_assert_uint_eq(after, 98);
	ck_assert_int_eq(engine_since(l.engine, &a, 0, &after), 0);
	ck_assert_uint_eq(after, dropped);
	ck_assert_int_eq(engine_since(l.engine, &a, UINT64_MAX, &after), 0);
	ck_assert_uint_eq(after, 100);
	ck_assert_int_eq(engine_before(l.engine, &b, UINT64_MAX, 10, &after), 0);
	ck_assert_uint_eq(after, 1);
	ck_assert_int_eq(engine_since(l.engine, &b, 0, &after), 0);
	ck_assert_uint_eq(after, 1);
	log_close(&l);
}
END_TEST

START_TEST(a_topic_outlives_its_entry)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct room_record room;
	struct log l;
	struct page p;

	log_open(&l, 4000);
	struct log_entry e = log_said(&b, 2, 1, "topic");
	e.kind = SAID_TOPIC;
	e.room_name = span_of("B");
	log_accept(&l, e, 1);
	for (uint64_t i = 2; i <= 100; i++)
		log_accept(&l, log_said(&a, 1, i, "x"), i);
	ck_assert_uint_eq(log_read(&l, &b, 0, UINT64_MAX, LOG_PAGE, &p), 1);
	ck_assert_int_eq(engine_room(l.engine, &b, &room), 0);
	ck_assert_str_eq(room.name, "B");
	ck_assert_str_eq(room.topic, "topic");
	ck_assert_uint_eq(room.last, 1);
	/* The room lives on, with another topic. */
	e.counter = 2;
	e.text = span_of("other");
	log_accept(&l, e, 101);
	ck_assert_int_eq(engine_room(l.engine, &b, &room), 0);
	ck_assert_str_eq(room.topic, "other");
	log_close(&l);
}
END_TEST

START_TEST(a_search_gives_up)
{
	struct stream_key a = entry_room("a");
	struct log l;
	struct page p = {.most = LOG_PAGE};
	struct search what = {
		.streams = &a,
		.stream_count = 1,
		.words = span_of("x"),
		.before = UINT64_MAX,
		.limit = 10,
		.deadline = clock_ms() - 1,
	};

	log_open(&l, 1 << 20);
	ck_assert_int_eq(engine_search(l.engine, &what, log_on_read, &p), 0);
	log_accept(&l, log_said(&a, 1, 1, "x"), 1);
	ck_assert_int_eq(engine_search(l.engine, &what, log_on_read, &p), ERR_TIMEOUT);
	ck_assert_uint_eq(p.count, 0);
	what.deadline = INT64_MAX;
	ck_assert_int_eq(engine_search(l.engine, &what, log_on_read, &p), 0);
	ck_assert_uint_eq(p.count, 1);
	log_close(&l);
}
END_TEST

static bool count_found(void *context, const struct log_entry *e)
{
	(void)e;
	++*(uint64_t *)context;
	return true;
}

/* Entries as long as they may be, of which few fit in what is copied at once. */
START_TEST(long_texts_are_searched)
{
	struct stream_key a = entry_room("a");
	struct log l;
	char text[TEXT_MAX];
	uint64_t found = 0;
	struct search what = {
		.streams = &a,
		.stream_count = 1,
		.words = span_of("end "),
		.before = UINT64_MAX,
		.limit = 100,
		.deadline = INT64_MAX,
	};

	log_open(&l, 1 << 20);
	for (uint64_t i = 1; i <= 50; i++) {
		struct log_entry e = log_said(&a, 1, i, "");
		for (size_t at = 0; at < sizeof(text); at++)
			text[at] = at % 5 ? 'a' : ' ';
		if (i % 2)
			memcpy(text + sizeof(text) - 4, " end", 4);
		e.text = (struct span){.text = text, .length = sizeof(text)};
		log_accept(&l, e, i);
	}
	ck_assert_int_eq(engine_search(l.engine, &what, count_found, &found), 0);
	ck_assert_uint_eq(found, 25);
	log_close(&l);
}
END_TEST

Suite *engine_memory_suite(void)
{
	Suite *s = suite_create("engine_memory");
	TCase *bound = tcase_create("bound");

	engine_cases_add(s, use_memory);
	tcase_add_unchecked_fixture(bound, use_memory, NULL);
	tcase_add_test(bound, the_oldest_make_room);
	tcase_add_test(bound, inboxes_are_pruned);
	tcase_add_test(bound, one_that_does_not_fit);
	tcase_add_test(bound, counters_of_dropped_entries);
	tcase_add_test(bound, pages_of_what_is_left);
	tcase_add_test(bound, a_topic_outlives_its_entry);
	tcase_add_test(bound, a_search_gives_up);
	tcase_add_test(bound, long_texts_are_searched);
	suite_add_tcase(s, bound);
	return s;
}
