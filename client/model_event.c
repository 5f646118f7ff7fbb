#include "client/model_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"
#include "common/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct buffer *server_buffer(const struct model *m)
{
	return m->buffers[0];
}

int model_announce(struct model *m, enum line_kind kind, const char *text)
{
	int err = model_say(m, server_buffer(m), kind, "%s", text);

	if (model_current(m) != server_buffer(m))
		err = model_either(err, model_say(m, model_current(m), kind, "%s", text));
	return err;
}

/* ---- the connection ---- */

/* A try has failed. It is said once, not at each try, which the status bar counts down to. */
static int on_waiting(struct model *m, bool lost)
{
	bool first = !m->trouble;
	char line[512];

	if (m->trouble && strcmp(m->trouble, m->state_text) == 0)
		return 0;
	if (model_set(&m->trouble, m->state_text) < 0)
		return ERR_MEMORY;
	if (lost) {
		(void)snprintf(line, sizeof line, "The connection was lost: %s", m->trouble);
		return model_announce(m, LINE_ERROR, line);
	}
	int err = model_say(m, server_buffer(m), LINE_ERROR, "No connection: %s", m->trouble);
	if (first && !m->logged_in)
		err = model_either(
			err, model_say(m, server_buffer(m), LINE_INFO,
				     "It is tried again and again. /discover lists the "
				     "servers on this network; /connect HOST goes to another "
				     "one."));
	return err;
}

static int on_state(struct model *m, const struct event *e)
{
	const char *text = model_or_empty(e->text);
	enum link_state before = m->state;
	char line[512];

	m->state = e->state;
	if (before == LINK_ONLINE && e->state != LINK_ONLINE) {
		model_wait_again(m);
		model_doubt_ranks(m, NULL);
	}
	if (model_set(&m->state_text, text) < 0)
		return ERR_MEMORY;
	switch (e->state) {
	case LINK_CONNECTING:
		if (m->trouble)
			return 0;
		return model_say(m, server_buffer(m), LINE_INFO, "Connecting to %s", text);
	case LINK_LOGGING_IN:
		return 0;
	case LINK_ONLINE:
		free(m->trouble);
		m->trouble = NULL;
		if (m->was_online)
			return model_announce(m, LINE_INFO, "Connected again.");
		m->was_online = true;
		return 0;
	case LINK_WAITING:
		m->rtt_us = -1;
		m->retry_at = clock_ms() + (int64_t)e->number;
		return on_waiting(m, before == LINK_ONLINE);
	case LINK_FAILED:
		/* The chat screen asks for it. */
		if (e->code == CODE_PASSWORD)
			return 0;
		(void)snprintf(line, sizeof line,
			"Cannot go on with this server: %s (/discover lists servers, /connect "
			"tries this "
			"one again.)",
			text);
		return model_announce(m, LINE_ERROR, line);
	case LINK_CLOSED:
		return 0;
	}
	return 0;
}

/* A key that is new here: people compare it with what the server's owner reads out. It is said again in
 * the room that will be shown, if none is yet, or nobody would see it. */
static int on_met(struct model *m, const struct event *e)
{
	char key[FINGERPRINT_SIZE], before[FINGERPRINT_SIZE], line[512];
	int err = 0;

	if (e->flag) {
		(void)snprintf(line, sizeof line,
			"Careful: this is not the %s that you met before, but another server: its "
			"key was %s and is %s.",
			model_or_empty(e->text), fingerprint(e->peer, before),
			fingerprint(e->person, key));
		err = model_announce(m, LINE_ERROR, line);
		/* Said again in the room that will be shown, if none is yet. */
		if (m->wanted)
			err = model_either(err, model_set(&m->careful, line));
	}
	(void)snprintf(line, sizeof line,
		"You meet %s for the first time. Its key is %s: the same as lanchatd printed "
		"there?",
		model_or_empty(e->text), fingerprint(e->person, key));
	if (m->wanted)
		err = model_either(err, model_set(&m->met, line));
	return model_either(err, model_say(m, server_buffer(m), LINE_INFO, "%s", line));
}

static int on_logged_in(struct model *m, const struct event *e)
{
	bool again = m->logged_in, was_kept = m->kept;
	int err = 0;
	char line[NICK_MAX * 2 + 64];

	m->logged_in = true;
	m->kept = e->flag;
	m->text_max = e->number > 0 && e->number < TEXT_MAX ? (size_t)e->number : TEXT_MAX;
	if (model_set(&m->server_name, model_or_empty(e->text)) < 0 ||
		model_set(&server_buffer(m)->name, m->server_name) < 0)
		return ERR_MEMORY;
	if (!again)
		err = model_say(m, server_buffer(m), LINE_INFO, "Welcome to %s.", m->server_name);
	if (!name_same(model_or_empty(e->nick), m->nick)) {
		/* Said again in the room that will be shown, if none is yet. */
		if (m->wanted)
			err = model_either(err, model_set(&m->taken_nick, m->nick));
		(void)snprintf(line, sizeof line, "The nick %s was taken; you are %s.", m->nick,
			model_or_empty(e->nick));
		err = model_either(err, model_announce(m, LINE_INFO, line));
	}
	err = model_either(err, model_set(&m->nick, model_or_empty(e->nick)));
	if (!m->kept && (!again || was_kept))
		err = model_either(
			err, model_say(m, server_buffer(m), LINE_INFO,
				     "History is off: this server forgets what was said when "
				     "it stops."));
	return err;
}

/* What is above the line that says so is of the log before, and no page of the new one goes there. */
static int begin_log(struct model *m, struct buffer *b)
{
	buffer_to_end(b);
	b->last_seq = b->old_seq = b->read = b->left_at = 0;
	b->asking = (struct asking){0};
	int err = model_say(m, b, LINE_INFO,
		"The server's log is another one: what is above is no longer kept there.");
	scrollback_new_log(&b->lines);
	return err;
}

static int on_log_changed(struct model *m)
{
	int err = 0;

	for (size_t i = 0; i < m->count; i++)
		err = model_either(err, begin_log(m, m->buffers[i]));
	m->inbox_read = m->inbox_last = 0;
	m->inbox_shown = false; /* what comes first is from before, as at the first login */
	model_found_new_log(m);
	return err;
}

/* ---- notices ---- */

static int say_lines(struct model *m, struct buffer *b, enum line_kind kind, const char *text)
{
	int err = 0;

	while (*text) {
		int length = (int)strcspn(text, "\n");
		err = model_either(err, model_say(m, b, kind, "%.*s", length, text));
		text += length;
		text += *text == '\n';
	}
	return err;
}

static int on_notice(struct model *m, const struct event *e)
{
	enum line_kind kind = e->kind == NOTICE_WARNING ? LINE_ERROR : LINE_NOTICE;
	int err = say_lines(m, server_buffer(m), kind, model_or_empty(e->text));

	if (e->kind != NOTICE_MOTD && model_current(m) != server_buffer(m))
		err = model_either(
			err, say_lines(m, model_current(m), kind, model_or_empty(e->text)));
	return err;
}

static int on_error(struct model *m, const struct event *e)
{
	if (e->number > 0 && (model_on_history_error(m, e) || model_on_found_error(m, e)))
		return 0;
	struct buffer *b = e->room ? model_room(m, e->room) : NULL;
	const char *text = model_or_empty(e->text);

	if (e->code == CODE_KEY_WANTED && e->room && e->room[0])
		return model_say(m, b ? b : model_current(m), LINE_ERROR,
			e->flag ? "That is not the key of #%s. With the right one: /join %s KEY"
				: "#%s is locked. To enter it with its key, type: /join %s KEY",
			e->room, e->room);
	if (e->room && e->room[0] && !b)
		return model_say(m, model_current(m), LINE_ERROR, "#%s: %s", e->room, text);
	return model_say(m, b ? b : model_current(m), LINE_ERROR, "Refused: %s", text);
}

int model_apply(struct model *m, const struct event *e)
{
	switch (e->type) {
	case EVENT_STATE:
		return on_state(m, e);
	case EVENT_MET:
		return on_met(m, e);
	case EVENT_LOGGED_IN:
		return on_logged_in(m, e);
	case EVENT_LOG_CHANGED:
		return on_log_changed(m);
	case EVENT_JOINED:
		return model_on_joined(m, e);
	case EVENT_PARTED:
		return model_on_parted(m, e);
	case EVENT_MESSAGE:
		return model_on_message(m, e);
	case EVENT_ACK:
		return model_on_ack(m, e);
	case EVENT_REFUSED:
		return model_on_refused(m, e);
	case EVENT_MEMBERS:
		return model_on_members(m, e);
	case EVENT_PRESENCE:
		return model_on_presence(m, e);
	case EVENT_ROOMS:
		return model_on_rooms(m, e);
	case EVENT_RENAMED:
		return model_on_renamed(m, e);
	case EVENT_NOTICE:
		return on_notice(m, e);
	case EVENT_ERROR:
		return on_error(m, e);
	case EVENT_GAP:
		return model_on_gap(m, e);
	case EVENT_CAUGHT_UP:
		return model_on_caught_up(m, e);
	case EVENT_RESTORED:
		return model_on_restored(m, e);
	case EVENT_SENT:
		return model_on_sent(m, e);
	case EVENT_CHARTER:
	case EVENT_RANKS:
		return model_on_ranks(m, e);
	case EVENT_PLACES:
		return model_on_places(m, e);
	case EVENT_HISTORY:
		return model_on_history(m, e);
	case EVENT_FOUND:
		return model_on_found(m, e);
	case EVENT_DONE: /* the answers to commands are for who gave them (talk_rights.c) */
	case EVENT_AUDIT:
	case EVENT_PERSON:
	case EVENT_RACED: /* and whether to race, too (talk_race.c) */
		return 0;
	case EVENT_TOSSED:
		return model_on_tossed(m, e);
	case EVENT_LANE:
		return model_say(m, model_current(m), LINE_ERROR,
			"What was said with /udp may not have arrived: %s.",
			model_or_empty(e->text));
	case EVENT_RTT:
		m->rtt_us = (int64_t)e->number;
		return 0;
	}
	return 0;
}
