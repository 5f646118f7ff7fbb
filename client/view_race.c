#include "client/view.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PANE_LINES   11 /* of one way */
#define SIDE_BY      60 /* columns from which on both are side by side */
#define STATE_LINES  2  /* how it is going */
#define BRIEF_IN_ONE 76 /* columns from which on a way is one line, where panes do not fit */
#define LABEL        12 /* columns of what a number is called */

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
			race->scores[RACE_TCP].sent ? "The race ended early" : "No race",
			race->why);
		return;
	}
	if (race->why[0])
		write_line(p, INK_ERROR, "UDP: %s.", race->why);
}

/* A way in a line, or where that is too long, two; and its marks, where there is room. */
static void draw_briefly(
	struct pen *p, const struct link_race *race, enum race_way way, bool in_one, bool marks)
{
	const struct race_score *s = &race->scores[way];
	int ink = s->lost || s->late || s->twice ? INK_ERROR : INK_NORMAL;
	const char *name = way == RACE_TCP ? "TCP" : "UDP";
	char counts[80], times[48] = "";

	(void)snprintf(counts, sizeof counts, "%s %u/%u, %u lost, %u late, %u twice", name,
		s->arrived, s->sent, s->lost, s->late, s->twice);
	if (s->arrived)
		(void)snprintf(times, sizeof times, "p50 %.1f ms, p99 %.1f ms", s->p50_us / 1e3,
			s->p99_us / 1e3);
	if (in_one) {
		write_line(p, ink, "%s%s%s", counts, times[0] ? ", " : "", times);
	} else {
		write_line(p, ink, "%s", counts);
		write_line(p, INK_DIM, "    %s", times);
	}
	if (marks)
		draw_marks(p, race->marks[way]);
}

/* What there is no room for the panes for. */
static void draw_compact(struct pen *p, const struct link_race *race)
{
	bool in_one = p->r.columns >= BRIEF_IN_ONE;
	/* Behind the ways come two lines of how it is going. */
	bool marks = p->r.y + p->r.lines - p->y >= 2 * (in_one ? 2 : 3) + 2;

	draw_briefly(p, race, RACE_TCP, in_one, marks);
	draw_briefly(p, race, RACE_UDP, in_one, marks);
}

/* Side by side, or one above the other. */
static void draw_panes(struct canvas *c, struct pen *p, const struct link_race *race)
{
	int half = p->r.columns / 2;
	struct rect left = {p->y, p->r.x, PANE_LINES, p->r.columns}, right = left;

	if (p->r.columns >= SIDE_BY) {
		left.columns = half - 1;
		right.x += half + 1;
		right.columns -= half + 1;
		canvas_rule(c, (struct rect){p->y, p->r.x + half - 1, PANE_LINES - 1, 1}, INK_RULE);
		p->y += PANE_LINES;
	} else {
		right.y += PANE_LINES;
		p->y += 2 * PANE_LINES;
	}
	draw_way(c, left, race, RACE_TCP);
	draw_way(c, right, race, RACE_UDP);
}

void view_race(struct canvas *c, struct rect r, const struct link_race *race)
{
	/* The last line is the footer's. */
	struct pen p = {c, {r.y, r.x + 1, r.lines - 1, r.columns - 2}, r.y};
	int panes = (p.r.columns >= SIDE_BY ? 1 : 2) * PANE_LINES;
	bool compact = r.lines < 3 + panes + STATE_LINES + 1;
	char footer[] = "Esc: close, and keep the score";

	canvas_fill(c, r, INK_NORMAL);
	p.y += compact ? 0 : 1;
	write_line(&p, INK_STRONG, "Race with %s: %u message%s of %u bytes each way",
		race->nick[0] ? race->nick : "the server", race->plan.count,
		race->plan.count == 1 ? "" : "s", race->plan.size);
	p.y += compact ? 0 : 1;
	if (compact)
		draw_compact(&p, race);
	else
		draw_panes(c, &p, race);
	write_state(&p, race);
	canvas_text(c, r, r.y + r.lines - 1, r.x + 1, INK_STRONG, footer, strlen(footer));
}
