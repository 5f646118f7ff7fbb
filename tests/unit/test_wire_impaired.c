/*
 * The wire where it delays, loses, doubles and overflows: what it says that it did is what the sockets
 * see; and what is on its way.
 */
#include "tools/lab/wire_private.h"

#include "common/clock.h"
#include "tests/unit/lab_bench.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS 1000000ULL

static struct lab_bench b;

static bool make(struct impairment how)
{
	return lab_open(&b, SITE_POINT_TO_POINT, 2, &how, 7);
}

/* No packet arrives before it is due, nor without an entry before it. */
START_TEST(delayed)
{
	struct impairment how = {.delay_ns = 5 * MS};

	if (!make(how))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	lab_send_numbers(&b, from, 1, 20);
	for (int n = 1; n <= 20; n++)
		ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), n);
	wire_slow(b.wire, 3);
	lab_send_numbers(&b, from, 21, 21);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 21);
	wire_slow(b.wire, 1);
	how.delay_ns = 0;
	wire_set(b.wire, &how);
	lab_send_numbers(&b, from, 22, 22);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 22);
	for (unsigned i = 1; i <= 22; i++) {
		const struct journal_entry *a = lab_await(&b, lab_is_arrival, i);
		const struct journal_entry *e = journal_at(b.journal, a->of.arrival.of);
		uint64_t due = e->of.packet.fate.due_ns[0];
		ck_assert_uint_lt(e->number, a->number);
		ck_assert_uint_ge(a->time_ns, due);
		ck_assert_uint_eq(due - e->time_ns, (i <= 20 ? 5 : i == 21 ? 15 : 0) * MS);
	}
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* How many ought to arrive of what entered. */
static unsigned carried(void)
{
	uint64_t count = journal_count(b.journal);
	unsigned copies = 0;

	for (uint64_t i = 0; i < count; i++) {
		const struct journal_entry *e = journal_at(b.journal, i);
		if (e->kind == JOURNAL_PACKET)
			copies += e->of.packet.fate.copies;
	}
	return copies;
}

/* Which of so many arrive, and how often. A few at a time, for a socket's buffer holds no more. */
static void send_and_note(struct impairment how, uint8_t seen[1000], struct wire_counts *counts)
{
	unsigned got = 0;

	memset(seen, 0, 1000);
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	for (uint32_t at = 0; at < 1000; at += 50) {
		lab_send_numbers(&b, from, at, at + 49);
		(void)lab_await(&b, lab_is_packet, at + 50);
		for (unsigned all = carried(); got < all; got++) {
			int n = lab_number(to, LAB_PATIENCE_MS);
			ck_assert(n >= 0 && n < 1000);
			seen[n]++;
		}
	}
	/* What comes next shows that nothing else did. */
	how.loss = how.duplicate = 0;
	wire_set(b.wire, &how);
	lab_send_numbers(&b, from, 1000, 1000);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 1000);
	/* An arrival is counted after it can be read. */
	int64_t deadline = clock_ms() + LAB_PATIENCE_MS;
	do
		wire_counts(b.wire, SIDE_UDP, counts);
	while (counts->arrived < carried() && clock_ms() < deadline);
	(void)close(from);
	(void)close(to);
}

START_TEST(counts_are_what_sockets_saw)
{
	struct impairment how = {.loss = 0.2, .duplicate = 0.1};
	struct wire_counts counts, both;
	uint8_t seen[1000], again[1000];
	unsigned lost = 0, twice = 0;

	if (!make(how))
		return;
	send_and_note(how, seen, &counts);
	for (int i = 0; i < 1000; i++) {
		lost += seen[i] == 0;
		twice += seen[i] == 2;
	}
	ck_assert_uint_eq(counts.sent, 1001);
	ck_assert_uint_eq(counts.bytes, 1001 * (20 + 8 + 4));
	ck_assert_uint_eq(counts.lost, lost);
	ck_assert_uint_eq(counts.duplicated, twice);
	ck_assert_uint_eq(counts.arrived, 1001 - lost + twice);
	ck_assert_uint_eq(lab_count(&b, lab_is_lost), lost);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), counts.arrived);
	wire_counts(b.wire, SIDE_BOTH, &both);
	ck_assert_mem_eq(&both, &counts, sizeof(both));
	ck_assert_uint_gt(lost, 100);
	ck_assert_uint_gt(twice, 50);
	lab_close(&b);

	/* The same seed, the same fates. */
	ck_assert(make(how));
	send_and_note(how, again, &counts);
	ck_assert_mem_eq(seen, again, sizeof(seen));
	lab_close(&b);
}
END_TEST

START_TEST(a_narrow_line_overflows)
{
	struct wire_counts counts;
	uint8_t bytes[1000] = {0};

	/* A second and a quarter for each packet, and room for two. */
	if (!make((struct impairment){.rate_bps = 8224, .queue_bytes = 2 * 1028}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	wire_pause(b.wire, true);
	for (int i = 0; i < 5; i++)
		lab_send(&b, from, 1, LAB_PORT, bytes, sizeof(bytes));
	(void)lab_await(&b, lab_is_packet, 5);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert_uint_ge(counts.overflowed, 1);
	ck_assert_uint_eq(counts.lost, 0);
	ck_assert_int_eq(lab_await(&b, lab_is_lost, 1)->of.packet.fate.kind, FATE_OVERFLOW);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* A burst that is longer than devices' queues usually are. */
START_TEST(a_burst)
{
	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0);
	wire_pause(b.wire, true);
	lab_send_numbers(&b, from, 1, 5000);
	ck_assert_mem_eq(
		lab_await(&b, lab_is_packet, 5000)->of.packet.packet.payload, &(uint32_t){5000}, 4);
	(void)close(from);
	lab_close(&b);
}
END_TEST

/* What is on its way is kept in memory, which has an end. */
START_TEST(so_much_on_its_way)
{
	static uint8_t bytes[60000];
	struct wire_counts counts;
	unsigned fit = WIRE_BYTES / (20 + 8 + sizeof(bytes));

	if (!make((struct impairment){.delay_ns = 3600000 * MS, .mtu = 65535}))
		return;
	int from = lab_udp(&b, 0, 0);
	for (unsigned i = 0; i < fit + 50; i++)
		lab_send(&b, from, 1, LAB_PORT, bytes, sizeof(bytes));
	(void)lab_await(&b, lab_is_packet, fit + 50);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert_uint_eq(counts.overflowed, 50);
	ck_assert_uint_eq(counts.sent, fit + 50);
	(void)close(from);
	lab_close(&b);
}
END_TEST

/* ---- what is on its way ---- */

START_TEST(in_order_of_time_and_entry)
{
	struct transit t = {0};
	uint64_t due[500], last = 0, order = 0;
	uint32_t at = 1;

	ck_assert_uint_eq(transit_due(&t), UINT64_MAX);
	ck_assert_ptr_null(transit_take(&t));
	for (size_t i = 0; i < 500; i++) {
		at = at * 1103515245 + 12345;
		due[i] = at >> 16 & 31; /* many at the same time */
		ck_assert_int_eq(
			transit_add(&t, &(struct transit_packet){.due_ns = due[i], .length = 2},
				(uint8_t[2]){(uint8_t)i, (uint8_t)(i >> 8)}),
			0);
	}
	ck_assert_uint_eq(t.bytes, 1000);
	for (int i = 0; i < 400; i++) {
		uint64_t said = transit_due(&t);
		struct transit_packet *p = transit_take(&t);
		ck_assert_uint_eq(p->due_ns, said);
		ck_assert_uint_eq(p->due_ns, due[p->bytes[0] + 256 * p->bytes[1]]);
		ck_assert(p->due_ns > last || (p->due_ns == last && (i == 0 || p->order > order)));
		last = p->due_ns;
		order = p->order;
		free(p);
	}
	ck_assert_uint_eq(t.bytes, 200);
	transit_fini(&t);
	ck_assert_uint_eq(t.count, 0);
}
END_TEST

Suite *wire_impaired_suite(void)
{
	Suite *s = suite_create("wire_impaired");
	TCase *tests = tcase_create("wire_impaired");

	tcase_set_timeout(tests, 90);
	tcase_add_test(tests, delayed);
	tcase_add_test(tests, counts_are_what_sockets_saw);
	tcase_add_test(tests, a_narrow_line_overflows);
	tcase_add_test(tests, a_burst);
	tcase_add_test(tests, so_much_on_its_way);
	tcase_add_test(tests, in_order_of_time_and_entry);
	suite_add_tcase(s, tests);
	return s;
}
