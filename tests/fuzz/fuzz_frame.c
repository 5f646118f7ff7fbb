/*
 * A stream of frames must give the same frames, and end in the same way, however
 * it is cut up.
 *
 * Input: a byte that chooses the limit, a byte that chooses the pieces, then the
 * stream.
 *
 * About: common/frame.c
 */
#include "common/frame.h"

#include "common/err.h"
#include "tests/fuzz/require.h"

#include <string.h>

/* A digest of the frames so far, in their order. */
struct seen {
	size_t frames;
	uint64_t hash;
};

static void hash_bytes(struct seen *s, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < length; i++)
		s->hash = (s->hash ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
}

static void see(struct seen *s, const struct frame *f)
{
	s->frames++;
	hash_bytes(s, &f->type, sizeof(f->type));
	hash_bytes(s, &f->flags, sizeof(f->flags));
	hash_bytes(s, &f->length, sizeof(f->length));
	hash_bytes(s, f->payload, f->length);
	PLANTED(s->frames == 2 && says_bugs(f->payload, f->length));
}

/* One frame must encode to the header that it was decoded from, and be a datagram by itself. */
static void check_frame(const uint8_t *bytes, uint32_t limit, const struct frame *f)
{
	uint8_t header[FRAME_HEADER];
	struct frame again;

	REQUIRE(f->length <= limit && f->payload == bytes + FRAME_HEADER);
	frame_encode_header(header, f->length, f->type, f->flags);
	REQUIRE(memcmp(header, bytes, FRAME_HEADER) == 0);
	size_t size = frame_size(bytes);
	REQUIRE(size == FRAME_HEADER + (size_t)f->length);
	REQUIRE(frame_decode_datagram(bytes, size, limit, &again) == 0);
	REQUIRE(frame_decode_datagram(bytes, size - 1, limit, &again) == ERR_PROTOCOL);
}

/* Take every frame off `bytes`. Returns how the last attempt ended, and in `*taken` how far it got. */
static int drain(const uint8_t *bytes, size_t length, uint32_t limit, struct seen *s, size_t *taken)
{
	struct frame f;
	size_t need = 0;

	for (*taken = 0;;) {
		int r = frame_decode(bytes + *taken, length - *taken, limit, &f, &need);
		if (r == ERR_AGAIN)
			REQUIRE(need > length - *taken && need <= FRAME_HEADER + (size_t)limit);
		if (r != 0)
			return r;
		check_frame(bytes + *taken, limit, &f);
		see(s, &f);
		*taken += FRAME_HEADER + (size_t)f.length;
	}
}

/* The same with pieces of `piece` bytes. What is kept lies in a block of its own size, so that
 * reading past it is noticed. */
static int drain_in_pieces(
	const uint8_t *bytes, size_t length, size_t piece, uint32_t limit, struct seen *s)
{
	size_t start = 0;
	int r = ERR_AGAIN;

	for (size_t end = 0; end < length && r == ERR_AGAIN;) {
		size_t taken;
		end = length - end < piece ? length : end + piece;
		uint8_t *kept = malloc(end - start);
		REQUIRE(kept);
		memcpy(kept, bytes + start, end - start);
		r = drain(kept, end - start, limit, s, &taken);
		start += taken;
		free(kept);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t limits[] = {0, 16, 512, FRAME_PAYLOAD_MAX};
	struct seen whole = {0}, pieces = {0};
	size_t taken;

	if (size < 2)
		return 0;
	uint32_t limit = limits[data[0] % 4];
	size_t piece = (size_t)data[1] + 1;
	int a = drain(data + 2, size - 2, limit, &whole, &taken);
	int b = drain_in_pieces(data + 2, size - 2, piece, limit, &pieces);
	REQUIRE(a == b && (a == ERR_AGAIN || a == ERR_PROTOCOL));
	REQUIRE(whole.frames == pieces.frames && whole.hash == pieces.hash);
	return 0;
}
