/*
 * Agreeing on a version, logging in, signs of life, goodbye.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/moderate.h"

#include <stdlib.h>
#include <string.h>

#define AGENT "lanchatd/" LANCHAT_VERSION

/* For an older session of the same client to be done with its append. It waits for the disk. */
#define OLDER_MS 5000

#define TAKEN_MOST 10 /* nicks asked for on one connection, which then ends */

#define TAKES 8 /* of a nick: each time somebody else was faster, who may be many, */
#define CROWD 2 /* and are, when that has happened so often */

static uint32_t features(struct session *s)
{
	uint32_t lane = chat_lanes(s->chat) ? FEATURE_LANE : 0;

	return FEATURE_COMPARE | FEATURE_RIGHTS | lane;
}

int session_on_hello(struct session *s, const union message *m)
{
	const struct msg_hello *hello = &m->hello;

	if (s->phase != SESSION_HELLO)
		return session_end(s, CODE_PROTOCOL);
	if (hello->version_low > PROTOCOL_VERSION || hello->version_high < PROTOCOL_VERSION)
		return session_end(s, CODE_VERSION);
	struct msg_welcome welcome = {
		.version = PROTOCOL_VERSION,
		.features = hello->features & features(s),
		.kept = chat_engine(s->chat)->class->kept,
		.name = span_of(s->policy.name),
		.agent = span_of(AGENT),
	};
	memcpy(welcome.server, chat_identity(s->chat)->id, sizeof(welcome.server));
	memcpy(welcome.log, chat_engine(s->chat)->log_id, sizeof(welcome.log));
	s->outlet->peer.lane = welcome.features & FEATURE_LANE;
	s->phase = SESSION_LOGIN;
	return session_reply(s, MESSAGE_WELCOME, &welcome);
}

int session_on_compare(struct session *s, const union message *m)
{
	struct msg_compared answer = {.tag = m->compare.tag};

	if (s->phase != SESSION_LOGIN)
		return session_end(s, CODE_PROTOCOL);
	if (!engine_shares(chat_engine(s->chat), m->compare.log, &answer.upto))
		answer.upto = 0;
	return session_reply(s, MESSAGE_COMPARED, &answer);
}

static int tell_motd(struct session *s)
{
	char *motd = chat_motd(s->chat);
	size_t size = FRAME_HEADER + 16 + (motd ? strlen(motd) : 0), used = 0;

	if (!motd)
		return 0;
	struct msg_notice m = {.kind = NOTICE_MOTD, .text = span_of(motd)};
	uint8_t *frame = malloc(size);
	int r = frame ? message_encode(MESSAGE_NOTICE, &m, frame, size, &used) : ERR_MEMORY;
	if (r == 0)
		r = session_reply_frame(s, frame, used);
	free(frame);
	free(motd);
	return r;
}

static int tell_logged_in(struct session *s, uint32_t tag)
{
	struct msg_logged_in m = {
		.tag = tag,
		.nick = span_of(s->nick),
		.accepted = s->accepted,
		.time = clock_wall_us(),
		.text_max = session_text_max(s),
		.rooms_max = s->policy.rooms_each,
		.ping_seconds = (uint16_t)(s->policy.ping_ms / 1000),
		.idle_seconds = (uint16_t)(s->policy.idle_ms / 1000),
	};
	int r = session_reply(s, MESSAGE_LOGGED_IN, &m);

	if (r == 0)
		r = tell_motd(s);
	return r ? r : session_tell_places(s);
}

/* Of those that are there already nothing comes, and a client that goes on from before them is told so. */
static int skip_inbox(struct session *s, const struct msg_login *login, uint64_t *after)
{
	uint64_t last = feed_last_seq(s->inbox), first;

	int r = engine_last(chat_engine(s->chat), feed_key(s->inbox), 0, &last, &first);
	*after = last;
	const struct msg_gap gap = {.after = login->inbox_after, .next = last + 1};
	bool goes_on = s->same_log && login->inbox_after < last;
	return r == 0 && goes_on ? session_reply(s, MESSAGE_GAP, &gap) : r;
}

/* A person's direct messages need no joining. */
static int open_inbox(struct session *s, const struct msg_login *login)
{
	struct engine *e = chat_engine(s->chat);
	uint32_t replay = login->inbox_replay;
	uint64_t last, after = login->inbox_after;

	if (replay > s->policy.replay_max)
		replay = s->policy.replay_max;
	int r = 0;
	if (s->borrowed) {
		r = skip_inbox(s, login, &after);
	} else if (!s->same_log) {
		r = engine_last(e, feed_key(s->inbox), replay, &last, &after);
		if (r == 0)
			session_pay_replay(s, replay, last - after);
	}
	return r ? r : member_join(s->outlet, s->inbox, after, &s->inbox_member);
}

/* Stands for no person at all in DIRECT, so nobody can have it. */
static const uint8_t nobody[PERSON_ID];

static void give_nick_back(struct session *s)
{
	people_logout(chat_people(s->chat), s->person, s->nick);
	feed_unref(s->inbox);
	s->inbox = NULL;
	s->nick[0] = '\0';
}

/* A nick, and the inbox. What looked free may have been taken meanwhile by somebody who looks the same;
 * then the next one is tried, where any will do. */
static enum code take_nick(struct session *s, const struct msg_login *login)
{
	struct people_wish wish = {
		.person = s->person,
		.proven = s->proven,
		.nick = login->nick,
		.any = login->flags & LOGIN_ANY_NICK,
	};
	enum code code = CODE_NICK_TAKEN;

	for (int i = 0; i < TAKES && code == CODE_NICK_TAKEN; i++) {
		bool owned;
		wish.crowd = i >= CROWD;
		code = people_login(chat_people(s->chat), &wish, s->nick, &owned, &s->inbox);
		if (code != CODE_NONE)
			return code;
		code = owned ? CODE_NONE : session_claim_nick(s, s->nick);
		if (code != CODE_NONE)
			give_nick_back(s);
	}
	return code;
}

enum code session_claim_nick(struct session *s, const char *nick)
{
	const struct doer me = {.person = s->person, .nick = nick};

	if (!s->proven)
		return CODE_NONE;
	enum code code = moderate_nick(s->chat, &me, ACT_CLAIM, nick);
	/* Whoever comes while the disk is full may chat, and owns the nick when it can be kept. */
	return code == CODE_NICK_TAKEN || code == CODE_NICKS_FULL ? code : CODE_NONE;
}

/* Is this person, or this address, banned? */
static enum code ask_bans(struct session *s)
{
	struct session_rules r;
	const struct visitor v = {.person = session_person(s), .address = &s->outlet->peer.address};

	if (session_rules_take(s, NULL, &r) != 0)
		return CODE_RESOURCES;
	r.rules.room = &r.server;
	enum code code = rules_enter(&r.rules, &v, clock_wall_us());
	session_rules_drop(&r);
	return code;
}

/* Are they one of those who may log in? */
static enum code ask_admission(struct session *s)
{
	enum code code = ask_bans(s);

	if (code != CODE_NONE)
		return code;
	code = admission_ask(chat_admission(s->chat), session_person(s),
		span_of(s->password ? s->password : ""));
	/* Who shows none does not guess. */
	if (s->password && session_judge_guess(s, code != CODE_PASSWORD) != CODE_NONE)
		return CODE_PENALTY;
	return code;
}

/* From now on, whoever is sent away is found; until now, nobody was. */
static enum code ask_again(struct session *s)
{
	struct admission *a = chat_admission(s->chat);
	enum code code = ask_bans(s);

	if (code == CODE_NONE && a && !admission_has(a, s->person))
		return CODE_NOT_ALLOWED;
	return code;
}

/* Its nick and inbox, and the older sessions of the same client ended. */
static enum code enter(struct session *s, const struct msg_login *login)
{
	memcpy(s->person, login->person, PERSON_ID);
	memcpy(s->outlet->peer.person, login->person, PERSON_ID);
	s->proven = stream_peer(s->outlet->stream) != NULL;
	s->borrowed = session_is_borrowed(s);
	enum code code = ask_admission(s);
	if (code == CODE_NONE)
		code = take_nick(s, login);
	if (code != CODE_NONE)
		return code;
	s->login.end = session_send_away;
	s->login.context = s;
	s->login.peer = &s->outlet->peer;
	code = CODE_RESOURCES;
	if (logins_enter(chat_logins(s->chat), &s->login, login->person, login->instance,
		    clock_ms() + OLDER_MS) == 0)
		code = ask_again(s);
	if (code == CODE_NONE)
		return CODE_NONE;
	logins_leave(&s->login);
	give_nick_back(s);
	return code;
}

int session_on_password(struct session *s, const union message *m)
{
	if (s->phase != SESSION_LOGIN)
		return session_end(s, CODE_PROTOCOL);
	free(s->password);
	s->password = strndup(m->password.password.text, m->password.password.length);
	return s->password ? 0 : ERR_MEMORY;
}

int session_on_login(struct session *s, const union message *m)
{
	const struct msg_login *login = &m->login;

	if (s->phase != SESSION_LOGIN)
		return session_end(s, CODE_PROTOCOL);
	if (memcmp(login->person, nobody, PERSON_ID) == 0)
		return session_refuse(s, login->tag, CODE_BAD_VALUE);
	const uint8_t *proven = stream_peer(s->outlet->stream);
	if (proven && memcmp(login->person, proven, PERSON_ID) != 0)
		return session_refuse(s, login->tag, CODE_NOT_YOUR_KEY);
	enum code code = session_check_length(s, LIMIT_MAX_NICK_LENGTH, login->nick.length);
	if (code == CODE_NONE)
		code = enter(s, login);
	/* Guesses count against the address, and are one a connection. */
	if (code == CODE_PENALTY)
		return session_end_limit(s, LIMIT_MAX_FAULTS);
	if (code == CODE_PASSWORD && s->password)
		return session_end(s, code);
	/* Looking for one that is free costs the log, and those who log in meanwhile, the most. */
	bool looked = code == CODE_NICK_TAKEN || code == CODE_NICKS_FULL;
	if (looked && ++s->taken_nicks == TAKEN_MOST)
		return session_end(s, code);
	if (code == CODE_BANNED)
		return session_refuse_banned(s, login->tag, NULL);
	if (code != CODE_NONE)
		return session_refuse(s, login->tag, code);
	free(s->password);
	s->password = NULL;
	memcpy(s->instance, login->instance, INSTANCE_ID);
	s->same_log = memcmp(login->log, chat_engine(s->chat)->log_id, ENGINE_LOG_ID) == 0;
	s->accepted = engine_accepted(chat_engine(s->chat), s->instance, s->person);
	session_note_nick(s);
	s->phase = SESSION_CHATTING;
	s->intake.limit = FRAME_PAYLOAD_MAX;
	session_log(s, "%s: %s logged in", s->peer, s->nick);
	if (s->on_login)
		s->on_login(s->on_login_context);
	int r = tell_logged_in(s, login->tag);
	return r ? r : open_inbox(s, login);
}

int session_on_ping(struct session *s, const union message *m)
{
	struct msg_pong pong = {.token = m->ping.token};

	return session_reply(s, MESSAGE_PONG, &pong);
}

int session_on_pong(struct session *s, const union message *m)
{
	(void)s; /* that it came is all there is to know */
	(void)m;
	return 0;
}

int session_on_bye(struct session *s, const union message *m)
{
	s->farewell = strndup(m->bye.text.text, m->bye.text.length);
	s->phase = SESSION_OVER;
	return 0;
}
