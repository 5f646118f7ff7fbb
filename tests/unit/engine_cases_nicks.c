#include "tests/unit/engine_cases.h"

#include "common/err.h"
#include "common/lookalike.h"
#include "server/rules.h"
#include "tests/unit/entries.h"

#include <stdio.h>
#include <string.h>

void log_check(struct append_result r, enum code code)
{
	if (code == CODE_NONE) {
		ck_assert_int_eq(r.status, APPEND_OK);
		ck_assert_uint_gt(r.seq, 0);
		return;
	}
	ck_assert_int_eq(r.status, APPEND_REJECTED);
	ck_assert_int_eq(r.code, code);
}

void log_name(struct log *l, int who, enum act_verb verb, const char *nick, enum code code)
{
	struct stream_key stream;
	struct act a = {.verb = verb};

	snprintf(a.label, sizeof(a.label), "%s", nick);
	stream_key_nicks(&stream);
	log_check(log_act(l, who, &stream, &a), code);
}

/* Who owns those of this look: a person's number, or -1; `shown`: how they write theirs. */
static int owner_by_look(struct log *l, const char *look, char shown[NICK_MAX + 1])
{
	uint8_t person[PERSON_ID];

	int r = engine_owner(l->engine, look, person, shown);
	if (r == ERR_NOT_FOUND)
		return -1;
	ck_assert_int_eq(r, 0);
	for (int i = 0; i < 256; i++) {
		if (memcmp(log_person(i), person, PERSON_ID) == 0)
			return i;
	}
	return 256;
}

static int owner(struct log *l, const char *nick)
{
	char shown[NICK_MAX + 1];
	struct looks looks;

	ck_assert_int_eq(looks_of(nick, strlen(nick), &looks), 0);
	return owner_by_look(l, looks.at[0], shown);
}

START_TEST(nicks)
{
	struct log l;

	log_open(&l, 1 << 20);
	log_name(&l, 1, ACT_CLAIM, "Anna", CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, "anna", CODE_NICK_TAKEN);
	log_name(&l, 2, ACT_CLAIM, "\u0430nna", CODE_BAD_VALUE); /* which is none */
	log_name(&l, 3, ACT_CLAIM, "oca", CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, "\u043e\u0441\u0430", CODE_NICK_TAKEN);
	log_name(&l, 1, ACT_CLAIM, "anna", CODE_NONE); /* hers already, written otherwise */
	log_name(&l, 2, ACT_CLAIM, "bob", CODE_NONE);
	ck_assert_int_eq(owner(&l, "ANNA"), 1);
	ck_assert_int_eq(owner(&l, "BOB"), 2);
	ck_assert_int_eq(owner(&l, "carol"), -1);
	log_name(&l, 2, ACT_RELEASE, "anna", CODE_NO_RIGHT);
	log_name(&l, 2, ACT_RELEASE, "carol", CODE_NO_SUCH_NICK);
	log_name(&l, 1, ACT_RELEASE, "ANNA", CODE_NONE);
	ck_assert_int_eq(owner(&l, "Anna"), -1);
	log_name(&l, 2, ACT_CLAIM, "anna", CODE_NONE);
	ck_assert_int_eq(owner(&l, "Anna"), 2);
	log_close(&l);
}
END_TEST

/* A nick, how its owner writes it next, and what passes for the first of these. */
static const struct {
	const char *first, *next, *alike;
} spellings[] = {
	{"BILL", "bill", "BlLL"},
	{"\u0412\u041e\u0412\u0410", "\u0432\u043e\u0432\u0430",
		"BOBA"}, /* Cyrillic, capitals and small */
	{"bill", "BILL", "BlLL"},
};

/* What was kept from others stays so, however its owner writes it. */
START_TEST(spellings_of_a_nick)
{
	const char *first = spellings[_i].first, *next = spellings[_i].next;
	struct log l;

	log_open(&l, 1 << 20);
	for (int i = 0; i < 3; i++) {
		log_name(&l, 1, ACT_CLAIM, first, CODE_NONE);
		log_name(&l, 1, ACT_CLAIM, next, CODE_NONE);
		log_name(&l, 2, ACT_CLAIM, spellings[_i].alike, CODE_NICK_TAKEN);
		log_name(&l, 2, ACT_CLAIM, first, CODE_NICK_TAKEN);
		log_name(&l, 2, ACT_RELEASE, first, CODE_NO_RIGHT);
	}
	log_name(&l, 1, ACT_CLAIM, first, CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, spellings[_i].alike, CODE_NICK_TAKEN);
	/* All of it is given back at once. */
	log_name(&l, 1, ACT_RELEASE, next, CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, spellings[_i].alike, CODE_NONE);
	ck_assert_int_eq(owner(&l, next), -1);
	log_close(&l);
}
END_TEST

/* Two of one owner, and then a spelling that passes for both. */
START_TEST(nicks_that_become_one)
{
	char shown[NICK_MAX + 1];
	struct log l;

	log_open(&l, 1 << 20);
	log_name(&l, 1, ACT_CLAIM, "bill", CODE_NONE);
	log_name(&l, 1, ACT_CLAIM, "blll", CODE_NONE);
	log_name(&l, 1, ACT_CLAIM, "BILL", CODE_NONE);
	ck_assert_int_eq(owner_by_look(&l, "bill", shown), 1);
	ck_assert_str_eq(shown, "BILL");
	ck_assert_int_eq(owner_by_look(&l, "blll", shown), 1);
	ck_assert_str_eq(shown, "BILL");
	log_name(&l, 1, ACT_RELEASE, "blll", CODE_NONE);
	ck_assert_int_eq(owner(&l, "bill"), -1);
	ck_assert_int_eq(owner(&l, "blll"), -1);
	log_close(&l);
}
END_TEST

/* Somebody else's nick may look like a spelling of it that its owner has not used. */
START_TEST(released_by_another_spelling)
{
	struct log l;

	log_open(&l, 1 << 20);
	log_name(&l, 1, ACT_CLAIM, "bill", CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, "BlLL", CODE_NONE);
	log_name(&l, 1, ACT_CLAIM, "BILL", CODE_NICK_TAKEN);
	log_name(&l, 2, ACT_RELEASE, "BILL", CODE_NO_RIGHT);
	log_name(&l, 1, ACT_RELEASE, "BILL", CODE_NONE);
	ck_assert_int_eq(owner(&l, "bill"), -1);
	ck_assert_int_eq(owner(&l, "BlLL"), 2);
	log_close(&l);
}
END_TEST

/* Each way to write five of a letter that looks like another one as a capital: 32 looks, of which one nick
 * has no more than it may, those of the last one among them. */
START_TEST(spellings_without_end)
{
	char nick[] = "iiiiix", shown[NICK_MAX + 1];
	struct looks looks;
	struct log l;

	log_open(&l, 1 << 20);
	for (unsigned turn = 0; turn < 64; turn++) {
		int kept = 0;
		for (unsigned bit = 0; bit < 5; bit++)
			nick[bit] = turn >> bit & 1 ? 'I' : 'i';
		log_name(&l, 1, ACT_CLAIM, nick, CODE_NONE);
		ck_assert_int_eq(looks_of(nick, strlen(nick), &looks), 0);
		for (size_t i = 0; i < looks.count; i++)
			ck_assert_int_eq(owner_by_look(&l, looks.at[i], shown), 1);
		ck_assert_str_eq(shown, nick);
		for (unsigned other = 0; other < 32; other++) {
			char look[] = "iiiiix";
			for (unsigned bit = 0; bit < 5; bit++)
				look[bit] = other >> bit & 1 ? 'l' : 'i';
			kept += owner_by_look(&l, look, shown) == 1;
		}
		ck_assert_int_eq(kept, turn < NICK_LOOKS ? (int)turn + 1 : NICK_LOOKS);
	}
	log_name(&l, 1, ACT_RELEASE, "IIIIIX", CODE_NONE);
	ck_assert_int_eq(owner(&l, "iiiiix"), -1);
	log_close(&l);
}
END_TEST

START_TEST(no_more_than_so_many)
{
	char nick[32];
	struct log l;

	log_open(&l, 1 << 20);
	for (int i = 0; i < 100; i++) {
		snprintf(nick, sizeof(nick), "nick-%c-%c", 'a' + i / 20, 'a' + i % 20);
		log_name(&l, 1, ACT_CLAIM, nick, CODE_NONE);
	}
	log_name(&l, 1, ACT_CLAIM, "another", CODE_NICKS_FULL);
	log_name(&l, 1, ACT_CLAIM, "NICK-a-a", CODE_NONE);
	log_name(&l, 2, ACT_CLAIM, "another", CODE_NONE);
	log_name(&l, 1, ACT_RELEASE, "nick-b-b", CODE_NONE);
	log_name(&l, 1, ACT_CLAIM, "one-more", CODE_NONE);
	log_close(&l);
}
END_TEST

void engine_cases_nicks(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("nicks");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_test(t, nicks);
	tcase_add_loop_test(t, spellings_of_a_nick, 0, sizeof(spellings) / sizeof(spellings[0]));
	tcase_add_test(t, nicks_that_become_one);
	tcase_add_test(t, released_by_another_spelling);
	tcase_add_test(t, spellings_without_end);
	tcase_add_test(t, no_more_than_so_many);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
}
