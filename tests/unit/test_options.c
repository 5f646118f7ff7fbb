/*
 * Options: the command line, what is wrong with it, and --help.
 */
#include "tests/unit/options_case.h"

#include "common/err.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *line, int *rest)
{
	struct options_args a;

	options_case_split(&a, line);
	return options_parse(
		&options_case, &settings, a.c, a.v, rest, options_error, sizeof(options_error));
}

START_TEST(defaults)
{
	ck_assert(!settings.help);
	ck_assert_ptr_null(settings.config);
	ck_assert_str_eq(settings.name, "nobody");
	ck_assert_int_eq(settings.clients, 100);
	ck_assert_int_eq(settings.buffer, 65536);
	ck_assert_int_eq(settings.level, 1);
	options_case_listens("*:19830", NULL);
}
END_TEST

START_TEST(every_kind)
{
	int rest = 0;

	ck_assert_int_eq(parse("--no-beacon --name=x --max-clients 7 -b2M -l a --listen=b "
			       "--log-level debug",
				 &rest),
		0);
	ck_assert_int_eq(rest, 11);
	ck_assert(settings.beacon_off);
	ck_assert_str_eq(settings.name, "x");
	ck_assert_int_eq(settings.clients, 7);
	ck_assert_int_eq(settings.buffer, 2097152);
	ck_assert_int_eq(settings.level, 2);
	options_case_listens("a", "b");
}
END_TEST

START_TEST(operands_come_last)
{
	struct options_args a;
	int rest = 0;

	options_case_split(&a, "one -h two --name x -- --three");
	ck_assert_int_eq(options_parse(&options_case, &settings, a.c, a.v, &rest, options_error,
				 sizeof(options_error)),
		0);
	ck_assert_int_eq(a.c - rest, 3);
	ck_assert_str_eq(a.v[rest], "one");
	ck_assert_str_eq(a.v[rest + 1], "two");
	ck_assert_str_eq(a.v[rest + 2], "--three");
	ck_assert(settings.help);
	ck_assert_str_eq(settings.name, "x");
}
END_TEST

START_TEST(a_unique_beginning_is_enough)
{
	int rest;

	ck_assert_int_eq(parse("--max 3 --no --na x", &rest), 0);
	ck_assert_int_eq(settings.clients, 3);
	ck_assert(settings.beacon_off);
	ck_assert_str_eq(settings.name, "x");
}
END_TEST

START_TEST(flags)
{
	int rest;

	ck_assert_int_eq(parse("--no-beacon", &rest), 0);
	ck_assert(settings.beacon_off);
	ck_assert_int_eq(parse("--no-beacon=no", &rest), 0);
	ck_assert(!settings.beacon_off);
	ck_assert_int_eq(parse("--no-beacon=yes", &rest), 0);
	ck_assert(settings.beacon_off);
}
END_TEST

static const struct {
	const char *line;
	const char *complaint;
} wrong[] = {
	{"--lisen x", "unknown option '--lisen'; did you mean '--listen'?"},
	{"--lisen=x", "unknown option '--lisen'; did you mean '--listen'?"},
	{"--quite-another", "unknown option '--quite-another'"},
	{"--n x", "option '--n' can be '--no-beacon' or '--name'"},
	{"-x", "unknown option '-x'"},
	{"-hx", "unknown option '-x'"},
	{"--name", "option '--name' needs NAME"},
	{"-n", "option '--name' needs NAME"},
	{"operand --listen", "option '--listen' needs HOST:PORT"},
	{"--no-beacon=maybe", "option '--no-beacon' is yes or no, not 'maybe'"},
	{"--no-beacon=", "option '--no-beacon' is yes or no, not ''"},
	{"--max-clients=0", "option '--max-clients' is a number from 1 to 1000, or off, not '0'"},
	{"--max-clients=1001",
		"option '--max-clients' is a number from 1 to 1000, or off, not '1001'"},
	{"--max-clients=-1", "option '--max-clients' is a number from 1 to 1000, or off, not '-1'"},
	{"--max-clients=1K", "option '--max-clients' is a number from 1 to 1000, or off, not '1K'"},
	{"--max-clients=ten",
		"option '--max-clients' is a number from 1 to 1000, or off, not 'ten'"},
	{"--max-clients=", "option '--max-clients' is a number from 1 to 1000, or off, not ''"},
	{"--max-clients=+5", "option '--max-clients' is a number from 1 to 1000, or off, not '+5'"},
	{"--max-clients=5x", "option '--max-clients' is a number from 1 to 1000, or off, not '5x'"},
	{"--buffer=1023",
		"option '--buffer' is a number from 1K to 9223372036854775807, not '1023'"},
	{"--buffer=off", "option '--buffer' is a number from 1K to 9223372036854775807, not 'off'"},
	{"--buffer=99999999999999999999",
		"option '--buffer' is a number from 1K to 9223372036854775807, not "
		"'99999999999999999999'"},
	{"--buffer=9223372036854775807G",
		"option '--buffer' is a number from 1K to 9223372036854775807, not "
		"'9223372036854775807G'"},
	{"--buffer=1KK", "option '--buffer' is a number from 1K to 9223372036854775807, not '1KK'"},
	{"--buffer=1T", "option '--buffer' is a number from 1K to 9223372036854775807, not '1T'"},
	{"--log-level=loud", "option '--log-level' is one of error, info, debug, not 'loud'"},
	{"--nam\033[2J", "unknown option '--nam\\x1b[2J'"},
};

START_TEST(complaints)
{
	int rest = 77;

	ck_assert_int_eq(parse(wrong[_i].line, &rest), ERR_ARGUMENT);
	ck_assert_str_eq(options_error, wrong[_i].complaint);
	ck_assert_int_eq(rest, 77);
}
END_TEST

START_TEST(complaint_is_cut)
{
	struct options_args a;
	char small[16];
	int rest;

	options_case_split(&a, "--quite-another");
	memset(small, '#', sizeof(small));
	ck_assert_int_eq(
		options_parse(&options_case, &settings, a.c, a.v, &rest, small, sizeof(small) - 1),
		ERR_ARGUMENT);
	ck_assert_str_eq(small, "unknown option");
	ck_assert_int_eq(
		options_parse(&options_case, &settings, a.c, a.v, &rest, NULL, 0), ERR_ARGUMENT);
}
END_TEST

static const struct {
	const char *text;
	long value;
} numbers[] = {
	{"1024", 1024},
	{"1K", 1024},
	{"1k", 1024},
	{"3M", 3145728},
	{"2G", 2147483648},
	{"2g", 2147483648},
	{"9223372036854775807", LONG_MAX},
	{"8589934591G", 8589934591L << 30},
};

START_TEST(number_suffixes)
{
	char line[64];
	int rest;

	(void)snprintf(line, sizeof(line), "--buffer=%s", numbers[_i].text);
	ck_assert_int_eq(parse(line, &rest), 0);
	ck_assert_int_eq(settings.buffer, numbers[_i].value);
}
END_TEST

START_TEST(off_and_bounds)
{
	int rest;

	ck_assert_int_eq(parse("--max-clients off", &rest), 0);
	ck_assert_int_eq(settings.clients, -1);
	ck_assert_int_eq(parse("--max-clients 1", &rest), 0);
	ck_assert_int_eq(settings.clients, 1);
	ck_assert_int_eq(parse("--max-clients 1000", &rest), 0);
	ck_assert_int_eq(settings.clients, 1000);
}
END_TEST

/* ---- help ---- */

static const char help_text[] =
	"Usage: thing [OPTION]... [WHERE]\n"
	"A thing that exists only to be given options, which it has in each of the kinds\n"
	"that there are.\n"
	"\n"
	"Options:\n"
	"  -h, --help                  print this and exit\n"
	"  -c, --config=FILE           read options from FILE; those of the command line\n"
	"                              win over them\n"
	"      --no-beacon             be invisible\n"
	"  -n, --name=NAME             how the server calls itself, which is what people\n"
	"                              see in their lists of servers, so choose it well\n"
	"                              (default: nobody)\n"
	"      --max-clients=N         clients at most (default: 100)\n"
	"  -b, --buffer=BYTES          memory (default: 64K)\n"
	"  -l, --listen=HOST:PORT      where to wait for clients (may be repeated;\n"
	"                              default: *:19830)\n"
	"      --log-level=LEVEL       how much to tell (error, info, debug; default:\n"
	"                              info)\n"
	"\n"
	"That is all.\n";

START_TEST(help)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	options_help(&options_case, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(text, help_text);
	free(text);
}
END_TEST

START_TEST(help_of_a_long_name)
{
	static const struct option_spec row = {.name = "a-name-longer-than-its-column",
		.kind = OPTION_FLAG,
		.help = "first\nsecond"};
	static const struct option_table small = {
		.program = "p", .usage = "", .about = "x", .rows = &row, .count = 1};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	options_help(&small, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(strstr(text, "      --a-name-longer-than-its-column\n"
					   "                              first\n"
					   "                              second\n"));
	free(text);
}
END_TEST

Suite *options_suite(void)
{
	Suite *s = suite_create("options");
	TCase *c = tcase_create("options");

	tcase_add_checked_fixture(c, options_case_setup, options_case_teardown);
	tcase_add_test(c, defaults);
	tcase_add_test(c, every_kind);
	tcase_add_test(c, operands_come_last);
	tcase_add_test(c, a_unique_beginning_is_enough);
	tcase_add_test(c, flags);
	tcase_add_loop_test(c, complaints, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(c, complaint_is_cut);
	tcase_add_loop_test(c, number_suffixes, 0, (int)(sizeof(numbers) / sizeof(numbers[0])));
	tcase_add_test(c, off_and_bounds);
	tcase_add_test(c, help);
	tcase_add_test(c, help_of_a_long_name);
	suite_add_tcase(s, c);
	return s;
}
