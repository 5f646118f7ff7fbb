/*
 * The table of limits: each is an option that may be off, and what a peer is told names it.
 */
#include "server/limits.h"

#include "server/settings.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec *option(const char *name)
{
	const struct option_table *t = settings_table();

	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, name) == 0)
			return &t->rows[i];
	}
	return NULL;
}

START_TEST(each_is_an_option_that_may_be_off)
{
	const struct option_spec *o = option(limit_name((enum limit)_i));

	ck_assert_msg(o != NULL, "there is no --%s", limit_name((enum limit)_i));
	ck_assert_msg(o->off, "--%s cannot be off", o->name);
	ck_assert_msg(o->file && o->reload, "--%s", o->name);
}
END_TEST

START_TEST(its_text_names_it)
{
	const char *text = limit_text((enum limit)_i);
	char name[64];

	snprintf(name, sizeof(name), "(%s)", limit_name((enum limit)_i));
	ck_assert_msg(strstr(text, name) != NULL, "%s is not in: %s", name, text);
	ck_assert_uint_le(strlen(text), REASON_MAX);
}
END_TEST

START_TEST(what_newcomers_are_refused_for)
{
	static const struct {
		enum code code;
		enum limit limit;
	} cases[] = {
		{CODE_FULL, LIMIT_MAX_CLIENTS},
		{CODE_TOO_MANY_HERE, LIMIT_MAX_PER_ADDRESS},
		{CODE_TOO_MANY_LOGINS, LIMIT_MAX_LOGGING_IN},
		{CODE_PENALTY, LIMIT_MAX_FAULTS},
		{CODE_RESOURCES, LIMITS},
		{CODE_STOPPING, LIMITS},
		{CODE_TIMEOUT, LIMITS},
		{CODE_NONE, LIMITS},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(limit_of_refusal(cases[i].code), cases[i].limit);
}
END_TEST

Suite *limits_suite(void);

Suite *limits_suite(void)
{
	Suite *s = suite_create("limits");
	TCase *c = tcase_create("limits");

	tcase_add_loop_test(c, each_is_an_option_that_may_be_off, 0, LIMITS);
	tcase_add_loop_test(c, its_text_names_it, 0, LIMITS);
	tcase_add_test(c, what_newcomers_are_refused_for);
	suite_add_tcase(s, c);
	return s;
}
