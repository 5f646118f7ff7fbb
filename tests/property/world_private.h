/*
 * What the files of the world share:
 *
 *     world.c          the server's life, and what clients do
 *     world_network.c  what the network does
 *     world_heal.c     how all comes right in the end
 */
#ifndef LANCHAT_TESTS_WORLD_PRIVATE_H
#define LANCHAT_TESTS_WORLD_PRIVATE_H

#include "tests/property/world.h"

extern const char *const world_rooms[ROOMS_MOST];

/* What a client was told, to the oracle and the story. */
void world_take_events(struct world *w, int client);

/* What a client has to send goes on its way. */
void world_take_output(struct world *w, int client);

/* The client knows that its connection is over. */
void world_hang_up(struct world *w, int client);

/* A connection that its client has given up ends; `*at` is the next one then. */
void world_end_ghost(struct world *w, struct path **at);

#endif
