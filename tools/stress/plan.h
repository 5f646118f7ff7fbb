/*
 * The plan: what a load is to be, decided before anything is opened.
 *
 * The clients are numbered from 0 on. Client i is in room i mod rooms, and the first `senders` of them
 * speak, so that speakers and listeners are spread evenly. Of the others some may read slowly, come and
 * go, or quit midway; who does is drawn by the seed, and the same again with the same seed. Whoever does
 * none of this is steady, and is whose latency counts.
 *
 * Constant after plan_make; any thread.
 */
#ifndef LANCHAT_STRESS_PLAN_H
#define LANCHAT_STRESS_PLAN_H

#include "tools/stress/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role {
	ROLE_STEADY,
	ROLE_SENDER, /* and steady */
	ROLE_SLOW,
	ROLE_CHURNS,
	ROLE_QUITS,
};

struct plan {
	const struct protocol *protocol;
	bool tls;
	uint32_t clients, rooms, senders;
	uint32_t size;       /* bytes of a message */
	double rate;         /* messages a second in all; 0: by window */
	uint32_t window;     /* of one sender on their way at once */
	uint32_t in_flight;  /* of all senders; 0: as the window says */
	uint32_t connecting; /* clients at once that are on their way in */
	int64_t duration;    /* microseconds, as are the next two */
	int64_t ramp;        /* over which clients come; 0: as fast as they are let in */
	int64_t patience;    /* in which nothing comes, after which nothing more is waited for */
	double churn;        /* leave and return, a second */
	unsigned slow, quit; /* percent of the clients */
	uint64_t seed;
	uint32_t run;  /* told apart from other runs by it, those with the same seed, too */
	uint8_t *role; /* owned: by client, enum role */
};

/* Complete a plan of which all but `run` and `role` are filled in. ERR_ARGUMENT, with one line in
 * `error` that says what to change; ERR_MEMORY. */
int plan_make(struct plan *p, char *error, size_t size);
void plan_fini(struct plan *p);

/* May this machine do it? Raises the limit of descriptors as far as it has to. `local`: the server runs
 * here for the run, too. ERR_FULL, with one line in `error` that names the limit and how to raise it. */
int plan_fits(const struct plan *p, bool local, char *error, size_t size);

/* Clients of a room, and how many of them speak: the first ones. */
uint32_t plan_room_clients(const struct plan *p, uint32_t room);
uint32_t plan_room_senders(const struct plan *p, uint32_t room);

/* Pseudorandom numbers, SplitMix64 (Steele, Lea, Flood 2014): the next one of a sequence. */
uint64_t plan_random(uint64_t *state);

#endif
