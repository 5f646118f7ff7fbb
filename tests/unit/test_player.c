/*
 * The player: a scenario plays while others watch, and can be ended at any time.
 */
#include "tools/lab/player.h"

#include "common/err.h"
#include "tools/lab/lab_screen.h"

#include <check.h>
#include <poll.h>
#include <string.h>

#define PATIENCE_MS 20000

static struct stage_options with(const char *name)
{
	const struct scenario *x = scenario_find(name);
	struct stage_options o = {
		.scenario = x, .impaired = x->impaired, .loopback = true, .seed = 1};

	o.count = x->count;
	o.size = x->size;
	return o;
}

static void await_end(struct player *p)
{
	struct pollfd fd = {.fd = player_fd(p), .events = POLLIN};

	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
}

START_TEST(to_its_end)
{
	struct stage_options o = with("boundaries");
	struct player *p = NULL;
	char reason[SITE_REASON];
	struct verdicts v;
	int result = 1;

	ck_assert_int_eq(player_start(&o, 1, false, &p, reason), 0);
	await_end(p);
	ck_assert(player_is_over(p, &result));
	ck_assert_int_eq(result, 0);
	stage_verdict(player_stage(p), &v);
	ck_assert_uint_eq(v.held, 2);
	ck_assert_uint_eq(v.failed, 0);
	ck_assert_uint_gt(journal_count(stage_journal(player_stage(p))), 10);
	player_stop(p);
	player_stop(NULL);
}
END_TEST

/* Its time stands still from the beginning, and it is ended without being freed. */
START_TEST(stands)
{
	struct stage_options o = with("loss");
	struct player *p = NULL;
	char reason[SITE_REASON];
	int result;

	ck_assert_int_eq(player_start(&o, 1, true, &p, reason), 0);
	struct journal *j = stage_journal(player_stage(p));
	/* Opening it took its time; since then none has passed. */
	int64_t at = stage_ms(player_stage(p));
	ck_assert_uint_gt(journal_wait(j, 0, PATIENCE_MS), 0);
	ck_assert_int_eq(stage_ms(player_stage(p)), at);
	ck_assert(!player_is_over(p, &result));
	ck_assert_int_eq(player_end(p), ERR_STOPPING);
	ck_assert_int_eq(player_end(p), ERR_STOPPING);
	ck_assert_uint_gt(journal_count(j), 0);
	player_stop(p);
}
END_TEST

/* One that would take minutes ends at once, also while its time stands still. */
START_TEST(in_the_middle)
{
	struct stage_options o = with("loss");
	struct player *p = NULL;
	char reason[SITE_REASON];
	int result;

	ck_assert_int_eq(player_start(&o, 100, false, &p, reason), 0);
	(void)journal_wait(stage_journal(player_stage(p)), 10, PATIENCE_MS);
	ck_assert(!player_is_over(p, &result));
	if (_i)
		stage_hold(player_stage(p), true);
	stage_stop(player_stage(p));
	await_end(p);
	ck_assert(player_is_over(p, &result));
	ck_assert_int_eq(result, ERR_STOPPING);
	player_stop(p);
}
END_TEST

START_TEST(refused)
{
	struct stage_options o = with("blocking");
	struct player *p = NULL;
	char reason[SITE_REASON] = "";

	ck_assert_int_eq(player_start(&o, 1, false, &p, reason), ERR_REFUSED);
	ck_assert_ptr_null(p);
	ck_assert_ptr_nonnull(strstr(reason, "loopback"));
}
END_TEST

/* No round trip is longer than TCP waits at least for an ACK. */
START_TEST(pace)
{
	for (size_t i = 0; i < scenarios_count; i++) {
		struct stage_options o = {
			.scenario = &scenarios[i], .impaired = scenarios[i].impaired};
		unsigned times = lab_screen_pace(&o);
		ck_assert_uint_ge(times, 1);
		ck_assert_uint_le(2 * o.impaired.delay_ns * times, 200000000);
		o.impaired.delay_ns = 1000000000;
		ck_assert_uint_eq(lab_screen_pace(&o), 1);
	}
	struct stage_options o = with("congestion");
	ck_assert_uint_eq(lab_screen_pace(&o), 1);
	o = with("blocking");
	ck_assert_uint_eq(lab_screen_pace(&o), 5);
}
END_TEST

Suite *player_suite(void)
{
	Suite *suite = suite_create("player");
	TCase *tests = tcase_create("player");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, to_its_end);
	tcase_add_test(tests, stands);
	tcase_add_loop_test(tests, in_the_middle, 0, 2);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, pace);
	suite_add_tcase(suite, tests);
	return suite;
}
