/*
 * The datagram lane: frames beside the connection, one in each UDP datagram.
 *
 *      0   1               9               17
 *     +---+---------------+---------------+------------------ - - --+-------------+
 *     | 1 | lane id       | counter       | exactly one frame       | tag, 16     |
 *     +---+---------------+---------------+------------------ - - --+-------------+
 *      version             from 1 on       sealed, or in the clear   sealed alone
 *
 * A *sealed* lane belongs to a connection that speaks TLS: the frame is encrypted with
 * ChaCha20-Poly1305 (RFC 8439) under keys that both ends export from the connection
 * (RFC 8446 7.5), with the header as additional data and a nonce made of the counter as
 * TLS makes it of a record's (RFC 8446 5.3). What is not from the other end, or was
 * there before (replay.h), is told apart and changes nothing.
 *
 * An *insecure* lane belongs to a connection without TLS. Whoever knows its id, which
 * anybody on the way does, can read, change and forge what goes over it, as on the
 * connection itself.
 *
 * Pure but for OpenSSL's memory: bytes in, bytes out. A lane is for one thread at a
 * time; different ones may be used at once. docs/PROTOCOL.md section 17.
 */
#ifndef LANCHAT_LANE_H
#define LANCHAT_LANE_H

#include "common/frame.h"
#include "common/replay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANE_VERSION  1
#define LANE_HEADER   17
#define LANE_TAG      16
#define LANE_OVERHEAD (LANE_HEADER + LANE_TAG) /* of a sealed one, around its frame */
#define LANE_MAX      65507 /* the most that UDP over IPv4 takes: RFC 768, RFC 791 */
#define LANE_USUAL    1200  /* passes everywhere in one piece: RFC 9000 14 */

/* How many datagrams that are not from the other end a lane looks at before it opens none any more:
 * the chance of taking one for real stays negligible below that (RFC 9001 6.6). */
#define LANE_FORGED_MOST (UINT64_C(1) << 36)

/* What both ends export: two keys and two IVs, the client's before the server's. */
#define LANE_LABEL "EXPORTER-lanchat-lane"
#define LANE_KEYS  88

enum lane_side {
	LANE_CLIENT,
	LANE_SERVER,
};

struct evp_cipher_ctx_st;

/* One end of a lane. lane_init makes it. */
struct lane {
	uint64_t id;
	struct evp_cipher_ctx_st *out, *in; /* owned; NULL: insecure */
	uint8_t iv_out[12], iv_in[12];
	uint64_t counter; /* of the last one sealed */
	uint64_t forged;  /* so many were not from the other end */
	struct replay replay;
};

/* What was in a datagram. */
struct lane_arrival {
	struct frame frame; /* borrowed from the datagram */
	bool newest;        /* none with a higher counter came before */
};

/* `keys`: LANE_KEYS bytes, which the caller wipes; NULL: an insecure one. ERR_CRYPTO, and there is
 * nothing to end. Pair with lane_fini, which zeroed storage may be given to as well. */
int lane_init(struct lane *l, uint64_t id, enum lane_side side, const uint8_t *keys);
void lane_fini(struct lane *l);

/* The context of the export: the id as it goes over the wire. */
void lane_context(uint64_t id, uint8_t context[8]);

/* How many bytes a frame of `length` bytes becomes. */
size_t lane_sealed_size(const struct lane *l, size_t length);

/* Make a datagram of a whole frame, header included. ERR_TOO_BIG: it would have more than `size`
 * or LANE_MAX bytes; ERR_FULL: every counter has been used; ERR_CRYPTO. */
int lane_seal(struct lane *l, const uint8_t *frame, size_t length, uint8_t *out, size_t size,
	size_t *used);

/* The id of the lane that a datagram is for; ERR_PROTOCOL: it is none of any lane's. */
int lane_id(const uint8_t *datagram, size_t length, uint64_t *id);

/* Open one in place. ERR_PROTOCOL: it is none of this lane's, or its content is not one whole frame;
 * ERR_EXISTS: it was there before, or is too old to tell; ERR_CRYPTO: it is not from the other end.
 * After an error the bytes mean nothing; an ERR_PROTOCOL over the content alone leaves the number
 * used. */
int lane_open(struct lane *l, uint8_t *datagram, size_t length, struct lane_arrival *out);

/* After ERR_EXISTS, for counting what a network doubles: is it from the other end, and was its number
 * there before? Then what is in it, which must not be acted on. Errors as lane_open; ERR_NOT_FOUND: too
 * old to tell. */
int lane_open_copy(struct lane *l, uint8_t *datagram, size_t length, struct frame *out);

#endif
