#include "client/model_private.h"

#include "common/err.h"
#include "common/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rooms ---- */

/* The last page is coming, and then what is new. */
static void enter_anew(struct buffer *b, const struct event *e)
{
	/* Out of the room, something may have been missed: rather begin again than have a hole. */
	if (b->last_seq > 0) {
		buffer_clear(b);
		b->marker = MODEL_NO_LINE;
	}
	b->lines.from = e->seq + 1;
	b->lines.begun = b->lines.pruned = false;
	b->last_seq = 0;
	b->old_seq = e->seq;
	b->greeted = false;
	b->read = e->read;
	b->left_at = e->read < e->seq ? e->read : 0;
}

void model_stay(struct model *m)
{
	free(m->wanted);
	m->wanted = NULL;
}

int model_on_joined(struct model *m, const struct event *e)
{
	struct buffer *b = model_open_room(m, e->room);

	if (!b)
		return ERR_MEMORY;
	b->joined = true;
	b->listed = false; /* the list follows, unless there are too many */
	b->people = e->count;
	int err = model_either(
		model_set(&b->name, e->room), model_set(&b->topic, model_or_empty(e->text)));
	if (!e->flag)
		enter_anew(b, e);
	if (m->wanted && name_same(m->wanted, e->room)) {
		model_stay(m);
		model_show(m, model_index(m, b));
	}
	return err;
}

int model_on_parted(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, model_or_empty(e->room));
	const char *text = model_or_empty(e->text);

	if (!b || !b->joined)
		return 0;
	b->joined = false;
	roster_clear(&b->roster);
	ranks_fini(&b->ranks);
	b->marks_until = UINT64_MAX;
	b->people = 0;
	return model_say(
		m, b, LINE_ERROR, "You are no longer in this room%s%s", text[0] ? ": " : ".", text);
}

/* What the server's own window has already, and nobody saw there. */
static int say_again(struct model *m, struct buffer *b)
{
	int err = 0;

	if (m->careful)
		err = model_say(m, b, LINE_ERROR, "%s", m->careful);
	if (m->met)
		err = model_either(err, model_say(m, b, LINE_INFO, "%s", m->met));
	if (m->taken_nick)
		err = model_either(
			err, model_say(m, b, LINE_INFO, "The nick %s was taken; you are %s.",
				     m->taken_nick, m->nick));
	free(m->careful);
	free(m->met);
	free(m->taken_nick);
	m->careful = m->met = m->taken_nick = NULL;
	return err;
}

/* What was said before the user came has been shown; from here on it is new. */
int model_on_caught_up(struct model *m, const struct event *e)
{
	if (!e->room || e->room[0] == '\0') {
		m->inbox_shown = true;
		return 0;
	}
	struct buffer *b = model_room(m, e->room);
	if (!b || b->greeted)
		return 0;
	b->greeted = true;
	model_mark_left(b);
	model_settle_kept(b);
	int err = model_say(m, b, LINE_INFO, "You are in #%s: %llu %s here.", b->name,
		(unsigned long long)b->people, b->people == 1 ? "person" : "people");
	if (b->topic[0])
		err = model_either(err, model_say(m, b, LINE_TOPIC, "Topic: %s", b->topic));
	if (b == model_current(m))
		err = model_either(err, say_again(m, b));
	return err;
}

/* Remember the rooms, for completion, and list them if the user asked. */
int model_on_rooms(struct model *m, const struct event *e)
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
		err = model_either(
			err, model_say(m, b, LINE_INFO, "  #%s  (%u)  %s", m->rooms[i].name,
				     m->rooms[i].people, m->rooms[i].topic));
	return err;
}

/* Only of the inbox: joining a room tells the same of it. */
int model_on_places(struct model *m, const struct event *e)
{
	for (size_t i = 0; i < e->count; i++) {
		if (e->places[i].room[0] == '\0' && e->places[i].read > m->inbox_read)
			m->inbox_read = e->places[i].read;
	}
	m->placed = true;
	return 0;
}

/* ---- people ---- */

int model_name_direct(const struct model *m, struct buffer *b)
{
	const struct roster_person *p, *other = NULL;

	if (b->kind != BUFFER_DIRECT || !model_is_telling(m, b->person))
		return 0;
	for (size_t i = 0; i < m->count; i++) {
		const struct roster *r = &m->buffers[i]->roster;
		/* Somebody may be here under several nicks; one of them is as good as another. */
		p = roster_find(r, b->name);
		if (p && memcmp(p->person, b->person, PERSON_ID) == 0)
			return 0;
		if (!other)
			other = roster_find_person(r, b->person);
	}
	return other ? model_set(&b->name, other->nick) : 0;
}

int model_on_members(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, model_or_empty(e->room));
	int err = 0;

	if (!b)
		return 0;
	b->people = e->number;
	/* Nor is it told what is done in so large a room. */
	b->ranks.fresh &= e->flag;
	b->listed = e->flag || e->count > 0;
	/* Without a list, only the number has changed: the room has too many people to tell each. */
	if (!b->listed) {
		model_mark_people(m, b);
		return 0;
	}
	roster_clear(&b->roster);
	for (size_t i = 0; i < e->count; i++) {
		const struct event_person *p = &e->people[i];
		if (roster_put(&b->roster, p->person, p->nick, p->state, model_or_empty(p->away)) ==
			ERR_MEMORY)
			err = ERR_MEMORY;
	}
	model_mark_people(m, b);
	for (size_t i = 0; i < m->count; i++)
		err = model_either(err, model_name_direct(m, m->buffers[i]));
	return err;
}

/* Is this what the last line says? Why somebody was sent out has just been told as an act. */
static bool is_just_told(const struct buffer *b, const char *text)
{
	uint64_t end = scrollback_end(&b->lines) - b->lines.waiting;
	const struct line *l = scrollback_line(&b->lines, end - 1);

	return l && l->kind == LINE_PRESENCE && strcmp(l->text, text) == 0;
}

static int say_change(struct model *m, struct buffer *b, const struct event *e)
{
	const char *nick = model_or_empty(e->nick), *text = model_or_empty(e->text);

	if (e->change == CHANGE_PARTED && is_just_told(b, text))
		text = "";
	const char *colon = text[0] ? ": " : "";

	switch (e->change) {
	case CHANGE_JOINED:
		return model_say(m, b, LINE_PRESENCE, "%s joined", nick);
	case CHANGE_PARTED:
		return model_say(m, b, LINE_PRESENCE, "%s left%s%s", nick, colon, text);
	case CHANGE_RENAMED:
		return model_say(m, b, LINE_PRESENCE, "%s is now %s", nick, text);
	case CHANGE_ACT:
		return model_say(m, b, LINE_PRESENCE, "%s %s", nick, text);
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
	struct buffer *b = model_direct(m, e->person, model_or_empty(e->nick));

	if (!b)
		return 0;
	switch (e->change) {
	case CHANGE_JOINED:
		b->state = PERSON_HERE;
		return model_either(model_set(&b->topic, ""), model_name_direct(m, b));
	case CHANGE_PARTED:
	case CHANGE_ACT:
		return 0;
	case CHANGE_RENAMED:
		return model_set(&b->name, model_or_empty(e->text));
	case CHANGE_STATE:
		b->state = e->person_state;
		return model_either(
			model_set(&b->topic,
				e->person_state == PERSON_HERE ? "" : model_or_empty(e->text)),
			model_name_direct(m, b));
	}
	return 0;
}

static int change_roster(struct roster *r, const struct event *e)
{
	const char *nick = model_or_empty(e->nick);

	switch (e->change) {
	case CHANGE_JOINED:
		return roster_put(r, e->person, nick, e->person_state, "");
	case CHANGE_PARTED:
		roster_remove(r, nick);
		return 0;
	case CHANGE_RENAMED:
		return roster_rename(r, nick, model_or_empty(e->text));
	case CHANGE_STATE:
		if (e->person_state != PERSON_GONE)
			return roster_put(
				r, e->person, nick, e->person_state, model_or_empty(e->text));
		roster_remove(r, nick);
		return 0;
	case CHANGE_ACT:
		return 0;
	}
	return 0;
}

/* Is it about the user? Changes are told some time after they happen, also under the nick before. */
static bool is_my_change(const struct model *m, const struct event *e)
{
	const char *nick = model_or_empty(e->nick);

	if (name_same(nick, m->nick))
		return true;
	return m->nick_before && name_same(nick, m->nick_before) &&
	       memcmp(e->person, m->me, PERSON_ID) == 0;
}

/* So a list may have somebody whose coming is told after it. */
static bool is_known(const struct buffer *b, const struct event *e)
{
	const struct roster_person *p = roster_find(&b->roster, model_or_empty(e->nick));

	return e->change == CHANGE_JOINED && p && memcmp(p->person, e->person, PERSON_ID) == 0;
}

int model_on_presence(struct model *m, const struct event *e)
{
	struct buffer *b = model_room(m, model_or_empty(e->room));

	if (!b)
		return 0;
	bool known = is_known(b, e);
	b->people = e->number;
	b->ranks.fresh &= e->change != CHANGE_ACT;
	int err = change_roster(&b->roster, e) == ERR_MEMORY ? ERR_MEMORY : 0;
	if (e->change == CHANGE_JOINED || e->change == CHANGE_STATE)
		model_mark_person(m, b, model_or_empty(e->nick));
	err = model_either(err, change_direct(m, e));
	if (e->change == CHANGE_RENAMED)
		err = model_either(
			err, model_rename_ignored(m, e->person, model_or_empty(e->text)));
	/* What the user does is told by other means. */
	bool told = is_my_change(m, e) && e->change != CHANGE_ACT;
	/* What is done about the room concerns whoever is in it. */
	bool hidden = e->change != CHANGE_ACT && model_is_ignored(m, e->person);
	if (known || told || hidden)
		return err;
	return model_either(err, say_change(m, b, e));
}

int model_on_renamed(struct model *m, const struct event *e)
{
	char line[NICK_MAX + 64];

	if (model_set(&m->nick_before, m->nick) < 0 ||
		model_set(&m->nick, model_or_empty(e->nick)) < 0)
		return ERR_MEMORY;
	(void)snprintf(line, sizeof line, "You are now %s.", m->nick);
	return model_announce(m, LINE_INFO, line);
}
