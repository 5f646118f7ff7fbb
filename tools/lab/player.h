/*
 * The player: a scenario that plays in a thread of its own, while somebody watches.
 *
 * The stage is the player's; what it has to tell may be read, and the audience's calls made, by one other
 * thread until player_stop, also when the scenario has ended.
 */
#ifndef LANCHAT_LAB_PLAYER_H
#define LANCHAT_LAB_PLAYER_H

#include "tools/lab/stage.h"

struct player;

/* Open a stage, which takes `slow` times as long as it would, and begin; where it `stands`, its time and its
 * wire do from the beginning. Signals are for other threads.
 * ERR_REFUSED, and `reason` says what is missing; ERR_MEMORY, ERR_SYSTEM. */
int player_start(const struct stage_options *o, unsigned slow, bool stands, struct player **out,
	char reason[SITE_REASON]);

/* End it, and wait until it has: what has come of it can still be read. stage_play's. */
int player_end(struct player *p);

/* End it, wait until it has, and free all. NULL is allowed. */
void player_stop(struct player *p);

struct stage *player_stage(struct player *p);

/* Readable once it has ended. Borrowed. */
int player_fd(const struct player *p);

/* Has it? Then `*result` is stage_play's. */
bool player_is_over(const struct player *p, int *result);

#endif
