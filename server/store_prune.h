/*
 * What goes to make room: the oldest entries, beyond what may be kept.
 *
 * Where entries have gone, each of their streams remembers the number of the newest
 * (a floor, from which a gap is told), and each instance its highest counter, so
 * that an id that was accepted once stays accepted.
 */
#ifndef LANCHAT_SERVER_STORE_PRUNE_H
#define LANCHAT_SERVER_STORE_PRUNE_H

#include "server/store.h"

/* Let some of what is too old or too much go, in one transaction. `*more` becomes true when there
 * may be more to do. The writer must be reset when `*dropped` is not 0. `config`: the limits. */
int store_prune(struct store *s, const struct engine_config *config, uint64_t *dropped, bool *more);

#endif
