/*
 * Between what keys do to a scenario's screen and how it looks.
 */
#ifndef LANCHAT_LAB_SCREEN_PRIVATE_H
#define LANCHAT_LAB_SCREEN_PRIVATE_H

#include "tools/lab/desk.h"
#include "tools/lab/frames.h"
#include "tools/lab/guide.h"
#include "tools/lab/chat_lines.h"
#include "tools/lab/ladder.h"
#include "tools/lab/lab_screen.h"
#include "tools/lab/panes.h"
#include "tools/lab/player.h"
#include "tools/lab/sheet.h"

#define LAB_HINT 256

/* What of a pane is seen. */
struct lab_scroll {
	bool held;           /* it stays at `top`; else it shows the newest */
	size_t top;          /* the first line that is seen */
	size_t count, lines; /* that there were, and were seen, when it was last drawn */
};

struct lab_screen {
	struct canvas *canvas; /* borrowed */
	bool ascii;
	struct stage_options options; /* as it is played now */
	struct impairment impaired;   /* the network now */
	unsigned slow;
	bool stands;

	/* Owned, and new with every run. */
	struct player *player;
	struct ladder *ladder[SIDES];
	struct sheet *calls[SIDES], *story;
	struct frames *frames;

	/* Of the chat. */
	bool chat;
	struct desk desk;
	struct sheet
		*voices[CHAT_PEOPLE]; /* owned; what both clients print, in place of TCP's calls */
	struct lab_scroll second;     /* of b's; a's is the pane's */

	bool ended; /* the scenario has; what it sent last may still be on its way */
	bool over;  /* nothing more will come */
	int result;
	int64_t ended_ms;     /* when it ended: clock_ms */
	uint64_t ended_ns;    /* the same on the journal's clock */
	int64_t played_ms;    /* and on the stage's */
	unsigned played_slow; /* how slow it was then */

	struct lab_scroll scroll[PANES];
	enum pane chosen;
	bool alone;
	char hint[LAB_HINT]; /* what the last key did, or "" */
	int64_t hint_until;  /* clock_ms: then it makes room for the keys */

	bool guided; /* the guide is shown */
	struct guide guide;
	size_t guide_top;

	enum lab_wish wish;
};

/* lab_view.c: draw all of it, and bring what is kept of it up to date. */
void lab_view(struct lab_screen *s);

/* lab_screen_end.c: has it ended? It has when the scenario has nothing more to do; it is over when also its
 * last packets have arrived, or will not. */
void lab_screen_look(struct lab_screen *s);

/* Can packets be shown? */
bool lab_screen_has_wire(const struct lab_screen *s);

#endif
