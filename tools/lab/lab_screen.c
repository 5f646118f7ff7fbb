#include "tools/lab/lab_screen_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "tools/lab/chat.h"
#include "tools/lab/knobs.h"
#include "tools/lab/lab_keys.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE_MS  40 /* from one picture to the next */
#define OVER_MS     250
#define HINT_MS     4000
#define WHEEL_LINES 3
#define ROUND_TRIP  UINT64_C(200000000) /* RFC 6298's minimum as Linux has it, in nanoseconds */

#define STANDS "The wire stands still: . lets one packet arrive, Space lets it go on"

#define PACE_MOST  20 /* to begin with */
#define GUIDE_PAGE 10

static const unsigned paces[] = {1, 2, 5, 10, 20, 50, 100};
#define PACES (sizeof(paces) / sizeof(paces[0]))

static void hint(struct lab_screen *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void hint(struct lab_screen *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(s->hint, sizeof(s->hint), format, ap);
	va_end(ap);
	s->hint_until = clock_ms() + HINT_MS;
}

bool lab_screen_has_wire(const struct lab_screen *s)
{
	return !s->options.loopback;
}

/* ---- a run ---- */

unsigned lab_screen_pace(const struct stage_options *o)
{
	unsigned pace = 1;

	/* A line of limited rate is not slowed down with the rest. */
	if (o->impaired.rate_bps)
		return 1;
	for (size_t i = 0; i < PACES && paces[i] <= PACE_MOST; i++) {
		if (2 * o->impaired.delay_ns * paces[i] <= ROUND_TRIP)
			pace = paces[i];
	}
	return pace;
}

static void end_run(struct lab_screen *s)
{
	for (size_t i = 0; i < SIDES; i++) {
		ladder_free(s->ladder[i]);
		sheet_free(s->calls[i]);
		s->ladder[i] = NULL;
		s->calls[i] = NULL;
	}
	for (size_t i = 0; i < CHAT_PEOPLE; i++) {
		sheet_free(s->voices[i]);
		s->voices[i] = NULL;
	}
	sheet_free(s->story);
	s->story = NULL;
	frames_free(s->frames);
	s->frames = NULL;
	player_stop(s->player);
	s->player = NULL;
}

static int begin_run(struct lab_screen *s, char reason[SITE_REASON])
{
	end_run(s);
	s->ended = s->over = false;
	memset(s->scroll, 0, sizeof(s->scroll));
	if (s->chat && desk_open(&s->desk) != 0) {
		snprintf(reason, SITE_REASON, "%s", strerror(errno));
		return ERR_SYSTEM;
	}
	s->options.lines_fd = s->desk.listen;
	int r = player_start(&s->options, s->slow, s->stands, &s->player, reason);
	if (r)
		return r;
	const struct journal *j = stage_journal(player_stage(s->player));
	bool good = (s->story = sheet_new(j, SHEET_STORY, SIDE_BOTH)) != NULL &&
		    (s->frames = frames_new(j)) != NULL;
	for (size_t i = 0; i < CHAT_PEOPLE && good; i++) {
		s->voices[i] = sheet_new(j, i ? SHEET_SECOND_VOICE : SHEET_FIRST_VOICE, SIDE_BOTH);
		good = s->voices[i] != NULL;
	}
	for (size_t i = 0; i < SIDES && good; i++) {
		s->ladder[i] = ladder_new(j, (enum side)i);
		s->calls[i] = sheet_new(j, SHEET_CALLS, (enum side)i);
		good = s->ladder[i] && s->calls[i];
	}
	if (good) {
		sheet_preface(s->story, s->options.scenario->about);
		return 0;
	}
	end_run(s);
	snprintf(reason, SITE_REASON, "%s", err_text(ERR_MEMORY));
	return ERR_MEMORY;
}

/* Once more; what it was stays on the screen no longer. */
static void run_again(struct lab_screen *s, uint64_t seed)
{
	char reason[SITE_REASON];

	s->options.seed = seed;
	s->options.impaired = s->impaired;
	if (begin_run(s, reason) != 0)
		hint(s, "It cannot be played again: %s", reason);
}

int lab_screen_start(struct canvas *c, bool ascii, const struct stage_options *o, bool stands,
	struct lab_screen **out, char reason[SITE_REASON])
{
	struct lab_screen *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(reason, SITE_REASON, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	s->canvas = c;
	s->ascii = ascii;
	s->options = *o;
	s->impaired = o->impaired;
	s->chat = o->scenario == &chat_scenario;
	s->options.watched = true;
	/* Programs and people have clocks of their own. */
	s->slow = s->chat ? 1 : lab_screen_pace(o);
	desk_init(&s->desk);
	s->chosen = PANE_STORY;
	s->stands = stands;
	if (stands)
		hint(s, "%s", STANDS);
	int r = begin_run(s, reason);
	if (r == 0)
		*out = s;
	else
		lab_screen_stop(s);
	return r;
}

void lab_screen_stop(struct lab_screen *s)
{
	if (!s)
		return;
	end_run(s);
	desk_fini(&s->desk);
	guide_fini(&s->guide);
	free(s);
}

int lab_screen_number(const struct lab_screen *s)
{
	return s->options.scenario->number;
}

int lab_screen_fd(const struct lab_screen *s)
{
	return s->player && !s->ended ? player_fd(s->player) : -1;
}

int64_t lab_screen_deadline(const struct lab_screen *s)
{
	if (!s->player)
		return INT64_MAX;
	/* What was sent may still be on its way when the scenario has ended. */
	return clock_ms() + (s->over ? OVER_MS : PICTURE_MS);
}

enum lab_wish lab_screen_wish(struct lab_screen *s)
{
	enum lab_wish wish = s->wish;

	s->wish = LAB_WISH_STAY;
	return wish;
}

/* ---- what keys do ---- */

static void turn_knob(struct lab_screen *s, enum knob k, int by)
{
	char value[KNOB_VALUE];

	if (!knob_turn(&s->impaired, k, by)) {
		hint(s, "%s: that is the end of its scale", knob_name(k));
		return;
	}
	stage_impair(player_stage(s->player), &s->impaired);
	hint(s, "%s is %s from now on%s", knob_name(k), knob_value(&s->impaired, k, value),
		s->ended ? ": r plays with it" : "");
}

static void reset_network(struct lab_screen *s)
{
	s->impaired = s->options.scenario->impaired;
	stage_impair(player_stage(s->player), &s->impaired);
	hint(s, "The network is as the scenario has it");
}

static void hold(struct lab_screen *s, bool stands)
{
	s->stands = stands;
	stage_hold(player_stage(s->player), stands);
	hint(s, "%s", stands ? STANDS : "");
}

static void step(struct lab_screen *s)
{
	struct wire *w = stage_wire(player_stage(s->player));

	if (!s->stands)
		hold(s, true);
	if (!w) {
		hint(s, "A relay on loopback cannot let a single packet pass");
		return;
	}
	wire_step(w);
	hint(s, "%s", "");
}

static void drop(struct lab_screen *s)
{
	static const enum side sides[PANES] = {[PANE_TCP_CALLS] = SIDE_TCP,
		[PANE_TCP_WIRE] = SIDE_TCP,
		[PANE_UDP_CALLS] = SIDE_UDP,
		[PANE_UDP_WIRE] = SIDE_UDP,
		[PANE_STORY] = SIDE_BOTH};
	static const char *const names[] = {"of TCP", "of UDP", "of each side"};
	struct wire *w = stage_wire(player_stage(s->player));
	enum side side = sides[s->chosen];

	if (!w) {
		hint(s, "A relay on loopback drops by chance alone");
		return;
	}
	wire_drop_next(w, side);
	hint(s, "The next packet with data %s will be dropped", names[side]);
}

static void change_pace(struct lab_screen *s, int by)
{
	size_t at = 0;

	while (at + 1 < PACES && paces[at] < s->slow)
		at++;
	if ((by < 0 && at == 0) || (by > 0 && at + 1 == PACES)) {
		hint(s, "%s", by < 0 ? "It cannot go faster than it does" : "That is slow enough");
		return;
	}
	s->slow = paces[by < 0 ? at - 1 : at + 1];
	stage_slow(player_stage(s->player), s->slow);
	if (s->slow == 1)
		hint(s, "As fast as the network is");
	else
		hint(s, "%u times as slow as the network is", s->slow);
}

static void scroll(struct lab_screen *s, long by)
{
	struct lab_scroll *v = &s->scroll[s->chosen];
	size_t most = v->count > v->lines ? v->count - v->lines : 0, top = v->held ? v->top : most;

	if (by < 0)
		top = (size_t)-by < top ? top - (size_t)-by : 0;
	else
		top = top + (size_t)by < most ? top + (size_t)by : most;
	v->top = top;
	v->held = top < most;
}

static void scroll_pages(struct lab_screen *s, int by)
{
	size_t lines = s->scroll[s->chosen].lines;

	scroll(s, by * (long)(lines > 1 ? lines - 1 : 1));
}

static void open_guide(struct lab_screen *s)
{
	if (!s->guide.lines)
		guide_init(&s->guide, LAB_IN_RUN);
	s->guided = true;
	s->guide_top = 0;
}

/* What needs no run. False: it does. */
static bool act_anyway(struct lab_screen *s, const struct lab_binding *b)
{
	switch (b->action) {
	case LAB_BACK:
		s->wish = LAB_WISH_LEAVE;
		return true;
	case LAB_QUIT:
		s->wish = LAB_WISH_QUIT;
		return true;
	case LAB_REDRAW:
		s->wish = LAB_WISH_REDRAW;
		return true;
	case LAB_SUSPEND:
		s->wish = LAB_WISH_SUSPEND;
		return true;
	case LAB_HELP:
		open_guide(s);
		return true;
	case LAB_AGAIN:
		run_again(s, s->options.seed);
		return true;
	case LAB_NEW_SEED:
		run_again(s, clock_wall_us());
		return true;
	default:
		return false;
	}
}

static void act(struct lab_screen *s, const struct lab_binding *b)
{
	s->hint[0] = '\0';
	if (act_anyway(s, b) || !s->player)
		return;
	switch (b->action) {
	case LAB_UP:
		scroll(s, -1);
		break;
	case LAB_DOWN:
		scroll(s, 1);
		break;
	case LAB_PAGE_UP:
		scroll_pages(s, -1);
		break;
	case LAB_PAGE_DOWN:
		scroll_pages(s, 1);
		break;
	case LAB_TOP:
		scroll(s, -LONG_MAX);
		break;
	case LAB_BOTTOM:
		s->scroll[s->chosen].held = false;
		break;
	case LAB_NEXT_PANE:
		s->chosen = panes_next(s->chosen, 1, lab_screen_has_wire(s));
		break;
	case LAB_PREVIOUS_PANE:
		s->chosen = panes_next(s->chosen, -1, lab_screen_has_wire(s));
		break;
	case LAB_ALONE:
		s->alone = !s->alone;
		break;
	case LAB_PAUSE:
		hold(s, !s->stands);
		break;
	case LAB_STEP:
		step(s);
		break;
	case LAB_DROP:
		drop(s);
		break;
	case LAB_SLOWER:
		change_pace(s, 1);
		break;
	case LAB_FASTER:
		change_pace(s, -1);
		break;
	case LAB_LESS:
		turn_knob(s, (enum knob)b->argument, -1);
		break;
	case LAB_MORE:
		turn_knob(s, (enum knob)b->argument, 1);
		break;
	case LAB_RESET:
		reset_network(s);
		break;
	case LAB_TYPE: /* it was not the desk's */
		hint(s, "%s",
			s->chat ? "It has ended: r begins anew"
				: "Nobody chats here: lanchat-lab chat");
		break;
	default: /* the menu's */
		break;
	}
}

static void act_guide(struct lab_screen *s, const struct lab_binding *b)
{
	switch (b->action) {
	case LAB_UP:
		s->guide_top -= s->guide_top > 0;
		break;
	case LAB_DOWN:
		s->guide_top++;
		break;
	case LAB_PAGE_UP:
		s->guide_top -= s->guide_top < GUIDE_PAGE ? s->guide_top : GUIDE_PAGE;
		break;
	case LAB_PAGE_DOWN:
		s->guide_top += GUIDE_PAGE;
		break;
	case LAB_TOP:
		s->guide_top = 0;
		break;
	case LAB_BOTTOM:
		s->guide_top = s->guide.count * GUIDE_PAGE;
		break;
	case LAB_HELP:
	case LAB_BACK:
		s->guided = false;
		break;
	default:
		(void)act_anyway(s, b);
		break;
	}
}

void lab_screen_input(struct lab_screen *s, const struct input *in)
{
	if (s->chat && !s->guided && !s->ended && desk_input(&s->desk, in)) {
		s->hint[0] = '\0';
		return;
	}
	if (in->kind == INPUT_MOUSE && s->player && !s->guided) {
		if (in->mouse == MOUSE_WHEEL_UP)
			scroll(s, -WHEEL_LINES);
		else if (in->mouse == MOUSE_WHEEL_DOWN)
			scroll(s, WHEEL_LINES);
		return;
	}
	if (in->kind != INPUT_KEY)
		return;
	const struct lab_binding *b = lab_keys_find(in->key, s->guided ? LAB_IN_HELP : LAB_IN_RUN);
	if (b && s->guided)
		act_guide(s, b);
	else if (b)
		act(s, b);
}

void lab_screen_draw(struct lab_screen *s)
{
	if (s->player)
		lab_screen_look(s);
	/* What could not be played has nothing else to show. */
	if (s->player && clock_ms() >= s->hint_until)
		s->hint[0] = '\0';
	lab_view(s);
}
