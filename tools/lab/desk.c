#include "tools/lab/desk.h"

#include "common/err.h"
#include "common/net.h"
#include "common/text.h"
#include "common/utf8.h"
#include "tools/lab/chat_lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROMPT 32
#define KEYS   "Enter: say it   Tab: the other   Esc: other keys   Ctrl-D: that was all"
#define IDLE   "i: type   Esc, q: leave"
#define CODE   4 /* bytes of a code point */

void desk_init(struct desk *d)
{
	*d = (struct desk){.speak = -1, .listen = -1, .typing = true};
}

void desk_close(struct desk *d)
{
	net_close(d->speak);
	net_close(d->listen);
	d->speak = d->listen = -1;
}

void desk_fini(struct desk *d)
{
	desk_close(d);
	editor_fini(&d->editor);
}

int desk_open(struct desk *d)
{
	int ends[2];

	desk_close(d);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return ERR_SYSTEM;
	d->listen = ends[0];
	d->speak = ends[1];
	return 0;
}

/* ---- typing ---- */

static void say(struct desk *d)
{
	char line[EDITOR_MOST + PROMPT];
	const char *text = editor_text(&d->editor);
	int who;

	int n = snprintf(line, sizeof(line), "%s: %s\n", chat_name(d->who), text);
	if (n < 2 || (size_t)n >= sizeof(line))
		return;
	line[n - 1] = '\0';
	/* What is no message stays, to be made one; so does what the pipe does not take. */
	if (chat_lines_read(line, &who, &text) != 0)
		return;
	line[n - 1] = '\n';
	if (write(d->speak, line, (size_t)n) == n)
		(void)editor_set(&d->editor, "");
}

/* What may be in a line, and nothing else of it. */
static void insert(struct desk *d, const char *bytes, size_t length)
{
	char *clean = text_sanitize(bytes, length, 0);

	if (clean)
		(void)editor_insert(&d->editor, clean, strlen(clean));
	free(clean);
}

static bool edit(struct desk *d, uint32_t key)
{
	static const struct {
		uint32_t key;
		enum editor_operation operation;
	} table[] = {{K_LEFT, EDIT_BACK}, {K_RIGHT, EDIT_FORWARD}, {K_HOME, EDIT_START},
		{K_END, EDIT_END}, {K_BACKSPACE, EDIT_DELETE_BACK}, {CTRL('H'), EDIT_DELETE_BACK},
		{K_DELETE, EDIT_DELETE}, {CTRL('A'), EDIT_START}, {CTRL('E'), EDIT_END},
		{CTRL('U'), EDIT_KILL_TO_START}, {CTRL('K'), EDIT_KILL_TO_END},
		{CTRL('W'), EDIT_KILL_WORD_BACK}};
	char code[CODE];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].key != key)
			continue;
		(void)editor_do(&d->editor, table[i].operation);
		return true;
	}
	if (key < ' ' || key >= K_UP)
		return false;
	insert(d, code, utf8_encode(key, code));
	return true;
}

static bool type(struct desk *d, uint32_t key)
{
	switch (key) {
	case K_ENTER:
	case '\n':
		say(d);
		return true;
	case K_TAB:
	case K_BACK_TAB:
		d->who = (d->who + 1) % CHAT_PEOPLE;
		return true;
	case K_ESCAPE:
		d->typing = false;
		return true;
	case CTRL('D'):
		net_close(d->speak);
		d->speak = -1;
		d->typing = false;
		return true;
	default:
		return edit(d, key);
	}
}

bool desk_input(struct desk *d, const struct input *in)
{
	if (d->speak < 0)
		return false;
	if (in->kind == INPUT_PASTE && d->typing) {
		insert(d, in->paste, in->paste_length);
		return true;
	}
	if (in->kind != INPUT_KEY)
		return false;
	if (d->typing)
		return type(d, in->key);
	d->typing = in->key == 'i';
	return d->typing;
}

/* ---- drawing ---- */

void desk_draw(struct desk *d, struct canvas *c, struct rect r)
{
	char prompt[PROMPT];
	size_t end, cursor;

	if (r.lines < 1 || r.columns < 8)
		return;
	(void)snprintf(prompt, sizeof(prompt), " %s says: ", chat_name(d->who));
	canvas_fill(c, r, INK_NORMAL);
	if (!d->typing) {
		(void)canvas_text(c, r, r.y, r.x + 1, INK_DIM, IDLE, strlen(IDLE));
		return;
	}
	int x = canvas_text(c, r, r.y, r.x, INK_STRONG, prompt, strlen(prompt));
	const char *text = editor_text(&d->editor);
	int room = r.x + r.columns - x;
	if (!*text)
		(void)canvas_text(c, r, r.y, x + 2, INK_DIM, KEYS, strlen(KEYS));
	if (room < 2)
		return;
	d->from = editor_window(&d->editor, d->from, (size_t)room - 1, &end, &cursor);
	(void)canvas_text(c, r, r.y, x, INK_NORMAL, text + d->from, end - d->from);
	canvas_cursor(c, r.y, x + (int)cursor);
}
