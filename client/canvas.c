#define NCURSES_WIDECHAR 1
#include "client/canvas.h"

#include "client/colour.h"
#include "common/err.h"
#include "common/text.h"
#include "common/utf8.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define REPLACEMENT 0xfffdU

/* Colour pairs: one for red, one for green, then the palette's. */
enum pair {
	PAIR_NONE,
	PAIR_ERROR,
	PAIR_GOOD,
	PAIR_NICKS,
};

struct canvas {
	struct terminal *term; /* borrowed */
	size_t nick_count;     /* colours of nicks; 0: none */
	bool pairs;
	bool ascii; /* no box drawing */
	bool cursor_shown;
	int cursor_y, cursor_x;
};

int canvas_new(struct terminal *t, struct canvas **out)
{
	struct canvas *c = calloc(1, sizeof *c);
	int colours = terminal_colours(t);

	if (!c)
		return ERR_MEMORY;
	c->term = t;
	const short *palette = colour_palette(colours, &c->nick_count);
	if (c->nick_count > 0) {
		c->pairs = true;
		init_pair(PAIR_ERROR, colours >= 256 ? 160 : COLOR_RED, -1);
		/* The green of eight colours cannot be read on white. */
		init_pair(PAIR_GOOD, colours >= 256 ? 28 : -1, -1);
		for (size_t i = 0; i < c->nick_count; i++)
			init_pair((short)(PAIR_NICKS + i), palette[i], -1);
	}
	*out = c;
	return 0;
}

void canvas_free(struct canvas *c)
{
	free(c);
}

void canvas_ascii(struct canvas *c)
{
	c->ascii = true;
}

void canvas_size(const struct canvas *c, int *lines, int *columns)
{
	(void)c;
	getmaxyx(stdscr, *lines, *columns);
}

void canvas_clear(struct canvas *c)
{
	werase(stdscr);
	c->cursor_shown = false;
}

/* ---- inks ---- */

static attr_t attributes(const struct canvas *c, int ink)
{
	switch (ink) {
	case INK_NORMAL:
	case INK_RULE:
		return A_NORMAL;
	case INK_DIM:
		return A_DIM;
	case INK_STRONG:
		return A_BOLD;
	case INK_BAR:
	case INK_CHOSEN:
		return A_REVERSE;
	case INK_MENTION:
		return A_BOLD | A_REVERSE;
	case INK_GOOD:
		return A_NORMAL;
	case INK_ERROR:
	default: /* nicks */
		return c->pairs ? A_NORMAL : A_BOLD;
	}
}

static short pair_of(const struct canvas *c, int ink)
{
	if (!c->pairs)
		return PAIR_NONE;
	if (ink == INK_ERROR)
		return PAIR_ERROR;
	if (ink == INK_GOOD)
		return PAIR_GOOD;
	return ink >= INK_NICK ? (short)(PAIR_NICKS + ink - INK_NICK) : PAIR_NONE;
}

int canvas_nick_ink(const struct canvas *c, const char *nick)
{
	if (c->nick_count == 0)
		return INK_NICK;
	return INK_NICK + (int)colour_of_nick(nick, c->nick_count);
}

/* ---- cells ---- */

/* One spacing character with the marks on it, as curses takes it. */
struct cell {
	wchar_t text[CCHARW_MAX + 1];
	size_t used;
	int columns;
};

/* What stands for a character of box drawing. */
static wchar_t plain_line(wchar_t what)
{
	return what == L'\u2500' ? L'-' : what == L'\u2502' ? L'|' : L'+';
}

static void put_cell(
	const struct canvas *c, int y, int x, int ink, const wchar_t text[CCHARW_MAX + 1])
{
	const wchar_t line[CCHARW_MAX + 1] = {plain_line(text[0])};
	cchar_t cell;

	if (c->ascii && text[0] >= L'\u2500' && text[0] <= L'\u257f')
		text = line;
	if (setcchar(&cell, text, attributes(c, ink), pair_of(c, ink), NULL) == ERR)
		return;
	/* The last cell of the screen is drawn although this reports an error. */
	(void)mvwadd_wch(stdscr, y, x, &cell);
}

/* Take one cluster apart into cells, at most two. Returns how many; 0 when the library's widths are
 * not those that the cluster should have. */
static size_t make_cells(const char *text, size_t length, int columns, struct cell cells[2])
{
	size_t count = 0;
	int sum = 0;

	for (size_t at = 0; at < length;) {
		uint32_t code;
		size_t n = utf8_decode(text + at, length - at, &code);
		if (n == 0 || !utf8_is_clean(code))
			return 0;
		at += n;
		int width = wcwidth((wchar_t)code);
		if (width > 0) {
			if (count == 2)
				return 0;
			cells[count++] =
				(struct cell){.text = {(wchar_t)code}, .used = 1, .columns = width};
			sum += width;
		} else if (width == 0 && count > 0) {
			struct cell *last = &cells[count - 1];
			/* More marks than a cell holds are left out. */
			if (last->used < CCHARW_MAX)
				last->text[last->used++] = (wchar_t)code;
		} else {
			return 0;
		}
	}
	return sum == columns ? count : 0;
}

/* The first character alone, if its width is not more than the cluster's. */
static bool make_plain(const char *text, size_t length, int columns, struct cell *cell)
{
	uint32_t code;

	if (utf8_decode(text, length, &code) == 0 || !utf8_is_clean(code))
		return false;
	int width = wcwidth((wchar_t)code);
	if (width < 1 || width > columns)
		return false;
	*cell = (struct cell){.text = {(wchar_t)code}, .used = 1, .columns = width};
	return true;
}

static void put_cluster(
	const struct canvas *c, int y, int x, int ink, const char *text, size_t length, int columns)
{
	static const wchar_t blank[CCHARW_MAX + 1] = L" ";
	struct cell cells[2] = {0};
	size_t count = make_cells(text, length, columns, cells);
	int end = x + columns;

	if (count == 0) {
		count = 1;
		if (!make_plain(text, length, columns, &cells[0]))
			cells[0] = (struct cell){
				.text = {(wchar_t)REPLACEMENT}, .used = 1, .columns = 1};
	}
	for (size_t i = 0; i < count; i++) {
		put_cell(c, y, x, ink, cells[i].text);
		x += cells[i].columns;
	}
	for (; x < end; x++)
		put_cell(c, y, x, ink, blank);
}

/* ---- drawing ---- */

int canvas_text(
	struct canvas *c, struct rect clip, int y, int x, int ink, const char *text, size_t length)
{
	int end = clip.x + clip.columns;

	if (y < clip.y || y >= clip.y + clip.lines)
		return x;
	for (size_t at = 0; at < length;) {
		int columns;
		size_t n = text_cluster(text + at, length - at, &columns);
		/* Something that has no columns cannot be seen; a newline is not for this place. */
		if (columns > 0 && x >= clip.x) {
			if (x + columns > end)
				return x;
			put_cluster(c, y, x, ink, text + at, n, columns);
		}
		x += columns;
		at += n;
	}
	return x;
}

static void fill_with(struct canvas *c, struct rect r, int ink, wchar_t what)
{
	const wchar_t text[CCHARW_MAX + 1] = {what};

	for (int y = r.y; y < r.y + r.lines; y++) {
		for (int x = r.x; x < r.x + r.columns; x++)
			put_cell(c, y, x, ink, text);
	}
}

void canvas_fill(struct canvas *c, struct rect r, int ink)
{
	fill_with(c, r, ink, L' ');
}

void canvas_rule(struct canvas *c, struct rect r, int ink)
{
	fill_with(c, r, ink, r.columns == 1 ? L'\u2502' : L'\u2500');
}

void canvas_cursor(struct canvas *c, int y, int x)
{
	c->cursor_shown = y >= 0;
	c->cursor_y = y;
	c->cursor_x = x;
}

void canvas_show(struct canvas *c)
{
	/* Terminals that cannot hide their cursor return ERR, which does not matter. */
	(void)curs_set(c->cursor_shown ? 1 : 0);
	if (c->cursor_shown)
		wmove(stdscr, c->cursor_y, c->cursor_x);
	wnoutrefresh(stdscr);
	doupdate();
}
