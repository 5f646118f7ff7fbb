/*
 * The wire in the hands of a user or a script: packets that are dropped, a plug that is pulled, a pause.
 */
#include "tools/lab/wire_private.h"

#include "common/err.h"
#include "tests/unit/lab_bench.h"

#include <check.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS 1000000ULL

static struct lab_bench b;

static bool make(struct impairment how)
{
	return lab_open(&b, SITE_POINT_TO_POINT, 2, &how, 7);
}

static bool is_retransmission(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.note.kind == FLOW_RETRANSMISSION;
}

/* ---- scripts and hands ---- */

START_TEST(a_script_drops_one_datagram)
{
	struct wire_rule third = {
		.side = SIDE_UDP, .from_host = 0, .kind = FLOW_DATAGRAM, .nth = 3};

	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	ck_assert_int_eq(wire_script(b.wire, &third), 0);
	lab_send_numbers(&b, from, 1, 5);
	for (int n = 1; n <= 5; n++)
		if (n != 3)
			ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), n);
	const struct journal_packet *p = &lab_await(&b, lab_is_lost, 1)->of.packet;
	ck_assert_int_eq(p->fate.kind, FATE_SCRIPTED);
	ck_assert_mem_eq(p->packet.payload, &(uint32_t){3}, 4);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* TCP brings it all the same: the kernel sends it again, and what is seen says so. */
START_TEST(a_script_drops_one_segment)
{
	struct wire_rule second = {.side = SIDE_TCP, .from_host = 0, .kind = FLOW_DATA, .nth = 2};
	int client, server, yes = 1;
	struct wire_counts counts;

	if (!make((struct impairment){0}))
		return;
	lab_tcp(&b, &client, &server);
	ck_assert_int_eq(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(wire_script(b.wire, &second), 0);
	for (uint32_t n = 1; n <= 5; n++)
		ck_assert_int_eq(send(client, &n, sizeof(n), 0), sizeof(n));
	for (int n = 1; n <= 5; n++)
		ck_assert_int_eq(lab_number(server, LAB_PATIENCE_MS), n);
	const struct journal_packet *lost = &lab_await(&b, lab_is_lost, 1)->of.packet;
	ck_assert_uint_eq(lost->note.data_packet, 2);
	const struct journal_packet *again = &lab_await(&b, is_retransmission, 1)->of.packet;
	ck_assert_uint_eq(again->note.relative_seq, lost->note.relative_seq);
	wire_counts(b.wire, SIDE_TCP, &counts);
	ck_assert_uint_eq(counts.lost, 1);
	ck_assert_uint_ge(counts.retransmitted, 1);
	ck_assert_uint_ge(counts.duplicate_acks, 1);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert_uint_eq(counts.sent, 0);
	(void)close(client);
	(void)close(server);
	lab_close(&b);
}
END_TEST

START_TEST(by_hand)
{
	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	wire_drop_next(b.wire, SIDE_UDP);
	lab_send_numbers(&b, from, 1, 2);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 2);
	wire_drop_next(b.wire, SIDE_TCP); /* no business of UDP's */
	lab_send_numbers(&b, from, 3, 3);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 3);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

START_TEST(unplugged)
{
	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	wire_unplug(b.wire, true);
	lab_send_numbers(&b, from, 1, 1);
	ck_assert_int_eq(lab_await(&b, lab_is_packet, 1)->of.packet.fate.kind, FATE_UNPLUGGED);
	wire_unplug(b.wire, false);
	lab_send_numbers(&b, from, 2, 2);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 2);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

START_TEST(paused_and_step_by_step)
{
	if (!make((struct impairment){.delay_ns = 3600000 * MS}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	wire_pause(b.wire, true);
	lab_send_numbers(&b, from, 1, 3);
	(void)lab_await(&b, lab_is_packet, 3);
	/* They would take an hour. A step does not wait for it, and lets one arrive. */
	wire_step(b.wire);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 1);
	/* It is done once: what enters then brings on nothing. */
	lab_send_numbers(&b, from, 4, 4);
	(void)lab_await(&b, lab_is_packet, 4);
	lab_send_numbers(&b, from, 5, 5);
	(void)lab_await(&b, lab_is_packet, 5);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 1);
	wire_step(b.wire);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 2);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 2);
	ck_assert_int_eq(lab_number(to, 0), -1);
	/* Not paused, a step is nothing. */
	wire_pause(b.wire, false);
	wire_step(b.wire);
	wire_pause(b.wire, true);
	wire_step(b.wire);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 3);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* What was due while it was paused arrives when it goes on. */
START_TEST(paused_and_on_again)
{
	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	wire_pause(b.wire, true);
	lab_send_numbers(&b, from, 1, 100);
	(void)lab_await(&b, lab_is_packet, 100);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 0);
	wire_pause(b.wire, false);
	for (int n = 1; n <= 100; n++)
		ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), n);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* ---- what picks packets ---- */

static bool picked(struct wire_picks *picks, size_t from, enum flow_kind kind, uint32_t offset)
{
	struct packet p = {.fragment_offset = (uint16_t)offset, .payload_length = 1};

	return wire_picks_take(picks, SIDE_UDP, from, &p, &(struct flow_note){.kind = kind});
}

START_TEST(rules)
{
	struct wire_picks picks = {0};
	struct wire_rule r = {.side = SIDE_UDP, .from_host = 1, .kind = FLOW_FRAGMENT, .offset = 8};

	ck_assert_int_eq(wire_picks_add(&picks, &r), 0);
	ck_assert(!picked(&picks, 0, FLOW_FRAGMENT, 8));
	ck_assert(!picked(&picks, 1, FLOW_FRAGMENT, 0));
	ck_assert(!picked(&picks, 1, FLOW_DATAGRAM, 8));
	ck_assert(picked(&picks, 1, FLOW_FRAGMENT, 8));
	ck_assert(picked(&picks, 1, FLOW_FRAGMENT, 8));

	r = (struct wire_rule){.side = SIDE_TCP, .kind = FLOW_DATAGRAM};
	ck_assert_int_eq(wire_picks_add(&picks, &r), 0);
	ck_assert(!picked(&picks, 0, FLOW_DATAGRAM, 0));
	r = (struct wire_rule){.side = SIDE_BOTH, .kind = FLOW_DATAGRAM, .nth = 2};
	for (int i = 2; i < WIRE_RULES; i++)
		ck_assert_int_eq(wire_picks_add(&picks, &r), 0);
	ck_assert_int_eq(wire_picks_add(&picks, &r), ERR_FULL);
	ck_assert(!picked(&picks, 0, FLOW_DATAGRAM, 0));
	ck_assert(picked(&picks, 0, FLOW_DATAGRAM, 0));
	ck_assert(!picked(&picks, 0, FLOW_DATAGRAM, 0));
	/* They have done what they were for, and make room. */
	ck_assert_int_eq(wire_picks_add(&picks, &r), 0);
}
END_TEST

START_TEST(hands)
{
	struct wire_picks picks = {0};

	wire_picks_by_hand(&picks, SIDE_BOTH);
	wire_picks_by_hand(&picks, SIDE_UDP);
	ck_assert(!picked(&picks, 0, FLOW_ICMP, 0));
	ck_assert(!picked(&picks, 0, FLOW_ACK, 0));
	ck_assert(picked(&picks, 0, FLOW_DATAGRAM, 0));
	ck_assert(picked(&picks, 1, FLOW_FRAGMENT, 0));
	ck_assert(!picked(&picks, 0, FLOW_DATAGRAM, 0));
	ck_assert_uint_eq(picks.by_hand[SIDE_TCP], 1);
}
END_TEST

Suite *wire_hand_suite(void)
{
	Suite *s = suite_create("wire_hand");
	TCase *tests = tcase_create("wire_hand");

	tcase_set_timeout(tests, 90);
	tcase_add_test(tests, a_script_drops_one_datagram);
	tcase_add_test(tests, a_script_drops_one_segment);
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, unplugged);
	tcase_add_test(tests, paused_and_step_by_step);
	tcase_add_test(tests, paused_and_on_again);
	tcase_add_test(tests, rules);
	tcase_add_test(tests, hands);
	suite_add_tcase(s, tests);
	return s;
}
