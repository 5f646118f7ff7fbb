#include "server/room.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "server/occupant.h"
#include "server/rules.h"
#include "server/turns.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX    256  /* collected between two tellings; beyond it only the number is told */
#define AHEAD          4    /* rows, of the one that is written into a list of members */
#define TELL_EACH      10   /* milliseconds between two tellings for each who is in the room */
#define PRESENCE_FRAME 8192 /* bytes of one telling at most */

/* Something to tell. */
struct change {
	enum change_what what;
	enum person_state state;
	uint8_t person[PERSON_ID];
	char nick[NICK_MAX + 1];
	char text[AWAY_MAX + 1];
};

struct room {
	atomic_uint refs;      /* the hub's, each session's, a caller's for a moment */
	struct feed *feed;     /* counted, constant */
	struct room_link link; /* guarded by the hub's lock */

	atomic_uint slow; /* the charter's; written under lock */

	struct lock lock;
	/* guarded by lock */
	struct charter charter;
	bool stale; /* memory was out for an act: the engine has the charter */
	struct occupants people;
	struct turns turns;
	struct room_topic topic;
	struct change *changes; /* CHANGES_MAX of them while there are any, else NULL */
	size_t change_count;
	bool changed; /* since the last telling */
	bool listed;  /* a list was handed out that shows changes not told yet */
	bool missed;  /* something changed that will not be told by name */
	int64_t told; /* clock_ms */
	uint64_t version;
};

struct room *room_new(const struct stream_key *key, const char *name, struct segment_budget *budget,
	uint64_t last_seq)
{
	struct room *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->feed = feed_new(key, name, budget, last_seq);
	if (!r->feed) {
		free(r);
		return NULL;
	}
	atomic_init(&r->refs, 1);
	r->told = clock_ms() - ROOM_TELL_MOST;
	lock_init(&r->lock, LOCK_ROOM);
	return r;
}

struct room *room_ref(struct room *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void room_unref(struct room *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	occupants_fini(&r->people);
	charter_fini(&r->charter);
	turns_forget(&r->turns);
	free(r->changes);
	feed_unref(r->feed);
	lock_fini(&r->lock);
	free(r);
}

struct feed *room_feed(const struct room *r)
{
	return r->feed;
}

const char *room_name(const struct room *r)
{
	return feed_name(r->feed);
}

struct room_link *room_link(struct room *r)
{
	return &r->link;
}

/* ---- what there is to tell ---- */

/* Coming and going within one telling is nothing; so is going and coming back, unless somebody went
 * or came who is away. But where a list was handed out in between, both are told, or a row of that
 * list would be wrong for ever. */
static bool cancels_locked(struct room *r, const struct change *new)
{
	if (r->listed)
		return false;
	for (size_t i = r->change_count; i-- > 0;) {
		const struct change *old = &r->changes[i];
		if (memcmp(old->person, new->person, PERSON_ID) != 0 ||
			strcmp(old->nick, new->nick) != 0)
			continue;
		bool came_and_went = old->what == CHANGE_JOINED && new->what == CHANGE_PARTED;
		bool went_and_came = old->what == CHANGE_PARTED && new->what == CHANGE_JOINED;
		bool both_here = old->state == PERSON_HERE && new->state == PERSON_HERE;
		bool opposite = came_and_went || (went_and_came && both_here);
		if (!opposite)
			return false;
		r->change_count--;
		memmove(r->changes + i, r->changes + i + 1,
			(r->change_count - i) * sizeof(r->changes[0]));
		return true;
	}
	return false;
}

static void add_change_locked(struct room *r, const struct change *c)
{
	lock_assert_held(&r->lock);
	r->changed = true;
	if (r->people.count > ROOM_TOLD_MAX) {
		r->missed = true;
		return;
	}
	if (cancels_locked(r, c))
		return;
	if (!r->changes)
		r->changes = malloc(CHANGES_MAX * sizeof(r->changes[0]));
	if (!r->changes || r->change_count == CHANGES_MAX) {
		r->missed = true;
		return;
	}
	r->changes[r->change_count++] = *c;
}

static void note_locked(struct room *r, enum change_what what, const struct occupant *o,
	const char *nick, const char *text)
{
	struct change c = {.what = what, .state = occupant_state(o)};

	feed_set_people(r->feed, (uint32_t)r->people.count);
	memcpy(c.person, o->person, PERSON_ID);
	snprintf(c.nick, sizeof(c.nick), "%s", nick);
	snprintf(c.text, sizeof(c.text), "%s", text ? text : "");
	add_change_locked(r, &c);
}

static void publish_locked(struct room *r, struct list changes)
{
	uint8_t frame[PRESENCE_FRAME + FRAME_HEADER + 128];
	struct msg_presence m = {
		.room = span_of(room_name(r)),
		.version = ++r->version,
		.people = (uint32_t)r->people.count,
		.changes = changes,
	};
	size_t used = 0;

	int e = message_encode(MESSAGE_PRESENCE, &m, frame, sizeof(frame), &used);
	assert(e == 0);
	(void)e;
	feed_publish_presence(r->feed, frame, used, m.version, m.people);
}

static void tell_changes_locked(struct room *r)
{
	uint8_t buffer[PRESENCE_FRAME];
	struct list list = {0};

	for (size_t i = 0; i < r->change_count; i++) {
		const struct change *c = &r->changes[i];
		struct item_change item = {
			.what = (uint8_t)c->what,
			.state = (uint8_t)c->state,
			.nick = span_of(c->nick),
			.text = span_of(c->text),
		};
		memcpy(item.person, c->person, PERSON_ID);
		if (list.count == LIST_MAX ||
			message_list_add(&list, ITEM_CHANGE, &item, buffer, sizeof(buffer)) != 0) {
			publish_locked(r, list);
			list = (struct list){0};
			int e = message_list_add(&list, ITEM_CHANGE, &item, buffer, sizeof(buffer));
			assert(e == 0);
			(void)e;
		}
	}
	publish_locked(r, list);
}

/* Tell what there is to tell; false when all of it has cancelled out. */
static bool tell_locked(struct room *r)
{
	bool small = r->people.count <= ROOM_TOLD_MAX;
	bool anything = r->change_count > 0 || r->missed;

	if (!small)
		r->change_count = 0;
	/* Whoever is to know names and was not told all of them sees it by the version, which leaves
	 * a number out, and asks for the list. */
	if (small && r->missed) {
		r->version++;
		r->missed = false;
	}
	if (anything)
		tell_changes_locked(r);
	free(r->changes);
	r->changes = NULL;
	r->change_count = 0;
	r->changed = r->listed = false;
	return anything;
}

/* A telling is a send to everybody in the room. Where many are, and come one after the other, it is the
 * rarer, which leaves a hundred sends a second, and in a large room one for each. The first after a while
 * waits for nothing. */
static int64_t next_telling_locked(const struct room *r)
{
	int64_t pause = (int64_t)r->people.count * TELL_EACH;

	lock_assert_held(&r->lock);
	if (pause < ROOM_TELL_EVERY)
		pause = ROOM_TELL_EVERY;
	return r->told + (pause < ROOM_TELL_MOST ? pause : ROOM_TELL_MOST);
}

int64_t room_tell(struct room *r, int64_t now, bool *told)
{
	int64_t next = INT64_MAX;

	*told = false;
	lock_take(&r->lock);
	if (r->changed && now < next_telling_locked(r)) {
		next = next_telling_locked(r);
	} else if (r->changed) {
		*told = tell_locked(r);
		if (*told)
			r->told = now;
	}
	lock_drop(&r->lock);
	return next;
}

/* ---- people ---- */

static void set_away(struct occupant *o, const char *text)
{
	free(o->away);
	/* Without memory the message is missing, and the state is still right. */
	o->away = *text ? strdup(text) : NULL;
}

static int enter_locked(struct room *r, const struct room_session *s, bool tell)
{
	bool made;
	struct occupant *o = occupants_add(&r->people, s->person, s->nick, &made);

	if (!o)
		return ERR_MEMORY;
	enum person_state before = occupant_state(o);
	o->sessions++;
	if (s->state == PERSON_AWAY) {
		o->away_sessions++;
		set_away(o, s->away);
	}
	if (!tell)
		return 0;
	if (made)
		note_locked(r, CHANGE_JOINED, o, s->nick, s->away);
	else if (before != occupant_state(o))
		note_locked(r, CHANGE_STATE, o, s->nick, s->away);
	return 0;
}

static void leave_locked(struct room *r, const struct room_session *s, bool tell, const char *why)
{
	struct occupant *o = occupants_find(&r->people, s->person, s->nick);

	if (!o)
		return;
	enum person_state before = occupant_state(o);
	if (s->state == PERSON_AWAY)
		o->away_sessions--;
	if (--o->sessions > 0) {
		if (tell && before != occupant_state(o))
			note_locked(r, CHANGE_STATE, o, s->nick, o->away);
		return;
	}
	struct occupant gone = *o;
	gone.sessions = 1; /* as it was, for the telling */
	gone.away_sessions = before == PERSON_AWAY;
	gone.away = NULL;
	occupants_remove(&r->people, o);
	if (tell)
		note_locked(r, CHANGE_PARTED, &gone, s->nick, why);
}

/* Somebody who is there already may have one more session, under whatever nick. */
static bool is_full_locked(struct room *r, const struct room_session *s, size_t most)
{
	lock_assert_held(&r->lock);
	return most > 0 && r->people.person_count >= most && !occupants_has(&r->people, s->person);
}

int room_enter(struct room *r, const struct room_session *s, size_t most)
{
	lock_take(&r->lock);
	int e = is_full_locked(r, s, most) ? ERR_FULL : enter_locked(r, s, true);
	lock_drop(&r->lock);
	return e;
}

void room_leave(struct room *r, const struct room_session *s, const char *why)
{
	lock_take(&r->lock);
	leave_locked(r, s, true, why);
	lock_drop(&r->lock);
}

int room_change(struct room *r, const struct room_session *old, const struct room_session *new)
{
	bool renamed = strcmp(old->nick, new->nick) != 0;

	lock_take(&r->lock);
	struct occupant *o = occupants_find(&r->people, old->person, old->nick);
	if (!o) {
		lock_drop(&r->lock);
		return 0;
	}
	bool alone = o && o->sessions == 1;
	enum person_state before = o ? occupant_state(o) : PERSON_HERE;
	/* A row that only this session had moves or changes; a shared one is left and another
	 * entered, which the two tell by themselves. */
	leave_locked(r, old, !alone && renamed, "");
	int e = enter_locked(r, new, !alone && renamed);
	o = occupants_find(&r->people, new->person, new->nick);
	if (o && alone && renamed)
		note_locked(r, CHANGE_RENAMED, o, old->nick, new->nick);
	else if (o && !renamed && (before != occupant_state(o) || new->state == PERSON_AWAY))
		note_locked(r, CHANGE_STATE, o, new->nick, new->away);
	lock_drop(&r->lock);
	return e;
}

bool room_has(struct room *r, const struct room_session *s)
{
	lock_take(&r->lock);
	bool has = occupants_find(&r->people, s->person, s->nick) != NULL;
	lock_drop(&r->lock);
	return has;
}

bool room_has_person(struct room *r, const uint8_t person[PERSON_ID])
{
	lock_take(&r->lock);
	bool has = occupants_has(&r->people, person);
	lock_drop(&r->lock);
	return has;
}

uint32_t room_people(struct room *r)
{
	lock_take(&r->lock);
	size_t n = r->people.count;
	lock_drop(&r->lock);
	return (uint32_t)n;
}

/* ---- topic and list ---- */

void room_topic(struct room *r, struct room_topic *out)
{
	lock_take(&r->lock);
	*out = r->topic;
	lock_drop(&r->lock);
}

void room_set_topic(struct room *r, struct span text, struct span nick, uint64_t time)
{
	lock_take(&r->lock);
	snprintf(r->topic.text, sizeof(r->topic.text), "%.*s", text.length, text.text);
	snprintf(r->topic.nick, sizeof(r->topic.nick), "%.*s", nick.length, nick.text);
	r->topic.time = time;
	lock_drop(&r->lock);
}

/* ---- who may do what ---- */

int room_charter(struct room *r, struct charter *out)
{
	lock_take(&r->lock);
	*out = (struct charter){0};
	int e = r->stale ? ERR_AGAIN : charter_copy(&r->charter, out);
	lock_drop(&r->lock);
	return e;
}

void room_set_charter(struct room *r, struct charter *c)
{
	lock_take(&r->lock);
	charter_fini(&r->charter);
	r->charter = *c;
	atomic_store(&r->slow, c->slow);
	lock_drop(&r->lock);
	*c = (struct charter){0};
}

/* Who may not speak says nothing by being away either. Operators may, but of them a room knows nothing: what
 * they said comes back when they say it again. */
static void hush_locked(struct room *r, uint64_t time)
{
	const struct rules rules = {.room = &r->charter};

	lock_assert_held(&r->lock);
	for (size_t i = 0; i < r->people.count; i++) {
		struct occupant *o = r->people.rows[i];
		if (!o->away || rules_speak(&rules, o->person, time) == CODE_NONE)
			continue;
		set_away(o, "");
		note_locked(r, CHANGE_STATE, o, o->nick, "");
	}
}

void room_apply_act(struct room *r, const struct act *a, uint64_t time)
{
	lock_take(&r->lock);
	if (charter_apply(&r->charter, a, time) != 0)
		r->stale = true;
	hush_locked(r, time);
	/* Whoever waits does so no longer: how long it is to be has changed. */
	if (a->verb == ACT_SLOW)
		turns_forget(&r->turns);
	atomic_store(&r->slow, r->charter.slow);
	lock_drop(&r->lock);
}

void room_tell_act(
	struct room *r, const uint8_t person[PERSON_ID], const char *nick, const char *words)
{
	struct change c = {.what = CHANGE_ACT, .state = PERSON_HERE};

	memcpy(c.person, person, PERSON_ID);
	snprintf(c.nick, sizeof(c.nick), "%s", nick);
	snprintf(c.text, sizeof(c.text), "%s", words);
	lock_take(&r->lock);
	add_change_locked(r, &c);
	lock_drop(&r->lock);
}

void room_remove(struct room *r, const uint8_t person[PERSON_ID], const char *why)
{
	lock_take(&r->lock);
	for (size_t i = r->people.count; i-- > 0;) {
		struct occupant *o = r->people.rows[i];
		if (memcmp(o->person, person, PERSON_ID) != 0)
			continue;
		struct occupant gone = *o;
		char nick[NICK_MAX + 1];
		snprintf(nick, sizeof(nick), "%s", o->nick);
		gone.away = NULL;
		occupants_remove(&r->people, o);
		note_locked(r, CHANGE_PARTED, &gone, nick, why);
	}
	lock_drop(&r->lock);
}

bool room_is_closed(struct room *r)
{
	lock_take(&r->lock);
	bool closed = r->charter.entry != ENTRY_OPEN || r->stale;
	lock_drop(&r->lock);
	return closed;
}

bool room_may_speak(struct room *r, const uint8_t *person, uint64_t time)
{
	lock_take(&r->lock);
	const struct rules rules = {.room = &r->charter};
	bool may = !r->stale && rules_speak(&rules, person, time) == CODE_NONE;
	lock_drop(&r->lock);
	return may;
}

bool room_is_slow(const struct room *r)
{
	return atomic_load_explicit(&r->slow, memory_order_relaxed) > 0;
}

int64_t room_turn_in(struct room *r, const uint8_t person[PERSON_ID], int64_t now)
{
	lock_take(&r->lock);
	int64_t wait = turns_take(&r->turns, person, now, (int64_t)r->charter.slow * 1000);
	lock_drop(&r->lock);
	return wait;
}

void room_members(struct room *r, struct span after, uint16_t limit, struct msg_member_list *m,
	uint8_t *buffer, size_t size)
{
	struct list list = {0};

	lock_take(&r->lock);
	size_t i = occupants_after(&r->people, after);
	for (; i < r->people.count && list.count < limit && list.count < LIST_MAX; i++) {
		const struct occupant *o = r->people.rows[i];
		occupants_foresee(&r->people, i + AHEAD);
		bool away = occupant_state(o) == PERSON_AWAY;
		struct item_member item = {
			.state = (uint8_t)occupant_state(o),
			.nick = span_of(o->nick),
			.away = span_of(away && o->away ? o->away : ""),
		};
		memcpy(item.person, o->person, PERSON_ID);
		if (message_list_add(&list, ITEM_MEMBER, &item, buffer, size) != 0)
			break;
	}
	r->listed = r->changed;
	m->version = r->version;
	m->people = (uint32_t)r->people.count;
	m->more = i < r->people.count;
	m->members = list;
	lock_drop(&r->lock);
}
