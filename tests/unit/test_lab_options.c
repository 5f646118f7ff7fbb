/*
 * lanchat-lab's options: units, bounds, and what they change of a scenario.
 */
#include "common/err.h"
#include "tools/lab/lab_options.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text;
	double chance; /* below 0: refused */
} chances[] = {
	{"5%", 0.05},
	{"5", 0.05},
	{"0.5%", 0.005},
	{"0", 0},
	{"100%", 1},
	{"101%", -1},
	{"-5%", -1},
	{"", -1},
	{"%", -1},
	{"5%%", -1},
	{"five", -1},
	{"nan", -1},
	{"1e400", -1},
};

START_TEST(a_chance)
{
	double out = 7;
	int r = lab_chance(chances[_i].text, &out);

	ck_assert_int_eq(r, chances[_i].chance < 0 ? ERR_ARGUMENT : 0);
	ck_assert_double_eq_tol(out, r ? 7 : chances[_i].chance, 1e-12);
}
END_TEST

static const struct {
	const char *text;
	int64_t value; /* below 0: refused */
} times[] =
	{
		{"20ms", 20000000},
		{"20", 20000000},
		{"1.5s", 1500000000},
		{"500us", 500000},
		{"0", 0},
		{"2s", 2000000000},
		{"2001ms", -1},
		{"20 ms", -1},
		{"20m", -1},
		{"ms", -1},
		{"-1ms", -1},
},
  rates[] =
	  {
		  {"1mbit", 1000000},
		  {"500kbit", 500000},
		  {"2gbit", 2000000000},
		  {"9600bit", 9600},
		  {"9600", 9600},
		  {"off", 0},
		  {"0", -1},
		  {"1Mbit", -1},
		  {"1mb", -1},
		  {"", -1},
},
  sizes[] = {
	  {"64k", 65536},
	  {"64K", 65536},
	  {"1M", 1048576},
	  {"1500", 1500},
	  {"off", 0},
	  {"0", -1},
	  {"1g", -1},
	  {"k", -1},
};

START_TEST(a_time)
{
	uint64_t out = 7;
	int r = lab_time(times[_i].text, &out);

	ck_assert_int_eq(r, times[_i].value < 0 ? ERR_ARGUMENT : 0);
	ck_assert_uint_eq(out, r ? 7 : (uint64_t)times[_i].value);
}
END_TEST

START_TEST(a_rate)
{
	uint64_t out = 7;
	int r = lab_rate(rates[_i].text, &out);

	ck_assert_int_eq(r, rates[_i].value < 0 ? ERR_ARGUMENT : 0);
	ck_assert_uint_eq(out, r ? 7 : (uint64_t)rates[_i].value);
}
END_TEST

START_TEST(a_size)
{
	uint32_t out = 7;
	int r = lab_bytes(sizes[_i].text, &out);

	ck_assert_int_eq(r, sizes[_i].value < 0 ? ERR_ARGUMENT : 0);
	ck_assert_uint_eq(out, r ? 7 : (uint32_t)sizes[_i].value);
}
END_TEST

/* Parse a command line, and make of it what a scenario is played with. */
static int plan(const char *scenario, char **argv, int argc, struct stage_options *out, char *error)
{
	struct lab_settings t = {0};
	int rest;
	int r = options_init(lab_options(), &t);

	if (r == 0)
		r = options_parse(lab_options(), &t, argc, argv, &rest, error, 256);
	if (r == 0)
		r = lab_options_stage(&t, scenario_find(scenario), out, error, 256);
	options_fini(lab_options(), &t);
	return r;
}

START_TEST(options_change_what_they_name)
{
	char *argv[] = {"lanchat-lab", "--loss", "20%", "--delay=7ms", "--rate", "2mbit", "--queue",
		"8k", "--mtu", "600", "--seed", "9", "--count", "50", "--size", "100", NULL};
	struct stage_options o;
	char error[256] = "";
	const struct impairment *usual = &scenario_find("loss")->impaired;

	ck_assert_int_eq(plan("loss", argv, 16, &o, error), 0);
	ck_assert_double_eq_tol(o.impaired.loss, 0.2, 1e-9);
	ck_assert_double_eq_tol(o.impaired.reorder, usual->reorder, 1e-9);
	ck_assert_double_eq_tol(o.impaired.duplicate, usual->duplicate, 1e-9);
	ck_assert_uint_eq(o.impaired.delay_ns, 7000000);
	ck_assert_uint_eq(o.impaired.rate_bps, 2000000);
	ck_assert_uint_eq(o.impaired.queue_bytes, 8192);
	ck_assert_uint_eq(o.impaired.mtu, 600);
	ck_assert_uint_eq(o.seed, 9);
	ck_assert_uint_eq(o.count, 50);
	ck_assert_uint_eq(o.size, 100);
	ck_assert(!o.loopback);
}
END_TEST

START_TEST(without_options_it_is_the_scenario_s)
{
	char *argv[] = {"lanchat-lab", NULL};
	struct stage_options o;
	char error[256] = "";

	ck_assert_int_eq(plan("congestion", argv, 1, &o, error), 0);
	ck_assert_mem_eq(&o.impaired, &scenario_find("congestion")->impaired, sizeof(o.impaired));
	ck_assert_uint_eq(o.count, scenario_find("congestion")->count);
	ck_assert_uint_ne(o.seed, 0);
}
END_TEST

/* One that sends no numbered messages is not given any by --count. */
START_TEST(no_use_for_it)
{
	char *argv[] = {"lanchat-lab", "--count", "50", "--size", "100", NULL};
	struct stage_options o;
	char error[256] = "";

	ck_assert_int_eq(plan("boundaries", argv, 5, &o, error), 0);
	ck_assert_uint_eq(o.count, 0);
	ck_assert_uint_eq(o.size, 0);
}
END_TEST

/* A message that is counted has a packet for itself. */
START_TEST(messages_fit_into_packets)
{
	char *most[] = {"lanchat-lab", "--size", "1448", NULL};
	char *more[] = {"lanchat-lab", "--size", "1449", NULL};
	char *narrow[] = {"lanchat-lab", "--mtu", "576", NULL};
	struct stage_options o;
	char error[256] = "";

	ck_assert_int_eq(plan("blocking", most, 3, &o, error), 0);
	ck_assert_int_eq(plan("blocking", more, 3, &o, error), ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error, "1448"));
	ck_assert_int_eq(plan("fragments", more, 3, &o, error), 0);
	ck_assert_uint_eq(o.size, 1449);
	/* Where nobody named a size, it becomes one that fits. */
	ck_assert_int_eq(plan("congestion", narrow, 3, &o, error), 0);
	ck_assert_uint_eq(o.size, 576 - 52);
	ck_assert_int_eq(plan("fragments", narrow, 3, &o, error), 0);
	ck_assert_uint_eq(o.size, 4000);
}
END_TEST

static char *wrong[][2] = {{"--loss", "lots"}, {"--dup", "200%"}, {"--reorder", "-1"},
	{"--delay", "1h"}, {"--jitter", "x"}, {"--rate", "0"}, {"--queue", "64q"}, {"--mtu", "100"},
	{"--mtu", "9000"}, {"--count", "0"}, {"--size", "4"}, {"--size", "65508"}};

START_TEST(wrong_values_are_named)
{
	char *argv[] = {"lanchat-lab", wrong[_i][0], wrong[_i][1], NULL};
	struct stage_options o;
	char error[256] = "";

	ck_assert_int_eq(plan("loss", argv, 3, &o, error), ERR_ARGUMENT);
	ck_assert_msg(strstr(error, wrong[_i][0] + 2) != NULL, "%s", error);
}
END_TEST

#define COUNT(rows) (int)(sizeof(rows) / sizeof(rows[0]))

Suite *lab_options_suite(void)
{
	Suite *s = suite_create("lab_options");
	TCase *values = tcase_create("values"), *stage = tcase_create("stage");

	tcase_add_loop_test(values, a_chance, 0, COUNT(chances));
	tcase_add_loop_test(values, a_time, 0, COUNT(times));
	tcase_add_loop_test(values, a_rate, 0, COUNT(rates));
	tcase_add_loop_test(values, a_size, 0, COUNT(sizes));
	suite_add_tcase(s, values);
	tcase_add_test(stage, options_change_what_they_name);
	tcase_add_test(stage, without_options_it_is_the_scenario_s);
	tcase_add_test(stage, no_use_for_it);
	tcase_add_test(stage, messages_fit_into_packets);
	tcase_add_loop_test(stage, wrong_values_are_named, 0, COUNT(wrong));
	suite_add_tcase(s, stage);
	return s;
}
