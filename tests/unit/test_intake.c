/*
 * Intake: frames come out whole however the bytes were cut, the buffer grows for
 * them and gets small again.
 */
#include "server/intake.h"

#include "common/err.h"
#include "tests/unit/peer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct peer peer;
static struct stream *stream;
static struct intake intake;

static void setup(void)
{
	int fd;

	ck_assert_int_eq(peer_open(&peer, 0, &fd), 0);
	ck_assert_int_eq(stream_new_plain(fd, &stream), 0);
	intake_init(&intake, FRAME_PAYLOAD_MAX);
}

static void teardown(void)
{
	intake_fini(&intake);
	stream_free(stream);
	peer_close(&peer);
}

/* A frame of type `number` whose payload is `length` bytes of that number. */
static size_t make(uint8_t *out, uint16_t number, size_t length)
{
	frame_encode_header(out, (uint32_t)length, number, 0);
	memset(out + FRAME_HEADER, number & 0xff, length);
	return FRAME_HEADER + length;
}

static void check_frame(const struct frame *f, uint16_t number, size_t length)
{
	ck_assert_uint_eq(f->type, number);
	ck_assert_uint_eq(f->length, length);
	for (size_t i = 0; i < length; i++)
		ck_assert_uint_eq(f->payload[i], number & 0xff);
}

static void send_bytes(const uint8_t *bytes, size_t length)
{
	ck_assert_int_eq(peer_send_bytes(&peer, bytes, length), 0);
}

START_TEST(nothing_yet)
{
	struct frame f;

	ck_assert_int_eq(intake_next(&intake, &f), ERR_AGAIN);
	ck_assert_int_eq(intake_fill(&intake, stream), ERR_AGAIN);
	ck_assert(!intake_partial(&intake));
	peer_close(&peer);
	peer.fd = -1;
	ck_assert_int_eq(intake_fill(&intake, stream), ERR_CLOSED);
}
END_TEST

START_TEST(cut_anywhere)
{
	uint8_t bytes[256];
	size_t length = make(bytes, 1, 30);
	struct frame f;

	length += make(bytes + length, 2, 0);
	length += make(bytes + length, 3, 50);
	for (size_t cut = 0; cut <= length; cut++) {
		uint16_t number = 1;
		for (int part = 0; part < 2; part++) {
			size_t from = part ? cut : 0, to = part ? length : cut;
			send_bytes(bytes + from, to - from);
			ck_assert_int_eq(intake_fill(&intake, stream), from < to ? 0 : ERR_AGAIN);
			while (intake_next(&intake, &f) == 0) {
				static const size_t lengths[] = {0, 30, 0, 50};
				check_frame(&f, number, lengths[number]);
				number++;
			}
			bool whole = to == 0 || to == 38 || to == 46 || to == length;
			ck_assert_int_eq(intake_partial(&intake), !whole);
		}
		ck_assert_uint_eq(number, 4);
	}
}
END_TEST

START_TEST(byte_by_byte)
{
	uint8_t bytes[FRAME_HEADER + 3000];
	size_t length = make(bytes, 7, 3000);
	struct frame f;

	for (size_t i = 0; i < length; i++) {
		ck_assert_int_eq(intake_next(&intake, &f), ERR_AGAIN);
		send_bytes(bytes + i, 1);
		ck_assert_int_eq(intake_fill(&intake, stream), 0);
		ck_assert_uint_le(intake.size, 4096);
	}
	ck_assert_int_eq(intake_next(&intake, &f), 0);
	check_frame(&f, 7, 3000);
}
END_TEST

START_TEST(grows_for_the_largest_and_shrinks)
{
	uint8_t *bytes = malloc(FRAME_MAX);
	struct frame f;

	ck_assert_ptr_nonnull(bytes);
	make(bytes, 9, FRAME_PAYLOAD_MAX);
	for (int round = 0; round < 3; round++) {
		send_bytes(bytes, FRAME_MAX);
		while (intake_next(&intake, &f) == ERR_AGAIN)
			ck_assert_int_eq(intake_fill(&intake, stream), 0);
		check_frame(&f, 9, FRAME_PAYLOAD_MAX);
		ck_assert_uint_le(intake.size, FRAME_MAX);
		/* The next small one needs a small buffer only. */
		send_bytes(bytes, 4);
		ck_assert_int_eq(intake_fill(&intake, stream), 0);
		ck_assert_uint_le(intake.size, 2048);
		send_bytes(bytes + 4, FRAME_MAX - 4);
		while (intake_next(&intake, &f) == ERR_AGAIN)
			ck_assert_int_eq(intake_fill(&intake, stream), 0);
		check_frame(&f, 9, FRAME_PAYLOAD_MAX);
	}
	free(bytes);
}
END_TEST

START_TEST(many_at_once)
{
	uint8_t *bytes = malloc(150000);
	size_t length = 0;
	uint16_t sent = 0, seen = 0;
	struct frame f;

	ck_assert_ptr_nonnull(bytes);
	while (length < 140000) {
		length += make(bytes + length, sent, (size_t)sent * 53 % 1500);
		sent++;
	}
	send_bytes(bytes, length);
	while (intake_fill(&intake, stream) == 0) {
		while (intake_next(&intake, &f) == 0) {
			check_frame(&f, seen, (size_t)seen * 53 % 1500);
			seen++;
		}
		ck_assert_uint_le(intake.size, FRAME_MAX);
	}
	ck_assert_uint_eq(seen, sent);
	free(bytes);
}
END_TEST

/* What came before the end is there; the end is found by the next fill. */
START_TEST(the_end_comes_last)
{
	uint8_t *bytes = malloc(3000);
	struct frame f;

	ck_assert_ptr_nonnull(bytes);
	send_bytes(bytes, make(bytes, 5, 1016)); /* exactly the first buffer */
	peer_close(&peer);
	peer.fd = -1;
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), 0);
	check_frame(&f, 5, 1016);
	ck_assert_int_eq(intake_fill(&intake, stream), ERR_CLOSED);
	free(bytes);
}
END_TEST

START_TEST(the_limit_of_the_moment)
{
	uint8_t bytes[FRAME_HEADER + 100];
	struct frame f;

	intake.limit = 99;
	send_bytes(bytes, make(bytes, 1, 99));
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), 0);
	make(bytes, 1, 100);
	send_bytes(bytes, FRAME_HEADER); /* its header says enough */
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), ERR_PROTOCOL);
	ck_assert_int_eq(intake_next(&intake, &f), ERR_PROTOCOL);
	intake.limit = 100;
	ck_assert_int_eq(intake_next(&intake, &f), ERR_AGAIN);
}
END_TEST

START_TEST(keeps_no_buffer)
{
	static uint8_t bytes[FRAME_HEADER + 20000];
	size_t length = make(bytes, 1, 30);
	struct frame f;

	/* Half a frame stays. */
	send_bytes(bytes, length - 1);
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), ERR_AGAIN);
	intake_settle(&intake);
	intake_rest(&intake);
	ck_assert(intake_partial(&intake));
	send_bytes(bytes + length - 1, 1);
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), 0);
	check_frame(&f, 1, 30);
	ck_assert_ptr_nonnull(intake.bytes);
	intake_settle(&intake);
	ck_assert_ptr_null(intake.bytes);
	ck_assert_uint_eq(intake.limit, FRAME_PAYLOAD_MAX);

	/* Who sends much keeps it until they rest. */
	length = make(bytes, 2, 20000);
	send_bytes(bytes, length);
	for (int r = ERR_AGAIN; r == ERR_AGAIN; r = intake_next(&intake, &f))
		ck_assert_int_eq(intake_fill(&intake, stream), 0);
	check_frame(&f, 2, 20000);
	intake_settle(&intake);
	ck_assert_ptr_nonnull(intake.bytes);
	intake_rest(&intake);
	ck_assert_ptr_null(intake.bytes);
	length = make(bytes, 3, 10);
	send_bytes(bytes, length);
	ck_assert_int_eq(intake_fill(&intake, stream), 0);
	ck_assert_int_eq(intake_next(&intake, &f), 0);
	check_frame(&f, 3, 10);
}
END_TEST

Suite *intake_suite(void)
{
	Suite *s = suite_create("intake");
	TCase *c = tcase_create("intake");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, nothing_yet);
	tcase_add_test(c, cut_anywhere);
	tcase_add_test(c, byte_by_byte);
	tcase_add_test(c, grows_for_the_largest_and_shrinks);
	tcase_add_test(c, many_at_once);
	tcase_add_test(c, the_end_comes_last);
	tcase_add_test(c, the_limit_of_the_moment);
	tcase_add_test(c, keeps_no_buffer);
	suite_add_tcase(s, c);
	return s;
}
