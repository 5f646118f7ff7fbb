/*
 * The datagram lanes of all connections: their sockets, and the thread that answers.
 *
 * A connection that wants one is given a lane: a random id, keys of its own from TLS, and
 * a row in the table by id, which lasts as long as the connection. One thread receives,
 * finds the lane, opens the datagram (common/lane.h), asks the lane's end what to do
 * (lane_end.h), and acts (lane_act.c). It alone seals and opens, so none of that is
 * guarded. What belongs to no lane, or is not authentic, is counted and never answered;
 * no answer is longer than what it answers.
 *
 * lanes_send is for the lanes' thread, the rest for any.
 */
#ifndef LANCHAT_SERVER_LANES_H
#define LANCHAT_SERVER_LANES_H

#include "server/outlet.h"
#include "server/races.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chat;
struct lanes;

/* Open a socket beside each address that is listened on; `port` 0: any free one. Before threads and
 * sandbox. ERR_SYSTEM, ERR_MEMORY, with one line in `error`. */
int lanes_new(const struct net_address *listening, size_t count, uint16_t port, struct lanes **out,
	char *error, size_t size);

/* Start the thread. `chat` is borrowed until lanes_stop. ERR_SYSTEM. */
int lanes_start(struct lanes *l, struct chat *chat);

/* Stop the thread, if there is one, and free all. Every connection has closed its lane. NULL is
 * allowed. */
void lanes_stop(struct lanes *l);

/* The port for who is connected to this address of ours; 0: there is none for it. */
uint16_t lanes_port(const struct lanes *l, const struct net_address *local);

/* Who wants a lane. Borrowed. */
struct lane_owner {
	struct outlet *outlet;
	const uint8_t *keys; /* LANE_KEYS; NULL: an insecure one */
	const char *nick;
	bool proven;          /* who they are */
	uint32_t rate, burst; /* budget.h */
	uint32_t text_max;    /* bytes */
};

/* Give a connection a lane of this random id; one that it had before is closed, and what was used up of
 * `rate` and `burst` over that stays so. ERR_MEMORY, ERR_CRYPTO; ERR_EXISTS: another lane has the id. */
int lanes_open(struct lanes *l, uint64_t id, const struct lane_owner *owner);

/* Its client is called something else from now on. */
void lanes_rename(struct lanes *l, struct outlet *o, const char *nick);

/* The connection is over, and so are its lane and its races. */
void lanes_close(struct lanes *l, struct outlet *o);

/* The races are told by lanes_raced that there is one more, so that its time is kept. */
struct races *lanes_races(struct lanes *l);
void lanes_raced(struct lanes *l);

/* So far; of the lanes that there are now, how many. */
struct lanes_numbers {
	uint64_t lanes, received, sent, strange, forged, replayed, dropped;
};
void lanes_numbers(struct lanes *l, struct lanes_numbers *out);

/* ---- for lane_act.c ---- */

struct lane_end;

/* The client of a lane, as of now; a plain value. */
struct lane_client {
	struct outlet *outlet; /* borrowed from the lane */
	char nick[NICK_MAX + 1];
	bool proven;
	uint32_t text_max;
};

/* Send a frame to a connection by its lane. False: it has none, or not one that is known to work now;
 * nothing was sent. Datagrams that the socket does not take are lost. */
bool lanes_send(struct lanes *l, struct outlet *o, const uint8_t *frame, size_t length);

/* Something was not done. */
void lanes_dropped(struct lanes *l);

/* Act on a message of a client's that was opened, which is clean text; `frame` is the whole of it. */
void lane_act(struct lanes *l, struct chat *chat, const struct lane_client *client,
	const struct frame *f, union message *m);

#endif
