/*
 * The client's options: what belongs together, names, addresses.
 */
#include "client/client_options.h"

#include "common/err.h"
#include "common/utf8.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MOST 16

static struct client_settings settings;
static char error[256];

static void setup(void)
{
	/* No config file of this machine's. */
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
}

/* Load a command line given as words between blanks; '_' stands for a blank in a word. */
static int load(const char *line)
{
	static char words[256];
	char *argv[ARGUMENTS_MOST + 2] = {"lanchat"};
	int argc = 1;

	ck_assert_uint_lt(strlen(line), sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		ck_assert_int_lt(argc, ARGUMENTS_MOST);
		for (char *c = word; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		argv[argc++] = word;
	}
	return client_options_load(&settings, argc, argv, error, sizeof(error));
}

static const char *const good[] = {
	"",
	"--pipe --json --until 5 --linger 0 --room a --room b host",
	"--discover --json --timeout 0",
	"--host --stay --nick anna",
	"--pipe 192.0.2.1:19830",
	"--pipe [fe80::1%eth0]:1",
	"class_room_5",
	"class:_5",
	"--help --json",
	"--pipe --resume",
	"--pipe --no-state",
	"--no-state host",
	"--export lobby",
	"-e lobby --json --since 2h host:1",
	"--export @ --text --since 2026-11-20_14:30 --timeout 5",
};

START_TEST(test_good)
{
	ck_assert_int_eq(load(good[_i]), 0);
	client_options_fini(&settings);
}
END_TEST

/* A command line, and a word that the complaint must have. */
static const struct {
	const char *line;
	const char *word;
} bad[] = {
	{"--json", "--json"},
	{"--until 5", "--until"},
	{"--linger 5", "--linger"},
	{"--timeout 5", "--timeout"},
	{"--pipe --timeout 0", "--timeout"},
	{"--pipe --discover", "--discover"},
	{"--pipe --host", "--host"},
	{"--discover host", "SERVER"},
	{"one two", "two"},
	{"--nick a_b", "nick"},
	{"--nick @anna", "nick"},
	{"--room #lobby", "room"},
	{"--pipe --until -1", "until"},
	{"--pipe --until x", "until"},
	{"--unknown", "unknown"},
	{"--resume", "--resume"},
	{"--pipe --resume --no-state", "--no-state"},
	{"--text", "--text"},
	{"--pipe --text", "--text"},
	{"--since 2h", "--since"},
	{"--pipe --since 2h", "--since"},
	{"--export lobby --pipe", "--export"},
	{"--export lobby --discover", "--export"},
	{"--export lobby --host", "--host"},
	{"--export lobby --json --text", "--text"},
	{"--export lobby --until 5", "--until"},
	{"--export lobby --resume", "--resume"},
	{"--export lobby --timeout 0", "--timeout"},
	{"--export #lobby", "room"},
	{"--export @anna", "room"},
	{"--export lobby --since soon", "soon"},
	{"--export lobby --since 2026-02-30", "2026-02-30"},
	{"host:0", "port"},
	{"host:65536", "port"},
	{"[::1", "port"},
};

START_TEST(test_bad)
{
	ck_assert_int_eq(load(bad[_i].line), ERR_ARGUMENT);
	ck_assert_msg(strstr(error, bad[_i].word), "\"%s\" does not name %s", error, bad[_i].word);
	ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

/* What steers a terminal, in an argument or in a file, does not get to it by way of the complaint. */
START_TEST(test_complaints_are_clean)
{
	static const char *const lines[] = {"-n \x1b[31m", "--room \xff", "\x1b:0", "a \x1b[2J"};

	ck_assert_int_eq(load(lines[_i]), ERR_ARGUMENT);
	ck_assert_msg(utf8_is_line(error, strlen(error)), "%s", error);
}
END_TEST

START_TEST(test_not_given)
{
	ck_assert_int_eq(load("--pipe --until 0"), 0);
	ck_assert_int_eq(settings.until, 0);
	ck_assert_int_eq(settings.linger, CLIENT_NOT_GIVEN);
	ck_assert_int_eq(settings.history, CLIENT_NOT_GIVEN);
	ck_assert_ptr_null(settings.server);
	client_options_fini(&settings);
}
END_TEST

START_TEST(test_values)
{
	ck_assert_int_eq(load("host:1 --pipe --room b --history 7 --room a -n anna"), 0);
	ck_assert_str_eq(settings.server, "host:1");
	ck_assert_uint_eq(settings.rooms.count, 2);
	ck_assert_str_eq(settings.rooms.items[0], "b");
	ck_assert_str_eq(settings.nick, "anna");
	ck_assert_int_eq(settings.history, 7);
	client_options_fini(&settings);
}
END_TEST

/* Every row has help, and says what its value is called unless it takes none. */
START_TEST(test_table)
{
	const struct option_table *t = &client_option_table;

	for (size_t i = 0; i < t->count; i++) {
		ck_assert_ptr_nonnull(t->rows[i].help);
		ck_assert((t->rows[i].kind == OPTION_FLAG) == (t->rows[i].argument == NULL));
		for (size_t k = 0; k < i; k++) {
			ck_assert_str_ne(t->rows[i].name, t->rows[k].name);
			ck_assert(!t->rows[i].letter || t->rows[i].letter != t->rows[k].letter);
		}
	}
}
END_TEST

Suite *client_options_suite(void)
{
	Suite *s = suite_create("client_options");
	TCase *t = tcase_create("client_options");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, test_good, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(t, test_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_loop_test(t, test_complaints_are_clean, 0, 4);
	tcase_add_test(t, test_not_given);
	tcase_add_test(t, test_values);
	tcase_add_test(t, test_table);
	suite_add_tcase(s, t);
	return s;
}
