/*
 * What --pipe listens to, and when all that was missed has come.
 */
#include "client/pipe_places.h"

#include <check.h>

static char lobby[] = "lobby";
static char market[] = "Market";
static char *items[] = {lobby, market};
static const struct option_list rooms = {.items = items, .count = 2};
static struct pipe_places places;

static void setup(void)
{
	places = (struct pipe_places){0};
	ck_assert_int_eq(pipe_places_init(&places, &rooms), 0);
}

static void teardown(void)
{
	pipe_places_fini(&places);
}

START_TEST(test_all)
{
	ck_assert(!pipe_places_all(&places));
	pipe_places_caught_up(&places, "lobby");
	pipe_places_caught_up(&places, "MARKET");
	pipe_places_caught_up(&places, "elsewhere");
	ck_assert(!pipe_places_all(&places));
	pipe_places_caught_up(&places, "");
	ck_assert(pipe_places_all(&places));
}
END_TEST

/* After a break there is more to wait for, but not in a room that is lost. */
START_TEST(test_break)
{
	pipe_places_caught_up(&places, "lobby");
	pipe_places_lost(&places, "market");
	pipe_places_lost(&places, "elsewhere");
	pipe_places_caught_up(&places, "");
	ck_assert(pipe_places_all(&places));
	pipe_places_broke(&places);
	ck_assert(!pipe_places_all(&places));
	pipe_places_caught_up(&places, "lobby");
	ck_assert(!pipe_places_all(&places));
	pipe_places_caught_up(&places, "");
	ck_assert(pipe_places_all(&places));
}
END_TEST

Suite *pipe_places_suite(void)
{
	Suite *s = suite_create("pipe_places");
	TCase *t = tcase_create("pipe_places");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_all);
	tcase_add_test(t, test_break);
	suite_add_tcase(s, t);
	return s;
}
