#include "tests/unit/options_case.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

const struct option_table options_case = {
	.program = "thing",
	.usage = "[OPTION]... [WHERE]",
	.about = "A thing that exists only to be given options, which it has in each of the kinds "
		 "that there are.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "That is all.",
};

struct settings settings;
char options_error[OPTIONS_ERROR];
char options_file[64];

void options_case_setup(void)
{
	(void)snprintf(options_file, sizeof(options_file), "/tmp/lanchat-test-options-XXXXXX");

	int fd = mkstemp(options_file);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	settings = (struct settings){0};
	ck_assert_int_eq(options_init(&options_case, &settings), 0);
}

void options_case_teardown(void)
{
	static const struct settings zero;

	options_fini(&options_case, &settings);
	ck_assert_ptr_null(settings.name);
	ck_assert_ptr_null(settings.listen.items);
	ck_assert_uint_eq(settings.listen.count, zero.listen.count);
	ck_assert_int_eq(settings.level, 0);
	(void)unlink(options_file);
}

void options_case_write(const char *text, size_t length)
{
	FILE *f = fopen(options_file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, length, f), length);
	ck_assert_int_eq(fclose(f), 0);
}

void options_case_split(struct options_args *a, const char *line)
{
	char *rest = NULL;

	*a = (struct options_args){.c = 1};
	ck_assert_int_lt(
		snprintf(a->text, sizeof(a->text), "thing %s", line), (int)sizeof(a->text));
	a->v[0] = strtok_r(a->text, " ", &rest);
	for (char *w; a->c < OPTIONS_ARGS && (w = strtok_r(NULL, " ", &rest)); a->c++)
		a->v[a->c] = w;
}

void options_case_listens(const char *first, const char *second)
{
	ck_assert_uint_eq(settings.listen.count, second ? 2 : 1);
	ck_assert_str_eq(settings.listen.items[0], first);
	if (second)
		ck_assert_str_eq(settings.listen.items[1], second);
}
