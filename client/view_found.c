#include "client/view.h"

#include "client/highlight.h"
#include "client/rows.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD_SIZE   (ROOM_NAME_MAX + NICK_MAX + 64)
#define WIDE_ENOUGH 60 /* for the day */
#define BEFORE      12 /* columns of context before the first word that was found */

static int put(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	return canvas_text(c, r, y, x, ink, text, strlen(text));
}

/* When, where and who. */
static void print_head(const struct found_line *l, int columns, char *out, size_t size)
{
	char stamp[48];
	struct tm tm = rows_local(l->line.time);
	size_t used = strftime(
		stamp, sizeof stamp, columns >= WIDE_ENOUGH ? "%Y-%m-%d %H:%M " : "%d %b ", &tm);

	stamp[used] = '\0';
	(void)snprintf(out, size, "%s%s%s %s%s ", stamp, l->room[0] ? "#" : "@",
		l->room[0] ? l->room : l->peer_nick, l->line.nick, l->line.nick[0] ? ":" : "");
}

/* Where to begin a text of which so many columns are shown, so that the first word that was found is
 * seen. */
static size_t choose_start(const char *text, const char *words, size_t columns)
{
	size_t from, end, used;

	if (text_columns(text, strlen(text)) <= columns ||
		!highlight_next(text, 0, words, &from, &end))
		return 0;
	if (text_columns(text, end) + 1 <= columns)
		return 0;
	size_t skip = text_columns(text, from);
	return text_fit(text, strlen(text), skip > BEFORE ? skip - BEFORE : 0, &used);
}

static int draw_text(
	struct canvas *c, struct rect r, int y, int x, int ink, const char *text, const char *words)
{
	size_t at = 0, from, end;

	while (highlight_next(text, at, words, &from, &end)) {
		x = canvas_text(c, r, y, x, ink, text + at, from - at);
		x = canvas_text(
			c, r, y, x, ink == INK_CHOSEN ? ink : INK_MENTION, text + from, end - from);
		at = end;
	}
	return put(c, r, y, x, ink, text + at);
}

static void draw_line(
	struct canvas *c, struct rect r, int y, const struct found *f, const struct found_line *l)
{
	bool chosen = l == &f->lines[f->chosen];
	int ink = chosen ? INK_CHOSEN : INK_NORMAL;
	char head[HEAD_SIZE];

	if (chosen)
		canvas_fill(c, (struct rect){y, r.x, 1, r.columns}, ink);
	print_head(l, r.columns, head, sizeof head);
	int x = put(c, r, y, r.x, chosen ? ink : INK_DIM, head);
	if (x >= r.x + r.columns)
		return;
	size_t room = (size_t)(r.x + r.columns - x);
	size_t start = choose_start(l->line.text, f->words, room);
	if (start > 0)
		x = put(c, r, y, x, chosen ? ink : INK_DIM, "\u2026");
	draw_text(c, r, y, x, ink, l->line.text + start, f->words);
}

static const char *where(const struct found *f, char *out, size_t size)
{
	switch (f->where) {
	case SEARCH_ROOM:
		(void)snprintf(out, size, "#%s", f->room);
		break;
	case SEARCH_INBOX:
		(void)snprintf(out, size, "what was said with %s", f->peer_nick);
		break;
	case SEARCH_EVERYWHERE:
		(void)snprintf(out, size, "all your rooms");
		break;
	}
	return out;
}

static void draw_title(struct canvas *c, struct rect r, const struct found *f)
{
	char place[ROOM_NAME_MAX + NICK_MAX + 32], text[WORDS_MAX + sizeof place + 64];
	bool searching = f->asking || f->request != 0;

	where(f, place, sizeof place);
	if (f->trouble)
		(void)snprintf(text, sizeof text, "The search failed: %s", f->trouble);
	else if (f->count == 0 && searching)
		(void)snprintf(text, sizeof text, "Searching %s for: %s", place, f->words);
	else if (f->count == 0)
		(void)snprintf(text, sizeof text, "No match in %s for: %s", place, f->words);
	else
		(void)snprintf(text, sizeof text, "%zu%s in %s for: %s", f->count,
			searching ? ", searching,"
			: f->more ? " and more"
				  : "",
			place, f->words);
	canvas_fill(c, (struct rect){r.y, r.x, 1, r.columns}, INK_BAR);
	put(c, r, r.y, r.x + 1, INK_BAR, text);
}

/* The first result to show so that the chosen one is seen. */
static size_t choose_top(const struct found *f, size_t lines, size_t top)
{
	if (f->chosen < top)
		return f->chosen;
	return f->chosen >= top + lines ? f->chosen - lines + 1 : top;
}

int view_found(struct canvas *c, struct rect r, const struct found *f, size_t *top)
{
	int first = r.y + 1, last = r.y + r.lines - 1;

	if (r.lines <= 0 || r.columns <= 0)
		return first;
	canvas_fill(c, r, INK_NORMAL);
	draw_title(c, r, f);
	if (r.lines < 2)
		return first;
	*top = choose_top(f, (size_t)(r.lines - 1), *top);
	for (size_t i = *top; i < f->count && first + (int)(i - *top) <= last; i++)
		draw_line(c, r, first + (int)(i - *top), f, &f->lines[i]);
	return first;
}
