/*
 * The session: when it asks who is what, and what it makes of the answers.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"
#include "common/rights.h"

#include <check.h>
#include <string.h>

static const uint8_t server[IDENTITY_SIZE] = {5};

/* Logged in by TLS to a server that knows of rights, as an owner that shows ranks. */
static void begin(bool ranks, bool tls, uint32_t features)
{
	struct link_session_config config = play_config_of(true);

	config.ranks = ranks;
	play_setup();
	link_session_free(play->s);
	ck_assert_int_eq(link_session_new(&config, &play->s), 0);
	if (tls)
		link_session_prove(play->s, server);
	play->features = features;
	play_log_in_quietly(play, 0);
}

static void setup(void)
{
	begin(true, true, FEATURE_RIGHTS);
}

/* `seconds` later, in which the server was not silent. */
static void pass(int64_t seconds)
{
	play->now += seconds * SECOND;
	link_session_heard(play->s, play->now);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
}

/* The session asks about that room, at once; returns the tag. */
static uint32_t expect_asked(const char *room)
{
	union message m;

	pass(0);
	EXPECT_SENT(play, MESSAGE_CHARTER, &m);
	ck_assert_uint_eq(m.charter.room.length, strlen(room));
	ck_assert_mem_eq(m.charter.room.text, room, strlen(room));
	return m.charter.tag;
}

static void expect_not_asked(void)
{
	pass(0);
	EXPECT_NOTHING_SENT(play);
}

static void answer(uint32_t tag, const char *room)
{
	static uint8_t buffer[1024];
	struct msg_charter_is is = {.tag = tag, .room = span_of(room)};
	struct item_standing item = {.person = {2}, .label = span_of("ben")};

	ck_assert_int_eq(
		message_list_add(&is.standings, ITEM_STANDING, &item, buffer, sizeof(buffer)), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_CHARTER_IS, &is), 0);
}

static void give_list(uint64_t version, uint32_t count)
{
	static uint8_t buffer[1024];
	struct msg_member_list list = {.room = span_of("dev"), .version = version, .people = count};
	struct item_member member = {.nick = span_of("ben"), .away = span_of("")};

	ck_assert_int_eq(
		message_list_add(&list.members, ITEM_MEMBER, &member, buffer, sizeof(buffer)), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_MEMBER_LIST, &list), 0);
	event_list_fini(&play->events);
}

static void give_change(uint64_t version, enum change_what what)
{
	static uint8_t buffer[1024];
	struct msg_presence p = {.room = span_of("dev"), .version = version, .people = 3};
	struct item_change change = {
		.what = (uint8_t)what, .nick = span_of("ben"), .text = span_of("did it")};

	ck_assert_int_eq(
		message_list_add(&p.changes, ITEM_CHANGE, &change, buffer, sizeof(buffer)), 0);
	ck_assert_int_eq(play_give(play, MESSAGE_PRESENCE, &p), 0);
	link_session_events(play->s, &play->events);
	event_list_fini(&play->events);
}

/* In the room "dev", all of whose people are known. */
static void enter(void)
{
	play_join(play, "dev", 0);
	give_list(1, 2);
}

/* What the server and the room are has been told. */
static void settle(void)
{
	answer(expect_asked(""), "");
	enter();
	answer(expect_asked("dev"), "dev");
	link_session_events(play->s, &play->events);
	event_list_fini(&play->events);
	expect_not_asked();
}

START_TEST(at_the_login_and_on_entering)
{
	uint32_t tag = expect_asked("");

	enter();
	expect_not_asked(); /* one at a time */
	answer(tag, "");
	const struct event *e = play_expect(play, EVENT_RANKS);
	ck_assert_str_eq(e->room, "");
	ck_assert_uint_eq(e->count, 1);
	ck_assert_str_eq(e->standings[0].label, "ben");
	answer(expect_asked("dev"), "dev");
	ck_assert_str_eq(play_expect(play, EVENT_RANKS)->room, "dev");
	expect_not_asked();
}
END_TEST

/* Many acts at once are one question, at most one in a second. */
START_TEST(after_acts)
{
	settle();
	give_change(2, CHANGE_ACT);
	give_change(3, CHANGE_ACT);
	expect_not_asked();
	pass(1);
	uint32_t tag = expect_asked("dev");
	/* What happens before the answer may not be in it. */
	give_change(4, CHANGE_ACT);
	pass(1);
	EXPECT_NOTHING_SENT(play);
	answer(tag, "dev");
	answer(expect_asked("dev"), "dev");
	give_change(5, CHANGE_STATE);
	pass(1);
	expect_not_asked();
}
END_TEST

/* Nobody tells of operators: they are looked at now and then, while something happens. */
START_TEST(operators_now_and_then)
{
	struct msg_done done = {.tag = 99};

	settle();
	give_change(2, CHANGE_JOINED);
	pass(2);
	expect_not_asked();
	pass(58);
	union message m;
	while (play_sent(play, &m) == MESSAGE_PING)
		continue;
	give_change(3, CHANGE_JOINED);
	answer(expect_asked(""), "");
	/* The user has done something, perhaps to them. */
	pass(1);
	ck_assert_int_eq(play_give(play, MESSAGE_DONE, &done), 0);
	(void)expect_asked("");
}
END_TEST

/* The room was left, or there is no memory: that is nothing to tell the user. */
START_TEST(an_error_is_quiet)
{
	struct msg_error error = {.code = CODE_NOT_INVITED, .text = span_of("")};

	settle();
	give_change(2, CHANGE_ACT);
	pass(1);
	error.tag = expect_asked("dev");
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	play_expect_no_event(play);
	/* And it may ask again. */
	give_change(3, CHANGE_ACT);
	pass(1);
	(void)expect_asked("dev");
}
END_TEST

/* An answer to what was asked before an act was heard of may be of before it. */
START_TEST(fresh_or_not)
{
	uint32_t tag;

	settle();
	give_change(2, CHANGE_ACT);
	pass(2);
	tag = expect_asked("dev");
	give_change(3, CHANGE_ACT);
	answer(tag, "dev");
	ck_assert(!play_expect(play, EVENT_RANKS)->own);
	pass(2);
	tag = expect_asked("dev");
	answer(tag, "dev");
	ck_assert(play_expect(play, EVENT_RANKS)->own);
}
END_TEST

/* Pages of what was done: each act has its number, which the next request goes by. */
START_TEST(pages_of_acts)
{
	static uint8_t buffer[1024];
	struct msg_audit_page page = {.room = span_of("dev"), .more = 1};
	struct item_act item = {.seq = 41,
		.verb = 15,
		.nick = span_of("ben"),
		.label = span_of("cat"),
		.text = span_of("")};
	uint32_t request;
	union message m;

	settle();
	ck_assert_int_eq(message_list_add(&page.acts, ITEM_ACT, &item, buffer, sizeof(buffer)), 0);
	for (uint64_t before = 0; before <= 41; before += 41) {
		ck_assert_int_eq(link_session_audit(play->s, "dev", before, 30, &request), 0);
		EXPECT_SENT(play, MESSAGE_AUDIT, &m);
		ck_assert_uint_eq(m.audit.before, before);
		page.tag = request;
		ck_assert_int_eq(play_give(play, MESSAGE_AUDIT_PAGE, &page), 0);
		const struct event *e = play_expect(play, EVENT_AUDIT);
		ck_assert(e->flag);
		ck_assert(e->own == (before > 0));
		ck_assert_uint_eq(e->acts[0].seq, 41);
	}
}
END_TEST

/* What the user asks is answered as ever. */
START_TEST(the_users_own_question)
{
	uint32_t request;
	union message m;

	settle();
	ck_assert_int_eq(link_session_charter(play->s, "dev", &request), 0);
	EXPECT_SENT(play, MESSAGE_CHARTER, &m);
	answer(request, "dev");
	play_expect(play, EVENT_CHARTER);
}
END_TEST

/* Where single changes are not told, each act would make everybody ask. */
START_TEST(not_in_a_large_room)
{
	struct msg_presence count = {.room = span_of("dev"), .version = 3, .people = 1000};

	settle();
	give_change(2, CHANGE_ACT);
	ck_assert_int_eq(play_give(play, MESSAGE_PRESENCE, &count), 0);
	pass(2);
	expect_not_asked();
	/* It has become a small one, whose people are told again. */
	give_list(4, 2);
	(void)expect_asked("dev");
}
END_TEST

/* On the next connection all is asked for anew, and an answer of the last one is none. */
START_TEST(after_a_break)
{
	union message m;

	(void)expect_asked("");
	enter();
	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	answer(expect_asked(""), "");
	play_give_joined(play, m.join.tag, "dev", 0);
	expect_not_asked(); /* nobody is known there yet */
	give_list(1, 2);
	answer(expect_asked("dev"), "dev");
}
END_TEST

static const struct {
	bool ranks, tls;
	uint32_t features;
} nowhere[] = {
	{false, true, FEATURE_RIGHTS}, /* nobody looks at it */
	{true, false, FEATURE_RIGHTS}, /* nobody is anything */
	{true, true, 0},               /* an older server */
};

START_TEST(not_asked_at_all)
{
	begin(nowhere[_i].ranks, nowhere[_i].tls, nowhere[_i].features);
	expect_not_asked();
	enter();
	give_change(2, CHANGE_ACT);
	pass(1);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

Suite *link_session_ranks_suite(void)
{
	Suite *s = suite_create("link_session_ranks");
	TCase *t = tcase_create("asked");
	TCase *never = tcase_create("not asked");

	tcase_add_checked_fixture(t, setup, play_teardown);
	tcase_add_test(t, at_the_login_and_on_entering);
	tcase_add_test(t, after_acts);
	tcase_add_test(t, operators_now_and_then);
	tcase_add_test(t, an_error_is_quiet);
	tcase_add_test(t, fresh_or_not);
	tcase_add_test(t, pages_of_acts);
	tcase_add_test(t, the_users_own_question);
	tcase_add_test(t, not_in_a_large_room);
	tcase_add_test(t, after_a_break);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(never, NULL, play_teardown);
	tcase_add_loop_test(
		never, not_asked_at_all, 0, (int)(sizeof(nowhere) / sizeof(nowhere[0])));
	suite_add_tcase(s, never);
	return s;
}
