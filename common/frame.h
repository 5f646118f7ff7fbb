/*
 * Framing: how messages are told apart in a stream of bytes.
 *
 *      0               4       6       8
 *     +---------------+-------+-------+----------------
 *     | length        | type  | flags | payload ...
 *     +---------------+-------+-------+----------------
 *
 * All integers are in network order. `length` counts the payload alone. It comes
 * first so that a stranger's bytes are recognised at once: a TLS hello or an HTTP
 * request read as a length is far above the limit. docs/PROTOCOL.md section 2.
 *
 * The decoder is a pure function of the bytes at hand. On a stream the caller
 * keeps what has arrived and asks again when there is more; how the bytes were
 * cut up never matters. In a datagram the frame must be the whole of it.
 * Nothing here allocates, locks or blocks; any thread may call it.
 */
#ifndef LANCHAT_FRAME_H
#define LANCHAT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER      8
#define FRAME_PAYLOAD_MAX 65536 /* the largest payload that any frame may have */
#define FRAME_MAX         (FRAME_HEADER + FRAME_PAYLOAD_MAX)

/* A receiver that does not know the type passes over the frame instead of closing. */
#define FRAME_FLAG_SKIP 0x0001

/* One frame; `payload` is borrowed from the bytes that were decoded. */
struct frame {
	uint16_t type;
	uint16_t flags;
	uint32_t length;
	const uint8_t *payload;
};

/* Look for one frame at the start of `bytes`. 0: `*f` is filled and the frame took
 * FRAME_HEADER + f->length bytes. ERR_AGAIN: not all of it is here; `*need`, unless NULL, is how
 * many bytes the frame (or, before that is known, its header) has in all. ERR_PROTOCOL: a length
 * above `limit` or an undefined flag; found as soon as the header is here, before a byte of the
 * payload. `limit` is at most FRAME_PAYLOAD_MAX. */
int frame_decode(
	const uint8_t *bytes, size_t length, uint32_t limit, struct frame *f, size_t *need);

/* The frame that is the whole of one datagram; ERR_PROTOCOL for anything less or more. */
int frame_decode_datagram(const uint8_t *bytes, size_t length, uint32_t limit, struct frame *f);

/* Write a header for a payload of `length` bytes to the first FRAME_HEADER bytes of `out`. */
void frame_encode_header(uint8_t *out, uint32_t length, uint16_t type, uint16_t flags);

/* How many bytes the complete frame that starts at `bytes` has: for walking bytes of our own. */
size_t frame_size(const uint8_t *bytes);

#endif
