/*
 * Options: the command line, the config file, what wins over what, and --help.
 */
#include "common/options.h"

#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	bool help;
	bool beacon_off;
	char *name;
	char *config;
	long clients;
	long buffer;
	struct option_list listen;
	int level;
};

static const char *const levels[] = {"error", "info", "debug", NULL};

static const struct option_spec rows[] = {
	{.name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.offset = offsetof(struct settings, help),
		.help = "print this and exit"},
	{.name = "config",
		.letter = 'c',
		.kind = OPTION_TEXT,
		.offset = offsetof(struct settings, config),
		.argument = "FILE",
		.help = "read options from FILE; those of the command line win over them"},
	{.name = "no-beacon",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct settings, beacon_off),
		.help = "be invisible",
		.file = true},
	{.name = "name",
		.letter = 'n',
		.kind = OPTION_TEXT,
		.offset = offsetof(struct settings, name),
		.initial = "nobody",
		.argument = "NAME",
		.help = "how the server calls itself, which is what people see in their lists of "
			"servers, so choose it well",
		.file = true},
	{.name = "max-clients",
		.kind = OPTION_NUMBER,
		.offset = offsetof(struct settings, clients),
		.least = 1,
		.most = 1000,
		.initial = "100",
		.argument = "N",
		.help = "clients at most",
		.file = true,
		.off = true},
	{.name = "buffer",
		.letter = 'b',
		.kind = OPTION_NUMBER,
		.offset = offsetof(struct settings, buffer),
		.least = 1024,
		.most = LONG_MAX,
		.initial = "64K",
		.argument = "BYTES",
		.help = "memory",
		.file = true,
		.bytes = true},
	{.name = "listen",
		.letter = 'l',
		.kind = OPTION_LIST,
		.offset = offsetof(struct settings, listen),
		.initial = "*:19830",
		.argument = "HOST:PORT",
		.help = "where to wait for clients",
		.file = true},
	{.name = "log-level",
		.kind = OPTION_CHOICE,
		.offset = offsetof(struct settings, level),
		.initial = "info",
		.argument = "LEVEL",
		.help = "how much to tell",
		.choices = levels,
		.file = true},
};

static const struct option_table table = {
	.program = "thing",
	.usage = "[OPTION]... [WHERE]",
	.about = "A thing that exists only to be given options, which it has in each of the kinds "
		 "that there are.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "That is all.",
};

#define ERROR_SIZE 256
#define ARGS_MAX   12

static struct settings settings;
static char error[ERROR_SIZE];
static char path[] = "/tmp/lanchat-test-options-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	settings = (struct settings){0};
	ck_assert_int_eq(options_init(&table, &settings), 0);
}

static void teardown(void)
{
	static const struct settings zero;

	options_fini(&table, &settings);
	ck_assert_ptr_null(settings.name);
	ck_assert_ptr_null(settings.listen.items);
	ck_assert_uint_eq(settings.listen.count, zero.listen.count);
	ck_assert_int_eq(settings.level, 0);
	(void)unlink(path);
}

static void write_file(const char *text, size_t length)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, length, f), length);
	ck_assert_int_eq(fclose(f), 0);
}

/* Split a command line at its blanks, for getopt to permute. */
struct args {
	char text[512];
	char *v[ARGS_MAX + 1];
	int c;
};

static void split(struct args *a, const char *line)
{
	char *rest = NULL;

	*a = (struct args){.c = 1};
	ck_assert_int_lt(
		snprintf(a->text, sizeof(a->text), "thing %s", line), (int)sizeof(a->text));
	a->v[0] = strtok_r(a->text, " ", &rest);
	for (char *w; a->c < ARGS_MAX && (w = strtok_r(NULL, " ", &rest)); a->c++)
		a->v[a->c] = w;
}

static int parse(const char *line, int *rest)
{
	struct args a;

	split(&a, line);
	return options_parse(&table, &settings, a.c, a.v, rest, error, sizeof(error));
}

static void expect_list(const char *first, const char *second)
{
	ck_assert_uint_eq(settings.listen.count, second ? 2 : 1);
	ck_assert_str_eq(settings.listen.items[0], first);
	if (second)
		ck_assert_str_eq(settings.listen.items[1], second);
}

/* ---- the command line ---- */

START_TEST(defaults)
{
	ck_assert(!settings.help);
	ck_assert_ptr_null(settings.config);
	ck_assert_str_eq(settings.name, "nobody");
	ck_assert_int_eq(settings.clients, 100);
	ck_assert_int_eq(settings.buffer, 65536);
	ck_assert_int_eq(settings.level, 1);
	expect_list("*:19830", NULL);
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
	expect_list("a", "b");
}
END_TEST

START_TEST(operands_come_last)
{
	struct args a;
	int rest = 0;

	split(&a, "one -h two --name x -- --three");
	ck_assert_int_eq(
		options_parse(&table, &settings, a.c, a.v, &rest, error, sizeof(error)), 0);
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
	ck_assert_str_eq(error, wrong[_i].complaint);
	ck_assert_int_eq(rest, 77);
}
END_TEST

START_TEST(complaint_is_cut)
{
	struct args a;
	char small[16];
	int rest;

	split(&a, "--quite-another");
	memset(small, '#', sizeof(small));
	ck_assert_int_eq(
		options_parse(&table, &settings, a.c, a.v, &rest, small, sizeof(small) - 1),
		ERR_ARGUMENT);
	ck_assert_str_eq(small, "unknown option");
	ck_assert_int_eq(options_parse(&table, &settings, a.c, a.v, &rest, NULL, 0), ERR_ARGUMENT);
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

/* ---- the file ---- */

static int read_text(const char *text)
{
	write_file(text, strlen(text));
	return options_read(&table, &settings, path, error, sizeof(error));
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
	expect_list("a#1", "b # \"2\" \\ ");
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
	ck_assert_mem_eq(error, path, strlen(path));
	ck_assert_int_eq(error[strlen(path)], ':');
	ck_assert_str_eq(error + strlen(path) + 1, wrong_files[_i].complaint);
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
	write_file("name a\nname b\0c\n", 16);
	ck_assert_int_eq(options_read(&table, &settings, path, error, sizeof(error)), ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error, ":2: a NUL byte"));
}
END_TEST

START_TEST(unreadable_file)
{
	ck_assert_int_eq(
		options_read(&table, &settings, "/no/such/file", error, sizeof(error)), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(error, "cannot read '/no/such/file': No such file or directory");
	ck_assert_int_eq(options_read(&table, &settings, "/tmp", error, sizeof(error)), ERR_SYSTEM);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_str_eq(error, "cannot read '/tmp': Is a directory");
}
END_TEST

/* ---- the whole flow ---- */

static int load(const char *line, int *rest)
{
	struct args a;
	char full[400];

	(void)snprintf(full, sizeof(full), line, path);
	split(&a, full);
	options_fini(&table, &settings);
	return options_load(&table, &settings, "config", a.c, a.v, rest, error, sizeof(error));
}

START_TEST(command_line_wins)
{
	int rest = 0;

	write_file("name file\nmax-clients 5\nno-beacon\nlisten f1\nlisten f2\n", 54);
	ck_assert_int_eq(load("where --name line --config %s --no-beacon=no", &rest), 0);
	ck_assert_int_eq(rest, 6);
	ck_assert_str_eq(settings.name, "line");
	ck_assert_int_eq(settings.clients, 5);
	ck_assert(!settings.beacon_off);
	ck_assert_int_eq(settings.buffer, 65536);
	expect_list("f1", "f2");
	ck_assert_str_eq(settings.config, path);
}
END_TEST

START_TEST(lists_are_replaced)
{
	int rest = 0;

	write_file("listen f1\nlisten f2\n", 20);
	ck_assert_int_eq(load("-l c1 -c %s -l c2", &rest), 0);
	expect_list("c1", "c2");
	/* Once more: a reload gives the same. */
	ck_assert_int_eq(load("-l c1 -c %s -l c2", &rest), 0);
	expect_list("c1", "c2");
	ck_assert_int_eq(load("-c %s", &rest), 0);
	expect_list("f1", "f2");
	ck_assert_int_eq(load("-l c1 -l c2", &rest), 0);
	expect_list("c1", "c2");
	ck_assert_int_eq(load("", &rest), 0);
	expect_list("*:19830", NULL);
}
END_TEST

START_TEST(failed_load_leaves_nothing)
{
	static const struct settings zero;
	int rest = 77;

	ck_assert_int_eq(load("--config %s.not-there", &rest), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_nonnull(strstr(error, "cannot read"));
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
	write_file("nam x\n", 6);
	ck_assert_int_eq(load("--listen y --config %s", &rest), ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error, ":1: unknown option 'nam'; did you mean 'name'?"));
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
	ck_assert_int_eq(load("--lisen y --config %s", &rest), ERR_ARGUMENT);
	ck_assert_mem_eq(&settings, &zero, sizeof(settings));
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
	options_help(&table, f);
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

Suite *options_suite(void);

Suite *options_suite(void)
{
	Suite *s = suite_create("options");
	TCase *c = tcase_create("options");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, defaults);
	tcase_add_test(c, every_kind);
	tcase_add_test(c, operands_come_last);
	tcase_add_test(c, a_unique_beginning_is_enough);
	tcase_add_test(c, flags);
	tcase_add_loop_test(c, complaints, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(c, complaint_is_cut);
	tcase_add_loop_test(c, number_suffixes, 0, (int)(sizeof(numbers) / sizeof(numbers[0])));
	tcase_add_test(c, off_and_bounds);
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
	tcase_add_test(c, help);
	tcase_add_test(c, help_of_a_long_name);
	suite_add_tcase(s, c);
	return s;
}
