/*
 * The man pages against the tables that the programs are made from.
 *
 * Each option of a program stands in its page, in the order of the table, with
 * its letter and its argument, and no other does; so does each slash command. A
 * default that is a number is named where its option is told about. The lab's keys stand in its page with
 * the words of the table.
 */
#include "client/client_options.h"
#include "client/command.h"
#include "server/settings.h"
#include "tools/lab/lab_keys.h"
#include "tools/lab/lab_options.h"
#include "tools/lab/scenario.h"
#include "tools/stress/stress_options.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 64

/* A page, cut into what it says of one thing each: ".It" and all lines to the next macro of that
 * kind. */
struct page {
	char *text;
	char *heads[ENTRIES_MAX];
	char *bodies[ENTRIES_MAX];
	size_t count;
};

/* ".It Fl c , Fl -config Ar FILE" in an array: one row of expectation. */
struct expected {
	char head[128];
	const char *mentions; /* in the body; or NULL */
};

static char *read_file(const char *name)
{
	FILE *in = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(in, "cannot open %s; run the tests in the project's folder", name);
	ck_assert_int_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

/* Read the entries whose heads begin with `prefix`. */
static void page_read(struct page *p, const char *name, const char *prefix)
{
	*p = (struct page){.text = read_file(name)};
	char *rest = p->text, *line;
	bool inside = false;

	while ((line = strsep(&rest, "\n")) != NULL && rest) {
		bool ends = strncmp(line, ".It ", 4) == 0 || strcmp(line, ".El") == 0;
		if (inside && !ends)
			line[strlen(line)] = '\n'; /* strsep cut the body here */
		else if (inside)
			line[-1] = '\0';
		if (ends)
			inside = strncmp(line, prefix, strlen(prefix)) == 0;
		if (ends && inside) {
			ck_assert_uint_lt(p->count, ENTRIES_MAX);
			p->heads[p->count] = line;
			p->bodies[p->count++] = rest;
		}
	}
}

static void compare(struct page *p, const char *name, const struct expected *rows, size_t count)
{
	for (size_t i = 0; i < count && i < p->count; i++) {
		ck_assert_msg(strcmp(p->heads[i], rows[i].head) == 0,
			"%s: entry %zu is \"%s\", the table has \"%s\"", name, i + 1, p->heads[i],
			rows[i].head);
		ck_assert_msg(!rows[i].mentions || strstr(p->bodies[i], rows[i].mentions),
			"%s: under \"%s\" the default, %s, is missing", name, p->heads[i],
			rows[i].mentions);
	}
	ck_assert_msg(
		p->count == count, "%s: %zu entries, the table has %zu", name, p->count, count);
	free(p->text);
}

static void compare_options(const char *name, const struct option_table *t)
{
	struct expected rows[ENTRIES_MAX] = {0};
	struct page page;

	ck_assert_uint_le(t->count, ENTRIES_MAX);
	for (size_t i = 0; i < t->count; i++) {
		const struct option_spec *o = &t->rows[i];
		char letter[] = {'F', 'l', ' ', o->letter, ' ', ',', ' ', '\0'};
		int n = snprintf(rows[i].head, sizeof(rows[i].head), ".It %sFl -%s%s%s",
			o->letter ? letter : "", o->name, o->argument ? " Ar " : "",
			o->argument ? o->argument : "");
		ck_assert_int_lt(n, (int)sizeof(rows[i].head));
		rows[i].mentions = o->initial;
	}
	page_read(&page, name, ".It Fl ");
	compare(&page, name, rows, t->count);
}

START_TEST(server_options_are_in_the_page)
{
	compare_options("docs/lanchatd.8", settings_table());
}
END_TEST

START_TEST(client_options_are_in_the_page)
{
	compare_options("docs/lanchat.1", &client_option_table);
}
END_TEST

START_TEST(stress_options_are_in_the_page)
{
	compare_options("docs/lanchat-stress.1", stress_options());
}
END_TEST

START_TEST(lab_options_are_in_the_page)
{
	compare_options("docs/lanchat-lab.1", lab_options());
}
END_TEST

/* Each entry's head begins with its number, so each is looked for by itself. */
START_TEST(lab_scenarios_are_in_the_page)
{
	struct expected row = {0};
	char prefix[32];
	struct page page;

	for (size_t i = 0; i < scenarios_count; i++) {
		snprintf(prefix, sizeof(prefix), ".It %zu Cm ", i);
		snprintf(row.head, sizeof(row.head), "%s%s", prefix, scenarios[i].name);
		page_read(&page, "docs/lanchat-lab.1", prefix);
		compare(&page, "docs/lanchat-lab.1", &row, 1);
	}
}
END_TEST

/* ".It Sy "\&Home, <"", and below it the help that the program gives. */
START_TEST(lab_keys_are_in_the_page)
{
	struct expected rows[ENTRIES_MAX] = {0};
	char line[256];
	struct page page;
	size_t count, used = 0;
	const struct lab_binding *table = lab_keys_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (!table[i].help)
			continue;
		ck_assert_uint_lt(used, ENTRIES_MAX);
		lab_keys_print(&table[i], line, sizeof(line));
		size_t length = LAB_KEYS_HELP_COLUMN;
		while (line[length - 1] == ' ')
			length--;
		snprintf(rows[used].head, sizeof(rows[used].head), ".It Sy \"\\&%.*s\"",
			(int)length, line);
		rows[used++].mentions = table[i].help;
	}
	page_read(&page, "docs/lanchat-lab.1", ".It Sy ");
	compare(&page, "docs/lanchat-lab.1", rows, used);
}
END_TEST

START_TEST(commands_are_in_the_page)
{
	struct expected rows[ENTRIES_MAX] = {0};
	struct page page;
	size_t count;
	const struct command_spec *commands = command_table(&count);

	ck_assert_uint_le(count, ENTRIES_MAX);
	for (size_t i = 0; i < count; i++) {
		int n = snprintf(rows[i].head, sizeof(rows[i].head), ".It Ic /%s%s%s",
			commands[i].name, commands[i].arguments[0] ? " " : "",
			commands[i].arguments);
		ck_assert_int_lt(n, (int)sizeof(rows[i].head));
		rows[i].mentions = NULL;
	}
	page_read(&page, "docs/lanchat.1", ".It Ic ");
	compare(&page, "docs/lanchat.1", rows, count);
}
END_TEST

Suite *manual_suite(void)
{
	Suite *s = suite_create("manual");
	TCase *pages = tcase_create("pages");

	tcase_add_test(pages, server_options_are_in_the_page);
	tcase_add_test(pages, client_options_are_in_the_page);
	tcase_add_test(pages, stress_options_are_in_the_page);
	tcase_add_test(pages, lab_options_are_in_the_page);
	tcase_add_test(pages, lab_scenarios_are_in_the_page);
	tcase_add_test(pages, lab_keys_are_in_the_page);
	tcase_add_test(pages, commands_are_in_the_page);
	suite_add_tcase(s, pages);
	return s;
}
