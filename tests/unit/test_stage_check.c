/*
 * What the stage says of assertions that a bad network leaves open, of calls that fail, and of what TCP
 * still tries; on loopback.
 */
#include "common/err.h"
#include "tests/unit/stage_bench.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static void verdict_is(enum verdict v)
{
	ck_assert_ptr_nonnull(stage_bench_last(JOURNAL_CHECK));
	ck_assert_int_eq(stage_bench_last(JOURNAL_CHECK)->of.check.verdict, v);
}

/* On a network that lost nothing an expectation is an assertion. */
START_TEST(an_expectation_fails)
{
	struct verdicts v;

	ck_assert(stage_expect(stage, SIDE_UDP, true, "one", "%d", 1));
	verdict_is(VERDICT_HELD);
	ck_assert(!stage_expect(stage, SIDE_UDP, false, "two", "%d", 2));
	verdict_is(VERDICT_FAILED);
	ck_assert(!stage_expect(stage, SIDE_TCP, false, "three", "%d", 3));
	verdict_is(VERDICT_FAILED);
	stage_verdict(stage, &v);
	ck_assert_uint_eq(v.held, 1);
	ck_assert_uint_eq(v.failed, 2);
}
END_TEST

/* Where the network lost what was sent, nothing is shown by that; and it is known to be lost at once. */
START_TEST(loss_leaves_it_open)
{
	struct pair p;
	struct score x;

	stage_bench_teardown();
	stage_bench_open_impaired(&(struct impairment){.mtu = 1500, .loss = 1}, 1);
	ck_assert_int_eq(pair_udp(stage, PAIR_PORT, true, &p), 0);
	for (uint32_t i = 0; i < 3; i++) {
		stage_sent(stage, SIDE_UDP, i);
		ck_assert_int_eq(stage_send(stage, p.client, "x", 1, 0, NULL), 1);
	}
	ck_assert_int_eq(stage_settle(stage, SIDE_UDP, 3), 0);
	stage_score(stage, SIDE_UDP, &x);
	ck_assert_uint_eq(x.lost, 3);
	ck_assert_uint_eq(x.in_flight, 0);
	ck_assert(!stage_expect(stage, SIDE_UDP, false, "it comes", "%s", "nothing"));
	verdict_is(VERDICT_OPEN);
	ck_assert_str_eq(stage_bench_last(JOURNAL_CHECK)->of.check.measured,
		"nothing; of 3 packets of UDP the network had 3 lost");
	/* What is asserted come what may is asserted all the same, and TCP lost nothing. */
	ck_assert(!stage_check(stage, SIDE_UDP, false, "it comes", "%s", "nothing"));
	verdict_is(VERDICT_FAILED);
	ck_assert(!stage_expect(stage, SIDE_TCP, false, "it comes", "%s", "nothing"));
	verdict_is(VERDICT_FAILED);
}
END_TEST

/* A stream that is slow is watched to the bound of its stage; what has not come is not lost. */
START_TEST(what_is_under_way_is_not_lost)
{
	const struct stage_options o = {.scenario = &stage_bench_scenario,
		.impaired = {.mtu = 1500, .delay_ns = UINT64_C(3600000000000)},
		.count = 10,
		.seed = 1,
		.loopback = true,
		.bound_ms = 200};
	struct pair p;
	struct score x;

	stage_bench_teardown();
	stage_bench_open(&o);
	ck_assert_int_eq(pair_tcp(stage, PAIR_PORT, &p), 0);
	struct traffic t = {
		.side = SIDE_TCP, .from = p.client, .to = p.server, .count = 10, .size = 64};
	ck_assert_int_eq(traffic_run(stage, &t), ERR_TIMEOUT);
	ck_assert(stage_overdue(stage));
	stage_score(stage, SIDE_TCP, &x);
	ck_assert_uint_eq(x.sent, 10);
	ck_assert_uint_eq(x.lost, 0);
	ck_assert_uint_eq(x.in_flight, 10);
	traffic_check_stream(stage, ERR_TIMEOUT, 0, "all come");
	verdict_is(VERDICT_OPEN);
	ck_assert_ptr_nonnull(
		strstr(stage_bench_last(JOURNAL_CHECK)->of.check.measured, "10 are waiting"));
	traffic_check_stream(stage, ERR_SYSTEM, ETIMEDOUT, "all come");
	verdict_is(VERDICT_FAILED);
	ck_assert_ptr_nonnull(strstr(stage_bench_last(JOURNAL_CHECK)->of.check.measured,
		"TCP gave up, and said so: ETIMEDOUT"));
}
END_TEST

/* A wait that was in vain says so, in place of what was hoped for. */
START_TEST(a_vain_wait_is_told)
{
	struct pair p;
	char bytes[8];

	ck_assert_int_eq(pair_tcp(stage, PAIR_PORT, &p), 0);
	ck_assert_int_eq(stage_receive(stage, p.client, bytes, 8, NULL, 1000, "it came"), -1);
	ck_assert_int_eq(
		strncmp(stage_bench_last(JOURNAL_CALL)->of.call.why, "nothing came, after 1.", 22),
		0);
}
END_TEST

START_TEST(the_call_that_fails_is_known)
{
	char trouble[STAGE_TROUBLE];
	int fd = stage_socket(stage, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);

	stage_trouble(stage, trouble);
	ck_assert_str_eq(trouble, "");
	ck_assert_int_eq(stage_connect(stage, fd, SERVER_HOST, 7009, NULL), -1);
	ck_assert_int_eq(pair_failure(stage, SIDE_TCP), ERR_SYSTEM);
	stage_trouble(stage, trouble);
	ck_assert_int_eq(strncmp(trouble, "connect(", 8), 0);
	ck_assert_ptr_nonnull(strstr(trouble, ": ECONNREFUSED"));
}
END_TEST

/* Each stream's retransmissions are known in the end, though nobody asked. */
START_TEST(retransmissions_are_asked_for)
{
	struct pair p;
	struct score x;

	ck_assert_int_eq(pair_tcp(stage, PAIR_PORT, &p), 0);
	stage_score(stage, SIDE_TCP, &x);
	ck_assert(!x.retransmitted_known);
	uint64_t before = journal_count(stage_journal(stage));
	ck_assert_int_eq(stage_play(stage), 0);
	stage_score(stage, SIDE_TCP, &x);
	ck_assert(x.retransmitted_known);
	for (uint64_t i = before; i < journal_count(stage_journal(stage)); i++)
		ck_assert_int_ne(journal_at(stage_journal(stage), i)->kind, JOURNAL_CALL);
}
END_TEST

Suite *stage_check_suite(void)
{
	Suite *s = suite_create("stage_check");
	TCase *c = tcase_create("stage_check");

	tcase_set_timeout(c, 30);
	tcase_add_checked_fixture(c, stage_bench_setup, stage_bench_teardown);
	tcase_add_test(c, an_expectation_fails);
	tcase_add_test(c, loss_leaves_it_open);
	tcase_add_test(c, what_is_under_way_is_not_lost);
	tcase_add_test(c, a_vain_wait_is_told);
	tcase_add_test(c, the_call_that_fails_is_known);
	tcase_add_test(c, retransmissions_are_asked_for);
	suite_add_tcase(s, c);
	return s;
}
