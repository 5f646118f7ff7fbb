#include "common/frame.h"

#include "common/bytes.h"
#include "common/err.h"

#include <assert.h>

int frame_decode(const uint8_t *bytes, size_t length, uint32_t limit, struct frame *f, size_t *need)
{
	assert(limit <= FRAME_PAYLOAD_MAX);
	if (length < FRAME_HEADER) {
		/* A length that can be read is judged at once, not when the header is complete. */
		if (length >= 4 && bytes_u32(bytes) > limit)
			return ERR_PROTOCOL;
		if (need)
			*need = FRAME_HEADER;
		return ERR_AGAIN;
	}
	uint32_t payload = bytes_u32(bytes);
	uint16_t flags = bytes_u16(bytes + 6);
	if (payload > limit || (flags & ~FRAME_FLAG_SKIP) != 0)
		return ERR_PROTOCOL;
	if (length - FRAME_HEADER < payload) {
		if (need)
			*need = FRAME_HEADER + (size_t)payload;
		return ERR_AGAIN;
	}
	*f = (struct frame){
		.type = bytes_u16(bytes + 4),
		.flags = flags,
		.length = payload,
		.payload = bytes + FRAME_HEADER,
	};
	return 0;
}

int frame_decode_datagram(const uint8_t *bytes, size_t length, uint32_t limit, struct frame *f)
{
	struct frame whole;

	if (frame_decode(bytes, length, limit, &whole, NULL) != 0)
		return ERR_PROTOCOL;
	if (FRAME_HEADER + (size_t)whole.length != length)
		return ERR_PROTOCOL;
	*f = whole;
	return 0;
}

void frame_encode_header(uint8_t *out, uint32_t length, uint16_t type, uint16_t flags)
{
	assert(length <= FRAME_PAYLOAD_MAX);
	bytes_put_u32(out, length);
	bytes_put_u16(out + 4, type);
	bytes_put_u16(out + 6, flags);
}

size_t frame_size(const uint8_t *bytes)
{
	return FRAME_HEADER + (size_t)bytes_u32(bytes);
}
