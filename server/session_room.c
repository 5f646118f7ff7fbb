/*
 * Rooms and people: joining, leaving, lists, nicks, being away.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/frame.h"
#include "server/moderate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- which rooms ---- */

struct session_room *session_find_room(struct session *s, struct span name)
{
	struct stream_key key;

	/* Nearly always the name is written as the room has it. */
	for (size_t i = 0; i < s->room_count; i++) {
		if (span_equal(name, room_name(s->rooms[i].room)))
			return &s->rooms[i];
	}
	if (stream_key_room(name.text, name.length, &key) != 0)
		return NULL;
	return session_find_key(s, &key);
}

struct session_room *session_find_key(struct session *s, const struct stream_key *key)
{
	for (size_t i = 0; i < s->room_count; i++) {
		if (stream_key_compare(key, feed_key(room_feed(s->rooms[i].room))) == 0)
			return &s->rooms[i];
	}
	return NULL;
}

static int reserve_room(struct session *s)
{
	if (s->room_count < s->room_size)
		return 0;
	size_t size = s->room_size ? s->room_size * 2 : 2;
	struct session_room *rooms = realloc(s->rooms, size * sizeof(*rooms));
	if (!rooms)
		return ERR_MEMORY;
	s->rooms = rooms;
	s->room_size = size;
	return 0;
}

/* ---- what a room sees ---- */

static bool may_speak(struct session *s, struct room *room)
{
	return room_may_speak(room, session_person(s), clock_wall_us()) || session_is_operator(s);
}

/* The session as a room sees it: who may not speak there says nothing by being away either. */
static struct room_session as_seen_in(struct session *s, struct room *room)
{
	struct room_session me = session_as_seen(s);

	if (*me.away && !may_speak(s, room))
		me.away = "";
	return me;
}

/* ---- lists ---- */

static int reply_members(
	struct session *s, uint32_t tag, struct room *room, struct span after, uint16_t limit)
{
	struct msg_member_list m = {.tag = tag, .room = span_of(room_name(room))};
	uint8_t *buffer = malloc(SESSION_LIST_BYTES);

	if (!buffer)
		return ERR_MEMORY;
	room_members(room, after, limit, &m, buffer, SESSION_LIST_BYTES);
	int r = session_reply_list(s, MESSAGE_MEMBER_LIST, &m);
	free(buffer);
	return r;
}

int session_on_members(struct session *s, const union message *m)
{
	struct session_room *sr = session_find_room(s, m->members.room);

	if (!sr)
		return session_refuse(s, m->members.tag, CODE_NOT_A_MEMBER);
	uint16_t limit = m->members.limit ? m->members.limit : LIST_MAX;
	return reply_members(s, m->members.tag, sr->room, m->members.after, limit);
}

static int compare_rooms(const void *a, const void *b)
{
	return stream_key_compare(feed_key(room_feed(*(struct room *const *)a)),
		feed_key(room_feed(*(struct room *const *)b)));
}

/* The rooms that the session is in, in the order of their keys, for the caller to free. */
static struct room **own_rooms(const struct session *s)
{
	struct room **rooms = malloc((s->room_count + 1) * sizeof(struct room *));

	if (!rooms)
		return NULL;
	for (size_t i = 0; i < s->room_count; i++)
		rooms[i] = s->rooms[i].room;
	qsort(rooms, s->room_count, sizeof(struct room *), compare_rooms);
	return rooms;
}

int session_on_rooms(struct session *s, const union message *m)
{
	struct msg_room_list list = {.tag = m->rooms.tag};
	uint8_t *buffer = malloc(SESSION_LIST_BYTES);
	struct room **mine = buffer ? own_rooms(s) : NULL;

	if (!mine) {
		free(buffer);
		return ERR_MEMORY;
	}
	uint16_t limit = m->rooms.limit ? m->rooms.limit : LIST_MAX;
	const struct hub_viewer me = {
		.all = session_is_operator(s), .rooms = mine, .room_count = s->room_count};
	int r = hub_list(
		chat_hub(s->chat), m->rooms.after, limit, &me, &list, buffer, SESSION_LIST_BYTES);
	free(mine);
	r = r ? session_refuse(s, list.tag, CODE_RESOURCES)
	      : session_reply_list(s, MESSAGE_ROOM_LIST, &list);
	free(buffer);
	return r;
}

/* ---- coming and going ---- */

/* `*told`: the client knows that it is in. */
static int tell_joined(struct session *s, uint32_t tag, struct room *room, uint64_t after,
	uint64_t last, bool *told)
{
	struct room_topic topic;
	uint64_t seen = 0;

	room_topic(room, &topic);
	/* Where it cannot be read it is not known. */
	if (!s->borrowed)
		(void)engine_read_position(
			chat_engine(s->chat), s->person, feed_key(room_feed(room)), &seen);
	struct msg_joined m = {
		.tag = tag,
		.room = span_of(room_name(room)),
		.after = after,
		.last = last,
		.read = seen,
		.people = room_people(room),
		.topic = span_of(topic.text),
		.topic_nick = span_of(topic.nick),
		.topic_time = topic.time,
	};
	int r = session_reply(s, MESSAGE_JOINED, &m);
	*told = r == 0;
	if (r == 0 && m.people <= ROOM_TOLD_MAX)
		r = reply_members(s, 0, room, (struct span){0}, LIST_MAX);
	return r;
}

/* Where a client that joins begins to read: after what it says it has, or before the last few. */
static int find_start(
	struct session *s, const struct msg_join *join, struct room *room, uint64_t *after)
{
	uint64_t last = feed_last_seq(room_feed(room));

	if ((join->flags & JOIN_RESUME) && s->same_log) {
		*after = join->after < last ? join->after : last;
		return 0;
	}
	uint32_t replay = join->replay < s->policy.replay_max ? join->replay : s->policy.replay_max;
	int r = engine_last(chat_engine(s->chat), feed_key(room_feed(room)), replay, &last, after);
	if (r == 0)
		session_pay_replay(s, replay, last - *after);
	return r;
}

/* They are out again, and the client knew that they were in. */
static int tell_out(
	struct session *s, struct room *room, const struct room_session *me, enum code code)
{
	struct msg_parted parted = {.room = span_of(room_name(room)),
		.code = (uint16_t)code,
		.text = span_of(code_text(code))};

	room_leave(room, me, "");
	int r = session_reply(s, MESSAGE_PARTED, &parted);
	return r ? r : ERR_REFUSED;
}

/* They were sent out while they came in: the client may have let us wait for long. */
static int put_out(
	struct session *s, struct room *room, const struct room_session *me, enum code code)
{
	session_note_member(s, room, false);
	return tell_out(s, room, me, code);
}

/* In the room's feed, whoever is sent out is found. What was done just before is seen here: by the row
 * that is gone, too, and then it is as if they came only now. */
static int stay(struct session *s, struct room *room)
{
	struct room_session me = as_seen_in(s, room);
	struct session_room *sr = &s->rooms[s->room_count - 1];
	const struct stream_key *key = feed_key(room_feed(room));
	enum code code = room_has(room, &me) ? session_may_stay(s, key) : session_may_enter(s, key);

	if (code != CODE_NONE && !atomic_exchange(&sr->member->expelled, true)) {
		member_leave(sr->member);
		member_unref(sr->member);
		s->room_count--;
		return put_out(s, room, &me, code);
	}
	/* They were sent out while this one came in, but may come again. Without memory they are in no list,
	 * and in the room all the same. */
	if (!atomic_load(&sr->member->expelled) && !room_has(room, &me) &&
		room_enter(room, &me, 0) == 0 && atomic_load(&sr->member->expelled))
		room_leave(room, &me, "");
	return 0;
}

/* The room is the session's: tell the client, then let what was said come. */
static int enter(struct session *s, const struct msg_join *join, struct room *room)
{
	struct room_session me = as_seen_in(s, room);
	uint64_t after = 0;
	struct member *member;
	bool told = false;

	int r = find_start(s, join, room, &after);
	if (r)
		return r;
	r = room_enter(room, &me, s->policy.members_max);
	if (r)
		return r;
	/* The log may be ahead of what has been published, and from there it goes on. */
	uint64_t last = feed_last_seq(room_feed(room));
	if (after > last)
		after = last;
	session_note_member(s, room, true);
	r = tell_joined(s, join->tag, room, after, last, &told);
	enum code code = r == 0 ? session_may_stay(s, feed_key(room_feed(room))) : CODE_NONE;
	if (code != CODE_NONE)
		return put_out(s, room, &me, code);
	if (r == 0)
		r = member_join(s->outlet, room_feed(room), after, &member);
	/* An ERROR would be a second answer. They are members all the same, and may come again. */
	if (r == ERR_MEMORY && told)
		return tell_out(s, room, &me, CODE_RESOURCES);
	if (r) {
		room_leave(room, &me, "");
		return r;
	}
	s->rooms[s->room_count++] = (struct session_room){.room = room, .member = member};
	return stay(s, room);
}

/* A room in which nothing was ever said belongs to the first who comes. CODE_TOO_MANY_OWNED: they cannot
 * have one more; all else is no reason not to come in. */
static enum code take_if_new(struct session *s, struct room *room)
{
	/* The rules look again: something may be said meanwhile. */
	const struct doer me = {.person = s->person, .nick = s->nick};
	struct charter c;

	if (!s->proven || feed_last_seq(room_feed(room)) > 0 ||
		stream_key_is_common(feed_key(room_feed(room))) ||
		chat_room_charter(s->chat, room, &c) != 0)
		return CODE_NONE;
	bool owned = charter_has_any(&c, STANDING_OWNER);
	charter_fini(&c);
	/* Where it cannot be kept, the room is nobody's yet. It costs the disk what an act does. */
	if (owned)
		return CODE_NONE;
	budget_pay(&s->budget, MESSAGE_ACT);
	enum code code = moderate_take(s->chat, &me, room);
	return code == CODE_TOO_MANY_OWNED ? code : CODE_NONE;
}

static enum code open_room(struct session *s, struct span name, struct room **room)
{
	enum code code = hub_open(chat_hub(s->chat), name, room);

	if (code != CODE_NONE)
		return code;
	code = session_may_enter(s, feed_key(room_feed(*room)));
	if (code == CODE_NONE)
		code = take_if_new(s, *room);
	if (code != CODE_NONE)
		hub_leave(chat_hub(s->chat), *room);
	return code;
}

/* There is a place for one more in the session's list. */
static int join_room(struct session *s, const struct msg_join *join)
{
	struct room *room;
	enum code code = open_room(s, join->room, &room);
	if (code == CODE_TOO_MANY_ROOMS)
		return session_refuse_limit(s, join->tag, LIMIT_MAX_ROOMS);
	if (code == CODE_TOO_MANY_OWNED)
		return session_refuse_limit(s, join->tag, LIMIT_MAX_OWNED_ROOMS);
	struct stream_key key;
	if (code == CODE_BANNED && stream_key_room(join->room.text, join->room.length, &key) == 0)
		return session_refuse_banned(s, join->tag, &key);
	if (code != CODE_NONE)
		return session_refuse(s, join->tag, code);
	int r = enter(s, join, room);
	if (r) {
		/* That they came may have been told while the client let us wait. */
		chat_tell(s->chat, room);
		hub_leave(chat_hub(s->chat), room);
		if (r == ERR_REFUSED) /* the client knows */
			return 0;
		if (r == ERR_FULL)
			return session_refuse_limit(s, join->tag, LIMIT_MAX_MEMBERS);
		return r == ERR_MEMORY ? session_refuse(s, join->tag, CODE_RESOURCES) : r;
	}
	chat_tell(s->chat, room);
	return 0;
}

int session_on_join(struct session *s, const union message *m)
{
	const struct msg_join *join = &m->join;
	size_t before = s->room_count;

	if (session_find_room(s, join->room))
		return session_refuse(s, join->tag, CODE_ALREADY);
	if (s->room_count >= s->policy.rooms_each)
		return session_refuse_limit(s, join->tag, LIMIT_ROOMS_EACH);
	if (reserve_room(s) != 0)
		return session_refuse(s, join->tag, CODE_RESOURCES);
	/* Before a room comes into being for it. */
	if (!session_enter_one(s, SESSION_ROOM, NULL))
		return session_refuse_limit(s, join->tag, LIMIT_MAX_ROOMS_PER_ADDRESS);
	int r = join_room(s, join);
	if (s->room_count == before)
		session_leave_one(s, SESSION_ROOM, NULL);
	return r;
}

static void leave(struct session *s, struct session_room *sr, const char *why)
{
	struct room_session me = session_as_seen(s);
	struct room *room = sr->room;
	/* Whoever sends somebody out has taken them out of the room as well. */
	bool gone = atomic_exchange(&sr->member->expelled, true);

	member_leave(sr->member);
	member_unref(sr->member);
	*sr = s->rooms[--s->room_count];
	session_leave_one(s, SESSION_ROOM, NULL);
	/* No last words either. */
	if (!gone && why == s->farewell && !may_speak(s, room))
		why = "";
	if (!gone)
		room_leave(room, &me, why);
	chat_tell(s->chat, room);
	hub_leave(chat_hub(s->chat), room);
}

int session_on_part(struct session *s, const union message *m)
{
	struct session_room *sr = session_find_room(s, m->part.room);

	if (!sr)
		return session_refuse(s, m->part.tag, CODE_NOT_A_MEMBER);
	struct room *room = room_ref(sr->room);
	leave(s, sr, "");
	session_note_member(s, room, false);
	struct msg_parted parted = {.tag = m->part.tag, .room = span_of(room_name(room))};
	int r = session_reply(s, MESSAGE_PARTED, &parted);
	room_unref(room);
	return r;
}

void session_leave_all(struct session *s)
{
	const char *why = session_seen_words(s);

	while (s->room_count)
		leave(s, &s->rooms[s->room_count - 1], why);
	if (s->inbox_member) {
		member_leave(s->inbox_member);
		member_unref(s->inbox_member);
		s->inbox_member = NULL;
	}
	if (s->inbox) {
		people_logout(chat_people(s->chat), s->person, s->nick);
		feed_unref(s->inbox);
		s->inbox = NULL;
	}
}

/* ---- oneself ---- */

/* Every room sees the session as it was and as it is. */
static void change_everywhere(struct session *s, const struct room_session *old)
{
	for (size_t i = 0; i < s->room_count; i++) {
		struct room_session new = as_seen_in(s, s->rooms[i].room);
		room_change(s->rooms[i].room, old, &new);
		chat_tell(s->chat, s->rooms[i].room);
	}
}

int session_on_nick(struct session *s, const union message *m)
{
	struct room_session old = session_as_seen(s);
	char before[NICK_MAX + 1], nick[NICK_MAX + 1];

	const struct people_wish wish = {
		.person = s->person, .proven = s->proven, .nick = m->nick.nick};
	bool owned;

	enum code code = session_check_length(s, LIMIT_MAX_NICK_LENGTH, m->nick.nick.length);
	if (code == CODE_NONE)
		code = people_take(chat_people(s->chat), &wish, nick, &owned);
	if (code != CODE_NONE)
		return session_refuse(s, m->nick.tag, code);
	code = owned ? CODE_NONE : session_claim_nick(s, nick);
	people_drop(chat_people(s->chat), code == CODE_NONE ? s->nick : nick);
	if (code != CODE_NONE)
		return session_refuse(s, m->nick.tag, code);
	memcpy(before, s->nick, sizeof(before));
	old.nick = before;
	memcpy(s->nick, nick, sizeof(s->nick));
	change_everywhere(s, &old);
	session_note_nick(s);
	session_rename_lane(s);
	struct msg_renamed renamed = {.tag = m->nick.tag, .nick = span_of(s->nick)};
	return session_reply(s, MESSAGE_RENAMED, &renamed);
}

int session_on_away(struct session *s, const union message *m)
{
	struct room_session old = session_as_seen(s);
	char *before = s->away, *text = NULL;

	if (m->away.state > PERSON_AWAY)
		return session_refuse(s, m->away.tag, CODE_BAD_VALUE);
	if (m->away.state == PERSON_AWAY && m->away.text.length) {
		text = strndup(m->away.text.text, m->away.text.length);
		if (!text)
			return session_refuse(s, m->away.tag, CODE_RESOURCES);
	}
	s->state = (enum person_state)m->away.state;
	s->away = text;
	change_everywhere(s, &old);
	free(before);
	struct msg_done done = {.tag = m->away.tag};
	return session_reply(s, MESSAGE_DONE, &done);
}
