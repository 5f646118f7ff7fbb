#include "tools/lab/menu.h"

#include "client/view.h"
#include "client/wrap.h"
#include "common/err.h"
#include "tools/lab/guide.h"
#include "tools/lab/lab_keys.h"
#include "tools/lab/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD     2 /* lines above the list */
#define QUESTION 3 /* lines below it */
#define NAME     15
#define TITLE    38
#define NAME_AT  5
#define PAGE     5
#define SAYING   512
#define WIDE     (NAME_AT + NAME + TITLE + 10) /* columns for both name and title */

enum state {
	NOT_PLAYED,
	WAITS,
	PLAYS,
	PLAYED,
	REFUSED,
};

struct menu {
	struct canvas *canvas; /* borrowed, like the next two */
	const struct lab_settings *settings;
	const char *no_hosts;
	struct {
		enum state state;
		struct lab_verdict verdict;
	} * rows; /* owned; a scenario each */
	size_t chosen, top;
	int typed;         /* the number so far; -1: none */
	bool play, stands; /* it is to be played, and to stand still first */
	enum lab_wish wish;
	char saying[SAYING];

	struct player *player; /* owned: of all that are played in turn, the one that plays; NULL */
	size_t playing;

	bool guided;
	struct guide guide;
	size_t guide_top;
};

int menu_new(struct canvas *c, const struct lab_settings *settings, const char *no_hosts,
	struct menu **out)
{
	struct menu *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_MEMORY;
	m->canvas = c;
	m->settings = settings;
	m->no_hosts = no_hosts;
	m->typed = -1;
	m->rows = calloc(scenarios_count, sizeof(*m->rows));
	if (!m->rows) {
		free(m);
		return ERR_MEMORY;
	}
	if (no_hosts)
		menu_say(m, no_hosts);
	*out = m;
	return 0;
}

void menu_free(struct menu *m)
{
	if (!m)
		return;
	player_stop(m->player);
	guide_fini(&m->guide);
	free(m->rows);
	free(m);
}

void menu_say(struct menu *m, const char *text)
{
	(void)snprintf(m->saying, sizeof(m->saying), "%s", text);
}

void menu_tell(struct menu *m, int number, const struct lab_verdict *v)
{
	if (!v->known)
		return;
	m->rows[number].state = PLAYED;
	m->rows[number].verdict = *v;
}

enum lab_wish menu_wish(struct menu *m)
{
	enum lab_wish wish = m->wish;

	m->wish = LAB_WISH_STAY;
	return wish;
}

static bool on_loopback(const struct menu *m)
{
	return m->no_hosts || m->settings->loopback;
}

static bool can_play(const struct menu *m, size_t i)
{
	return scenarios[i].on_loopback || !on_loopback(m);
}

/* How it is played. False: the options say something that cannot be. */
static bool options_of(struct menu *m, size_t i, struct stage_options *out)
{
	char error[SAYING];

	if (lab_options_stage(m->settings, &scenarios[i], out, error, sizeof(error)) != 0) {
		menu_say(m, error);
		return false;
	}
	out->loopback = on_loopback(m);
	return true;
}

bool menu_play(struct menu *m, struct stage_options *out, bool *stands)
{
	if (!m->play)
		return false;
	m->play = false;
	*stands = m->stands;
	return options_of(m, m->chosen, out);
}

/* ---- all in turn ---- */

int menu_fd(const struct menu *m)
{
	return m->player ? player_fd(m->player) : -1;
}

/* The next one from `m->playing` on that waits, if there is one. */
static void play_next(struct menu *m)
{
	char reason[SITE_REASON];
	struct stage_options o;

	for (; m->playing < scenarios_count && !m->player; m->playing++) {
		size_t i = m->playing;
		if (m->rows[i].state != WAITS)
			continue;
		m->rows[i].state = REFUSED;
		if (!can_play(m, i) || !options_of(m, i, &o))
			continue;
		if (player_start(&o, 1, false, &m->player, reason) != 0) {
			menu_say(m, reason);
			continue;
		}
		m->rows[i].state = PLAYS;
		m->chosen = i;
		break;
	}
	if (!m->player)
		menu_say(m, "All have been played.");
}

static void stop_all(struct menu *m)
{
	for (size_t i = 0; i < scenarios_count; i++) {
		if (m->rows[i].state == WAITS || m->rows[i].state == PLAYS)
			m->rows[i].state = NOT_PLAYED;
	}
	player_stop(m->player);
	m->player = NULL;
	menu_say(m, "Stopped.");
}

static void play_all(struct menu *m)
{
	for (size_t i = 0; i < scenarios_count; i++)
		m->rows[i].state = WAITS;
	m->playing = 0;
	menu_say(m, "All are played in turn; Esc ends that.");
	play_next(m);
}

void menu_events(struct menu *m)
{
	struct lab_verdict v = {.known = true};

	if (!m->player || !player_is_over(m->player, &v.error))
		return;
	stage_verdict(player_stage(m->player), &v.count);
	menu_tell(m, (int)m->playing, &v);
	player_stop(m->player);
	m->player = NULL;
	m->playing++;
	play_next(m);
}

/* ---- what keys do ---- */

static void move(struct menu *m, long by)
{
	long to = (long)m->chosen + by, last = (long)scenarios_count - 1;

	m->chosen = (size_t)(to < 0 ? 0 : to > last ? last : to);
}

/* "12" is typed as 1 and then 2. */
static void type_digit(struct menu *m, int digit)
{
	int number = m->typed > 0 ? m->typed * 10 + digit : digit;

	if ((size_t)number >= scenarios_count)
		number = digit;
	m->typed = number;
	m->chosen = (size_t)number;
}

static void choose(struct menu *m, bool stands)
{
	m->stands = stands;
	if (can_play(m, m->chosen))
		m->play = true;
	else if (m->no_hosts)
		menu_say(m, m->no_hosts);
	else
		menu_say(m, "A relay on loopback cannot show it: it takes hosts of its own.");
}

static void act_guide(struct menu *m, enum lab_action action)
{
	switch (action) {
	case LAB_UP:
		m->guide_top -= m->guide_top > 0;
		break;
	case LAB_DOWN:
		m->guide_top++;
		break;
	case LAB_HELP:
	case LAB_BACK:
		m->guided = false;
		break;
	case LAB_QUIT:
		m->wish = LAB_WISH_QUIT;
		break;
	default:
		break;
	}
}

static void act(struct menu *m, const struct lab_binding *b)
{
	m->saying[0] = '\0';
	switch (b->action) {
	case LAB_UP:
		move(m, -1);
		break;
	case LAB_DOWN:
		move(m, 1);
		break;
	case LAB_PAGE_UP:
		move(m, -PAGE);
		break;
	case LAB_PAGE_DOWN:
		move(m, PAGE);
		break;
	case LAB_TOP:
		m->chosen = 0;
		break;
	case LAB_BOTTOM:
		m->chosen = scenarios_count - 1;
		break;
	case LAB_DIGIT:
		type_digit(m, b->argument);
		break;
	case LAB_HELP:
		if (!m->guide.lines)
			guide_init(&m->guide, LAB_IN_MENU);
		m->guided = true;
		m->guide_top = 0;
		break;
	case LAB_CHOOSE:
		if (!m->player)
			choose(m, b->argument);
		break;
	case LAB_ALL:
		if (!m->player)
			play_all(m);
		break;
	case LAB_BACK:
		if (m->player)
			stop_all(m);
		break;
	case LAB_QUIT:
		m->wish = LAB_WISH_QUIT;
		break;
	case LAB_REDRAW:
		m->wish = LAB_WISH_REDRAW;
		break;
	case LAB_SUSPEND:
		m->wish = LAB_WISH_SUSPEND;
		break;
	default: /* a scenario's */
		break;
	}
	if (b->action != LAB_DIGIT)
		m->typed = -1;
}

void menu_input(struct menu *m, const struct input *in)
{
	if (in->kind == INPUT_MOUSE && !m->guided)
		move(m, in->mouse == MOUSE_WHEEL_UP ? -1 : in->mouse == MOUSE_WHEEL_DOWN);
	if (in->kind != INPUT_KEY)
		return;
	const struct lab_binding *b = lab_keys_find(in->key, m->guided ? LAB_IN_HELP : LAB_IN_MENU);
	if (b && m->guided)
		act_guide(m, b->action);
	else if (b)
		act(m, b);
}

/* ---- how it looks ---- */

static void put(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	(void)canvas_text(c, r, y, x, ink, text, strlen(text));
}

/* What was asserted, and what came of it; its ink. */
static int print_verdicts(const struct verdicts *v, char *out, size_t size)
{
	if (v->failed)
		(void)snprintf(
			out, size, "FAILED: %zu of %zu", v->failed, v->held + v->failed + v->open);
	else if (v->open)
		(void)snprintf(out, size, "%zu held, %zu not shown", v->held, v->open);
	else
		(void)snprintf(out, size, "all %zu held", v->held);
	return v->failed ? INK_ERROR : v->open ? INK_NORMAL : INK_GOOD;
}

static int print_verdict(const struct menu *m, size_t i, char *out, size_t size)
{
	const struct lab_verdict *v = &m->rows[i].verdict;

	*out = '\0';
	switch (m->rows[i].state) {
	case NOT_PLAYED:
		if (can_play(m, i))
			break;
		/* fall through */
	case REFUSED:
		(void)snprintf(out, size, "not on loopback");
		return INK_DIM;
	case WAITS:
		(void)snprintf(out, size, "waits");
		return INK_DIM;
	case PLAYS:
		(void)snprintf(out, size, "plays...");
		return INK_STRONG;
	case PLAYED:
		if (v->error)
			(void)snprintf(out, size, "FAILED: not to its end");
		else
			return print_verdicts(&v->count, out, size);
		return INK_ERROR;
	}
	return INK_NORMAL;
}

static void draw_row(struct menu *m, struct rect r, size_t i)
{
	const struct scenario *x = &scenarios[i];
	bool wide = r.columns >= WIDE;
	char text[256], verdict[64];
	int ink = print_verdict(m, i, verdict, sizeof(verdict));
	int at = r.x + (wide ? NAME_AT + NAME + TITLE : NAME_AT + TITLE);

	if (wide)
		(void)snprintf(text, sizeof(text), " %2d  %-*s%-*s", x->number, NAME, x->name,
			TITLE, x->title);
	else
		(void)snprintf(text, sizeof(text), " %2d  %-*s", x->number, TITLE, x->title);
	if (i == m->chosen) {
		canvas_fill(m->canvas, r, INK_CHOSEN);
		put(m->canvas, r, r.y, r.x, INK_CHOSEN, text);
		put(m->canvas, r, r.y, at, INK_CHOSEN, verdict);
		return;
	}
	put(m->canvas, r, r.y, r.x, INK_NORMAL, text);
	put(m->canvas, r, r.y, at, ink, verdict);
}

static void draw_list(struct menu *m, struct rect r)
{
	size_t lines = r.lines > 0 ? (size_t)r.lines : 0;

	if (m->chosen < m->top)
		m->top = m->chosen;
	if (lines > 0 && m->chosen >= m->top + lines)
		m->top = m->chosen - lines + 1;
	if (m->top + lines > scenarios_count)
		m->top = scenarios_count > lines ? scenarios_count - lines : 0;
	for (size_t i = m->top; i < scenarios_count && i - m->top < lines; i++)
		draw_row(m, (struct rect){r.y + (int)(i - m->top), r.x, 1, r.columns}, i);
}

static void draw_wrapped(struct canvas *c, struct rect r, int ink, const char *text)
{
	size_t length = strlen(text), at = 0, end;

	for (int y = r.y; y < r.y + r.lines && at < length && r.columns > 0; y++) {
		size_t next = wrap_row(text, length, at, (size_t)r.columns, &end);
		(void)canvas_text(c, r, y, r.x, ink, text + at, end - at);
		at = next;
	}
}

void menu_draw(struct menu *m)
{
	int lines, columns;

	canvas_size(m->canvas, &lines, &columns);
	struct rect all = {0, 0, lines, columns}, list = all;
	canvas_clear(m->canvas);
	if (lines > HEAD + QUESTION + 3) {
		struct rect title = {0, 0, 1, columns};
		canvas_fill(m->canvas, title, INK_BAR);
		put(m->canvas, title, 0, 1, INK_BAR, "lanchat-lab: TCP beside UDP");
		list.y = HEAD;
		list.lines -= HEAD + QUESTION + 1;
		struct rect about = {list.y + list.lines, 1, QUESTION, columns - 2};
		if (list.lines > (int)scenarios_count)
			about.y = list.y + (int)scenarios_count + 1;
		draw_wrapped(m->canvas, about, INK_NORMAL,
			m->saying[0] ? m->saying : scenarios[m->chosen].about);
		put(m->canvas, all, lines - 1, 1, INK_DIM,
			"Enter: play   Space: step by step   a: results of all   ?: help   q: "
			"quit");
	}
	draw_list(m, list);
	if (m->guided) {
		struct box b = {.title = " lanchat-lab ",
			.lines = m->guide.lines,
			.count = m->guide.count,
			.hang = GUIDE_HANG,
			.footer = " Esc: back "};
		m->guide_top = view_box(m->canvas, &b, m->guide_top);
	}
}
