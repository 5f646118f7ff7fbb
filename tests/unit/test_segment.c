/*
 * Segments: sizes, the budget, references.
 */
#include "server/segment.h"

#include <check.h>
#include <string.h>

static const struct {
	size_t bound, in_use, least, wish, size;
} sizes[] = {
	/* As wished while the budget lasts, however little of it. */
	{65536, 0, 1, SEGMENT_SMALLEST, SEGMENT_SMALLEST},
	{65536, 65535, 1, SEGMENT_LARGEST, SEGMENT_LARGEST},
	/* Small when it is used up, */
	{65536, 65536, 1, SEGMENT_LARGEST, SEGMENT_SMALLEST},
	{0, 0, 1, SEGMENT_LARGEST, SEGMENT_SMALLEST},
	/* and always as large as what must fit. */
	{65536, 65536, SEGMENT_SMALLEST + 1, SEGMENT_LARGEST, SEGMENT_SMALLEST + 1},
	{65536, 0, 100000, SEGMENT_LARGEST, 100000},
};

START_TEST(size_by_budget)
{
	struct segment_budget budget = {.bound = sizes[_i].bound};
	atomic_init(&budget.bytes, sizes[_i].in_use);
	struct segment *s = segment_new(&budget, sizes[_i].least, sizes[_i].wish);

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->size, sizes[_i].size);
	ck_assert_uint_eq(s->used, 0);
	ck_assert_uint_eq(atomic_load(&budget.bytes), sizes[_i].in_use + sizes[_i].size);
	memset(s->data, 0x5a, s->size); /* all of it is there: the sanitizer knows */
	segment_unref(s);
	ck_assert_uint_eq(atomic_load(&budget.bytes), sizes[_i].in_use);
}
END_TEST

START_TEST(last_reference_frees)
{
	struct segment_budget budget = {.bound = 65536};
	atomic_init(&budget.bytes, 0);
	struct segment *s = segment_new(&budget, 1, SEGMENT_SMALLEST);

	ck_assert_ptr_eq(segment_ref(s), s);
	segment_unref(s);
	ck_assert_uint_eq(atomic_load(&budget.bytes), SEGMENT_SMALLEST);
	segment_unref(s);
	ck_assert_uint_eq(atomic_load(&budget.bytes), 0);
	segment_unref(NULL);
}
END_TEST

START_TEST(scarce_at_the_bound)
{
	struct segment_budget budget = {.bound = 100};

	atomic_init(&budget.bytes, 99);
	ck_assert(!segment_scarce(&budget));
	atomic_store(&budget.bytes, 100);
	ck_assert(segment_scarce(&budget));
}
END_TEST

Suite *segment_suite(void)
{
	Suite *s = suite_create("segment");
	TCase *c = tcase_create("segment");

	tcase_add_loop_test(c, size_by_budget, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(c, last_reference_frees);
	tcase_add_test(c, scarce_at_the_bound);
	suite_add_tcase(s, c);
	return s;
}
