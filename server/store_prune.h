/*
 * What goes to make room: the oldest entries, beyond what may be kept.
 *
 * Acts about rooms and the server are what moderators answer for, so they do not go because much is
 * said: the newest of each room's stay, and in all a fixed number, until they are too old. So the log
 * begins with acts alone, between which numbers are missing.
 *
 * Where entries have gone, each of their streams remembers the number of the newest
 * (a floor, from which a gap is told), and each instance its highest counter, so
 * that an id that was accepted once stays accepted.
 */
#ifndef LANCHAT_SERVER_STORE_PRUNE_H
#define LANCHAT_SERVER_STORE_PRUNE_H

#include "server/store.h"

#define STORE_ACTS_EACH 1000  /* of one room, and of the server, that are spared */
#define STORE_ACTS_MOST 50000 /* in all */

/* What the log has, as far as it was counted; zeroed at the start. */
struct store_kept {
	uint64_t passed;  /* up to this number there are acts alone, which were spared */
	uint64_t acts;    /* so many */
	uint64_t counted; /* up to this number */
	uint64_t bytes;   /* about, with the indexes */
};

/* Count some of what came, and let some of what is too old or too much go, in one transaction.
 * `*more` becomes true when there may be more to let go. The writer must be reset when `*dropped` is
 * not 0. `config`: the limits. */
int store_prune(struct store *s, const struct engine_config *config, struct store_kept *kept,
	uint64_t *dropped, bool *more);

#endif
