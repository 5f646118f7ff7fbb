/*
 * The guide: what `?` shows. Keys, knobs and counters are printed from their tables, so that it cannot
 * tell of another program than this one. One thread.
 */
#ifndef LANCHAT_LAB_GUIDE_H
#define LANCHAT_LAB_GUIDE_H

#include <stddef.h>

#define GUIDE_HANG 20 /* the column at which what is wrapped goes on */

struct guide {
	char **lines; /* owned */
	size_t count;
};

/* Of the menu, or of a scenario: LAB_IN_MENU or LAB_IN_RUN. Where memory is short, lines are missing. */
void guide_init(struct guide *g, unsigned where);
void guide_fini(struct guide *g);

#endif
