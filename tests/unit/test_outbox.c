/*
 * The outbox: numbers rise, the mark moves forth and back, answers in any order.
 */
#include "client/outbox.h"

#include <check.h>

static struct outbox box;

static void setup(void)
{
	static const struct outgoing m = {.to = "lobby"};

	box = (struct outbox){0};
	for (uint64_t c = 1; c <= 5; c++)
		ck_assert_uint_eq(outbox_add(&box, &m, "words")->counter, c);
	ck_assert_uint_eq(box.count, 5);
}

static void teardown(void)
{
	outbox_fini(&box);
	ck_assert_uint_eq(box.count, 0);
	ck_assert_ptr_null(outbox_next(&box));
}

static void send_all(void)
{
	while (outbox_next(&box))
		outbox_sent(&box);
}

/* What goes next, until nothing does, is `first` and all that follow. */
static void expect_from(uint64_t first)
{
	for (uint64_t c = first; c <= 5; c++) {
		ck_assert_uint_eq(outbox_next(&box)->counter, c);
		outbox_sent(&box);
	}
	ck_assert_ptr_null(outbox_next(&box));
}

START_TEST(test_in_order)
{
	expect_from(1);
}
END_TEST

/* Whether a message was sent is remembered, and whether it goes a second time. */
START_TEST(test_sent_again)
{
	static const struct outgoing old = {.counter = 6, .to = "lobby"};

	const struct outgoing *restored = outbox_restore(&box, &old, "words");
	ck_assert(restored->sent && restored->again);
	ck_assert(!outbox_find(&box, 1)->sent);
	outbox_sent(&box);
	ck_assert(outbox_find(&box, 1)->sent && !outbox_find(&box, 1)->again);
	outbox_rewind(&box, 0);
	ck_assert(outbox_find(&box, 1)->again && !outbox_find(&box, 2)->again);
	send_all();
	for (uint64_t c = 1; c <= 6; c++) {
		ck_assert(outbox_find(&box, c)->sent);
		ck_assert_int_eq(outbox_find(&box, c)->again, c == 1 || c == 6);
	}
}
END_TEST

START_TEST(test_rewind)
{
	send_all();
	outbox_rewind(&box, 3);
	outbox_rewind(&box, 4); /* never forward */
	expect_from(3);
	outbox_rewind(&box, 6);
	ck_assert_ptr_null(outbox_next(&box));
	outbox_rewind(&box, 0);
	expect_from(1);
}
END_TEST

START_TEST(test_rewind_to_one_that_is_gone)
{
	send_all();
	outbox_remove(&box, outbox_find(&box, 3));
	outbox_rewind(&box, 3);
	expect_from(4);
}
END_TEST

START_TEST(test_remove_at_the_mark)
{
	outbox_sent(&box);
	outbox_remove(&box, outbox_find(&box, 2));
	expect_from(3);
}
END_TEST

START_TEST(test_find_and_remove)
{
	static const uint64_t order[] = {3, 1, 5, 2, 4};

	for (size_t i = 0; i < 5; i++) {
		struct outgoing *m = outbox_find(&box, order[i]);
		ck_assert_ptr_nonnull(m);
		outbox_remove(&box, m);
		ck_assert_ptr_null(outbox_find(&box, order[i]));
	}
	ck_assert_ptr_null(outbox_find(&box, 0));
	ck_assert_uint_eq(outbox_add(&box, &(struct outgoing){.to = "x"}, "")->counter, 6);
}
END_TEST

Suite *outbox_suite(void)
{
	Suite *s = suite_create("outbox");
	TCase *t = tcase_create("outbox");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_in_order);
	tcase_add_test(t, test_sent_again);
	tcase_add_test(t, test_rewind);
	tcase_add_test(t, test_rewind_to_one_that_is_gone);
	tcase_add_test(t, test_remove_at_the_mark);
	tcase_add_test(t, test_find_and_remove);
	suite_add_tcase(s, t);
	return s;
}
