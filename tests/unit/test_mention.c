/*
 * Mentions: a nick as a word of its own, in whatever case or width.
 */
#include "client/mention.h"

#include <check.h>

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
};

START_TEST(found)
{
	ck_assert_msg(mention_find(cases[_i].text, cases[_i].nick) == cases[_i].found, "%s in %s",
		cases[_i].nick, cases[_i].text);
}
END_TEST

Suite *mention_suite(void)
{
	Suite *s = suite_create("mention");
	TCase *t = tcase_create("words");

	tcase_add_loop_test(t, found, 0, (int)(sizeof cases / sizeof cases[0]));
	suite_add_tcase(s, t);
	return s;
}
