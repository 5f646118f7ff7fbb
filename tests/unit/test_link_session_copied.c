/*
 * The session when another program uses a copy of its files: nothing of what was said is taken for
 * kept that was not, and what was never sent goes out under another instance.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/log.h"
#include "common/message.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t server[32] = {5}; /* the one that play_give_welcome is */
static char folder[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* A new process, as it were. */
static void restart(void)
{
	struct link_session_config config = play_config_of(true);

	link_session_free(play->s);
	play->s = NULL;
	event_list_fini(&play->events);
	play->out.length = play->at = 0;
	config.server_id = server;
	config.state_folder = folder;
	config.resume = true;
	ck_assert_int_eq(link_session_new(&config, &play->s), 0);
	link_session_events(play->s, &play->events);
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-copied-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	log_set_level(LOG_LEVEL_ERROR);
	play_setup();
	restart();
}

static void teardown(void)
{
	play_teardown();
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* How many files have been set aside. */
static int copied_files;

static int count_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	copied_files += strstr(path, ".db.copied") != NULL;
	return 0;
}

static int count_copied(void)
{
	copied_files = 0;
	(void)nftw(folder, count_one, 16, FTW_PHYS);
	return copied_files;
}

static int give_duplicate(uint64_t counter)
{
	struct msg_ack ack = {.counter = counter, .seq = 7, .duplicate = 1};

	return play_give(play, MESSAGE_ACK, &ack);
}

static int give_kicked(void)
{
	struct msg_error error = {.code = CODE_ALREADY, .fatal = 1, .text = span_of("")};

	return play_give(play, MESSAGE_ERROR, &error);
}

static void expect_warning(void)
{
	ck_assert_int_eq(play_expect(play, EVENT_NOTICE)->kind, NOTICE_WARNING);
}

static void expect_refused(uint64_t counter, const char *words)
{
	const struct event *e = play_expect(play, EVENT_REFUSED);

	ck_assert_uint_eq(e->counter, counter);
	ck_assert_uint_eq(e->code, CODE_NOT_KEPT);
	ck_assert_ptr_nonnull(strstr(e->text, words));
}

static void end_connection(void)
{
	link_session_end(play->s);
	play->out.length = play->at = 0;
	link_session_events(play->s, &play->events);
}

/* The next connection is another instance's, which says `counter` anew, and that is kept. */
static void expect_renewed(const uint8_t *old, uint64_t counter)
{
	struct msg_login login;
	union message m;

	event_list_fini(&play->events);
	ck_assert_int_eq(count_copied(), 1);
	play_log_in(play, play_log_a, 0, &login);
	event_list_fini(&play->events);
	ck_assert_mem_ne(login.instance, old, sizeof(login.instance));
	ck_assert_mem_eq(login.instance, link_session_instance(play->s), sizeof(login.instance));
	do
		ck_assert_uint_ne(play_sent(play, &m), 0);
	while (m.say.counter != counter);
	play_give_ack(play, counter, 30);
	ck_assert_uint_eq(play_expect(play, EVENT_ACK)->counter, counter);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);
}

START_TEST(test_duplicate)
{
	uint8_t old[INSTANCE_ID];
	uint64_t c[4];

	memcpy(old, link_session_instance(play->s), sizeof(old));
	play_log_in_quietly(play, 0);
	for (int i = 0; i < 3; i++) {
		c[i] = play_say(play, "words");
		play_expect_said(play, c[i]);
	}
	event_list_fini(&play->events);

	/* The first number was another's; the second was ours; the third again another's. Nothing new
	 * is sent meanwhile, and then the connection is over. */
	ck_assert_int_eq(give_duplicate(c[0]), 0);
	expect_warning();
	expect_refused(c[0], "say it again");
	c[3] = play_say(play, "later");
	EXPECT_NOTHING_SENT(play);
	play_give_ack(play, c[1], 8);
	ck_assert_uint_eq(play_expect(play, EVENT_ACK)->counter, c[1]);
	ck_assert_int_eq(give_duplicate(c[2]), ERR_CLOSED);
	expect_refused(c[2], "say it again");
	play_expect_no_event(play);
	end_connection();
	play_expect_no_event(play);
	expect_renewed(old, c[3]);

	/* The file that was set aside is not adopted. */
	memcpy(old, link_session_instance(play->s), sizeof(old));
	restart();
	play_expect_no_event(play);
	ck_assert_mem_eq(link_session_instance(play->s), old, sizeof(old));
}
END_TEST

/* The connection ends with answers that are missing. */
START_TEST(test_unanswered)
{
	uint8_t old[INSTANCE_ID];
	uint64_t c[3];

	memcpy(old, link_session_instance(play->s), sizeof(old));
	play_log_in_quietly(play, 0);
	for (int i = 0; i < 2; i++) {
		c[i] = play_say(play, "words");
		play_expect_said(play, c[i]);
	}
	event_list_fini(&play->events);
	ck_assert_int_eq(give_duplicate(c[0]), 0);
	expect_warning();
	expect_refused(c[0], "say it again");
	c[2] = play_say(play, "later");
	end_connection();
	expect_refused(c[1], "may have been kept");
	play_expect_no_event(play);
	expect_renewed(old, c[2]);
}
END_TEST

/* Somebody else logs in as us. */
START_TEST(test_kicked)
{
	uint8_t old[INSTANCE_ID];
	uint64_t c;

	memcpy(old, link_session_instance(play->s), sizeof(old));
	play_log_in_quietly(play, 0);
	c = play_say(play, "words");
	play_expect_said(play, c);
	event_list_fini(&play->events);
	ck_assert_int_eq(give_kicked(), ERR_CLOSED);
	uint64_t later = play_say(play, "later");
	end_connection();
	expect_warning();
	expect_refused(c, "may have been kept");
	play_expect_no_event(play);
	expect_renewed(old, later);
}
END_TEST

/* A LOGIN of ours, on an earlier connection, that the server came to late. */
START_TEST(test_kicked_by_ourselves)
{
	uint8_t old[INSTANCE_ID];

	memcpy(old, link_session_instance(play->s), sizeof(old));
	ck_assert_int_eq(link_session_begin(play->s, play->now, play->now + 10 * SECOND), 0);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	end_connection();
	play_log_in_quietly(play, 0);
	uint64_t c = play_say(play, "words");
	play_expect_said(play, c);
	event_list_fini(&play->events);
	ck_assert_int_eq(give_kicked(), ERR_CLOSED);
	end_connection();
	play_expect_no_event(play);
	ck_assert_mem_eq(link_session_instance(play->s), old, sizeof(old));
	ck_assert_int_eq(count_copied(), 0);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 1);
}
END_TEST

/* Sent on an earlier connection, it may well be a duplicate. */
START_TEST(test_honest_duplicate)
{
	play_log_in_quietly(play, 0);
	uint64_t c = play_say(play, "words");
	play_expect_said(play, c);
	end_connection();
	play_log_in_quietly(play, c);
	play_expect_said(play, c);
	event_list_fini(&play->events);
	ck_assert_int_eq(give_duplicate(c), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ACK)->seq, 7);
	play_expect_no_event(play);
}
END_TEST

Suite *link_session_copied_suite(void)
{
	Suite *s = suite_create("link_session_copied");
	TCase *t = tcase_create("link_session_copied");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_duplicate);
	tcase_add_test(t, test_unanswered);
	tcase_add_test(t, test_kicked);
	tcase_add_test(t, test_kicked_by_ourselves);
	tcase_add_test(t, test_honest_duplicate);
	suite_add_tcase(s, t);
	return s;
}
