/*
 * Paging through all that is kept of a room, oldest first.
 *
 * The pager says which page to ask for next (link_history) and, of each answer,
 * what is missing before it. It knows no connection: after a break its owner asks
 * again for what pager_next says, which goes on after the last entry that was
 * taken, so that nothing comes twice.
 *
 * Where it begins at a time, it looks back once at the end: only an older message
 * shows that nothing of that time was pruned, and that the room exists at all.
 *
 * Plain value, one thread.
 */
#ifndef LANCHAT_PAGER_H
#define LANCHAT_PAGER_H

#include "client/link.h"

#include <stdbool.h>
#include <stdint.h>

enum pager_stage {
	PAGER_READING,
	PAGER_LOOKING_BACK,
	PAGER_DONE,
};

struct pager {
	uint64_t since; /* microseconds since 1970; 0: from the beginning */
	enum pager_stage stage;
	uint64_t first, last; /* numbers of the first and the last entry; 0: there is none yet */
	uint64_t pruned;      /* the newest that is known not to be kept; or 0 */
	uint64_t count;       /* entries so far */
	bool any;             /* something of the room is kept, be it older than `since` */
};

/* What to ask link_history for. */
struct pager_question {
	enum history_from from;
	uint64_t value;
	uint16_t limit;
};

/* Messages after number `after` and up to `last` are no longer kept. `last` 0: there is no gap. */
struct pager_gap {
	uint64_t after;
	uint64_t last;
};

void pager_init(struct pager *p, uint64_t since);

/* What to ask for now; false: nothing, all has been read. */
bool pager_next(const struct pager *p, struct pager_question *out);

/* An answer, an EVENT_HISTORY, to what pager_next said. `*gap`: what is missing before it. How many
 * of its entries to print is `*take`: all, or none. ERR_PROTOCOL: it promises more and brings
 * nothing. */
int pager_take(struct pager *p, const struct event *page, struct pager_gap *gap, size_t *take);

#endif
