/*
 * Commands about rights: sending people out, roles, what a room is like, who somebody is; and what the
 * server answers.
 */
#include "client/talk_private.h"

#include "client/act_line.h"
#include "client/needless.h"
#include "client/rights_text.h"
#include "common/clock.h"
#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_ROWS 30 /* that /audit shows at once */

/* Where a command is about: the room that is shown, or with "-s" the server, which is no room. False:
 * said what is wrong. */
static bool take_place(struct talk *t, const char **rest, const char **room)
{
	const struct buffer *b = model_current(&t->model);

	*room = b->name;
	if (act_line_server(rest)) {
		*room = "";
		return true;
	}
	return b->kind == BUFFER_ROOM ||
	       talk_fail(t, "This is no room. (-s is about the whole server: /kick, /ban, /unban, "
			    "/mode and /audit take it.)");
}

static bool sent(struct talk *t, int err)
{
	if (err == ERR_CLOSED)
		return talk_fail(t, "There is no connection; try it again when there is one.");
	if (err == ERR_REFUSED)
		return talk_fail(t, "This server knows nothing of that: it is an older one.");
	return err >= 0 || talk_fail(t, "That cannot be sent: %s", err_text(err));
}

/* Send it, and keep what is to be said when it is done. */
static bool act(struct talk *t, const char *room, const struct link_act *a)
{
	struct buffer *b = *room ? model_room(&t->model, room) : NULL;
	char words[NEEDLESS_SIZE], *done = NULL;
	uint64_t now = clock_wall_us();
	size_t size;

	/* While one is on its way, what is known may be over. */
	if (b && t->act_request == 0 && needless_act(&t->model, b, a, now, words)) {
		talk_say(t, LINE_INFO, words);
		return true;
	}
	FILE *f = open_memstream(&done, &size);
	if (!f)
		return talk_fail(t, "Out of memory.");
	rights_text_done(f, room, a, now);
	if (fclose(f) != 0 || !sent(t, link_act(t->link, room, a, &t->act_request))) {
		free(done);
		return false;
	}
	free(t->act_done);
	t->act_done = done;
	(void)model_set(&t->act_room, room);
	if (b)
		model_doubt_ranks(&t->model, b);
	return true;
}

/* ---- people ---- */

static bool do_person(struct talk *t, enum act_verb verb, const char *rest)
{
	char label[LABEL_MAX + 1], error[ACT_LINE_ERROR];
	struct link_act a;
	const char *room = "";

	bool of_server = verb == ACT_OPERATOR || verb == ACT_NO_OPERATOR || verb == ACT_RELEASE;
	if (!of_server && !take_place(t, &rest, &room))
		return false;
	if (!of_server && !*room && !act_line_on_server(verb))
		return talk_fail(t,
			"/%s is about a room: -s goes with /kick, /ban, /unban, /mode and /audit.",
			act_word(verb));
	if (act_line_person(verb, rest, label, &a, error) < 0)
		return talk_fail(t, "%s", error);
	return act(t, room, &a);
}

/* /op CODE makes the user an operator, /op NICK somebody else. */
static bool do_op(struct talk *t, const char *rest)
{
	char code[ACT_LINE_CODE], error[ACT_LINE_ERROR];
	const struct link_act a = {.verb = ACT_OPERATOR, .label = "", .text = code};

	if (act_line_op(rest, model_person(&t->model, rest) != NULL, code, error) < 0)
		return talk_fail(t, "%s", error);
	return code[0] ? act(t, "", &a) : do_person(t, ACT_OPERATOR, rest);
}

/* ---- rooms ---- */

static bool do_mode(struct talk *t, const char *rest)
{
	char error[ACT_LINE_ERROR];
	struct link_act a;
	const char *room;
	uint32_t request;

	if (!take_place(t, &rest, &room))
		return false;
	if (*rest == '\0')
		return sent(t, link_charter(t->link, room, &request));
	if (*room == '\0')
		return talk_fail(
			t, "/mode -s shows who is what on the server; nothing is set by it.");
	if (act_line_mode(rest, &a, error) < 0)
		return talk_fail(t, "%s", error);
	return act(t, room, &a);
}

/* Those before the ones that were shown last, if they were this room's; 0: the newest. */
static uint64_t earlier(const struct talk *t, const char *room)
{
	return t->audit_room && strcmp(t->audit_room, room) == 0 ? t->audit_before : 0;
}

static bool do_audit(struct talk *t, const char *rest)
{
	const char *room;
	uint64_t before = 0;
	uint32_t request;

	if (!take_place(t, &rest, &room))
		return false;
	if (strcmp(rest, "more") == 0)
		before = earlier(t, room);
	else if (*rest)
		return talk_fail(t, "Use it so: /audit [-s] [more]");
	if (before == 1)
		return talk_fail(t, "That was all; /audit begins again with the newest.");
	return sent(t, link_audit(t->link, room, before, AUDIT_ROWS, &request));
}

bool talk_rights(struct talk *t, const struct command *c)
{
	uint32_t request;

	switch (c->id) {
	case COMMAND_ACT:
		return do_person(t, (enum act_verb)c->verb, c->rest);
	case COMMAND_OP:
		return do_op(t, c->rest);
	case COMMAND_MODE:
		return do_mode(t, c->rest);
	case COMMAND_AUDIT:
		return do_audit(t, c->rest);
	default:
		return sent(t, link_whois(t->link, c->word, &request));
	}
}

/* ---- answers ---- */

/* Each line of a text is a line of the pane. */
static void say_lines(struct talk *t, char *text)
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			talk_say(t, LINE_INFO, line);
	}
}

/* Where /audit more goes on. */
static void note_audit(struct talk *t, const struct event *e)
{
	if (model_set(&t->audit_room, e->room) < 0)
		return;
	if (!e->flag)
		t->audit_before = 1; /* nothing is before the first */
	else if (e->count > 0)
		t->audit_before = e->acts[0].seq;
}

/* In a room, all see what was done; what was done to the server is told here alone. */
static void on_done(struct talk *t, const struct event *e)
{
	if (e->number != t->act_request || !t->act_done)
		talk_hint(t, "Done.");
	else if (!t->act_room || !*t->act_room)
		say_lines(t, t->act_done);
	else
		talk_hint(t, t->act_done);
}

/* The last act was answered, or never will be. What was told before that may be over. */
static void forget_act(struct talk *t)
{
	struct buffer *b = t->act_room ? model_room(&t->model, t->act_room) : NULL;

	t->act_request = 0;
	if (b)
		model_doubt_ranks(&t->model, b);
}

static void say_answer(struct talk *t, const struct event *e)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	rights_text_answer(f, e, clock_wall_us());
	if (fclose(f) == 0)
		say_lines(t, text);
	free(text);
}

void talk_rights_event(struct talk *t, const struct event *e)
{
	bool lost = e->type == EVENT_STATE && e->state != LINK_ONLINE;
	bool answered = (e->type == EVENT_DONE || e->type == EVENT_ERROR) && t->act_request &&
			e->number == t->act_request;

	if (e->type == EVENT_DONE)
		on_done(t, e);
	if (e->type == EVENT_AUDIT)
		note_audit(t, e);
	if (e->type == EVENT_CHARTER || e->type == EVENT_AUDIT || e->type == EVENT_PERSON)
		say_answer(t, e);
	if (lost || answered)
		forget_act(t);
}

void talk_rights_stop(struct talk *t)
{
	free(t->act_done);
	free(t->act_room);
	free(t->audit_room);
}
