/*
 * What the files of the swarm share; nobody else includes this.
 */
#ifndef LANCHAT_STRESS_SWARM_PRIVATE_H
#define LANCHAT_STRESS_SWARM_PRIVATE_H

#include "common/stream.h"
#include "tools/stress/ledger.h"
#include "tools/stress/swarm.h"
#include "tools/stress/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IN_BYTES ((size_t)256 * 1024) /* received at once; more than PROTOCOL_THING_MOST */

struct evp_pkey_st;
struct tls;

enum client_state {
	CLIENT_AWAY,     /* no connection: not yet, or between two */
	CLIENT_DIALING,  /* TCP */
	CLIENT_SHAKING,  /* TLS */
	CLIENT_GREETING, /* logging in, going into the room */
	CLIENT_UP,
	CLIENT_ENDED, /* has quit, or was thrown out: it does not come back */
};

/* What a speaker has on its way. */
struct sender {
	uint32_t sent, acknowledged;
	uint32_t on_way;     /* that not every steady member has, */
	uint32_t given_up;   /* behind this one: up to it, none is waited for any more */
	uint32_t mask;       /* of the next, by counter */
	uint32_t *remaining; /* owned: steady members that have it not; by window alone */
	uint32_t
		times_size; /* of the next, by counter: a power of two, more than are not acknowledged */
	int64_t *sent_at; /* owned: microseconds; NULL: nothing is acknowledged */
	int64_t said_at;  /* by window: when it last said something */
	uint64_t turn;    /* by rate: of all senders' messages, which is its next */
	bool ready;       /* it is on the list of those that may say something */
	bool held;        /* it has to wait until what was written has gone out */
	bool over;        /* it says no more */
	struct client *next_ready;
};

struct client {
	struct protocol_peer peer;
	struct stream *stream;   /* owned; NULL: none */
	struct evp_pkey_st *key; /* owned; NULL: plaintext */
	uint8_t *kept;           /* owned: the part of something that has come */
	uint8_t *pending;        /* owned: what the socket has not taken */
	uint32_t *seen;          /* owned: the last number of each sender of the room */
	struct sender *sender;   /* owned; NULL: it only listens */
	uint64_t newest;         /* place in the room of the last message that came */
	uint32_t kept_length, kept_size;
	size_t pending_at, pending_end, pending_size;
	enum client_state state;
	enum role role;
	uint32_t events; /* of epoll */
	bool was_up, leaving;
	bool thrown_out; /* its connection ended though nobody here wanted that */
	int64_t back_at; /* AWAY: when it returns; 0: it does not by itself */
	uint64_t delivered, latency_sum;
	uint32_t latency_most;
};

enum phase {
	PHASE_CONNECTING,
	PHASE_RESTING,
	PHASE_LOAD,
	PHASE_DRAIN,    /* nobody speaks; steady ones get the rest */
	PHASE_CATCH_UP, /* the same for everybody else, who now read as fast as they can */
	PHASE_OVER,
};

struct swarm {
	struct swarm_setting setting;
	const struct plan *plan;
	const struct protocol *protocol;
	struct tls *tls; /* owned; NULL: plaintext */
	int epoll;
	enum phase phase;
	bool stopped;   /* from outside: this phase is over */
	bool cut_short; /* some phase was */
	bool no_end;    /* they came for so long that nobody waited for the rest */
	int64_t waited; /* for so long nothing came, and so nothing more is waited for; 0: it did */
	int64_t heard_at; /* since the load was over: when any byte last came, or somebody was away */
	struct client *clients;
	uint32_t *steady;     /* owned: members that are so, by room */
	uint32_t next_client; /* the first that has never dialed */
	uint32_t dialing, up; /* clients */
	uint32_t connected, refused, disconnected, quit;
	uint32_t senders_out; /* of the disconnected: who had something to say */
	uint32_t left,
		churned; /* those that leave and return: of these, the latter have returned */
	int64_t first_dial, last_up; /* microseconds */
	int64_t progress_at;         /* when a client, a message or its acknowledgement last came */
	int64_t turned_at, paused;   /* its last turn; how long it was not let run in the load, */
	int64_t paused_before;       /* and while clients connected */
	int64_t looked_at;           /* the last time it looked what it had of a processor: */
	uint64_t turned_cpu;         /* nanoseconds */
	uint64_t chance;             /* plan_random */
	struct net_address source;   /* the loopback address that is dialed from; length 0: any */
	uint32_t source_used, source_most; /* connections from it; 0: not known yet */
	bool out_of_ports;

	uint8_t *in; /* owned: one for all, as one is read at a time */
	struct outgoing out;
	struct ledger ledger;
	struct tally tally;
	uint64_t foreign, gaps, unacknowledged;
	uint64_t lost_disconnected; /* of those lost: to, or of, who was thrown out */
	uint64_t expected, arrived; /* deliveries to steady members */

	int64_t load_began, load_ends,
		load_ended; /* microseconds; the time in marks begins with the first */
	int64_t last_delivery;
	uint64_t unsent, held_back; /* by rate: as swarm_pace.c says when the load ends */
	size_t said_bytes;          /* of the last message, as it was written */
	uint64_t turn;              /* by rate: of all senders' messages, which is the next */
	struct client *ready, **ready_end; /* by window, as are the next two */
	int64_t next_look;                 /* for senders that wait in vain */
	uint64_t in_vain;                  /* microseconds of all senders, in vain */
	int64_t next_churn, next_sip, quit_at;
	uint32_t away;     /* clients that are to return */
	char agent[64];    /* what the server says that it is; "": nothing */
	char problem[240]; /* the first thing that went wrong with a connection */
};

/* Microseconds; the same clock as clock_us. */
int64_t swarm_now(void);

/* ---- swarm_client.c ---- */

/* Have it connect. What fails is told by swarm_client_failed. */
void swarm_client_dial(struct swarm *s, struct client *c);

/* epoll has something for it. */
void swarm_client_event(struct swarm *s, struct client *c, uint32_t events);

/* Receive what there is, at most `most` bytes (0: all), and act on it. */
void swarm_client_read(struct swarm *s, struct client *c, size_t most);

/* Send what is in s->out, which is empty then; the socket may take it later. */
void swarm_client_send(struct swarm *s, struct client *c);

/* Read from it, or do not. */
void swarm_client_listen(struct swarm *s, struct client *c, bool listen);

/* A slow reader reads as fast as it can from now on. */
void swarm_client_hurry(struct swarm *s, struct client *c);

/* Close: in good order, or as if the cable had been cut. */
void swarm_client_close(struct swarm *s, struct client *c, bool politely);

/* Its connection is over though nobody here wanted that. */
void swarm_client_failed(struct swarm *s, struct client *c, const char *why);

/* ---- swarm_take.c ---- */

/* False: the connection is of no more use, and closed. */
bool swarm_take(struct swarm *s, struct client *c, const struct event *e, int64_t now);

/* It leaves, to return. */
void swarm_take_away(struct swarm *s, struct client *c);

/* Its connection is over for good: nothing more comes to it. */
void swarm_take_leave(struct swarm *s, const struct client *c);

/* Nothing more will come: what is missing is lost. */
void swarm_take_missing(struct swarm *s);

/* Deliveries that are still to come, to those who are here or will be. */
uint64_t swarm_take_outstanding(const struct swarm *s);

/* Has everybody who reads slowly or was away everything, as far as they are still here? Those who are
 * steady have had their time. */
bool swarm_is_complete(const struct swarm *s);

/* ---- swarm_tell.c ---- */

/* The run is over: what came of it. What was counted by second becomes the result's. */
void swarm_tell(struct swarm *s, struct result *r);

/* ---- swarm_pace.c ---- */

/* ERR_MEMORY. */
int swarm_pace_init(struct swarm *s);
void swarm_pace_begin(struct swarm *s, int64_t now);

/* Send what is due. */
void swarm_pace_turn(struct swarm *s, int64_t now);

/* Microseconds of the clock: when there is something to send; INT64_MAX: it depends on others. */
int64_t swarm_pace_next(const struct swarm *s);

/* By rate, to be asked when the load has ended: what was due while it ran, and of which nothing was written;
 * and of what was written, that which is still in our buffers. */
uint64_t swarm_pace_unsent(const struct swarm *s);
uint64_t swarm_pace_held_back(const struct swarm *s);

/* By window: the part of their time in which senders waited for what did not come; to be asked when
 * the rest has come, and all are still here. */
double swarm_pace_waited(const struct swarm *s);

/* The socket has taken something of what was written: it may go on. */
void swarm_pace_sent(struct swarm *s, struct client *c);

/* One steady member more has message `counter`, or will not get it. */
void swarm_pace_delivered(struct swarm *s, struct client *sender, uint32_t counter);

/* ---- swarm_roles.c ---- */

void swarm_roles_begin(struct swarm *s, int64_t now);
void swarm_roles_turn(struct swarm *s, int64_t now);

/* The load is over: nobody leaves any more. */
void swarm_roles_stay(struct swarm *s);

/* Those who are steady are done: everybody returns, and reads as fast as it can. */
void swarm_roles_end(struct swarm *s, int64_t now);

#endif
