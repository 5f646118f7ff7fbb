#include "client/view.h"

#include "client/wrap.h"

#include <stdio.h>
#include <string.h>

#define HANG   4  /* indent of what is wrapped, where there is no better one */
#define LEAST  20 /* columns that an indent leaves */
#define FRAMED 20 /* columns without which there is no frame */
#define WIDEST 100
#define LOWEST 6

static size_t choose_hang(const struct box *b, size_t columns)
{
	if (b->hang > 0 && b->hang + LEAST <= columns)
		return b->hang;
	return columns > 4 * HANG ? HANG : 0;
}

/* Visit the rows of all lines: draw those that are seen, return how many there are. */
static size_t draw_rows(struct canvas *c, struct rect r, const struct box *b, size_t top)
{
	size_t row = 0, columns = r.columns > 0 ? (size_t)r.columns : 1;
	size_t indent = choose_hang(b, columns);

	for (size_t i = 0; i < b->count; i++) {
		const char *text = b->lines[i];
		size_t length = strlen(text), at = 0, end;
		do {
			size_t hang = at > 0 ? indent : 0;
			size_t next = wrap_row(text, length, at, columns - hang, &end);
			if (row >= top && row - top < (size_t)r.lines)
				canvas_text(c, r, r.y + (int)(row - top), r.x + (int)hang,
					INK_NORMAL, text + at, end - at);
			at = next;
			row++;
		} while (at < length);
	}
	return row;
}

static void draw_frame(struct canvas *c, struct rect r, const struct box *b, const char *position)
{
	int right = r.x + r.columns - 1, bottom = r.y + r.lines - 1;

	canvas_rule(c, (struct rect){r.y, r.x, 1, r.columns}, INK_RULE);
	canvas_rule(c, (struct rect){bottom, r.x, 1, r.columns}, INK_RULE);
	canvas_rule(c, (struct rect){r.y, r.x, r.lines, 1}, INK_RULE);
	canvas_rule(c, (struct rect){r.y, right, r.lines, 1}, INK_RULE);
	canvas_text(c, r, r.y, r.x, INK_RULE, "\u250c", 3);
	canvas_text(c, r, r.y, right, INK_RULE, "\u2510", 3);
	canvas_text(c, r, bottom, r.x, INK_RULE, "\u2514", 3);
	canvas_text(c, r, bottom, right, INK_RULE, "\u2518", 3);
	struct rect inside = {r.y, r.x + 2, r.lines, r.columns - 4};
	canvas_text(c, inside, r.y, inside.x, INK_STRONG, b->title, strlen(b->title));
	canvas_text(c, inside, bottom, inside.x, INK_STRONG, b->footer, strlen(b->footer));
	int spare = inside.columns - (int)(strlen(b->title) + strlen(position));
	if (spare > 0)
		canvas_text(c, inside, r.y, inside.x + inside.columns - (int)strlen(position),
			INK_STRONG, position, strlen(position));
}

/* Which of the rows are seen, unless all are. */
static void print_position(size_t top, size_t seen, size_t rows, char *out, size_t size)
{
	out[0] = '\0';
	if (seen < rows)
		(void)snprintf(out, size, " %zu-%zu of %zu ", top + 1, top + seen, rows);
}

size_t view_box(struct canvas *c, const struct box *b, size_t top)
{
	int lines, columns;
	char position[80];

	canvas_size(c, &lines, &columns);
	struct rect frame = {0, 0, lines, columns}, inside = frame;
	if (columns > WIDEST) {
		frame.x = (columns - WIDEST) / 2;
		frame.columns = WIDEST;
	}
	bool framed = frame.columns >= FRAMED && lines >= LOWEST;
	if (framed)
		inside = (struct rect){1, frame.x + 2, lines - 2, frame.columns - 4};
	/* No more lines than there is text for. */
	size_t rows = draw_rows(c, (struct rect){0, 0, 0, inside.columns}, b, 0);
	if (rows < (size_t)inside.lines) {
		int spare = inside.lines - (int)rows;
		frame.y += spare / 2;
		inside.y += spare / 2;
		frame.lines -= spare;
		inside.lines = (int)rows;
	}
	size_t most = rows - (size_t)inside.lines;
	if (top > most)
		top = most;
	canvas_fill(c, frame, INK_NORMAL);
	print_position(top, (size_t)inside.lines, rows, position, sizeof position);
	if (framed)
		draw_frame(c, frame, b, position);
	draw_rows(c, inside, b, top);
	return top;
}
