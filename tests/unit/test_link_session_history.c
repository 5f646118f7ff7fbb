/*
 * The session: pages of history, searches, what was read, places; and rooms that
 * were left before what was said in them had been answered.
 */
#include "tests/unit/play.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <string.h>

#define ENTRIES_MOST 8

/* Entries of one room, by number; 0 ends them. */
static struct list entries_of(const char *room, const uint64_t *seqs)
{
	static uint8_t buffer[8 * 1024];
	struct list l = {0};

	for (size_t i = 0; i < ENTRIES_MOST && seqs[i]; i++) {
		struct item_entry entry = {
			.seq = seqs[i],
			.time = 1000 + seqs[i],
			.instance = {3},
			.counter = seqs[i],
			.person = {room[0] ? 8 : 7},
			.to = {room[0] ? 0 : 8},
			.nick = span_of(room[0] ? "ben" : "anna"),
			.to_nick = span_of(room[0] ? "" : "ben"),
			.room = span_of(room),
			.text = span_of("long ago"),
		};
		ck_assert_int_eq(
			message_list_add(&l, ITEM_ENTRY, &entry, buffer, sizeof(buffer)), 0);
	}
	return l;
}

static int give_page(uint32_t tag, const char *room, const uint64_t *seqs)
{
	struct msg_history_page page = {
		.tag = tag,
		.room = span_of(room),
		.more = 1,
		.pruned = 2,
		.entries = entries_of(room, seqs),
	};
	return play_give(play, MESSAGE_HISTORY_PAGE, &page);
}

static int give_found(uint32_t tag, const uint64_t *seqs)
{
	struct msg_found found = {.tag = tag, .entries = entries_of("lobby", seqs)};

	return play_give(play, MESSAGE_FOUND, &found);
}

/* ---- history ---- */

START_TEST(test_history)
{
	static const uint64_t seqs[] = {5, 6, 9, 0};
	uint32_t request = 0;
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(
		link_session_history(play->s, "lobby", HISTORY_BEFORE, 10, 3, &request), 0);
	EXPECT_SENT(play, MESSAGE_HISTORY, &m);
	ck_assert_uint_eq(m.history.tag, request);
	ck_assert(span_equal(m.history.room, "lobby"));
	ck_assert_uint_eq(m.history.from, HISTORY_BEFORE);
	ck_assert_uint_eq(m.history.value, 10);
	ck_assert_uint_eq(m.history.limit, 3);
	ck_assert_int_eq(give_page(request, "lobby", seqs), 0);
	const struct event *e = play_expect(play, EVENT_HISTORY);
	ck_assert_uint_eq(e->number, request);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert(e->flag);
	ck_assert_uint_eq(e->seq, 2);
	ck_assert_uint_eq(e->count, 3);
	ck_assert_uint_eq(e->entries[2].seq, 9);
	ck_assert_str_eq(e->entries[0].text, "long ago");
	ck_assert_str_eq(e->entries[0].room, "lobby");
	ck_assert(!e->entries[0].direct);

	/* The same answer once more answers nothing. */
	ck_assert_int_eq(give_page(request, "lobby", seqs), 0);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_history_of_direct_messages)
{
	static const uint64_t seqs[] = {4, 0};
	uint32_t request = 0;
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_history(play->s, "", HISTORY_AFTER, 3, 1, &request), 0);
	EXPECT_SENT(play, MESSAGE_HISTORY, &m);
	ck_assert_int_eq(give_page(request, "", seqs), 0);
	const struct event *e = play_expect(play, EVENT_HISTORY);
	ck_assert_uint_eq(e->count, 1);
	ck_assert(e->entries[0].direct);
	ck_assert_str_eq(e->entries[0].room, "");
	ck_assert_str_eq(e->entries[0].peer_nick, "ben");
	ck_assert_uint_eq(e->entries[0].peer[0], 8);
}
END_TEST

/* Pages that no server may send. */
static const struct {
	enum history_from from;
	const char *room;
	uint64_t seqs[ENTRIES_MOST];
	int result;
} pages[] = {
	{HISTORY_BEFORE, "lobby", {0}, 0}, {HISTORY_BEFORE, "lobby", {1, 2, 9}, 0},
	{HISTORY_BEFORE, "lobby", {1, 2, 10}, ERR_PROTOCOL},   /* not before */
	{HISTORY_AFTER, "lobby", {11, 12}, 0},                 /* */
	{HISTORY_AFTER, "lobby", {10, 12}, ERR_PROTOCOL},      /* not after */
	{HISTORY_SINCE, "lobby", {1, 12}, 0},                  /* a time is no number */
	{HISTORY_BEFORE, "lobby", {2, 1}, ERR_PROTOCOL},       /* falling */
	{HISTORY_BEFORE, "lobby", {2, 2}, ERR_PROTOCOL},       /* the same */
	{HISTORY_BEFORE, "lobby", {1, 2, 3, 4}, ERR_PROTOCOL}, /* too many */
	{HISTORY_BEFORE, "", {1, 2}, ERR_PROTOCOL},            /* what was not asked for */
};

START_TEST(test_pages)
{
	uint32_t request;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(
		link_session_history(play->s, "lobby", pages[_i].from, 10, 3, &request), 0);
	ck_assert_int_eq(give_page(request, pages[_i].room, pages[_i].seqs), pages[_i].result);
	if (pages[_i].result == 0)
		play_expect(play, EVENT_HISTORY);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_limits)
{
	struct link_session *s = play->s;
	char words[WORDS_MAX + 2];
	uint32_t n = 77;

	ck_assert_int_eq(link_session_history(s, "lobby", HISTORY_BEFORE, 0, 1, &n), ERR_CLOSED);
	ck_assert_int_eq(link_session_search(s, SEARCH_INBOX, "", "x", 0, 1, &n), ERR_CLOSED);
	play_log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_history(s, "lobby", HISTORY_BEFORE, 0, 0, &n), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_history(s, "lobby", HISTORY_BEFORE, 0, LIST_MAX + 1, &n),
		ERR_ARGUMENT);
	ck_assert_int_eq(link_session_history(s, "a b", HISTORY_BEFORE, 0, 1, &n), ERR_TEXT);
	ck_assert_int_eq(link_session_search(s, SEARCH_ROOM, "", "x", 0, 1, &n), ERR_ARGUMENT);
	ck_assert_int_eq(
		link_session_search(s, SEARCH_INBOX, "lobby", "x", 0, 1, &n), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_search(s, SEARCH_INBOX, "", "", 0, 1, &n), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_search(s, SEARCH_INBOX, "", "a\nb", 0, 1, &n), ERR_TEXT);
	memset(words, 'x', sizeof(words));
	words[WORDS_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_search(s, SEARCH_INBOX, "", words, 0, 1, &n), ERR_TOO_BIG);
	ck_assert_uint_eq(n, 77);
	words[WORDS_MAX] = '\0';
	ck_assert_int_eq(link_session_search(s, SEARCH_INBOX, "", words, 0, LIST_MAX, &n), 0);
	ck_assert_uint_ne(n, 77);
}
END_TEST

START_TEST(test_search)
{
	static const uint64_t newest_first[] = {9, 6, 0};
	static const uint64_t rising[] = {6, 9, 0};
	uint32_t request;
	union message m;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(
		link_session_search(play->s, SEARCH_EVERYWHERE, "", "two words", 10, 5, &request),
		0);
	EXPECT_SENT(play, MESSAGE_SEARCH, &m);
	ck_assert(span_equal(m.search.words, "two words"));
	ck_assert_uint_eq(m.search.before, 10);
	ck_assert_int_eq(give_found(request, newest_first), 0);
	const struct event *e = play_expect(play, EVENT_FOUND);
	ck_assert_uint_eq(e->number, request);
	ck_assert(!e->flag);
	ck_assert_uint_eq(e->count, 2);
	ck_assert_uint_eq(e->entries[0].seq, 9);

	ck_assert_int_eq(
		link_session_search(play->s, SEARCH_ROOM, "lobby", "x", 0, 5, &request), 0);
	ck_assert_int_eq(give_found(request, rising), ERR_PROTOCOL);
	play_expect_no_event(play);
}
END_TEST

START_TEST(test_search_answered_by_a_page)
{
	static const uint64_t seqs[] = {1, 0};
	uint32_t request;

	play_log_in_quietly(play, 0);
	ck_assert_int_eq(
		link_session_search(play->s, SEARCH_ROOM, "lobby", "x", 0, 5, &request), 0);
	ck_assert_int_eq(give_page(request, "lobby", seqs), ERR_PROTOCOL);
}
END_TEST

START_TEST(test_refused_and_broken)
{
	struct msg_error error = {.code = CODE_BAD_ROOM, .text = span_of("")};
	uint32_t requests[3];

	play_log_in_quietly(play, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			link_session_history(play->s, "lobby", HISTORY_BEFORE, 0, 5, &requests[i]),
			0);
	error.tag = requests[1];
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	const struct event *e = play_expect(play, EVENT_ERROR);
	ck_assert_uint_eq(e->number, requests[1]);
	ck_assert_uint_eq(e->code, CODE_BAD_ROOM);
	ck_assert_str_eq(e->room, "lobby");
	play_expect_no_event(play);

	/* Those that are not answered are told of when the connection breaks, and not asked again. */
	link_session_end(play->s);
	link_session_events(play->s, &play->events);
	ck_assert_uint_eq(play_expect(play, EVENT_ERROR)->number, requests[0]);
	ck_assert_uint_eq(play_expect(play, EVENT_ERROR)->number, requests[2]);
	play_log_in_quietly(play, 0);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* ---- places and reading ---- */

START_TEST(test_places)
{
	uint8_t buffer[1024];
	struct msg_places message = {.more = 1};
	struct item_place lobby = {.room = span_of("lobby"), .member = 1, .read = 8};
	struct item_place inbox = {.room = span_of(""), .read = 3};

	play_log_in_quietly(play, 0);
	message_list_add(&message.places, ITEM_PLACE, &lobby, buffer, sizeof(buffer));
	message_list_add(&message.places, ITEM_PLACE, &inbox, buffer, sizeof(buffer));
	ck_assert_int_eq(play_give(play, MESSAGE_PLACES, &message), 0);
	const struct event *e = play_expect(play, EVENT_PLACES);
	ck_assert(!e->flag);
	ck_assert_uint_eq(e->count, 2);
	ck_assert_str_eq(e->places[0].room, "lobby");
	ck_assert(e->places[0].member && !e->places[1].member);
	ck_assert_uint_eq(e->places[0].read, 8);
	ck_assert_str_eq(e->places[1].room, "");
	message = (struct msg_places){0};
	ck_assert_int_eq(play_give(play, MESSAGE_PLACES, &message), 0);
	e = play_expect(play, EVENT_PLACES);
	ck_assert(e->flag && e->count == 0);
}
END_TEST

static void expect_read(const char *room, uint64_t seq)
{
	union message m;

	EXPECT_SENT(play, MESSAGE_READ, &m);
	ck_assert(span_equal(m.read.room, room));
	ck_assert_uint_eq(m.read.seq, seq);
}

START_TEST(test_read)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(link_session_read(play->s, "elsewhere", 4), ERR_NOT_FOUND);
	ck_assert_int_eq(link_session_read(play->s, "lobby", 4), 0);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	expect_read("lobby", 4);

	/* The next ones wait, and only the newest goes. */
	int64_t due = play->now + 2 * SECOND;
	ck_assert_int_eq(link_session_read(play->s, "LOBBY", 6), 0);
	ck_assert_int_eq(link_session_read(play->s, "lobby", 5), 0);
	ck_assert_int_eq(link_session_read(play->s, "", 7), 0);
	ck_assert_int_eq(link_session_deadline(play->s), due);
	ck_assert_int_eq(link_session_tick(play->s, due - 1), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_tick(play->s, due), 0);
	expect_read("", 7);
	expect_read("lobby", 6);
	EXPECT_NOTHING_SENT(play);

	/* What is not told yet goes before the goodbye. */
	ck_assert_int_eq(link_session_read(play->s, "lobby", 8), 0);
	ck_assert_int_eq(link_session_bye(play->s), 0);
	expect_read("lobby", 8);
	EXPECT_SENT(play, MESSAGE_BYE, &m);
}
END_TEST

START_TEST(test_read_is_told_again)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	ck_assert_int_eq(link_session_read(play->s, "lobby", 4), 0);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	expect_read("lobby", 4);
	link_session_end(play->s);
	play->now += 5 * SECOND;
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	EXPECT_NOTHING_SENT(play); /* we are not in yet */
	play_give_joined(play, m.join.tag, "lobby", 4);
	play->now += 3 * SECOND;
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	expect_read("lobby", 4);

	/* Another log has other numbers. */
	link_session_end(play->s);
	event_list_fini(&play->events);
	play_log_in(play, play_log_b, 0, NULL);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	play_give_joined(play, m.join.tag, "lobby", 1);
	play->now += 3 * SECOND;
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* ---- rooms that were left meanwhile ---- */

/* Say something, lose the connection, leave the room: what was said is for it all the same. */
START_TEST(test_left_while_away)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	play_say(play, "words");
	play_expect_said(play, 1);
	link_session_end(play->s);
	ck_assert_int_eq(link_session_part(play->s, "LOBBY"), 0);
	link_session_events(play->s, &play->events);
	play_expect(play, EVENT_PARTED);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), ERR_NOT_FOUND);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.replay, 0);
	play_expect_said(play, 1);
	play_give_joined(play, m.join.tag, "lobby", 4);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	ck_assert_int_eq(play_give_said(play, "lobby", 4, 5), 0);
	play_give_ack(play, 1, 6);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	ck_assert_int_eq(play_give(play, MESSAGE_PARTED, &parted), 0);
	ck_assert_uint_eq(play_expect(play, EVENT_ACK)->seq, 6);
	play_expect_no_event(play);

	/* And that is over. */
	link_session_end(play->s);
	play_log_in_quietly(play, 0);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

/* A server that does not let us in is not asked for ever. */
START_TEST(test_left_and_refused)
{
	struct msg_error error = {.code = CODE_TOO_MANY_ROOMS, .text = span_of("")};
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	link_session_end(play->s);
	play_say(play, "words");
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	play_log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	play_expect_said(play, 1);
	ck_assert_int_eq(play_give(play, MESSAGE_ERROR, &error), 0);
	EXPECT_NOTHING_SENT(play);
	play_expect(play, EVENT_ERROR);
	play_give_refused(play, 1, CODE_NOT_A_MEMBER);
	play_expect(play, EVENT_REFUSED);
	play_expect_no_event(play);
}
END_TEST

/* A room is not left while something for it has to be said once more. */
START_TEST(test_left_before_a_second_try)
{
	union message m;

	play_log_in_quietly(play, 0);
	play_join(play, "lobby", 4);
	play_say(play, "words");
	play_expect_said(play, 1);
	play_give_refused(play, 1, CODE_RETRY);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	EXPECT_NOTHING_SENT(play);
	play->now = link_session_deadline(play->s);
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	play_expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

Suite *link_session_history_suite(void)
{
	Suite *s = suite_create("link_session_history");
	TCase *t = tcase_create("link_session_history");

	tcase_add_checked_fixture(t, play_setup, play_teardown);
	tcase_add_test(t, test_history);
	tcase_add_test(t, test_history_of_direct_messages);
	tcase_add_loop_test(t, test_pages, 0, (int)(sizeof(pages) / sizeof(pages[0])));
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_search);
	tcase_add_test(t, test_search_answered_by_a_page);
	tcase_add_test(t, test_refused_and_broken);
	tcase_add_test(t, test_places);
	tcase_add_test(t, test_read);
	tcase_add_test(t, test_read_is_told_again);
	tcase_add_test(t, test_left_while_away);
	tcase_add_test(t, test_left_and_refused);
	tcase_add_test(t, test_left_before_a_second_try);
	suite_add_tcase(s, t);
	return s;
}
