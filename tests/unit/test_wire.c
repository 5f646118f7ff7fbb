/*
 * Real sockets of real namespaces over the wire: what it says that it did is what the sockets see.
 */
#include "tools/lab/wire_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/lab_bench.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS   1000000ULL
#define PORT 7000

static struct lab_bench b;

static bool make(struct impairment how)
{
	return lab_open(&b, SITE_POINT_TO_POINT, 2, &how, 7);
}

/* Receive one number; -1: none comes. */
static int number(int fd, int timeout_ms)
{
	uint32_t n;

	if (!lab_readable(fd, timeout_ms))
		return -1;
	ck_assert_int_eq(recv(fd, &n, sizeof(n), 0), sizeof(n));
	return (int)n;
}

static void send_numbers(int fd, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n <= to; n++)
		lab_send(&b, fd, 1, PORT, &n, sizeof(n));
}

static bool is_lost(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.fate.kind != FATE_CARRIED;
}

static bool is_retransmission(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.note.kind == FLOW_RETRANSMISSION;
}

static bool is_fragment(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.note.kind == FLOW_FRAGMENT;
}

/* ---- both ways, on both media ---- */

START_TEST(udp_and_tcp)
{
	int client, server;
	char text[16] = "";

	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	send_numbers(from, 1, 3);
	for (int n = 1; n <= 3; n++)
		ck_assert_int_eq(number(to, LAB_PATIENCE_MS), n);

	lab_tcp(&b, &client, &server);
	ck_assert_int_eq(send(client, "hello", 5, 0), 5);
	ck_assert_int_eq(recv(server, text, sizeof(text), 0), 5);
	ck_assert_int_eq(send(server, text, 5, 0), 5);
	ck_assert_int_eq(recv(client, text, sizeof(text), 0), 5);
	ck_assert_str_eq(text, "hello");

	/* The handshake, as it is in the books. */
	const struct journal_packet *p = &lab_await(&b, lab_is_packet, 4)->of.packet;
	ck_assert_int_eq(p->note.kind, FLOW_SYN);
	ck_assert(p->host == 0 && p->to_host == 1 && p->note.first);
	p = &lab_await(&b, lab_is_packet, 5)->of.packet;
	ck_assert_int_eq(p->note.kind, FLOW_SYN_ACK);
	ck_assert(p->host == 1 && p->to_host == 0 && !p->note.first);
	p = &lab_await(&b, lab_is_packet, 6)->of.packet;
	ck_assert_int_eq(p->note.kind, FLOW_ACK);
	p = &lab_await(&b, lab_is_packet, 7)->of.packet;
	ck_assert_int_eq(p->note.kind, FLOW_DATA);
	ck_assert_mem_eq(p->packet.payload, "hello", 5);
	ck_assert_uint_eq(p->note.data_packet, 1);
	ck_assert_uint_eq(p->note.in_flight, 5);
	(void)close(client);
	(void)close(server);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

static void join(int fd, const char *group, struct in_addr own)
{
	struct ip_mreq m = {.imr_interface = own};

	ck_assert_int_eq(inet_pton(AF_INET, group, &m.imr_multiaddr), 1);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
}

static bool is_datagram(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.note.kind == FLOW_DATAGRAM;
}

static bool is_second_copy(const struct journal_entry *e)
{
	return is_datagram(e) && e->of.packet.again;
}

static int listener(size_t host)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = site_socket(b.site, host, AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	join(fd, "239.1.2.3", site_address(b.site, host));
	return fd;
}

/* To one, to all, and to a group: who asks for addresses by ARP is not among what is shown. */
START_TEST(ethernet)
{
	static const char *const everybody[] = {"10.83.19.255", "239.1.2.3"};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	uint32_t n = 1;
	int yes = 1;

	if (!lab_open(&b, SITE_BROADCAST, 3, &(struct impairment){0}, 7))
		return;
	int from = lab_udp(&b, 0, 0), one = listener(1), other = listener(2);
	send_numbers(from, n, n);
	ck_assert_int_eq(number(one, LAB_PATIENCE_MS), (int)n);
	for (size_t i = 0; i < 2; i++) {
		n++;
		ck_assert_int_eq(inet_pton(AF_INET, everybody[i], &to.sin_addr), 1);
		if (i == 0)
			ck_assert_int_eq(
				sendto(from, &n, 4, 0, (struct sockaddr *)&to, sizeof(to)), -1);
		ck_assert_int_eq(setsockopt(from, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
		ck_assert_int_eq(sendto(from, &n, 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
		ck_assert_int_eq(number(one, LAB_PATIENCE_MS), (int)n);
		ck_assert_int_eq(number(other, LAB_PATIENCE_MS), (int)n);
	}
	ck_assert_uint_eq(lab_count(&b, is_datagram), 5);
	ck_assert_uint_eq(lab_count(&b, is_second_copy), 2);
	for (uint64_t i = 0; i < journal_count(b.journal); i++) {
		const struct journal_entry *e = journal_at(b.journal, i);
		if (e->kind == JOURNAL_PACKET)
			ck_assert_uint_eq(e->of.packet.bytes[0] >> 4, 4);
	}
	(void)close(from);
	(void)close(one);
	(void)close(other);
	lab_close(&b);
}
END_TEST

/* ---- scripts and hands ---- */

START_TEST(a_script_drops_one_datagram)
{
	struct wire_rule third = {
		.side = SIDE_UDP, .from_host = 0, .kind = FLOW_DATAGRAM, .nth = 3};

	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	ck_assert_int_eq(wire_script(b.wire, &third), 0);
	send_numbers(from, 1, 5);
	for (int n = 1; n <= 5; n++)
		if (n != 3)
			ck_assert_int_eq(number(to, LAB_PATIENCE_MS), n);
	const struct journal_packet *p = &lab_await(&b, is_lost, 1)->of.packet;
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
		ck_assert_int_eq(number(server, LAB_PATIENCE_MS), n);
	const struct journal_packet *lost = &lab_await(&b, is_lost, 1)->of.packet;
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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	wire_drop_next(b.wire, SIDE_UDP);
	send_numbers(from, 1, 2);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 2);
	wire_drop_next(b.wire, SIDE_TCP); /* no business of UDP's */
	send_numbers(from, 3, 3);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 3);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

START_TEST(unplugged)
{
	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	wire_unplug(b.wire, true);
	send_numbers(from, 1, 1);
	ck_assert_int_eq(lab_await(&b, lab_is_packet, 1)->of.packet.fate.kind, FATE_UNPLUGGED);
	wire_unplug(b.wire, false);
	send_numbers(from, 2, 2);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 2);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

START_TEST(paused_and_step_by_step)
{
	if (!make((struct impairment){.delay_ns = 3600000 * MS}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	wire_pause(b.wire, true);
	send_numbers(from, 1, 3);
	(void)lab_await(&b, lab_is_packet, 3);
	/* They would take an hour. A step does not wait for it, and lets one arrive. */
	wire_step(b.wire);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 1);
	/* It is done once: what enters then brings on nothing. */
	send_numbers(from, 4, 4);
	(void)lab_await(&b, lab_is_packet, 4);
	send_numbers(from, 5, 5);
	(void)lab_await(&b, lab_is_packet, 5);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 1);
	wire_step(b.wire);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 2);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 2);
	ck_assert_int_eq(number(to, 0), -1);
	/* Not paused, a step is nothing. */
	wire_pause(b.wire, false);
	wire_step(b.wire);
	wire_pause(b.wire, true);
	wire_step(b.wire);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 3);
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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	wire_pause(b.wire, true);
	send_numbers(from, 1, 100);
	(void)lab_await(&b, lab_is_packet, 100);
	ck_assert_uint_eq(lab_count(&b, lab_is_arrival), 0);
	wire_pause(b.wire, false);
	for (int n = 1; n <= 100; n++)
		ck_assert_int_eq(number(to, LAB_PATIENCE_MS), n);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* ---- impairments ---- */

/* No packet arrives before it is due, nor without an entry before it. */
START_TEST(delayed)
{
	struct impairment how = {.delay_ns = 5 * MS};

	if (!make(how))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	send_numbers(from, 1, 20);
	for (int n = 1; n <= 20; n++)
		ck_assert_int_eq(number(to, LAB_PATIENCE_MS), n);
	wire_slow(b.wire, 3);
	send_numbers(from, 21, 21);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 21);
	wire_slow(b.wire, 1);
	how.delay_ns = 0;
	wire_set(b.wire, &how);
	send_numbers(from, 22, 22);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 22);
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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	for (uint32_t at = 0; at < 1000; at += 50) {
		send_numbers(from, at, at + 49);
		(void)lab_await(&b, lab_is_packet, at + 50);
		for (unsigned all = carried(); got < all; got++) {
			int n = number(to, LAB_PATIENCE_MS);
			ck_assert(n >= 0 && n < 1000);
			seen[n]++;
		}
	}
	/* What comes next shows that nothing else did. */
	how.loss = how.duplicate = 0;
	wire_set(b.wire, &how);
	send_numbers(from, 1000, 1000);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 1000);
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
	ck_assert_uint_eq(lab_count(&b, is_lost), lost);
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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	wire_pause(b.wire, true);
	for (int i = 0; i < 5; i++)
		lab_send(&b, from, 1, PORT, bytes, sizeof(bytes));
	(void)lab_await(&b, lab_is_packet, 5);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert_uint_ge(counts.overflowed, 1);
	ck_assert_uint_eq(counts.lost, 0);
	ck_assert_int_eq(lab_await(&b, is_lost, 1)->of.packet.fate.kind, FATE_OVERFLOW);
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
	send_numbers(from, 1, 5000);
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
		lab_send(&b, from, 1, PORT, bytes, sizeof(bytes));
	(void)lab_await(&b, lab_is_packet, fit + 50);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert_uint_eq(counts.overflowed, 50);
	ck_assert_uint_eq(counts.sent, fit + 50);
	(void)close(from);
	lab_close(&b);
}
END_TEST

START_TEST(cut_into_fragments)
{
	struct wire_rule second = {.side = SIDE_UDP,
		.kind = FLOW_FRAGMENT,
		.nth = 1,
		.offset = 576 /* 600 without the header, in eights */};
	struct impairment how = {.mtu = 600};
	uint8_t bytes[1000] = {1, 2, 3}, got[2000];
	int whole = IP_PMTUDISC_DO;

	if (!make(how))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	lab_send(&b, from, 1, PORT, bytes, sizeof(bytes));
	ck_assert(lab_readable(to, LAB_PATIENCE_MS));
	ck_assert_int_eq(recv(to, got, sizeof(got), 0), 1000);
	ck_assert_uint_eq(lab_count(&b, is_fragment), 2);
	const struct journal_packet *p = &lab_await(&b, is_fragment, 2)->of.packet;
	ck_assert_uint_eq(p->packet.fragment_offset, 576);
	ck_assert_uint_eq(p->note.data_packet, 1);

	/* One part is dropped, and all of it is lost. */
	ck_assert_int_eq(wire_script(b.wire, &second), 0);
	lab_send(&b, from, 1, PORT, bytes, sizeof(bytes));
	send_numbers(from, 1, 1);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 1);
	ck_assert_uint_eq(lab_await(&b, is_lost, 1)->of.packet.packet.fragment_offset, 576);

	/* Who will not have it cut is told. */
	struct sockaddr_in there = lab_address(&b, 1, PORT);
	ck_assert_int_eq(setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole)), 0);
	ck_assert_int_eq(sendto(from, bytes, 573, 0, (struct sockaddr *)&there, sizeof(there)), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	how.mtu = 0;
	wire_set(b.wire, &how);
	lab_send(&b, from, 1, PORT, bytes, 1000);
	ck_assert(lab_readable(to, LAB_PATIENCE_MS));
	ck_assert_uint_eq(lab_count(&b, is_fragment), 4);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

START_TEST(an_impossible_mtu)
{
	struct site *site;
	struct wire *wire = NULL;
	char reason[SITE_REASON];

	if (!make((struct impairment){0}))
		return;
	ck_assert_int_eq(site_new(SITE_POINT_TO_POINT, 2, &site, reason), 0);
	ck_assert_int_eq(
		wire_start(&wire, site, b.journal, &(struct impairment){.mtu = 1}, 1), ERR_SYSTEM);
	ck_assert_ptr_null(wire);
	site_free(site);
	lab_close(&b);
}
END_TEST

/* IPv6, and what is not IP at all, is neither carried nor written down. */
START_TEST(noise)
{
	static const uint8_t frames[][40] = {{0x60, 0, 0, 0, 0, 0, 59, 255}, {0}, {0x45, 0, 0, 99}};
	struct ifreq r = {.ifr_name = "lab0"};

	if (!make((struct impairment){0}))
		return;
	int raw = site_socket(b.site, 0, AF_PACKET, SOCK_DGRAM, 0);
	ck_assert_int_ge(raw, 0);
	ck_assert_int_eq(ioctl(raw, SIOCGIFINDEX, &r), 0);
	struct sockaddr_ll out = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_IPV6),
		.sll_ifindex = r.ifr_ifindex};
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		ck_assert_int_eq(sendto(raw, frames[i], sizeof(frames[i]), 0,
					 (struct sockaddr *)&out, sizeof(out)),
			sizeof(frames[i]));
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, PORT);
	send_numbers(from, 1, 1);
	ck_assert_int_eq(number(to, LAB_PATIENCE_MS), 1);
	ck_assert_uint_eq(lab_count(&b, lab_is_packet), 1);
	(void)close(raw);
	(void)close(from);
	(void)close(to);
	lab_close(&b);
}
END_TEST

/* Whether what is on its way is forgotten without a leak, the address sanitizer says. */
START_TEST(stopped_in_between)
{
	struct wire_counts counts;

	if (!make((struct impairment){.delay_ns = 3600000 * MS}))
		return;
	int from = lab_udp(&b, 0, 0);
	send_numbers(from, 1, 100);
	(void)lab_await(&b, lab_is_packet, 100);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert(counts.sent == 100 && counts.arrived == 0);
	(void)close(from);
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

START_TEST(sides)
{
	ck_assert_int_eq(wire_side(&(struct packet){.protocol = IPPROTO_TCP}), SIDE_TCP);
	ck_assert_int_eq(wire_side(&(struct packet){.protocol = IPPROTO_UDP}), SIDE_UDP);
	ck_assert_int_eq(wire_side(&(struct packet){.protocol = IPPROTO_IGMP}), SIDE_UDP);
	ck_assert_int_eq(wire_side(&(struct packet){
				 .protocol = IPPROTO_ICMP, .about_protocol = IPPROTO_UDP}),
		SIDE_UDP);
	ck_assert_int_eq(wire_side(&(struct packet){
				 .protocol = IPPROTO_ICMP, .about_protocol = IPPROTO_TCP}),
		SIDE_TCP);
}
END_TEST

Suite *wire_suite(void)
{
	Suite *suite = suite_create("wire");
	TCase *tests = tcase_create("wire"), *parts = tcase_create("parts");

	tcase_set_timeout(tests, 90);
	tcase_add_test(tests, udp_and_tcp);
	tcase_add_test(tests, ethernet);
	tcase_add_test(tests, a_script_drops_one_datagram);
	tcase_add_test(tests, a_script_drops_one_segment);
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, unplugged);
	tcase_add_test(tests, paused_and_step_by_step);
	tcase_add_test(tests, paused_and_on_again);
	tcase_add_test(tests, delayed);
	tcase_add_test(tests, counts_are_what_sockets_saw);
	tcase_add_test(tests, a_narrow_line_overflows);
	tcase_add_test(tests, a_burst);
	tcase_add_test(tests, so_much_on_its_way);
	tcase_add_test(tests, cut_into_fragments);
	tcase_add_test(tests, an_impossible_mtu);
	tcase_add_test(tests, noise);
	tcase_add_test(tests, stopped_in_between);
	suite_add_tcase(suite, tests);
	tcase_add_test(parts, rules);
	tcase_add_test(parts, hands);
	tcase_add_test(parts, in_order_of_time_and_entry);
	tcase_add_test(parts, sides);
	suite_add_tcase(suite, parts);
	return suite;
}
