/*
 * What `--pipe` listens to: the rooms that were asked for, and the direct messages; and whether all
 * that was said in each while we were away has come. A plain module, for one thread.
 */
#ifndef LANCHAT_PIPE_PLACES_H
#define LANCHAT_PIPE_PLACES_H

#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>

struct pipe_place;

/* Zeroed storage listens to nothing. */
struct pipe_places {
	struct pipe_place *list; /* owned */
	size_t count;
};

/* The names stay the caller's, and must outlive this. ERR_MEMORY. */
int pipe_places_init(struct pipe_places *p, const struct option_list *rooms);
void pipe_places_fini(struct pipe_places *p);

/* All that was said in `room` has come; "": the direct messages. Another room is ignored. */
void pipe_places_caught_up(struct pipe_places *p, const char *room);

/* Nothing will come of it any more. */
void pipe_places_lost(struct pipe_places *p, const char *room);

/* The connection broke: more may be said until it is back. */
void pipe_places_broke(struct pipe_places *p);

/* Has everything come that will? */
bool pipe_places_all(const struct pipe_places *p);

#endif
