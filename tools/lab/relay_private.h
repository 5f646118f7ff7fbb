/*
 * What the files of the relay share. Each turn its thread takes over what was asked for, does what there
 * is to do, without the lock, and tells what it counted.
 */
#ifndef LANCHAT_LAB_RELAY_PRIVATE_H
#define LANCHAT_LAB_RELAY_PRIVATE_H

#include "common/lock.h"
#include "common/net.h"
#include "tools/lab/relay.h"

#include <poll.h>

#define RELAY_ROUTES   32
#define RELAY_STREAMS  16
#define RELAY_VISITORS 32
#define RELAY_FLIGHT   4096  /* datagrams on their way */
#define RELAY_BUFFER   16384 /* bytes of a stream that wait in the relay, each way */
#define RELAY_MARKS    64
#define RELAY_DATAGRAM 65536 /* bytes: none is longer */

/* Somewhere to be reached. */
struct route {
	int fd; /* where the relay waits; -1: free */
	int type;
	bool closing;
	uint16_t port;
	unsigned toward;
	struct net_address target;
};

/* One direction of a stream: bytes, and when each piece of them is due. */
struct half {
	uint8_t bytes[RELAY_BUFFER];
	size_t start, used;
	struct {
		uint64_t due_ns;
		size_t length;
	} marks[RELAY_MARKS];
	size_t first_mark, marks_count;
	bool ended, passed_on; /* its end was read; and told to the other side */
	uint64_t end_due_ns;
};

/* A connection, in two: to who came, and to where it leads. */
struct stream_pair {
	int fd[2]; /* -1: free */
	bool connecting;
	unsigned toward;
	struct half half[2]; /* half[0] carries from fd[0] to fd[1] */
};

/* Somebody who sent a datagram to a route: it is passed on from a socket of its own, and what comes back
 * there is his. */
struct visitor {
	int fd; /* -1: free */
	size_t route;
	struct net_address who;
};

struct datagram {
	struct datagram *next;
	uint64_t due_ns;
	size_t visitor;
	bool back; /* from the target */
	size_t length;
	uint8_t bytes[];
};

struct relay {
	/* Constant while it runs. */
	pthread_t thread;
	int wake_fd;

	/* Its thread's alone. */
	bool stands;   /* as `held` */
	unsigned pace; /* as `slow` */
	struct impairer direction[2];
	struct wire_counts counting[SIDES];
	struct route serving[RELAY_ROUTES];
	struct stream_pair *streams; /* RELAY_STREAMS, owned */
	struct visitor visitors[RELAY_VISITORS];
	struct datagram *flight; /* in the order in which they are due; owned */
	size_t flight_count;
	uint8_t taken[RELAY_DATAGRAM]; /* the one that is being decided on */

	struct lock lock;       /* LOCK_LEAF; and below */
	pthread_cond_t changed; /* a route is closed, or `held_seen` is as `held` */
	bool stopping, held, held_seen;
	unsigned slow;
	struct impairment set;
	bool set_anew;
	struct wire_counts counts[SIDES];  /* as of its last turn */
	struct route routes[RELAY_ROUTES]; /* their descriptors are closed by the thread */
};

/* The monotonic clock, in nanoseconds. */
uint64_t relay_now(void);

/* When something arrives that is due at `due_ns` where nothing is slowed down. */
uint64_t relay_due(const struct relay *r, uint64_t now, uint64_t due_ns);

/* ---- streams: relay_stream.c ---- */

/* May one more come? */
bool relay_stream_room(const struct relay *r);
void relay_stream_accept(struct relay *r, const struct route *way);
/* What to wait for; how many were added. */
nfds_t relay_stream_poll(const struct relay *r, struct pollfd *p, uint64_t *due_ns);
/* Everything that can be done now. */
void relay_stream_turn(struct relay *r, uint64_t now);
void relay_stream_end(struct stream_pair *t, bool reset);

/* ---- datagrams: relay_datagram.c ---- */

void relay_datagram_take(struct relay *r, size_t route, uint64_t now);
/* The route is closed: with it goes who used it. */
void relay_datagram_forget(struct relay *r, size_t route);
nfds_t relay_datagram_poll(const struct relay *r, struct pollfd *p, uint64_t *due_ns);
void relay_datagram_turn(struct relay *r, uint64_t now);
void relay_datagram_end(struct relay *r);

#endif
