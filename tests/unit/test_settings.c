/*
 * Settings: the table as a whole, every option from the command line and from a
 * file, and what may change while the server runs.
 *
 * The tests walk the table, so an option that is added is tested by that.
 */
#include "server/settings.h"

#include "common/err.h"
#include "server/engine.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec *row(int i)
{
	return &settings_table()->rows[i];
}

static long sample_number(const struct option_spec *r)
{
	char least[32];

	snprintf(least, sizeof(least), "%ld", r->least);
	return strcmp(r->initial, least) == 0 ? r->least + 1 : r->least;
}

static int sample_choice(const struct option_spec *r)
{
	return strcmp(r->initial, r->choices[0]) == 0;
}

static const char *sample_item(const struct option_spec *r)
{
	return r->good ? "[::1]:7" : "some text";
}

/* A value for an option that is not its default, as text. */
static void sample(const struct option_spec *r, char *out, size_t size)
{
	switch (r->kind) {
	case OPTION_FLAG:
		snprintf(out, size, "yes");
		break;
	case OPTION_TEXT:
		snprintf(out, size, "some text");
		break;
	case OPTION_LIST:
		snprintf(out, size, "%s", sample_item(r));
		break;
	case OPTION_NUMBER:
		snprintf(out, size, "%ld", sample_number(r));
		break;
	case OPTION_CHOICE:
		snprintf(out, size, "%s", r->choices[sample_choice(r)]);
		break;
	}
}

static const void *field(const struct settings *s, const struct option_spec *r)
{
	return (const char *)s + r->offset;
}

static void check_is_sample(const struct settings *s, const struct option_spec *r)
{
	const struct option_list *list = field(s, r);

	switch (r->kind) {
	case OPTION_FLAG:
		ck_assert(*(const bool *)field(s, r));
		break;
	case OPTION_TEXT:
		ck_assert_str_eq(*(char *const *)field(s, r), "some text");
		break;
	case OPTION_LIST:
		ck_assert_uint_eq(list->count, 1);
		ck_assert_str_eq(list->items[0], sample_item(r));
		break;
	case OPTION_NUMBER:
		ck_assert_int_eq(*(const long *)field(s, r), sample_number(r));
		break;
	case OPTION_CHOICE:
		ck_assert_int_eq(*(const int *)field(s, r), sample_choice(r));
		break;
	}
}

static int parse(struct settings *s, char *argument, char *error, size_t size)
{
	char program[] = "lanchatd";
	char *argv[] = {program, argument, NULL};
	int rest;

	return options_parse(settings_table(), s, argument ? 2 : 1, argv, &rest, error, size);
}

static void init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	ck_assert_int_eq(options_init(settings_table(), s), 0);
}

static void fini(struct settings *s)
{
	options_fini(settings_table(), s);
}

/* Read a file with this one line over `s`. */
static int read_line(struct settings *s, const char *line, char *error, size_t size)
{
	char path[] = "/tmp/lanchat-settings-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	FILE *f = fdopen(fd, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "# a comment\n%s\n", line);
	ck_assert_int_eq(fclose(f), 0);
	int r = options_read(settings_table(), s, path, error, size);
	unlink(path);
	return r;
}

/* ---- the table ---- */

START_TEST(each_row_is_complete)
{
	const struct option_spec *r = row(_i);

	ck_assert_msg(r->help && strlen(r->help) > 5, "--%s has no help", r->name);
	ck_assert_msg((r->kind == OPTION_FLAG) == (r->argument == NULL), "--%s", r->name);
	ck_assert_msg(r->kind != OPTION_NUMBER || (r->least <= r->most && r->initial),
		"--%s has no bounds or default", r->name);
	ck_assert_msg((r->kind == OPTION_CHOICE) == (r->choices != NULL), "--%s", r->name);
	ck_assert_msg(!r->reload || r->file, "--%s is read again from nowhere", r->name);
	for (int i = 0; i < _i; i++) {
		ck_assert_msg(strcmp(row(i)->name, r->name) != 0, "--%s twice", r->name);
		ck_assert_msg(!r->letter || row(i)->letter != r->letter, "-%c twice", r->letter);
		ck_assert_msg(row(i)->offset != r->offset, "--%s and --%s have one field",
			row(i)->name, r->name);
	}
}
END_TEST

START_TEST(every_option_is_in_the_help)
{
	char *text = NULL, name[64];
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	options_help(settings_table(), f);
	ck_assert_int_eq(fclose(f), 0);
	for (size_t i = 0; i < settings_table()->count; i++) {
		snprintf(name, sizeof(name), "--%s", row((int)i)->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s is not in the help", name);
	}
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strlen(line) <= 80, "too long: %s", line);
	free(text);
}
END_TEST

/* The ones about the program itself, which every program has. */
START_TEST(the_usual_ones_come_last)
{
	size_t count = settings_table()->count;

	ck_assert_str_eq(row((int)count - 1)->name, "version");
	ck_assert_str_eq(row((int)count - 2)->name, "help");
}
END_TEST

/* ---- reading ---- */

START_TEST(from_the_command_line)
{
	const struct option_spec *r = row(_i);
	char argument[128], value[64], error[256] = "";
	struct settings s;

	sample(r, value, sizeof(value));
	snprintf(argument, sizeof(argument), "--%s=%s", r->name, value);
	init(&s);
	ck_assert_msg(parse(&s, argument, error, sizeof(error)) == 0, "%s", error);
	check_is_sample(&s, r);
	fini(&s);
}
END_TEST

START_TEST(from_a_file)
{
	const struct option_spec *r = row(_i);
	char line[128], value[64], error[256] = "";
	struct settings s;

	sample(r, value, sizeof(value));
	snprintf(line, sizeof(line), "%s = \"%s\"", r->name, value);
	init(&s);
	int e = read_line(&s, line, error, sizeof(error));
	if (r->file) {
		ck_assert_msg(e == 0, "%s", error);
		check_is_sample(&s, r);
	} else {
		ck_assert_int_eq(e, ERR_ARGUMENT);
		ck_assert_ptr_nonnull(strstr(error, r->name));
	}
	fini(&s);
}
END_TEST

START_TEST(numbers_out_of_bounds)
{
	const struct option_spec *r = row(_i);
	char argument[128], error[256];
	struct settings s;

	if (r->kind != OPTION_NUMBER)
		return;
	for (int i = 0; i < 4; i++) {
		static const long beyond[] = {-1, 0, 0, 1};
		long value = (i < 2 ? r->least : r->most) + beyond[i];
		init(&s);
		snprintf(argument, sizeof(argument), "--%s=%ld", r->name, value);
		bool good = value >= r->least && value <= r->most;
		ck_assert_int_eq(
			parse(&s, argument, error, sizeof(error)), good ? 0 : ERR_ARGUMENT);
		fini(&s);
	}
}
END_TEST

START_TEST(defaults_are_within_bounds)
{
	struct settings s;

	init(&s);
	for (size_t i = 0; i < settings_table()->count; i++) {
		const struct option_spec *r = row((int)i);
		if (r->kind != OPTION_NUMBER)
			continue;
		long value = *(const long *)field(&s, r);
		ck_assert_msg(value >= r->least && value <= r->most, "--%s", r->name);
	}
	/* What clients are told must make sense together. */
	ck_assert_int_lt(s.ping_seconds, s.idle_seconds);
	ck_assert_int_le(s.rooms_each, s.max_rooms);
	fini(&s);
}
END_TEST

/* The table's words are the enums' values. */
START_TEST(choices_are_in_the_order_of_their_enums)
{
	static const struct {
		const char *name;
		int value;
	} sync[] = {{"full", SYNC_FULL}, {"os", SYNC_OS}, {"off", SYNC_OFF}};
	char argument[64], error[256];
	struct settings s;

	for (size_t i = 0; i < sizeof(sync) / sizeof(sync[0]); i++) {
		init(&s);
		snprintf(argument, sizeof(argument), "--sync=%s", sync[i].name);
		ck_assert_int_eq(parse(&s, argument, error, sizeof(error)), 0);
		ck_assert_int_eq(s.sync, sync[i].value);
		ck_assert_int_eq(s.history, HISTORY_ON);
		fini(&s);
	}
	char off[] = "--history=off";
	init(&s);
	ck_assert_int_eq(parse(&s, off, error, sizeof(error)), 0);
	ck_assert_int_eq(s.history, HISTORY_OFF);
	ck_assert_int_eq(s.sync, SYNC_FULL);
	fini(&s);
}
END_TEST

/* ---- changing while running ---- */

START_TEST(what_differs_and_may_not)
{
	const struct option_spec *r = row(_i);
	char argument[128], value[64], error[256];
	struct settings a, b;

	init(&a);
	init(&b);
	ck_assert_ptr_null(settings_fixed_difference(&a, &b));
	sample(r, value, sizeof(value));
	snprintf(argument, sizeof(argument), "--%s=%s", r->name, value);
	ck_assert_int_eq(parse(&b, argument, error, sizeof(error)), 0);
	for (int i = 0; i < 2; i++) {
		const char *name =
			i ? settings_fixed_difference(&b, &a) : settings_fixed_difference(&a, &b);
		if (r->reload)
			ck_assert_msg(!name, "--%s may change", r->name);
		else
			ck_assert_str_eq(name, r->name);
	}
	ck_assert_ptr_null(settings_fixed_difference(&b, &b));
	ck_assert_int_eq(parse(&a, argument, error, sizeof(error)), 0);
	ck_assert_ptr_null(settings_fixed_difference(&a, &b)); /* the same text elsewhere */
	fini(&a);
	fini(&b);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} lists[] = {
	{"--listen=a", "--listen=a", true},
	{"--listen=a", "--listen=b", false},
	{"--listen=a", NULL, false},
};

START_TEST(lists_differ)
{
	char one[32], other[32], error[256];
	struct settings a, b;

	init(&a);
	init(&b);
	snprintf(one, sizeof(one), "%s", lists[_i].a);
	snprintf(other, sizeof(other), "%s", lists[_i].b ? lists[_i].b : "");
	ck_assert_int_eq(parse(&a, one, error, sizeof(error)), 0);
	ck_assert_int_eq(parse(&b, lists[_i].b ? other : NULL, error, sizeof(error)), 0);
	ck_assert_int_eq(settings_fixed_difference(&a, &b) == NULL, lists[_i].same);
	fini(&a);
	fini(&b);
}
END_TEST

Suite *settings_suite(void)
{
	Suite *s = suite_create("settings");
	TCase *c = tcase_create("settings");
	int rows = (int)settings_table()->count;

	tcase_add_loop_test(c, each_row_is_complete, 0, rows);
	tcase_add_test(c, every_option_is_in_the_help);
	tcase_add_test(c, the_usual_ones_come_last);
	tcase_add_loop_test(c, from_the_command_line, 0, rows);
	tcase_add_loop_test(c, from_a_file, 0, rows);
	tcase_add_loop_test(c, numbers_out_of_bounds, 0, rows);
	tcase_add_test(c, defaults_are_within_bounds);
	tcase_add_test(c, choices_are_in_the_order_of_their_enums);
	tcase_add_loop_test(c, what_differs_and_may_not, 0, rows);
	tcase_add_loop_test(c, lists_differ, 0, sizeof(lists) / sizeof(lists[0]));
	suite_add_tcase(s, c);
	return s;
}
