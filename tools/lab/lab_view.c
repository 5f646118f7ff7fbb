/*
 * How the screen of a scenario looks.
 */
#include "tools/lab/lab_screen_private.h"

#include "client/view.h"
#include "tools/lab/knobs.h"
#include "tools/lab/ladder_text.h"
#include "tools/lab/score_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S       1e9
#define MS_PER_S       1e3
#define WIDE_KEYS      112 /* columns for all of the hint */
#define CLIENTS_BESIDE 56

static bool is_empty(struct rect r)
{
	return r.lines <= 0 || r.columns <= 0;
}

static void put(struct canvas *c, struct rect r, int y, int ink, const char *text)
{
	(void)canvas_text(c, r, y, r.x, ink, text, strlen(text));
}

/* A bar over the whole rectangle's width. */
static void put_bar(struct canvas *c, struct rect r, int ink, const char *text)
{
	struct rect inside = {r.y, r.x + 1, r.lines, r.columns - 1};

	if (is_empty(r))
		return;
	canvas_fill(c, r, ink);
	put(c, inside, r.y, ink, text);
}

/* ---- the title ---- */

static void print_state(struct lab_screen *s, char *out, size_t size)
{
	struct lab_verdict v;

	lab_screen_verdict(s, &v);
	if (!s->player)
		(void)snprintf(out, size, "not playing");
	else if (!s->over && s->stands)
		(void)snprintf(out, size, "the wire stands still");
	else if (!s->over && s->slow > 1)
		(void)snprintf(out, size, "playing, %u times as slow", s->slow);
	else if (!s->over)
		(void)snprintf(out, size, "playing");
	else if (v.error)
		(void)snprintf(out, size, "over: it could not be played to its end");
	else if (v.count.failed)
		(void)snprintf(
			out, size, "over: %zu held, %zu FAILED", v.count.held, v.count.failed);
	else if (v.count.open)
		(void)snprintf(
			out, size, "over: %zu held, %zu not shown", v.count.held, v.count.open);
	else
		(void)snprintf(out, size, "over: all %zu held", v.count.held);
	/* Times in what is said are those that passed. */
	size_t length = strlen(out);
	if (s->over && s->played_slow > 1)
		(void)snprintf(out + length, size - length, ", %u times as slow", s->played_slow);
}

static void print_time(uint64_t ns, char *out, size_t size)
{
	(void)snprintf(out, size, "   %.1f s", (double)ns / NS_PER_S);
}

static void draw_title(struct lab_screen *s, struct rect r)
{
	const struct scenario *x = s->options.scenario;
	char text[512], state[128], passed[32] = "";

	if (s->ended)
		print_time(s->ended_ns, passed, sizeof(passed));
	else if (s->player && !s->stands)
		print_time(journal_now(stage_journal(player_stage(s->player))), passed,
			sizeof(passed));
	print_state(s, state, sizeof(state));
	(void)snprintf(text, sizeof(text), "%d. %s   %s%s%s   seed %" PRIu64, x->number, x->title,
		state, passed, s->options.loopback ? "   on loopback" : "", s->options.seed);
	put_bar(s->canvas, r, INK_BAR, text);
}

/* ---- panes ---- */

static const char *const headings[PANES] = {[PANE_TCP_CALLS] = "TCP",
	[PANE_TCP_WIRE] = "TCP on the wire",
	[PANE_UDP_CALLS] = "UDP",
	[PANE_UDP_WIRE] = "UDP on the wire",
	[PANE_STORY] = "What happens"};

/* The heading, on the first line of a pane that has more; what is left is the text's. */
static struct rect draw_heading(struct lab_screen *s, const struct lab_scroll *v, const char *name,
	bool chosen, struct rect r)
{
	char text[128], where[64] = "";

	if (r.lines < 2)
		return r;
	if (v->count > (size_t)r.lines - 1)
		(void)snprintf(where, sizeof(where), "  %zu-%zu of %zu%s", v->top + 1,
			v->top + v->lines < v->count ? v->top + v->lines : v->count, v->count,
			v->held ? ", held" : "");
	(void)snprintf(text, sizeof(text), "%s%s", name, where);
	canvas_rule(s->canvas, (struct rect){r.y, r.x, 1, r.columns}, INK_RULE);
	struct rect inside = {r.y, r.x + 2, 1, r.columns - 2};
	char framed[140];
	(void)snprintf(framed, sizeof(framed), " %s ", text);
	put(s->canvas, inside, r.y, chosen ? INK_CHOSEN : INK_STRONG, framed);
	return (struct rect){r.y + 1, r.x, r.lines - 1, r.columns};
}

/* From which line on a pane of so many shows what it has. */
static void settle(struct lab_scroll *v, size_t count, size_t lines)
{
	size_t most = count > lines ? count - lines : 0;

	if (!v->held || v->top >= most) {
		v->held = false;
		v->top = most;
	}
	v->count = count;
	v->lines = lines;
}

static int sheet_ink(enum sheet_look look)
{
	switch (look) {
	case SHEET_PLAIN:
		return INK_NORMAL;
	case SHEET_NEWEST:
		return INK_CHOSEN;
	case SHEET_FAILED_CALL:
	case SHEET_FAILED:
		return INK_ERROR;
	case SHEET_WHY:
		return INK_DIM;
	case SHEET_HELD:
		return INK_GOOD;
	}
	return INK_NORMAL;
}

/* Calls that have not returned stand below those that have. What is left of the pane. */
static struct rect draw_waiters(struct lab_screen *s, enum side side, struct rect r)
{
	struct stage_waiter w[STAGE_WAITERS];
	char text[128];

	if (s->over || r.lines < 4)
		return r;
	size_t count = stage_waiters(player_stage(s->player), side, w);
	while (count > 0 && r.lines >= 4) {
		count--;
		int n = snprintf(text, sizeof(text), "%s: %s(%d) waits", ladder_host(w[count].host),
			w[count].operation, w[count].fd);
		/* Where time stands still, nothing on the screen goes on. */
		if (!s->stands)
			(void)snprintf(text + n, sizeof(text) - (size_t)n, ", %.1f s",
				(double)w[count].for_ms / MS_PER_S);
		r.lines--;
		put(s->canvas, (struct rect){r.y + r.lines, r.x, 1, r.columns}, r.y + r.lines,
			INK_CHOSEN, text);
	}
	return r;
}

static void draw_lines(struct lab_screen *s, struct lab_scroll *v, const char *name, bool chosen,
	struct sheet *sheet, struct rect r)
{
	char text[SHEET_LINE];
	enum sheet_look look;

	if (is_empty(r))
		return;
	size_t lines = (size_t)(r.lines < 2 ? r.lines : r.lines - 1);
	sheet_read(sheet, (size_t)r.columns);
	settle(v, sheet_count(sheet), lines);
	r = draw_heading(s, v, name, chosen, r);
	for (size_t i = 0; i < lines; i++) {
		(void)sheet_line(sheet, v->top + i, &look, text);
		if (look == SHEET_NEWEST && s->over)
			look = SHEET_PLAIN;
		put(s->canvas, r, r.y + (int)i, sheet_ink(look), text);
	}
}

static void draw_calls(struct lab_screen *s, enum pane p, enum side side, struct rect r)
{
	r = draw_waiters(s, side, r);
	draw_lines(s, &s->scroll[p], headings[p], p == s->chosen, s->calls[side], r);
}

static void draw_story(struct lab_screen *s, struct rect r)
{
	draw_lines(s, &s->scroll[PANE_STORY], headings[PANE_STORY], s->chosen == PANE_STORY,
		s->story, r);
}

/* Both clients, where the calls of TCP are else: side by side, or one above the other. */
static void draw_clients(struct lab_screen *s, struct rect r)
{
	static const char *const names[CHAT_PEOPLE] = {"a: lanchat --pipe", "b: lanchat --pipe"};
	bool beside = r.columns >= CLIENTS_BESIDE;
	struct rect first = r, second = r;

	if (beside) {
		first.columns = (r.columns - 1) / 2;
		second.x += first.columns + 1;
		second.columns -= first.columns + 1;
	} else {
		first.lines = r.lines / 2;
		second.y += first.lines;
		second.lines -= first.lines;
	}
	bool chosen = s->chosen == PANE_TCP_CALLS;
	draw_lines(s, &s->scroll[PANE_TCP_CALLS], names[0], chosen, s->voices[0], first);
	draw_lines(s, &s->second, names[1], false, s->voices[1], second);
}

static int row_ink(const struct ladder_row *r)
{
	if (r->packet->fate.kind != FATE_CARRIED)
		return INK_ERROR;
	return ladder_is_trouble(r->packet) ? INK_STRONG : INK_NORMAL;
}

static void draw_wire(struct lab_screen *s, enum pane p, struct ladder *l, struct rect r)
{
	char text[LADDER_TEXT_SIZE];
	struct ladder_look look = {.columns = r.columns > 0 ? (size_t)r.columns - 1 : 0,
		.hosts = s->options.scenario->hosts,
		.unicode = !s->ascii,
		.frames = s->frames};
	size_t lines = (size_t)(r.lines < 2 ? r.lines : r.lines - 1);

	(void)ladder_read(l);
	frames_read(s->frames);
	if (is_empty(r))
		return;
	/* The names of the hosts take a line, where there is one. */
	bool names = lines > 2;
	settle(&s->scroll[p], ladder_count(l), lines - names);
	r = draw_heading(s, &s->scroll[p], headings[p], p == s->chosen, r);
	if (names)
		put(s->canvas, r, r.y, INK_DIM, ladder_text_head(&look, text));
	for (size_t i = 0; i < lines - names; i++) {
		const struct ladder_row *row = ladder_at(l, s->scroll[p].top + i);
		if (row)
			put(s->canvas, r, r.y + names + (int)i, row_ink(row),
				ladder_text(row, &look, text));
	}
}

/* ---- counters and knobs ---- */

static void measure(
	struct lab_screen *s, enum side side, struct items *messages, struct items *packets)
{
	struct score x;
	struct wire_counts c;

	stage_score(player_stage(s->player), side, &x);
	stage_counts(player_stage(s->player), side, &c);
	score_line_messages(&x, messages);
	size_t in_flight = ladder_in_flight(s->ladder[side]);
	score_line_packets(
		side, &c, lab_screen_has_wire(s) ? &in_flight : NULL, x.retransmitted, packets);
}

static size_t score_rows(struct lab_screen *s, int columns)
{
	struct items messages, packets;
	size_t most = 0, width = columns > 1 ? (size_t)columns - 1 : 1;

	for (int i = 0; i < SIDES; i++) {
		measure(s, (enum side)i, &messages, &packets);
		size_t rows = items_rows(&messages, width) + items_rows(&packets, width);
		most = rows > most ? rows : most;
	}
	return most;
}

static void draw_items(struct canvas *c, struct rect *r, int ink, const struct items *i)
{
	char text[ITEMS_LINE];
	size_t width = r->columns > 1 ? (size_t)r->columns - 1 : 1, rows = items_rows(i, width);
	struct rect inside = {r->y, r->x + (r->columns > 1), r->lines, r->columns - 1};

	for (size_t row = 0; row < rows && r->lines > 0; row++) {
		put(c, inside, r->y, ink, items_row(i, width, row, text));
		r->y++;
		r->lines--;
	}
}

static void draw_score(struct lab_screen *s, enum side side, struct rect r)
{
	struct items messages, packets;

	if (is_empty(r))
		return;
	measure(s, side, &messages, &packets);
	draw_items(s->canvas, &r, INK_STRONG, &messages);
	draw_items(s->canvas, &r, INK_DIM, &packets);
}

static void draw_knobs(struct lab_screen *s, struct rect r)
{
	struct items knobs;

	if (is_empty(r))
		return;
	knobs_items(&s->impaired, &knobs);
	canvas_fill(s->canvas, r, INK_BAR);
	draw_items(s->canvas, &r, INK_BAR, &knobs);
}

static void draw_hint(struct lab_screen *s, struct rect r)
{
	const char *keys =
		r.columns < WIDE_KEYS
			? "?: help  Tab: pane  Space . -+: time  d: drop  r: again  q: back"
			: "?: help   Tab: pane   arrows: scroll   Space: stand still   .: one "
			  "packet   - +: time   d: drop   r n: again   q: back";

	put_bar(s->canvas, r, INK_NORMAL, s->hint[0] ? s->hint : keys);
}

/* ---- all of it ---- */

static void draw_guide(struct lab_screen *s)
{
	struct box b = {.title = " What this is ",
		.lines = s->guide.lines,
		.count = s->guide.count,
		.hang = GUIDE_HANG,
		.footer = " Esc: back "};

	s->guide_top = view_box(s->canvas, &b, s->guide_top);
}

static void draw_run(struct lab_screen *s, int lines, int columns)
{
	struct items knobs;

	knobs_items(&s->impaired, &knobs);
	struct panes_wishes wishes = {
		.chosen = s->chosen,
		.alone = s->alone,
		.over = s->over,
		.wire = lab_screen_has_wire(s),
		.score_lines = (int)score_rows(s, panes_side_columns(columns)),
		.knob_lines = (int)items_rows(&knobs, columns > 1 ? (size_t)columns - 1 : 1),
	};
	struct panes p = panes_make(lines, columns, wishes);

	draw_title(s, p.title);
	put_bar(s->canvas, p.question, INK_NORMAL, s->options.scenario->about);
	canvas_rule(s->canvas, p.rule, INK_RULE);
	if (s->chat)
		draw_clients(s, p.pane[PANE_TCP_CALLS]);
	else
		draw_calls(s, PANE_TCP_CALLS, SIDE_TCP, p.pane[PANE_TCP_CALLS]);
	draw_calls(s, PANE_UDP_CALLS, SIDE_UDP, p.pane[PANE_UDP_CALLS]);
	draw_wire(s, PANE_TCP_WIRE, s->ladder[SIDE_TCP], p.pane[PANE_TCP_WIRE]);
	draw_wire(s, PANE_UDP_WIRE, s->ladder[SIDE_UDP], p.pane[PANE_UDP_WIRE]);
	draw_score(s, SIDE_TCP, p.score[SIDE_TCP]);
	draw_score(s, SIDE_UDP, p.score[SIDE_UDP]);
	draw_story(s, p.pane[PANE_STORY]);
	draw_knobs(s, p.knobs);
	if (s->chat && !s->over && !s->hint[0] && s->desk.speak >= 0)
		desk_draw(&s->desk, s->canvas, p.hint);
	else
		draw_hint(s, p.hint);
}

void lab_view(struct lab_screen *s)
{
	int lines, columns;

	canvas_size(s->canvas, &lines, &columns);
	canvas_clear(s->canvas);
	if (s->player)
		draw_run(s, lines, columns);
	else
		put(s->canvas, (struct rect){0, 0, lines, columns}, 0, INK_ERROR, s->hint);
	if (s->guided)
		draw_guide(s);
}
