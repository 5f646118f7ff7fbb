#include "tests/unit/engine_cases.h"

#include "common/err.h"
#include "tests/unit/entries.h"

/* What a settled counter is answered with: the number of its entry, or, without one, that it is not
 * in the log and will not be. */
static void check_settled(struct append_result r, uint64_t counter, uint64_t seq)
{
	if (seq == 0) {
		ck_assert_msg(r.status == APPEND_REJECTED && r.code == CODE_NOT_KEPT,
			"counter %llu: status %d, code %d", (unsigned long long)counter,
			(int)r.status, (int)r.code);
		return;
	}
	ck_assert_int_eq(r.status, APPEND_OK);
	ck_assert(r.duplicate);
	ck_assert_uint_eq(r.seq, seq);
}

static void check_not_settled(struct log *l, int instance, int person, uint64_t counter)
{
	struct append_result r = {.status = APPEND_RETRY, .seq = 77};

	ck_assert_int_eq(
		engine_settled(l->engine, log_instance(instance), log_person(person), counter, &r),
		ERR_NOT_FOUND);
	ck_assert_uint_eq(r.seq, 77);
}

START_TEST(ids_count_once)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	for (uint64_t i = 1; i <= 100; i++)
		log_accept(&l, log_said(&a, 1, i * 2, "x"), i);
	/* Again, the latest and the oldest; and those that were left out come too late. */
	for (uint64_t counter = 1; counter <= 200; counter++)
		check_settled(log_append(&l, log_said(&a, 1, counter, "again")), counter,
			counter % 2 ? 0 : counter / 2);
	ck_assert_uint_eq(l.count, 100); /* nothing was applied twice */
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(1)), 200);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(2), log_person(1)), 0);
	/* The same counters of another instance are other ids. */
	log_accept(&l, log_said(&a, 2, 1, "y"), 101);
	log_close(&l);
}
END_TEST

START_TEST(what_became_of_a_counter)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;

	log_open(&l, 1 << 20);
	check_not_settled(&l, 1, 1, 1);
	log_accept(&l, log_said(&a, 1, 2, "x"), 1);
	log_accept(&l, log_said(&a, 2, 1, "x"), 2);
	log_accept(&l, log_direct(1, 2, 3, "x"), 3);
	log_accept(&l, log_said(&b, 1, 7, "x"), 4);
	static const uint64_t seqs[] = {0, 0, 1, 3, 0, 0, 0, 4};
	for (uint64_t counter = 1; counter <= 7; counter++) {
		struct append_result r = {.status = APPEND_RETRY};
		ck_assert_int_eq(
			engine_settled(l.engine, log_instance(1), log_person(1), counter, &r), 0);
		check_settled(r, counter, seqs[counter]);
	}
	check_not_settled(&l, 1, 1, 8);
	check_not_settled(&l, 1, 1, UINT64_MAX);
	check_not_settled(&l, 2, 2, 2);
	check_not_settled(&l, 3, 1, 1); /* an instance that nobody has used */
	check_not_settled(&l, 1, 2, 2); /* somebody else's */
	ck_assert_uint_eq(l.count, 4);
	log_close(&l);
}
END_TEST

START_TEST(the_highest_counter)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	for (uint64_t counter = UINT64_MAX; counter > INT64_MAX; counter -= INT64_MAX) {
		struct append_result r = log_append(&l, log_said(&a, 1, counter, "too high"));
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_BAD_VALUE);
	}
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(1)), 0);
	log_accept(&l, log_said(&a, 1, INT64_MAX, "last"), 1);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(1)), INT64_MAX);
	check_settled(log_append(&l, log_said(&a, 1, INT64_MAX, "last")), INT64_MAX, 1);
	check_settled(log_append(&l, log_said(&a, 1, 1, "late")), 1, 0);
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
		e.person = log_person(2);
		struct append_result r = log_append(&l, e);
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_BAD_VALUE);
	}
	/* Nor does anybody learn how far it is. */
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(2)), 0);
	ck_assert_uint_eq(engine_accepted(l.engine, log_instance(1), log_person(1)), 5);
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

void engine_cases_ids(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("ids");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_test(t, ids_count_once);
	tcase_add_test(t, what_became_of_a_counter);
	tcase_add_test(t, the_highest_counter);
	tcase_add_test(t, an_instance_is_one_persons);
	tcase_add_test(t, no_topic_for_one_person);
	suite_add_tcase(s, t);
}
