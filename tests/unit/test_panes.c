/*
 * Panes: at every size they lie on the screen, cover it, and never lie on each other.
 */
#include "tools/lab/panes.h"

#include <check.h>
#include <stdbool.h>

#define PLACES (PANES + 7)

static const struct panes_wishes usual = {
	.chosen = PANE_STORY, .wire = true, .score_lines = 4, .knob_lines = 1};

static void list(const struct panes *p, struct rect out[PLACES])
{
	size_t n = 0;

	out[n++] = p->title;
	out[n++] = p->question;
	out[n++] = p->score[0];
	out[n++] = p->score[1];
	out[n++] = p->knobs;
	out[n++] = p->hint;
	out[n++] = p->rule;
	for (int i = 0; i < PANES; i++)
		out[n++] = p->pane[i];
}

static bool is_empty(struct rect r)
{
	return r.lines <= 0 || r.columns <= 0;
}

static int found_at(const struct rect places[PLACES], int y, int x)
{
	int found = 0;

	for (int i = 0; i < PLACES; i++)
		found += rect_has(places[i], y, x);
	return found;
}

/* Failures alone are told to Check: see test_layout.c. */
static void covers(int lines, int columns, struct panes_wishes w)
{
	struct panes p = panes_make(lines, columns, w);
	struct rect places[PLACES];

	list(&p, places);
	for (int i = 0; i < PLACES; i++) {
		struct rect r = places[i];
		if (r.lines < 0 || r.columns < 0 || r.y < 0 || r.x < 0 || r.y + r.lines > lines ||
			r.x + r.columns > columns)
			ck_abort_msg("%dx%d: %d is %dx%d at %d,%d", columns, lines, i, r.columns,
				r.lines, r.y, r.x);
	}
	for (int y = 0; y < lines; y++) {
		for (int x = 0; x < columns; x += 5) {
			if (found_at(places, y, x) != 1)
				ck_abort_msg("%dx%d: %d things at %d,%d", columns, lines,
					found_at(places, y, x), y, x);
		}
	}
	bool shown = !is_empty(p.pane[w.chosen]);
	if (!shown)
		ck_abort_msg("%dx%d: the chosen pane is not shown", columns, lines);
}

START_TEST(every_size)
{
	for (int lines = 1; lines <= 60; lines++) {
		for (int columns = 1; columns <= 200; columns += columns < 90 ? 1 : 11) {
			struct panes_wishes w = usual;
			w.chosen = (enum pane)((lines + columns) % PANES);
			w.over = columns % 2;
			w.alone = columns % 7 == 0;
			w.score_lines = columns % 6;
			w.knob_lines = 1 + columns % 3;
			covers(lines, columns, w);
			w.wire = false;
			if (w.chosen != PANE_TCP_WIRE && w.chosen != PANE_UDP_WIRE)
				covers(lines, columns, w);
		}
	}
}
END_TEST

START_TEST(all_is_shown)
{
	struct panes p = panes_make(24, 80, usual);
	struct rect places[PLACES];

	list(&p, places);
	for (int i = 0; i < PLACES; i++)
		ck_assert_msg(!is_empty(places[i]), "%d is not shown", i);
	ck_assert_int_eq(p.pane[PANE_TCP_CALLS].x, 0);
	ck_assert_int_gt(p.pane[PANE_UDP_CALLS].x, p.rule.x);
	ck_assert_int_gt(p.pane[PANE_TCP_WIRE].y, p.pane[PANE_TCP_CALLS].y);
	ck_assert_int_eq(p.pane[PANE_TCP_WIRE].y, p.pane[PANE_UDP_WIRE].y);
	ck_assert_int_eq(p.pane[PANE_TCP_WIRE].columns, panes_side_columns(80));
}
END_TEST

/* A narrow terminal shows the side that is chosen, a small one the pane. */
START_TEST(narrow_and_small)
{
	struct panes_wishes w = usual;

	w.chosen = PANE_UDP_WIRE;
	struct panes p = panes_make(24, 60, w);
	ck_assert(is_empty(p.pane[PANE_TCP_CALLS]) && is_empty(p.pane[PANE_TCP_WIRE]));
	ck_assert(!is_empty(p.pane[PANE_UDP_CALLS]) && !is_empty(p.pane[PANE_UDP_WIRE]));
	ck_assert(is_empty(p.score[0]) && !is_empty(p.score[1]));
	p = panes_make(10, 120, w);
	ck_assert(is_empty(p.pane[PANE_UDP_CALLS]) && is_empty(p.pane[PANE_STORY]));
	ck_assert_int_eq(p.pane[PANE_UDP_WIRE].columns, 120);
	p = panes_make(40, 30, w);
	ck_assert(is_empty(p.pane[PANE_UDP_CALLS]));
	ck_assert_int_eq(p.pane[PANE_UDP_WIRE].columns, 30);
	p = panes_make(1, 1, w);
	ck_assert_int_eq(p.pane[PANE_UDP_WIRE].lines, 1);
}
END_TEST

START_TEST(the_end_has_more_of_the_story)
{
	struct panes_wishes w = usual;

	int before = panes_make(40, 120, w).pane[PANE_STORY].lines;
	w.over = true;
	ck_assert_int_gt(panes_make(40, 120, w).pane[PANE_STORY].lines, before);
}
END_TEST

START_TEST(around)
{
	enum pane p = PANE_STORY;
	bool seen[PANES] = {false};

	for (int i = 0; i < PANES; i++) {
		enum pane next = panes_next(p, 1, true);
		ck_assert_int_eq(panes_next(next, -1, true), p);
		seen[p = next] = true;
	}
	for (int i = 0; i < PANES; i++)
		ck_assert(seen[i]);
	ck_assert_int_eq(p, PANE_STORY);
	ck_assert_int_eq(panes_next(PANE_STORY, 1, false), PANE_TCP_CALLS);
	ck_assert_int_eq(panes_next(PANE_TCP_CALLS, 1, false), PANE_UDP_CALLS);
	ck_assert_int_eq(panes_next(PANE_STORY, -1, false), PANE_UDP_CALLS);
}
END_TEST

Suite *panes_suite(void)
{
	Suite *suite = suite_create("panes");
	TCase *tests = tcase_create("panes");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, every_size);
	tcase_add_test(tests, all_is_shown);
	tcase_add_test(tests, narrow_and_small);
	tcase_add_test(tests, the_end_has_more_of_the_story);
	tcase_add_test(tests, around);
	suite_add_tcase(suite, tests);
	return suite;
}
