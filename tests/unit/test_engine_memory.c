/*
 * The engine in memory: what every engine does, and the bound of its memory.
 */
#include "tests/unit/engine_cases.h"
#include "tests/unit/entries.h"

#include <check.h>

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

Suite *engine_memory_suite(void)
{
	Suite *s = suite_create("engine_memory");
	TCase *bound = tcase_create("bound");

	engine_cases_add(s, use_memory);
	tcase_add_unchecked_fixture(bound, use_memory, NULL);
	tcase_add_test(bound, the_oldest_make_room);
	tcase_add_test(bound, inboxes_are_pruned);
	tcase_add_test(bound, one_that_does_not_fit);
	suite_add_tcase(s, bound);
	return s;
}
