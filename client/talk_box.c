#include "client/talk_private.h"

#include "client/keymap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASTE_SHOWN 12 /* lines of a paste that are shown */
#define INDENT      2  /* of lines of help below their heading */

void talk_add_line(struct talk *t, const char *format, ...)
{
	char **lines = realloc(t->box_lines, (t->box_count + 1) * sizeof *lines);
	va_list arguments;
	char *line;

	if (!lines)
		return;
	t->box_lines = lines;
	va_start(arguments, format);
	int length = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (length >= 0)
		lines[t->box_count++] = line;
}

void talk_close_box(struct talk *t)
{
	for (size_t i = 0; i < t->box_count; i++)
		free(t->box_lines[i]);
	free(t->box_lines);
	t->box_lines = NULL;
	t->box_count = t->box_top = 0;
	paste_fini(&t->paste);
	t->overlay = OVERLAY_NONE;
}

/* ---- help ---- */

static void add_keys(struct talk *t)
{
	size_t count;
	const struct binding *table = keymap_table(&count);
	char line[256];

	talk_add_line(t, "Keys");
	for (size_t i = 0; i < count; i++) {
		if (table[i].help)
			talk_add_line(
				t, "%*s%s", INDENT, "", keymap_print(&table[i], line, sizeof line));
	}
	talk_add_line(t, "%*s%-*s%s", INDENT, "", KEYMAP_HELP_COLUMN, "Mouse",
		"a click shows a room, the wheel scrolls; Shift marks text");
}

static void add_commands(struct talk *t)
{
	size_t count;
	const struct command_spec *table = command_table(&count);
	char line[256];

	talk_add_line(t, "Commands");
	for (size_t i = 0; i < count; i++)
		talk_add_line(t, "%*s%s", INDENT, "", command_print(&table[i], line, sizeof line));
	talk_add_line(t, "%*s%-*s%s", INDENT, "", COMMAND_HELP_COLUMN, "//TEXT",
		"say something that begins with a slash");
}

static void add_mark(struct talk *t, enum line_state state, bool kept, const char *help)
{
	talk_add_line(t, "%*s%s%*s%s", INDENT, "", view_mark(state, kept), KEYMAP_HELP_COLUMN - 1,
		"", help);
}

static void add_marks(struct talk *t)
{
	talk_add_line(t, "Marks of your messages");
	add_mark(t, LINE_WAITING, false, "waiting to be sent");
	add_mark(t, LINE_SENT, false, "on its way to the server");
	add_mark(t, LINE_ACCEPTED, false, "the server has it");
	add_mark(t, LINE_ACCEPTED, true, "the server has it, and keeps it");
	add_mark(t, LINE_REFUSED, false, "refused; the line below tells why");
	add_mark(t, LINE_DATAGRAM, false, "a datagram (/udp): nobody knows whom it reached");
}

static void add_people_marks(struct talk *t)
{
	talk_add_line(t, "Marks of people");
	for (enum mark m = MARK_OPERATOR; m > MARK_NONE; m--)
		talk_add_line(t, "%*s%s%*s%s", INDENT, "", mark_sign(m), KEYMAP_HELP_COLUMN - 1, "",
			mark_help(m));
	talk_add_line(t, "%*s%s%*s%s", INDENT, "", "~", KEYMAP_HELP_COLUMN - 1, "",
		"(part of the nick) has not proven to be who owns it");
}

void talk_open_help(struct talk *t, bool keys_first)
{
	talk_close_box(t);
	if (keys_first)
		add_keys(t);
	else
		add_commands(t);
	talk_add_line(t, "%s", "");
	if (keys_first)
		add_commands(t);
	else
		add_keys(t);
	talk_add_line(t, "%s", "");
	add_marks(t);
	talk_add_line(t, "%s", "");
	add_people_marks(t);
	t->overlay = OVERLAY_HELP;
}

/* ---- pastes ---- */

void talk_open_paste(struct talk *t)
{
	size_t length = 0;

	if (t->paste.cut)
		talk_add_line(t, "%zu bytes were pasted; only the first %zu of them are here.",
			t->paste.bytes, strlen(t->paste.text));
	if (t->paste.longest > t->model.text_max)
		talk_add_line(t, "A line has %zu bytes; a message may have %zu.", t->paste.longest,
			t->model.text_max);
	if (t->box_count > 0)
		talk_add_line(t, "%s", "");
	for (size_t i = 0; i < t->paste.lines && i < PASTE_SHOWN; i++) {
		const char *line = paste_line(&t->paste, i, &length);
		talk_add_line(t, "%.*s", (int)length, line);
	}
	if (t->paste.lines > PASTE_SHOWN)
		talk_add_line(t, "... and %zu more lines", t->paste.lines - PASTE_SHOWN);
	(void)snprintf(t->box_title, sizeof t->box_title, " Paste: %zu %s ", t->paste.lines,
		t->paste.lines == 1 ? "line" : "lines");
	t->overlay = OVERLAY_PASTE;
}

struct box talk_box(const struct talk *t)
{
	struct box b = {.lines = t->box_lines, .count = t->box_count};

	if (t->overlay == OVERLAY_PASTE) {
		b.title = t->box_title;
		b.footer = t->paste.longest > t->model.text_max
				   ? " too long to send   e: edit first   Esc: drop "
				   : " Enter: send   e: edit first   Esc: drop ";
	} else if (t->overlay == OVERLAY_PASSWORD) {
		b.title = " Password ";
		b.footer = " Enter: go in   Ctrl-U: empty the line   Esc: give up ";
	} else {
		_Static_assert(KEYMAP_HELP_COLUMN == COMMAND_HELP_COLUMN, "one column of words");
		b.title = " Help ";
		b.hang = INDENT + KEYMAP_HELP_COLUMN;
		b.footer = " Esc: close   Up, Down, PageUp, PageDown: scroll ";
	}
	return b;
}
