#include "client/view.h"

#include "client/rows.h"
#include "client/status.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOP_SIZE  (ROOM_NAME_MAX * 3 + 64)
#define NICK_ROOM 12 /* columns of the nicks' column without mark and rule */

struct rows_view view_rows(struct rect r, const struct buffer *b)
{
	char top[TOP_SIZE];

	return (struct rows_view){
		.lines = buffer_lines(b),
		.shape = rows_shape(r.columns > 0 ? (size_t)r.columns : 1),
		.marker = buffer_marker(b),
		.top = status_top(b, top, sizeof top)[0] != '\0',
	};
}

/* ---- inks and words ---- */

static int text_ink(const struct line *l)
{
	if (l->state == LINE_WAITING || l->state == LINE_SENT)
		return INK_DIM;
	if (l->state == LINE_REFUSED)
		return INK_ERROR;
	switch (l->kind) {
	case LINE_TEXT:
	case LINE_ACTION:
	case LINE_NOTICE:
		return l->mention ? INK_STRONG : INK_NORMAL;
	case LINE_TOPIC:
		return INK_NORMAL;
	case LINE_PRESENCE:
	case LINE_INFO:
		return INK_DIM;
	case LINE_ERROR:
		return INK_ERROR;
	}
	return INK_NORMAL;
}

static int nick_ink(const struct canvas *c, const struct line *l)
{
	if (l->nick[0] == '\0')
		return text_ink(l);
	return l->mention ? INK_MENTION : canvas_nick_ink(c, l->nick);
}

/* Waiting, on its way, accepted (and kept), refused. */
const char *view_mark(enum line_state state, bool kept)
{
	switch (state) {
	case LINE_PLAIN:
		return " ";
	case LINE_WAITING:
		return "\u2026";
	case LINE_SENT:
		return "\u2192";
	case LINE_ACCEPTED:
		return kept ? "\u2713" : "\u00b7";
	case LINE_REFUSED:
		return "!";
	case LINE_DATAGRAM:
		return "\u2248";
	}
	return " ";
}

/* What stands in the nicks' column. */
static void print_nick(const struct line *l, char *out, size_t size)
{
	size_t used, room = l->kind == LINE_TEXT ? NICK_ROOM : NICK_ROOM - 2;
	size_t fits = text_fit(l->nick, strlen(l->nick), room, &used);
	const char *more = "";

	if (fits < strlen(l->nick)) {
		fits = text_fit(l->nick, strlen(l->nick), room - 1, &used);
		more = "\u2026";
	}
	if (l->nick[0] == '\0')
		(void)snprintf(out, size, l->kind == LINE_ERROR ? "!!" : "--");
	else if (l->kind == LINE_ACTION)
		(void)snprintf(out, size, "* %.*s%s", (int)fits, l->nick, more);
	else if (l->kind == LINE_NOTICE)
		(void)snprintf(out, size, "-%.*s%s-", (int)fits, l->nick, more);
	else
		(void)snprintf(out, size, "%.*s%s", (int)fits, l->nick, more);
}

/* ---- rows ---- */

static int put(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	return canvas_text(c, r, y, x, ink, text, strlen(text));
}

/* The nick in a column of its own: mark, nick to the right, rule. */
static void draw_nick_column(
	struct canvas *c, struct rect r, int y, int x, const struct line *l, bool kept)
{
	char nick[NICK_MAX * 3 + 16];

	print_nick(l, nick, sizeof nick);
	int columns = (int)text_columns(nick, strlen(nick));
	put(c, r, y, x, l->state == LINE_REFUSED ? INK_ERROR : INK_DIM, view_mark(l->state, kept));
	put(c, r, y, x + 1 + NICK_ROOM - columns, nick_ink(c, l), nick);
}

/* The nick in front of the text, where there is no room for a column. The mark is in the blank after
 * the time. */
static void draw_nick_before(
	struct canvas *c, struct rect r, int y, int x, const struct line *l, bool kept)
{
	if (x > r.x)
		put(c, r, y, x - 1, l->state == LINE_REFUSED ? INK_ERROR : INK_DIM,
			view_mark(l->state, kept));
	if (l->nick[0] == '\0') {
		put(c, r, y, x, text_ink(l), l->kind == LINE_ERROR ? "! " : "- ");
		return;
	}
	if (l->kind == LINE_ACTION)
		x = put(c, r, y, x, INK_DIM, "* ");
	else if (l->kind == LINE_NOTICE)
		x = put(c, r, y, x, INK_DIM, "-");
	x = put(c, r, y, x, nick_ink(c, l), l->nick);
	if (l->kind != LINE_ACTION)
		put(c, r, y, x, INK_DIM, l->kind == LINE_NOTICE ? "-" : ":");
}

/* What the pane is, for each of its rows. */
struct pane {
	struct canvas *canvas;
	struct rect r;
	const struct buffer *buffer;
	struct rows_shape shape;
	bool kept;
};

static void draw_stamp(const struct pane *p, int y, const struct line *l)
{
	char stamp[16];
	struct tm tm = rows_local(l->time);

	(void)strftime(stamp, sizeof stamp, "%H:%M", &tm);
	put(p->canvas, p->r, y, p->r.x, INK_DIM, stamp);
}

static void draw_text_row(const struct pane *p, int y, const struct row *row)
{
	const struct line *l = row->line;
	const struct rows_shape *shape = &p->shape;
	struct canvas *c = p->canvas;
	int x = p->r.x + (int)(row->first ? rows_indent(shape, l) : rows_hang(shape));
	bool target = row->number == buffer_target(p->buffer);

	if (row->first && shape->time_columns)
		draw_stamp(p, y, l);
	if (row->first && shape->nick_columns)
		draw_nick_column(c, p->r, y, p->r.x + (int)shape->time_columns, l, p->kept);
	else if (row->first)
		draw_nick_before(c, p->r, y, p->r.x + (int)shape->time_columns, l, p->kept);
	if (shape->nick_columns)
		put(c, p->r, y, x - 2, INK_DIM, "\u2502");
	if (target)
		canvas_fill(c, (struct rect){y, x, 1, p->r.x + p->r.columns - x}, INK_CHOSEN);
	canvas_text(c, p->r, y, x, target ? INK_CHOSEN : text_ink(l), l->text + row->from,
		row->end - row->from);
}

/* A rule with words in its middle. */
static void draw_rule_row(const struct pane *p, int y, int ink, const char *words)
{
	char spaced[TOP_SIZE + 2];

	(void)snprintf(spaced, sizeof spaced, " %s ", words);
	int columns = (int)text_columns(spaced, strlen(spaced));
	int x = p->r.x + (p->r.columns - columns) / 2;
	canvas_rule(p->canvas, (struct rect){y, p->r.x, 1, p->r.columns}, ink);
	put(p->canvas, p->r, y, x > p->r.x ? x : p->r.x, ink, spaced);
}

static void draw_row(const struct pane *p, int y, const struct row *row)
{
	char words[TOP_SIZE];
	struct tm tm;

	switch (row->kind) {
	case ROW_TEXT:
		draw_text_row(p, y, row);
		break;
	case ROW_TOP:
		draw_rule_row(p, y, INK_DIM, status_top(p->buffer, words, sizeof words));
		break;
	case ROW_DAY:
		tm = rows_local(row->line->time);
		(void)strftime(
			words, sizeof words, p->r.columns >= 34 ? "%A, %d %B %Y" : "%d %b %Y", &tm);
		draw_rule_row(p, y, INK_DIM, words);
		break;
	case ROW_MARKER:
		draw_rule_row(p, y, INK_ERROR, "unread");
		break;
	}
}

void view_messages(struct canvas *c, struct rect r, const struct buffer *b, bool kept)
{
	struct rows_view v = view_rows(r, b);
	struct rows_place place = buffer_where(b);
	struct pane pane = {c, r, b, v.shape, kept};

	if (r.lines <= 0 || r.columns <= 0)
		return;
	struct row *rows = calloc((size_t)r.lines, sizeof *rows);
	if (!rows)
		return;
	int count = (int)rows_fill(&v, &place, rows, (size_t)r.lines);
	for (int i = 0; i < count; i++)
		draw_row(&pane, r.y + r.lines - count + i, &rows[i]);
	free(rows);
}
