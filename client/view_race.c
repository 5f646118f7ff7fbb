#include "client/view.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PANE_LINES 11 /* of one way */
#define SIDE_BY    60 /* columns from which on both are side by side */
#define LABEL      12 /* columns of what a number is called */

struct pen {
	struct canvas *canvas;
	struct rect r;
	int y;
};

static void write_line(struct pen *p, int ink, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void write_line(struct pen *p, int ink, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (p->y < p->r.y + p->r.lines)
		canvas_text(p->canvas, p->r, p->y, p->r.x, ink, text, strlen(text));
	p->y++;
}

static void write_number(struct pen *p, const char *label, uint32_t number, bool bad)
{
	write_line(p, bad && number > 0 ? INK_ERROR : INK_NORMAL, "%-*s%8u", LABEL, label, number);
}

static void write_time(struct pen *p, const char *label, const struct race_score *s, uint32_t us)
{
	if (s->arrived)
		write_line(p, INK_NORMAL, "%-*s%8.1f ms", LABEL, label, us / 1e3);
	else
		write_line(p, INK_DIM, "%-*s%8s", LABEL, label, "-");
}

/* All numbers in one line: what came back, what is on its way, what is missing. */
static void draw_marks(struct pen *p, const enum race_mark *marks)
{
	static const struct {
		const char *sign;
		int ink;
	} looks[] = {
		[RACE_MARK_NONE] = {"\u00b7", INK_DIM},
		[RACE_MARK_WAIT] = {"\u2192", INK_DIM},
		[RACE_MARK_BACK] = {"#", INK_GOOD},
		[RACE_MARK_LOST] = {"x", INK_ERROR},
	};
	int columns = p->r.columns - 1 < LINK_RACE_MARKS ? p->r.columns - 1 : LINK_RACE_MARKS;

	for (int i = 0; i < columns && p->y < p->r.y + p->r.lines; i++) {
		/* Where there is less room, one of several stands for all. */
		enum race_mark m = marks[i * LINK_RACE_MARKS / columns];
		canvas_text(p->canvas, p->r, p->y, p->r.x + i, looks[m].ink, looks[m].sign,
			strlen(looks[m].sign));
	}
	p->y++;
}

static void draw_way(
	struct canvas *c, struct rect r, const struct link_race *race, enum race_way way)
{
	struct pen p = {c, r, r.y};
	const struct race_score *s = &race->scores[way];

	write_line(&p, INK_STRONG, "%s",
		way == RACE_TCP ? "TCP: every byte, in order"
		: race->sealed  ? "UDP: each datagram for itself"
				: "UDP, insecure: each datagram for itself");
	draw_marks(&p, race->marks[way]);
	write_number(&p, "sent", s->sent, false);
	write_number(&p, "arrived", s->arrived, false);
	write_number(&p, "lost", s->lost, true);
	write_number(&p, "late", s->late, true);
	write_number(&p, "twice", s->twice, true);
	write_time(&p, "p50", s, s->p50_us);
	write_time(&p, "p99", s, s->p99_us);
}

static void write_state(struct pen *p, const struct link_race *race)
{
	switch (race->stage) {
	case LINK_RACE_NONE:
		return;
	case LINK_RACE_ASKING:
		if (race->lane == LINK_LANE_OPENING)
			write_line(p, INK_DIM, "Trying the datagram lane ...");
		else
			write_line(p, INK_DIM, "Waiting for %s to accept ...", race->nick);
		return;
	case LINK_RACE_RUNNING:
		write_line(p, INK_DIM, "Sending ...");
		break;
	case LINK_RACE_OVER:
		write_line(p, INK_GOOD, "The race is over.");
		break;
	case LINK_RACE_FAILED:
		write_line(p, INK_ERROR, "%s: %s.",
			race->scores[RACE_TCP].sent ? "The race ended early" : "No race", race->why);
		return;
	}
	if (race->why[0])
		write_line(p, INK_ERROR, "UDP: %s.", race->why);
}

void view_race(struct canvas *c, struct rect r, const struct link_race *race)
{
	struct pen p = {c, {r.y, r.x + 1, r.lines, r.columns - 2}, r.y + 1};
	int half = p.r.columns / 2;
	char footer[] = "Esc: close, and keep the score";

	canvas_fill(c, r, INK_NORMAL);
	write_line(&p, INK_STRONG, "Race with %s: %u message%s of %u bytes each way",
		race->nick[0] ? race->nick : "the server", race->plan.count,
		race->plan.count == 1 ? "" : "s", race->plan.size);
	p.y++;
	struct rect left = {p.y, p.r.x, r.y + r.lines - 1 - p.y, p.r.columns}, right = left;
	if (p.r.columns >= SIDE_BY) {
		left.columns = half - 1;
		right.x += half + 1;
		right.columns -= half + 1;
		canvas_rule(c, (struct rect){p.y, p.r.x + half - 1, PANE_LINES - 1, 1}, INK_RULE);
		p.y += PANE_LINES;
	} else {
		left.lines = left.lines < PANE_LINES ? left.lines : PANE_LINES;
		right.y += PANE_LINES;
		right.lines -= PANE_LINES;
		p.y += 2 * PANE_LINES;
	}
	draw_way(c, left, race, RACE_TCP);
	draw_way(c, right, race, RACE_UDP);
	write_state(&p, race);
	canvas_text(c, r, r.y + r.lines - 1, r.x + 1, INK_STRONG, footer, strlen(footer));
}
