/*
 * What the files of the stage share.
 *
 * Nothing of the journal, the wire or the relay is called under the stage's lock, for theirs are of the
 * same rank.
 */
#ifndef LANCHAT_LAB_STAGE_PRIVATE_H
#define LANCHAT_LAB_STAGE_PRIVATE_H

#include "common/lock.h"
#include "tools/lab/relay.h"
#include "tools/lab/stage.h"

#include <stdatomic.h>

#define STAGE_SOCKETS 32 /* open at once */
#define STAGE_PLACES  32 /* ports bound in one run, on loopback */

/* A socket of the scenario. */
struct stage_end {
	int fd; /* -1: free */
	enum side side;
	uint8_t host;
	int type;
	bool bound;              /* by stage_bind, and so perhaps with a relay before it */
	struct net_address from; /* who sent the last datagram that was read here */

	/* Which call waits here, or did at `waited_ns` (UINT64_MAX: it does now); on the journal's clock. */
	const char *waits_in;   /* NULL: the last one did not wait in vain */
	uint64_t vain_since_ns; /* since when nothing came of it */
	uint64_t waited_ns;

	bool asked; /* TCP_INFO, which said: */
	uint32_t retransmitted;
};

/* On loopback: a port that a host has, and where it is to be found. */
struct stage_place {
	uint8_t host;
	int type;
	uint16_t named; /* by the scenario */
	uint16_t real;  /* what it is bound to */
	uint16_t relay; /* where the relay waits for whoever wants to get there; 0: nobody does */
};

struct reckoning {
	uint64_t *sent_ns;    /* by the message's number: when; 0: not sent */
	uint64_t *arrived_ns; /* first */
	uint32_t room;        /* in both arrays */
	uint32_t highest;     /* number that came, and 1 */
	struct score score;
};

struct stage {
	/* Constant while it plays; all owned but the scenario. */
	struct stage_options options;
	struct site *site;   /* NULL on loopback */
	struct wire *wire;   /* the same */
	struct relay *relay; /* NULL in namespaces */
	struct journal *journal;
	int stop_fd; /* eventfd, readable once it is told to stop */

	atomic_bool stopped;
	atomic_size_t held, failed, open; /* checks */

	struct lock lock; /* LOCK_LEAF; for all below */
	/* The stage's clock: `passed_ns` had passed at `since_ns` of the monotonic clock. */
	uint64_t passed_ns, since_ns;
	unsigned slow; /* factor */
	bool stands;
	struct stage_end ends[STAGE_SOCKETS];
	struct stage_place places[STAGE_PLACES];
	size_t places_count;
	struct reckoning reckonings[SIDES];
	/* Of TCP's sockets that are closed: their retransmissions, and whether there are any. */
	uint64_t closed_retransmitted;
	bool closed_asked;
	char failing[SIDES + 1][STAGE_TROUBLE]; /* the last call of each side that failed */
	char trouble[STAGE_TROUBLE];
};

/* ---- the clock ---- */

uint64_t stage_clock(struct stage *s); /* nanoseconds */

/* ---- sockets: stage_end.c ---- */

/* A copy of what is known of a descriptor. False: it is none of ours; errno is EBADF. */
bool stage_end_of(struct stage *s, int fd, struct stage_end *out);
/* EMFILE; the descriptor stays the caller's. */
int stage_end_add(struct stage *s, const struct stage_end *e);
void stage_end_remove(struct stage *s, int fd);
void stage_end_bound(struct stage *s, int fd);
void stage_end_heard(struct stage *s, int fd, const struct net_address *from);
/* A call begins to wait, and has ended its wait. */
void stage_end_waits(struct stage *s, int fd, const char *operation);
void stage_end_waited(struct stage *s, int fd, bool in_vain);

/* Ask a stream's TCP_INFO, quietly, and keep its retransmissions. 0, or -1 with errno. */
int stage_end_ask(struct stage *s, int fd, struct tcp_info *out);
/* All that are open. */
void stage_end_ask_all(struct stage *s);

/* stage_wait, in that call. */
int stage_await(struct stage *s, int fd, short events, int timeout_ms, const char *operation);

/* ---- calls: stage_note.c ---- */

/* Write a call down; errno is kept. */
void stage_note(struct stage *s, const struct stage_end *e, const char *operation, long result,
	const char *why, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* "no answer, after 20 s of waiting": what is said of a call that waited since `began`, stage_ms, in vain. */
#define STAGE_WAITED 128
const char *stage_waited(struct stage *s, int64_t began, const char *what, char out[STAGE_WAITED]);
/* May a call of it be made? Else errno says why not: ECANCELED, EBADF. */
bool stage_begin(struct stage *s, int fd, struct stage_end *out);

/* ---- addresses: stage_place.c ---- */

/* Where a host's port is spoken to. */
void stage_reach(struct stage *s, size_t host, uint16_t port, int type, struct net_address *out);
/* What a socket of that host binds to, for a port named so. */
void stage_own(struct stage *s, size_t host, uint16_t port, int type, struct net_address *out);
/* It is bound: know it by that name; before a socket for datagrams the relay waits from now on. */
int stage_place_add(struct stage *s, const struct stage_end *e, uint16_t named);
/* A stream listens, or either is closed: the relay waits before it, or no longer does. */
int stage_place_waits(struct stage *s, const struct stage_end *e, bool waits);
/* What the scenario calls a port. */
uint16_t stage_place_name(struct stage *s, size_t host, int type, uint16_t real);

/* ---- the rest ---- */

void reckoning_fini(struct reckoning *t);

#endif
