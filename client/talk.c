#include "client/talk_private.h"

#include "client/status.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MS 50 /* events are taken in for so long before keys are looked at again */
#define HINT_MS   4000
#define LEAVE_MS  3000 /* for what is on its way when leaving */

/* ---- life ---- */

static int join_rooms(struct talk *t)
{
	const struct option_list *rooms = t->config->rooms;
	int err = 0;

	if (rooms->count == 0)
		return link_join(t->link, TALK_FIRST_ROOM);
	for (size_t i = 0; i < rooms->count && err == 0; i++)
		err = link_join(t->link, rooms->items[i]);
	return err;
}

/* What the server is called among the passwords: by its key, where discovery told it. */
static void name_place(struct talk *t, const struct location *where)
{
	char key[FINGERPRINT_SIZE];

	if (where->found)
		(void)snprintf(t->place, sizeof t->place, LINK_BEACON "%s",
			fingerprint(where->server_id, key));
	else
		(void)snprintf(t->place, sizeof t->place, "%s:%u", where->host, where->port);
}

static const char *choose_password(struct talk *t)
{
	const char *typed = keyring_find(t->passwords, t->place);
	const char *password = typed ? typed : t->config->password;

	t->password_shown = password && password[0];
	return password;
}

static int start_link(struct talk *t, const struct location *where)
{
	struct link_config config = {
		.host = where->found ? NULL : where->host,
		.port = where->port,
		.addresses = where->addresses,
		.address_count = where->address_count,
		.server_id = where->found ? where->server_id : NULL,
		.interfaces = t->config->interfaces,
		.not_interfaces = t->config->not_interfaces,
		.identity = t->config->identity,
		.tls = t->config->tls,
		.data_folder = where->own ? NULL : t->config->data_folder,
		.name = where->found ? where->name : NULL,
		.chosen = where->chosen,
		.nick = t->config->nick,
		.password = choose_password(t),
		.ranks = true,
		.any_nick = true,
		.replay = t->config->replay,
		.state_folder = t->config->state_folder,
		.keep_trying = true,
	};

	return link_start(&config, &t->link);
}

int talk_start(const struct app_config *config, const struct location *where,
	struct terminal *terminal, struct canvas *canvas, struct keyring *passwords,
	struct talk **out)
{
	struct talk *t = calloc(1, sizeof *t);

	if (!t)
		return ERR_MEMORY;
	t->config = config;
	t->terminal = terminal;
	t->canvas = canvas;
	t->passwords = passwords;
	name_place(t, where);
	t->wishes = (struct layout_wishes){.rooms = true, .members = true};
	int err = model_init(&t->model, config->identity.id, config->nick);
	t->model.plaintext = config->tls == NULL;
	if (err == 0)
		err = model_set(&t->model.wanted,
			config->rooms->count > 0 ? config->rooms->items[0] : TALK_FIRST_ROOM);
	if (err == 0)
		err = start_link(t, where);
	if (err == 0)
		err = join_rooms(t);
	if (err < 0) {
		talk_stop(t);
		return err;
	}
	*out = t;
	return 0;
}

void talk_stop(struct talk *t)
{
	if (!t)
		return;
	(void)link_stop(t->link);
	talk_close_box(t);
	hidden_wipe(&t->password);
	complete_reset(&t->completion);
	recall_fini(&t->recall);
	editor_fini(&t->editor);
	model_fini(&t->model);
	talk_rights_stop(t);
	free(t);
}

/* Returns how many there were. */
static size_t print_unsent(const struct buffer *b, FILE *f)
{
	const struct scrollback *lines = &b->lines;
	char name[ROOM_NAME_MAX * 3 + 2];
	size_t count = 0;

	for (uint64_t n = scrollback_end(lines) - lines->waiting; n < scrollback_end(lines); n++) {
		const struct line *l = scrollback_line(lines, n);
		if (l->state != LINE_WAITING && l->state != LINE_SENT)
			continue;
		(void)fprintf(f, "lanchat: not sent to %s: %s\n", status_name(b, name, sizeof name),
			l->text);
		count++;
	}
	return count;
}

void talk_print_unsent(const struct talk *t, FILE *f)
{
	size_t count = 0;

	for (size_t i = 0; i < t->model.count; i++)
		count += print_unsent(t->model.buffers[i], f);
	if (count > 0 && t->config->state_folder)
		(void)fprintf(f, "lanchat: it is sent when you use this server again\n");
}

int talk_fd(const struct talk *t)
{
	return link_fd(t->link);
}

/* ---- what happens ---- */

void talk_despair(struct talk *t)
{
	const struct model *m = &t->model;
	bool failed = m->state == LINK_WAITING || m->state == LINK_FAILED;
	bool asking = t->password_wanted || t->overlay == OVERLAY_PASSWORD;

	if (t->wish == TALK_STAY && failed && !asking && !m->logged_in && t->editor.length == 0 &&
		link_unacknowledged(t->link) == 0)
		t->wish = TALK_FAILED;
}

static void left(struct talk *t)
{
	t->wish = t->leave_for;
	t->leaving = false;
	t->leave_at = 0;
}

/* What becomes of what has not been sent. */
static const char *fate(const struct talk *t)
{
	if (t->config->state_folder)
		return "; it is sent the next time";
	return t->leave_for == TALK_QUIT ? ", and print what was lost" : "; it is lost then";
}

static void ask_whether_to_leave(struct talk *t, size_t waiting)
{
	char text[128];

	(void)snprintf(text, sizeof text, "Not sent yet: %zu %s. Again: leave all the same%s.",
		waiting, waiting == 1 ? "message" : "messages", fate(t));
	talk_hint(t, text);
	t->leave_at = clock_ms() + HINT_MS;
}

/* It has been waited for. Whoever quits is told what is lost; whoever goes elsewhere is asked. */
static void leave_in_time(struct talk *t)
{
	size_t waiting = link_unacknowledged(t->link);

	if (t->leave_for == TALK_QUIT || waiting == 0 || t->config->state_folder) {
		left(t);
		return;
	}
	t->leaving = false;
	ask_whether_to_leave(t, waiting);
}

void talk_events(struct talk *t)
{
	int64_t until = clock_ms() + EVENTS_MS;
	bool closed = false;
	struct event *e;

	while (clock_ms() < until && (e = link_next(t->link))) {
		if (model_apply(&t->model, e) < 0)
			talk_hint(t, "Out of memory: something may be missing here.");
		if (e->type == EVENT_PLACES)
			talk_join_places(t, e);
		talk_rights_event(t, e);
		talk_race_event(t, e);
		talk_password_event(t, e);
		closed |= e->type == EVENT_STATE && e->state == LINK_CLOSED;
		event_free(e);
	}
	talk_ask(t);
	if (t->model.bell)
		terminal_ring(t->terminal);
	t->model.bell = false;
	/* Whoever goes to another server does not close the link before: its address may be wrong. */
	bool moving = t->leaving && t->leave_for != TALK_QUIT;
	if ((t->leaving && closed) || (moving && link_unacknowledged(t->link) == 0))
		left(t);
	else
		talk_despair(t);
	talk_ask_password(t);
}

void talk_input(struct talk *t, const struct input *in)
{
	switch (in->kind) {
	case INPUT_NONE:
		break;
	case INPUT_KEY:
		talk_key(t, in->key);
		break;
	case INPUT_PASTE:
		talk_paste(t, in);
		break;
	case INPUT_MOUSE:
		talk_mouse(t, in);
		break;
	}
	talk_ask_password(t);
	talk_ask(t);
}

/* A mute ends by itself, by the wall clock, and nobody is told. */
static int64_t marks_deadline(const struct talk *t)
{
	uint64_t until = model_marks_until(&t->model), now = clock_wall_us();

	if (until == UINT64_MAX)
		return INT64_MAX;
	return clock_ms() + (until > now ? (int64_t)((until - now) / 1000) + 1 : 0);
}

int64_t talk_deadline(const struct talk *t)
{
	int64_t deadline = status_deadline(&t->model, clock_ms());

	if (t->hint[0])
		deadline = clock_earlier(deadline, t->hint_until);
	deadline = clock_earlier(deadline, marks_deadline(t));
	deadline = clock_earlier(deadline, talk_race_deadline(t));
	return t->leaving ? clock_earlier(deadline, t->leave_at) : deadline;
}

void talk_tick(struct talk *t)
{
	int64_t now = clock_ms();

	if (t->hint[0] && now >= t->hint_until)
		t->hint[0] = '\0';
	model_tick(&t->model);
	talk_race_tick(t, now);
	if (t->leaving && now >= t->leave_at)
		leave_in_time(t);
}

enum talk_wish talk_wish(struct talk *t)
{
	enum talk_wish wish = t->wish;

	t->wish = TALK_STAY;
	return wish;
}

const char *talk_server(const struct talk *t)
{
	return t->server;
}

void talk_refuse_server(struct talk *t, const char *why)
{
	char line[COMMAND_WORD_MAX + 16];

	talk_say(t, LINE_ERROR, why);
	(void)snprintf(line, sizeof line, "/connect %s", t->server);
	if (t->editor.length == 0)
		(void)editor_set(&t->editor, line);
}

const char *talk_trouble(const struct talk *t)
{
	return t->model.state_text;
}

void talk_say(struct talk *t, enum line_kind kind, const char *text)
{
	struct buffer *b = model_current(&t->model);

	buffer_to_end(b);
	if (model_say(&t->model, b, kind, "%s", text) < 0)
		talk_hint(t, "Out of memory.");
}

void talk_hint(struct talk *t, const char *text)
{
	(void)snprintf(t->hint, sizeof t->hint, "%s", text);
	t->hint_until = clock_ms() + HINT_MS;
}

void talk_show(struct talk *t, size_t index)
{
	/* Who goes elsewhere meanwhile is not taken to a room that is being joined. */
	model_stay(&t->model);
	talk_turn(t, index);
}

void talk_turn(struct talk *t, size_t index)
{
	struct model *m = &t->model;

	if (index >= m->count || index == m->current)
		return;
	/* Without memory the words stay in the line, in the room that is shown now. */
	char *draft = strdup(recall_leave(&t->recall, editor_text(&t->editor)));
	if (!draft)
		return;
	complete_reset(&t->completion);
	free(model_current(m)->draft);
	model_current(m)->draft = draft;
	model_show(m, index);
	const char *kept = model_current(m)->draft;
	(void)editor_set(&t->editor, kept ? kept : "");
}

void talk_leave(struct talk *t, enum talk_wish wish)
{
	size_t waiting = link_unacknowledged(t->link);
	int64_t now = clock_ms();
	char text[128];

	/* The link is being closed already. */
	if (t->leaving && t->leave_for == TALK_QUIT)
		wish = TALK_QUIT;
	t->leave_for = wish;
	if (waiting == 0 || t->leaving || now < t->leave_at) {
		left(t);
		return;
	}
	if (t->model.state != LINK_ONLINE) {
		ask_whether_to_leave(t, waiting);
		return;
	}
	(void)snprintf(text, sizeof text, "Leaving when %zu %s arrived. Again: leave now.", waiting,
		waiting == 1 ? "message has" : "messages have");
	talk_hint(t, text);
	t->leaving = true;
	t->leave_at = now + LEAVE_MS;
	if (wish == TALK_QUIT)
		link_quit(t->link);
}

/* ---- the picture ---- */

static void draw_rules(struct talk *t)
{
	const struct layout *l = &t->layout;
	struct rect r = {l->messages.y, 0, l->messages.lines, 1};

	if (l->rooms_rule >= 0) {
		r.x = l->rooms_rule;
		canvas_rule(t->canvas, r, INK_RULE);
	}
	if (l->members_rule >= 0) {
		r.x = l->members_rule;
		canvas_rule(t->canvas, r, INK_RULE);
	}
}

static void draw_bar(struct talk *t)
{
	struct rect r = t->layout.status;

	if (t->completion.active)
		view_candidates(t->canvas, r, &t->completion);
	else if (t->hint[0])
		view_hint(t->canvas, r, t->hint);
	else if (t->overlay == OVERLAY_FOUND)
		view_hint(t->canvas, r, "Enter: go there   Esc: back   Up, Down: choose");
	else
		view_status(t->canvas, r, &t->model, t->layout.rooms.columns > 0, clock_ms());
}

static void draw_overlay(struct talk *t)
{
	struct rect r = t->layout.messages;

	switch (t->overlay) {
	case OVERLAY_NONE:
		return;
	case OVERLAY_FOUND:
		r.x = 0;
		r.columns = t->layout.input.columns;
		t->found_line = view_found(t->canvas, r, &t->model.found, &t->found_top);
		break;
	case OVERLAY_RACE:
		r = (struct rect){
			0, 0, t->layout.input.y + t->layout.input.lines, t->layout.input.columns};
		view_race(t->canvas, r, &t->race);
		break;
	case OVERLAY_HELP:
	case OVERLAY_PASTE:
	case OVERLAY_PASSWORD: {
		struct box box = talk_box(t);
		t->box_top = view_box(t->canvas, &box, t->box_top);
		break;
	}
	}
	canvas_cursor(t->canvas, -1, -1);
}

void talk_draw(struct talk *t)
{
	struct canvas *c = t->canvas;
	struct model *m = &t->model;
	struct buffer *b = model_current(m);
	struct layout_wishes wishes = t->wishes;
	char prompt[NICK_MAX * 3 + 4];
	int lines, columns;

	canvas_size(c, &lines, &columns);
	wishes.members &= b->kind == BUFFER_ROOM;
	t->layout = layout_make(lines, columns, wishes);
	talk_reveal(t);
	if (!buffer_is_back(b))
		b->missed = 0;
	canvas_clear(c);
	view_topic(c, t->layout.topic, b);
	t->rooms_top = view_rooms_top(t->layout.rooms, m, t->rooms_top);
	view_rooms(c, t->layout.rooms, m, t->rooms_top);
	view_messages(c, t->layout.messages, b, m->kept);
	view_members(c, t->layout.members, b);
	draw_rules(t);
	draw_bar(t);
	(void)snprintf(prompt, sizeof prompt, "%s> ", m->nick);
	t->input_start = view_input(c, t->layout.input, prompt, &t->editor, t->input_start);
	draw_overlay(t);
}
