/*
 * The session and what outlives its process: messages that are restored and sent
 * under their old numbers, which server it is, and disks that fail.
 */
#include "tests/unit/play.h"

#include "client/link_session_private.h"
#include "client/state.h"
#include "client/address_book.h"
#include "common/err.h"
#include "common/log.h"
#include "common/message.h"

#include <check.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t server[32] = {5}; /* the one that play_give_welcome is */
static char folder[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-keep-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	log_set_level(LOG_LEVEL_ERROR);
	play_setup();
}

static void teardown(void)
{
	play_teardown();
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new process, as it were: the session before is over. */
static void restart(const uint8_t *id, const char *address)
{
	struct link_session_config config = play_config_of(true);

	link_session_free(play->s);
	play->s = NULL;
	event_list_fini(&play->events);
	play->out.length = play->at = 0;
	config.server_id = id;
	config.address = address;
	config.state_folder = folder;
	ck_assert_int_eq(link_session_new(&config, &play->s), 0);
	link_session_events(play->s, &play->events);
}

static void expect_restored(uint64_t counter, const char *text)
{
	const struct event *e = play_expect(play, EVENT_RESTORED);

	ck_assert_uint_eq(e->counter, counter);
	ck_assert_str_eq(e->text, text);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert_mem_eq(e->instance, link_session_instance(play->s), INSTANCE_ID);
	ck_assert(e->own && !e->direct && e->time > 0);
}

/* ---- messages ---- */

START_TEST(test_restored)
{
	const uint8_t person[PERSON_ID] = {4};
	uint8_t instance[INSTANCE_ID];
	struct msg_login login;
	union message m;

	restart(server, NULL);
	play_expect_no_event(play);
	memcpy(instance, link_session_instance(play->s), sizeof(instance));
	ck_assert_uint_eq(play_say(play, "one"), 1);
	ck_assert_uint_eq(play_say(play, "two"), 2);
	ck_assert_int_eq(
		link_session_direct(play->s, "ben", person, SAID_ACTION, "waves", NULL), 0);

	restart(server, NULL);
	ck_assert_mem_eq(link_session_instance(play->s), instance, sizeof(instance));
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 3);
	expect_restored(1, "one");
	expect_restored(2, "two");
	const struct event *e = play_expect(play, EVENT_RESTORED);
	ck_assert(e->direct);
	ck_assert_str_eq(e->room, "");
	ck_assert_str_eq(e->peer_nick, "ben");
	ck_assert_uint_eq(e->peer[0], 4);
	ck_assert_int_eq(e->kind, SAID_ACTION);
	play_expect_no_event(play);

	/* Their room is joined, and they go first, under their old ids; new ones after them, under
	 * numbers that nobody has used. */
	uint64_t fresh = play_say(play, "three");
	ck_assert_uint_gt(fresh, STATE_RESERVE);
	play_log_in(play, play_log_a, 2, &login);
	ck_assert_mem_eq(login.instance, instance, sizeof(instance));
	event_list_fini(&play->events);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert(span_equal(m.join.room, "lobby"));
	play_expect_said(play, 1);
	play_expect_said(play, 2);
	EXPECT_SENT(play, MESSAGE_DIRECT, &m);
	ck_assert_uint_eq(m.direct.counter, 3);
	play_expect_said(play, fresh);
	play_give_ack(play, 1, 0);
	play_give_refused(play, 2, CODE_NOT_KEPT);
	play_give_ack(play, 3, 9);

	restart(server, NULL);
	expect_restored(fresh, "three");
	play_expect_no_event(play);
}
END_TEST

/* A process says something while no server is there and is killed; the next one sends it. */
START_TEST(test_killed)
{
	int ready[2];
	char byte;
	int status;
	union message m;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		restart(server, NULL);
		for (int i = 0; i < 50; i++)
			play_say(play, "words");
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	restart(server, NULL);
	for (uint64_t c = 1; c <= 50; c++)
		expect_restored(c, "words");
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	for (uint64_t c = 1; c <= 50; c++)
		play_expect_said(play, c);
	EXPECT_NOTHING_SENT(play);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(test_answers_are_saved_soon)
{
	restart(server, NULL);
	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 0);
	play_say(play, "one");
	play_expect_said(play, 1);
	play_give_ack(play, 1, 4);
	ck_assert_int_le(link_session_deadline(play->s), play->now + 200000);
	play->now += 200000;
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);

	/* Seen from another session of the same file, which a crash lets go of: a copy. */
	char copy[64] = "/tmp/lanchat-copy-XXXXXX";
	char command[256];
	struct state *st;
	ck_assert_ptr_nonnull(mkdtemp(copy));
	snprintf(command, sizeof(command), "cp -r %s/servers %s", folder, copy);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(state_adopt(copy, server, &st), 0);
	ck_assert_mem_eq(state_instance(st), link_session_instance(play->s), INSTANCE_ID);
	ck_assert_int_eq(state_messages(st, NULL, NULL), 0); /* there is none to be told of */
	state_close(st);
	(void)nftw(copy, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
END_TEST

/* ---- which server it is ---- */

START_TEST(test_unknown_address)
{
	uint8_t instance[INSTANCE_ID];
	uint8_t found[32];
	struct msg_login login;

	/* Nobody has ever answered there: what is said waits in memory ... */
	restart(NULL, "host:1");
	memcpy(instance, link_session_instance(play->s), sizeof(instance));
	play_say(play, "one");
	restart(NULL, "host:1");
	play_expect_no_event(play);

	/* ... and goes to disk as soon as the server is known. */
	play_say(play, "two");
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_mem_eq(login.instance, instance, sizeof(instance));
	ck_assert_int_eq(book_find(folder, "addresses", "host:1", found), 0);
	ck_assert_mem_eq(found, server, sizeof(found));

	/* The next process knows from the start. */
	restart(NULL, "host:1");
	expect_restored(1, "two");
	ck_assert_mem_eq(link_session_instance(play->s), instance, sizeof(instance));
}
END_TEST

START_TEST(test_adopted_when_known)
{
	uint8_t instance[INSTANCE_ID];
	struct msg_login login;
	union message m;

	restart(server, NULL);
	memcpy(instance, link_session_instance(play->s), sizeof(instance));
	play_say(play, "one");

	/* By another name; nothing was said before it answered. */
	restart(NULL, "host:2");
	play_expect_no_event(play);
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_mem_eq(login.instance, instance, sizeof(instance));
	play_expect_state(play, LINK_LOGGING_IN);
	expect_restored(1, "one");
	const struct event *e = play_expect(play, EVENT_LOGGED_IN);
	ck_assert_mem_eq(e->instance, instance, sizeof(instance));
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	play_expect_said(play, 1);
}
END_TEST

START_TEST(test_another_server)
{
	static const uint8_t before[32] = {6};
	uint8_t instance[INSTANCE_ID];
	struct msg_login login;
	union message m;

	ck_assert_int_eq(book_put(folder, "addresses", "host:1", before), 0);
	restart(NULL, "host:1");
	memcpy(instance, link_session_instance(play->s), sizeof(instance));
	play_say(play, "for the old one");

	/* It is not sent to the one that answers. */
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_mem_ne(login.instance, instance, sizeof(instance));
	EXPECT_NOTHING_SENT(play);
	play_expect_state(play, LINK_LOGGING_IN);
	const struct event *e = play_expect(play, EVENT_REFUSED);
	ck_assert_uint_eq(e->counter, 1);
	ck_assert_uint_eq(e->code, CODE_NOT_KEPT);
	e = play_expect(play, EVENT_NOTICE);
	ck_assert_int_eq(e->kind, NOTICE_WARNING);
	play_expect(play, EVENT_LOGGED_IN);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);

	/* What is said now is for the new one, under another number. */
	uint64_t counter = play_say(play, "for the new one");
	ck_assert_uint_eq(counter, 2);
	play_expect_said(play, counter);
	restart(NULL, "host:1");
	expect_restored(2, "for the new one");
	play_expect_no_event(play);
	restart(before, NULL);
	expect_restored(1, "for the old one");
	play_expect_no_event(play);
	EXPECT_SENT(play, 0, &m);
}
END_TEST

/* The files came out of a backup: the server has seen numbers above theirs. */
START_TEST(test_overtaken)
{
	const uint64_t accepted = 9 * STATE_RESERVE;

	restart(server, NULL);
	play_say(play, "old");
	restart(server, NULL);
	uint64_t doubtful = play_say(play, "doubtful");
	event_list_fini(&play->events);
	play_log_in(play, play_log_a, accepted, NULL);
	play_expect_state(play, LINK_LOGGING_IN);
	ck_assert_uint_eq(play_expect(play, EVENT_REFUSED)->counter, doubtful);
	play_expect(play, EVENT_LOGGED_IN);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 1);
	ck_assert_uint_eq(play_say(play, "again"), accepted + 1);
	restart(server, NULL);
	expect_restored(1, "old");
	expect_restored(accepted + 1, "again");
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_overtaken_too_far)
{
	union message m;

	restart(server, NULL);
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna", UINT64_MAX), ERR_PROTOCOL);
}
END_TEST

/* ---- disks that fail ---- */

START_TEST(test_cannot_be_kept)
{
	char path[128];
	union message m;

	snprintf(path, sizeof(path), "%s/servers", folder);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	restart(server, "host:1");
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	play_give_joined(play, m.join.tag, "lobby", 0);
	ck_assert_uint_eq(play_say(play, "one"), 1);
	play_expect_said(play, 1);
	play_give_ack(play, 1, 5);
	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);
}
END_TEST

/* The disk fills up: messages go out all the same, and no number is ever used twice. */
START_TEST(test_disk_full)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	uint64_t last = 0;

	restart(server, NULL);
	play_say(play, "kept");
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (int i = 0; i < 20; i++)
		last = play_say(play, "not kept");
	play_log_in_quietly(play, 0);
	for (uint64_t c = 1; c <= last; c++)
		play_expect_said(play, c);
	play_give_ack(play, 1, 5);
	link_session_end(play->s);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	play_say(play, "kept again");
	restart(server, NULL);
	expect_restored(last + 1, "kept again");
	play_expect_no_event(play);
	ck_assert_uint_gt(play_say(play, "new"), STATE_RESERVE);
}
END_TEST

Suite *link_session_keep_suite(void)
{
	Suite *s = suite_create("link_session_keep");
	TCase *t = tcase_create("link_session_keep");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, test_restored);
	tcase_add_test(t, test_killed);
	tcase_add_test(t, test_answers_are_saved_soon);
	tcase_add_test(t, test_unknown_address);
	tcase_add_test(t, test_adopted_when_known);
	tcase_add_test(t, test_another_server);
	tcase_add_test(t, test_overtaken);
	tcase_add_test(t, test_overtaken_too_far);
	tcase_add_test(t, test_cannot_be_kept);
	tcase_add_test(t, test_disk_full);
	suite_add_tcase(s, t);
	return s;
}
