/*
 * The view: how the model looks.
 *
 * Each function draws one pane into its rectangle of the canvas, and draws nothing
 * where the rectangle is empty. They only read what they draw. One thread.
 */
#ifndef LANCHAT_VIEW_H
#define LANCHAT_VIEW_H

#include "client/canvas.h"
#include "client/complete.h"
#include "client/editor.h"
#include "client/layout.h"
#include "client/model.h"
#include "client/sites.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the chat screen ---- */

/* The line at the top: the room's topic, or what there is to say of the other person. */
void view_topic(struct canvas *c, struct rect r, const struct buffer *b);

/* The rooms, from `top` on, with what is unread. */
void view_rooms(struct canvas *c, struct rect r, const struct model *m, size_t top);

/* The first room to list so that the current one is seen: `top`, if it is. */
size_t view_rooms_top(struct rect r, const struct model *m, size_t top);

void view_members(struct canvas *c, struct rect r, const struct buffer *b);
void view_messages(struct canvas *c, struct rect r, const struct buffer *b, bool kept);

/* The mark, one column wide, of an own message: how it is doing at a server that keeps what is said, or
 * does not. */
const char *view_mark(enum line_state state, bool kept);

/* How the pane of that rectangle would lay a buffer's lines out, for scrolling it. */
struct rows_view view_rows(struct rect r, const struct buffer *b);

/* The status bar. Without a pane of rooms it tells what is unread as well. `now` is clock_ms. */
void view_status(
	struct canvas *c, struct rect r, const struct model *m, bool rooms_shown, int64_t now);

/* Instead of the status bar: a sentence, or the candidates of a completion. */
void view_hint(struct canvas *c, struct rect r, const char *text);
void view_candidates(struct canvas *c, struct rect r, const struct completion *completion);

/* The input line with its prompt, and the cursor. Returns where the text shown begins: keep it. */
size_t view_input(
	struct canvas *c, struct rect r, const char *prompt, const struct editor *e, size_t start);

/* ---- over it ---- */

struct box {
	const char *title;
	char *const *lines; /* borrowed; long ones are wrapped */
	size_t count;
	size_t hang; /* what is wrapped goes on at this column, where there is room; 0: at a few */
	const char *footer;
};

/* A box in the middle of the screen, its rows from `top` on; its frame tells which they are, unless
 * all are seen. Returns `top`, less where it was beyond the end. */
size_t view_box(struct canvas *c, const struct box *b, size_t top);

/* What a search has found, over the rectangle. Returns the line of its first row, and keeps in `*top`
 * which result that is, so that a click finds it. */
int view_found(struct canvas *c, struct rect r, const struct found *f, size_t *top);

/* A race, over the rectangle: TCP to the left, UDP to the right; one above the other where it is narrow. */
void view_race(struct canvas *c, struct rect r, const struct link_race *race);

/* ---- the discovery screen ---- */

struct view_sites {
	const struct sites *sites;
	const char *message;          /* a sentence on what happened, or NULL */
	const struct editor *address; /* what is being typed, or NULL */
	size_t *address_start;
	int64_t now;
};

/* What the keys of that screen do; the lines are constant. */
struct box view_sites_help(void);

/* Draws what `*shown` tells as long as the chosen one is in it, and keeps there what it drew, so that a
 * click finds its row. */
void view_sites(struct canvas *c, const struct view_sites *v, struct sites_shown *shown);

#endif
