#include "tools/lab/panes.h"

#include <assert.h>

#define BOTH_COLUMNS   76 /* side by side from here on */
#define ALONE_COLUMNS  40 /* and below this one pane alone */
#define ALONE_LINES    14
#define TITLE_LINES    3 /* of the screen, from which on there is a title; and so on */
#define HINT_LINES     5
#define KNOBS_LINES    12
#define SCORE_LINES    18
#define QUESTION_LINES 22
#define STORY_LEAST    3
#define STORY_MOST     12

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int side_of(enum pane p)
{
	return p == PANE_UDP_CALLS || p == PANE_UDP_WIRE;
}

int panes_side_columns(int columns)
{
	return columns < BOTH_COLUMNS ? columns : (columns - 1) / 2;
}

/* Take lines from the top of the body, or from its end. */
static struct rect cut_top(struct rect *body, int lines)
{
	struct rect r = {body->y, body->x, lines, body->columns};

	body->y += lines;
	body->lines -= lines;
	return r;
}

static struct rect cut_end(struct rect *body, int lines)
{
	body->lines -= lines;
	return (struct rect){body->y + body->lines, body->x, lines, body->columns};
}

/* Calls above the wire, which has the larger part. */
static void lay_side(struct panes *p, struct rect r, int side, struct panes_wishes w)
{
	int calls = side ? PANE_UDP_CALLS : PANE_TCP_CALLS;
	int wire = side ? PANE_UDP_WIRE : PANE_TCP_WIRE;

	if (w.wire)
		p->pane[calls] = cut_top(&r, r.lines * 2 / 5);
	p->pane[w.wire ? wire : calls] = r;
}

static void lay_sides(struct panes *p, struct rect body, int columns, struct panes_wishes w)
{
	struct rect score = {0};

	if (w.score_lines > 0)
		score = cut_end(&body, w.score_lines);
	if (columns < BOTH_COLUMNS) {
		int side = side_of(w.chosen);
		lay_side(p, body, side, w);
		p->score[side] = score;
		return;
	}
	int half = panes_side_columns(columns);
	p->rule = (struct rect){body.y, half, body.lines + score.lines, 1};
	for (int side = 0; side < 2; side++) {
		int x = side ? half + 1 : 0, width = side ? columns - half - 1 : half;
		lay_side(p, (struct rect){body.y, x, body.lines, width}, side, w);
		p->score[side] = (struct rect){score.y, x, score.lines, width};
	}
}

static int story_lines(int body, bool over)
{
	int lines = over ? body * 2 / 5 : body / 5;

	return lines < STORY_LEAST ? STORY_LEAST : least(lines, STORY_MOST);
}

struct panes panes_make(int lines, int columns, struct panes_wishes w)
{
	struct panes p = {0};
	struct rect body = {0, 0, lines, columns};

	assert(lines >= 1 && columns >= 1);
	if (lines >= TITLE_LINES)
		p.title = cut_top(&body, 1);
	if (lines >= QUESTION_LINES)
		p.question = cut_top(&body, 1);
	if (lines >= HINT_LINES)
		p.hint = cut_end(&body, 1);
	if (lines >= KNOBS_LINES)
		p.knobs = cut_end(&body, least(w.knob_lines, lines / KNOBS_LINES));
	if (w.alone || columns < ALONE_COLUMNS || lines < ALONE_LINES) {
		p.pane[w.chosen] = body;
		return p;
	}
	p.pane[PANE_STORY] = cut_end(&body, story_lines(body.lines, w.over));
	if (lines < SCORE_LINES)
		w.score_lines = 0;
	w.score_lines = least(w.score_lines, body.lines / 4);
	lay_sides(&p, body, columns, w);
	return p;
}

enum pane panes_next(enum pane from, int by, bool wire)
{
	int next = (int)from;

	do
		next = (next + (by < 0 ? PANES - 1 : 1)) % PANES;
	while (!wire && (next == PANE_TCP_WIRE || next == PANE_UDP_WIRE));
	return (enum pane)next;
}
