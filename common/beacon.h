/*
 * The discovery packet: how servers are asked for, answer, announce themselves
 * and say goodbye.
 *
 * One UDP datagram of exactly 192 bytes, whatever it says, so that an answer is
 * never larger than the question. All integers are in network order.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *   0 | magic: "LCB1"                                                 |
 *     +---------------+---------------+-------------------------------+
 *   4 | type          | flags         | lowest protocol version       |
 *     +---------------+---------------+-------------------------------+
 *   8 | highest protocol version      | TCP port                      |
 *     +-------------------------------+-------------------------------+
 *  12 | sequence                                                      |
 *     +---------------------------------------------------------------+
 *  16 | lifetime, milliseconds                                        |
 *     +---------------------------------------------------------------+
 *  20 | people logged in now                                          |
 *     +---------------------------------------------------------------+
 *  24 | people at most                                                |
 *     +---------------------------------------------------------------+
 *  28 | nonce, 8 bytes                                                |
 *     +---------------------------------------------------------------+
 *  36 | server id, 32 bytes                                           |
 *     +---------------------------------------------------------------+
 *  68 | instance id, 16 bytes                                         |
 *     +---------------------------------------------------------------+
 *  84 | commitment, or in a goodbye the secret, 16 bytes              |
 *     +---------------------------------------------------------------+
 * 100 | name, 48 bytes of UTF-8, zeros after it                       |
 *     +---------------------------------------------------------------+
 * 148 | zeros, 44 bytes                                               |
 *     +---------------------------------------------------------------+
 *
 * There is no address inside: the address that the packet came from, with its
 * interface where it is link-local, and the TCP port make the server's. A query
 * has versions and a nonce and nothing else.
 *
 * The commitment is the first 16 bytes of SHA-256 of a secret that the server
 * draws when it starts; only its goodbye reveals the secret, so nobody else can
 * say goodbye for it. Nothing else here is proven: the id is checked against the
 * server's key when connecting.
 *
 * The codec is pure, and any thread may call it.
 */
#ifndef LANCHAT_BEACON_H
#define LANCHAT_BEACON_H

#include "common/identity.h"
#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BEACON_SIZE   192
#define BEACON_NONCE  8
#define BEACON_SECRET 16 /* also the size of a commitment */

/* Who did not hear a server for this long forgets it. */
#define BEACON_LIFETIME_MS 6500

/* Where IPv6 is sent: link-local scope, transient, and a group id of the range that RFC 3307 leaves
 * for those that nobody assigned. */
#define BEACON_GROUP "ff12::ec61:6e63"

enum beacon_type {
	BEACON_QUERY = 1,        /* who is there? */
	BEACON_ANSWER = 2,       /* to one who asked; carries the query's nonce */
	BEACON_ANNOUNCEMENT = 3, /* unasked, to all */
	BEACON_GOODBYE = 4,      /* the server ends; carries the secret */
};

/* The server listens on ::1, and the source address says only which host it is. Meant for packets
 * that arrive over the loopback interface, which carries no IPv6 multicast; elsewhere it makes a
 * packet worthless. Receivers ignore the other flags. */
#define BEACON_FLAG_LOOPBACK6 0x01

/* Connections to the server are without TLS. Only a hint: whoever connects finds out. */
#define BEACON_FLAG_PLAINTEXT 0x02

/* One packet's meaning. A plain value. */
struct beacon {
	enum beacon_type type;
	uint8_t flags;
	uint16_t version_low, version_high;
	uint16_t port;        /* TCP; not 0, except in a query */
	uint32_t sequence;    /* of this instance, rising by one each time it speaks */
	uint32_t lifetime_ms; /* not 0 in answers and announcements */
	uint32_t people, people_max;
	uint8_t nonce[BEACON_NONCE];
	uint8_t server[IDENTITY_SIZE];
	uint8_t instance[INSTANCE_ID];
	uint8_t proof[BEACON_SECRET];   /* the commitment; in a goodbye the secret */
	char name[SERVER_NAME_MAX + 1]; /* clean text, terminated */
};

/* Write `b`, which must obey what its fields say. */
void beacon_encode(const struct beacon *b, uint8_t out[BEACON_SIZE]);

/* Read a datagram. ERR_PROTOCOL: not one of these packets, or a field is out of bounds, or zeros are
 * not zeros, or the name is not clean text. */
int beacon_decode(const uint8_t *bytes, size_t length, struct beacon *out);

/* As much of `text` as a name may have, cut between characters. */
void beacon_name(char out[SERVER_NAME_MAX + 1], const char *text);

/* The commitment to `secret`. */
void beacon_commit(const uint8_t secret[BEACON_SECRET], uint8_t commitment[BEACON_SECRET]);

/* Does `secret` open `commitment`? */
bool beacon_opens(const uint8_t secret[BEACON_SECRET], const uint8_t commitment[BEACON_SECRET]);

#endif
