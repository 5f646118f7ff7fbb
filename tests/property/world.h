/*
 * One server, some clients, and the paths between them.
 *
 * The server is a real chat over a real engine; a client is the real session of
 * the client, without threads and sockets. What one step does to them is here;
 * which steps are taken is the schedule's (schedule.h). Everything is for the
 * test's thread.
 */
#ifndef LANCHAT_TESTS_WORLD_H
#define LANCHAT_TESTS_WORLD_H

#include "client/event.h"
#include "client/link_session.h"
#include "tests/property/oracle.h"
#include "tests/property/path.h"
#include "tests/property/truth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GHOSTS_MOST 4

struct world_config {
	size_t clients, rooms;
	bool shared;         /* the first and the last client are one person */
	bool durable;        /* the log outlives the server */
	size_t keep_bytes;   /* of the log */
	size_t window_bytes; /* of recent frames */
	uint32_t replay;
	FILE *story; /* what happens, a line each; NULL: nobody wants to know */
};

struct client {
	struct link_session *session;
	struct path *path; /* NULL: not connected */
	bool wanted;       /* false: this one rests for a while */
};

struct world {
	struct world_config config;
	struct verdict verdict;
	struct oracle oracle;
	struct chat *chat;
	struct truth **truths; /* owned: every log there was; the last is the one of now */
	size_t truth_count;
	char *folder; /* owned: where the durable log is; NULL: it is not */
	struct client client[CLIENTS_MOST];
	struct path *ghosts; /* given up by their clients, and alive all the same */
	size_t ghost_count;
	int64_t now; /* the clients' clock, in microseconds */
};

void world_init(struct world *w, const struct world_config *config);
void world_fini(struct world *w);

/* The log of now. */
struct truth *world_truth(struct world *w);

/* A line of the story. */
void world_tell(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- what clients do ---- */

void world_connect(struct world *w, int client, int buffer);
void world_join(struct world *w, int client, int room);
void world_part(struct world *w, int client, int room);

/* Something in a room, or (room -1) to a person, of about `length` bytes. */
void world_say(struct world *w, int client, int room, int person, size_t length);

/* Time passes for all. */
void world_pass(struct world *w, int64_t microseconds);

/* ---- what the network does ---- */

/* Let `bytes` of what a client sends arrive. */
void world_up(struct world *w, int client, size_t bytes);

/* Let `frames` more frames for it arrive, and `bytes` of what comes after. */
void world_down(struct world *w, int client, size_t frames, size_t bytes);

/* The connection breaks. `haunting`: the server does not notice, and what was on its way to it may
 * still arrive. */
void world_break(struct world *w, int client, bool haunting);

/* Bytes of a connection that its client has given up arrive at last; or it ends. */
void world_haunt(struct world *w, size_t ghost, size_t bytes);
void world_lay(struct world *w, size_t ghost);

/* Does the client take what its socket brings? */
void world_stall(struct world *w, int client, bool stalled);

/* A message that the log has is sent once more under its counter. */
void world_repeat(struct world *w, int client, uint64_t counter);

/* ---- what the server does ---- */

/* It stops, with or without a goodbye, and starts again. */
void world_restart(struct world *w, bool goodbye);

/* ---- the end ---- */

/* All comes right: nothing breaks any more, everybody connects, and everything arrives. Then all is
 * judged. */
void world_heal(struct world *w);

#endif
