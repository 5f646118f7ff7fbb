/*
 * The canvas: the one place through which anything reaches the screen.
 *
 * Whatever is drawn is cut to a rectangle and goes out cluster by cluster in the
 * columns that text_cluster gives it, so panes keep their borders whatever the
 * text. Nothing that could move the cursor, change a mode or turn the direction of
 * writing is ever put out: it is shown as U+FFFD. What this terminal's library
 * would draw in other columns than ours is drawn without its modifiers (the first
 * person of a family, a thumb without its colour).
 *
 * It draws on the terminal that terminal_open has taken over; one thread. Nothing is
 * sent before canvas_show.
 */
#ifndef LANCHAT_CANVAS_H
#define LANCHAT_CANVAS_H

#include "client/layout.h"
#include "client/terminal.h"

#include <stddef.h>

/* How something looks. INK_NICK + n: the n-th colour of nicks. */
enum ink {
	INK_NORMAL,
	INK_DIM,
	INK_STRONG,
	INK_BAR,     /* topic and status */
	INK_CHOSEN,  /* the row that is chosen, the room that is shown */
	INK_MENTION, /* names the user */
	INK_GOOD,
	INK_ERROR,
	INK_RULE, /* lines between panes, the marker */
	INK_NICK,
};

struct canvas;

/* ERR_MEMORY. The terminal is borrowed and must outlive the canvas. */
int canvas_new(struct terminal *t, struct canvas **out);
void canvas_free(struct canvas *c);

/* This terminal has no lines of box drawing: rules and frames are of -, | and + from now on. */
void canvas_ascii(struct canvas *c);

void canvas_size(const struct canvas *c, int *lines, int *columns);

/* Begin a new picture: everything is blank and the cursor hidden. */
void canvas_clear(struct canvas *c);

/* Write `length` bytes at (y, x), as much as lies in `clip`. Returns the column after the text,
 * also where it was cut. */
int canvas_text(
	struct canvas *c, struct rect clip, int y, int x, int ink, const char *text, size_t length);

/* Fill a rectangle with blanks of that ink; a line of rule of one cell's height or width. */
void canvas_fill(struct canvas *c, struct rect r, int ink);
void canvas_rule(struct canvas *c, struct rect r, int ink);

/* The ink of somebody's nick. */
int canvas_nick_ink(const struct canvas *c, const char *nick);

/* Where the cursor shall be; at a negative line it is hidden. */
void canvas_cursor(struct canvas *c, int y, int x);

/* Put the picture on the screen. */
void canvas_show(struct canvas *c);

#endif
