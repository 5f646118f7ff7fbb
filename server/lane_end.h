/*
 * The server's end of one lane: who may be answered, and where.
 *
 * A datagram proves that it is from the client; its source address proves nothing, for
 * whoever sends can write any there, the client itself included. So an address is first
 * asked whether it hears us: a PING with a number that cannot be guessed, in answer to a
 * datagram that was no shorter, and a PONG with it from there. Until then nothing else
 * goes to it. An address that changes, because a NAT forgot or a laptop moved, is asked
 * anew, and only a datagram that is newer than all before can start that. (RFC 9000,
 * sections 8.2 and 9.3, do the same.)
 *
 * What has come to what the lane may be told is decided here, without sockets. All is the
 * lanes' thread's own.
 */
#ifndef LANCHAT_SERVER_LANE_END_H
#define LANCHAT_SERVER_LANE_END_H

#include "common/lane.h"
#include "common/message.h"
#include "server/budget.h"
#include "server/lane_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of silence, after which what a client would be told goes over TCP again: four of its signs of life
 * are missing. */
#define LANE_SILENT_MS 60000

struct lane_end {
	struct lane lane;
	struct budget *budget;   /* borrowed: the connection's, of all its lanes */
	bool known;              /* `path` has answered */
	struct lane_path path;   /* where the client is */
	int64_t heard;           /* clock_ms: when an authentic datagram last came from there */
	bool asked;              /* `asking` has been asked */
	struct lane_path asking; /* where the client may be */
	uint64_t token;          /* that it has to send back */
};

/* What is to be done about a datagram that was opened. */
enum lane_verdict {
	LANE_IGNORE,
	LANE_ASK,         /* send a PING with `token` back, and do nothing else */
	LANE_PONG,        /* send a PONG with the token of the PING back */
	LANE_ACT,         /* it says something: act on it, and answer to `path` */
	LANE_ACT_AND_ASK, /* the same for what needs no answer, and ask */
};

/* `m` came as the content of a datagram of `length` bytes over `path`. `now` is clock_ms. */
enum lane_verdict lane_end_judge(struct lane_end *e, const struct lane_arrival *a,
	const union message *m, size_t length, const struct lane_path *path, int64_t now);

/* May it be sent to? */
bool lane_end_is_live(const struct lane_end *e, int64_t now);

/* Pay for a datagram of so many bytes. False: it has used up what it may, and the datagram is to be
 * dropped. One that is long costs as many as it would be in pieces of LANE_USUAL. */
bool lane_end_pay(struct lane_end *e, uint16_t number, size_t length, int64_t now);

#endif
