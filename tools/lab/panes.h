/*
 * Panes: where on the screen of a scenario each thing is.
 *
 *     title
 *     question
 *     TCP calls    | UDP calls
 *     TCP wire     | UDP wire
 *     TCP counters | UDP counters
 *     the story
 *     knobs
 *     hint
 *
 * A narrow terminal shows one side at a time, the chosen one; a small one the chosen pane alone. A low
 * one loses the question first, then the counters, the knobs, the hint and the title. What is not shown
 * has no lines or no columns. Pure; any thread.
 */
#ifndef LANCHAT_LAB_PANES_H
#define LANCHAT_LAB_PANES_H

#include "client/layout.h"

#include <stdbool.h>

enum pane {
	PANE_TCP_CALLS,
	PANE_TCP_WIRE,
	PANE_UDP_CALLS,
	PANE_UDP_WIRE,
	PANE_STORY,
	PANES,
};

struct panes_wishes {
	enum pane chosen;
	bool alone;      /* the chosen one, whatever the room */
	bool over;       /* the scenario has ended: more of the story */
	bool wire;       /* there are packets to be shown */
	int score_lines; /* that the counters take, at panes_side_columns */
	int knob_lines;  /* that the knobs take, at the screen's width */
};

struct panes {
	struct rect title, question, pane[PANES], score[2], knobs, hint;
	struct rect rule; /* the column between both sides */
};

/* Lay out a screen of `lines` by `columns`, both at least 1. */
struct panes panes_make(int lines, int columns, struct panes_wishes wishes);

/* How wide one side's panes are on such a screen. */
int panes_side_columns(int columns);

/* The pane after `from` (or before it, `by` < 0) in the order of Tab. */
enum pane panes_next(enum pane from, int by, bool wire);

#endif
