/*
 * Plans: what options and scenarios come to, who does what, and what makes no sense.
 */
#include "tools/stress/plan.h"

#include "common/err.h"
#include "tools/stress/stress_options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct stress_settings settings;
static char error[512];

static void setup(void)
{
	memset(&settings, 0, sizeof(settings));
	ck_assert_int_eq(stress_settings_init(&settings), 0);
	*error = '\0';
}

static void teardown(void)
{
	options_fini(stress_options(), &settings);
}

static void give(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	ck_assert_ptr_nonnull(*field);
}

static const struct {
	const char *text;
	int64_t us; /* -1: wrong */
} durations[] = {
	{"10s", 10000000},
	{"10", 10000000},
	{"0.5s", 500000},
	{"250ms", 250000},
	{"1h30m", 5400000000},
	{"2m", 120000000},
	{"", -1},
	{"s", -1},
	{"1y", -1},
	{"-1s", -1},
	{"1s2", -1},
	{"nan", -1},
	{"inf", -1},
	{"400d", -1},
	{"1e99s", -1},
};

START_TEST(duration)
{
	int64_t us = -1;
	int r = stress_duration(durations[_i].text, &us);

	ck_assert_int_eq(r, durations[_i].us < 0 ? ERR_ARGUMENT : 0);
	ck_assert_int_eq(us, durations[_i].us);
}
END_TEST

static const struct {
	const char *text;
	double rate; /* 0: wrong */
} rates[] = {
	{"200/s", 200},
	{"200", 200},
	{"5k/s", 5000},
	{"1.5M", 1500000},
	{"0.5/s", 0.5},
	{"", 0},
	{"/s", 0},
	{"0", 0},
	{"-3", 0},
	{"5/m", 0},
	{"5 /s", 0},
	{"nan", 0},
	{"1e12", 0},
	{"0.000001/s", 1e-6},
	{"1e-14", 0},
	{"1e-300", 0},
};

START_TEST(rate)
{
	double found = 0;
	int r = stress_rate(rates[_i].text, &found);

	ck_assert_int_eq(r, rates[_i].rate > 0 ? 0 : ERR_ARGUMENT);
	ck_assert_double_eq(found, rates[_i].rate);
}
END_TEST

static const char *const names[] = {
	"one-room", "many-rooms", "storm", "slow-readers", "churn", "soak"};

/* A scenario makes a plan, and single options change it. */
START_TEST(by_name)
{
	struct plan p;

	give(&settings.scenario, names[_i]);
	ck_assert_msg(stress_plan(&settings, &p, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(plan_make(&p, error, sizeof(error)) == 0, "%s", error);
	plan_fini(&p);
	settings.clients = 77;
	settings.seed = settings.slow = settings.quit = 0; /* said, and nobody is so */
	give(&settings.churn, _i % 2 ? "0" : "0/s");
	give(&settings.ramp, "0");
	give(&settings.duration, "3s");
	ck_assert_msg(stress_plan(&settings, &p, error, sizeof(error)) == 0, "%s", error);
	ck_assert_uint_eq(p.clients, 77);
	ck_assert_int_eq(p.duration, 3000000);
	ck_assert_uint_eq(p.seed, 0);
	ck_assert(p.slow == 0 && p.quit == 0 && p.churn <= 0 && p.ramp == 0);
	ck_assert_msg(plan_make(&p, error, sizeof(error)) == 0, "%s", error);
	uint32_t clients = 0, senders = 0;
	for (uint32_t room = 0; room < p.rooms; room++) {
		ck_assert_uint_ge(plan_room_senders(&p, room), 1);
		clients += plan_room_clients(&p, room);
		senders += plan_room_senders(&p, room);
	}
	ck_assert_uint_eq(clients, 77);
	ck_assert_uint_eq(senders, p.senders);
	plan_fini(&p);
}
END_TEST

static void count(const struct plan *p, unsigned roles[5])
{
	memset(roles, 0, 5 * sizeof(*roles));
	for (uint32_t i = 0; i < p->clients; i++)
		roles[p->role[i]]++;
}

START_TEST(roles_are_drawn)
{
	struct plan p, again;
	unsigned roles[5];

	settings.clients = 200;
	settings.senders = 20;
	settings.slow = 10;
	settings.quit = 5;
	settings.seed = 42;
	give(&settings.churn, "3/s");
	ck_assert_int_eq(stress_plan(&settings, &p, error, sizeof(error)), 0);
	again = p;
	ck_assert_int_eq(plan_make(&p, error, sizeof(error)), 0);
	ck_assert_int_eq(plan_make(&again, error, sizeof(error)), 0);
	count(&p, roles);
	ck_assert_uint_eq(roles[ROLE_SENDER], 20);
	ck_assert_uint_eq(roles[ROLE_SLOW], 20);
	ck_assert_uint_eq(roles[ROLE_QUITS], 10);
	ck_assert_uint_eq(roles[ROLE_CHURNS], 40);
	ck_assert_uint_eq(roles[ROLE_STEADY], 110);
	/* The first ones speak; the same seed draws the same, another one does not. */
	for (uint32_t i = 0; i < 20; i++)
		ck_assert_int_eq(p.role[i], ROLE_SENDER);
	ck_assert_int_eq(memcmp(p.role, again.role, p.clients), 0);
	plan_fini(&again);
	again.seed = 43;
	ck_assert_int_eq(plan_make(&again, error, sizeof(error)), 0);
	ck_assert_int_ne(memcmp(p.role, again.role, p.clients), 0);
	plan_fini(&p);
	plan_fini(&again);
}
END_TEST

/* What all may have on their way is shared. */
START_TEST(in_flight_is_shared)
{
	struct plan p;

	settings.clients = 1000;
	settings.senders = 1000;
	ck_assert_int_eq(stress_plan(&settings, &p, error, sizeof(error)), 0);
	ck_assert_uint_eq(p.window, 1);
	settings.senders = 100;
	ck_assert_int_eq(stress_plan(&settings, &p, error, sizeof(error)), 0);
	ck_assert_uint_eq(p.window, 6);
	settings.window = 64; /* as it was asked for */
	ck_assert_int_eq(stress_plan(&settings, &p, error, sizeof(error)), 0);
	ck_assert_uint_eq(p.window, 64);
}
END_TEST

Suite *plan_suite(void)
{
	Suite *s = suite_create("plan");
	TCase *c = tcase_create("plan");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, duration, 0, sizeof(durations) / sizeof(durations[0]));
	tcase_add_loop_test(c, rate, 0, sizeof(rates) / sizeof(rates[0]));
	tcase_add_loop_test(c, by_name, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(c, roles_are_drawn);
	tcase_add_test(c, in_flight_is_shared);
	suite_add_tcase(s, c);
	return s;
}
