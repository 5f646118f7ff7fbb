/*
 * Options: the config file, and what wins over what.
 */
#include "tests/unit/options_case.h"

#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the file ---- */

static int read_text(const char *text)
{
	options_case_write(text, strlen(text));
	return options_read(
		&options_case, &settings, options_file, options_error, sizeof(options_error));
}

START_TEST(file)
{
	ck_assert_int_eq(read_text("# a comment\n"
				   "\n"
				   "  \t \r\n"
				   "name = a b  # another\n"
				   "max-clients 9\r\n"
				   "\tno-beacon\t# yes\n"
				   "listen=a#1\n"
				   "listen   \"b # \\\"2\\\" \\\\ \"   # two\n"
				   "log-level=debug"),
		0);
	ck_assert_str_eq(settings.name, "a b");
	ck_assert_int_eq(settings.clients, 9);
	ck_assert(settings.beacon_off);
	ck_assert_int_eq(settings.level, 2);
	options_case_listens("a#1", "b # \"2\" \\ ");
}
END_TEST

static const struct {
	const char *text;
	const char *complaint; /* after "PATH:" */
} wrong_files[] = {
	{"\nlisen x\n", "2: unknown option 'lisen'; did you mean 'listen'?"},
	{"quite-another", "1: unknown option 'quite-another'"},
	{"confg x", "1: unknown option 'confg'"},
	{"config x", "1: option 'config' belongs on the command line"},
	{"name", "1: option 'name' needs NAME"},
	{"name # x", "1: option 'name' needs NAME"},
	{"name =", "1: nothing follows the '='; an empty value is \"\""},
	{"name = # x", "1: nothing follows the '='; an empty value is \"\""},
	{"name \"x", "1: a quoted value must end with '\"' and nothing behind it"},
	{"name \"x\\\"", "1: a quoted value must end with '\"' and nothing behind it"},
	{"name \"x\" y", "1: a quoted value must end with '\"' and nothing behind it"},
	{"name\"x\"", "1: expected a blank or '=' after the option's name"},
	{"= x", "1: expected the name of an option"},
	{"\"name\" x", "1: expected the name of an option"},
	{"nam\x01 x", "1: unknown option 'nam\\x01'; did you mean 'name'?"},
	{"max-clients 0", "1: option 'max-clients' is a number from 1 to 1000, or off, not '0'"},
	{"no-beacon = perhaps", "1: option 'no-beacon' is yes or no, not 'perhaps'"},
	{"log-level Info", "1: option 'log-level' is one of error, info, debug, not 'Info'"},
};

START_TEST(file_complaints)
{
	ck_assert_int_eq(read_text(wrong_files[_i].text), ERR_ARGUMENT);
	ck_assert_mem_eq(options_error, options_file, strlen(options_file));
	ck_assert_int_eq(options_error[strlen(options_file)], ':');
	ck_assert_str_eq(options_error + strlen(options_file) + 1, wrong_files[_i].complaint);
}
END_TEST

START_TEST(flag_words)
{
	static const char *const words[] = {"yes", "no", "true", "false", "on", "off"};
	char line[64];

	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(line, sizeof(line), "no-beacon %s\n", words[i]);
		ck_assert_int_eq(read_text(line), 0);
		ck_assert_int_eq(settings.beacon_off, i % 2 == 0);
	}
}
END_TEST

START_TEST(empty_value)
{
	ck_assert_int_eq(read_text("name \"\""), 0);
	ck_assert_str_eq(settings.name, "");
	ck_assert_int_eq(read_text(""), 0);
}
END_TEST

START_TEST(file_of_bytes)
{
	options_case_write("name a\nname b\0c\n", 16);
	ck_assert_int_eq(options_read(&options_case, &settings, options_file, options_error,
				 sizeof(options_error)),
		ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(options_error, ":2: a NUL byte"));
}
END_TEST

START_TEST(unreadable_file)
{
	ck_assert_int_eq(options_read(&options_case, &settings, "/no/such/file", options_error,
				 sizeof(options_error)),
		ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(options_error, "cannot read '/no/such/file': No such file or directory");
	ck_assert_int_eq(options_read(&options_case, &settings, "/tmp", options_error,
				 sizeof(options_error)),
		ERR_SYSTEM);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_str_eq(options_error, "cannot read '/tmp': Is a directory");
}
END_TEST

/* ---- the whole flow ---- */

static int load(const char *line, int *rest)
{
	struct options_args a;
	char full[400];

	(void)snprintf(full, sizeof(full), line, options_file);
	options_case_split(&a, full);
	options_fini(&options_case, &settings);
	return options_load(&options_case, &settings, "config", a.c, a.v, rest, options_error,
		sizeof(options_error));
}

START_TEST(command_line_wins)
{
	int rest = 0;

	options_case_write("name file\nmax-clients 5\nno-beacon\nlisten f1\nlisten f2\n", 54);
	ck_assert_int_eq(load("where --name line --config %s --no-beacon=no", &rest), 0);
	ck_assert_int_eq(rest, 6);
	ck_assert_str_eq(settings.name, "line");
	ck_assert_int_eq(settings.clients, 5);
	ck_assert(!settings.beacon_off);
	ck_assert_int_eq(settings.buffer, 65536);
	options_case_listens("f1", "f2");
	ck_assert_str_eq(settings.config, options_file);
}
END_TEST

START_TEST(lists_are_replaced)
{
	int rest = 0;

	options_case_write("listen f1\nlisten f2\n", 20);
	ck_assert_int_eq(load("-l c1 -c %s -l c2", &rest), 0);
	options_case_listens("c1", "c2");
	/* Once more: a reload gives the same. */
	ck_assert_int_eq(load("-l c1 -c %s -l c2", &rest), 0);
	options_case_listens("c1", "c2");
	ck_assert_int_eq(load("-c %s", &rest), 0);
	options_case_listens("f1", "f2");
	ck_assert_int_eq(load("-l c1 -l c2", &rest), 0);
	options_case_listens("c1", "c2");
	ck_assert_int_eq(load("", &rest), 0);
	options_case_listens("*:19830", NULL);
}
END_TEST

START_TEST(failed_load_leaves_nothing)
{
	static const struct settings zero;
	int rest = 77;

	ck_assert_int_eq(load("--config %s.not-there", &rest), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_nonnull(strstr(options_error, "cannot read"));
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
	options_case_write("nam x\n", 6);
	ck_assert_int_eq(load("--listen y --config %s", &rest), ERR_ARGUMENT);
	ck_assert_ptr_nonnull(
		strstr(options_error, ":1: unknown option 'nam'; did you mean 'name'?"));
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
	ck_assert_int_eq(load("--lisen y --config %s", &rest), ERR_ARGUMENT);
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
}
END_TEST

Suite *options_file_suite(void)
{
	Suite *s = suite_create("options_file");
	TCase *c = tcase_create("options_file");

	tcase_add_checked_fixture(c, options_case_setup, options_case_teardown);
	tcase_add_test(c, file);
	tcase_add_loop_test(
		c, file_complaints, 0, (int)(sizeof(wrong_files) / sizeof(wrong_files[0])));
	tcase_add_test(c, flag_words);
	tcase_add_test(c, empty_value);
	tcase_add_test(c, file_of_bytes);
	tcase_add_test(c, unreadable_file);
	tcase_add_test(c, command_line_wins);
	tcase_add_test(c, lists_are_replaced);
	tcase_add_test(c, failed_load_leaves_nothing);
	suite_add_tcase(s, c);
	return s;
}
