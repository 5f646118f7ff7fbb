/*
 * Every failure has a text of its own.
 */
#include "common/err.h"

#include <check.h>
#include <string.h>

START_TEST(each_code_has_its_own_text)
{
	for (int a = ERR_DAMAGED; a <= ERR_NONE; a++) {
		ck_assert_str_ne(err_text(a), "");
		ck_assert_str_ne(err_text(a), "unknown error");
		for (int b = ERR_DAMAGED; b < a; b++)
			ck_assert_str_ne(err_text(a), err_text(b));
	}
}
END_TEST

START_TEST(other_numbers_are_unknown)
{
	ck_assert_str_eq(err_text(1), "unknown error");
	ck_assert_str_eq(err_text(ERR_DAMAGED - 1), "unknown error");
}
END_TEST

Suite *err_suite(void);

Suite *err_suite(void)
{
	Suite *s = suite_create("err");
	TCase *c = tcase_create("err");

	tcase_add_test(c, each_code_has_its_own_text);
	tcase_add_test(c, other_numbers_are_unknown);
	suite_add_tcase(s, c);
	return s;
}
