/*
 * What was on the wire, as rows: which row is whose, and how it looks.
 */
#include "tools/lab/ladder.h"
#include "tools/lab/ladder_text.h"

#include "common/frame.h"
#include "common/message.h"

#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)

static struct journal *j;
static struct ladder *tcp, *udp, *all;

static void make(void)
{
	j = journal_new();
	tcp = ladder_new(j, SIDE_TCP);
	udp = ladder_new(j, SIDE_UDP);
	all = ladder_new(j, SIDE_BOTH);
	ck_assert(j && tcp && udp && all);
}

static void unmake(void)
{
	ladder_free(tcp);
	ladder_free(udp);
	ladder_free(all);
	ladder_free(NULL);
	journal_free(j);
}

static uint64_t enter(enum side side, uint8_t from, enum flow_kind kind, uint32_t seq,
	uint32_t length, enum fate_kind fate, uint64_t ms)
{
	struct journal_packet p = {
		.host = from,
		.to_host = from ? 0 : 1,
		.packet = {.protocol = side == SIDE_TCP ? IPPROTO_TCP : IPPROTO_UDP,
			.payload_length = length,
			.window = 1000},
		.note = {.kind = kind,
			.relative_seq = seq,
			.relative_ack = seq,
			.data_packet = seq},
		.fate = {.kind = fate, .copies = fate == FATE_CARRIED},
	};
	int64_t number = journal_packet(j, side, ms * MS, &p);

	ck_assert_int_ge(number, 0);
	return (uint64_t)number;
}

static void arrive(enum side side, uint64_t of, bool second, uint64_t ms)
{
	ck_assert_int_ge(journal_arrival(j, side, ms * MS, of, second), 0);
}

/* ---- rows ---- */

START_TEST(nothing)
{
	ck_assert(!ladder_read(tcp));
	ck_assert_uint_eq(ladder_count(tcp), 0);
	ck_assert_ptr_null(ladder_at(tcp, 0));
	ck_assert_int_ge(journal_words(j, SIDE_TCP, "no packet"), 0);
	ck_assert(!ladder_read(tcp));
	ck_assert_uint_eq(ladder_count(tcp), 0);
}
END_TEST

/* With nothing between, an arrow is one row, also where the other side's packets came between. */
START_TEST(one_row)
{
	uint64_t syn = enter(SIDE_TCP, 0, FLOW_SYN, 0, 0, FATE_CARRIED, 1);

	ck_assert(ladder_read(tcp));
	const struct ladder_row *r = ladder_at(tcp, 0);
	ck_assert(r->sent && !r->arrived);
	ck_assert_uint_eq(r->arrival_row[0], LADDER_NOWHERE);
	ck_assert_uint_eq(ladder_in_flight(tcp), 1);

	(void)enter(SIDE_UDP, 0, FLOW_DATAGRAM, 1, 5, FATE_CARRIED, 2);
	arrive(SIDE_TCP, syn, false, 21);
	ck_assert(ladder_read(tcp));
	ck_assert_uint_eq(ladder_count(tcp), 1);
	r = ladder_at(tcp, 0);
	ck_assert(r->sent && r->arrived && !r->second);
	ck_assert_uint_eq(r->send_row, 0);
	ck_assert_uint_eq(r->arrival_row[0], 0);
	ck_assert_uint_eq(r->sent_ns, MS);
	ck_assert_uint_eq(r->arrived_ns, 21 * MS);
	ck_assert_uint_eq(ladder_in_flight(tcp), 0);

	ck_assert(ladder_read(udp));
	ck_assert_uint_eq(ladder_count(udp), 1);
	ck_assert_int_eq(ladder_at(udp, 0)->side, SIDE_UDP);
	/* To who looks at both, something came between. */
	ck_assert(ladder_read(all));
	ck_assert_uint_eq(ladder_count(all), 3);
	ck_assert_uint_eq(ladder_at(all, 0)->arrival_row[0], 2);
}
END_TEST

START_TEST(two_rows)
{
	uint64_t a = enter(SIDE_TCP, 0, FLOW_DATA, 1, 64, FATE_CARRIED, 0);
	uint64_t b = enter(SIDE_TCP, 0, FLOW_DATA, 65, 64, FATE_CARRIED, 5);

	arrive(SIDE_TCP, a, false, 20);
	arrive(SIDE_TCP, b, false, 25);
	ck_assert(ladder_read(tcp));
	ck_assert_uint_eq(ladder_count(tcp), 4);
	ck_assert_uint_eq(ladder_at(tcp, 0)->arrival_row[0], 2);
	ck_assert_uint_eq(ladder_at(tcp, 1)->arrival_row[0], 3);
	const struct ladder_row *r = ladder_at(tcp, 3);
	ck_assert(!r->sent && r->arrived);
	ck_assert_uint_eq(r->send_row, 1);
	ck_assert_uint_eq(r->number, b);
	ck_assert_uint_eq(r->packet->note.relative_seq, 65);
	ck_assert_uint_eq(r->sent_ns, 5 * MS);
	ck_assert_uint_eq(r->arrived_ns, 25 * MS);
	ck_assert(!ladder_at(tcp, 0)->arrived);
}
END_TEST

/* A duplicate that overtakes the first is on a row of its own, and nothing is counted twice. */
START_TEST(doubled)
{
	uint64_t a = enter(SIDE_UDP, 0, FLOW_DATAGRAM, 1, 64, FATE_CARRIED, 0);

	arrive(SIDE_UDP, a, true, 20);
	arrive(SIDE_UDP, a, false, 22);
	ck_assert(ladder_read(udp));
	ck_assert_uint_eq(ladder_count(udp), 2);
	ck_assert_uint_eq(ladder_at(udp, 0)->arrival_row[1], 0);
	ck_assert_uint_eq(ladder_at(udp, 0)->arrival_row[0], 1);
	ck_assert(ladder_at(udp, 0)->second);
	ck_assert(!ladder_at(udp, 1)->second);
	ck_assert_uint_eq(ladder_in_flight(udp), 0);
}
END_TEST

START_TEST(lost)
{
	(void)enter(SIDE_UDP, 0, FLOW_DATAGRAM, 1, 64, FATE_LOST, 0);
	ck_assert(ladder_read(udp));
	ck_assert_uint_eq(ladder_in_flight(udp), 0);
	ck_assert(ladder_is_trouble(ladder_at(udp, 0)->packet));
	(void)enter(SIDE_UDP, 0, FLOW_DATAGRAM, 2, 64, FATE_CARRIED, 0);
	(void)enter(SIDE_TCP, 0, FLOW_RETRANSMISSION, 2, 64, FATE_CARRIED, 0);
	ck_assert(ladder_read(all));
	ck_assert(!ladder_is_trouble(ladder_at(all, 1)->packet));
	ck_assert(ladder_is_trouble(ladder_at(all, 2)->packet));
}
END_TEST

/* An arrival of what was never written down is none of ours. */
START_TEST(unknown)
{
	arrive(SIDE_UDP, 700, false, 1);
	ck_assert_int_ge(journal_words(j, SIDE_UDP, "no packet"), 0);
	arrive(SIDE_UDP, 1, false, 1);
	(void)ladder_read(udp);
	ck_assert_uint_eq(ladder_count(udp), 0);
}
END_TEST

/* Rows keep their places while there come many. */
START_TEST(many)
{
	uint64_t numbers[1000];

	for (uint32_t i = 0; i < 1000; i++)
		numbers[i] = enter(SIDE_UDP, 0, FLOW_DATAGRAM, i + 1, 8, FATE_CARRIED, i);
	for (uint32_t i = 0; i < 1000; i++) {
		arrive(SIDE_UDP, numbers[i], false, 1000 + i);
		ck_assert(ladder_read(udp));
	}
	ck_assert_uint_eq(ladder_count(udp), 2000);
	for (size_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(ladder_at(udp, i)->arrival_row[0], 1000 + i);
		ck_assert_uint_eq(ladder_at(udp, 1000 + i)->send_row, i);
	}
}
END_TEST

/* ---- labels ---- */

static const struct {
	struct journal_packet packet;
	const char *full, *brief;
} labels[] = {
	{{.note = {.kind = FLOW_SYN}}, "SYN", "SYN"},
	{{.note = {.kind = FLOW_SYN_ACK}}, "SYN-ACK", "SYN-ACK"},
	{{.note = {.kind = FLOW_DATA, .relative_seq = 65}, .packet = {.payload_length = 64}},
		"data 65..128", "data 65..128"},
	{{.note = {.kind = FLOW_DATA, .relative_seq = 1},
		 .packet = {.payload_length = 5, .flags = PACKET_FIN}},
		"data 1..5+FIN", "data 1..5+FIN"},
	{{.note = {.kind = FLOW_RETRANSMISSION, .relative_seq = 65},
		 .packet = {.payload_length = 64}},
		"retransmission 65..128", "resent 65..128"},
	{{.note = {.kind = FLOW_RETRANSMISSION}, .packet = {.flags = PACKET_SYN}},
		"retransmission of SYN", "resent SYN"},
	{{.note = {.kind = FLOW_RETRANSMISSION}, .packet = {.flags = PACKET_FIN}},
		"retransmission of FIN", "resent FIN"},
	{{.note = {.kind = FLOW_ACK, .relative_ack = 65}, .packet = {.window = 9}}, "ACK 65",
		"ACK 65"},
	{{.note = {.kind = FLOW_ACK, .relative_ack = 65}}, "ACK 65, window 0", "ACK 65,w0"},
	{{.note = {.kind = FLOW_DUPLICATE_ACK, .relative_ack = 65}, .packet = {.window = 9}},
		"duplicate ACK 65", "dup ACK 65"},
	{{.note = {.kind = FLOW_WINDOW_UPDATE}}, "window update", "window update"},
	{{.note = {.kind = FLOW_WINDOW_PROBE}}, "window probe", "window probe"},
	{{.note = {.kind = FLOW_KEEPALIVE}}, "keepalive", "keepalive"},
	{{.note = {.kind = FLOW_FIN}}, "FIN", "FIN"},
	{{.note = {.kind = FLOW_RST}}, "RST", "RST"},
	{{.note = {.kind = FLOW_DATAGRAM, .data_packet = 5}, .packet = {.payload_length = 64}},
		"datagram 5, 64 bytes", "dgram 5, 64 B"},
	{{.note = {.kind = FLOW_FRAGMENT, .data_packet = 1},
		 .packet = {.fragment_offset = 1480, .more_fragments = true}},
		"datagram 1, fragment at 1480", "fragment at 1480"},
	{{.note = {.kind = FLOW_FRAGMENT, .data_packet = 1}, .packet = {.fragment_offset = 2960}},
		"datagram 1, fragment at 2960, the last", "fragment at 2960"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMP, .icmp_type = 3, .icmp_code = 3}},
		"ICMP port unreachable", "ICMP no port"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMP, .icmp_type = 3, .icmp_code = 1}},
		"ICMP host unreachable", "ICMP no host"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMP,
			 .icmp_type = 3,
			 .icmp_code = 4,
			 .icmp_mtu = 1000}},
		"ICMP too long, MTU 1000", "ICMP MTU 1000"},
	{{.note = {.kind = FLOW_ICMP}, .packet = {.protocol = IPPROTO_ICMP, .icmp_type = 8}},
		"ICMP echo", "ICMP echo"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMP, .icmp_type = 11, .icmp_code = 1}},
		"ICMP fragments missing", "ICMP fragments missing"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMPV6, .icmp_type = 1, .icmp_code = 4}},
		"ICMP port unreachable", "ICMP no port"},
	{{.note = {.kind = FLOW_ICMP},
		 .packet = {.protocol = IPPROTO_ICMP, .icmp_type = 3, .icmp_code = 13}},
		"ICMP type 3 code 13", "ICMP 3/13"},
	{{.note = {.kind = FLOW_OTHER}, .packet = {.protocol = IPPROTO_IGMP}}, "IGMP", "IGMP"},
	{{.note = {.kind = FLOW_OTHER}, .packet = {.protocol = 132, .payload_length = 7}},
		"protocol 132, 7 bytes", "protocol 132"},
};

START_TEST(label)
{
	char out[LADDER_LABEL];

	ck_assert_str_eq(ladder_label(&labels[_i].packet, LADDER_LABEL, out), labels[_i].full);
	ck_assert_str_eq(
		ladder_label(&labels[_i].packet, strlen(labels[_i].full), out), labels[_i].full);
	ck_assert_str_eq(ladder_label(&labels[_i].packet, 0, out), labels[_i].brief);
}
END_TEST

/* ---- lines ---- */

#define PICTURE 9

static const struct {
	struct ladder_look look;
	const char *head, *line[PICTURE];
} pictures[] = {
	{{.columns = 60, .hosts = 2}, "       client                                 server",
		{
			"      0.0 |---------------- SYN ---------------->|      20.0",
			"     40.0 |<-------------- SYN-ACK --------------|      20.0",
			"     45.0 |- data 1..64 - - -                    |",
			"     50.0 |- data 65..128 --x on purpose         |",
			"          |           lost by chance x-- ACK 65 -|      51.0",
			"          |                        - - - ACK 65 -|      52.0",
			"          |                   - - - data 1..64 ->|      65.0",
			"          |            - - - data 1..64, twice ->|      66.0",
			"     72.0 |<- ACK 65 - - -                       |",
		}},
	{{.columns = 39, .hosts = 2}, "    client                  server",
		{
			"     0 |--------- SYN -------->|     20",
			"    40 |<------ SYN-ACK -------|     20",
			"    45 |- data 1..64 - - -     |",
			"    50 |- data 65..128 --x     |purpose",
			"       |    chance x-- ACK 65 -|     51",
			"       |         - - - ACK 65 -|     52",
			"       |    - - - data 1..64 ->|     65",
			"       | - data 1..64, twice ->|     66",
			"    72 |<- ACK 65 - - -        |",
		}},
	{{.columns = 24, .hosts = 2, .unicode = true}, "    client   server",
		{
			"     0 │─ SYN ─>│     20",
			"    40 │< SYN- ─│     20",
			"    45 │─ dat ─ │",
			"    50 │─ d ──✗ │purpose",
			"chance │ ✗── A ─│     51",
			"       │ ─ ACK ─│     52",
			"       │─ dat ─>│     65",
			"       │─ dat ─>│     66",
			"    72 │<─ ACK ─│",
		}},
	{{.columns = 23, .hosts = 2}, "",
		{
			"",
			"",
			"",
			"",
			"",
			"",
			"",
			"",
			"",
		}},
};

static const char *const three[3] = {
	"      0.0 |- dgram 1, 5 B - - -   |                        |",
	"      0.0 |---------- datagram 1, 5 bytes, late ---------->|       2.0",
	"      3.0 |- dgram 1, 5 B, late ->|                        |",
};

START_TEST(as_text)
{
	uint64_t syn = enter(SIDE_TCP, 0, FLOW_SYN, 0, 0, FATE_CARRIED, 0);

	arrive(SIDE_TCP, syn, false, 20);
	uint64_t back = enter(SIDE_TCP, 1, FLOW_SYN_ACK, 0, 0, FATE_CARRIED, 20);
	arrive(SIDE_TCP, back, false, 40);
	uint64_t a = enter(SIDE_TCP, 0, FLOW_DATA, 1, 64, FATE_CARRIED, 45);
	(void)enter(SIDE_TCP, 0, FLOW_DATA, 65, 64, FATE_SCRIPTED, 50);
	(void)enter(SIDE_TCP, 1, FLOW_ACK, 65, 0, FATE_LOST, 51);
	uint64_t b = enter(SIDE_TCP, 1, FLOW_ACK, 65, 0, FATE_CARRIED, 52);
	arrive(SIDE_TCP, a, false, 65);
	arrive(SIDE_TCP, a, true, 66);
	arrive(SIDE_TCP, b, false, 72);
	ck_assert(ladder_read(tcp));
	ck_assert_uint_eq(ladder_count(tcp), PICTURE);
	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
		char out[LADDER_TEXT_SIZE];
		const struct ladder_look *look = &pictures[i].look;
		ck_assert_str_eq(ladder_text_head(look, out), pictures[i].head);
		for (size_t row = 0; row < PICTURE; row++)
			ck_assert_str_eq(
				ladder_text(ladder_at(tcp, row), look, out), pictures[i].line[row]);
	}
}
END_TEST

/* What lanchat's message begins in a packet is called by it, where there is the room. */
START_TEST(as_frames)
{
	uint8_t bytes[FRAME_HEADER + 12] = {0};
	struct journal_packet p = {.to_host = 1,
		.packet = {.protocol = IPPROTO_TCP,
			.payload = bytes,
			.payload_length = sizeof(bytes)},
		.note = {.kind = FLOW_DATA, .relative_seq = 1},
		.fate = {.kind = FATE_CARRIED},
		.bytes = bytes,
		.length = sizeof(bytes)};
	char out[LADDER_TEXT_SIZE];
	struct frames *f = frames_new(j);
	struct ladder_look look = {.columns = 60, .hosts = 2, .frames = f};

	ck_assert_ptr_nonnull(f);
	frame_encode_header(bytes, 12, MESSAGE_SAY, 0);
	ck_assert_int_ge(journal_packet(j, SIDE_TCP, 0, &p), 0);
	p.note.kind = FLOW_RETRANSMISSION;
	p.fate.kind = FATE_LOST;
	ck_assert_int_ge(journal_packet(j, SIDE_TCP, MS, &p), 0);
	frames_read(f);
	ck_assert(ladder_read(tcp));
	ck_assert_ptr_nonnull(
		strstr(ladder_text(ladder_at(tcp, 0), &look, out), "- SAY 12 bytes -"));
	(void)ladder_text(ladder_at(tcp, 1), &look, out);
	ck_assert_ptr_nonnull(strstr(out, "- again: SAY 12 bytes --x"));
	look.columns = 28;
	(void)ladder_text(ladder_at(tcp, 0), &look, out);
	ck_assert_ptr_null(strstr(out, "SAY"));
	ck_assert_ptr_nonnull(strstr(out, "dat"));
	frames_free(f);
}
END_TEST

/* Three hosts: what goes to the last of them passes the one between. */
START_TEST(three_hosts)
{
	static const struct ladder_look look = {.columns = 70, .hosts = 3};
	struct journal_packet p = {.host = 0,
		.to_host = 1,
		.again = true,
		.packet = {.payload_length = 5},
		.note = {.kind = FLOW_DATAGRAM, .data_packet = 1},
		.fate = {.kind = FATE_CARRIED, .copies = 1, .reordered = true}};
	char out[LADDER_TEXT_SIZE];

	int64_t first = journal_packet(j, SIDE_UDP, 0, &p);
	p.to_host = 2;
	int64_t second = journal_packet(j, SIDE_UDP, 0, &p);
	arrive(SIDE_UDP, (uint64_t)second, false, 2);
	arrive(SIDE_UDP, (uint64_t)first, false, 3);
	ck_assert(ladder_read(udp));
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(ladder_text(ladder_at(udp, i), &look, out), three[i]);
}
END_TEST

/* Whatever the width, a line is no wider, and nothing is written outside of it. */
START_TEST(any_width)
{
	char out[LADDER_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i += 5) {
		struct journal_packet p = labels[i].packet;
		struct ladder_row r = {.packet = &p, .sent = true, .sent_ns = 123456789012345};
		for (unsigned k = 0; k < 6 * 2 * 3 * 4; k++) {
			p.fate.kind = (enum fate_kind)(k % 6);
			p.fate.reordered = k / 6 % 2;
			p.host = (uint8_t)(k / 12 % 3);
			p.to_host = (uint8_t)((p.host + 1 + k / 36 % 2) % 3);
			r.sent = k / 36 % 4 != 1;
			r.arrived = p.fate.kind == FATE_CARRIED && k / 36 % 4 > 0;
			r.second = k / 36 % 4 == 3;
			for (size_t columns = 0; columns < 200; columns += columns < 60 ? 1 : 37) {
				struct ladder_look look = {.columns = columns, .hosts = 3};
				ck_assert_uint_le(strlen(ladder_text(&r, &look, out)), columns);
				ck_assert_uint_le(strlen(ladder_text_head(&look, out)), columns);
			}
		}
	}
}
END_TEST

Suite *ladder_suite(void)
{
	Suite *s = suite_create("ladder");
	TCase *rows = tcase_create("rows"), *words = tcase_create("labels"),
	      *text = tcase_create("lines");

	tcase_add_checked_fixture(rows, make, unmake);
	tcase_add_test(rows, nothing);
	tcase_add_test(rows, one_row);
	tcase_add_test(rows, two_rows);
	tcase_add_test(rows, doubled);
	tcase_add_test(rows, lost);
	tcase_add_test(rows, unknown);
	tcase_add_test(rows, many);
	suite_add_tcase(s, rows);
	tcase_add_loop_test(words, label, 0, sizeof(labels) / sizeof(labels[0]));
	suite_add_tcase(s, words);
	tcase_add_checked_fixture(text, make, unmake);
	tcase_add_test(text, as_text);
	tcase_add_test(text, as_frames);
	tcase_add_test(text, three_hosts);
	tcase_add_test(text, any_width);
	suite_add_tcase(s, text);
	return s;
}
