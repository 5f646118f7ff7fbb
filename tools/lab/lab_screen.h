/*
 * The screen of one scenario: it plays, and its two sides, the wire between and what is to be said of it
 * are seen while it does. When it has ended all of it can still be looked through.
 *
 * The canvas is borrowed. One thread.
 */
#ifndef LANCHAT_LAB_SCREEN_H
#define LANCHAT_LAB_SCREEN_H

#include "client/canvas.h"
#include "client/keys.h"
#include "tools/lab/keep.h"
#include "tools/lab/stage.h"

struct lab_screen;

enum lab_wish {
	LAB_WISH_STAY,
	LAB_WISH_LEAVE, /* this screen, or the program where there is none before it */
	LAB_WISH_QUIT,
	LAB_WISH_REDRAW,
	LAB_WISH_SUSPEND,
};

/* What came of the last run. */
struct lab_verdict {
	bool known; /* it ran to its end, or could not be run */
	int error;  /* of stage_play; 0 */
	struct verdicts count;
};

/* Begin to play, or stand still before the first packet. As player_start. `ascii`: no lines of box drawing. */
int lab_screen_start(struct canvas *c, bool ascii, const struct stage_options *o, bool stands,
	struct lab_screen **out, char reason[SITE_REASON]);
void lab_screen_stop(struct lab_screen *s);

/* Which scenario it is of. */
int lab_screen_number(const struct lab_screen *s);

void lab_screen_input(struct lab_screen *s, const struct input *in);

/* What it wishes since it was last asked. */
enum lab_wish lab_screen_wish(struct lab_screen *s);

/* Readable when there is something to do; -1: never. */
int lab_screen_fd(const struct lab_screen *s);

/* When the picture is to be drawn again, by clock_ms; INT64_MAX: when something has come in. */
int64_t lab_screen_deadline(const struct lab_screen *s);

void lab_screen_draw(struct lab_screen *s);

void lab_screen_verdict(const struct lab_screen *s, struct lab_verdict *out);

/* End the run, take what came of it, and add it to what is kept; `o` is the caller's to free. ERR_MEMORY;
 * ERR_NOT_FOUND: there was none. */
int lab_screen_keep(struct lab_screen *s, struct keep *k, struct outcome *o);

/* By how much a scenario is slowed down so that it can be watched: at most so much that a round trip
 * does not take longer than TCP waits at least before it sends again. */
unsigned lab_screen_pace(const struct stage_options *o);

#endif
