/*
 * The table of rooms, for those who read it: hub.c keeps it, hub_view.c walks it for a viewer.
 */
#ifndef LANCHAT_HUB_PRIVATE_H
#define LANCHAT_HUB_PRIVATE_H

#include "common/lock.h"
#include "server/hub.h"
#include "server/tree.h"

#include <sys/queue.h>

#define HUB_DAMAGED_TOLD 16 /* rooms whose damage is logged, each once */

/* A room's place in the table. */
struct row {
	struct stream_key key;     /* first: it stands for the whole in comparisons */
	struct room *room;         /* counted */
	bool kept;                 /* it was in the log when it was opened */
	bool closed;               /* it is not among the open ones */
	TAILQ_ENTRY(row) deserted; /* while nobody uses the room */
};

struct hub {
	struct engine *engine;         /* borrowed */
	struct segment_budget *budget; /* borrowed */
	struct lock lock;
	/* guarded by lock */
	struct tree rows;      /* all of them */
	struct tree open_rows; /* those of rooms that everybody may see */
	size_t count, max;
	size_t used;                /* rows that somebody uses */
	size_t fresh;               /* rows that are not `kept` */
	size_t in_log;              /* about how many rooms the log has, these apart */
	size_t closed;              /* about how many of these and those are not open */
	uint64_t missed;            /* entries that were applied to rooms that are not here */
	TAILQ_HEAD(, row) deserted; /* rooms that nobody uses, the longest deserted first */
	struct stream_key damaged[HUB_DAMAGED_TOLD]; /* what was logged of */
	size_t damaged_count;
	struct room *telling; /* rooms with something to tell, linked and counted */
};

#endif
