/*
 * The session and how far was read: positions that outlive the process, that only
 * one program has at a time, and that survive a change of the server's log.
 */
#include "tests/unit/play.h"

#include "client/link_session_private.h"
#include "client/positions.h"
#include "common/err.h"
#include "common/log.h"
#include "common/message.h"

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	snprintf(folder, sizeof(folder), "/tmp/lanchat-positions-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	log_set_level(LOG_LEVEL_ERROR);
	play_setup();
}

static void teardown(void)
{
	play_teardown();
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int open_session(const char *state_folder, const uint8_t *id, bool resume)
{
	struct link_session_config config = play_config_of(true);

	link_session_free(play->s);
	play->s = NULL;
	event_list_fini(&play->events);
	play->out.length = play->at = 0;
	config.server_id = id;
	config.address = "host:1";
	config.state_folder = state_folder;
	config.resume = resume;
	int r = link_session_new(&config, &play->s);
	if (r == 0)
		link_session_events(play->s, &play->events);
	return r;
}

/* A new process, as it were: the session before is over. */
static void restart(bool resume)
{
	ck_assert_int_eq(open_session(folder, server, resume), 0);
}

/* The owner deals with all events that have come. */
static void finish(void)
{
	struct event *e;

	link_session_events(play->s, &play->events);
	while ((e = event_list_take(&play->events))) {
		link_session_done(play->s, e);
		event_free(e);
	}
}

/* ---- going on ---- */

/* Read up to 7 in the lobby; then the process ends, its owner having dealt with it or not. */
static void read_some(bool dealt_with)
{
	union message m;

	restart(true);
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	play_give_joined(play, m.join.tag, "lobby", 4);
	finish();
	ck_assert_int_eq(link_session_tick(play->s, play->now + SECOND), 0);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 7), 0);
	if (dealt_with)
		finish();
}

static const struct {
	bool dealt_with;
	bool resume;
	const uint8_t *log;
	bool changed;
	uint16_t flags;
	uint64_t after;
	uint64_t after_all; /* in the run after it */
} resumed[] = {
	{true, true, play_log_a, false, JOIN_RESUME, 7, 7},
	{false, true, play_log_a, false, JOIN_RESUME, 4, 4}, /* what was not shown comes again */
	{true, false, play_log_a, false, 0, 0, 7},
	{true, true, play_log_b, true, JOIN_RESUME, 0, 0}, /* all of it is new */
	{true, false, play_log_b, false, 0, 0, 0},
};

START_TEST(test_resumed)
{
	struct msg_login login;
	union message m;

	read_some(resumed[_i].dealt_with);
	restart(resumed[_i].resume);
	ck_assert_int_eq(link_session_join(play->s, "LOBBY"), 0);
	play_log_in(play, resumed[_i].log, 0, &login);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, resumed[_i].flags);
	if (m.join.flags)
		ck_assert_uint_eq(m.join.after, resumed[_i].after);
	play_expect_state(play, LINK_LOGGING_IN);
	if (resumed[_i].changed)
		play_expect(play, EVENT_LOG_CHANGED);
	play_expect(play, EVENT_LOGGED_IN);
	/* It stays so; a run that does not go by positions has not moved them. */
	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, resumed[_i].log, 0, &login);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, resumed[_i].after_all);
}
END_TEST

/* What comes last need not have been dealt with: the position does not depend on it. */
START_TEST(test_resumed_after_the_end)
{
	struct msg_login login;
	union message m;

	read_some(true);
	link_session_state(play->s, LINK_CLOSED, NULL, 0, 0);
	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, play_log_a, 0, &login);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 7);
}
END_TEST

START_TEST(test_inbox_resumed)
{
	struct msg_direct_said said = {
		.seq = 6,
		.person = {8},
		.to = {7},
		.instance = {3},
		.nick = span_of("ben"),
		.to_nick = span_of("anna"),
		.text = span_of("psst"),
	};
	struct msg_login login;

	restart(true);
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(play_give(play, MESSAGE_DIRECT_SAID, &said), 0);
	finish();
	restart(true);
	play_log_in(play, play_log_a, 0, &login);
	ck_assert_uint_eq(login.inbox_after, 6);
	ck_assert_mem_eq(login.log, play_log_a, sizeof(play_log_a));
}
END_TEST

/* ---- one at a time ---- */

/* Begin a connection, whose WELCOME is refused; what the user is told has these words in it. */
static void expect_refused(const char *words)
{
	union message m;
	unsigned code;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(play, play_log_a), ERR_REFUSED);
	EXPECT_NOTHING_SENT(play);
	ck_assert_msg(strstr(link_session_reason(play->s, &code), words), "%s",
		link_session_reason(play->s, &code));
}

static struct positions *take_them(void)
{
	char path[PATH_MAX];
	struct positions *p = NULL;

	ck_assert_int_eq(positions_open(folder, server, path, &p), 0);
	return p;
}

/* Whether the server is known from the start, or when it answers. */
START_TEST(test_another_has_them)
{
	struct positions *p = take_them();

	ck_assert_int_eq(open_session(folder, _i ? server : NULL, true), 0);
	expect_refused("another program goes by --resume");
	positions_close(p);
	/* Without them, nobody is in the way. */
	p = take_them();
	restart(false);
	play_log_in_quietly(play, 0);
	positions_close(p);
}
END_TEST

START_TEST(test_freed_in_time)
{
	struct positions *p = take_them();

	restart(true);
	positions_close(p);
	play_log_in_quietly(play, 0);
}
END_TEST

START_TEST(test_no_place)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/a-file", folder);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(open_session(path, server, true), 0);
	expect_refused("--resume cannot keep how far it got in ");
}
END_TEST

START_TEST(test_damaged)
{
	char path[PATH_MAX];
	struct positions *p = NULL;

	ck_assert_int_eq(positions_open(folder, server, path, &p), 0);
	positions_close(p);
	ck_assert_int_eq(truncate(path, 100), 0);
	restart(true);
	expect_refused("remove it to begin anew");
}
END_TEST

/* ---- another log ---- */

static void welcome_other_log(union message *m)
{
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, m);
	ck_assert_uint_eq(m->hello.features, FEATURE_COMPARE | FEATURE_RIGHTS | FEATURE_LANE);
	ck_assert_int_eq(play_give_welcome(play, play_log_b), 0);
	EXPECT_SENT(play, MESSAGE_COMPARE, m);
	ck_assert_mem_eq(m->compare.log, play_log_a, sizeof(play_log_a));
	EXPECT_NOTHING_SENT(play);
}

/* The logs are the same up to `upto`; a position of 7 in the lobby becomes `after`. */
static const struct {
	uint64_t upto;
	uint64_t after;
} common[] = {{5, 5}, {7, 7}, {9, 7}, {0, 0}, {UINT64_MAX, 7}};

START_TEST(test_compared)
{
	struct msg_compared compared = {.upto = common[_i].upto};
	union message m;

	read_some(true);
	restart(true);
	play->features = FEATURE_COMPARE;
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	welcome_other_log(&m);
	compared.tag = m.compare.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_mem_eq(m.login.log, play_log_b, sizeof(play_log_b));
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna", 0), 0);
	play_expect_state(play, LINK_LOGGING_IN);
	const struct event *e = play_expect(play, EVENT_LOG_CHANGED);
	ck_assert(e->flag);
	ck_assert_uint_eq(e->seq, common[_i].upto);
	EXPECT_SENT(play, MESSAGE_PING, &m);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, common[_i].after);
	/* What comes there has numbers that the old log used for something else. */
	play_give_joined(play, m.join.tag, "lobby", common[_i].after);
	event_list_fini(&play->events);
	ck_assert_int_eq(play_give_said(play, "lobby", common[_i].after, common[_i].after + 1), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, common[_i].after + 1);
}
END_TEST

/* The positions of rooms that this run does not join are moved as well, when the owner has dealt with
 * that; else the next run asks again. */
START_TEST(test_compared_elsewhere)
{
	struct msg_compared compared = {.upto = 5};
	union message m;

	read_some(true);
	restart(true);
	play->features = FEATURE_COMPARE;
	welcome_other_log(&m);
	compared.tag = m.compare.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), 0);
	restart(true);
	welcome_other_log(&m);
	compared.tag = m.compare.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), 0);
	finish();

	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, play_log_b, 0, NULL);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 5);
}
END_TEST

/* A room that is joined before the owner has dealt with the change. */
START_TEST(test_compared_joined_late)
{
	struct msg_compared compared = {.upto = 5};
	union message m;

	read_some(true);
	restart(true);
	play->features = FEATURE_COMPARE;
	welcome_other_log(&m);
	compared.tag = m.compare.tag;
	ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(play_give_logged_in(play, m.login.tag, "anna", 0), 0);
	EXPECT_SENT(play, MESSAGE_PING, &m);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 5);
}
END_TEST

/* What the owner has dealt with counts, however much it has not. */
START_TEST(test_partly_dealt_with)
{
	union message m;

	read_some(true);
	for (uint64_t seq = 8; seq < 40; seq++)
		ck_assert_int_eq(play_give_said(play, "lobby", seq - 1, seq), 0);
	for (int i = 0; i < 12; i++) {
		struct event *e = event_list_take(&play->events);
		link_session_done(play->s, e);
		event_free(e);
	}
	ck_assert(link_session_save(play->s));
	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, play_log_a, 0, NULL);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.after, 19);
}
END_TEST

/* The server's disk was set back: what is said there now has numbers that were seen before. */
START_TEST(test_server_set_back)
{
	union message m;

	read_some(true);
	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, play_log_a, 0, NULL);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.after, 7);
	play_give_joined(play, m.join.tag, "lobby", 3);
	finish();
	ck_assert_int_eq(play_give_said(play, "lobby", 3, 4), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_MESSAGE)->seq, 4);
	restart(true);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	play_log_in(play, play_log_a, 0, NULL);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.after, 3);
}
END_TEST

START_TEST(test_file_removed)
{
	char path[PATH_MAX];

	restart(false);
	positions_close(take_them());
	restart(true);
	play_log_in_quietly(play, 0);
	ck_assert(link_session_save(play->s));
	snprintf(path, sizeof(path), "%s/servers/05%062d/resume.db", folder, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!link_session_save(play->s));
}
END_TEST

START_TEST(test_compared_wrongly)
{
	struct msg_compared compared = {.upto = 5};
	union message m;

	read_some(true);
	restart(true);
	play->features = FEATURE_COMPARE;
	welcome_other_log(&m);
	if (_i == 0) {
		compared.tag = m.compare.tag + 1;
		ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), ERR_PROTOCOL);
	} else if (_i == 1) {
		ck_assert_int_eq(play_give_welcome(play, play_log_b), ERR_PROTOCOL);
	} else {
		compared.tag = m.compare.tag;
		ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), 0);
		ck_assert_int_eq(play_give(play, MESSAGE_COMPARED, &compared), ERR_PROTOCOL);
	}
	EXPECT_SENT(play, _i == 2 ? MESSAGE_LOGIN : 0, &m);
}
END_TEST

/* Another server is no other log of the same one: its rooms are new, and nothing is asked. */
START_TEST(test_another_server)
{
	static const uint8_t other[32] = {6};
	struct msg_login login;
	union message m;

	read_some(true);
	ck_assert_int_eq(open_session(folder, other, true), 0);
	play->s->server_known = false; /* as if the address had been known alone */
	play->features = FEATURE_COMPARE;
	ck_assert_int_eq(link_session_join(play->s, "market"), 0);
	play_log_in(play, play_log_a, 0, &login);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, 0);
	/* And positions are those of the one that answered. */
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 7);
}
END_TEST

Suite *link_session_positions_suite(void)
{
	Suite *s = suite_create("link_session_positions");
	TCase *t = tcase_create("link_session_positions");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, test_resumed, 0, (int)(sizeof(resumed) / sizeof(resumed[0])));
	tcase_add_test(t, test_resumed_after_the_end);
	tcase_add_test(t, test_inbox_resumed);
	tcase_add_loop_test(t, test_another_has_them, 0, 2);
	tcase_add_test(t, test_freed_in_time);
	tcase_add_test(t, test_no_place);
	tcase_add_test(t, test_damaged);
	tcase_add_loop_test(t, test_compared, 0, (int)(sizeof(common) / sizeof(common[0])));
	tcase_add_test(t, test_compared_elsewhere);
	tcase_add_test(t, test_compared_joined_late);
	tcase_add_test(t, test_partly_dealt_with);
	tcase_add_test(t, test_server_set_back);
	tcase_add_test(t, test_file_removed);
	tcase_add_loop_test(t, test_compared_wrongly, 0, 3);
	tcase_add_test(t, test_another_server);
	suite_add_tcase(s, t);
	return s;
}
