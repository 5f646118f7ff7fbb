/*
 * What is said about rights: each act a plain sentence, how long bans last, and what more there is.
 */
#include "client/rights_text.h"

#include "common/rights.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000)
#define NOW    (UINT64_C(1795723200) * SECOND) /* 2026-11-26 20:00:00 UTC */

static char *text;

static void setup(void)
{
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	tzset();
}

static void teardown(void)
{
	free(text);
	text = NULL;
}

static void answer(const struct event *e)
{
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	rights_text_answer(f, e, NOW);
	ck_assert_int_eq(fclose(f), 0);
}

#define ACTED(verb_, label_, value_, text_)                                                        \
	{                                                                                          \
		.time = NOW, .verb = (verb_), .nick = (char *)"anna", .label = (char *)(label_),   \
		.value = (value_), .text = (char *)(text_)                                         \
	}

static const struct {
	struct event_act act;
	const char *says;
} acts[] = {
	{ACTED(ACT_CLAIM, "anna", 0, ""), "took the nick anna"},
	{ACTED(ACT_RELEASE, "ben", 0, ""), "released the nick ben"},
	{ACTED(ACT_OPERATOR, "ben", 0, ""), "made ben an operator of the server"},
	{ACTED(ACT_NO_OPERATOR, "ben", 0, ""), "made ben an operator no longer"},
	{ACTED(ACT_NO_OPERATOR, "Anna", 0, ""), "is an operator no longer"},
	{ACTED(ACT_OWNER, "ben", 0, ""), "gave the room to ben"},
	{ACTED(ACT_MODERATOR, "ben", 0, ""), "made ben a moderator"},
	{ACTED(ACT_NO_MODERATOR, "anna", 0, ""), "is a moderator no longer"},
	{ACTED(ACT_VOICE, "ben", 0, ""), "gave ben a voice"},
	{ACTED(ACT_NO_VOICE, "ben", 0, ""), "took the voice from ben"},
	{ACTED(ACT_KICK, "ben", 0, "for a walk"), "sent ben out: for a walk"},
	{ACTED(ACT_BAN, "ben", 0, ""), "banned ben for good"},
	{ACTED(ACT_BAN, "ben", NOW + 4 * SECOND, "noise"), "banned ben for 4 s: noise"},
	{ACTED(ACT_BAN, "10.0.0.0/8", NOW + 5400 * SECOND, ""), "banned 10.0.0.0/8 for 1 h 30 min"},
	{ACTED(ACT_UNBAN, "ben", 0, ""), "lifted the ban of ben"},
	{ACTED(ACT_MUTE, "ben", NOW + 86400 * SECOND - 3, ""), "muted ben for 1 day"},
	/* The log was ahead of the clock. */
	{ACTED(ACT_MUTE, "ben", NOW - SECOND, ""), "muted ben until 2026-11-26 19:59:59"},
	{ACTED(ACT_UNMUTE, "ben", 0, ""), "lets ben speak again"},
	{ACTED(ACT_INVITE, "ben", 0, ""), "invited ben"},
	{ACTED(ACT_UNINVITE, "ben", 0, ""), "took back the invitation of ben"},
	{ACTED(ACT_ENTRY, "", ENTRY_OPEN, ""), "opened the room to everybody"},
	{ACTED(ACT_ENTRY, "", ENTRY_KEY, ""), "locked the room with a key"},
	{ACTED(ACT_ENTRY, "", 99, ""), "made the room one for those who are invited"},
	{ACTED(ACT_MODERATED, "", 1, ""), "made the room moderated"},
	{ACTED(ACT_MODERATED, "", 0, ""), "made the room one for all to speak"},
	{ACTED(ACT_SLOW, "", 30, ""), "set slow mode: a message every 30 s"},
	{ACTED(ACT_SLOW, "", 0, ""), "ended slow mode"},
	{ACTED(ACT_TAKE, "anna", 0, ""), "opened the room, which was new, and owns it"},
	{ACTED(ACT_PROVE, "anna", 0, ""), "became an operator by the server's code"},
	{ACTED(200, "ben", 7, ""), "did what this lanchat has no words for (200) ben"},
};

START_TEST(sentence)
{
	struct event_act act = acts[_i].act;
	struct event e = {.type = EVENT_AUDIT, .room = (char *)"den", .acts = &act, .count = 1};
	char line[128];

	answer(&e);
	(void)snprintf(line, sizeof line, "2026-11-26 20:00 anna %s\n", acts[_i].says);
	ck_assert_str_eq(text, line);
}
END_TEST

/* No verb is left without words. */
START_TEST(all_verbs)
{
	for (unsigned verb = 1; act_word(verb); verb++) {
		struct event_act act = ACTED(verb, "ben", 0, "");
		struct event e = {
			.type = EVENT_AUDIT, .room = (char *)"", .acts = &act, .count = 1};
		answer(&e);
		ck_assert_msg(strstr(text, "no words") == NULL, "%s", text);
		teardown();
	}
}
END_TEST

static const struct {
	const char *room;
	size_t count;
	bool more, earlier;
	const char *ends;
} pages[] = {
	{"den", 1, true, false, "\nThere is more from before that: /audit more\n"},
	{"", 1, true, true, "\nThere is more from before that: /audit -s more\n"},
	{"den", 1, false, false, "invited ben\n"},
	{"den", 0, false, false, "Nothing was ever done about #den.\n"},
	{"", 0, false, true, "Nothing earlier was done about the server.\n"},
};

START_TEST(pages_of_it)
{
	struct event_act act = ACTED(ACT_INVITE, "ben", 0, "");
	struct event e = {.type = EVENT_AUDIT,
		.room = (char *)pages[_i].room,
		.acts = &act,
		.count = pages[_i].count,
		.flag = pages[_i].more,
		.own = pages[_i].earlier};

	answer(&e);
	size_t length = strlen(text), end = strlen(pages[_i].ends);
	ck_assert_msg(
		length >= end && strcmp(text + length - end, pages[_i].ends) == 0, "%s", text);
}
END_TEST

START_TEST(charter)
{
	struct event_standing standings[] = {
		{.kind = STANDING_OWNER, .label = (char *)"anna"},
		{.kind = STANDING_BANNED, .label = (char *)"ben"},
		{.kind = STANDING_BANNED, .label = (char *)"carl", .until = NOW + 4 * SECOND},
		{.kind = STANDING_MUTED, .label = (char *)"dora", .until = NOW + 7200 * SECOND},
	};
	struct event e = {.type = EVENT_CHARTER,
		.room = (char *)"den",
		.number = 90,
		.standings = standings,
		.count = 4,
		.code = RANK_OWNER};

	answer(&e);
	ck_assert_str_eq(text,
		"#den: everybody may come in; all may speak, a message every 1 min 30 s\n"
		"You are the owner here.\n"
		"Owner: anna\n"
		"Banned: ben (for good), carl (until 2026-11-26 20:00:04)\n"
		"Muted: dora (until 2026-11-26 22:00)\n");
}
END_TEST

static const struct {
	const char *room;
	struct link_act act;
	const char *says;
} done[] = {
	{"den", {ACT_BAN, "ben", 0, ""}, "ben is banned from #den for good.\n"},
	{"", {ACT_BAN, "ben", 0, ""}, "ben is banned from the server for good.\n"},
	{"den", {ACT_MUTE, "ben", 4, ""},
		"ben is muted in #den for 4 s, until 2026-11-26 20:00:04.\n"},
	{"", {ACT_BAN, "10.0.0.0/8", 86400, ""},
		"10.0.0.0/8 is banned from the server for 1 day, until 2026-11-27 20:00.\n"},
	{"", {ACT_KICK, "ben", 0, ""}, "ben was sent off the server.\n"},
	{"", {ACT_OPERATOR, "", 0, "code"}, "You are an operator of the server now.\n"},
	{"den", {ACT_KICK, "ben", 0, ""}, "Done.\n"},
};

START_TEST(what_was_done)
{
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	rights_text_done(f, done[_i].room, &done[_i].act, NOW);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(text, done[_i].says);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *rights_text_suite(void)
{
	Suite *s = suite_create("rights_text");
	TCase *t = tcase_create("words");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, sentence, 0, COUNT(acts));
	tcase_add_test(t, all_verbs);
	tcase_add_loop_test(t, pages_of_it, 0, COUNT(pages));
	tcase_add_test(t, charter);
	tcase_add_loop_test(t, what_was_done, 0, COUNT(done));
	suite_add_tcase(s, t);
	return s;
}
