#include "client/talk_private.h"

#include "client/keymap.h"
#include "client/keys.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

#define QUIT_MS     3000 /* for the second Ctrl-C */
#define WHEEL_LINES 3
#define ALL_LINES   1000000000
#define BOX_PAGE    10

/* ---- the input line ---- */

static void insert(struct talk *t, const char *bytes, size_t length)
{
	int err = editor_insert(&t->editor, bytes, length);

	if (err == ERR_TOO_BIG)
		talk_hint(t, "The line is full.");
	else if (err < 0)
		talk_hint(t, err_text(err));
}

/* Take the text out of the line, with all that belongs to it. */
static void empty_line(struct talk *t)
{
	(void)editor_set(&t->editor, "");
	t->input_start = 0;
}

/* Send several lines; those that went leave the input. */
static void send_lines(struct talk *t, const char *text)
{
	size_t sent;
	char *copy = strdup(text);

	if (!copy) {
		talk_hint(t, err_text(ERR_MEMORY));
		return;
	}
	if (talk_send(t, copy, &sent))
		empty_line(t);
	else
		(void)editor_set(&t->editor, copy + sent);
	free(copy);
}

static void send_line(struct talk *t)
{
	const char *text = editor_text(&t->editor);

	if (text[0] == '\0') {
		if (t->model.state == LINK_WAITING)
			link_retry(t->link);
		return;
	}
	recall_add(&t->recall, text);
	if (strchr(text, '\n')) {
		send_lines(t, text);
		return;
	}
	/* A command may show another room, whose draft comes into the line: the line is emptied
	 * before, and gets its text back when the command could not be done. */
	char *line = strdup(text);
	if (!line) {
		talk_hint(t, err_text(ERR_MEMORY));
		return;
	}
	empty_line(t);
	if (!talk_run(t, line))
		(void)editor_set(&t->editor, line);
	free(line);
}

static void recall(struct talk *t, const char *line)
{
	if (line)
		(void)editor_set(&t->editor, line);
}

static void older_line(struct talk *t)
{
	recall(t, recall_older(&t->recall, editor_text(&t->editor)));
}

static void newer_line(struct talk *t)
{
	recall(t, recall_newer(&t->recall, editor_text(&t->editor)));
}

static void complete(struct talk *t, bool back)
{
	int err = complete_step(&t->completion, &t->model, &t->editor, back);

	if (err == ERR_NOT_FOUND)
		talk_hint(t, "Nothing to complete that with.");
	else if (err < 0)
		talk_hint(t, err_text(err));
	/* A single candidate needs no list. */
	if (err == 0 && t->completion.count == 1)
		complete_reset(&t->completion);
}

static void complete_on(struct talk *t)
{
	complete(t, false);
}

static void complete_back(struct talk *t)
{
	complete(t, true);
}

/* ---- actions ---- */

static void show_by(struct talk *t, int by)
{
	size_t count = t->model.count;

	talk_show(t, (t->model.current + (by < 0 ? count - 1 : 1)) % count);
}

static void show_unread(struct talk *t)
{
	size_t next = model_next_unread(&t->model);

	if (next == t->model.current)
		talk_hint(t, "Nothing is unread.");
	talk_show(t, next);
}

/* Twice in a row, on an empty line, means to leave. */
static void ask_to_quit(struct talk *t, const char *hint)
{
	int64_t now = clock_ms();

	if ((t->leaving && t->leave_for == TALK_QUIT) || now < t->quit_until) {
		talk_leave(t, TALK_QUIT);
		return;
	}
	t->quit_until = now + QUIT_MS;
	talk_hint(t, hint);
}

static void interrupt(struct talk *t)
{
	if (t->editor.length > 0) {
		editor_do(&t->editor, EDIT_END);
		editor_do(&t->editor, EDIT_KILL_TO_START);
		talk_hint(t, "Ctrl-Y brings the text back. Press Ctrl-C twice to quit.");
		return;
	}
	ask_to_quit(t, "Press Ctrl-C again to quit.");
}

static void end_of_file(struct talk *t)
{
	if (t->editor.length > 0)
		editor_do(&t->editor, EDIT_DELETE);
	else
		ask_to_quit(t, "Press Ctrl-D again to quit.");
}

static void edit(struct talk *t, int operation)
{
	editor_do(&t->editor, (enum editor_operation)operation);
}

static void begin_line(struct talk *t)
{
	insert(t, "\n", 1);
}

static void show_last(struct talk *t)
{
	talk_show(t, t->model.last);
}

static void show_number(struct talk *t, int number)
{
	talk_show(t, (size_t)number - 1);
}

static void scroll_lines(struct talk *t, int lines)
{
	talk_scroll(t, lines);
}

static void scroll_pages(struct talk *t, int pages)
{
	int page = t->layout.messages.lines > 2 ? t->layout.messages.lines - 1 : 1;

	talk_scroll(t, (long)pages * page);
}

static void show_newest(struct talk *t)
{
	buffer_to_end(model_current(&t->model));
}

static void show_keys(struct talk *t)
{
	talk_open_help(t, true);
}

static void toggle_rooms(struct talk *t)
{
	t->wishes.rooms = !t->wishes.rooms;
}

static void toggle_members(struct talk *t)
{
	t->wishes.members = !t->wishes.members;
}

static void redraw(struct talk *t)
{
	terminal_redraw(t->terminal);
}

static void suspend(struct talk *t)
{
	t->wish = TALK_SUSPEND;
}

/* What does it: alone, with the row's number, or with the binding's. */
struct deed {
	void (*alone)(struct talk *t);
	void (*with)(struct talk *t, int number);
	int number; /* 0: the binding's argument */
};

static const struct deed deeds[] = {
	[ACTION_EDIT] = {.with = edit},
	[ACTION_SEND] = {.alone = send_line},
	[ACTION_NEW_LINE] = {.alone = begin_line},
	[ACTION_OLDER] = {.alone = older_line},
	[ACTION_NEWER] = {.alone = newer_line},
	[ACTION_COMPLETE] = {.alone = complete_on},
	[ACTION_COMPLETE_BACK] = {.alone = complete_back},
	[ACTION_BUFFER_NEXT] = {.with = show_by, .number = 1},
	[ACTION_BUFFER_PREVIOUS] = {.with = show_by, .number = -1},
	[ACTION_BUFFER_UNREAD] = {.alone = show_unread},
	[ACTION_BUFFER_LAST] = {.alone = show_last},
	[ACTION_BUFFER_NUMBER] = {.with = show_number},
	[ACTION_PAGE_UP] = {.with = scroll_pages, .number = -1},
	[ACTION_PAGE_DOWN] = {.with = scroll_pages, .number = 1},
	[ACTION_LINE_UP] = {.with = scroll_lines, .number = -1},
	[ACTION_LINE_DOWN] = {.with = scroll_lines, .number = 1},
	[ACTION_TOP] = {.with = scroll_lines, .number = -ALL_LINES},
	[ACTION_BOTTOM] = {.alone = show_newest},
	[ACTION_MARKER] = {.alone = talk_show_marker},
	[ACTION_HELP] = {.alone = show_keys},
	[ACTION_TOGGLE_ROOMS] = {.alone = toggle_rooms},
	[ACTION_TOGGLE_MEMBERS] = {.alone = toggle_members},
	[ACTION_REDRAW] = {.alone = redraw},
	[ACTION_CANCEL] = {.alone = show_newest},
	[ACTION_SUSPEND] = {.alone = suspend},
	[ACTION_INTERRUPT] = {.alone = interrupt},
	[ACTION_END_OF_FILE] = {.alone = end_of_file},
};

static void act(struct talk *t, const struct binding *b)
{
	const struct deed *d = &deeds[b->action];

	if (d->alone)
		d->alone(t);
	else
		d->with(t, d->number != 0 ? d->number : b->argument);
}

/* ---- while something is open over the panes ---- */

static void move_box(struct talk *t, long by)
{
	if (by < 0 && t->box_top < (size_t)-by)
		t->box_top = 0;
	else
		t->box_top += (size_t)by;
}

/* Scrolls the box; false for a key that does not. */
static bool scroll_box(struct talk *t, uint32_t key)
{
	switch (key) {
	case K_UP:
	case 'k':
		move_box(t, -1);
		return true;
	case K_DOWN:
	case 'j':
		move_box(t, 1);
		return true;
	case K_PAGE_UP:
		move_box(t, -BOX_PAGE);
		return true;
	case K_PAGE_DOWN:
	case ' ':
		move_box(t, BOX_PAGE);
		return true;
	case K_HOME:
		t->box_top = 0;
		return true;
	case K_END: /* drawing sets it to the last that there is */
		t->box_top = SIZE_MAX / 2;
		return true;
	default:
		return false;
	}
}

static void help_key(struct talk *t, uint32_t key)
{
	if (key == K_ESCAPE || key == K_F1 || key == 'q' || key == K_ENTER || key == CTRL('C') ||
		key == CTRL('G'))
		talk_close_box(t);
}

/* What was pasted goes where the cursor is, to be changed and sent from there. */
static void edit_paste(struct talk *t)
{
	int err = editor_insert(&t->editor, t->paste.text, strlen(t->paste.text));

	if (err == ERR_TOO_BIG)
		talk_hint(t, "It is too long for the line.");
	else if (err < 0)
		talk_hint(t, err_text(err));
	else
		talk_close_box(t);
}

/* Lines that could not be sent stay in the input. */
static void send_paste(struct talk *t)
{
	size_t sent;
	struct paste paste = t->paste;

	t->paste = (struct paste){0};
	talk_close_box(t);
	recall_add(&t->recall, paste.text);
	if (!talk_send(t, paste.text, &sent))
		insert(t, paste.text + sent, strlen(paste.text + sent));
	paste_fini(&paste);
}

static void paste_key(struct talk *t, uint32_t key)
{
	if (key == K_ENTER && t->paste.longest > t->model.text_max) {
		talk_hint(t, "A line is too long to be sent. e: edit first   Esc: drop");
	} else if (key == K_ENTER) {
		send_paste(t);
	} else if (key == 'e' || key == 'E') {
		edit_paste(t);
	} else if (key == K_ESCAPE || key == CTRL('C') || key == CTRL('G')) {
		talk_close_box(t);
		talk_hint(t, "The paste was dropped.");
	}
}

/* ---- input ---- */

static void type(struct talk *t, uint32_t key)
{
	char bytes[4];

	if (key >= 0x20 && key < 0x110000 && utf8_is_clean(key))
		insert(t, bytes, utf8_encode(key, bytes));
}

/* Keys while something is open over the panes. */
static void overlay_key(struct talk *t, uint32_t key, const struct binding *b)
{
	if (b && (key == CTRL('Z') || key == CTRL('L')))
		act(t, b);
	else if (t->overlay == OVERLAY_FOUND)
		talk_found_key(t, key);
	else if (t->overlay == OVERLAY_PASSWORD)
		talk_password_key(t, key);
	else if (t->overlay == OVERLAY_RACE)
		talk_race_key(t, key);
	else if (!scroll_box(t, key) && t->overlay == OVERLAY_HELP)
		help_key(t, key);
	else if (t->overlay == OVERLAY_PASTE)
		paste_key(t, key);
}

void talk_key(struct talk *t, uint32_t key)
{
	const struct binding *b = keymap_find(key);
	enum action action = b ? b->action : ACTION_EDIT;

	t->hint[0] = '\0';
	if (action != ACTION_INTERRUPT && action != ACTION_END_OF_FILE)
		t->quit_until = 0;
	if (t->overlay != OVERLAY_NONE) {
		overlay_key(t, key, b);
		return;
	}
	if (action != ACTION_COMPLETE && action != ACTION_COMPLETE_BACK)
		complete_reset(&t->completion);
	if (b)
		act(t, b);
	else
		type(t, key);
}

void talk_paste(struct talk *t, const struct input *in)
{
	struct paste paste;

	complete_reset(&t->completion);
	if (t->overlay == OVERLAY_PASSWORD) {
		talk_password_paste(t, in);
		return;
	}
	if (t->overlay == OVERLAY_PASTE) {
		talk_hint(t, "Another paste is waiting for your answer.");
		return;
	}
	/* It would go where nobody sees it. */
	if (t->overlay != OVERLAY_NONE) {
		talk_hint(t, "Escape first, then paste.");
		return;
	}
	int err = paste_init(&paste, in->paste, in->paste_length, in->paste_total);
	if (err < 0) {
		talk_hint(t, err_text(err));
		return;
	}
	if (paste.lines == 1 && !paste.cut && paste.longest <= t->model.text_max) {
		insert(t, paste.text, strlen(paste.text));
		paste_fini(&paste);
		return;
	}
	t->paste = paste;
	talk_open_paste(t);
}

void talk_mouse(struct talk *t, const struct input *in)
{
	long by = in->mouse == MOUSE_WHEEL_UP     ? -WHEEL_LINES
		  : in->mouse == MOUSE_WHEEL_DOWN ? WHEEL_LINES
						  : 0;

	if (t->overlay == OVERLAY_FOUND) {
		talk_found_mouse(t, in);
		return;
	}
	if (t->overlay != OVERLAY_NONE) {
		if (by != 0)
			move_box(t, by);
		return;
	}
	if (by != 0)
		talk_scroll(t, by);
	else if (in->mouse == MOUSE_CLICK && rect_has(t->layout.rooms, in->y, in->x))
		talk_show(t, t->rooms_top + (size_t)(in->y - t->layout.rooms.y));
}
