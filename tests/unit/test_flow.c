/*
 * What a packet means, in conversations that are played packet by packet.
 */
#include "tools/lab/flow.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>

#define A 0 /* who connects */
#define B 1

static struct flows *flows;
static uint32_t isn[2]; /* what the numbers of each end begin with */
static uint16_t port;   /* of A */

static void make(void)
{
	flows = flows_new();
	ck_assert_ptr_nonnull(flows);
	isn[A] = 1000;
	isn[B] = 500000;
	port = 40000;
}

static void unmake(void)
{
	flows_free(flows);
}

/* ---- packets ---- */

static struct packet_end end_of(int who, uint16_t at)
{
	return (struct packet_end){.address = {10, 83, 19, (uint8_t)(who + 1)}, .port = at};
}

static struct packet from(int who, uint8_t protocol)
{
	struct packet p = {.version = 4, .protocol = protocol};

	p.from = end_of(who, who == A ? port : 7000);
	p.to = end_of(1 - who, who == A ? 7000 : port);
	return p;
}

/* Numbers are relative, as notes have them. */
static struct packet segment(int who, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
	struct packet p = from(who, IPPROTO_TCP);

	p.flags = flags;
	p.seq = isn[who] + seq;
	p.ack = flags & PACKET_ACK ? isn[1 - who] + ack : 0;
	p.window = 500;
	p.payload_length = length;
	return p;
}

static struct flow_note note(struct packet p)
{
	return flows_note(flows, &p);
}

static struct flow_note tcp(
	int who, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, enum flow_kind kind)
{
	struct flow_note n = note(segment(who, flags, seq, ack, length));

	ck_assert_msg(n.kind == kind, "%s, not %s", flow_words(n.kind), flow_words(kind));
	ck_assert_int_eq(n.first, who == A);
	return n;
}

static void shake_hands(void)
{
	(void)tcp(A, PACKET_SYN, 0, 0, 0, FLOW_SYN);
	(void)tcp(B, PACKET_SYN | PACKET_ACK, 0, 1, 0, FLOW_SYN_ACK);
	(void)tcp(A, PACKET_ACK, 1, 1, 0, FLOW_ACK);
}

/* ---- TCP ---- */

START_TEST(handshake)
{
	struct flow_note n = tcp(A, PACKET_SYN, 0, 0, 0, FLOW_SYN);

	ck_assert(n.flow == 0 && n.relative_seq == 0 && n.relative_ack == 0 && n.in_flight == 0);
	(void)tcp(A, PACKET_SYN, 0, 0, 0, FLOW_RETRANSMISSION);
	n = tcp(B, PACKET_SYN | PACKET_ACK, 0, 1, 0, FLOW_SYN_ACK);
	ck_assert(n.flow == 0 && n.relative_seq == 0 && n.relative_ack == 1);
	(void)tcp(B, PACKET_SYN | PACKET_ACK, 0, 1, 0, FLOW_RETRANSMISSION);
	n = tcp(A, PACKET_ACK, 1, 1, 0, FLOW_ACK);
	ck_assert(n.relative_seq == 1 && n.relative_ack == 1 && n.data_packet == 0);
}
END_TEST

START_TEST(data_is_counted)
{
	shake_hands();
	struct flow_note n = tcp(A, PACKET_ACK, 1, 1, 100, FLOW_DATA);
	ck_assert(n.data_packet == 1 && n.in_flight == 100 && n.relative_seq == 1);
	n = tcp(A, PACKET_ACK, 101, 1, 100, FLOW_DATA);
	ck_assert(n.data_packet == 2 && n.in_flight == 200);
	n = tcp(B, PACKET_ACK, 1, 101, 0, FLOW_ACK);
	ck_assert(n.data_packet == 0 && n.in_flight == 0 && n.relative_ack == 101);
	n = tcp(A, PACKET_ACK, 201, 1, 50, FLOW_DATA);
	ck_assert(n.data_packet == 3 && n.in_flight == 150);
	/* The other direction has its own. */
	n = tcp(B, PACKET_ACK, 1, 251, 7, FLOW_DATA);
	ck_assert(n.data_packet == 1 && n.in_flight == 7 && n.relative_ack == 251);
}
END_TEST

START_TEST(sent_again)
{
	shake_hands();
	(void)tcp(A, PACKET_ACK, 1, 1, 100, FLOW_DATA);
	(void)tcp(A, PACKET_ACK, 101, 1, 100, FLOW_DATA);
	struct flow_note n = tcp(A, PACKET_ACK, 1, 1, 100, FLOW_RETRANSMISSION);
	ck_assert(n.data_packet == 0 && n.in_flight == 200);
	(void)tcp(A, PACKET_ACK, 150, 1, 51, FLOW_RETRANSMISSION);
	/* The old and the new in one. */
	n = tcp(A, PACKET_ACK, 101, 1, 150, FLOW_RETRANSMISSION);
	ck_assert(n.data_packet == 3 && n.in_flight == 250);
	/* Of what is acknowledged already, one byte too: no keepalive has any. */
	(void)tcp(B, PACKET_ACK, 1, 251, 0, FLOW_ACK);
	n = tcp(A, PACKET_ACK, 250, 1, 1, FLOW_RETRANSMISSION);
	ck_assert(n.in_flight == 0);
	(void)tcp(A, PACKET_ACK, 251, 1, 1, FLOW_DATA);
}
END_TEST

START_TEST(duplicates)
{
	shake_hands();
	for (uint32_t i = 0; i < 4; i++)
		(void)tcp(A, PACKET_ACK, 1 + 100 * i, 1, 100, FLOW_DATA);
	(void)tcp(B, PACKET_ACK, 1, 101, 0, FLOW_ACK);
	(void)tcp(B, PACKET_ACK, 1, 101, 0, FLOW_DUPLICATE_ACK);
	(void)tcp(B, PACKET_ACK, 1, 101, 0, FLOW_DUPLICATE_ACK);
	/* The same with another window: only if it says what came out of order. */
	struct packet p = segment(B, PACKET_ACK, 1, 101, 0);
	p.window = 400;
	ck_assert_int_eq(note(p).kind, FLOW_WINDOW_UPDATE);
	p.window = 300;
	p.has_sack = true;
	ck_assert_int_eq(note(p).kind, FLOW_DUPLICATE_ACK);
	(void)tcp(B, PACKET_ACK, 1, 401, 0, FLOW_ACK);
	/* Nothing is on its way that could be missing. */
	(void)tcp(B, PACKET_ACK, 1, 401, 0, FLOW_ACK);
	/* With data of its own it is data. */
	(void)tcp(A, PACKET_ACK, 401, 1, 100, FLOW_DATA);
	(void)tcp(B, PACKET_ACK, 1, 401, 10, FLOW_DATA);
}
END_TEST

START_TEST(windows)
{
	struct packet p;

	shake_hands();
	(void)tcp(A, PACKET_ACK, 1, 1, 100, FLOW_DATA);
	p = segment(B, PACKET_ACK, 1, 101, 0);
	p.window = 0;
	ck_assert_int_eq(note(p).kind, FLOW_ACK);
	(void)tcp(A, PACKET_ACK, 100, 1, 0, FLOW_WINDOW_PROBE);
	ck_assert_int_eq(note(p).kind, FLOW_ACK); /* still closed */
	p.window = 300;
	ck_assert_int_eq(note(p).kind, FLOW_WINDOW_UPDATE);
	/* That may have been lost: it still probes, until it sends. */
	(void)tcp(A, PACKET_ACK, 100, 1, 0, FLOW_WINDOW_PROBE);
	(void)tcp(A, PACKET_ACK, 101, 1, 100, FLOW_DATA);
	(void)tcp(B, PACKET_ACK, 1, 201, 0, FLOW_ACK);
	(void)tcp(A, PACKET_ACK, 200, 1, 0, FLOW_KEEPALIVE);
}
END_TEST

START_TEST(keepalive)
{
	shake_hands();
	(void)tcp(A, PACKET_ACK, 0, 1, 0, FLOW_KEEPALIVE);
	(void)tcp(B, PACKET_ACK, 1, 1, 0, FLOW_ACK);
	(void)tcp(A, PACKET_ACK, 1, 1, 10, FLOW_DATA);
	(void)tcp(B, PACKET_ACK, 1, 11, 0, FLOW_ACK);
	(void)tcp(A, PACKET_ACK, 10, 1, 0, FLOW_KEEPALIVE);
	(void)tcp(A, PACKET_ACK, 10, 1, 0, FLOW_KEEPALIVE);
	(void)tcp(B, PACKET_ACK, 0, 11, 0, FLOW_KEEPALIVE);
}
END_TEST

/* A FIN is none of the data, and comes once. */
START_TEST(closing)
{
	shake_hands();
	(void)tcp(A, PACKET_ACK, 1, 1, 10, FLOW_DATA);
	struct flow_note n = tcp(A, PACKET_FIN | PACKET_ACK, 11, 1, 0, FLOW_FIN);
	ck_assert(n.in_flight == 10 && n.data_packet == 0);
	(void)tcp(A, PACKET_FIN | PACKET_ACK, 11, 1, 0, FLOW_RETRANSMISSION);
	n = tcp(B, PACKET_ACK, 1, 12, 0, FLOW_ACK);
	ck_assert_uint_eq(n.relative_ack, 12);
	/* Half-closed: the other still talks, and this one acknowledges with the number after its FIN. */
	n = tcp(B, PACKET_ACK, 1, 12, 30, FLOW_DATA);
	ck_assert_uint_eq(n.in_flight, 30);
	(void)tcp(A, PACKET_ACK, 12, 31, 0, FLOW_ACK);
	(void)tcp(B, PACKET_FIN | PACKET_ACK, 31, 12, 0, FLOW_FIN);
	n = tcp(A, PACKET_ACK, 12, 32, 0, FLOW_ACK);
	ck_assert(n.relative_seq == 12 && n.relative_ack == 32 && n.in_flight == 0);
}
END_TEST

/* The last data brings the FIN along; sent again it is one packet. */
START_TEST(closing_with_data)
{
	shake_hands();
	struct flow_note n = tcp(A, PACKET_FIN | PACKET_ACK, 1, 1, 10, FLOW_DATA);
	ck_assert(n.data_packet == 1 && n.in_flight == 10);
	(void)tcp(A, PACKET_FIN | PACKET_ACK, 1, 1, 10, FLOW_RETRANSMISSION);
	(void)tcp(B, PACKET_ACK, 1, 12, 0, FLOW_ACK);
}
END_TEST

START_TEST(reset)
{
	(void)tcp(A, PACKET_SYN, 0, 0, 0, FLOW_SYN);
	/* Of somebody who never had a number. */
	isn[B] = 0;
	struct flow_note n = tcp(B, PACKET_RST | PACKET_ACK, 0, 1, 0, FLOW_RST);
	ck_assert(n.relative_ack == 1 && n.relative_seq == 0 && n.flow == 0);
	/* The same ports once more are another conversation. */
	isn[A] = 77;
	n = tcp(A, PACKET_SYN, 0, 0, 0, FLOW_SYN);
	ck_assert(n.flow == 1 && n.relative_seq == 0);
	isn[B] = 123;
	(void)tcp(B, PACKET_SYN | PACKET_ACK, 0, 1, 0, FLOW_SYN_ACK);
	(void)tcp(A, PACKET_ACK, 1, 1, 0, FLOW_ACK);
	n = tcp(A, PACKET_RST, 1, 0, 0, FLOW_RST);
	ck_assert(n.relative_seq == 1 && n.relative_ack == 0);
}
END_TEST

/* Both ends' numbers go over the end at 2^32, at each place of a conversation. */
START_TEST(numbers_begin_anew)
{
	isn[A] = UINT32_MAX - (uint32_t)_i;
	isn[B] = UINT32_MAX - (uint32_t)(_i / 2);
	shake_hands();
	for (uint32_t i = 0; i < 5; i++) {
		struct flow_note n = tcp(A, PACKET_ACK, 1 + 10 * i, 1 + 10 * i, 10, FLOW_DATA);
		ck_assert(n.relative_seq == 1 + 10 * i && n.data_packet == i + 1 &&
			  n.in_flight == 10);
		(void)tcp(A, PACKET_ACK, 1 + 10 * i, 1 + 10 * i, 10, FLOW_RETRANSMISSION);
		n = tcp(B, PACKET_ACK, 1 + 10 * i, 11 + 10 * i, 10, FLOW_DATA);
		ck_assert(n.relative_ack == 11 + 10 * i && n.in_flight == 10);
	}
	(void)tcp(A, PACKET_FIN | PACKET_ACK, 51, 51, 0, FLOW_FIN);
	(void)tcp(B, PACKET_ACK, 51, 52, 0, FLOW_ACK);
}
END_TEST

/* One that began before anybody looked. */
START_TEST(in_the_middle)
{
	struct flow_note n = tcp(A, PACKET_ACK, 5000, 9000, 10, FLOW_DATA);

	ck_assert(n.relative_seq == 1 && n.data_packet == 1 && n.in_flight == 10);
	ck_assert_uint_eq(n.relative_ack, 1);
	n = tcp(B, PACKET_ACK, 9000, 5010, 10, FLOW_DATA);
	ck_assert(n.relative_seq == 1 && n.relative_ack == 11 && n.in_flight == 10);
	(void)tcp(A, PACKET_ACK, 5000, 9000, 10, FLOW_RETRANSMISSION);
}
END_TEST

/* ---- the others ---- */

START_TEST(datagrams)
{
	struct flow_note n = note(from(A, IPPROTO_UDP));

	ck_assert(n.kind == FLOW_DATAGRAM && n.data_packet == 1 && n.first && n.flow == 0);
	n = note(from(A, IPPROTO_UDP));
	ck_assert(n.data_packet == 2 && n.flow == 0);
	n = note(from(B, IPPROTO_UDP));
	ck_assert(n.data_packet == 1 && n.flow == 0 && !n.first);
	/* The same ports of TCP, and others of UDP. */
	ck_assert_uint_eq(note(segment(A, PACKET_SYN, 0, 0, 0)).flow, 1);
	port++;
	ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).flow, 2);
}
END_TEST

static struct packet part(int who, uint32_t id, uint16_t offset, bool more)
{
	struct packet p = from(who, IPPROTO_UDP);

	p.id = id;
	p.fragment_offset = offset;
	p.more_fragments = more;
	if (offset)
		p.from.port = p.to.port = 0;
	return p;
}

/* All parts are of the flow, and of the datagram, that the first one has the ports of. */
START_TEST(parts)
{
	(void)note(from(A, IPPROTO_UDP));
	for (uint32_t id = 5; id < 7; id++)
		for (uint16_t offset = 0; offset < 3 * 8; offset += 8) {
			struct flow_note n = note(part(A, id, offset, offset < 16));
			ck_assert(n.kind == FLOW_FRAGMENT && n.flow == 0 && n.first);
			ck_assert_uint_eq(n.data_packet, id - 3);
		}
	struct flow_note n = note(part(B, 5, 0, true));
	ck_assert(n.flow == 0 && !n.first && n.data_packet == 1);
	n = note(part(B, 5, 8, false));
	ck_assert(n.flow == 0 && !n.first && n.data_packet == 1);
	/* Of a first one that nobody saw. */
	n = note(part(A, 99, 8, false));
	ck_assert(n.kind == FLOW_FRAGMENT && n.flow == 1 && n.data_packet == 0);
}
END_TEST

START_TEST(errors)
{
	struct packet sent = from(A, IPPROTO_UDP), error = from(B, IPPROTO_ICMP);

	error.from.port = error.to.port = 0;
	ck_assert_uint_eq(note(segment(A, PACKET_SYN, 0, 0, 0)).flow, 0);
	ck_assert_uint_eq(note(sent).flow, 1);
	error.about_protocol = IPPROTO_UDP;
	error.about_from = sent.from;
	error.about_to = sent.to;
	struct flow_note n = note(error);
	ck_assert(n.kind == FLOW_ICMP && n.flow == 1 && !n.first);
	error.about_protocol = IPPROTO_TCP;
	ck_assert_uint_eq(note(error).flow, 0);
	/* About nobody's: it is of its own. */
	error.about_from.port = 9;
	n = note(error);
	ck_assert(n.flow == 2 && n.first);
	struct packet other = from(A, IPPROTO_IGMP);
	ck_assert_int_eq(note(other).kind, FLOW_OTHER);
}
END_TEST

/* More than may be known: who was silent longest is begun anew, and the others are still known. */
START_TEST(so_many)
{
	for (uint16_t i = 0; i < FLOW_MAX; i++) {
		port = (uint16_t)(1000 + i);
		ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).flow, i);
	}
	port = 1000;
	ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).data_packet, 2);
	port = 2000;
	ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).flow, FLOW_MAX);
	port = 1000;
	ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).data_packet, 3);
	port = 1002;
	ck_assert_uint_eq(note(from(A, IPPROTO_UDP)).flow, 2);
	port = 1001;
	struct flow_note n = note(from(A, IPPROTO_UDP));
	ck_assert(n.flow == FLOW_MAX + 1 && n.data_packet == 1);
}
END_TEST

START_TEST(words)
{
	for (int kind = FLOW_SYN; kind <= FLOW_OTHER; kind++)
		for (int other = FLOW_SYN; other <= FLOW_OTHER; other++)
			ck_assert_int_eq(strcmp(flow_words((enum flow_kind)kind),
						 flow_words((enum flow_kind)other)) == 0,
				kind == other);
	ck_assert_str_eq(flow_words(FLOW_RETRANSMISSION), "retransmission");
}
END_TEST

Suite *flow_suite(void)
{
	Suite *suite = suite_create("flow");
	TCase *tests = tcase_create("flow");

	tcase_add_checked_fixture(tests, make, unmake);
	tcase_add_test(tests, handshake);
	tcase_add_test(tests, data_is_counted);
	tcase_add_test(tests, sent_again);
	tcase_add_test(tests, duplicates);
	tcase_add_test(tests, windows);
	tcase_add_test(tests, keepalive);
	tcase_add_test(tests, closing);
	tcase_add_test(tests, closing_with_data);
	tcase_add_test(tests, reset);
	tcase_add_loop_test(tests, numbers_begin_anew, 0, 60);
	tcase_add_test(tests, in_the_middle);
	tcase_add_test(tests, datagrams);
	tcase_add_test(tests, parts);
	tcase_add_test(tests, errors);
	tcase_add_test(tests, so_many);
	tcase_add_test(tests, words);
	suite_add_tcase(suite, tests);
	return suite;
}
