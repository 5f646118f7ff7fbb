#include "client/seek.h"

#include "client/editor.h"
#include "client/finder.h"
#include "client/keymap.h"
#include "client/paste.h"
#include "client/sites.h"
#include "client/view.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seek {
	const struct app_config *config; /* borrowed, like the next two */
	struct terminal *terminal;
	struct canvas *canvas;
	struct finder *finder; /* owned; NULL where looking is impossible */
	struct sites sites;
	struct editor address;
	size_t address_start;
	bool typing;
	bool helping;    /* help is open over it, */
	size_t help_top; /* from this row on */
	char *message;   /* owned; what happened, or NULL */
	struct sites_shown shown;
	enum seek_wish wish;
};

int seek_start(const struct app_config *config, bool by_itself, struct terminal *t,
	struct canvas *c, struct seek **out)
{
	const struct finder_config finder = {
		.interfaces = config->interfaces, .not_interfaces = config->not_interfaces};
	struct seek *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_MEMORY;
	s->config = config;
	s->terminal = t;
	s->canvas = c;
	sites_init(&s->sites, clock_ms(), config->host);
	s->sites.touched = !by_itself;
	if (finder_start(&finder, &s->finder) < 0) {
		s->finder = NULL;
		seek_say(s, "Looking for servers is impossible on this machine now; an address can "
			    "be typed.");
	}
	*out = s;
	return 0;
}

void seek_stop(struct seek *s)
{
	if (!s)
		return;
	finder_stop(s->finder);
	editor_fini(&s->address);
	free(s->message);
	free(s);
}

int seek_fd(const struct seek *s)
{
	return s->finder ? finder_fd(s->finder) : -1;
}

void seek_events(struct seek *s)
{
	struct finder_row rows[FINDER_ROWS];

	if (s->finder)
		sites_update(
			&s->sites, rows, finder_list(s->finder, rows, FINDER_ROWS), clock_ms());
}

/* ---- what keys do ---- */

static void join(struct seek *s)
{
	if (s->sites.count > 0)
		s->wish = SEEK_JOIN;
}

static void begin_typing(struct seek *s)
{
	s->typing = true;
	seek_say(s, NULL);
}

/* With an empty line, unless something is being typed. */
static void begin_anew(struct seek *s)
{
	if (!s->typing)
		(void)editor_set(&s->address, "");
	begin_typing(s);
}

static void refresh(struct seek *s)
{
	if (s->finder)
		finder_refresh(s->finder);
	s->sites.started = clock_ms();
	seek_say(s, NULL);
}

static void list_key(struct seek *s, uint32_t key)
{
	switch (key) {
	case K_UP:
	case 'k':
		sites_move(&s->sites, -1);
		break;
	case K_DOWN:
	case 'j':
		sites_move(&s->sites, 1);
		break;
	case K_HOME:
	case K_PAGE_UP:
		sites_move(&s->sites, -FINDER_ROWS);
		break;
	case K_END:
	case K_PAGE_DOWN:
		sites_move(&s->sites, FINDER_ROWS);
		break;
	case K_ENTER:
	case '\n':
		join(s);
		break;
	case 'h':
		s->wish = SEEK_HOST;
		break;
	case 'r':
		refresh(s);
		break;
	case 'a':
	case '/':
		begin_typing(s);
		break;
	case 'q':
	case CTRL('C'):
	case CTRL('D'):
	case CTRL('Q'):
		s->wish = SEEK_QUIT;
		break;
	default:
		break;
	}
}

static void insert(struct seek *s, const char *bytes, size_t length)
{
	if (s->address.length + length < NET_HOST_MAX + 8)
		(void)editor_insert(&s->address, bytes, length);
}

static void address_key(struct seek *s, uint32_t key)
{
	const struct binding *b = keymap_find(key);
	char bytes[4];

	if (key == K_ESCAPE || key == CTRL('C') || key == CTRL('G')) {
		s->typing = false;
	} else if (key == K_ENTER || key == '\n') {
		if (s->address.length > 0)
			s->wish = SEEK_ADDRESS;
	} else if (b && b->action == ACTION_EDIT) {
		editor_do(&s->address, (enum editor_operation)b->argument);
	} else if (!b && key >= 0x20 && key < K_UP && utf8_is_clean(key)) {
		insert(s, bytes, utf8_encode(key, bytes));
	}
}

static void open_help(struct seek *s)
{
	s->helping = true;
	s->help_top = 0;
}

/* It may be longer than the screen; drawing sees to it that the last row is the last. */
static void help_key(struct seek *s, uint32_t key)
{
	switch (key) {
	case K_UP:
	case K_PAGE_UP:
		s->help_top -= s->help_top > 0;
		break;
	case K_DOWN:
	case K_PAGE_DOWN:
	case ' ':
		s->help_top++;
		break;
	case K_ESCAPE:
	case K_F1:
	case K_ENTER:
	case 'q':
	case CTRL('C'):
	case CTRL('G'):
		s->helping = false;
		break;
	default:
		break;
	}
}

static void take_key(struct seek *s, uint32_t key)
{
	if (key == CTRL('Z'))
		s->wish = SEEK_SUSPEND;
	else if (key == CTRL('L'))
		terminal_redraw(s->terminal);
	else if (s->helping)
		help_key(s, key);
	else if (key == K_F1)
		open_help(s);
	else if (s->typing)
		address_key(s, key);
	/* A digit begins an address, and not one that was typed before. */
	else if ((key >= '0' && key <= '9') || key == '[') {
		begin_anew(s);
		address_key(s, key);
	} else
		list_key(s, key);
}

void seek_type(struct seek *s, const char *address)
{
	begin_typing(s);
	insert(s, address, strlen(address));
}

static void take_paste(struct seek *s, const struct input *in)
{
	struct paste paste;

	if (paste_init(&paste, in->paste, in->paste_length, in->paste_total) < 0)
		return;
	if (paste.lines == 1) {
		begin_anew(s);
		insert(s, paste.text, strlen(paste.text));
	}
	paste_fini(&paste);
}

static void take_mouse(struct seek *s, const struct input *in)
{
	const struct sites_shown *shown = &s->shown;
	bool inside = in->y >= shown->line && (size_t)(in->y - shown->line) < shown->count;

	if (in->mouse == MOUSE_WHEEL_UP)
		sites_move(&s->sites, -1);
	else if (in->mouse == MOUSE_WHEEL_DOWN)
		sites_move(&s->sites, 1);
	else if (in->mouse == MOUSE_CLICK && inside) {
		size_t row = shown->top + (size_t)(in->y - shown->line);
		if (row >= s->sites.count) /* of the picture before the last ones went */
			return;
		/* A click chooses, another one joins. */
		if (s->sites.chosen == row)
			join(s);
		s->sites.chosen = row;
	}
}

void seek_input(struct seek *s, const struct input *in)
{
	bool touched = s->sites.touched;

	s->sites.touched |= in->kind != INPUT_NONE;
	/* What is below it is not meant. */
	if (s->helping && in->kind != INPUT_KEY)
		return;
	switch (in->kind) {
	case INPUT_NONE:
		break;
	case INPUT_KEY:
		take_key(s, in->key);
		break;
	case INPUT_PASTE:
		take_paste(s, in);
		break;
	case INPUT_MOUSE:
		take_mouse(s, in);
		break;
	}
	/* Drawing the screen anew or leaving it for a while decides nothing. */
	if (in->kind == INPUT_KEY && (in->key == CTRL('L') || in->key == CTRL('Z')))
		s->sites.touched = touched;
}

/* ---- time ---- */

int64_t seek_deadline(const struct seek *s)
{
	return sites_deadline(&s->sites, clock_ms());
}

void seek_tick(struct seek *s)
{
	switch (sites_decide(&s->sites, clock_ms())) {
	case SITES_LOOK:
		break;
	case SITES_JOIN:
		s->wish = SEEK_JOIN;
		break;
	case SITES_HOST:
		s->wish = SEEK_HOST;
		break;
	}
}

/* ---- what comes of it ---- */

enum seek_wish seek_wish(struct seek *s)
{
	enum seek_wish wish = s->wish;

	s->wish = SEEK_STAY;
	return wish;
}

void seek_where(const struct seek *s, struct location *out)
{
	const struct finder_row *row = &s->sites.rows[s->sites.chosen];

	*out = (struct location){.found = true, .address_count = row->address_count};
	(void)snprintf(out->name, sizeof out->name, "%s", row->name);
	memcpy(out->server_id, row->server, sizeof out->server_id);
	memcpy(out->addresses, row->addresses, sizeof out->addresses);
}

const char *seek_address(const struct seek *s)
{
	return editor_text(&s->address);
}

bool seek_has_servers(const struct seek *s)
{
	return s->sites.count > 0;
}

void seek_again(struct seek *s)
{
	seek_say(s, NULL);
	s->sites.started = clock_ms();
	s->sites.host = true;
	s->sites.touched = false;
	if (s->finder)
		finder_refresh(s->finder);
}

void seek_say(struct seek *s, const char *text)
{
	free(s->message);
	s->message = text ? strdup(text) : NULL;
	s->sites.touched |= text != NULL;
}

void seek_draw(struct seek *s)
{
	const struct view_sites v = {
		.sites = &s->sites,
		.message = s->message,
		.address = s->typing ? &s->address : NULL,
		.address_start = &s->address_start,
		.now = clock_ms(),
	};

	canvas_clear(s->canvas);
	view_sites(s->canvas, &v, &s->shown);
	if (s->helping) {
		struct box help = view_sites_help();
		s->help_top = view_box(s->canvas, &help, s->help_top);
		canvas_cursor(s->canvas, -1, -1);
	}
}
