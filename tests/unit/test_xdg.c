/*
 * The base directories: set, not set, not absolute, nowhere, and too long.
 */
#include "client/xdg.h"

#include "common/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum xdg which;
	const char *variable, *value; /* NULL: not set */
	const char *home;
	const char *name;
	const char *expected; /* NULL: ERR_NOT_FOUND */
} cases[] = {
	{XDG_STATE, "XDG_STATE_HOME", "/s", "/home/anna", "", "/s/lanchat"},
	{XDG_STATE, "XDG_STATE_HOME", "/s", NULL, "a.log", "/s/lanchat/a.log"},
	{XDG_STATE, "XDG_STATE_HOME", NULL, "/home/anna", "", "/home/anna/.local/state/lanchat"},
	{XDG_STATE, "XDG_STATE_HOME", "", "/home/anna", "", "/home/anna/.local/state/lanchat"},
	{XDG_STATE, "XDG_STATE_HOME", "s", "/h", "", "/h/.local/state/lanchat"}, /* relative */
	{XDG_DATA, "XDG_DATA_HOME", "/d", "/h", "identity.pem", "/d/lanchat/identity.pem"},
	{XDG_DATA, "XDG_DATA_HOME", NULL, "/h", "x", "/h/.local/share/lanchat/x"},
	{XDG_CONFIG, "XDG_CONFIG_HOME", "/c", "/h", "config", "/c/lanchat/config"},
	{XDG_CONFIG, "XDG_CONFIG_HOME", NULL, "/h", "config", "/h/.config/lanchat/config"},
	{XDG_STATE, "XDG_STATE_HOME", NULL, NULL, "", NULL},
	{XDG_STATE, "XDG_STATE_HOME", NULL, "", "", NULL},
	{XDG_STATE, "XDG_STATE_HOME", NULL, "home", "", NULL},
};

static void set(const char *variable, const char *value)
{
	ck_assert_int_eq(value ? setenv(variable, value, 1) : unsetenv(variable), 0);
}

START_TEST(test_cases)
{
	char path[64] = "untouched";

	set(cases[_i].variable, cases[_i].value);
	set("HOME", cases[_i].home);
	int r = xdg_path(cases[_i].which, cases[_i].name, path, sizeof(path));
	ck_assert_int_eq(r, cases[_i].expected ? 0 : ERR_NOT_FOUND);
	ck_assert_str_eq(path, cases[_i].expected ? cases[_i].expected : "untouched");
}
END_TEST

/* What just fits, and one byte more. */
START_TEST(test_size)
{
	char path[sizeof("/s/lanchat/x")] = "untouched";

	set("XDG_STATE_HOME", "/s");
	ck_assert_int_eq(xdg_path(XDG_STATE, "x", path, sizeof(path) - 1), ERR_TOO_BIG);
	ck_assert_str_eq(path, "untouched");
	ck_assert_int_eq(xdg_path(XDG_STATE, "x", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/s/lanchat/x");
}
END_TEST

Suite *xdg_suite(void)
{
	Suite *s = suite_create("xdg");
	TCase *t = tcase_create("xdg");

	tcase_add_loop_test(t, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, test_size);
	suite_add_tcase(s, t);
	return s;
}
