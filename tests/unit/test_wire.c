/*
 * Real sockets of real namespaces over the wire: what goes in at one side comes out at the other, and
 * what the journal says of it.
 */
#include "tools/lab/wire_private.h"

#include "common/err.h"
#include "tests/unit/lab_bench.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS 1000000ULL

static struct lab_bench b;

static bool make(struct impairment how)
{
	return lab_open(&b, SITE_POINT_TO_POINT, 2, &how, 7);
}

/* ---- both ways, on both media ---- */

START_TEST(udp_and_tcp)
{
	int client, server;
	char text[16] = "";

	if (!make((struct impairment){0}))
		return;
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	lab_send_numbers(&b, from, 1, 3);
	for (int n = 1; n <= 3; n++)
		ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), n);

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
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(LAB_PORT)};
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
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(LAB_PORT)};
	uint32_t n = 1;
	int yes = 1;

	if (!lab_open(&b, SITE_BROADCAST, 3, &(struct impairment){0}, 7))
		return;
	int from = lab_udp(&b, 0, 0), one = listener(1), other = listener(2);
	lab_send_numbers(&b, from, n, n);
	ck_assert_int_eq(lab_number(one, LAB_PATIENCE_MS), (int)n);
	for (size_t i = 0; i < 2; i++) {
		n++;
		ck_assert_int_eq(inet_pton(AF_INET, everybody[i], &to.sin_addr), 1);
		if (i == 0)
			ck_assert_int_eq(
				sendto(from, &n, 4, 0, (struct sockaddr *)&to, sizeof(to)), -1);
		ck_assert_int_eq(setsockopt(from, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
		ck_assert_int_eq(sendto(from, &n, 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
		ck_assert_int_eq(lab_number(one, LAB_PATIENCE_MS), (int)n);
		ck_assert_int_eq(lab_number(other, LAB_PATIENCE_MS), (int)n);
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

/* ---- what is not carried as it is ---- */

static bool is_fragment(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.note.kind == FLOW_FRAGMENT;
}

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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	lab_send(&b, from, 1, LAB_PORT, bytes, sizeof(bytes));
	ck_assert(lab_readable(to, LAB_PATIENCE_MS));
	ck_assert_int_eq(recv(to, got, sizeof(got), 0), 1000);
	ck_assert_uint_eq(lab_count(&b, is_fragment), 2);
	const struct journal_packet *p = &lab_await(&b, is_fragment, 2)->of.packet;
	ck_assert_uint_eq(p->packet.fragment_offset, 576);
	ck_assert_uint_eq(p->note.data_packet, 1);

	/* One part is dropped, and all of it is lost. */
	ck_assert_int_eq(wire_script(b.wire, &second), 0);
	lab_send(&b, from, 1, LAB_PORT, bytes, sizeof(bytes));
	lab_send_numbers(&b, from, 1, 1);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 1);
	ck_assert_uint_eq(lab_await(&b, lab_is_lost, 1)->of.packet.packet.fragment_offset, 576);

	/* Who will not have it cut is told. */
	struct sockaddr_in there = lab_address(&b, 1, LAB_PORT);
	ck_assert_int_eq(setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole)), 0);
	ck_assert_int_eq(sendto(from, bytes, 573, 0, (struct sockaddr *)&there, sizeof(there)), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	how.mtu = 0;
	wire_set(b.wire, &how);
	lab_send(&b, from, 1, LAB_PORT, bytes, 1000);
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
	int from = lab_udp(&b, 0, 0), to = lab_udp(&b, 1, LAB_PORT);
	lab_send_numbers(&b, from, 1, 1);
	ck_assert_int_eq(lab_number(to, LAB_PATIENCE_MS), 1);
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
	lab_send_numbers(&b, from, 1, 100);
	(void)lab_await(&b, lab_is_packet, 100);
	wire_counts(b.wire, SIDE_UDP, &counts);
	ck_assert(counts.sent == 100 && counts.arrived == 0);
	(void)close(from);
	lab_close(&b);
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
	Suite *s = suite_create("wire");
	TCase *tests = tcase_create("wire");

	tcase_set_timeout(tests, 90);
	tcase_add_test(tests, udp_and_tcp);
	tcase_add_test(tests, ethernet);
	tcase_add_test(tests, cut_into_fragments);
	tcase_add_test(tests, an_impossible_mtu);
	tcase_add_test(tests, noise);
	tcase_add_test(tests, stopped_in_between);
	tcase_add_test(tests, sides);
	suite_add_tcase(s, tests);
	return s;
}
