/*
 * lanchat's frames in a stream that is cut up by TCP: which packet begins which.
 */
#include "tools/lab/frames.h"

#include "common/frame.h"
#include "common/message.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct journal *j;
static struct frames *f;
static char label[FRAMES_LABEL];

static void setup(void)
{
	j = journal_new();
	f = frames_new(j);
	ck_assert(j && f);
}

static void teardown(void)
{
	frames_free(f);
	frames_free(NULL);
	journal_free(j);
}

/* A packet of that direction of flow 0, with these bytes. The journal's copy of it. */
static const struct journal_packet *send_packet(
	bool first, enum flow_kind kind, uint32_t seq, const uint8_t *bytes, uint32_t length)
{
	uint8_t copy[4096];
	struct journal_packet p = {
		.host = first ? 0 : 1,
		.packet = {.payload = copy, .payload_length = length},
		.note = {.kind = kind, .first = first, .relative_seq = seq},
		.fate = {.kind = FATE_LOST},
		.bytes = copy,
		.length = length,
	};

	ck_assert_uint_le(length, sizeof(copy));
	memcpy(copy, bytes, length);
	int64_t n = journal_packet(j, SIDE_TCP, 0, &p);
	ck_assert_int_ge(n, 0);
	frames_read(f);
	return &journal_at(j, (uint64_t)n)->of.packet;
}

/* A frame of that type; how long it is. */
static uint32_t put(uint8_t *out, uint16_t type, uint32_t length)
{
	frame_encode_header(out, length, type, 0);
	memset(out + FRAME_HEADER, 'x', length);
	return FRAME_HEADER + length;
}

static void is(const struct journal_packet *p, const char *expected)
{
	ck_assert_str_eq(frames_label(f, p, label), expected);
}

START_TEST(one_each)
{
	uint8_t b[256];
	uint32_t n = put(b, MESSAGE_HELLO, 30), m = put(b + n, MESSAGE_SAY, 12);
	const struct journal_packet *hello = send_packet(true, FLOW_DATA, 1, b, n);
	const struct journal_packet *say = send_packet(true, FLOW_DATA, 1 + n, b + n, m);

	is(hello, "HELLO 30 bytes");
	is(say, "SAY 12 bytes");
	/* It was lost, and goes again: it is what it was, and what follows is not shifted. */
	is(send_packet(true, FLOW_RETRANSMISSION, 1, b, n), "HELLO 30 bytes");
	is(send_packet(true, FLOW_DATA, 1 + n + m, b + n, m), "SAY 12 bytes");
}
END_TEST

START_TEST(together)
{
	uint8_t b[512];
	uint32_t one = put(b, MESSAGE_HELLO, 5), two = one + put(b + one, MESSAGE_SAY, 6);
	uint32_t three = two + put(b + two, MESSAGE_SAY, 7);

	const struct journal_packet *p = send_packet(true, FLOW_DATA, 1, b, three);
	is(p, "HELLO 5 bytes and 2 more");
	/* Sent again in another cut. */
	is(send_packet(true, FLOW_RETRANSMISSION, 1 + one, b + one, three - one),
		"SAY 6 bytes, SAY 7 bytes");
	/* Both directions are followed by themselves. */
	is(send_packet(false, FLOW_DATA, 1, b, one), "HELLO 5 bytes");
}
END_TEST

/* However it is cut, each frame begins in one packet, the one that has its first byte. */
START_TEST(any_cut)
{
	uint8_t b[64];
	uint32_t n = put(b, MESSAGE_HELLO, 9), cut = (uint32_t)_i;

	n += put(b + n, MESSAGE_SAY, 3);
	const struct journal_packet *a = send_packet(true, FLOW_DATA, 1, b, cut);
	const struct journal_packet *c = send_packet(true, FLOW_DATA, 1 + cut, b + cut, n - cut);
	char first[FRAMES_LABEL], second[FRAMES_LABEL];
	(void)frames_label(f, a, first);
	(void)frames_label(f, c, second);
	ck_assert_ptr_nonnull(strstr(first, "HELLO 9 bytes"));
	ck_assert_ptr_null(strstr(second, "HELLO 9 bytes,"));
	ck_assert(strstr(first, "SAY 3 bytes") != NULL || strstr(second, "SAY 3 bytes") != NULL);
	ck_assert(!(strstr(first, "SAY 3 bytes") && strncmp(second, "SAY", 3) == 0));
}
END_TEST

START_TEST(rest)
{
	uint8_t b[1024];
	uint32_t n = put(b, MESSAGE_SAY, 1000);

	is(send_packet(true, FLOW_DATA, 1, b, 500), "SAY 1000 bytes");
	is(send_packet(true, FLOW_DATA, 501, b + 500, n - 500), "rest of SAY 1000 bytes");
}
END_TEST

/* What is not lanchat's has no labels, nor has what a hole in the journal makes unknown. */
START_TEST(others)
{
	static const uint8_t text[] = "GET / HTTP/1.1\r\n";
	uint8_t b[64];

	is(send_packet(true, FLOW_DATA, 1, text, sizeof(text) - 1), "");
	uint32_t n = put(b, MESSAGE_SAY, 4);
	is(send_packet(true, FLOW_DATA, sizeof(text), b, n), "");
	/* No message has that number. */
	n = put(b, 0xfff0, 4);
	is(send_packet(false, FLOW_DATA, 1, b, n), "");
}
END_TEST

START_TEST(hole)
{
	uint8_t b[64];
	uint32_t n = put(b, MESSAGE_SAY, 4);

	is(send_packet(true, FLOW_DATA, 100, b, n), "");
	is(send_packet(true, FLOW_ACK, 100, b, 0), "");
}
END_TEST

Suite *frames_suite(void);

Suite *frames_suite(void)
{
	Suite *s = suite_create("frames");
	TCase *t = tcase_create("frames");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_each);
	tcase_add_test(t, together);
	tcase_add_loop_test(t, any_cut, 1, 28);
	tcase_add_test(t, rest);
	tcase_add_test(t, others);
	tcase_add_test(t, hole);
	suite_add_tcase(s, t);
	return s;
}
