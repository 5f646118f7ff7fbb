/*
 * The chat screen: looking back. No terminal is needed for where the pane looks.
 */
#include "client/talk_private.h"

#include <check.h>

#define LINES 200
#define PANE  20

static struct talk t;
static struct buffer *b;

static void setup(void)
{
	static const uint8_t me[PERSON_ID] = {1};

	t = (struct talk){.layout = {.messages = {.lines = PANE, .columns = 60}}};
	ck_assert_int_eq(model_init(&t.model, me, "me"), 0);
	b = model_current(&t.model);
	for (int i = 0; i < LINES; i++)
		ck_assert_int_eq(model_say(&t.model, b, LINE_INFO, "%d", i), 0);
}

static void teardown(void)
{
	model_fini(&t.model);
}

/* The line at the bottom of the pane. */
static uint64_t at_bottom(void)
{
	struct row rows[PANE];
	struct rows_view v = view_rows(t.layout.messages, b);

	ck_assert_uint_eq(rows_fill(&v, buffer_place(b), rows, PANE), PANE);
	return rows[PANE - 1].number;
}

/* A page that was asked for has come, and the user presses a key before it is drawn: what is drawn then
 * is what the key moved to, from what the page was to show. */
START_TEST(test_scroll_before_the_picture)
{
	uint64_t oldest = b->lines.first, page = PANE - 1;

	b->reveal = oldest;
	talk_scroll(&t, (long)page);
	uint64_t moved = at_bottom();
	talk_reveal(&t);
	ck_assert_uint_eq(at_bottom(), moved);

	/* The same as with a picture in between. */
	b->reveal = oldest;
	talk_reveal(&t);
	uint64_t first = at_bottom();
	talk_scroll(&t, (long)page);
	ck_assert_uint_eq(at_bottom(), moved);
	ck_assert_uint_eq(moved, first + page);
}
END_TEST

/* A window that grows has no empty rows above while there are lines below. */
START_TEST(test_window_grows)
{
	talk_scroll(&t, -1000);
	t.layout.messages.lines = PANE / 2;
	talk_scroll(&t, -1000);
	t.layout.messages.lines = PANE;
	talk_reveal(&t);
	(void)at_bottom(); /* it is full */
	struct row rows[PANE];
	struct rows_view v = view_rows(t.layout.messages, b);
	ck_assert_uint_eq(rows_fill(&v, buffer_place(b), rows, PANE), PANE);
	ck_assert_uint_eq(rows[0].number, b->lines.first);
	/* As high as all of it: it is at its end, too. */
	t.layout.messages.lines = 2 * LINES;
	talk_reveal(&t);
	ck_assert(!buffer_place(b)->back);
}
END_TEST

Suite *talk_history_suite(void)
{
	Suite *s = suite_create("talk_history");
	TCase *tc = tcase_create("talk_history");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_scroll_before_the_picture);
	tcase_add_test(tc, test_window_grows);
	suite_add_tcase(s, tc);
	return s;
}
