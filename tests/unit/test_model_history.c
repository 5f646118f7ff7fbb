/*
 * The model: pages of what was said before, the past that is looked at, where the user left off.
 */
#include "client/model.h"

#include "client/status.h"
#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG 400 /* messages in the log: numbers 1 to LOG, those of the room are the even ones */

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};
static struct model m;
static struct buffer *b;
static uint32_t request;

static void apply(struct event e)
{
	ck_assert_int_eq(model_apply(&m, &e), 0);
}

/* ---- a server ---- */

static struct event message(uint64_t seq, bool direct)
{
	static char texts[LOG * 2 + 1][16];
	struct event e = {.type = EVENT_MESSAGE,
		.seq = seq,
		.direct = direct,
		.room = (char *)(direct ? "" : "lobby"),
		.nick = (char *)"anna",
		.peer_nick = (char *)"anna"};

	(void)snprintf(texts[seq], sizeof texts[seq], "%llu", (unsigned long long)seq);
	e.text = texts[seq];
	memcpy(e.person, anna, PERSON_ID);
	memcpy(e.peer, anna, PERSON_ID);
	if (direct && seq % 50 != 0) {
		memcpy(e.person, boris, PERSON_ID);
		memcpy(e.peer, boris, PERSON_ID);
		e.nick = e.peer_nick = (char *)"boris";
	}
	return e;
}

/* Answer what the buffer asks for, if it does, as a server would whose oldest message is `oldest`;
 * `limit` messages a page. */
static bool answer(struct buffer *of, size_t limit, uint64_t oldest, uint64_t newest)
{
	struct asking a = of->asking;
	struct event page[LIST_MAX];
	struct event e = {.type = EVENT_HISTORY,
		.room = (char *)(of->kind == BUFFER_ROOM ? "lobby" : ""),
		.entries = page,
		.number = ++request};
	uint64_t first = oldest + oldest % 2;

	if (a.aim == PAGE_NONE)
		return false;
	ck_assert_uint_eq(a.request, 0);
	model_asked(of, request);
	if (a.from == HISTORY_BEFORE) {
		uint64_t end = a.value == 0 || a.value > newest ? newest + 1 : a.value;
		uint64_t at = first;
		while (at < end && (end - at + 1) / 2 > limit)
			at += 2;
		e.flag = at > first;
		for (; at < end; at += 2)
			page[e.count++] = message(at, of->kind == BUFFER_DIRECT);
		e.seq = oldest > 2 ? oldest - 1 : 0;
	} else {
		uint64_t at = a.value + 1 + (a.value + 1) % 2;
		if (at < first)
			at = first;
		for (; at <= newest && e.count < limit; at += 2)
			page[e.count++] = message(at, of->kind == BUFFER_DIRECT);
		e.flag = at <= newest;
	}
	apply(e);
	return true;
}

/* Enter the room: the last `replay` messages come. */
static void enter(uint64_t replay, uint64_t read)
{
	apply((struct event){.type = EVENT_JOINED,
		.room = (char *)"lobby",
		.text = (char *)"",
		.seq = LOG,
		.count = 1,
		.read = read});
	b = model_room(&m, "lobby");
	for (uint64_t seq = LOG - 2 * replay + 2; seq <= LOG; seq += 2)
		apply(message(seq, false));
	apply((struct event){.type = EVENT_CAUGHT_UP, .room = (char *)"lobby"});
}

static void setup(void)
{
	request = 0;
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	apply((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me",
		.text = (char *)"house",
		.flag = true,
		.number = 4096});
	apply((struct event){.type = EVENT_STATE, .state = LINK_ONLINE, .text = (char *)""});
	apply((struct event){.type = EVENT_CAUGHT_UP, .room = (char *)""});
	ck_assert_int_eq(model_set(&m.wanted, "lobby"), 0);
}

static void teardown(void)
{
	model_fini(&m);
}

/* The messages in some lines: each once, rising, without a hole. Returns how many. */
static size_t check_order(const struct scrollback *s, uint64_t step)
{
	uint64_t before = 0;
	size_t count = 0;

	for (uint64_t n = s->base; n < scrollback_end(s); n++) {
		const struct line *l = scrollback_line(s, n);
		if (l->seq == 0)
			continue;
		if (before > 0)
			ck_assert_uint_eq(l->seq, before + step);
		before = l->seq;
		count++;
	}
	return count;
}

static const struct line *line_of(uint64_t number)
{
	const struct line *l = scrollback_line(buffer_lines(b), number);

	ck_assert_ptr_nonnull(l);
	return l;
}

static void expect_top(const char *words)
{
	char out[128];

	ck_assert_str_eq(status_top(b, out, sizeof out), words);
}

/* ---- older pages ---- */

START_TEST(pages_up_to_the_beginning)
{
	enter(10, 0);
	ck_assert_uint_eq(check_order(&b->lines, 2), 10);
	ck_assert(!answer(b, 30, 1, LOG));
	expect_top("");
	for (size_t have = 10; have < 200;) {
		ck_assert(model_want_older(b, 0));
		expect_top("loading what was said before");
		ck_assert(!model_want_older(b, 0)); /* one at a time */
		ck_assert(answer(b, 30, 1, LOG));
		have = have + 30 < 200 ? have + 30 : 200;
		ck_assert_uint_eq(check_order(&b->lines, 2), have);
	}
	expect_top("the beginning of #lobby");
	ck_assert(!model_want_older(b, 0));
	ck_assert_uint_eq(line_of(b->lines.base)->seq, 2);
}
END_TEST

START_TEST(pages_up_to_what_was_pruned)
{
	enter(10, 0);
	while (model_want_older(b, 0))
		ck_assert(answer(b, 100, 101, LOG));
	ck_assert_uint_eq(line_of(b->lines.base)->seq, 102);
	expect_top("what was said before is no longer kept");
}
END_TEST

/* Messages come while a page is being loaded, the page overlaps what is there: each is shown once. */
START_TEST(nothing_twice)
{
	enter(10, 0);
	ck_assert(model_want_older(b, 0));
	apply(message(LOG + 2, false));
	struct asking a = b->asking;
	b->asking.value = 0; /* a server that sends more than was asked for */
	ck_assert(answer(b, 50, 1, LOG));
	ck_assert_uint_eq(a.value, LOG - 18);
	ck_assert_uint_eq(check_order(&b->lines, 2), 51);
	/* A page that nobody asked for. */
	struct event page[1] = {message(2, false)};
	apply((struct event){.type = EVENT_HISTORY,
		.room = (char *)"lobby",
		.entries = page,
		.count = 1,
		.number = 77});
	ck_assert_uint_eq(check_order(&b->lines, 2), 51);
	apply(message(LOG + 2, false));
	ck_assert_uint_eq(check_order(&b->lines, 2), 51);
}
END_TEST

/* A page that was asked for before is not put where the newest lines were. */
START_TEST(cleared_while_loading)
{
	enter(10, 0);
	ck_assert(model_want_older(b, 0));
	model_asked(b, ++request);
	buffer_clear(b);
	ck_assert_uint_eq(b->lines.count, 0);
	struct event page[1] = {message(300, false)};
	apply((struct event){.type = EVENT_HISTORY,
		.room = (char *)"lobby",
		.entries = page,
		.count = 1,
		.flag = true,
		.number = request});
	ck_assert_uint_eq(b->lines.count, 0);

	/* What comes then, and what is loaded then, have no hole between them. */
	apply(message(LOG + 2, false));
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 50, 1, LOG + 2));
	ck_assert_uint_eq(check_order(&b->lines, 2), 51);
}
END_TEST

START_TEST(the_view_stays)
{
	enter(10, 0);
	b->place = (struct rows_place){.back = true, .line = b->lines.base + 4};
	uint64_t seen = line_of(b->place.line)->seq;
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 100, 1, LOG));
	ck_assert_uint_eq(line_of(b->place.line)->seq, seen);
	/* So many more: pages until they are there, and they are looked at. */
	ck_assert(model_want_older(b, 70));
	while (answer(b, 20, 1, LOG))
		ck_assert_uint_eq(b->reveal, b->lines.base);
	ck_assert_uint_eq(check_order(&b->lines, 2), 190);
}
END_TEST

START_TEST(no_connection)
{
	enter(10, 0);
	ck_assert(model_want_older(b, 0));
	model_asked(b, 5);
	apply((struct event){
		.type = EVENT_ERROR, .number = 5, .text = (char *)"lo\x1bst", .room = NULL});
	ck_assert_int_eq(b->asking.aim, PAGE_NONE);
	ck_assert_ptr_nonnull(strstr(m.hint, "could not be loaded"));
	ck_assert_ptr_null(strchr(m.hint, '\x1b'));
	ck_assert(model_want_older(b, 0));
	model_ask_failed(b);
	ck_assert(model_want_older(b, 0));
	/* Not while the last page is coming. */
	model_ask_failed(b);
	b->greeted = false;
	ck_assert(!model_want_older(b, 0));
	ck_assert(!model_want_older(m.buffers[0], 0));
}
END_TEST

/* ---- the past ---- */

/* Look at a place far back, then go down until the newest lines are met. */
START_TEST(jump_and_return)
{
	enter(10, 0);
	model_want_place(b, HISTORY_AFTER, 99);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_ptr_nonnull(b->past);
	ck_assert_uint_eq(line_of(buffer_target(b))->seq, 100);
	ck_assert(answer(b, 30, 1, LOG)); /* some lines before it, too */
	ck_assert_uint_eq(b->reveal, buffer_target(b));
	ck_assert_uint_eq(check_order(buffer_lines(b), 2), 60);
	ck_assert_uint_eq(line_of(buffer_target(b))->seq, 100);
	/* What is new meanwhile goes to the newest lines. */
	apply(message(LOG + 2, false));
	ck_assert_uint_eq(b->missed, 1);
	while (b->past && !b->past->met) {
		model_leave_past(b); /* not yet */
		ck_assert_ptr_nonnull(b->past);
		model_want_newer(b);
		ck_assert(answer(b, 30, 1, LOG + 2));
		ck_assert_uint_ge(check_order(buffer_lines(b), 2), 60);
	}
	uint64_t end = scrollback_end(buffer_lines(b)) - 1, seq = line_of(end)->seq;
	model_leave_past(b);
	ck_assert_ptr_null(b->past);
	if (b->place.back) /* it goes on at the line that was at the bottom */
		ck_assert_uint_eq(line_of(b->place.line)->seq, seq);
	ck_assert_uint_eq(check_order(&b->lines, 2), 11);
}
END_TEST

START_TEST(jump_to_what_is_here)
{
	enter(10, 0);
	model_want_place(b, HISTORY_AFTER, LOG - 5);
	ck_assert(!answer(b, 30, 1, LOG));
	ck_assert_ptr_null(b->past);
	ck_assert_uint_eq(line_of(b->reveal)->seq, LOG - 4);
	ck_assert_uint_eq(buffer_target(b), b->reveal);
	buffer_to_end(b);
	ck_assert_uint_eq(buffer_target(b), MODEL_NO_LINE);
	/* By time, only the server knows where it is. */
	model_want_place(b, HISTORY_SINCE, LOG - 5);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_ptr_null(b->past);
	ck_assert_uint_eq(line_of(b->reveal)->seq, LOG - 4);
	model_want_place(b, HISTORY_SINCE, LOG + 5);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_str_eq(m.hint, "Nothing was said here since then.");
}
END_TEST

/* Back at the end, an answer that comes late is not shown. */
START_TEST(changed_my_mind)
{
	enter(10, 0);
	model_want_place(b, HISTORY_AFTER, 99);
	model_asked(b, 9);
	buffer_to_end(b);
	struct event page[1] = {message(100, false)};
	apply((struct event){.type = EVENT_HISTORY,
		.room = (char *)"lobby",
		.entries = page,
		.count = 1,
		.flag = true,
		.number = 9});
	ck_assert_ptr_null(b->past);
	ck_assert_uint_eq(check_order(&b->lines, 2), 10);
}
END_TEST

/* As many lines as can be kept: what is older is looked at apart, and the way back leads on. */
START_TEST(full_scrollback)
{
	enter(10, 0);
	b->lines.most = 100;
	ck_assert(model_want_older(b, 0));
	ck_assert_int_eq(b->asking.aim, PAGE_DETACH);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_ptr_nonnull(b->past);
	ck_assert(b->past->met);
	ck_assert_uint_eq(line_of(b->reveal)->seq, LOG - 18);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_uint_eq(check_order(buffer_lines(b), 2), 40);
	/* That one has its bound, too: the other end goes, and can come again. */
	b->past->lines.most = 64;
	for (int i = 0; i < 2; i++) {
		ck_assert(model_want_older(b, 0));
		ck_assert(answer(b, 30, 1, LOG));
	}
	ck_assert_uint_eq(check_order(buffer_lines(b), 2), 64);
	ck_assert_uint_eq(line_of(buffer_lines(b)->base)->seq, LOG - 18 - 180);
	ck_assert(!b->past->met);
	model_leave_past(b);
	ck_assert_ptr_nonnull(b->past);
	model_want_newer(b);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_uint_eq(check_order(buffer_lines(b), 2), 64);
	ck_assert(b->past->met);
	model_leave_past(b);
	ck_assert_ptr_null(b->past);
}
END_TEST

/* A page for which there is no room any more when it comes can be loaded again. */
START_TEST(no_room_for_the_page)
{
	enter(10, 0);
	b->lines.most = 200;
	uint64_t from = b->lines.from;
	ck_assert(model_want_older(b, 0));
	ck_assert_int_eq(b->asking.aim, PAGE_OLDER);
	b->lines.most = b->lines.count;
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_uint_eq(b->lines.from, from);
	b->lines.most = 200;
	b->asking = (struct asking){0};
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_uint_eq(check_order(&b->lines, 2), 40);
}
END_TEST

/* ---- direct conversations ---- */

/* One stream for all of them: pages are looked through until one has something of this person's, or
 * there are no more. */
START_TEST(conversation_pages)
{
	b = model_open_direct(&m, anna, "anna");
	ck_assert(model_want_older(b, 0));
	size_t pages = 0;
	while (answer(b, 10, 1, LOG))
		pages++;
	ck_assert_uint_eq(pages, 1); /* LOG itself is hers */
	ck_assert_uint_eq(check_order(&b->lines, 50), 1);
	ck_assert(model_want_older(b, 0));
	for (pages = 0; answer(b, 10, 1, LOG);)
		pages++;
	ck_assert_uint_eq(pages, 2);
	ck_assert_uint_eq(check_order(&b->lines, 50), 2);
	/* A live one that was in the page already. */
	apply(message(LOG, true));
	ck_assert_uint_eq(check_order(&b->lines, 50), 2);
	while (model_want_older(b, 0))
		while (answer(b, 10, 1, LOG))
			;
	ck_assert_uint_eq(check_order(&b->lines, 50), 8);
	expect_top("the beginning with anna");
	ck_assert_ptr_null(model_direct(&m, boris, "boris"));
}
END_TEST

START_TEST(conversation_pages_are_bounded)
{
	b = model_open_direct(&m, (const uint8_t[PERSON_ID]){9}, "nobody");
	ck_assert(model_want_older(b, 0));
	size_t pages = 0;
	while (answer(b, 5, 1, LOG))
		pages++;
	ck_assert_uint_eq(pages, 10);
	ck_assert(model_want_older(b, 0)); /* once more */
	ck_assert_uint_eq(b->asking.value, LOG - 98);
}
END_TEST

/* ---- where the user left off ---- */

START_TEST(left_off_in_the_page)
{
	enter(10, LOG - 6);
	ck_assert_uint_eq(line_of(b->marker)->seq, LOG - 4);
	ck_assert_uint_eq(b->unread, 0); /* it is shown */
	ck_assert_uint_eq(model_seen(&m, b), LOG);
	ck_assert_uint_eq(model_seen(&m, b), 0); /* told once */
	apply(message(LOG + 2, false));
	ck_assert_uint_eq(model_seen(&m, b), LOG + 2);
	ck_assert_uint_eq(line_of(b->marker)->seq, LOG - 4);
	model_show(&m, 0);
	ck_assert_uint_eq(b->marker, MODEL_NO_LINE);
}
END_TEST

START_TEST(left_off_elsewhere)
{
	free(m.wanted);
	m.wanted = NULL;
	enter(10, LOG - 6); /* in a room that is not shown */
	ck_assert_uint_eq(b->unread, 3);
	ck_assert_uint_eq(line_of(b->marker)->seq, LOG - 4);
	ck_assert(!m.bell);
	model_show(&m, model_index(&m, b));
	ck_assert_uint_eq(b->unread, 0);
}
END_TEST

START_TEST(left_off_before_the_page)
{
	enter(10, 100);
	expect_top("unread from further up: Alt-u goes there");
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 100, 1, LOG));
	expect_top("unread from further up: Alt-u goes there");
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 100, 1, LOG));
	ck_assert_uint_eq(line_of(b->marker)->seq, 102);
}
END_TEST

START_TEST(jump_to_where_i_left_off)
{
	enter(10, 100);
	model_want_place(b, HISTORY_AFTER, b->left_at);
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert(answer(b, 30, 1, LOG));
	ck_assert_uint_eq(line_of(buffer_marker(b))->seq, 102);
	ck_assert_uint_eq(model_seen(&m, b), 0); /* not while looking back */
	buffer_to_end(b);
	ck_assert_uint_eq(model_seen(&m, b), LOG);
}
END_TEST

START_TEST(nothing_new)
{
	enter(10, LOG);
	ck_assert_uint_eq(b->marker, MODEL_NO_LINE);
	expect_top("");
}
END_TEST

/* Direct messages came while nobody was here; what one person said is not seen by looking at another's. */
START_TEST(inbox)
{
	struct event_place places[2] = {{(char *)"lobby", true, 3}, {(char *)"", false, 40}};

	m.inbox_shown = false;
	apply((struct event){.type = EVENT_PLACES, .places = places, .count = 2, .flag = true});
	for (uint64_t seq = 30; seq <= 52; seq += 2)
		apply(message(seq, true));
	apply((struct event){.type = EVENT_CAUGHT_UP, .room = (char *)""});
	b = model_direct(&m, boris, "boris");
	ck_assert_uint_eq(b->unread, 5);
	ck_assert_uint_eq(line_of(b->marker)->seq, 42);
	model_show(&m, model_index(&m, b));
	ck_assert_uint_eq(model_seen(&m, b), 49); /* anna's 50 is not seen */
	struct buffer *other = model_direct(&m, anna, "anna");
	ck_assert_uint_eq(other->unread, 1);
	model_show(&m, model_index(&m, other));
	ck_assert_uint_eq(model_seen(&m, other), 52);
}
END_TEST

/* What has no number in the inbox is unread as long as nobody looks, and holds back nothing: why a
 * message to nobody was refused. */
START_TEST(inbox_beside_a_refusal)
{
	struct event_place place = {(char *)"", false, 40};

	apply((struct event){.type = EVENT_PLACES, .places = &place, .count = 1, .flag = true});
	struct buffer *none = model_open_direct(&m, NULL, "nobody");
	ck_assert_int_eq(model_say(&m, none, LINE_ERROR, "Not sent"), 0);
	ck_assert_uint_eq(none->unread, 1);
	apply(message(42, true));
	b = model_direct(&m, boris, "boris");
	ck_assert_ptr_nonnull(b);
	model_show(&m, model_index(&m, b));
	ck_assert_uint_eq(model_seen(&m, b), 42);
	/* Yet a message beside such words is unread itself. */
	struct event late = message(44, true);
	late.nick = late.peer_nick = (char *)"nobody";
	memset(late.person, 9, PERSON_ID);
	memset(late.peer, 9, PERSON_ID);
	apply(late);
	ck_assert_uint_eq(none->unread, 2);
	apply(message(46, true));
	ck_assert_uint_eq(model_seen(&m, b), 43);
}
END_TEST

/* ---- another log ---- */

START_TEST(another_log)
{
	enter(10, 0);
	model_want_place(b, HISTORY_AFTER, 99);
	ck_assert(answer(b, 30, 1, LOG));
	apply((struct event){.type = EVENT_LOG_CHANGED});
	ck_assert_ptr_null(b->past);
	size_t before = b->lines.count;
	const struct line *said = line_of(scrollback_end(&b->lines) - 1);
	ck_assert_ptr_nonnull(strstr(said->text, "another one"));
	enter(3, 0);
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 10, 1, LOG));
	/* Older pages of the new log stay below what is of the old one. */
	ck_assert_uint_eq(b->lines.base - b->lines.first, before);
	ck_assert_uint_eq(check_order(&b->lines, 2), 13);
	ck_assert_uint_eq(line_of(b->lines.first)->seq, 0);
}
END_TEST

/* Put out of the room and back again: nothing is missing in between, nothing there twice. */
START_TEST(entered_again)
{
	enter(10, 0);
	apply((struct event){.type = EVENT_PARTED, .room = (char *)"lobby", .text = (char *)""});
	enter(3, 0);
	ck_assert_uint_eq(check_order(&b->lines, 2), 3);
	ck_assert(model_want_older(b, 0));
	ck_assert(answer(b, 10, 1, LOG));
	ck_assert_uint_eq(check_order(&b->lines, 2), 13);
}
END_TEST

START_TEST(pruned_while_away)
{
	enter(3, 0);
	apply((struct event){
		.type = EVENT_GAP, .room = (char *)"lobby", .seq = LOG, .number = 500});
	const struct line *l = line_of(scrollback_end(&b->lines) - 1);
	ck_assert_ptr_nonnull(strstr(l->text, "no longer kept"));
}
END_TEST

Suite *model_history_suite(void)
{
	Suite *s = suite_create("model_history");
	TCase *t = tcase_create("pages");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, pages_up_to_the_beginning);
	tcase_add_test(t, pages_up_to_what_was_pruned);
	tcase_add_test(t, nothing_twice);
	tcase_add_test(t, cleared_while_loading);
	tcase_add_test(t, the_view_stays);
	tcase_add_test(t, no_connection);
	tcase_add_test(t, jump_and_return);
	tcase_add_test(t, jump_to_what_is_here);
	tcase_add_test(t, changed_my_mind);
	tcase_add_test(t, no_room_for_the_page);
	tcase_add_test(t, full_scrollback);
	tcase_add_test(t, conversation_pages);
	tcase_add_test(t, conversation_pages_are_bounded);
	tcase_add_test(t, left_off_in_the_page);
	tcase_add_test(t, left_off_elsewhere);
	tcase_add_test(t, left_off_before_the_page);
	tcase_add_test(t, jump_to_where_i_left_off);
	tcase_add_test(t, nothing_new);
	tcase_add_test(t, inbox);
	tcase_add_test(t, inbox_beside_a_refusal);
	tcase_add_test(t, another_log);
	tcase_add_test(t, entered_again);
	tcase_add_test(t, pruned_while_away);
	suite_add_tcase(s, t);
	return s;
}
