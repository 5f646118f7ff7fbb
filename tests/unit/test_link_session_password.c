/*
 * The session: the server's password, shown before each login until it is refused.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define WORD "open sesame"

static void setup(void)
{
	play_setup();
	play->features = FEATURE_RIGHTS;
}

/* A connection as far as WELCOME. */
static void greet(void)
{
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
}

static void expect_password(const char *word)
{
	union message m;

	EXPECT_SENT(play, MESSAGE_PASSWORD, &m);
	ck_assert_uint_eq(m.password.password.length, strlen(word));
	ck_assert_mem_eq(m.password.password.text, word, strlen(word));
}

static uint32_t expect_login(void)
{
	union message m;

	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	return m.login.tag;
}

static void refuse(uint32_t tag, bool fatal)
{
	struct msg_error error = {
		.tag = tag, .code = CODE_PASSWORD, .fatal = fatal, .text = span_of("")};
	unsigned code;

	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), ERR_REFUSED);
	(void)link_session_reason(play->s, &code);
	ck_assert_uint_eq(code, CODE_PASSWORD);
	link_session_end(play->s);
}

START_TEST(wanted_given_and_kept)
{
	greet();
	refuse(expect_login(), false);
	ck_assert_int_eq(link_session_password(play->s, WORD), 0);
	for (int i = 0; i < 2; i++) { /* and again after a break */
		greet();
		expect_password(WORD);
		ck_assert_int_eq(play_give_logged_in(play, expect_login(), "anna", 0), 0);
		link_session_end(play->s);
	}
}
END_TEST

START_TEST(forgotten_when_refused)
{
	ck_assert_int_eq(link_session_password(play->s, "wrong"), 0);
	greet();
	expect_password("wrong");
	refuse(expect_login(), true);
	greet();
	refuse(expect_login(), false);
	/* A shorter one leaves nothing of the longer one. */
	ck_assert_int_eq(link_session_password(play->s, WORD), 0);
	ck_assert_int_eq(link_session_password(play->s, "x"), 0);
	greet();
	expect_password("x");
}
END_TEST

START_TEST(what_cannot_be_one)
{
	char many[PASSWORD_MAX + 2];

	memset(many, 'x', sizeof many);
	many[PASSWORD_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_password(play->s, many), ERR_TOO_BIG);
	ck_assert_int_eq(link_session_password(play->s, ""), ERR_TEXT);
	ck_assert_int_eq(link_session_password(play->s, "a\nb"), ERR_TEXT);
	many[PASSWORD_MAX] = '\0';
	ck_assert_int_eq(link_session_password(play->s, many), 0);
	greet();
	expect_password(many);
}
END_TEST

/* An older server would take PASSWORD for a breach of the protocol. */
START_TEST(not_for_a_server_that_knows_none)
{
	play->features = 0;
	ck_assert_int_eq(link_session_password(play->s, WORD), 0);
	greet();
	(void)expect_login();
}
END_TEST

/* What was sent does not stay in memory. */
START_TEST(wiped_when_sent)
{
	struct link_bytes out = {0};

	ck_assert_int_eq(link_session_password(play->s, WORD), 0);
	greet();
	ck_assert_int_eq(link_session_output(play->s, &out), 0);
	ck_assert(out.secret);
	ck_assert_ptr_nonnull(memmem(out.bytes, out.length, WORD, strlen(WORD)));
	link_bytes_wipe(&out);
	ck_assert(!out.secret);
	ck_assert_ptr_null(memmem(out.bytes, out.room, WORD, strlen(WORD)));
	free(out.bytes);
}
END_TEST

Suite *link_session_password_suite(void)
{
	Suite *s = suite_create("link_session_password");
	TCase *t = tcase_create("password");

	tcase_add_checked_fixture(t, setup, play_teardown);
	tcase_add_test(t, wanted_given_and_kept);
	tcase_add_test(t, forgotten_when_refused);
	tcase_add_test(t, what_cannot_be_one);
	tcase_add_test(t, not_for_a_server_that_knows_none);
	tcase_add_test(t, wiped_when_sent);
	suite_add_tcase(s, t);
	return s;
}
