/*
 * What stands in IP packets, most of which a kernel has sent; and that nothing is read behind their end.
 */
#include "tools/lab/packet.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MOST 256

/* Of Linux 6.18, over the lab's wire. */
static const char syn[] = "4500003ce0e6400040061f2d0a5313010a531302d9ca1b58376a5eb600000000a002faf0"
			  "6ee80000020405b40402080ad42a440d000000000103030a";
static const char data[] =
	"45000039e0e8400040061f2e0a5313010a531302d9ca1b58376a5eb74b7fe82d8018003f"
	"439f00000101080ad42a441361547bd368656c6c6f";
static const char sack[] =
	"45000040cef74000400631180a5313020a5313011b58d9ca4b7fe82d376a5ebcb0100040"
	"24ff00000101080a61547bd9d42a44130101050a376a5ec1376a5ec6";
static const char fin[] = "45000034e0ee400040061f2d0a5313010a531302d9ca1b58376a5ed04b7fe82d8011003f"
			  "875200000101080ad42a441b61547bdd";
static const char rst[] = "4500002800004000400600280a5313020a5313011b59c10c00000000dc608e6b50140000"
			  "2df60000";
static const char datagram[] =
	"45000022ce9f4000401131830a5313010a531302999d1b59000edada6e6f626f6479";
static const char refused[] =
	"45c0003e18520000400127050a5313020a531301030337c50000000045000022ce9f4000"
	"401131830a5313010a531302999d1b59000edada6e6f626f6479";

/* Made by hand. */
static const char first_part[] =
	"45000024cea020004011000a0a5313010a531302999d1b5906488b467878787878787878";
static const char last_part[] = "4500001ccea000b9401100000a5313010a5313027878787878787878";
static const char too_long[] = "4500003800000000ff0100000a5313020a5313010304000000000240"
			       "45000640abcd4000400600000a5313010a5313021b581b59deadbeef";
static const char options[] = "46000020000000004011000a0a5313010a53130294040000"
			      "0001000200080000";

#define V6_ENDS                                                                                    \
	"fd000000000000000000000000000001"                                                         \
	"fd000000000000000000000000000002"
static const char v6_datagram[] = "6000000000091140" V6_ENDS "1b581b5900090000"
				  "21";
/* Hop-by-hop, destination options, routing, then UDP. */
static const char v6_extended[] = "6000000000210040" V6_ENDS "3c00010400000000"
				  "2b00010400000000"
				  "1100000000000000"
				  "1b581b5900090000"
				  "21";
static const char v6_first[] = "6000000000182c40" V6_ENDS "1100000112345678"
			       "1b581b5900100000"
			       "2122232425262728";
static const char v6_last[] = "6000000000092c40" V6_ENDS "1100000812345678"
			      "29";
static const char v6_about[] = "6000000000383aff" V6_ENDS "0200000000000500"
			       "6000000000080640" V6_ENDS "1b581b59deadbeef";
static const char v6_ah[] = "6000000000193340" V6_ENDS "1102000000000000"
			    "00000000"
			    "00000000"
			    "1b581b5900090000"
			    "21";

static const char *const whole[] = {syn, data, sack, fin, rst, datagram, refused, first_part,
	last_part, too_long, options, v6_datagram, v6_extended, v6_first, v6_last, v6_about, v6_ah};
#define WHOLE ((int)(sizeof(whole) / sizeof(whole[0])))

static uint8_t bytes[MOST];

static size_t unhex(const char *hex)
{
	size_t length = strlen(hex) / 2;

	ck_assert_uint_le(length, MOST);
	for (size_t i = 0; i < length; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return length;
}

/* From a block of exactly that length, so that reading behind its end is noticed. */
static int read_exact(size_t length, struct packet *out)
{
	uint8_t *copy = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	int r = packet_read(copy, length, out);
	if (r == 0) {
		ck_assert(out->payload >= copy);
		ck_assert_uint_le((size_t)(out->payload - copy) + out->payload_length, length);
		out->payload = bytes + (out->payload - copy);
	}
	free(copy);
	return r;
}

static struct packet made(const char *hex)
{
	struct packet p;

	ck_assert_int_eq(read_exact(unhex(hex), &p), 0);
	return p;
}

static void check_ends(
	const struct packet *p, int from, uint16_t from_port, int to, uint16_t to_port)
{
	uint8_t v4[16] = {10, 83, 19}, v6[16] = {0xfd};
	uint8_t *expected = p->version == 4 ? v4 : v6,
		*last = expected + (p->version == 4 ? 3 : 15);

	*last = (uint8_t)from;
	ck_assert_mem_eq(p->from.address, expected, 16);
	*last = (uint8_t)to;
	ck_assert_mem_eq(p->to.address, expected, 16);
	ck_assert_uint_eq(p->from.port, from_port);
	ck_assert_uint_eq(p->to.port, to_port);
}

/* ---- TCP ---- */

START_TEST(tcp_syn)
{
	struct packet p = made(syn);

	ck_assert(p.version == 4 && p.protocol == IPPROTO_TCP && p.ttl == 64 && p.length == 60);
	ck_assert(p.dont_fragment && !packet_is_fragment(&p));
	ck_assert_uint_eq(p.id, 0xe0e6);
	check_ends(&p, 1, 55754, 2, 7000);
	ck_assert_uint_eq(p.flags, PACKET_SYN);
	ck_assert_uint_eq(p.seq, 0x376a5eb6);
	ck_assert_uint_eq(p.ack, 0);
	ck_assert_uint_eq(p.window, 64240);
	ck_assert_uint_eq(p.mss, 1460);
	ck_assert(!p.has_sack);
	ck_assert_uint_eq(p.payload_length, 0);
}
END_TEST

START_TEST(tcp_data)
{
	struct packet p = made(data);

	ck_assert_uint_eq(p.flags, PACKET_PSH | PACKET_ACK);
	ck_assert_uint_eq(p.ack, 0x4b7fe82d);
	ck_assert_uint_eq(p.window, 63);
	ck_assert_uint_eq(p.mss, 0);
	ck_assert_uint_eq(p.payload_length, 5);
	ck_assert_mem_eq(p.payload, "hello", 5);
	ck_assert(!p.has_sack);
	p = made(sack);
	ck_assert(p.has_sack);
	ck_assert_uint_eq(p.payload_length, 0);
	check_ends(&p, 2, 7000, 1, 55754);
	p = made(fin);
	ck_assert_uint_eq(p.flags, PACKET_FIN | PACKET_ACK);
	p = made(rst);
	ck_assert_uint_eq(p.flags, PACKET_RST | PACKET_ACK);
}
END_TEST

/* Options that make no sense do not harm, and those before them count. */
START_TEST(tcp_options)
{
	static const struct {
		const char *hex;
		bool sack;
	} lists[] = {
		{"050a000000010000"
		 "000200000000",
			true}, /* blocks, and the end */
		{"0502000000000000"
		 "000000000000",
			false}, /* none in it */
		{"0101050a00000001"
		 "000000020500",
			true}, /* a second one of length 0 */
		{"05ff000000010000"
		 "000201010101",
			false}, /* longer than the header */
		{"0000050a00000001"
		 "000000020000",
			false}, /* behind the end */
		{"0101010101010101"
		 "010101010105",
			false}, /* no length */
	};
	struct packet p;

	size_t length = unhex(sack);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t at = 0; at < 14; at++) {
			char two[3] = {lists[i].hex[2 * at], lists[i].hex[2 * at + 1], '\0'};
			bytes[40 + at] = (uint8_t)strtoul(two, NULL, 16);
		}
		memset(bytes + 54, 1, length - 54);
		ck_assert_int_eq(read_exact(length, &p), 0);
		ck_assert_int_eq(p.has_sack, lists[i].sack);
	}
}
END_TEST

/* ---- UDP and fragments ---- */

START_TEST(udp)
{
	struct packet p = made(datagram);

	ck_assert_uint_eq(p.protocol, IPPROTO_UDP);
	check_ends(&p, 1, 39325, 2, 7001);
	ck_assert_uint_eq(p.payload_length, 6);
	ck_assert_mem_eq(p.payload, "nobody", 6);
	p = made(options);
	check_ends(&p, 1, 1, 2, 2);
	ck_assert_uint_eq(p.payload_length, 0);
	ck_assert_uint_eq(p.length, 32);
}
END_TEST

START_TEST(fragments)
{
	struct packet p = made(first_part);

	check_ends(&p, 1, 39325, 2, 7001);
	ck_assert(p.more_fragments && p.fragment_offset == 0 && packet_is_fragment(&p));
	/* What IP carries: the header of UDP too. */
	ck_assert_uint_eq(p.payload_length, 16);
	ck_assert_mem_eq(p.payload, "\x99\x9d", 2);
	p = made(last_part);
	check_ends(&p, 1, 0, 2, 0);
	ck_assert(!p.more_fragments && packet_is_fragment(&p));
	ck_assert_uint_eq(p.fragment_offset, 1480);
	ck_assert_uint_eq(p.id, 0xcea0);
	ck_assert_uint_eq(p.payload_length, 8);
	ck_assert_mem_eq(p.payload, "xxxxxxxx", 8);
}
END_TEST

/* ---- ICMP ---- */

START_TEST(icmp)
{
	struct packet udp_packet = made(datagram), p = made(refused);

	ck_assert_uint_eq(p.protocol, IPPROTO_ICMP);
	check_ends(&p, 2, 0, 1, 0);
	ck_assert(p.icmp_type == 3 && p.icmp_code == 3 && p.icmp_mtu == 0);
	ck_assert_uint_eq(p.about_protocol, IPPROTO_UDP);
	ck_assert(packet_same_end(&p.about_from, &udp_packet.from));
	ck_assert(packet_same_end(&p.about_to, &udp_packet.to));
	ck_assert_uint_eq(p.payload_length, 34);
	/* The packet that it is about is longer than what is told of it. */
	p = made(too_long);
	ck_assert_uint_eq(p.icmp_mtu, 576);
	ck_assert_uint_eq(p.about_protocol, IPPROTO_TCP);
	ck_assert_uint_eq(p.about_from.port, 7000);
	ck_assert_uint_eq(p.about_to.port, 7001);
}
END_TEST

/* An error that is about nothing that can be read still is one; an answer to ping is none. */
START_TEST(icmp_about_nothing)
{
	struct packet p;
	size_t length = unhex(refused);

	bytes[28] = 0x15;
	ck_assert_int_eq(read_exact(length, &p), 0);
	ck_assert_uint_eq(p.about_protocol, 0);
	ck_assert_uint_eq(p.icmp_type, 3);
	length = unhex(refused);
	bytes[20] = 0;
	ck_assert_int_eq(read_exact(length, &p), 0);
	ck_assert_uint_eq(p.about_protocol, 0);
}
END_TEST

/* ---- IPv6 ---- */

START_TEST(v6)
{
	static const char *const same[] = {v6_datagram, v6_extended, v6_ah};

	for (size_t i = 0; i < 3; i++) {
		struct packet p = made(same[i]);
		ck_assert(p.version == 6 && p.protocol == IPPROTO_UDP && p.ttl == 64);
		check_ends(&p, 1, 7000, 2, 7001);
		ck_assert_uint_eq(p.payload_length, 1);
		ck_assert_mem_eq(p.payload, "!", 1);
		ck_assert(p.dont_fragment && !packet_is_fragment(&p));
	}
}
END_TEST

START_TEST(v6_fragments)
{
	struct packet p = made(v6_first);

	check_ends(&p, 1, 7000, 2, 7001);
	ck_assert(p.more_fragments && p.fragment_offset == 0);
	ck_assert_uint_eq(p.id, 0x12345678);
	ck_assert_uint_eq(p.payload_length, 16);
	p = made(v6_last);
	check_ends(&p, 1, 0, 2, 0);
	ck_assert(!p.more_fragments && p.fragment_offset == 8);
	ck_assert_uint_eq(p.protocol, IPPROTO_UDP);
	ck_assert_uint_eq(p.payload_length, 1);
}
END_TEST

START_TEST(v6_icmp)
{
	struct packet p = made(v6_about);

	ck_assert_uint_eq(p.protocol, IPPROTO_ICMPV6);
	ck_assert_uint_eq(p.icmp_type, 2);
	ck_assert_uint_eq(p.icmp_mtu, 1280);
	ck_assert_uint_eq(p.about_protocol, IPPROTO_TCP);
	ck_assert_uint_eq(p.about_from.port, 7000);
	ck_assert_uint_eq(p.about_to.port, 7001);
}
END_TEST

/* ---- what is no packet ---- */

START_TEST(cut_short)
{
	struct packet p = {.ttl = 77};
	size_t length = unhex(whole[_i]);

	for (size_t i = 0; i < length; i++)
		ck_assert_int_eq(read_exact(i, &p), ERR_PROTOCOL);
	ck_assert_uint_eq(p.ttl, 77);
	/* What stands behind it, as Ethernet may have it, is not of it. */
	ck_assert_int_eq(read_exact(length, &p), 0);
	uint32_t carries = p.payload_length;
	ck_assert_int_eq(read_exact(length + 7, &p), 0);
	ck_assert_uint_eq(p.payload_length, carries);
	ck_assert_uint_eq(p.length, length);
}
END_TEST

/* The same with each byte changed in every way: whatever comes of it, it is within the packet. */
START_TEST(changed)
{
	struct packet p;
	size_t length = unhex(whole[_i]);

	for (size_t at = 0; at < length; at++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t kept = bytes[at];
			bytes[at] = (uint8_t)v;
			int r = read_exact(length, &p);
			ck_assert(r == 0 || r == ERR_PROTOCOL);
			bytes[at] = kept;
		}
}
END_TEST

static const struct {
	const char *hex;
	size_t at;
	uint8_t value;
} wrong[] = {
	{syn, 0, 0x55},          /* version 5 */
	{syn, 0, 0x44},          /* a header of 16 bytes */
	{syn, 3, 19},            /* shorter than its header */
	{syn, 32, 0x40},         /* TCP's is 16 bytes */
	{syn, 32, 0xf0},         /* TCP's is longer than what is there */
	{datagram, 25, 7},       /* UDP without its header */
	{datagram, 25, 15},      /* UDP longer than what is there */
	{v6_extended, 41, 5},    /* options longer than what is there */
	{v6_datagram, 5, 8 + 2}, /* longer than what is there */
};

START_TEST(makes_no_sense)
{
	struct packet p;
	size_t length = unhex(wrong[_i].hex);

	ck_assert_int_eq(read_exact(length, &p), 0);
	bytes[wrong[_i].at] = wrong[_i].value;
	ck_assert_int_eq(read_exact(length, &p), ERR_PROTOCOL);
}
END_TEST

/* ---- flows ---- */

START_TEST(same_flow)
{
	struct packet there = made(data), back = made(sack), other = made(rst),
		      udp_packet = made(datagram);

	ck_assert(packet_same_flow(&there, &back));
	ck_assert(packet_same_flow(&there, &there));
	ck_assert(!packet_same_flow(&there, &other));
	ck_assert(!packet_same_flow(&there, &udp_packet));
	back.version = 6;
	ck_assert(!packet_same_flow(&there, &back));
	other = there;
	other.from.address[3] = 9;
	ck_assert(!packet_same_flow(&there, &other));
}
END_TEST

Suite *packet_suite(void)
{
	Suite *suite = suite_create("packet");
	TCase *tests = tcase_create("packet");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, tcp_syn);
	tcase_add_test(tests, tcp_data);
	tcase_add_test(tests, tcp_options);
	tcase_add_test(tests, udp);
	tcase_add_test(tests, fragments);
	tcase_add_test(tests, icmp);
	tcase_add_test(tests, icmp_about_nothing);
	tcase_add_test(tests, v6);
	tcase_add_test(tests, v6_fragments);
	tcase_add_test(tests, v6_icmp);
	tcase_add_loop_test(tests, cut_short, 0, WHOLE);
	tcase_add_loop_test(tests, changed, 0, WHOLE);
	tcase_add_loop_test(tests, makes_no_sense, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tests, same_flow);
	suite_add_tcase(suite, tests);
	return suite;
}
