/*
 * What was decided about rooms and the server, and what was done: charters and audit logs, as far as the
 * one who asks may see them.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"

#include <stdlib.h>
#include <string.h>

#define SEQ_END ((uint64_t)INT64_MAX)

/* ---- CHARTER ---- */

/* Whom a room does not want is for its moderators to know, and for who may not speak there. */
static bool is_shown(const struct standing *s, enum rank rank, const uint8_t *person)
{
	bool own = s->kind == STANDING_MUTED && person && !s->is_range &&
		   memcmp(s->person, person, PERSON_ID) == 0;

	return own || rank != RANK_NONE || s->kind == STANDING_OWNER ||
	       s->kind == STANDING_MODERATOR || s->kind == STANDING_VOICE;
}

/* Who is here is called as they are now: the nick that they had when it was decided may be another's. */
static int add_standings(struct session *session, const struct charter *c, enum rank rank,
	struct list *list, uint8_t *buffer)
{
	struct people *people = chat_people(session->chat);
	uint64_t now = clock_wall_us();
	char nick[NICK_MAX + 1];
	int r = 0;

	for (size_t i = 0; i < c->count && r == 0 && list->count < LIST_MAX; i++) {
		const struct standing *s = &c->standings[i];
		struct item_standing item = {
			.kind = (uint8_t)s->kind,
			.range = s->is_range,
			.label = span_of(s->label),
			.until = s->until,
		};
		memcpy(item.person, s->person, PERSON_ID);
		if (!s->is_range && people_nick_of(people, s->person, nick) == 0)
			item.label = span_of(nick);
		if (is_shown(s, rank, session_person(session)) && (s->until == 0 || s->until > now))
			r = message_list_add(
				list, ITEM_STANDING, &item, buffer, SESSION_LIST_BYTES);
	}
	return r;
}

/* The key of the room that a request is about; CODE_NONE and `length` 0: the server. A room that is not
 * open is nobody's business who is neither in it nor may come in. */
static enum code find_subject(struct session *s, struct span room, struct stream_key *key)
{
	*key = (struct stream_key){0};
	if (room.length == 0)
		return CODE_NONE;
	if (stream_key_room(room.text, room.length, key) != 0)
		return CODE_BAD_ROOM;
	return session_find_key(s, key) ? CODE_NONE : session_may_enter(s, key);
}

int session_on_charter(struct session *s, const union message *m)
{
	struct msg_charter_is is = {.tag = m->charter.tag, .room = m->charter.room};
	struct session_rules r;
	struct stream_key key;

	enum code code = find_subject(s, is.room, &key);
	uint8_t *buffer = code == CODE_NONE ? malloc(SESSION_LIST_BYTES) : NULL;
	if (code == CODE_NONE && !buffer)
		code = CODE_RESOURCES;
	if (code == CODE_NONE && session_rules_take(s, key.length ? &key : NULL, &r) != 0)
		code = CODE_RESOURCES;
	if (code != CODE_NONE) {
		free(buffer);
		return session_refuse(s, is.tag, code);
	}
	const struct charter *c = key.length ? &r.room : &r.server;
	enum rank rank = rules_rank(&r.rules, session_person(s));
	is.entry = (uint8_t)c->entry;
	is.moderated = c->moderated;
	is.slow = c->slow;
	is.rank = (uint8_t)rank;
	(void)add_standings(s, c, rank, &is.standings, buffer);
	session_rules_drop(&r);
	int e = session_reply_list(s, MESSAGE_CHARTER_IS, &is);
	free(buffer);
	return e;
}

/* ---- AUDIT ---- */

/* Acts as they are read. */
struct acts {
	struct list list;
	uint8_t *bytes;
	uint16_t limit;
	bool more;
};

/* A reader, of the newest `limit`. */
static bool add_act(void *context, const struct log_entry *e)
{
	struct acts *acts = context;
	struct act a;

	if (act_parse(e->text, &a) != 0)
		return true;
	struct item_act item = {
		.seq = e->seq,
		.time = e->time,
		.nick = e->nick,
		.verb = (uint8_t)a.verb,
		.label = span_of(a.label),
		.value = a.value,
		.text = a.text,
	};
	/* What a key is made into is nobody's business either. */
	if (a.verb == ACT_ENTRY)
		item.text = span_of("");
	memcpy(item.actor, e->person, PERSON_ID);
	memcpy(item.person, a.person, PERSON_ID);
	return message_list_add(&acts->list, ITEM_ACT, &item, acts->bytes, SESSION_LIST_BYTES) == 0;
}

static int read_acts(
	struct session *s, const struct stream_key *stream, uint64_t before, struct acts *acts)
{
	struct engine *e = chat_engine(s->chat);
	uint64_t after, first, pruned;

	if (before == 0 || before > SEQ_END)
		before = SEQ_END;
	int r = engine_before(e, stream, before, acts->limit, &after);
	/* One more tells whether there are more. */
	if (r == 0)
		r = engine_before(e, stream, before, acts->limit + 1U, &first);
	if (r)
		return r;
	acts->more = first < after;
	return engine_range(e, stream, after, before - 1, add_act, acts, &pruned);
}

static enum code may_audit(struct session *s, struct span room, struct stream_key *stream)
{
	struct session_rules r;
	struct stream_key key;

	if (room.length && stream_key_room(room.text, room.length, &key) != 0)
		return CODE_BAD_ROOM;
	const struct stream_key *subject = room.length ? &key : NULL;
	if (session_rules_take(s, subject, &r) != 0)
		return CODE_RESOURCES;
	enum rank rank = rules_rank(&r.rules, session_person(s));
	session_rules_drop(&r);
	stream_key_acts(subject, stream);
	return rank >= (subject ? RANK_MODERATOR : RANK_OPERATOR) ? CODE_NONE : CODE_NO_RIGHT;
}

int session_on_audit(struct session *s, const union message *m)
{
	struct msg_audit_page page = {.tag = m->audit.tag, .room = m->audit.room};
	/* Each act is longer than an entry of a list of 200 may be. */
	uint16_t most = SESSION_LIST_BYTES / ACT_TEXT_MAX;
	struct acts acts = {.limit = m->audit.limit};
	struct stream_key stream;

	if (acts.limit == 0 || acts.limit > most)
		acts.limit = most;
	enum code code = may_audit(s, page.room, &stream);
	if (code == CODE_NONE && !(acts.bytes = malloc(SESSION_LIST_BYTES)))
		code = CODE_RESOURCES;
	if (code == CODE_NONE && read_acts(s, &stream, m->audit.before, &acts) != 0)
		code = CODE_RESOURCES;
	page.more = acts.more;
	page.acts = acts.list;
	int r = code == CODE_NONE ? session_reply_list(s, MESSAGE_AUDIT_PAGE, &page)
				  : session_refuse(s, page.tag, code);
	free(acts.bytes);
	return r;
}
