/*
 * Rights: what people do about rooms and each other, and what they may see of it.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/moderate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MICROSECOND UINT64_C(1000000)

#define WRONG_KEYS_MOST 5 /* of rooms, shown on one connection, which then ends */

static const uint8_t nobody[PERSON_ID];

/* ---- what holds ---- */

const uint8_t *session_person(const struct session *s)
{
	return s->proven ? s->person : NULL;
}

/* Whoever has proven their key has claimed a nick, which is an act; and what was counted of somebody's acts
 * is kept for ever. Where that cannot be read, they may have. */
bool session_is_borrowed(struct session *s)
{
	uint8_t instance[INSTANCE_ID];
	struct append_result first;

	if (s->proven)
		return false;
	act_instance(s->person, instance);
	return engine_settled(chat_engine(s->chat), instance, s->person, 1, &first) !=
	       ERR_NOT_FOUND;
}

int session_rules_take(struct session *s, const struct stream_key *room, struct session_rules *out)
{
	struct session_room *sr = room ? session_find_key(s, room) : NULL;

	*out = (struct session_rules){0};
	int r = chat_charter(s->chat, &out->server);
	if (r == 0 && sr)
		r = chat_room_charter(s->chat, sr->room, &out->room);
	else if (r == 0 && room)
		r = engine_charter(chat_engine(s->chat), room, &out->room);
	if (r) {
		session_rules_drop(out);
		return r;
	}
	out->rules = (struct rules){
		.server = &out->server,
		.room = &out->room,
		.common = room && stream_key_is_common(room),
	};
	return 0;
}

void session_rules_drop(struct session_rules *r)
{
	charter_fini(&r->server);
	charter_fini(&r->room);
}

static bool is_member(struct session *s, const struct stream_key *room)
{
	return s->proven && engine_is_member(chat_engine(s->chat), s->person, room);
}

enum code session_may_enter(struct session *s, const struct stream_key *room)
{
	struct session_rules r;
	struct visitor v = {
		.person = session_person(s),
		.address = &s->outlet->peer.address,
	};

	if (session_rules_take(s, room, &r) != 0)
		return CODE_RESOURCES;
	uint64_t now = clock_wall_us();
	enum code code = rules_enter(&r.rules, &v, now);
	if (code == CODE_KEY_WANTED || code == CODE_NOT_INVITED) {
		v.key = s->unlocked.length && stream_key_compare(&s->unlocked, room) == 0 &&
			strcmp(s->unlocked_key, r.room.key) == 0;
		v.member = is_member(s, room);
		code = rules_enter(&r.rules, &v, now);
	}
	session_rules_drop(&r);
	return code;
}

enum code session_may_stay(struct session *s, const struct stream_key *room)
{
	struct session_rules r;
	const struct visitor v = {
		.person = session_person(s),
		.address = &s->outlet->peer.address,
		.member = true,
		.key = true,
	};

	if (session_rules_take(s, room, &r) != 0)
		return CODE_NONE;
	enum code code = rules_enter(&r.rules, &v, clock_wall_us());
	session_rules_drop(&r);
	return code;
}

int session_refuse_banned(struct session *s, uint32_t tag, const struct stream_key *room)
{
	char text[REASON_MAX + 1] = "you are banned here";
	const uint8_t *person = session_person(s);
	const struct standing *ban = NULL;
	struct session_rules r;
	uint64_t now = clock_wall_us();

	if (session_rules_take(s, room, &r) != 0)
		return session_refuse(s, tag, CODE_BANNED);
	const struct charter *c = room ? &r.room : &r.server;
	if (person)
		ban = charter_find(c, STANDING_BANNED, person, now);
	if (!ban)
		ban = charter_find_address(c, &s->outlet->peer.address, now);
	if (ban)
		moderate_put_time(text, sizeof(text), ban->until);
	bool ends = ban && ban->until;
	session_rules_drop(&r);
	return ends ? session_refuse_saying(s, tag, CODE_BANNED, text)
		    : session_refuse(s, tag, CODE_BANNED);
}

bool session_is_operator(struct session *s)
{
	struct session_rules r;

	if (!s->proven || session_rules_take(s, NULL, &r) != 0)
		return false;
	bool is = rules_rank(&r.rules, s->person) == RANK_OPERATOR;
	session_rules_drop(&r);
	return is;
}

/* ---- ACT ---- */

/* Whom it is about: by id, by nick, or a range of addresses, which a label with a dot or a colon is
 * where a range may be. */
static enum code find_target(struct session *s, const struct msg_act *m, struct act *a)
{
	char nick[NICK_MAX + 1] = "";
	struct net_range range;

	(void)snprintf(a->label, sizeof(a->label), "%.*s", (int)m->label.length,
		m->label.length ? m->label.text : "");
	if (memcmp(m->person, nobody, PERSON_ID) != 0) {
		/* What they are called is not for others to say. */
		memcpy(a->person, m->person, PERSON_ID);
		a->has_person = people_nick_of(chat_people(s->chat), a->person, nick) == 0;
		(void)snprintf(a->label, sizeof(a->label), "%s", nick);
		return a->has_person ? CODE_NONE : CODE_NO_SUCH_PERSON;
	}
	if (!*a->label)
		return CODE_NONE;
	bool may_be_range = a->verb == ACT_BAN || a->verb == ACT_UNBAN;
	if (may_be_range && net_range_parse(a->label, &range) == 0) {
		(void)net_range_print(&range, a->label, sizeof(a->label));
		return CODE_NONE;
	}
	enum code code = session_find_nick(s, m->label, a->person, nick);
	if (code != CODE_NONE)
		return code;
	a->has_person = true;
	(void)snprintf(a->label, sizeof(a->label), "%s", nick);
	return CODE_NONE;
}

/* Of several who had a nick, the one who is something there is meant by whoever ends that. */
static void find_holder(struct session *s, const struct msg_act *m, struct act *a)
{
	struct stream_key key = {0};
	struct session_rules r;

	if (!a->has_person || !charter_ends(a->verb) || memcmp(m->person, nobody, PERSON_ID) != 0 ||
		(m->room.length && stream_key_room(m->room.text, m->room.length, &key) != 0) ||
		session_rules_take(s, key.length ? &key : NULL, &r) != 0)
		return;
	const struct standing *held = charter_holder(key.length ? &r.room : &r.server, a);
	if (held) {
		memcpy(a->person, held->person, PERSON_ID);
		(void)snprintf(a->label, sizeof(a->label), "%s", held->label);
	}
	session_rules_drop(&r);
}

static enum code make_act(
	struct session *s, const struct msg_act *m, struct act *a, char key[CHARTER_KEY_MAX])
{
	*a = (struct act){.verb = (enum act_verb)m->verb, .value = m->value, .text = m->text};
	enum code code = find_target(s, m, a);
	if (code != CODE_NONE)
		return code;
	find_holder(s, m, a);
	/* How long becomes until when. */
	if ((a->verb == ACT_BAN || a->verb == ACT_MUTE) && a->value) {
		if (a->value > BAN_MAX)
			return CODE_BAD_VALUE;
		a->value = clock_wall_us() + a->value * MICROSECOND;
	}
	if (a->verb == ACT_ENTRY && a->value == ENTRY_KEY) {
		if (a->text.length == 0 || a->text.length > ROOM_KEY_MAX)
			return CODE_BAD_VALUE;
		charter_lock(a->text, key);
		a->text = span_of(key);
	}
	return CODE_NONE;
}

struct claim {
	struct session *session;
	struct act act;
};

/* The code is right. To whom nothing is told any more, not even that is. */
static enum code become_operator(void *context)
{
	struct claim *claim = context;
	struct session *s = claim->session;
	const struct doer me = {.person = s->person, .nick = s->nick};
	enum code code = session_judge_guess(s, true);

	return code == CODE_NONE ? moderate(s->chat, &me, NULL, &claim->act) : code;
}

/* Guesses cost the connection, and count against the address. */
static int refuse_operator(struct session *s)
{
	log_warning("%s: %s showed a wrong operator code", s->peer, s->nick);
	return session_judge_guess(s, false) == CODE_NONE ? session_end(s, CODE_WRONG_CODE)
							  : session_end_limit(s, LIMIT_MAX_FAULTS);
}

/* With the server's one-time code. */
static int claim_operator(struct session *s, const struct msg_act *m)
{
	struct claim claim = {.session = s, .act = {.verb = ACT_PROVE, .has_person = true}};
	enum code code = CODE_NONE;

	memcpy(claim.act.person, s->person, PERSON_ID);
	(void)snprintf(claim.act.label, sizeof(claim.act.label), "%s", s->nick);
	if (!chat_op_code(s->chat) ||
		!op_code_use(chat_op_code(s->chat), m->text, become_operator, &claim, &code))
		return refuse_operator(s);
	if (code == CODE_PENALTY)
		return session_end_limit(s, LIMIT_MAX_FAULTS);
	struct msg_done done = {.tag = m->tag};
	return code == CODE_NONE ? session_reply(s, MESSAGE_DONE, &done)
				 : session_refuse(s, m->tag, code);
}

/* A room that somebody is given is one of those that they may own, so its owner can give it to people who
 * chose to be there, and to nobody else. Who has no right to is to hear of that. */
static enum code may_be_given(struct session *s, struct room *room, const struct act *a)
{
	const struct stream_key *key = feed_key(room_feed(room));
	struct session_rules r;

	if (a->verb != ACT_OWNER || !a->has_person)
		return CODE_NONE;
	if (session_rules_take(s, key, &r) != 0)
		return CODE_RESOURCES;
	bool by_owner = rules_rank(&r.rules, s->person) == RANK_OWNER;
	session_rules_drop(&r);
	bool there = room_has_person(room, a->person) ||
		     engine_is_member(chat_engine(s->chat), a->person, key);
	return by_owner && !there ? CODE_NOT_THERE : CODE_NONE;
}

static enum code act_on_room(struct session *s, const struct msg_act *m, const struct act *a)
{
	const struct doer me = {.person = s->person, .nick = s->nick};
	struct room *room;

	enum code code = hub_open(chat_hub(s->chat), m->room, &room);
	if (code != CODE_NONE)
		return code;
	code = may_be_given(s, room, a);
	if (code == CODE_NONE)
		code = moderate(s->chat, &me, room, a);
	hub_leave(chat_hub(s->chat), room);
	return code;
}

/* The last operator may have given it up: whoever runs the server can make another, without a restart. */
static int offer_operator(struct session *s)
{
	struct msg_notice m = {.kind = NOTICE_WARNING,
		.text = span_of("the server has no operator now; its log has a code for the next")};
	bool offered;

	if (chat_offer_operator(s->chat, &offered) != 0)
		log_warning(
			"there is no operator, and no code for one (--operator-code makes one)");
	else if (offered)
		return session_reply(s, MESSAGE_NOTICE, &m);
	return 0;
}

int session_on_act(struct session *s, const union message *m)
{
	const struct msg_act *asked = &m->act;
	const struct doer me = {.person = s->person, .nick = s->nick};
	char key[CHARTER_KEY_MAX];
	struct act a;
	enum code code;

	if (!s->proven)
		return session_refuse(s, asked->tag, CODE_NOT_PROVEN);
	if (!act_may_be_asked(asked->verb))
		return session_refuse(s, asked->tag, CODE_BAD_VALUE);
	bool about_nobody =
		asked->label.length == 0 && memcmp(asked->person, nobody, PERSON_ID) == 0;
	if (asked->verb == ACT_OPERATOR && about_nobody)
		return claim_operator(s, asked);
	if (asked->verb == ACT_RELEASE && asked->room.length)
		return session_refuse(s, asked->tag, CODE_BAD_VALUE);
	/* Cut, it would be another one. */
	if (asked->verb == ACT_RELEASE && asked->label.length > NICK_MAX)
		return session_refuse(s, asked->tag, CODE_NO_SUCH_NICK);
	if (asked->verb == ACT_RELEASE) {
		char nick[NICK_MAX + 1];
		(void)snprintf(nick, sizeof(nick), "%.*s", (int)asked->label.length,
			asked->label.length ? asked->label.text : "");
		code = moderate_nick(s->chat, &me, ACT_RELEASE, nick);
	} else {
		code = make_act(s, asked, &a, key);
		if (code == CODE_NONE)
			code = asked->room.length ? act_on_room(s, asked, &a)
						  : moderate(s->chat, &me, NULL, &a);
	}
	if (code == CODE_TOO_MANY_OWNED)
		metrics_limit(chat_metrics(s->chat), LIMIT_MAX_OWNED_ROOMS);
	if (code != CODE_NONE)
		return session_refuse(s, asked->tag, code);
	struct msg_done done = {.tag = asked->tag};
	int r = session_reply(s, MESSAGE_DONE, &done);
	return r == 0 && asked->verb == ACT_NO_OPERATOR ? offer_operator(s) : r;
}

/* ---- UNLOCK, WHOIS ---- */

/* Each guess has counted against the address, or a short key would be found by connecting again and
 * again. */
static int note_wrong_key(struct session *s, uint32_t tag)
{
	if (++s->wrong_keys == 1)
		log_warning("%s: %s showed a wrong key of a room", s->peer, s->nick);
	if (s->wrong_keys < WRONG_KEYS_MOST)
		return session_refuse(s, tag, CODE_KEY_WANTED);
	s->end_text = "you have shown too many wrong keys of rooms";
	return session_end(s, CODE_KEY_WANTED);
}

int session_on_unlock(struct session *s, const union message *m)
{
	struct session_rules r;
	struct stream_key key;

	if (stream_key_room(m->unlock.room.text, m->unlock.room.length, &key) != 0)
		return session_refuse(s, m->unlock.tag, CODE_BAD_ROOM);
	if (session_rules_take(s, &key, &r) != 0)
		return session_refuse(s, m->unlock.tag, CODE_RESOURCES);
	/* To a room that is open no key is wanted, and none is remembered: it may get one later. */
	bool open = r.room.entry == ENTRY_OPEN, has_key = r.room.entry == ENTRY_KEY;
	bool right = has_key && charter_unlocks(&r.room, m->unlock.key);
	bool told = !has_key || session_judge_guess(s, right) == CODE_NONE;
	if (right && told) {
		s->unlocked = key;
		memcpy(s->unlocked_key, r.room.key, sizeof(s->unlocked_key));
	}
	session_rules_drop(&r);
	if (!told)
		return session_refuse_limit(s, m->unlock.tag, LIMIT_MAX_FAULTS);
	if (!right && has_key)
		return note_wrong_key(s, m->unlock.tag);
	if (!right && !open)
		return session_refuse(s, m->unlock.tag, CODE_NOT_INVITED);
	struct msg_done done = {.tag = m->unlock.tag};
	return session_reply(s, MESSAGE_DONE, &done);
}

int session_on_whois(struct session *s, const union message *m)
{
	struct msg_person p = {.tag = m->whois.tag, .state = PERSON_GONE};
	uint8_t owner[PERSON_ID];
	char nick[NICK_MAX + 1], owned[NICK_MAX + 1];
	struct looks looks;
	struct session_rules r;

	enum code code = session_find_nick(s, m->whois.nick, p.person, nick);
	if (code != CODE_NONE)
		return session_refuse(s, p.tag, code);
	p.nick = span_of(nick);
	if (people_nick_of(chat_people(s->chat), p.person, owned) == 0)
		p.state = PERSON_HERE;
	if (looks_of(nick, strlen(nick), &looks) == 0 &&
		engine_owner(chat_engine(s->chat), looks.at[0], owner, owned) == 0)
		p.owned = memcmp(owner, p.person, PERSON_ID) == 0;
	/* Whoever chats without TLS has proven nothing. */
	p.proven = s->proven;
	if (p.proven && session_rules_take(s, NULL, &r) == 0) {
		p.rank = (uint8_t)rules_rank(&r.rules, p.person);
		session_rules_drop(&r);
	}
	return session_reply(s, MESSAGE_PERSON, &p);
}

/* ---- sent out ---- */

void session_sweep(struct session *s)
{
	if (!atomic_exchange(&s->outlet->expelled, false))
		return;
	for (size_t i = s->room_count; i-- > 0;) {
		struct session_room gone = s->rooms[i];
		if (!atomic_load(&gone.member->expelled))
			continue;
		s->rooms[i] = s->rooms[--s->room_count];
		session_leave_one(s, SESSION_ROOM, NULL);
		member_unref(gone.member);
		hub_leave(chat_hub(s->chat), gone.room);
	}
}
