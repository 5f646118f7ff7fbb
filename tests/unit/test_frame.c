/*
 * Framing: the same frames come out however the bytes were cut up, and nothing
 * is believed that a stranger might send.
 */
#include "common/frame.h"

#include "common/bytes.h"
#include "common/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Decode from a block of exactly `length` bytes, so that reading past the end is noticed. */
static int decode_exact(
	const uint8_t *bytes, size_t length, uint32_t limit, struct frame *f, size_t *need)
{
	uint8_t *copy = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	int r = frame_decode(copy, length, limit, f, need);
	if (r == 0)
		f->payload = bytes + (f->payload - copy);
	free(copy);
	return r;
}

/* A frame whose payload counts up from its type. Returns its size. */
static size_t make_frame(uint8_t *out, uint32_t length, uint16_t type, uint16_t flags)
{
	frame_encode_header(out, length, type, flags);
	for (uint32_t i = 0; i < length; i++)
		out[FRAME_HEADER + i] = (uint8_t)(type + i);
	return FRAME_HEADER + (size_t)length;
}

START_TEST(header_is_network_order)
{
	static const uint8_t expected[] = {0x00, 0x01, 0x00, 0x00, 0x12, 0x34, 0x00, 0x01};
	uint8_t bytes[FRAME_HEADER];

	frame_encode_header(bytes, FRAME_PAYLOAD_MAX, 0x1234, FRAME_FLAG_SKIP);
	ck_assert_mem_eq(bytes, expected, sizeof(expected));
	ck_assert_uint_eq(frame_size(bytes), FRAME_MAX);
}
END_TEST

START_TEST(whole_frame)
{
	uint8_t bytes[FRAME_HEADER + 16];
	struct frame f;
	size_t size = make_frame(bytes, 16, 0x20, FRAME_FLAG_SKIP);

	ck_assert_int_eq(decode_exact(bytes, size, 16, &f, NULL), 0);
	ck_assert_uint_eq(f.type, 0x20);
	ck_assert_uint_eq(f.flags, FRAME_FLAG_SKIP);
	ck_assert_uint_eq(f.length, 16);
	ck_assert_ptr_eq(f.payload, bytes + FRAME_HEADER);
}
END_TEST

/* Every truncation wants more, says how much, and touches nothing. */
START_TEST(every_truncation)
{
	static const uint32_t lengths[] = {0, 1, 16, 300};
	uint8_t bytes[FRAME_HEADER + 300];
	size_t size = make_frame(bytes, lengths[_i], 7, 0);

	for (size_t cut = 0; cut < size; cut++) {
		struct frame f = {.type = 0xaaaa};
		size_t need = 0;
		ck_assert_int_eq(decode_exact(bytes, cut, 300, &f, &need), ERR_AGAIN);
		ck_assert_uint_eq(need, cut < FRAME_HEADER ? FRAME_HEADER : size);
		ck_assert_int_eq(decode_exact(bytes, cut, 300, &f, NULL), ERR_AGAIN);
		ck_assert_uint_eq(f.type, 0xaaaa);
	}
}
END_TEST

/* A length at the limit is a frame, one past it an error: as soon as the length can be read. */
START_TEST(every_limit_and_one_past)
{
	static const uint32_t limits[] = {0, 1, 16, 4096, FRAME_PAYLOAD_MAX - 1, FRAME_PAYLOAD_MAX};
	static uint8_t bytes[FRAME_MAX + 1];
	uint32_t limit = limits[_i];
	struct frame f = {.type = 0xaaaa};
	size_t need = 77;

	size_t size = make_frame(bytes, limit, 7, 0);
	ck_assert_int_eq(decode_exact(bytes, size, limit, &f, NULL), 0);
	ck_assert_uint_eq(f.length, limit);
	f.type = 0xaaaa;
	bytes_put_u32(bytes, limit + 1);
	for (size_t length = 4; length <= FRAME_HEADER + 1; length++)
		ck_assert_int_eq(decode_exact(bytes, length, limit, &f, &need), ERR_PROTOCOL);
	ck_assert_int_eq(decode_exact(bytes, size + 1, limit, &f, &need), ERR_PROTOCOL);
	bytes_put_u32(bytes, UINT32_MAX);
	ck_assert_int_eq(decode_exact(bytes, size + 1, limit, &f, &need), ERR_PROTOCOL);
	ck_assert_uint_eq(f.type, 0xaaaa);
	ck_assert_uint_eq(need, 77);
}
END_TEST

START_TEST(undefined_flags)
{
	uint8_t bytes[FRAME_HEADER + 16];
	uint16_t flag = (uint16_t)(1U << _i);
	struct frame f;

	make_frame(bytes, 0, 7, flag);
	int expected = flag == FRAME_FLAG_SKIP ? 0 : ERR_PROTOCOL;
	ck_assert_int_eq(frame_decode(bytes, FRAME_HEADER, 16, &f, NULL), expected);
	make_frame(bytes, 16, 7, flag);
	expected = flag == FRAME_FLAG_SKIP ? ERR_AGAIN : ERR_PROTOCOL;
	ck_assert_int_eq(frame_decode(bytes, FRAME_HEADER, 16, &f, NULL), expected);
}
END_TEST

/* What comes to a chat port by mistake. The first four bytes give all of it away. */
static const char *const strangers[] = {
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* a TLS ClientHello */
	"\x80\x2e\x01\x03\x01\x00\x15\x00",             /* an SSL 2 hello */
	"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"SSH-2.0-OpenSSH_9.2p1\r\n",
	"NICK anna\r\nUSER anna 0 * :anna\r\n",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	"\r\n\r\n\r\n\r\n",
	"hello?\n",
};

START_TEST(strangers_are_recognised)
{
	const uint8_t *bytes = (const uint8_t *)strangers[_i];
	struct frame f;

	for (size_t length = 4; length <= 7; length++) {
		ck_assert_int_eq(
			decode_exact(bytes, length, FRAME_PAYLOAD_MAX, &f, NULL), ERR_PROTOCOL);
		ck_assert_int_eq(decode_exact(bytes, length, 512, &f, NULL), ERR_PROTOCOL);
		ck_assert_int_eq(frame_decode_datagram(bytes, length, 512, &f), ERR_PROTOCOL);
	}
}
END_TEST

/* ---- streams ---- */

#define FRAMES 5

/* A receiver like any other: it keeps what has come and takes frames off the front. */
struct receiver {
	uint8_t kept[256];
	size_t used;
	struct frame frames[FRAMES];
	uint8_t payloads[FRAMES][64];
	size_t count;
};

static void receive(struct receiver *r, const uint8_t *bytes, size_t length)
{
	struct frame f;

	ck_assert_uint_le(length, sizeof(r->kept) - r->used);
	memcpy(r->kept + r->used, bytes, length);
	r->used += length;
	for (;;) {
		int e = decode_exact(r->kept, r->used, 64, &f, NULL);
		if (e == ERR_AGAIN)
			return;
		ck_assert_int_eq(e, 0);
		ck_assert_uint_lt(r->count, FRAMES);
		memcpy(r->payloads[r->count], f.payload, f.length);
		r->frames[r->count++] = f;
		size_t taken = FRAME_HEADER + f.length;
		r->used -= taken;
		memmove(r->kept, r->kept + taken, r->used);
	}
}

static size_t make_stream(uint8_t *out)
{
	static const uint32_t lengths[FRAMES] = {3, 0, 17, 0, 1};
	size_t size = 0;

	for (uint16_t i = 0; i < FRAMES; i++)
		size += make_frame(out + size, lengths[i], (uint16_t)(0x0100 + i), i & 1);
	return size;
}

/* Everything of `stream` has come out of the receiver, and nothing more. */
static void assert_received(const struct receiver *r, const uint8_t *stream)
{
	ck_assert_uint_eq(r->used, 0);
	ck_assert_uint_eq(r->count, FRAMES);
	for (size_t i = 0; i < FRAMES; i++) {
		uint8_t again[FRAME_HEADER];
		const struct frame *f = &r->frames[i];
		frame_encode_header(again, f->length, f->type, f->flags);
		ck_assert_mem_eq(again, stream, FRAME_HEADER);
		if (f->length)
			ck_assert_mem_eq(r->payloads[i], stream + FRAME_HEADER, f->length);
		stream += frame_size(stream);
	}
}

START_TEST(cut_at_every_two_places)
{
	uint8_t stream[256];
	size_t size = make_stream(stream);

	for (size_t first = 0; first <= size; first++) {
		for (size_t second = first; second <= size; second++) {
			struct receiver r = {0};
			receive(&r, stream, first);
			receive(&r, stream + first, second - first);
			receive(&r, stream + second, size - second);
			assert_received(&r, stream);
		}
	}
}
END_TEST

START_TEST(pieces_of_every_size)
{
	uint8_t stream[256];
	size_t size = make_stream(stream);

	for (size_t piece = 1; piece <= size; piece++) {
		struct receiver r = {0};
		for (size_t at = 0; at < size; at += piece)
			receive(&r, stream + at, at + piece < size ? piece : size - at);
		assert_received(&r, stream);
	}
}
END_TEST

/* ---- datagrams ---- */

START_TEST(datagram_is_one_frame)
{
	static const uint32_t lengths[] = {0, 1, 40};
	uint8_t bytes[FRAME_HEADER + 64] = {0};
	struct frame f = {.type = 0xaaaa};
	size_t size = make_frame(bytes, lengths[_i], 9, 0);

	for (size_t length = 0; length <= size + 9; length++) {
		if (length == size)
			continue;
		ck_assert_int_eq(frame_decode_datagram(bytes, length, 64, &f), ERR_PROTOCOL);
		ck_assert_uint_eq(f.type, 0xaaaa);
	}
	if (lengths[_i] > 0)
		ck_assert_int_eq(
			frame_decode_datagram(bytes, size, lengths[_i] - 1, &f), ERR_PROTOCOL);
	ck_assert_int_eq(frame_decode_datagram(bytes, size, lengths[_i], &f), 0);
	ck_assert_uint_eq(f.type, 9);
	ck_assert_uint_eq(f.length, lengths[_i]);
	ck_assert_ptr_eq(f.payload, bytes + FRAME_HEADER);
}
END_TEST

Suite *frame_suite(void)
{
	Suite *s = suite_create("frame");
	TCase *header = tcase_create("header");
	TCase *stream = tcase_create("stream");
	TCase *datagram = tcase_create("datagram");

	tcase_add_test(header, header_is_network_order);
	tcase_add_test(header, whole_frame);
	tcase_add_loop_test(header, every_truncation, 0, 4);
	tcase_add_loop_test(header, every_limit_and_one_past, 0, 6);
	tcase_add_loop_test(header, undefined_flags, 0, 16);
	tcase_add_loop_test(header, strangers_are_recognised, 0,
		(int)(sizeof(strangers) / sizeof(strangers[0])));
	suite_add_tcase(s, header);
	tcase_add_test(stream, cut_at_every_two_places);
	tcase_add_test(stream, pieces_of_every_size);
	suite_add_tcase(s, stream);
	tcase_add_loop_test(datagram, datagram_is_one_frame, 0, 3);
	suite_add_tcase(s, datagram);
	return s;
}
