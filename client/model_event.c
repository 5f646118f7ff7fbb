#include "client/model.h"

#include "client/mention.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first failure of several things done one after the other. */
static int either(int a, int b)
{
	return a < 0 ? a : b;
}

static struct buffer *server_buffer(const struct model *m)
{
	return m->buffers[0];
}

/* Say it in the server's buffer, and where the user is looking. */
static int announce(struct model *m, enum line_kind kind, const char *text)
{
	int err = model_say(m, server_buffer(m), kind, "%s", text);

	if (model_current(m) != server_buffer(m))
		err = either(err, model_say(m, model_current(m), kind, "%s", text));
	return err;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
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
		return announce(m, LINE_ERROR, line);
	}
	int err = model_say(m, server_buffer(m), LINE_ERROR, "No connection: %s", m->trouble);
	if (first && !m->logged_in)
		err = either(err, model_say(m, server_buffer(m), LINE_INFO,
					  "It is tried again and again. /discover lists the "
					  "servers on this network; /connect HOST goes to another "
					  "one."));
	return err;
}

static int on_state(struct model *m, const struct event *e)
{
	const char *text = or_empty(e->text);
	enum link_state before = m->state;
	char line[512];

	m->state = e->state;
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
			return announce(m, LINE_INFO, "Connected again.");
		m->was_online = true;
		return 0;
	case LINK_WAITING:
		m->rtt_us = -1;
		m->retry_at = clock_ms() + (int64_t)e->number;
		return on_waiting(m, before == LINK_ONLINE);
	case LINK_FAILED:
		(void)snprintf(line, sizeof line,
			"Cannot go on with this server: %s (/discover lists servers, /connect "
			"tries this "
			"one again.)",
			text);
		return announce(m, LINE_ERROR, line);
	case LINK_CLOSED:
		return 0;
	}
	return 0;
}

static int on_logged_in(struct model *m, const struct event *e)
{
	bool again = m->logged_in, was_kept = m->kept;
	int err = 0;
	char line[NICK_MAX * 2 + 64];

	m->logged_in = true;
	m->kept = e->flag;
	m->text_max = e->number > 0 && e->number < TEXT_MAX ? (size_t)e->number : TEXT_MAX;
	if (model_set(&m->server_name, or_empty(e->text)) < 0 ||
		model_set(&server_buffer(m)->name, m->server_name) < 0)
		return ERR_MEMORY;
	if (!again)
		err = model_say(m, server_buffer(m), LINE_INFO, "Welcome to %s.", m->server_name);
	if (!name_same(or_empty(e->nick), m->nick)) {
		/* Said again in the room that will be shown, if none is yet. */
		if (m->wanted)
			err = either(err, model_set(&m->taken_nick, m->nick));
		(void)snprintf(line, sizeof line, "The nick %s was taken; you are %s.", m->nick,
			or_empty(e->nick));
		err = either(err, announce(m, LINE_INFO, line));
	}
	err = either(err, model_set(&m->nick, or_empty(e->nick)));
	if (!m->kept && (!again || was_kept))
		err = either(err, model_say(m, server_buffer(m), LINE_INFO,
					  "History is off: this server forgets what was said when "
					  "it stops."));
	return err;
}

static int on_log_changed(struct model *m)
{
	int err = 0;

	for (size_t i = 0; i < m->count; i++) {
		m->buffers[i]->last_seq = 0;
		m->buffers[i]->old_seq = 0;
		err = either(err, model_say(m, m->buffers[i], LINE_INFO,
					  "The server has begun a new history: something that was "
					  "said may be "
					  "missing, or come a second time."));
	}
	return err;
}

/* ---- rooms ---- */

static int on_joined(struct model *m, const struct event *e)
{
	struct buffer *b = model_open_room(m, e->room);

	if (!b)
		return ERR_MEMORY;
	b->joined = true;
	b->people = e->count;
	int err = either(model_set(&b->name, e->room), model_set(&b->topic, or_empty(e->text)));
	if (!e->flag) {
		b->old_seq = e->seq;
		b->greeted = false;
	}
	if (m->wanted && name_same(m->wanted, e->room)) {
		free(m->wanted);
		m->wanted = NULL;
		model_show(m, model_index(m, b));
	}
	return err;
}

static int on_parted(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, or_empty(e->room));
	const char *text = or_empty(e->text);

	if (!b || !b->joined)
		return 0;
	b->joined = false;
	roster_clear(&b->roster);
	b->people = 0;
	return model_say(
		m, b, LINE_ERROR, "You are no longer in this room%s%s", text[0] ? ": " : ".", text);
}

/* What was said before the user came has been shown; from here on it is new. */
static int on_caught_up(struct model *m, const struct event *e)
{
	if (!e->room || e->room[0] == '\0') {
		m->inbox_read = true;
		return 0;
	}
	struct buffer *b = model_room(m, e->room);
	if (!b || b->greeted)
		return 0;
	b->greeted = true;
	int err = model_say(m, b, LINE_INFO, "You are in #%s: %llu %s here.", b->name,
		(unsigned long long)b->people, b->people == 1 ? "person" : "people");
	if (b->topic[0])
		err = either(err, model_say(m, b, LINE_TOPIC, "Topic: %s", b->topic));
	if (m->taken_nick && b == model_current(m)) {
		err = either(err, model_say(m, b, LINE_INFO, "The nick %s was taken; you are %s.",
					  m->taken_nick, m->nick));
		free(m->taken_nick);
		m->taken_nick = NULL;
	}
	return err;
}

static int on_gap(struct model *m, const struct event *e)
{
	const char *text = "Some of what was said here is no longer kept.";
	int err = 0;

	if (e->room && e->room[0]) {
		struct buffer *b = model_room(m, e->room);
		return b ? model_say(m, b, LINE_ERROR, "%s", text) : 0;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (m->buffers[i]->kind == BUFFER_DIRECT)
			err = either(err, model_say(m, m->buffers[i], LINE_ERROR, "%s", text));
	}
	return err;
}

/* Remember the rooms, for completion, and list them if the user asked. */
static int on_rooms(struct model *m, const struct event *e)
{
	struct buffer *b = model_current(m);

	if (m->rooms_whole)
		model_forget_rooms(m);
	struct model_room *rooms =
		realloc(m->rooms, (m->room_count + e->count + 1) * sizeof *rooms);

	if (!rooms)
		return ERR_MEMORY;
	m->rooms = rooms;
	for (size_t i = 0; i < e->count; i++) {
		struct model_room r = {.people = e->rooms[i].people};
		if (model_set(&r.name, e->rooms[i].name) < 0 ||
			model_set(&r.topic, e->rooms[i].topic) < 0) {
			free(r.name);
			return ERR_MEMORY;
		}
		rooms[m->room_count++] = r;
	}
	m->rooms_whole = e->flag;
	if (!e->flag || !m->listing)
		return 0;
	m->listing = false;
	int err = model_say(
		m, b, LINE_INFO, "%zu %s:", m->room_count, m->room_count == 1 ? "room" : "rooms");
	for (size_t i = 0; i < m->room_count; i++)
		err = either(err, model_say(m, b, LINE_INFO, "  #%s  (%u)  %s", m->rooms[i].name,
					  m->rooms[i].people, m->rooms[i].topic));
	return err;
}

/* ---- people ---- */

static int on_members(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, or_empty(e->room));
	int err = 0;

	if (!b)
		return 0;
	b->people = e->number;
	/* Without a list, only the number has changed: the room has too many people to tell each. */
	if (!e->flag && e->count == 0)
		return 0;
	roster_clear(&b->roster);
	for (size_t i = 0; i < e->count; i++) {
		const struct event_person *p = &e->people[i];
		if (roster_put(&b->roster, p->person, p->nick, p->state, or_empty(p->away)) ==
			ERR_MEMORY)
			err = ERR_MEMORY;
	}
	return err;
}

static int say_change(struct model *m, struct buffer *b, const struct event *e)
{
	const char *nick = or_empty(e->nick), *text = or_empty(e->text);
	const char *colon = text[0] ? ": " : "";

	switch (e->change) {
	case CHANGE_JOINED:
		return model_say(m, b, LINE_PRESENCE, "%s joined", nick);
	case CHANGE_PARTED:
		return model_say(m, b, LINE_PRESENCE, "%s left%s%s", nick, colon, text);
	case CHANGE_RENAMED:
		return model_say(m, b, LINE_PRESENCE, "%s is now %s", nick, text);
	case CHANGE_STATE:
		break;
	}
	switch (e->person_state) {
	case PERSON_HERE:
		return model_say(m, b, LINE_PRESENCE, "%s is back", nick);
	case PERSON_AWAY:
		return model_say(m, b, LINE_PRESENCE, "%s is away%s%s", nick, colon, text);
	case PERSON_GONE:
		return model_say(m, b, LINE_PRESENCE, "%s is gone%s%s", nick, colon, text);
	}
	return 0;
}

/* The same change in the direct conversation with that person. */
static int change_direct(struct model *m, const struct event *e)
{
	struct buffer *b = model_direct(m, e->person, or_empty(e->nick));

	if (!b)
		return 0;
	switch (e->change) {
	case CHANGE_JOINED:
		b->state = PERSON_HERE;
		return model_set(&b->topic, "");
	case CHANGE_PARTED:
		return 0;
	case CHANGE_RENAMED:
		return model_set(&b->name, or_empty(e->text));
	case CHANGE_STATE:
		b->state = e->person_state;
		return model_set(
			&b->topic, e->person_state == PERSON_HERE ? "" : or_empty(e->text));
	}
	return 0;
}

static int change_roster(struct roster *r, const struct event *e)
{
	const char *nick = or_empty(e->nick);

	switch (e->change) {
	case CHANGE_JOINED:
		return roster_put(r, e->person, nick, e->person_state, "");
	case CHANGE_PARTED:
		roster_remove(r, nick);
		return 0;
	case CHANGE_RENAMED:
		return roster_rename(r, nick, or_empty(e->text));
	case CHANGE_STATE:
		if (e->person_state != PERSON_GONE)
			return roster_put(r, e->person, nick, e->person_state, or_empty(e->text));
		roster_remove(r, nick);
		return 0;
	}
	return 0;
}

/* Is it about the user? Changes are told some time after they happen, also under the nick before. */
static bool is_my_change(const struct model *m, const struct event *e)
{
	const char *nick = or_empty(e->nick);

	if (name_same(nick, m->nick))
		return true;
	return m->nick_before && name_same(nick, m->nick_before) &&
	       memcmp(e->person, m->me, PERSON_ID) == 0;
}

/* So a list may have somebody whose coming is told after it. */
static bool is_known(const struct buffer *b, const struct event *e)
{
	const struct roster_person *p = roster_find(&b->roster, or_empty(e->nick));

	return e->change == CHANGE_JOINED && p && memcmp(p->person, e->person, PERSON_ID) == 0;
}

static int on_presence(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, or_empty(e->room));

	if (!b)
		return 0;
	bool known = is_known(b, e);
	b->people = e->number;
	int err = change_roster(&b->roster, e) == ERR_MEMORY ? ERR_MEMORY : 0;
	err = either(err, change_direct(m, e));
	/* What the user does is told by other means. */
	if (known || is_my_change(m, e) || model_is_ignored(m, e->person))
		return err;
	return either(err, say_change(m, b, e));
}

static int on_renamed(struct model *m, const struct event *e)
{
	char line[NICK_MAX + 64];

	if (model_set(&m->nick_before, m->nick) < 0 || model_set(&m->nick, or_empty(e->nick)) < 0)
		return ERR_MEMORY;
	(void)snprintf(line, sizeof line, "You are now %s.", m->nick);
	return announce(m, LINE_INFO, line);
}

/* ---- what is said ---- */

static bool is_me(const struct model *m, const struct event *e)
{
	/* One person may run several programs under different nicks, which talk to each other. */
	return e->own || (memcmp(e->person, m->me, PERSON_ID) == 0 && name_same(e->nick, m->nick));
}

/* Where a message belongs; NULL with 0 when nowhere. */
static int find_buffer(struct model *m, const struct event *e, struct buffer **out)
{
	const uint8_t *peer = e->peer;
	const char *nick = or_empty(e->peer_nick);

	*out = NULL;
	if (!e->direct) {
		*out = model_room(m, or_empty(e->room));
		return 0;
	}
	/* From another session of the user's own that has another nick: that nick is the other end. */
	if (!is_me(m, e) && memcmp(e->person, m->me, PERSON_ID) == 0)
		nick = e->nick;
	*out = model_open_direct(m, peer, nick);
	return *out ? 0 : ERR_MEMORY;
}

static int make_line(struct model *m, const struct event *e, struct line *l)
{
	const char *text = or_empty(e->text);
	char topic[NICK_MAX + TEXT_MAX + 64];
	bool is_topic = e->kind == SAID_TOPIC;

	*l = (struct line){.kind = line_kind_of(e->kind),
		.own = is_me(m, e),
		.time = e->time,
		.counter = e->counter};
	memcpy(l->person, e->person, PERSON_ID);
	l->state = e->own && !is_topic ? LINE_ACCEPTED : LINE_PLAIN;
	if (is_topic) {
		(void)snprintf(topic, sizeof topic,
			text[0] ? "%s set the topic: %s" : "%s removed the topic",
			or_empty(e->nick), text);
		text = topic;
	}
	if (model_set(&l->nick, is_topic ? "" : or_empty(e->nick)) < 0 ||
		model_set(&l->text, text) < 0) {
		free(l->nick);
		return ERR_MEMORY;
	}
	l->mention = !l->own && !is_topic && mention_find(l->text, m->nick);
	return 0;
}

/* Is it from before the user came? Then it is history, and nobody is told of it. */
static bool is_old(const struct model *m, const struct buffer *b, const struct event *e)
{
	return e->direct ? !m->inbox_read : e->seq <= b->old_seq;
}

static void note_speaker(struct model *m, struct buffer *b, const struct event *e)
{
	struct roster_person *p = roster_find(&b->roster, or_empty(e->nick));

	m->spoken++;
	if (p)
		p->spoke = m->spoken;
}

/* The buffer in which an own message waits. */
static struct buffer *find_waiting(const struct model *m, uint64_t counter, uint64_t *number)
{
	for (size_t i = 0; i < m->count; i++) {
		if (scrollback_find_waiting(&m->buffers[i]->lines, counter, number))
			return m->buffers[i];
	}
	return NULL;
}

static int on_message(struct model *m, const struct event *e)
{
	struct buffer *b, *was;
	struct line l;
	uint64_t waiting;

	if (!e->own && model_is_ignored(m, e->person))
		return 0;
	int err = find_buffer(m, e, &b);
	/* The link lets nothing through twice; this keeps a mistake from being seen. */
	if (!b || (e->seq != 0 && e->seq <= b->last_seq))
		return err;
	err = make_line(m, e, &l);
	if (err < 0)
		return err;
	b->last_seq = e->seq;
	if (e->own && (was = find_waiting(m, e->counter, &waiting)))
		scrollback_remove_waiting(&was->lines, waiting);
	if (e->kind == SAID_TOPIC)
		err = model_set(&b->topic, or_empty(e->text));
	note_speaker(m, b, e);
	bool fresh = !is_old(m, b, e);
	m->bell |= fresh && (l.mention || (e->direct && !l.own && b != model_current(m)));
	return either(err, model_add_line(m, b, &l, fresh));
}

static int on_ack(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = find_waiting(m, e->counter, &number);

	if (!b)
		return 0;
	/* It goes on waiting for its place among the others', until it comes back from the room.
	 * Where nothing will come, it stays where it is. */
	if (b->kind == BUFFER_ROOM && !b->joined)
		scrollback_settle(&b->lines, number, LINE_ACCEPTED);
	else
		scrollback_line(&b->lines, number)->state = LINE_ACCEPTED;
	return 0;
}

static int on_refused(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = find_waiting(m, e->counter, &number);

	if (b)
		scrollback_settle(&b->lines, number, LINE_REFUSED);
	else
		b = model_current(m);
	return model_say(
		m, b, LINE_ERROR, "Not sent: %s (Up brings the text back.)", or_empty(e->text));
}

/* ---- notices ---- */

static int say_lines(struct model *m, struct buffer *b, enum line_kind kind, const char *text)
{
	int err = 0;

	while (*text) {
		int length = (int)strcspn(text, "\n");
		err = either(err, model_say(m, b, kind, "%.*s", length, text));
		text += length;
		text += *text == '\n';
	}
	return err;
}

static int on_notice(struct model *m, const struct event *e)
{
	enum line_kind kind = e->kind == NOTICE_WARNING ? LINE_ERROR : LINE_NOTICE;
	int err = say_lines(m, server_buffer(m), kind, or_empty(e->text));

	if (e->kind != NOTICE_MOTD && model_current(m) != server_buffer(m))
		err = either(err, say_lines(m, model_current(m), kind, or_empty(e->text)));
	return err;
}

static int on_error(struct model *m, const struct event *e)
{
	struct buffer *b = e->room ? model_room(m, e->room) : NULL;
	const char *text = or_empty(e->text);

	if (e->room && e->room[0] && !b)
		return model_say(m, model_current(m), LINE_ERROR, "#%s: %s", e->room, text);
	return model_say(m, b ? b : model_current(m), LINE_ERROR, "Refused: %s", text);
}

int model_apply(struct model *m, const struct event *e)
{
	switch (e->type) {
	case EVENT_STATE:
		return on_state(m, e);
	case EVENT_LOGGED_IN:
		return on_logged_in(m, e);
	case EVENT_LOG_CHANGED:
		return on_log_changed(m);
	case EVENT_JOINED:
		return on_joined(m, e);
	case EVENT_PARTED:
		return on_parted(m, e);
	case EVENT_MESSAGE:
		return on_message(m, e);
	case EVENT_ACK:
		return on_ack(m, e);
	case EVENT_REFUSED:
		return on_refused(m, e);
	case EVENT_MEMBERS:
		return on_members(m, e);
	case EVENT_PRESENCE:
		return on_presence(m, e);
	case EVENT_ROOMS:
		return on_rooms(m, e);
	case EVENT_RENAMED:
		return on_renamed(m, e);
	case EVENT_NOTICE:
		return on_notice(m, e);
	case EVENT_ERROR:
		return on_error(m, e);
	case EVENT_GAP:
		return on_gap(m, e);
	case EVENT_CAUGHT_UP:
		return on_caught_up(m, e);
	case EVENT_RTT:
		m->rtt_us = (int64_t)e->number;
		return 0;
	}
	return 0;
}
