/*
 * Commands: the table's order and help, what parses and what does not.
 */
#include "client/command.h"

#include "common/err.h"
#include "common/utf8.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(table_in_order)
{
	size_t count;
	const struct command_spec *table = command_table(&count);
	char line[256];

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			ck_assert_int_lt(strcmp(table[i - 1].name, table[i].name), 0);
		ck_assert_ptr_eq(command_find(table[i].name, strlen(table[i].name)), &table[i]);
		ck_assert_uint_gt(strlen(table[i].help), 0);
		ck_assert((table[i].arguments[0] == '\0') == (table[i].shape == SHAPE_NONE));
		command_print(&table[i], line, sizeof line);
		ck_assert_uint_lt(strlen(line), 100);
		ck_assert_str_eq(line + COMMAND_HELP_COLUMN, table[i].help);
		ck_assert_int_eq(line[COMMAND_HELP_COLUMN - 1], ' ');
		ck_assert_uint_lt(strlen(command_print(&table[i], line, 10)), 10);
	}
}
END_TEST

static const struct {
	const char *line;
	enum command_id id;
	const char *word, *rest;
} good[] = {
	{"hello", COMMAND_SAY, "", "hello"},
	{"", COMMAND_SAY, "", ""},
	{" /join x", COMMAND_SAY, "", " /join x"},
	{"//etc/passwd", COMMAND_SAY, "", "/etc/passwd"},
	{"//", COMMAND_SAY, "", "/"},
	{"/join dev", COMMAND_JOIN, "dev", ""},
	{"/join #dev", COMMAND_JOIN, "dev", ""},
	{"/JOIN  #dev  ", COMMAND_JOIN, "dev", ""},
	{"/join dev a secret", COMMAND_JOIN, "dev", "a secret"},
	{"/kick anna for no reason", COMMAND_ACT, "", "anna for no reason"},
	{"/ban 10.0.0.0/8 2h", COMMAND_ACT, "", "10.0.0.0/8 2h"},
	{"/op abcd-efgh-ijkl-mnop", COMMAND_OP, "", "abcd-efgh-ijkl-mnop"},
	{"/mode", COMMAND_MODE, "", ""},
	{"/audit -s", COMMAND_AUDIT, "", "-s"},
	{"/whois anna", COMMAND_WHOIS, "anna", ""},
	{"/part", COMMAND_PART, "", ""},
	{"/part dev", COMMAND_PART, "dev", ""},
	{"/me waves  twice", COMMAND_ME, "", "waves  twice"},
	{"/msg anna hi there", COMMAND_MSG, "anna", "hi there"},
	{"/msg @anna /hi", COMMAND_MSG, "anna", "/hi"},
	{"/query anna", COMMAND_QUERY, "anna", ""},
	{"/query anna hi there", COMMAND_QUERY, "anna", "hi there"},
	{"/nick \u0430\u043d\u043d\u0430", COMMAND_NICK, "\u0430\u043d\u043d\u0430", ""},
	{"/topic", COMMAND_TOPIC, "", ""},
	{"/topic all about it", COMMAND_TOPIC, "", "all about it"},
	{"/away", COMMAND_AWAY, "", ""},
	{"/away for lunch", COMMAND_AWAY, "", "for lunch"},
	{"/rooms", COMMAND_ROOMS, "", ""},
	{"/list", COMMAND_ROOMS, "", ""},
	{"/notice #dev hear me", COMMAND_NOTICE, "#dev", "hear me"},
	{"/notice anna hear me", COMMAND_NOTICE, "anna", "hear me"},
	{"/notice @anna hear me", COMMAND_NOTICE, "anna", "hear me"},
	{"/connect [::1]:19830", COMMAND_CONNECT, "[::1]:19830", ""},
	{"/server", COMMAND_CONNECT, "", ""},
	{"/help join", COMMAND_HELP, "join", ""},
	{"/ignore", COMMAND_IGNORE, "", ""},
	{"/quit", COMMAND_QUIT, "", ""},
};

START_TEST(parsed)
{
	struct command c;
	char error[256];

	ck_assert_msg(command_parse(good[_i].line, &c, error, sizeof error) == 0, "%s: %s",
		good[_i].line, error);
	ck_assert_int_eq(c.id, good[_i].id);
	ck_assert_str_eq(c.word, good[_i].word);
	ck_assert_str_eq(c.rest, good[_i].rest);
}
END_TEST

#define MANY "éééééééééééééééééééééééééééééééééééééééééééééééééé" /* 100 bytes */

static const struct {
	const char *line, *says;
} bad[] = {
	{"/jion dev", "/join"},
	{"/xyzzyx", "/help"},
	{"/", "/help"},
	{"/ join", "/help"},
	{"/join", "/join ROOM"},
	{"/join  ", "/join ROOM"},
	{"/part dev see you", "/part [ROOM]"},
	{"/nick anna b", "/nick NICK"},
	{"/ignore anna b", "/ignore [NICK]"},
	{"/unignore anna b", "/unignore NICK"},
	{"/join a,b", "\"a,b\" cannot be a room"},
	{"/join #", "cannot be a room"},
	{"/join ##x", "cannot be a room"},
	{"/me", "/me TEXT"},
	{"/me   ", "/me TEXT"},
	{"/msg", "/msg NICK TEXT"},
	{"/msg anna", "/msg NICK TEXT"},
	{"/msg a:b hi", "cannot be a nick"},
	{"/nick", "/nick NICK"},
	{"/nick an\x1bna", "cannot be a nick"},
	{"/nick \u0430nna", "letters of two scripts"},
	{"/nick an\u200bna", "no invisible signs"},
	{"/nick "
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"too long"},
	{"/back now", "/back"},
	{"/quit now", "/quit"},
	{"/connect a b", "/connect [HOST"},
	{"/help a b", "/help [COMMAND]"},
	{"/unignore", "/unignore NICK"},
	{"/kick", "/kick [-s] NICK"},
	{"/whois a b", "/whois NICK"},
	/* What is repeated of these was cut inside a character. */
	{"/x" MANY, "There is no command"},
	{"/connect x" MANY MANY MANY MANY, "too long for a name"},
};

/* What is done about people is called as the log calls it. */
START_TEST(verbs)
{
	size_t count;
	const struct command_spec *table = command_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct command c;
		char line[64], error[256];
		if (table[i].id != COMMAND_ACT)
			continue;
		snprintf(line, sizeof line, "/%s anna", table[i].name);
		ck_assert_int_eq(command_parse(line, &c, error, sizeof error), 0);
		ck_assert_str_eq(act_word(c.verb), table[i].name);
	}
}
END_TEST

START_TEST(refused)
{
	struct command c = {.id = COMMAND_QUIT, .word = "untouched"};
	char error[256] = "";

	ck_assert_int_eq(command_parse(bad[_i].line, &c, error, sizeof error), ERR_ARGUMENT);
	ck_assert_msg(strstr(error, bad[_i].says), "%s: %s", bad[_i].line, error);
	ck_assert_msg(utf8_is_valid(error, strlen(error)), "%s", error);
	ck_assert_str_eq(c.word, "untouched");
	char small[4];
	ck_assert_int_eq(command_parse(bad[_i].line, &c, small, sizeof small), ERR_ARGUMENT);
	ck_assert_uint_lt(strlen(small), sizeof small);
}
END_TEST

START_TEST(first_argument_bound)
{
	struct command c;
	char line[COMMAND_WORD_MAX + 32], error[128];

	for (int extra = -1; extra <= 1; extra++) {
		memset(line, 'a', sizeof line);
		memcpy(line, "/connect ", 9);
		line[9 + COMMAND_WORD_MAX - 1 + extra] = '\0';
		ck_assert_int_eq(command_parse(line, &c, error, sizeof error),
			extra <= 0 ? 0 : ERR_ARGUMENT);
	}
}
END_TEST

START_TEST(text_bound)
{
	char error[256] = "";

	ck_assert_int_eq(command_check_text("abcd", 4, error, sizeof error), 0);
	ck_assert_int_eq(command_check_text("abcde", 4, error, sizeof error), ERR_TOO_BIG);
	ck_assert_ptr_nonnull(strstr(error, "5 bytes"));
	ck_assert_ptr_nonnull(strstr(error, "at most 4"));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *command_suite(void)
{
	Suite *s = suite_create("command");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, table_in_order);
	tcase_add_test(t, verbs);
	tcase_add_loop_test(t, parsed, 0, COUNT(good));
	tcase_add_loop_test(t, refused, 0, COUNT(bad));
	tcase_add_test(t, first_argument_bound);
	tcase_add_test(t, text_bound);
	suite_add_tcase(s, t);
	return s;
}
