/*
 * Recall: walking back and forth, the draft, the bound.
 */
#include "client/recall.h"

#include <check.h>
#include <stdio.h>

START_TEST(walk)
{
	struct recall r = {0};

	ck_assert_ptr_null(recall_older(&r, "draft"));
	ck_assert_ptr_null(recall_newer(&r, "draft"));
	recall_add(&r, "one");
	recall_add(&r, "two");
	recall_add(&r, "two");
	recall_add(&r, "");
	ck_assert_uint_eq(r.count, 2);
	ck_assert_str_eq(recall_older(&r, "draft"), "two");
	ck_assert_str_eq(recall_older(&r, "two"), "one");
	ck_assert_ptr_null(recall_older(&r, "one"));
	ck_assert_str_eq(recall_newer(&r, "one"), "two");
	ck_assert_str_eq(recall_newer(&r, "two"), "draft");
	ck_assert_ptr_null(recall_newer(&r, "draft"));
	ck_assert_str_eq(recall_older(&r, "another"), "two");
	recall_add(&r, "three"); /* sent; what was being written is there as well */
	ck_assert_str_eq(recall_older(&r, ""), "three");
	ck_assert_str_eq(recall_older(&r, "three"), "another");
	recall_fini(&r);
}
END_TEST

/* What is made of a line on the way is not lost when the walk goes on. */
START_TEST(changed)
{
	struct recall r = {0};

	recall_add(&r, "one");
	recall_add(&r, "two");
	ck_assert_str_eq(recall_older(&r, "draft"), "two");
	ck_assert_ptr_null(recall_newer(&r, "two, changed"));
	ck_assert_str_eq(recall_older(&r, "two, changed"), "draft");
	ck_assert_str_eq(recall_older(&r, "draft"), "two");
	ck_assert_str_eq(recall_older(&r, "new"), "two, changed");
	ck_assert_str_eq(recall_newer(&r, "two, changed"), "new");
	recall_fini(&r);
}
END_TEST

/* Whoever goes elsewhere takes what they were writing, and no line that was only looked at. */
START_TEST(left)
{
	struct recall r = {0};

	ck_assert_str_eq(recall_leave(&r, "draft"), "draft");
	recall_add(&r, "one");
	ck_assert_str_eq(recall_older(&r, "draft"), "one");
	ck_assert_str_eq(recall_leave(&r, "one"), "draft");
	ck_assert_ptr_null(recall_newer(&r, "elsewhere"));
	ck_assert_str_eq(recall_older(&r, "elsewhere"), "one");
	ck_assert_str_eq(recall_leave(&r, "one, changed"), "one, changed");
	recall_fini(&r);
}
END_TEST

START_TEST(bound)
{
	struct recall r = {0};
	char line[16];

	for (int i = 0; i < RECALL_MOST + 50; i++) {
		(void)snprintf(line, sizeof line, "%d", i);
		recall_add(&r, line);
	}
	ck_assert_uint_eq(r.count, RECALL_MOST);
	const char *oldest = "", *older;
	while ((older = recall_older(&r, oldest)))
		oldest = older;
	ck_assert_str_eq(oldest, "50");
	recall_fini(&r);
}
END_TEST

Suite *recall_suite(void)
{
	Suite *s = suite_create("recall");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, walk);
	tcase_add_test(t, changed);
	tcase_add_test(t, left);
	tcase_add_test(t, bound);
	suite_add_tcase(s, t);
	return s;
}
