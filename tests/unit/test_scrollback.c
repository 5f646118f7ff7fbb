/*
 * Scrollback: the bound, the numbers, and own messages that wait at the end.
 */
#include "client/scrollback.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE(n) (SCROLLBACK_FIRST + (n)) /* the number of the n-th line */

static void add(struct scrollback *s, const char *text, enum line_state state, uint64_t counter)
{
	struct line l = {
		.state = state, .counter = counter, .nick = strdup(""), .text = strdup(text)};

	ck_assert_int_eq(scrollback_add(s, &l), 0);
}

static void add_seq(struct scrollback *s, const char *text, uint64_t seq)
{
	struct line l = {.seq = seq, .nick = strdup(""), .text = strdup(text)};

	ck_assert_int_eq(scrollback_add(s, &l), 0);
	if (seq < s->from)
		s->from = seq;
}

/* All texts, one after the other. */
static void expect(const struct scrollback *s, const char *texts)
{
	char all[256] = "";

	for (uint64_t n = s->first; n < scrollback_end(s); n++)
		strncat(all, scrollback_line(s, n)->text, sizeof all - strlen(all) - 1);
	ck_assert_str_eq(all, texts);
}

START_TEST(oldest_makes_room)
{
	struct scrollback s;
	char text[16];

	scrollback_init(&s, 100);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		add(&s, text, LINE_PLAIN, 0);
		ck_assert_uint_le(s.count, 100);
	}
	ck_assert_uint_eq(s.first, LINE(900));
	ck_assert_uint_eq(scrollback_end(&s), LINE(1000));
	ck_assert_str_eq(scrollback_line(&s, LINE(900))->text, "900");
	ck_assert_str_eq(scrollback_line(&s, LINE(999))->text, "999");
	ck_assert_ptr_null(scrollback_line(&s, LINE(899)));
	ck_assert_ptr_null(scrollback_line(&s, LINE(1000)));
	scrollback_fini(&s);
}
END_TEST

/* Long lines are as many as there is memory meant for. */
START_TEST(oldest_makes_room_for_bytes)
{
	static char text[4001];
	struct scrollback s;

	memset(text, 'x', sizeof text - 1);
	scrollback_init(&s, SCROLLBACK_MOST);
	for (unsigned i = 0; i < SCROLLBACK_MOST; i++) {
		bool half = s.bytes <= SCROLLBACK_BYTES / 2;
		ck_assert_uint_eq(scrollback_fits(&s, NULL, 100), half ? 100 : 0);
		add(&s, text, LINE_PLAIN, 0);
		ck_assert_uint_le(s.count * sizeof text, SCROLLBACK_BYTES);
	}
	ck_assert_uint_gt(s.count * sizeof text, SCROLLBACK_BYTES - SCROLLBACK_BYTES / 8);
	ck_assert_uint_eq(scrollback_end(&s), LINE(SCROLLBACK_MOST));
	/* What is dropped at either end is given back. */
	scrollback_drop_newest(&s, s.count - 1);
	add(&s, text, LINE_WAITING, 1);
	scrollback_remove_waiting(&s, scrollback_end(&s) - 1);
	scrollback_clear(&s);
	ck_assert_uint_eq(s.bytes, 0);
	scrollback_fini(&s);
}
END_TEST

/* Of an earlier page as much as does not have to go again when somebody says something. */
START_TEST(earlier_lines_that_fit)
{
	static char text[40001];
	struct line page[100];
	struct scrollback s;

	memset(text, 'x', sizeof text - 1);
	for (size_t i = 0; i < 100; i++)
		page[i] = (struct line){.seq = i + 1, .nick = strdup(""), .text = strdup(text)};
	scrollback_init(&s, SCROLLBACK_MOST);
	add_seq(&s, "new", 101);
	ck_assert_uint_eq(scrollback_excess(&s, page, 100), 0);
	size_t fit = scrollback_fits(&s, page, 100), cut = 100 - fit;
	ck_assert_uint_gt(fit, SCROLLBACK_BYTES / 2 / sizeof text - 1);
	ck_assert_uint_le(fit, SCROLLBACK_BYTES / 2 / sizeof text + 1);
	ck_assert_int_eq(scrollback_insert(&s, page + cut, fit), 0);
	ck_assert_uint_eq(scrollback_fits(&s, page, cut), 0);
	uint64_t first = s.first;
	add_seq(&s, "newer", 102);
	ck_assert_uint_eq(s.first, first);
	/* Where the newest may go: no more of them than it takes. */
	for (size_t i = 0; i < 2; i++) {
		add_seq(&s, text, 103);
		ck_assert_uint_eq(scrollback_excess(&s, page, cut),
			s.bytes + cut * sizeof text > SCROLLBACK_BYTES ? 1 : 0);
	}
	for (size_t i = 0; i < cut; i++)
		line_fini(&page[i]);
	scrollback_fini(&s);
}
END_TEST

START_TEST(waiting_stay_last)
{
	struct scrollback s;
	uint64_t number;

	scrollback_init(&s, 8);
	add(&s, "a", LINE_PLAIN, 0);
	add(&s, "X", LINE_WAITING, 1);
	add(&s, "Y", LINE_WAITING, 2);
	add(&s, "b", LINE_PLAIN, 0);
	expect(&s, "abXY");
	ck_assert(scrollback_find_waiting(&s, 1, &number));
	scrollback_remove_waiting(&s, number);
	add(&s, "x", LINE_ACCEPTED, 0);
	expect(&s, "abxY");
	ck_assert(!scrollback_find_waiting(&s, 1, &number));
	add(&s, "Z", LINE_WAITING, 3);
	ck_assert(scrollback_find_waiting(&s, 3, &number));
	scrollback_settle(&s, number, LINE_REFUSED);
	expect(&s, "abxZY");
	ck_assert_uint_eq(s.waiting, 1);
	scrollback_clear(&s);
	expect(&s, "Y");
	ck_assert_uint_eq(s.waiting, 1);
	scrollback_fini(&s);
}
END_TEST

START_TEST(full_of_waiting)
{
	struct scrollback s;
	uint64_t number;

	scrollback_init(&s, 3);
	for (uint64_t i = 0; i < 5; i++)
		add(&s, "w", LINE_WAITING, i);
	ck_assert_uint_eq(s.waiting, 3);
	ck_assert(!scrollback_find_waiting(&s, 1, &number));
	add(&s, "p", LINE_PLAIN, 0);
	expect(&s, "pww");
	add(&s, "q", LINE_PLAIN, 0);
	expect(&s, "qww");
	scrollback_fini(&s);
}
END_TEST

START_TEST(holds_one)
{
	struct scrollback s;

	scrollback_init(&s, 1);
	add(&s, "a", LINE_PLAIN, 0);
	add(&s, "b", LINE_PLAIN, 0);
	expect(&s, "b");
	add(&s, "w", LINE_WAITING, 7);
	expect(&s, "w");
	add(&s, "c", LINE_PLAIN, 0);
	expect(&s, "c");
	scrollback_fini(&s);
}
END_TEST

static void insert(struct scrollback *s, const char *texts, uint64_t seq)
{
	struct line page[16] = {0};
	size_t count = strlen(texts);

	for (size_t i = 0; i < count; i++)
		page[i] = (struct line){
			.seq = seq + i, .nick = strdup(""), .text = strndup(texts + i, 1)};
	ck_assert_int_eq(scrollback_insert(s, page, count), 0);
	s->from = seq;
}

START_TEST(earlier_pages)
{
	struct scrollback s;
	uint64_t number;

	scrollback_init(&s, 10);
	ck_assert_uint_eq(s.from, SCROLLBACK_NOTHING);
	insert(&s, "", 9);
	add_seq(&s, "g", 9);
	add(&s, "X", LINE_WAITING, 1);
	insert(&s, "ef", 7);
	insert(&s, "abcd", 3);
	expect(&s, "abcdefgX");
	ck_assert_uint_eq(s.waiting, 1);
	ck_assert_str_eq(scrollback_line(&s, LINE(0))->text, "g"); /* it keeps its number */
	ck_assert(scrollback_find_seq(&s, 5, &number));
	ck_assert_str_eq(scrollback_line(&s, number)->text, "c");
	ck_assert(scrollback_find_seq(&s, 1, &number));
	ck_assert_str_eq(scrollback_line(&s, number)->text, "a");
	ck_assert(!scrollback_find_seq(&s, 10, &number));
	s.begun = true;
	add_seq(&s, "h", 10);
	add_seq(&s, "i", 11);
	ck_assert(s.begun);
	add_seq(&s, "j", 12); /* full: the oldest goes, and is not the beginning any more */
	expect(&s, "bcdefghijX");
	ck_assert(!s.begun);
	ck_assert_uint_eq(s.from, 4);
	ck_assert_uint_eq(s.base, s.first);
	scrollback_fini(&s);
}
END_TEST

START_TEST(another_log)
{
	struct scrollback s;
	uint64_t number;

	scrollback_init(&s, 16);
	add_seq(&s, "a", 5);
	add_seq(&s, "b", 6);
	add(&s, "W", LINE_WAITING, 1);
	scrollback_new_log(&s);
	ck_assert(!scrollback_find_seq(&s, 1, &number));
	add_seq(&s, "z", 2);
	insert(&s, "xy", 1);
	expect(&s, "abxyzW");
	ck_assert(scrollback_find_seq(&s, 1, &number));
	ck_assert_str_eq(scrollback_line(&s, number)->text, "x");
	scrollback_remove_waiting(&s, scrollback_end(&s) - 1);
	scrollback_drop_newest(&s, 2);
	expect(&s, "abx");
	scrollback_fini(&s);
}
END_TEST

Suite *scrollback_suite(void)
{
	Suite *s = suite_create("scrollback");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, oldest_makes_room);
	tcase_add_test(t, oldest_makes_room_for_bytes);
	tcase_add_test(t, earlier_lines_that_fit);
	tcase_add_test(t, waiting_stay_last);
	tcase_add_test(t, full_of_waiting);
	tcase_add_test(t, holds_one);
	tcase_add_test(t, earlier_pages);
	tcase_add_test(t, another_log);
	suite_add_tcase(s, t);
	return s;
}
