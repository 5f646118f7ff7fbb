/*
 * The stage, on loopback, where everybody may play: its calls, its clock, its scores, and that it stops.
 */
#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/stage_bench.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <poll.h>
#include <string.h>

#define SOON_MS 5000

/* ---- scores ---- */

static const struct {
	uint32_t sent;
	int came[12]; /* ends with -1 */
	uint64_t received, lost, twice, late;
} scores[] = {
	{0, {-1}, 0, 0, 0, 0},
	{3, {0, 1, 2, -1}, 3, 0, 0, 0},
	{3, {-1}, 0, 3, 0, 0},
	{5, {0, 1, 3, 4, -1}, 4, 1, 0, 0},
	{5, {0, 2, 1, 3, 4, -1}, 5, 0, 0, 1},
	{5, {4, 3, 2, 1, 0, -1}, 5, 0, 0, 4},
	{3, {0, 0, 1, 2, 2, -1}, 3, 0, 2, 0},
	{4, {0, 3, 1, 1, -1}, 3, 1, 1, 1},
	{100, {99, -1}, 1, 99, 0, 0},
};

START_TEST(a_score)
{
	struct score x;
	uint64_t came = 0;

	for (uint32_t i = 0; i < scores[_i].sent; i++)
		stage_sent(stage, SIDE_UDP, i);
	for (int i = 0; scores[_i].came[i] >= 0; i++)
		came += stage_arrived(stage, SIDE_UDP, (uint32_t)scores[_i].came[i]);
	stage_score(stage, SIDE_UDP, &x);
	ck_assert_uint_eq(came, scores[_i].received);
	ck_assert_uint_eq(x.sent, scores[_i].sent);
	ck_assert_uint_eq(x.received, scores[_i].received);
	ck_assert_uint_eq(x.twice, scores[_i].twice);
	ck_assert_uint_eq(x.late, scores[_i].late);
	ck_assert_uint_eq(x.latency_us.count, scores[_i].received);
	ck_assert_uint_eq(x.lost, 0);
	ck_assert_uint_eq(x.in_flight, scores[_i].lost);
	stage_give_up(stage, SIDE_UDP);
	stage_score(stage, SIDE_UDP, &x);
	ck_assert_uint_eq(x.lost, scores[_i].lost);
	ck_assert_uint_eq(x.in_flight, 0);
	stage_score(stage, SIDE_TCP, &x);
	ck_assert_uint_eq(x.sent, 0);
}
END_TEST

/* A message that the kernel did not take is handed over again: it is one message. */
START_TEST(sent_again_is_sent_once)
{
	struct score x;

	stage_sent(stage, SIDE_TCP, 0);
	stage_sent(stage, SIDE_TCP, 0);
	ck_assert_int_eq(stage_latency_us(stage, SIDE_TCP, 0), -1);
	stage_arrived(stage, SIDE_TCP, 0);
	stage_score(stage, SIDE_TCP, &x);
	ck_assert_uint_eq(x.sent, 1);
	ck_assert_int_ge(stage_latency_us(stage, SIDE_TCP, 0), 0);
	ck_assert_int_eq(stage_latency_us(stage, SIDE_TCP, 1000000), -1);
}
END_TEST

/* ---- calls ---- */

START_TEST(calls_are_written_down)
{
	int fd = stage_socket(stage, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, "a reason");
	const struct journal_entry *x = stage_bench_last(JOURNAL_CALL);

	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(x->of.call.operation, "socket");
	ck_assert_str_eq(x->of.call.arguments, "AF_INET, SOCK_DGRAM, 0");
	ck_assert_str_eq(x->of.call.why, "a reason");
	ck_assert_int_eq(x->of.call.result, fd);
	ck_assert_int_eq(x->of.call.host, SERVER_HOST);
	ck_assert_int_eq(x->side, SIDE_UDP);
	ck_assert_int_eq(stage_bind(stage, fd, 7000, NULL), 0);
	ck_assert_uint_eq(stage_port(stage, fd), 7000);
	ck_assert_int_eq(stage_bind(stage, fd, 7000, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(stage_bench_last(JOURNAL_CALL)->of.call.error, EINVAL);
}
END_TEST

START_TEST(no_descriptor_is_refused_quietly)
{
	uint64_t before = journal_count(stage_journal(stage));

	ck_assert_int_eq(stage_bind(stage, -1, 1, NULL), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(stage_send(stage, -1, "x", 1, 0, NULL), -1);
	ck_assert_int_eq(stage_accept(stage, 12345, NULL), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(journal_count(stage_journal(stage)), before);
}
END_TEST

/* When its time is over, a call says what the kernel says. */
START_TEST(overdue_is_eagain)
{
	struct pair p;
	char bytes[8];

	ck_assert_int_eq(pair_tcp(stage, PAIR_PORT, &p), 0);
	ck_assert_int_eq(stage_receive(stage, p.client, bytes, sizeof(bytes), NULL, 10, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(stage_bench_last(JOURNAL_CALL)->of.call.error, EAGAIN);
}
END_TEST

/* A call that has not returned is seen all the same, the longest wait first. */
static void *wait_for_word(void *of)
{
	struct pair *p = of;
	char bytes[8];

	return stage_receive(stage, p->server, bytes, sizeof(bytes), NULL, SOON_MS, NULL) == 4
		       ? of
		       : NULL;
}

START_TEST(waiting_is_seen)
{
	struct pair p;
	struct stage_waiter w[STAGE_WAITERS], none[STAGE_WAITERS];
	pthread_t thread;
	void *good = NULL;
	int64_t end = clock_ms() + SOON_MS;

	ck_assert_int_eq(pair_udp(stage, PAIR_PORT, true, &p), 0);
	ck_assert_uint_eq(stage_waiters(stage, SIDE_UDP, w), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_word, &p), 0);
	size_t seen = 0, other = 0;
	while (seen == 0 && clock_ms() < end) {
		(void)stage_pause_ms(stage, 10);
		seen = stage_waiters(stage, SIDE_UDP, w);
		other += stage_waiters(stage, SIDE_TCP, none);
	}
	ssize_t said = stage_send(stage, p.client, "word", 4, 0, NULL);
	ck_assert_int_eq(pthread_join(thread, &good), 0);
	ck_assert_int_eq(said, 4);
	ck_assert_ptr_nonnull(good);
	ck_assert_uint_eq(seen, 1);
	ck_assert_uint_eq(other, 0);
	ck_assert_str_eq(w[0].operation, "recvmsg");
	ck_assert_int_eq(w[0].fd, p.server);
	ck_assert_int_eq(w[0].host, SERVER_HOST);
	ck_assert_uint_ge(w[0].for_ms, 100);
	ck_assert_uint_eq(stage_waiters(stage, SIDE_UDP, w), 0);
}
END_TEST

/* Waiting for a little while, again and again, is one wait. */
START_TEST(waits_add_up)
{
	struct pair p;
	struct stage_waiter w[STAGE_WAITERS] = {0};
	char bytes[8];
	int64_t end = clock_ms() + SOON_MS;

	ck_assert_int_eq(pair_udp(stage, PAIR_PORT, true, &p), 0);
	do
		ck_assert_int_eq(stage_receive(stage, p.client, bytes, 8, NULL, 5, NULL), -1);
	while ((stage_waiters(stage, SIDE_UDP, w) == 0 || w[0].for_ms < 200) && clock_ms() < end);
	ck_assert_uint_ge(w[0].for_ms, 200);
	ck_assert_int_eq(w[0].fd, p.client);
}
END_TEST

/* Two stages at once, with the same ports: as two runs beside each other. */
START_TEST(two_do_not_meet)
{
	struct pair p, q;
	struct stage *first = stage;
	char bytes[8];

	ck_assert_int_eq(pair_udp(first, PAIR_PORT, true, &p), 0);
	stage_bench_open_impaired(&(struct impairment){.mtu = 1500}, 2);
	ck_assert_int_eq(pair_udp(stage, PAIR_PORT, true, &q), 0);
	ck_assert_int_eq(stage_send(stage, q.client, "mine", 4, 0, NULL), 4);
	ck_assert_int_eq(
		stage_receive(stage, q.server, bytes, sizeof(bytes), NULL, SOON_MS, NULL), 4);
	ck_assert_int_eq(stage_receive(first, p.server, bytes, sizeof(bytes), NULL, 0, NULL), -1);
	stage_close(first);
}
END_TEST

/* ---- stopping ---- */

static void *stop_it(void *of)
{
	/* Once it waits: what it does before is written down. */
	uint64_t *count = of;

	(void)journal_wait(stage_journal(stage), *count, SOON_MS);
	stage_stop(stage);
	return NULL;
}

START_TEST(stopping_wakes_whoever_waits)
{
	pthread_t thread;
	uint64_t count = journal_count(stage_journal(stage));
	int64_t began = clock_ms();

	ck_assert_int_eq(pthread_create(&thread, NULL, stop_it, &count), 0);
	int fd = stage_socket(stage, SIDE_TCP, SERVER_HOST, SOCK_STREAM, NULL);
	int bound = fd < 0 ? -1 : stage_bind(stage, fd, PAIR_PORT, NULL);
	int listens = bound ? -1 : stage_listen(stage, fd, 1, NULL);
	int taken = listens ? -1 : stage_accept(stage, fd, NULL);
	int error = errno;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(taken, -1);
	ck_assert_int_eq(error, ECANCELED);
	ck_assert_int_lt(clock_ms() - began, STAGE_PATIENCE_MS);
	ck_assert_int_eq(stage_play(stage), ERR_STOPPING);
	/* Nothing is told any more. */
	uint64_t before = journal_count(stage_journal(stage));
	stage_say(stage, SIDE_BOTH, "unheard");
	ck_assert(!stage_check(stage, SIDE_BOTH, true, "unheard", "%d", 1));
	ck_assert_uint_eq(journal_count(stage_journal(stage)), before);
}
END_TEST

START_TEST(checks_are_counted)
{
	struct verdicts v;

	ck_assert(stage_check(stage, SIDE_TCP, true, "one", "%d", 1));
	ck_assert(!stage_check(stage, SIDE_UDP, false, "two", "%s", "it was not"));
	stage_verdict(stage, &v);
	ck_assert_uint_eq(v.held, 1);
	ck_assert_uint_eq(v.failed, 1);
}
END_TEST

/* ---- its clock ---- */

START_TEST(held_time_stands_still)
{
	stage_hold(stage, true);
	int64_t at = stage_ms(stage);
	int64_t until = clock_ms() + 20;
	while (clock_ms() < until)
		;
	ck_assert_int_eq(stage_ms(stage), at);
	stage_hold(stage, false);
	ck_assert_int_eq(stage_pause_ms(stage, 5), 0);
	ck_assert_int_ge(stage_ms(stage), at + 5);
}
END_TEST

START_TEST(slow_takes_longer)
{
	int64_t began = clock_ms();

	stage_slow(stage, 10);
	ck_assert_int_eq(stage_pause_ms(stage, 5), 0);
	ck_assert_int_ge(clock_ms() - began, 49);
}
END_TEST

/* ---- messages ---- */

START_TEST(messages_have_numbers)
{
	char bytes[64];

	traffic_make(bytes, sizeof(bytes), 1234567);
	ck_assert_int_eq(traffic_number(bytes, sizeof(bytes)), 1234567);
	ck_assert_int_eq(memcmp(bytes, "1234568 abc", 11), 0);
	traffic_make(bytes, TRAFFIC_LEAST, 0);
	ck_assert_int_eq(memcmp(bytes, "0000001 ", TRAFFIC_LEAST), 0);
	ck_assert_int_eq(traffic_number(bytes, TRAFFIC_LEAST), 0);
	ck_assert_int_eq(traffic_number(bytes, 6), -1);
	bytes[3] = 'x';
	ck_assert_int_eq(traffic_number(bytes, TRAFFIC_LEAST), -1);
}
END_TEST

/* A stream cuts where it likes; the messages come out whole. */
START_TEST(a_stream_of_messages)
{
	struct pair p;
	struct score x;

	ck_assert_int_eq(pair_tcp_small(stage, PAIR_PORT, 4096, &p), 0);
	struct traffic t = {
		.side = SIDE_TCP, .from = p.client, .to = p.server, .count = 500, .size = 777};
	ck_assert_int_eq(traffic_run(stage, &t), 0);
	stage_score(stage, SIDE_TCP, &x);
	ck_assert_uint_eq(x.sent, 500);
	ck_assert_uint_eq(x.received, 500);
	ck_assert_uint_eq(x.late + x.twice + x.lost, 0);
}
END_TEST

#define COUNT(rows) (int)(sizeof(rows) / sizeof(rows[0]))

Suite *stage_suite(void)
{
	Suite *s = suite_create("stage");
	TCase *c = tcase_create("stage");

	tcase_set_timeout(c, 30);
	tcase_add_checked_fixture(c, stage_bench_setup, stage_bench_teardown);
	tcase_add_loop_test(c, a_score, 0, COUNT(scores));
	tcase_add_test(c, sent_again_is_sent_once);
	tcase_add_test(c, calls_are_written_down);
	tcase_add_test(c, no_descriptor_is_refused_quietly);
	tcase_add_test(c, overdue_is_eagain);
	tcase_add_test(c, waiting_is_seen);
	tcase_add_test(c, waits_add_up);
	tcase_add_test(c, two_do_not_meet);
	tcase_add_test(c, stopping_wakes_whoever_waits);
	tcase_add_test(c, checks_are_counted);
	tcase_add_test(c, held_time_stands_still);
	tcase_add_test(c, slow_takes_longer);
	tcase_add_test(c, messages_have_numbers);
	tcase_add_test(c, a_stream_of_messages);
	suite_add_tcase(s, c);
	return s;
}
