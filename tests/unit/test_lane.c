/*
 * Datagrams of the lane: the vectors of tests/vectors/lane.txt, which a program made that
 * shares nothing with this code, and everything that must not open.
 */
#include "common/lane.h"

#include "common/err.h"
#include "common/message.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "tests/vectors/lane.txt"

static uint8_t keys[LANE_KEYS];
static struct lane client, server;
static uint8_t ping[FRAME_HEADER + 8];
static uint8_t datagram[LANE_MAX + 64];
static size_t length;

static void open_both(const uint8_t *with)
{
	ck_assert_int_eq(lane_init(&client, 0x0102030405060708, LANE_CLIENT, with), 0);
	ck_assert_int_eq(lane_init(&server, 0x0102030405060708, LANE_SERVER, with), 0);
}

static void setup(void)
{
	struct msg_ping m = {.token = 1};
	size_t used;

	for (size_t i = 0; i < LANE_KEYS; i++)
		keys[i] = (uint8_t)i;
	ck_assert_int_eq(message_encode(MESSAGE_PING, &m, ping, sizeof(ping), &used), 0);
	ck_assert_uint_eq(used, sizeof(ping));
	/* One is sealed, the other insecure, where a test loops over both. */
	open_both(keys);
}

static void teardown(void)
{
	lane_fini(&client);
	lane_fini(&server);
}

static void make_insecure(int which)
{
	if (which == 0)
		return;
	teardown();
	open_both(NULL);
}

static void seal(void)
{
	ck_assert_int_eq(
		lane_seal(&client, ping, sizeof(ping), datagram, sizeof(datagram), &length), 0);
}

/* Open a copy, as opening leaves nothing that could be opened again. */
static int try_open(const uint8_t *bytes, size_t size, struct lane_arrival *a)
{
	static uint8_t copy[LANE_MAX + 64];

	memcpy(copy, bytes, size);
	return lane_open(&server, copy, size, a);
}

/* ---- the vectors ---- */

struct vector {
	uint64_t lane, counter;
	bool has_keys, from_server;
	uint8_t keys[LANE_KEYS];
	uint8_t frame[256], datagram[256];
	size_t frame_length, datagram_length;
};

static size_t from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = strcspn(text, "\n") / 2;

	ck_assert_uint_le(n, size);
	for (size_t i = 0; i < n; i++) {
		unsigned byte;
		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return n;
}

static void check_vector(const struct vector *v)
{
	struct lane from, to;
	struct lane_arrival a;
	enum lane_side side = v->from_server ? LANE_SERVER : LANE_CLIENT;
	const uint8_t *with = v->has_keys ? v->keys : NULL;

	ck_assert_int_eq(lane_init(&from, v->lane, side, with), 0);
	ck_assert_int_eq(
		lane_init(&to, v->lane, v->from_server ? LANE_CLIENT : LANE_SERVER, with), 0);
	from.counter = v->counter - 1;
	ck_assert_int_eq(
		lane_seal(&from, v->frame, v->frame_length, datagram, sizeof(datagram), &length),
		0);
	ck_assert_uint_eq(length, v->datagram_length);
	ck_assert_mem_eq(datagram, v->datagram, length);
	ck_assert_int_eq(lane_open(&to, datagram, length, &a), 0);
	ck_assert_uint_eq(FRAME_HEADER + a.frame.length, v->frame_length);
	ck_assert_mem_eq(a.frame.payload, v->frame + FRAME_HEADER, a.frame.length);
	ck_assert(a.newest);
	lane_fini(&from);
	lane_fini(&to);
}

START_TEST(test_vectors)
{
	FILE *in = fopen(FILE_NAME, "r");
	struct vector v = {0};
	char line[1024];
	int count = 0;

	ck_assert_msg(in, "cannot open %s; run the tests in the project's folder", FILE_NAME);
	while (fgets(line, sizeof(line), in)) {
		char *value = strchr(line, ' ');
		if (line[0] == '#' || !value)
			continue;
		value++;
		if (strncmp(line, "lane ", 5) == 0)
			v = (struct vector){.lane = strtoull(value, NULL, 16)};
		else if (strncmp(line, "keys ", 5) == 0)
			v.has_keys = from_hex(value, v.keys, sizeof(v.keys)) == LANE_KEYS;
		else if (strncmp(line, "from ", 5) == 0)
			v.from_server = strncmp(value, "server", 6) == 0;
		else if (strncmp(line, "counter ", 8) == 0)
			v.counter = strtoull(value, NULL, 10);
		else if (strncmp(line, "frame ", 6) == 0)
			v.frame_length = from_hex(value, v.frame, sizeof(v.frame));
		else
			v.datagram_length = from_hex(value, v.datagram, sizeof(v.datagram));
		if (v.datagram_length) {
			check_vector(&v);
			count++;
		}
	}
	fclose(in);
	ck_assert_int_eq(count, 4);
}
END_TEST

/* ---- what must not open ---- */

/* One changed bit, wherever it is, and it is nobody's; and what was forged uses no number up. */
START_TEST(test_tampered)
{
	struct lane_arrival a;

	seal();
	for (size_t i = 0; i < length; i++) {
		for (int bit = 0; bit < 8; bit++) {
			datagram[i] ^= (uint8_t)(1 << bit);
			int r = try_open(datagram, length, &a);
			ck_assert_msg(r == ERR_PROTOCOL || r == ERR_CRYPTO || r == ERR_EXISTS,
				"byte %zu, bit %d: %d", i, bit, r);
			datagram[i] ^= (uint8_t)(1 << bit);
		}
	}
	ck_assert_int_eq(try_open(datagram, length, &a), 0);
	ck_assert_uint_eq(a.frame.type, MESSAGE_PING);
}
END_TEST

START_TEST(test_truncated)
{
	struct lane_arrival a;

	make_insecure(_i);
	seal();
	for (size_t n = 0; n < length; n++)
		ck_assert_msg(try_open(datagram, n, &a) != 0, "%zu of %zu bytes", n, length);
	/* In the clear nothing tells a forged number from a real one. */
	if (_i == 1)
		server.replay = (struct replay){0};
	datagram[length] = 0;
	ck_assert_int_ne(try_open(datagram, length + 1, &a), 0);
	if (_i == 1)
		server.replay = (struct replay){0};
	ck_assert_int_eq(try_open(datagram, length, &a), 0);
}
END_TEST

START_TEST(test_again)
{
	struct lane_arrival a;
	uint8_t first[64];
	size_t first_length;

	make_insecure(_i);
	seal();
	memcpy(first, datagram, length);
	first_length = length;
	seal();
	ck_assert_int_eq(try_open(datagram, length, &a), 0);
	ck_assert(a.newest);
	ck_assert_int_eq(try_open(datagram, length, &a), ERR_EXISTS);
	/* One that was overtaken is good, and does not count as the newest. */
	ck_assert_int_eq(try_open(first, first_length, &a), 0);
	ck_assert(!a.newest);
	ck_assert_int_eq(try_open(first, first_length, &a), ERR_EXISTS);
}
END_TEST

/* A copy is told apart from what is not from the other end, and from what was never there. */
START_TEST(test_copies)
{
	struct lane_arrival a;
	struct frame f;
	uint8_t first[64], copy[64];
	size_t first_length;

	make_insecure(_i);
	seal();
	memcpy(first, datagram, length);
	first_length = length;
	memcpy(copy, first, first_length);
	ck_assert_int_eq(lane_open_copy(&server, copy, first_length, &f), ERR_NOT_FOUND);
	ck_assert_int_eq(try_open(first, first_length, &a), 0);
	for (int i = 0; i < 2; i++) {
		memcpy(copy, first, first_length);
		ck_assert_int_eq(lane_open_copy(&server, copy, first_length, &f), 0);
		ck_assert_uint_eq(f.type, MESSAGE_PING);
		ck_assert_int_eq(try_open(first, first_length, &a), ERR_EXISTS);
	}
	if (server.in) {
		memcpy(copy, first, first_length);
		copy[first_length - 1] ^= 1;
		ck_assert_int_eq(lane_open_copy(&server, copy, first_length, &f), ERR_CRYPTO);
		ck_assert_uint_eq(server.forged, 1);
	}
	/* What is older than the window may never have been there. */
	client.counter += REPLAY_WINDOW;
	seal();
	ck_assert_int_eq(try_open(datagram, length, &a), 0);
	memcpy(copy, first, first_length);
	ck_assert_int_eq(lane_open_copy(&server, copy, first_length, &f), ERR_NOT_FOUND);
}
END_TEST

/* What one sends comes back to it: a reflected datagram is not from the other end. */
START_TEST(test_reflected)
{
	struct lane_arrival a;

	seal();
	ck_assert_int_eq(lane_open(&client, datagram, length, &a), ERR_CRYPTO);
	ck_assert_uint_eq(client.forged, 1);
}
END_TEST

START_TEST(test_content)
{
	struct lane_arrival a;
	uint8_t two[2 * sizeof(ping)];

	make_insecure(_i);
	memcpy(two, ping, sizeof(ping));
	memcpy(two + sizeof(ping), ping, sizeof(ping));
	ck_assert_int_eq(
		lane_seal(&client, two, sizeof(two), datagram, sizeof(datagram), &length), 0);
	ck_assert_int_eq(try_open(datagram, length, &a), ERR_PROTOCOL);
	ck_assert_int_eq(
		lane_seal(&client, ping, FRAME_HEADER, datagram, sizeof(datagram), &length), 0);
	ck_assert_int_eq(try_open(datagram, length, &a), ERR_PROTOCOL);
}
END_TEST

START_TEST(test_limits)
{
	static uint8_t frame[FRAME_MAX + 1];
	struct lane_arrival a;
	size_t most = LANE_MAX - lane_sealed_size(&client, 0);

	frame_encode_header(frame, (uint32_t)(most - FRAME_HEADER), MESSAGE_PROBE, 0);
	ck_assert_int_eq(lane_seal(&client, frame, most, datagram, sizeof(datagram), &length), 0);
	ck_assert_uint_eq(length, LANE_MAX);
	ck_assert_int_eq(try_open(datagram, length, &a), 0);
	ck_assert_int_eq(lane_seal(&client, frame, most + 1, datagram, sizeof(datagram), &length),
		ERR_TOO_BIG);
	ck_assert_int_eq(lane_seal(&client, ping, sizeof(ping), datagram,
				 lane_sealed_size(&client, sizeof(ping)) - 1, &length),
		ERR_TOO_BIG);
	/* No nonce comes twice, whatever the cost. */
	client.counter = UINT64_MAX;
	ck_assert_int_eq(
		lane_seal(&client, ping, sizeof(ping), datagram, sizeof(datagram), &length),
		ERR_FULL);
	/* And a lane at which too much was forged believes nothing any more. */
	client.counter = 100;
	seal();
	server.forged = LANE_FORGED_MOST;
	ck_assert_int_eq(try_open(datagram, length, &a), ERR_CRYPTO);
}
END_TEST

Suite *lane_suite(void);
Suite *lane_suite(void)
{
	Suite *s = suite_create("lane");
	TCase *t = tcase_create("lane");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_vectors);
	tcase_add_test(t, test_tampered);
	tcase_add_loop_test(t, test_truncated, 0, 2);
	tcase_add_loop_test(t, test_again, 0, 2);
	tcase_add_loop_test(t, test_copies, 0, 2);
	tcase_add_test(t, test_reflected);
	tcase_add_loop_test(t, test_content, 0, 2);
	tcase_add_test(t, test_limits);
	suite_add_tcase(s, t);
	return s;
}
