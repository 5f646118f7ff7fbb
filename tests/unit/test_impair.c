/*
 * A bad network is as bad as it was told to be, and the same every time.
 *
 * What is drawn by lot is held against theory with fixed seeds: the bounds are four standard deviations,
 * and a run that is within them today is within them always.
 */
#include "tools/lab/impair.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define MS       1000000ULL
#define SECOND   (1000 * MS)
#define PACKETS  100000
#define DEVIATES 4.0

static struct impairer made(struct impairment how, uint64_t seed)
{
	struct impairer p;

	impairer_init(&p, &how, seed);
	return p;
}

/* `count` of PACKETS drawn with that chance. */
static void check_share(unsigned count, double chance)
{
	double expected = PACKETS * chance;

	ck_assert_double_le(fabs(count - expected), DEVIATES * sqrt(expected * (1 - chance)));
}

START_TEST(a_good_wire_does_nothing)
{
	struct impairer p = made((struct impairment){0}, 1);

	for (uint64_t now = 0; now < 1000; now++) {
		struct fate f = impairer_decide(&p, now, 1500);
		ck_assert_int_eq(f.kind, FATE_CARRIED);
		ck_assert_uint_eq(f.copies, 1);
		ck_assert_uint_eq(f.due_ns[0], now);
		ck_assert_uint_eq(f.queued_ns, 0);
		ck_assert(!f.reordered);
	}
}
END_TEST

static const double chances[] = {0.001, 0.05, 0.5, 0.9};

START_TEST(as_many_are_lost)
{
	struct impairer p = made((struct impairment){.loss = chances[_i]}, 20 + (uint64_t)_i);
	unsigned lost = 0;

	for (int i = 0; i < PACKETS; i++) {
		struct fate f = impairer_decide(&p, 0, 100);
		lost += f.kind == FATE_LOST;
		ck_assert_uint_eq(f.copies, f.kind == FATE_CARRIED);
	}
	check_share(lost, chances[_i]);
}
END_TEST

START_TEST(all_or_none)
{
	struct impairer all = made((struct impairment){.loss = 1}, 3);
	struct impairer twice = made((struct impairment){.duplicate = 1, .reorder = 1}, 3);

	for (int i = 0; i < PACKETS; i++) {
		ck_assert_int_eq(impairer_decide(&all, 0, 100).kind, FATE_LOST);
		struct fate f = impairer_decide(&twice, 0, 100);
		ck_assert(f.reordered && f.copies == 2);
	}
}
END_TEST

/* Losses come by themselves: after one, the next is as likely as ever. */
START_TEST(losses_are_independent)
{
	struct impairer p = made((struct impairment){.loss = 0.2}, 5);
	bool before = false;
	unsigned pairs = 0;

	for (int i = 0; i < PACKETS; i++) {
		bool lost = impairer_decide(&p, 0, 100).kind == FATE_LOST;
		pairs += before && lost;
		before = lost;
	}
	check_share(pairs, 0.2 * 0.2);
}
END_TEST

START_TEST(as_many_are_twice_and_late)
{
	struct impairer p = made(
		(struct impairment){.duplicate = 0.03, .reorder = 0.1, .delay_ns = 20 * MS}, 6);
	unsigned twice = 0, late = 0;

	for (uint64_t i = 0; i < PACKETS; i++) {
		uint64_t now = i * MS;
		struct fate f = impairer_decide(&p, now, 100);
		ck_assert_uint_eq(f.due_ns[0], now + (f.reordered ? 40 : 20) * MS);
		if (f.copies == 2)
			ck_assert_uint_eq(f.due_ns[1], now + 20 * MS);
		twice += f.copies == 2;
		late += f.reordered;
	}
	check_share(twice, 0.03);
	check_share(late, 0.1);
}
END_TEST

/* Without a delay there must still be time in which others overtake. */
START_TEST(reordered_without_delay)
{
	struct impairer p = made((struct impairment){.reorder = 1}, 7);

	ck_assert_uint_eq(impairer_decide(&p, 3, 100).due_ns[0], 3 + IMPAIR_OVERTAKE_NS);
}
END_TEST

/* Mean, variance, ends, and by chi-square the shape: 20 classes, so 19 degrees of freedom, above 43.8
 * once in a thousand. */
START_TEST(jitter_is_even)
{
	enum {
		CLASSES = 20
	};
	struct impairer p = made((struct impairment){.delay_ns = 50 * MS, .jitter_ns = 10 * MS}, 8);
	unsigned classes[CLASSES] = {0};
	double sum = 0, squares = 0, chi = 0, expected = (double)PACKETS / CLASSES;

	for (uint64_t i = 0; i < PACKETS; i++) {
		uint64_t now = i * SECOND, delay = impairer_decide(&p, now, 100).due_ns[0] - now;
		ck_assert_uint_ge(delay, 40 * MS);
		ck_assert_uint_le(delay, 60 * MS);
		double at = (double)(delay - 40 * MS) / (20.0 * MS); /* 0 to 1 */
		sum += at;
		squares += at * at;
		classes[(unsigned)(at * CLASSES) % CLASSES]++;
	}
	double mean = sum / PACKETS, variance = squares / PACKETS - mean * mean;
	ck_assert_double_le(fabs(mean - 0.5), DEVIATES * sqrt(1 / 12.0 / PACKETS));
	ck_assert_double_le(fabs(variance - 1 / 12.0), DEVIATES * sqrt(1 / 180.0 / PACKETS));
	for (int i = 0; i < CLASSES; i++)
		chi += (classes[i] - expected) * (classes[i] - expected) / expected;
	ck_assert_double_le(chi, 43.8);
}
END_TEST

/* More jitter than delay: it cannot arrive before it was sent. */
START_TEST(jitter_never_goes_back)
{
	struct impairer p = made((struct impairment){.delay_ns = MS, .jitter_ns = 3 * MS}, 9);
	unsigned at_once = 0;

	for (uint64_t i = 0; i < PACKETS; i++) {
		uint64_t now = i * SECOND, due = impairer_decide(&p, now, 100).due_ns[0];
		ck_assert_uint_ge(due, now);
		ck_assert_uint_le(due, now + 4 * MS);
		at_once += due == now;
	}
	check_share(at_once, 1 / 3.0);
}
END_TEST

START_TEST(jitter_keeps_the_order)
{
	struct impairer p = made(
		(struct impairment){.delay_ns = 20 * MS, .jitter_ns = 20 * MS, .duplicate = 0.1},
		10);
	uint64_t last = 0;

	for (uint64_t i = 0; i < PACKETS; i++) {
		struct fate f = impairer_decide(&p, i * MS, 100);
		ck_assert_uint_ge(f.due_ns[0], last);
		last = f.due_ns[0];
		if (f.copies == 2)
			ck_assert_uint_ge(f.due_ns[1], last);
	}
}
END_TEST

/* A reordered one is overtaken by those behind it, which are not held up. */
START_TEST(reordered_ones_hold_up_nobody)
{
	struct impairer p = made((struct impairment){.delay_ns = 20 * MS, .reorder = 0.1}, 11);
	uint64_t latest = 0;
	unsigned overtaken = 0, late = 0;

	for (uint64_t i = 0; i < PACKETS; i++) {
		struct fate f = impairer_decide(&p, i * MS, 100);
		late += f.reordered;
		if (!f.reordered)
			ck_assert_uint_eq(f.due_ns[0], i * MS + 20 * MS);
		overtaken += f.due_ns[0] < latest;
		if (f.due_ns[0] > latest)
			latest = f.due_ns[0];
	}
	ck_assert_uint_gt(late, 0);
	ck_assert_uint_gt(overtaken, late);
}
END_TEST

/* A line of 8 Mbit/s carries a byte each microsecond: a thousand packets of 1000 bytes are through after
 * a second, to the nanosecond, and one leaves each millisecond. */
START_TEST(a_full_line_runs_at_its_rate)
{
	struct impairer p = made((struct impairment){.rate_bps = 8000000, .delay_ns = 5 * MS}, 12);

	for (uint64_t i = 0; i < 1000; i++) {
		struct fate f = impairer_decide(&p, 0, 1000);
		ck_assert_int_eq(f.kind, FATE_CARRIED);
		ck_assert_uint_eq(f.due_ns[0], (i + 1) * MS + 5 * MS);
		ck_assert_uint_eq(f.queued_ns, i * MS);
	}
	ck_assert_uint_eq(p.line_free_ns, SECOND);
	/* Once it is free, nobody waits. */
	struct fate f = impairer_decide(&p, 2 * SECOND, 1000);
	ck_assert_uint_eq(f.queued_ns, 0);
	ck_assert_uint_eq(f.due_ns[0], 2 * SECOND + 6 * MS);
}
END_TEST

START_TEST(the_queue_has_an_end)
{
	struct impairer p =
		made((struct impairment){.rate_bps = 8000000, .queue_bytes = 10000}, 13);

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(impairer_decide(&p, 0, 1000).kind, FATE_CARRIED);
	ck_assert_int_eq(impairer_decide(&p, 0, 1000).kind, FATE_OVERFLOW);
	ck_assert_int_eq(impairer_decide(&p, 0, 1).kind, FATE_OVERFLOW);
	/* After a millisecond there is room for one again, and for no byte more. */
	ck_assert_int_eq(impairer_decide(&p, MS, 1001).kind, FATE_OVERFLOW);
	ck_assert_int_eq(impairer_decide(&p, MS, 1000).kind, FATE_CARRIED);
	ck_assert_int_eq(impairer_decide(&p, MS, 1).kind, FATE_OVERFLOW);
}
END_TEST

/* Two thirds of what is offered are too much: what is carried is what the line can, and the queue. */
START_TEST(too_much_is_offered)
{
	struct impairer p =
		made((struct impairment){.rate_bps = 8000000, .queue_bytes = 10000}, 14);
	unsigned carried = 0;

	for (uint64_t i = 0; i < 3000; i++) {
		struct fate f = impairer_decide(&p, i * MS / 3, 1000);
		carried += f.kind == FATE_CARRIED;
		if (f.kind == FATE_CARRIED)
			ck_assert_uint_le(f.due_ns[0], i * MS / 3 + 10 * MS);
	}
	ck_assert_uint_ge(carried, 1000);
	ck_assert_uint_le(carried, 1010);
}
END_TEST

START_TEST(a_packet_longer_than_the_queue)
{
	struct impairer p = made((struct impairment){.rate_bps = 8000000, .queue_bytes = 100}, 15);

	ck_assert_int_eq(impairer_decide(&p, 0, 1500).kind, FATE_CARRIED);
	ck_assert_int_eq(impairer_decide(&p, 0, 50).kind, FATE_OVERFLOW);
}
END_TEST

/* The largest numbers that options allow must not wrap around. */
START_TEST(large_numbers)
{
	struct impairer p = made((struct impairment){.rate_bps = 1, .queue_bytes = UINT32_MAX}, 16);

	for (uint64_t i = 0; i < 100; i++) {
		struct fate f = impairer_decide(&p, 0, 65535);
		ck_assert_int_eq(f.kind, FATE_CARRIED);
		ck_assert_uint_eq(f.due_ns[0], (i + 1) * 65535 * 8 * SECOND);
	}
	p = made((struct impairment){.rate_bps = 8000000000, .queue_bytes = UINT32_MAX}, 16);
	for (uint64_t i = 0; i < 65537; i++)
		ck_assert_int_eq(impairer_decide(&p, 0, 65535).kind, FATE_CARRIED);
	ck_assert_int_eq(impairer_decide(&p, 0, 65535).kind, FATE_OVERFLOW);
}
END_TEST

START_TEST(the_mtu)
{
	struct impairer p = made((struct impairment){.mtu = 576}, 17);

	ck_assert_int_eq(impairer_decide(&p, 0, 576).kind, FATE_CARRIED);
	ck_assert_int_eq(impairer_decide(&p, 0, 577).kind, FATE_TOO_LONG);
}
END_TEST

/* What travels is not overtaken by what is sent after the wire became better. */
START_TEST(changes_come_to_those_behind)
{
	struct impairer p = made((struct impairment){.delay_ns = 100 * MS}, 18);

	ck_assert_uint_eq(impairer_decide(&p, 0, 100).due_ns[0], 100 * MS);
	impairer_set(&p, &(struct impairment){.delay_ns = 10 * MS});
	ck_assert_uint_eq(impairer_decide(&p, 10 * MS, 100).due_ns[0], 100 * MS);
	ck_assert_uint_eq(impairer_decide(&p, 95 * MS, 100).due_ns[0], 105 * MS);
}
END_TEST

/* Not the delay itself, nor a packet's own time on the line: what is more than these. */
START_TEST(who_is_late)
{
	struct impairer p = made(
		(struct impairment){.rate_bps = 8000000, .delay_ns = 5 * MS, .duplicate = 1}, 21);

	for (uint64_t i = 0; i < 3; i++) {
		struct fate f = impairer_decide(&p, 0, 1000);
		ck_assert_uint_eq(f.late_ns[0], i * MS);
		ck_assert_uint_eq(f.late_ns[1], i * MS);
	}
	p = made((struct impairment){.delay_ns = 20 * MS, .jitter_ns = 5 * MS, .reorder = 0.1}, 22);
	for (uint64_t i = 0; i < PACKETS; i++) {
		struct fate f = impairer_decide(&p, i * MS, 100);
		uint64_t usual = (i + 20) * MS;
		ck_assert_uint_eq(f.late_ns[0], f.due_ns[0] > usual ? f.due_ns[0] - usual : 0);
		ck_assert(!f.reordered || f.late_ns[0] > 0);
	}
	ck_assert_uint_eq(impairer_drop(&p, FATE_SCRIPTED).late_ns[0], 0);
}
END_TEST

static const struct impairment bad = {.loss = 0.1,
	.duplicate = 0.1,
	.reorder = 0.1,
	.delay_ns = 20 * MS,
	.jitter_ns = 5 * MS,
	.rate_bps = 1000000,
	.queue_bytes = 5000};

START_TEST(the_same_seed_is_the_same_fate)
{
	struct impairer a = made(bad, 19), b = made(bad, 19), other = made(bad, 20);
	unsigned differ = 0;

	for (uint64_t i = 0; i < 10000; i++) {
		struct fate x = impairer_decide(&a, i * MS, 100),
			    y = impairer_decide(&b, i * MS, 100);
		struct fate z = impairer_decide(&other, i * MS, 100);
		ck_assert_int_eq(x.kind, y.kind);
		ck_assert_uint_eq(x.copies, y.copies);
		ck_assert_uint_eq(x.due_ns[0], y.due_ns[0]);
		ck_assert_uint_eq(x.due_ns[1], y.due_ns[1]);
		differ += x.kind != z.kind;
	}
	ck_assert_uint_gt(differ, 1000);
}
END_TEST

/* With any one impairment taken away, whatever is not of its doing stays. */
START_TEST(one_change_leaves_the_others)
{
	struct impairment without = bad;

	without.rate_bps = 0;
	struct impairment all = without;
	if (_i == 0)
		without.loss = 0;
	else if (_i == 1)
		without.duplicate = 0;
	else if (_i == 2)
		without.reorder = 0;
	else
		without.jitter_ns = 0;
	struct impairer a = made(all, 21), b = made(without, 21);
	for (uint64_t i = 0; i < 10000; i++) {
		struct fate x = impairer_decide(&a, i * SECOND, 100);
		struct fate y = impairer_decide(&b, i * SECOND, 100);
		if (_i != 0)
			ck_assert_int_eq(x.kind, y.kind);
		if (x.kind != FATE_CARRIED)
			continue;
		if (_i != 1)
			ck_assert_uint_eq(x.copies, y.copies);
		if (_i != 2)
			ck_assert_int_eq(x.reordered, y.reordered);
		if (_i < 2)
			ck_assert_uint_eq(x.due_ns[0], y.due_ns[0]);
	}
}
END_TEST

/* Nor does a script: who is dropped by hand has drawn, and did not use the line. */
START_TEST(dropped_by_hand)
{
	struct impairer a = made(bad, 22), b = made(bad, 22);

	for (uint64_t i = 0; i < 10000; i++) {
		struct fate x = impairer_decide(&a, i * SECOND, 100);
		if (i % 7 == 0) {
			struct fate y = impairer_drop(&b, FATE_SCRIPTED);
			ck_assert_int_eq(y.kind, FATE_SCRIPTED);
			ck_assert_uint_eq(y.copies, 0);
			continue;
		}
		struct fate y = impairer_decide(&b, i * SECOND, 100);
		ck_assert_int_eq(x.kind, y.kind);
		ck_assert_uint_eq(x.due_ns[0], y.due_ns[0]);
	}
	uint64_t busy = b.line_free_ns;
	(void)impairer_drop(&b, FATE_UNPLUGGED);
	ck_assert_uint_eq(b.line_free_ns, busy);
}
END_TEST

START_TEST(words)
{
	for (int kind = FATE_CARRIED; kind <= FATE_TOO_LONG; kind++)
		for (int other = FATE_CARRIED; other <= FATE_TOO_LONG; other++)
			ck_assert_int_eq(strcmp(fate_words((enum fate_kind)kind),
						 fate_words((enum fate_kind)other)) == 0,
				kind == other);
	ck_assert_str_eq(fate_words(FATE_LOST), "lost by chance");
}
END_TEST

Suite *impair_suite(void)
{
	Suite *suite = suite_create("impair");
	TCase *tests = tcase_create("impair");

	tcase_add_test(tests, a_good_wire_does_nothing);
	tcase_add_loop_test(tests, as_many_are_lost, 0, sizeof(chances) / sizeof(chances[0]));
	tcase_add_test(tests, all_or_none);
	tcase_add_test(tests, losses_are_independent);
	tcase_add_test(tests, as_many_are_twice_and_late);
	tcase_add_test(tests, reordered_without_delay);
	tcase_add_test(tests, jitter_is_even);
	tcase_add_test(tests, jitter_never_goes_back);
	tcase_add_test(tests, jitter_keeps_the_order);
	tcase_add_test(tests, reordered_ones_hold_up_nobody);
	tcase_add_test(tests, a_full_line_runs_at_its_rate);
	tcase_add_test(tests, the_queue_has_an_end);
	tcase_add_test(tests, too_much_is_offered);
	tcase_add_test(tests, a_packet_longer_than_the_queue);
	tcase_add_test(tests, large_numbers);
	tcase_add_test(tests, the_mtu);
	tcase_add_test(tests, changes_come_to_those_behind);
	tcase_add_test(tests, who_is_late);
	tcase_add_test(tests, the_same_seed_is_the_same_fate);
	tcase_add_loop_test(tests, one_change_leaves_the_others, 0, 4);
	tcase_add_test(tests, dropped_by_hand);
	tcase_add_test(tests, words);
	suite_add_tcase(suite, tests);
	return suite;
}
