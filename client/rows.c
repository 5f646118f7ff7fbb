#include "client/rows.h"

#include "client/wrap.h"
#include "common/text.h"

#include <assert.h>
#include <string.h>

#define TIME_COLUMNS   6  /* "12:34 " */
#define NICK_COLUMNS   16 /* with the rule: " | " */
#define WIDE_ENOUGH    56 /* for a column of nicks */
#define ENOUGH_TO_TIME 28 /* for the time */
#define NARROW_HANG    2
#define MOST_CONTEXT   8 /* rows that are shown above a line that was looked for */

struct rows_shape rows_shape(size_t columns)
{
	struct rows_shape s = {.columns = columns};

	assert(columns > 0);
	if (columns >= ENOUGH_TO_TIME)
		s.time_columns = TIME_COLUMNS;
	if (columns >= WIDE_ENOUGH)
		s.nick_columns = NICK_COLUMNS;
	else if (columns >= 8)
		s.hang = s.time_columns ? s.time_columns : NARROW_HANG;
	return s;
}

size_t rows_hang(const struct rows_shape *shape)
{
	if (shape->nick_columns)
		return shape->time_columns + shape->nick_columns;
	return shape->hang;
}

size_t rows_indent(const struct rows_shape *shape, const struct line *l)
{
	if (shape->nick_columns)
		return shape->time_columns + shape->nick_columns;
	/* "nick: ", "* nick ", "-nick- " or a sign, in front of the text */
	size_t before = l->nick[0] ? text_columns(l->nick, strlen(l->nick)) + 2 : 2;
	if (l->nick[0] && l->kind != LINE_TEXT)
		before++;
	size_t indent = shape->time_columns + before;
	/* A wide character still fits behind it, where it fits at all. */
	size_t most = shape->columns > 2 ? shape->columns - 2 : shape->columns - 1;
	return indent < most ? indent : most;
}

struct tm rows_local(uint64_t time)
{
	time_t seconds = (time_t)(time / 1000000);
	struct tm tm = {0};

	localtime_r(&seconds, &tm);
	return tm;
}

bool rows_other_day(uint64_t a, uint64_t b)
{
	struct tm x = rows_local(a), y = rows_local(b);

	return x.tm_yday != y.tm_yday || x.tm_year != y.tm_year;
}

/* ---- one line's rows ---- */

/* The rows before a line's text. */
static bool has_top(const struct rows_view *v, uint64_t number)
{
	return v->top && number == v->lines->base;
}

static bool has_day(const struct rows_view *v, uint64_t number)
{
	const struct line *before = scrollback_line(v->lines, number - 1);

	return !before || rows_other_day(before->time, scrollback_line(v->lines, number)->time);
}

static bool has_marker(const struct rows_view *v, uint64_t number)
{
	/* Nothing is above the oldest line that could have been read. */
	return number == v->marker && number > v->lines->first;
}

static size_t text_width(const struct rows_shape *s, size_t indent)
{
	return s->columns > indent ? s->columns - indent : 1;
}

static size_t count_rows(const struct rows_view *v, uint64_t number)
{
	const struct line *l = scrollback_line(v->lines, number);
	size_t first = text_width(&v->shape, rows_indent(&v->shape, l));
	size_t rest = text_width(&v->shape, rows_hang(&v->shape));

	return wrap_count(l->text, strlen(l->text), first, rest) + has_top(v, number) +
	       has_day(v, number) + has_marker(v, number);
}

/* Row `row` of the line. */
static struct row make_row(const struct rows_view *v, uint64_t number, size_t row)
{
	const struct line *l = scrollback_line(v->lines, number);
	struct row r = {.kind = ROW_TEXT, .line = l, .number = number};
	size_t first = text_width(&v->shape, rows_indent(&v->shape, l));
	size_t rest = text_width(&v->shape, rows_hang(&v->shape));
	size_t length = strlen(l->text);

	if (has_top(v, number) && row-- == 0) {
		r.kind = ROW_TOP;
		return r;
	}
	if (has_day(v, number) && row-- == 0) {
		r.kind = ROW_DAY;
		return r;
	}
	if (has_marker(v, number) && row-- == 0) {
		r.kind = ROW_MARKER;
		return r;
	}
	r.first = row == 0;
	r.from = wrap_find(l->text, length, first, rest, row);
	(void)wrap_row(l->text, length, r.from, row == 0 ? first : rest, &r.end);
	return r;
}

/* ---- places ---- */

/* Where the bottom row is: a row of a line that exists. False when there are no lines. */
static bool bottom(const struct rows_view *v, const struct rows_place *p, struct rows_place *out)
{
	uint64_t end = scrollback_end(v->lines);

	if (v->lines->count == 0)
		return false;
	*out = *p;
	if (!p->back || p->line >= end) {
		*out = (struct rows_place){.line = end - 1, .row = SIZE_MAX};
	} else if (p->line < v->lines->first) { /* it is gone by now */
		*out = (struct rows_place){.line = v->lines->first, .row = 0};
	}
	size_t rows = count_rows(v, out->line);
	if (out->row >= rows)
		out->row = rows - 1;
	return true;
}

size_t rows_fill(
	const struct rows_view *v, const struct rows_place *place, struct row *rows, size_t most)
{
	struct rows_place at;
	size_t used = 0;

	if (most == 0 || !bottom(v, place, &at))
		return 0;
	for (;;) {
		rows[most - 1 - used++] = make_row(v, at.line, at.row);
		if (used == most)
			break;
		if (at.row > 0) {
			at.row--;
			continue;
		}
		if (at.line == v->lines->first)
			break;
		at.line--;
		at.row = count_rows(v, at.line) - 1;
	}
	memmove(rows, rows + (most - used), used * sizeof rows[0]);
	return used;
}

/* The place at which the oldest row is at the pane's top. */
static struct rows_place top_place(const struct rows_view *v, size_t height)
{
	struct rows_place top = {.back = true, .line = v->lines->first};

	rows_down(v, &top, height > 0 ? height - 1 : 0);
	return top;
}

static bool is_above(const struct rows_place *a, const struct rows_place *b)
{
	if (!a->back || !b->back)
		return a->back;
	return a->line < b->line || (a->line == b->line && a->row < b->row);
}

void rows_up(const struct rows_view *v, struct rows_place *place, size_t height, size_t count)
{
	struct rows_place at;

	if (!bottom(v, place, &at))
		return;
	at.back = true;
	while (count > 0) {
		if (at.row >= count) {
			at.row -= count;
			break;
		}
		if (at.line == v->lines->first) {
			at.row = 0;
			break;
		}
		count -= at.row + 1;
		at.line--;
		at.row = count_rows(v, at.line) - 1;
	}
	struct rows_place top = top_place(v, height);
	*place = is_above(&at, &top) ? top : at;
}

void rows_down(const struct rows_view *v, struct rows_place *place, size_t count)
{
	struct rows_place at;

	if (!place->back || !bottom(v, place, &at))
		return;
	uint64_t last = scrollback_end(v->lines) - 1;
	while (count > 0) {
		size_t left = count_rows(v, at.line) - 1 - at.row;
		if (left >= count) {
			at.row += count;
			break;
		}
		if (at.line == last) {
			*place = (struct rows_place){0};
			return;
		}
		count -= left + 1;
		at.line++;
		at.row = 0;
	}
	at.back = at.line != last || at.row + 1 < count_rows(v, at.line);
	*place = at;
}

void rows_show(const struct rows_view *v, struct rows_place *place, size_t height, uint64_t line)
{
	if (line < v->lines->first)
		line = v->lines->first;
	if (!scrollback_line(v->lines, line)) {
		*place = (struct rows_place){0};
		return;
	}
	*place = (struct rows_place){.back = true, .line = line};
	rows_down(v, place, height > 0 ? height - 1 : 0);
}

void rows_reveal(const struct rows_view *v, struct rows_place *place, size_t height, uint64_t line)
{
	size_t context = height / 3 < MOST_CONTEXT ? height / 3 : MOST_CONTEXT;

	rows_show(v, place, height, line);
	if (place->back) /* else all that follows is seen, and so is the line */
		rows_up(v, place, height, context);
}

uint64_t rows_above(const struct rows_view *v, const struct rows_place *place, size_t height)
{
	struct rows_place at;

	if (!bottom(v, place, &at))
		return 0;
	at.back = true;
	for (size_t left = height; left > 0;) {
		size_t rows = at.row + 1;
		if (rows >= left || at.line <= v->lines->base)
			break;
		left -= rows;
		at.line--;
		at.row = count_rows(v, at.line) - 1;
	}
	return at.line > v->lines->base ? at.line - v->lines->base : 0;
}

uint64_t rows_below(const struct rows_view *v, const struct rows_place *place)
{
	struct rows_place at;

	if (!place->back || !bottom(v, place, &at))
		return 0;
	return scrollback_end(v->lines) - 1 - at.line;
}
