/*
 * Layout: at every size, panes lie on the screen and never on each other.
 */
#include "client/layout.h"

#include <check.h>

static const struct layout_wishes all = {.rooms = true, .members = true};

/* Millions of places are looked at below. Each assertion of Check reports to its parent, also when
 * it holds, so they are reached by failures alone. */
static void check_inside(struct rect r, int lines, int columns)
{
	if (r.lines == 0 || r.columns == 0)
		return;
	if (r.y < 0 || r.x < 0 || r.y + r.lines > lines || r.x + r.columns > columns)
		ck_abort_msg("%dx%d: a pane of %dx%d at %d,%d", columns, lines, r.columns, r.lines,
			r.y, r.x);
}

START_TEST(every_size)
{
	for (int lines = 1; lines <= 60; lines++) {
		for (int columns = 1; columns <= 200; columns++) {
			struct layout l = layout_make(lines, columns, all);
			const struct rect panes[] = {
				l.topic, l.rooms, l.messages, l.members, l.status, l.input};
			for (int i = 0; i < 6; i++)
				check_inside(panes[i], lines, columns);
			for (int y = 0; y < lines; y++) {
				for (int x = 0; x < columns; x += 7) {
					int found = 0;
					for (int i = 0; i < 6; i++)
						found += rect_has(panes[i], y, x);
					found += l.messages.lines > 0 && y >= l.messages.y &&
						 y < l.messages.y + l.messages.lines &&
						 (x == l.rooms_rule || x == l.members_rule);
					if (found != 1)
						ck_abort_msg("%dx%d: %d panes at %d,%d", columns,
							lines, found, y, x);
				}
			}
		}
	}
}
END_TEST

START_TEST(members_go_first)
{
	bool had_rooms = true, had_members = true;

	for (int columns = 120; columns >= 1; columns--) {
		struct layout l = layout_make(24, columns, all);
		bool rooms = l.rooms.columns > 0, members = l.members.columns > 0;
		ck_assert_msg(rooms || !members, "members without rooms at %d", columns);
		ck_assert(had_rooms || !rooms);
		ck_assert(had_members || !members);
		had_rooms = rooms;
		had_members = members;
		ck_assert_int_ge(l.messages.columns, columns < 30 ? columns : 30);
	}
	ck_assert(!had_rooms);
}
END_TEST

START_TEST(usual_sizes)
{
	struct layout l = layout_make(24, 80, all);

	ck_assert_int_gt(l.rooms.columns, 0);
	ck_assert_int_gt(l.members.columns, 0);
	ck_assert_int_eq(l.messages.lines, 21);
	l = layout_make(10, 40, all);
	ck_assert_int_eq(l.rooms.columns, 0);
	ck_assert_int_eq(l.members.columns, 0);
	ck_assert_int_eq(l.messages.columns, 40);
	l = layout_make(5, 20, all);
	ck_assert_int_eq(l.topic.lines, 0);
	ck_assert_int_eq(l.messages.lines, 3);
	l = layout_make(1, 1, all);
	ck_assert_int_eq(l.input.lines, 1);
	ck_assert_int_eq(l.messages.lines, 0);
}
END_TEST

START_TEST(hidden_when_not_wanted)
{
	struct layout l = layout_make(24, 80, (struct layout_wishes){.members = true});

	ck_assert_int_eq(l.rooms.columns, 0);
	ck_assert_int_eq(l.messages.x, 0);
	ck_assert_int_gt(l.members.columns, 0);
	l = layout_make(24, 80, (struct layout_wishes){.rooms = true});
	ck_assert_int_eq(l.members.columns, 0);
	ck_assert_int_eq(l.messages.x + l.messages.columns, 80);
}
END_TEST

Suite *layout_suite(void)
{
	Suite *s = suite_create("layout");
	TCase *t = tcase_create("panes");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, every_size);
	tcase_add_test(t, members_go_first);
	tcase_add_test(t, usual_sizes);
	tcase_add_test(t, hidden_when_not_wanted);
	suite_add_tcase(s, t);
	return s;
}
