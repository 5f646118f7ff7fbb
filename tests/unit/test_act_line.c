/*
 * Lines of commands about rights: what they mean, and what is refused before it is sent.
 */
#include "client/act_line.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char label[LABEL_MAX + 1], error[ACT_LINE_ERROR], code[ACT_LINE_CODE];
static struct link_act a;

/* ---- about somebody ---- */

static const struct {
	enum act_verb verb;
	const char *line, *label;
	uint64_t value;
	const char *text;
} good[] = {
	{ACT_BAN, "carl", "carl", 0, ""},
	{ACT_BAN, "@carl noise", "carl", 0, "noise"},
	{ACT_BAN, "carl 2h noise again", "carl", 7200, "noise again"},
	{ACT_BAN, "carl 1h30m x", "carl", 5400, "x"},
	{ACT_BAN, "carl  1h 30m  x", "carl", 5400, "x"},
	{ACT_BAN, "carl 1h 5 times already", "carl", 3600, "5 times already"},
	{ACT_BAN, "carl 1h 5h", "carl", 3600, "5h"},
	{ACT_BAN, "carl 3650d", "carl", BAN_MAX, ""},
	{ACT_BAN, "carl -- 2x noise", "carl", 0, "2x noise"},
	{ACT_BAN, "carl 5m -- 2x noise", "carl", 300, "2x noise"},
	{ACT_BAN, "carl --", "carl", 0, ""},
	{ACT_BAN, "10.0.0.0/8 1d", "10.0.0.0/8", 86400, ""},
	{ACT_BAN, "fe80::/10", "fe80::/10", 0, ""},
	{ACT_UNBAN, "192.0.2.7", "192.0.2.7", 0, ""},
	{ACT_UNBAN, "@1.2", "1.2", 0, ""}, /* a nick */
	{ACT_BAN, "jean-luc/p", "jean-luc/p", 0, ""},
	{ACT_MUTE, "bob 4s", "bob", 4, ""},
	{ACT_KICK, "bob 2x is enough", "bob", 0, "2x is enough"}, /* no time belongs here */
	{ACT_KICK, "bob -- so it is", "bob", 0, "-- so it is"},
	{ACT_OPERATOR, "anna", "anna", 0, ""},
};

START_TEST(understood)
{
	ck_assert_msg(act_line_person(good[_i].verb, good[_i].line, label, &a, error) == 0,
		"%s: %s", good[_i].line, error);
	ck_assert_int_eq(a.verb, good[_i].verb);
	ck_assert_str_eq(a.label, good[_i].label);
	ck_assert_uint_eq(a.value, good[_i].value);
	ck_assert_str_eq(a.text, good[_i].text);
}
END_TEST

#define SEVENTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	enum act_verb verb;
	const char *line, *says;
} bad[] = {
	{ACT_KICK, "", "/help kick"},
	{ACT_BAN, "carl 2x noise", "\"2x\" is no time: write 30s"},
	{ACT_BAN, "carl 2x noise", "/ban carl -- 2x"},
	{ACT_BAN, "carl 0s", "\"0s\" is no time"},
	{ACT_BAN, "carl -5m", "\"-5m\" is no time"},
	{ACT_BAN, "carl +5m", "\"+5m\" is no time"},
	{ACT_BAN, "carl 5", "\"5\" is no time"},
	{ACT_BAN, "carl 99999999999999d", "ten years: 3650d, or 315360000 s"},
	{ACT_BAN, "carl 3651d", "ten years"},
	{ACT_BAN,
		"carl "
		"1" SEVENTY,
		"is no time"},
	{ACT_MUTE, "bob 1h30 x", "/mute bob -- 1h30"},
	{ACT_BAN, "10.0.0.0/99", "no range of addresses"},
	{ACT_BAN, "10.0.0/8", "no range of addresses"},
	{ACT_BAN, "0/0", "no range of addresses"},
	{ACT_UNBAN, "fe80::/200", "/0 to /128"},
	{ACT_BAN, "300.1.1.1", "10.0.0.0/8"},
	{ACT_KICK, "10.0.0.1", "/kick wants a nick"},
	{ACT_MUTE, "fe80::1", "/mute wants a nick"},
	{ACT_BAN, "#den", "cannot be a nick"},
	{ACT_BAN, "@", "cannot be a nick"},
	{ACT_BAN, SEVENTY, "too long for a nick"},
	{ACT_BAN, "carl " SEVENTY SEVENTY SEVENTY SEVENTY, "280 bytes, and at most 256"},
};

START_TEST(refused)
{
	ck_assert_int_eq(
		act_line_person(bad[_i].verb, bad[_i].line, label, &a, error), ERR_ARGUMENT);
	ck_assert_msg(strstr(error, bad[_i].says) != NULL, "%s: %s", bad[_i].line, error);
}
END_TEST

START_TEST(on_the_server)
{
	const char *rest = "-s  bob", *other = "-sbob", *alone = "-s";

	ck_assert(act_line_server(&rest));
	ck_assert_str_eq(rest, "bob");
	ck_assert(!act_line_server(&other));
	ck_assert_str_eq(other, "-sbob");
	ck_assert(act_line_server(&alone));
	ck_assert_str_eq(alone, "");
	ck_assert(act_line_on_server(ACT_BAN));
	ck_assert(!act_line_on_server(ACT_MUTE));
}
END_TEST

/* ---- what a room is like ---- */

static const struct {
	const char *line;
	enum act_verb verb;
	uint64_t value;
	const char *text;
} modes[] = {
	{"open", ACT_ENTRY, ENTRY_OPEN, ""},
	{"key open sesame", ACT_ENTRY, ENTRY_KEY, "open sesame"},
	{"invited", ACT_ENTRY, ENTRY_INVITED, ""},
	{"moderated", ACT_MODERATED, 1, ""},
	{"moderated on", ACT_MODERATED, 1, ""},
	{"moderated off", ACT_MODERATED, 0, ""},
	{"free", ACT_MODERATED, 0, ""},
	{"slow 0", ACT_SLOW, 0, ""},
	{"slow off", ACT_SLOW, 0, ""},
	{"slow 30", ACT_SLOW, 30, ""},
	{"slow 1m30s", ACT_SLOW, 90, ""},
	{"slow 3600", ACT_SLOW, SLOW_MAX, ""},
	{"slow 1h", ACT_SLOW, SLOW_MAX, ""},
};

START_TEST(mode)
{
	ck_assert_msg(
		act_line_mode(modes[_i].line, &a, error) == 0, "%s: %s", modes[_i].line, error);
	ck_assert_int_eq(a.verb, modes[_i].verb);
	ck_assert_uint_eq(a.value, modes[_i].value);
	ck_assert_str_eq(a.text, modes[_i].text);
	ck_assert_str_eq(a.label, "");
}
END_TEST

static const struct {
	const char *line, *says;
} no_modes[] = {
	{"slow 4000", "1 to 3600"},
	{"slow 3601", "1 to 3600"},
	{"slow 2h", "1 to 3600"},
	{"slow 99999999999999999999", "1 to 3600"},
	{"slow 18446744073709551617", "1 to 3600"},
	{"slow", "1 to 3600"},
	{"slow -1", "1 to 3600"},
	{"slow 5 6", "1 to 3600"},
	{"key", "/mode key KEY"},
	{"key " SEVENTY, "70 bytes, and at most 64"},
	{"moderated maybe", "moderated off"},
	{"open wide", "Nothing follows /mode open"},
	{"free beer", "Nothing follows /mode free"},
	{"secret", "/mode takes open"},
};

START_TEST(no_mode)
{
	ck_assert_int_eq(act_line_mode(no_modes[_i].line, &a, error), ERR_ARGUMENT);
	ck_assert_msg(strstr(error, no_modes[_i].says) != NULL, "%s: %s", no_modes[_i].line, error);
}
END_TEST

/* What is offered is also taken. */
START_TEST(offered_modes)
{
	size_t count;
	const struct mode_word *m = act_line_modes(&count);
	char line[64];

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; m[i].values[j]; j++) {
			(void)snprintf(line, sizeof line, "%s %s", m[i].word, m[i].values[j]);
			ck_assert_msg(act_line_mode(line, &a, error) == 0, "%s: %s", line, error);
		}
	}
}
END_TEST

/* ---- operators ---- */

static const struct {
	const char *line;
	bool known;
	const char *code, *says; /* both NULL: a nick */
} ops[] = {
	{"abcd-efgh-2345-ijkl", false, "abcd-efgh-2345-ijkl", NULL},
	{"abcd-efgh-ijkl-mnop", false, "abcd-efgh-ijkl-mnop", NULL},
	{"ABCD-EFGH-2345-IJKL", false, "abcd-efgh-2345-ijkl", NULL},
	{"abcdefgh2345ijkl", false, "abcd-efgh-2345-ijkl", NULL},
	{"AbCd efgh 2345  ijkl ", false, "abcd-efgh-2345-ijkl", NULL},
	{"abcd - efgh - ijkl - mnop", false, "abcd-efgh-ijkl-mnop", NULL},
	{"anna", false, NULL, NULL},
	{"jean-luc", false, NULL, NULL},
	{"@abcdefgh2345ijkl", false, NULL, NULL},
	{"abcd-efgh-2345-ijkl", true, NULL, NULL},
	{"abcd-efgh-2345-ijk", false, NULL, "15 letters"},
	{"abcd-efgh-2345-ijklm", false, NULL, "17 letters"},
	{"abcd-efgh-2345-ijk0", false, NULL, "\"0\""},
	{"abcd-efgh-2345-ijk1", false, NULL, "digits 2 to 7"},
	{"abcd-efgh-2345-ij\u00e9", false, NULL, "a to z"},
	{"anna bob", false, NULL, "7 letters"},
	{"abcdefgh2345ij", false, NULL, "14 letters"},
	{"abcdefghijklmnop", false, NULL, "with its dashes"},
};

START_TEST(op)
{
	int err = act_line_op(ops[_i].line, ops[_i].known, code, error);

	ck_assert_int_eq(err, ops[_i].says ? ERR_ARGUMENT : 0);
	ck_assert_str_eq(code, ops[_i].code ? ops[_i].code : "");
	if (ops[_i].says)
		ck_assert_msg(strstr(error, ops[_i].says) != NULL, "%s: %s", ops[_i].line, error);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *act_line_suite(void)
{
	Suite *s = suite_create("act_line");
	TCase *t = tcase_create("lines");

	tcase_add_loop_test(t, understood, 0, COUNT(good));
	tcase_add_loop_test(t, refused, 0, COUNT(bad));
	tcase_add_test(t, on_the_server);
	tcase_add_loop_test(t, mode, 0, COUNT(modes));
	tcase_add_loop_test(t, no_mode, 0, COUNT(no_modes));
	tcase_add_test(t, offered_modes);
	tcase_add_loop_test(t, op, 0, COUNT(ops));
	suite_add_tcase(s, t);
	return s;
}
