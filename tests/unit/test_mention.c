/*
 * Mentions: a nick as a word of its own, in whatever case or width.
 */
#include "client/mention.h"

#include "common/message.h"

#include <check.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *text, *nick;
	bool found;
} cases[] = {
	{"anna: hi", "anna", true},
	{"hi anna", "anna", true},
	{"hi ANNA!", "anna", true},
	{"(anna)", "anna", true},
	{"@anna", "anna", true},
	{"anna", "Anna", true},
	{"well,anna,no", "anna", true},
	{"anna's", "anna", true},
	{"annabel", "anna", false},
	{"joanna", "anna", false},
	{"anna2", "anna", false},
	{"anna2 here", "anna2", true},
	{"ann a", "anna", false},
	{"", "anna", false},
	{"anna", "", false},
	{"\u0430\u043d\u043d\u0430, \u043f\u0440\u0438\u0432\u0435\u0442",
		"\u0410\u043d\u043d\u0430", true},
	{"\u0430\u043d\u043d\u0430\u043c", "\u0430\u043d\u043d\u0430", false},
	{"\uff41\uff4e\uff4e\uff41", "anna", true}, /* wide letters */
	{"[anna] hi", "anna", true},
	{"[anna] hi", "[anna]", true},
	{"x [anna]", "[anna]", true},
	{"\xff"
	 "anna",
		"anna", true},
	{"anna\xff", "anna", true},
	{"a.b said", "a.b", true},
	{"stra\u00dfe", "STRASSE", true},
	{"... ..anna", "anna", true},
	{"anna\u0308", "anna", false},
	{"ann\u00e4", "anna\u0308", true},
	{"anna\u0308!", "ann\u00e4", true},
	{"an\u0308na anna", "anna", true},
	{"\u00e9.\u00e9t\u00e9", "\u00c9t\u00e9", true},
	{"Anna.B!", "anna.b", true},
	{"anna.c anna.b", "anna.b", true},
	{"\u043f\u0440\u0438,\u0432\u0435\u0442,\u0430\u043d\u043d\u0430",
		"\u0430\u043d\u043d\u0430", true},
};

START_TEST(found)
{
	ck_assert_msg(mention_find(cases[_i].text, cases[_i].nick) == cases[_i].found, "%s in %s",
		cases[_i].nick, cases[_i].text);
}
END_TEST

/* Texts in which each character might begin a nick, and each be the end of it. */
static const char *const costly[] = {
	"a.", ".", "\u00e9.", "\u20dd", "\u00a1", ".\u0301", ".\u0344", "an."};

/* Whoever is in a room with somebody who says such things goes on reading. */
START_TEST(costs_little)
{
	const char *unit = costly[_i];
	char text[TEXT_MAX + 1] = "";
	struct timespec from, to;

	for (size_t at = 0; at + strlen(unit) <= TEXT_MAX; at += strlen(unit))
		memcpy(text + at, unit, strlen(unit));
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (int i = 0; i < 10; i++)
		ck_assert(!mention_find(text, "anna"));
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	/* Some milliseconds, if it is not a fold for each place where a nick might end. */
	ck_assert_msg(ms < 500, "%ld ms for ten texts of %s", ms, unit);
}
END_TEST

Suite *mention_suite(void)
{
	Suite *s = suite_create("mention");
	TCase *t = tcase_create("words");

	tcase_add_loop_test(t, found, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_loop_test(t, costs_little, 0, (int)(sizeof costly / sizeof costly[0]));
	suite_add_tcase(s, t);
	return s;
}
