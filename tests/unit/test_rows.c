/*
 * Rows: what a pane shows, and how it scrolls.
 */
#include "client/rows.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY     UINT64_C(86400000000)
#define LINE(n) (SCROLLBACK_FIRST + (n)) /* the number of the n-th line */

static struct scrollback lines;

static void add(const char *nick, const char *text, uint64_t time)
{
	struct line l = {.nick = strdup(nick), .text = strdup(text), .time = time};

	ck_assert_int_eq(scrollback_add(&lines, &l), 0);
}

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	scrollback_init(&lines, 1000);
}

static void teardown(void)
{
	scrollback_fini(&lines);
}

static struct rows_view view(size_t columns)
{
	return (struct rows_view){
		.lines = &lines, .shape = rows_shape(columns), .marker = UINT64_MAX};
}

/* The rows as text: T for what is before the top, D for a day, M for the marker, else the piece;
 * separated by |. */
static void expect(
	const struct rows_view *v, const struct rows_place *place, size_t most, const char *rows)
{
	struct row shown[64];
	char all[512] = "";
	size_t count = rows_fill(v, place, shown, most);

	for (size_t i = 0; i < count; i++) {
		char piece[128];
		const struct row *r = &shown[i];
		if (r->kind == ROW_TEXT)
			(void)snprintf(piece, sizeof piece, "%.*s", (int)(r->end - r->from),
				r->line->text + r->from);
		else
			(void)snprintf(piece, sizeof piece, "%c",
				r->kind == ROW_TOP   ? 'T'
				: r->kind == ROW_DAY ? 'D'
						     : 'M');
		if (i > 0)
			strncat(all, "|", sizeof all - strlen(all) - 1);
		strncat(all, piece, sizeof all - strlen(all) - 1);
	}
	ck_assert_str_eq(all, rows);
}

START_TEST(filled_from_the_bottom)
{
	struct rows_view v = view(80);
	struct rows_place place = {0};

	expect(&v, &place, 5, "");
	add("anna", "one", DAY);
	add("anna", "two", DAY);
	expect(&v, &place, 5, "D|one|two");
	expect(&v, &place, 2, "one|two");
	expect(&v, &place, 1, "two");
	add("anna", "three", 2 * DAY);
	expect(&v, &place, 5, "D|one|two|D|three");
	v.marker = LINE(1);
	expect(&v, &place, 6, "D|one|M|two|D|three");
	v.marker = LINE(0); /* all is unread: no marker is needed */
	expect(&v, &place, 6, "D|one|two|D|three");
}
END_TEST

START_TEST(scrolled)
{
	struct rows_view v = view(80);
	struct rows_place place = {0};
	char text[16];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		add("anna", text, DAY);
	}
	rows_up(&v, &place, 3, 2);
	expect(&v, &place, 3, "15|16|17");
	ck_assert_uint_eq(rows_below(&v, &place), 2);
	add("anna", "new", DAY); /* what is shown stays */
	expect(&v, &place, 3, "15|16|17");
	ck_assert_uint_eq(rows_below(&v, &place), 3);
	rows_up(&v, &place, 3, 100); /* no further than the top */
	expect(&v, &place, 3, "D|0|1");
	rows_up(&v, &place, 3, 1);
	expect(&v, &place, 3, "D|0|1");
	rows_down(&v, &place, 1);
	expect(&v, &place, 3, "0|1|2");
	rows_down(&v, &place, 100);
	ck_assert(!place.back);
	expect(&v, &place, 3, "18|19|new");
	rows_show(&v, &place, 3, LINE(7));
	expect(&v, &place, 3, "7|8|9");
	rows_show(&v, &place, 3, LINE(999));
	ck_assert(!place.back);
	rows_up(&v, &place, 30, 5); /* all fits: nowhere to go */
	ck_assert(!place.back);
}
END_TEST

/* Lines of an earlier page come before the others, and what is shown stays. */
START_TEST(earlier_lines_come)
{
	struct rows_view v = view(80);
	struct rows_place place = {0};
	struct line page[3] = {0};
	char text[16];

	v.top = true;
	for (int i = 0; i < 6; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		add("anna", text, DAY);
	}
	expect(&v, &place, 20, "T|D|0|1|2|3|4|5");
	rows_up(&v, &place, 3, 100);
	expect(&v, &place, 3, "T|D|0");
	rows_down(&v, &place, 1);
	expect(&v, &place, 3, "D|0|1");
	ck_assert_uint_eq(rows_above(&v, &place, 3), 0);
	for (int i = 0; i < 3; i++)
		page[i] = (struct line){.nick = strdup("anna"), .text = strdup("x"), .time = DAY};
	ck_assert_int_eq(scrollback_insert(&lines, page, 3), 0);
	expect(&v, &place, 3, "x|0|1");
	ck_assert_uint_eq(rows_above(&v, &place, 3), 2);
	rows_up(&v, &place, 3, 1);
	expect(&v, &place, 3, "x|x|0");
	rows_reveal(&v, &place, 4, LINE(1)); /* with something before it */
	expect(&v, &place, 4, "0|1|2|3");
	rows_reveal(&v, &place, 6, LINE(5)); /* it is seen anyhow */
	ck_assert(!place.back);
}
END_TEST

START_TEST(oldest_lines_go)
{
	struct rows_view v = view(80);
	struct rows_place place = {0};
	char text[16];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		add("anna", text, DAY);
	}
	rows_up(&v, &place, 3, 2000);
	for (int i = 1000; i < 1500; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		add("anna", text, DAY);
	}
	expect(&v, &place, 3, "D");
	rows_down(&v, &place, 2);
	expect(&v, &place, 3, "D|500|501");
	place = (struct rows_place){0};
	rows_show(&v, &place, 3, LINE(7)); /* the nearest there is */
	expect(&v, &place, 3, "D|500|501");
}
END_TEST

/* A nick that fills the row leaves room for the first character, however wide. */
START_TEST(behind_a_long_nick)
{
	struct rows_view v = view(20);
	struct rows_place place = {0};

	add("a-nick-that-is-longer-than-the-pane", "\u4e0d\u8981\u6765", DAY);
	ck_assert_uint_eq(rows_indent(&v.shape, scrollback_line(&lines, LINE(0))), 18);
	expect(&v, &place, 3, "D|\u4e0d|\u8981\u6765");
	for (size_t columns = 2; columns < 40; columns++) {
		v = view(columns);
		ck_assert_uint_le(rows_indent(&v.shape, scrollback_line(&lines, LINE(0))),
			columns > 2 ? columns - 2 : 1);
	}
}
END_TEST

START_TEST(wrapped_lines)
{
	struct rows_view v = view(8); /* no time, nicks in the text: "a: " */
	struct rows_place place = {0};

	add("a", "aaaa bbbb cccc", DAY);
	ck_assert_uint_eq(v.shape.time_columns, 0);
	ck_assert_uint_eq(rows_indent(&v.shape, scrollback_line(&lines, LINE(0))), 3);
	expect(&v, &place, 5, "D|aaaa|bbbb|cccc");
	rows_up(&v, &place, 2, 1);
	expect(&v, &place, 2, "aaaa|bbbb");
	/* A wider window has fewer rows, and the place is still of that line. */
	v = view(80);
	expect(&v, &place, 2, "D|aaaa bbbb cccc");
}
END_TEST

/* At every width, scrolling through all rows shows each of them once. */
START_TEST(every_width)
{
	for (int i = 0; i < 12; i++)
		add(i % 2 ? "anna" : "\u65e5\u672c\u8a9e",
			"some words \u65e5\u672c\u8a9e and \U0001f600 more",
			DAY * (uint64_t)(1 + i / 3));
	for (size_t columns = 1; columns < 90; columns++) {
		struct rows_view v = view(columns);
		struct rows_place place = {0};
		struct row row, above;
		size_t steps = 0, height = (columns % 5) + 1;
		v.marker = LINE(5);
		v.top = columns % 2 == 0;
		rows_up(&v, &place, height, 100000);
		while (place.back) {
			ck_assert_uint_eq(rows_fill(&v, &place, &above, 1), 1);
			rows_down(&v, &place, 1);
			ck_assert_uint_eq(rows_fill(&v, &place, &row, 1), 1);
			ck_assert_uint_ge(row.number, above.number);
			ck_assert_uint_lt(++steps, 10000);
		}
		ck_assert_uint_eq(row.number, LINE(11));
		for (size_t i = 0; i < steps; i++)
			rows_up(&v, &place, height, 1);
		struct rows_place top = {0};
		rows_up(&v, &top, height, 100000);
		ck_assert_uint_eq(place.line, top.line);
		ck_assert_uint_eq(place.row, top.row);
	}
}
END_TEST

Suite *rows_suite(void)
{
	Suite *s = suite_create("rows");
	TCase *t = tcase_create("pane");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, filled_from_the_bottom);
	tcase_add_test(t, scrolled);
	tcase_add_test(t, earlier_lines_come);
	tcase_add_test(t, oldest_lines_go);
	tcase_add_test(t, behind_a_long_nick);
	tcase_add_test(t, wrapped_lines);
	tcase_add_test(t, every_width);
	suite_add_tcase(s, t);
	return s;
}
