#include "server/moderate.h"

#include "common/clock.h"
#include "common/duration.h"
#include "common/err.h"
#include "common/log.h"
#include "common/text.h"
#include "server/outlet.h"
#include "server/rules.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BATCH 64 /* memberships that an act ends at a time */

#define APPEND_MS 10000 /* after which an append is given up */

/* ---- to the log ---- */

static enum code code_of(const struct append_result *r)
{
	switch (r->status) {
	case APPEND_OK:
		return CODE_NONE;
	case APPEND_REJECTED:
		return r->code;
	case APPEND_TOO_BIG:
		return CODE_TOO_LONG;
	case APPEND_RETRY:
		break;
	}
	return CODE_RETRY;
}

/* It is sent once: the client that asked for it asks again, or does not. */
static enum code append(struct chat *c, const struct doer *who, const struct stream_key *stream,
	const char *room, const struct act *a)
{
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct append_result result = {.status = APPEND_RETRY};
	struct log_entry e = {
		.room = stream,
		.room_name = span_of(room),
		.person = who->person,
		.instance = instance,
		.kind = SAID_ACT,
		.nick = span_of(who->nick),
	};

	struct policy policy;

	chat_policy(c, &policy);
	e.owned_most = policy.owned_max;
	act_instance(who->person, instance);
	e.text = (struct span){.text = text, .length = (uint16_t)act_print(a, text)};
	(void)engine_append(chat_engine(c), &e, 1, clock_ms() + APPEND_MS, &result);
	return code_of(&result);
}

enum code moderate_nick(
	struct chat *c, const struct doer *who, enum act_verb verb, const char *nick)
{
	struct act a = {.verb = verb};
	struct stream_key key;

	(void)snprintf(a.label, sizeof(a.label), "%s", nick);
	stream_key_nicks(&key);
	return append(c, who, &key, "", &a);
}

/* ---- in words ---- */

static void put(char *out, size_t size, const char *text)
{
	size_t used = strlen(out), length = strlen(text);

	/* Whole characters alone. */
	while (length > size - 1 - used)
		length = text_cluster_before(text, length);
	memcpy(out + used, text, length);
	out[used + length] = '\0';
}

void moderate_put_time(char *out, size_t size, uint64_t until)
{
	char text[DURATION_SIZE];
	uint64_t now = clock_wall_us(),
		 seconds = until > now ? (until - now + 500000) / 1000000 : 0;

	if (until == 0)
		return;
	put(out, size, " for ");
	put(out, size, duration_print(seconds, text));
}

/* What a setting was set to. */
static void put_setting(char *out, size_t size, const struct act *a)
{
	static const char *const entries[] = {
		[ENTRY_OPEN] = "opened the room to everybody",
		[ENTRY_KEY] = "locked the room with a key",
		[ENTRY_INVITED] = "made the room one for those who are invited",
	};
	char text[DURATION_SIZE];

	if (a->verb == ACT_ENTRY)
		put(out, size, entries[a->value]);
	else if (a->verb == ACT_MODERATED)
		put(out, size,
			a->value ? "made the room moderated"
				 : "made the room one for all to speak");
	else if (a->value == 0)
		put(out, size, "ended slow mode");
	else {
		put(out, size, "set slow mode: a message every ");
		put(out, size, duration_print(a->value, text));
	}
}

/* The words before and after whom it is about; "" before: it is about nobody. */
static const char *const *phrase_of(enum act_verb verb)
{
	static const char *const phrases[][2] = {
		[ACT_OWNER] = {"gave the room to ", ""},
		[ACT_MODERATOR] = {"made ", " a moderator"},
		[ACT_NO_MODERATOR] = {"made ", " a moderator no longer"},
		[ACT_VOICE] = {"gave ", " a voice"},
		[ACT_NO_VOICE] = {"took the voice from ", ""},
		[ACT_KICK] = {"sent ", " out"},
		[ACT_BAN] = {"banned ", ""},
		[ACT_UNBAN] = {"lifted the ban of ", ""},
		[ACT_MUTE] = {"muted ", ""},
		[ACT_UNMUTE] = {"lets ", " speak again"},
		[ACT_INVITE] = {"invited ", ""},
		[ACT_UNINVITE] = {"took back the invitation of ", ""},
	};
	static const char *const none[2] = {"", ""};

	return (size_t)verb < sizeof(phrases) / sizeof(phrases[0]) && phrases[verb][0]
		       ? phrases[verb]
		       : none;
}

static void put_reason(char *out, size_t size, const struct act *a)
{
	char reason[REASON_MAX + 1];

	if (a->text.length == 0)
		return;
	(void)snprintf(reason, sizeof(reason), "%.*s", (int)a->text.length, a->text.text);
	put(out, size, ": ");
	put(out, size, reason);
}

/* Addresses are for moderators' eyes. */
static void word(const struct act *a, char *out, size_t size)
{
	const char *const *phrase = phrase_of(a->verb);

	*out = '\0';
	if (!*phrase[0]) {
		put_setting(out, size, a);
		return;
	}
	put(out, size, phrase[0]);
	put(out, size, a->has_person ? a->label : "some addresses");
	put(out, size, phrase[1]);
	if (a->verb == ACT_BAN || a->verb == ACT_MUTE)
		moderate_put_time(out, size, a->value);
	put_reason(out, size, a);
}

/* ---- sending people out ---- */

/* Does it hit this one? */
static bool hits(const struct act *a, const struct outlet_peer *p)
{
	struct net_range range;

	if (a->has_person)
		return memcmp(a->person, p->person, PERSON_ID) == 0;
	return net_range_parse(a->label, &range) == 0 && net_range_has(&range, &p->address);
}

static void tell_parted(
	struct outlet *o, const struct room *room, enum code code, const char *words)
{
	uint8_t frame[FRAME_HEADER + ROOM_NAME_MAX + REASON_MAX + 64];
	struct msg_parted m = {
		.room = span_of(room_name(room)), .code = (uint16_t)code, .text = span_of(words)};
	size_t used = 0;

	int r = message_encode(MESSAGE_PARTED, &m, frame, sizeof(frame), &used);
	assert(r == 0);
	/* Whoever does not read is told by the end of the connection. */
	if (r != 0 || outlet_reply(o, frame, used) != 0) {
		outlet_close(o);
		stream_shutdown(o->stream, SHUT_RDWR);
	} else {
		outlet_push(o);
	}
}

static struct note parted(const struct room *room, const uint8_t *person)
{
	return (struct note){
		.kind = NOTE_PARTED,
		.person = person,
		.stream = feed_key(room_feed(room)),
		.name = span_of(room_name(room)),
	};
}

static void note_parted(struct chat *c, const struct room *room, const uint8_t *person)
{
	const struct note note = parted(room, person);

	(void)engine_note(chat_engine(c), &note);
}

/* The act itself has made them no member; but that they came in on another connection just before may be
 * written behind it. Whoever comes in meanwhile is among those who are sent out then. */
static void wait_parted(struct chat *c, const struct room *room, const uint8_t *person)
{
	const struct note note = parted(room, person);

	(void)engine_note_kept(chat_engine(c), &note, clock_ms() + ENGINE_PARTED_MS);
}

/* What an act needs to be followed up, got before it is done: when it is in the log, nothing is left
 * that memory can be out for. */
struct follow_up {
	struct chat *chat;
	const struct doer *who;
	struct room *room; /* NULL: the server */
	const struct act *act;
	struct charter server, mine; /* before the act */
};

static bool sends_out(const struct act *a)
{
	return a->verb == ACT_KICK || a->verb == ACT_BAN;
}

static int prepare(struct follow_up *f)
{
	if (!sends_out(f->act))
		return 0;
	int r = chat_charter(f->chat, &f->server);
	return r == 0 && f->room ? chat_room_charter(f->chat, f->room, &f->mine) : r;
}

static void end(struct follow_up *f)
{
	charter_fini(&f->server);
	charter_fini(&f->mine);
}

/* The person whom a moderator may not send out stays, whatever their address. */
static bool is_above(const struct follow_up *f, const uint8_t *person)
{
	const struct rules rules = {.server = &f->server, .room = &f->mine};
	enum rank rank = rules_rank(&rules, person);

	return rank != RANK_NONE && rank >= rules_rank(&rules, f->who->person);
}

/* Is this one to go? `rest`: those whose rows went with another session of theirs. Who was sent out by an
 * address goes with all sessions: the others would stay, and nobody would see them. */
static bool is_meant(const struct follow_up *f, const struct member *m, bool rest)
{
	const uint8_t *person = m->outlet->peer.person;

	if (rest)
		return !room_has_person(f->room, person);
	return hits(f->act, &m->outlet->peer) && (f->act->has_person || !is_above(f, person));
}

/* Memberships that end together. */
struct batch {
	struct member *members[BATCH];
	size_t count;
};

/* The next of those who are meant, off the feed; a reference to each. */
static void take_batch(const struct follow_up *f, bool rest, size_t *at, struct batch *b)
{
	struct member *m;

	b->count = 0;
	while (b->count < BATCH && (m = feed_member_before(room_feed(f->room), at)) != NULL) {
		if (is_meant(f, m, rest) && !atomic_exchange(&m->expelled, true)) {
			member_leave(m);
			b->members[b->count++] = m;
		} else {
			member_unref(m);
		}
	}
}

/* All rows go before anybody is told: whoever knows it may come in again at once, with a row that is not of
 * these. */
static void expel_batch(const struct follow_up *f, const struct batch *b, const char *why)
{
	enum code code = f->act->verb == ACT_BAN ? CODE_BANNED : CODE_KICKED;

	for (size_t i = 0; i < b->count; i++) {
		const uint8_t *person = b->members[i]->outlet->peer.person;
		room_remove(f->room, person, why);
		note_parted(f->chat, f->room, person);
	}
	for (size_t i = 0; i < b->count; i++) {
		struct outlet *o = b->members[i]->outlet;
		atomic_store(&o->expelled, true);
		tell_parted(o, f->room, code, why);
		member_unref(b->members[i]);
	}
}

static void expel_all(const struct follow_up *f, bool rest, const char *why)
{
	size_t at = SIZE_MAX;
	struct batch b;

	do {
		take_batch(f, rest, &at, &b);
		expel_batch(f, &b, why);
	} while (b.count == BATCH);
}

static void expel(const struct follow_up *f)
{
	const struct act *a = f->act;
	char words[AWAY_MAX + 1], why[REASON_MAX + 1] = "";

	word(a, words, sizeof(words));
	put(why, sizeof(why), f->who->nick);
	put(why, sizeof(why), " ");
	put(why, sizeof(why), words);
	if (a->has_person) {
		wait_parted(f->chat, f->room, a->person);
		/* Whoever of them is only about to be in the room's feed finds the row gone. */
		room_remove(f->room, a->person, why);
	}
	expel_all(f, false, why);
	if (!a->has_person)
		expel_all(f, true, why);
}

/* ---- sending out whoever is not there ---- */

/* Of a kick: is whom it is about in the room, or would be let in as a member; or on the server? */
static bool is_there(const struct follow_up *f)
{
	const uint8_t *person = f->act->person;
	char nick[NICK_MAX + 1];

	if (!f->room)
		return people_nick_of(chat_people(f->chat), person, nick) == 0;
	return room_has_person(f->room, person) ||
	       engine_is_member(chat_engine(f->chat), person, feed_key(room_feed(f->room)));
}

/* What the log cannot see: a kick that sends nobody out. Who has no right to it is told that alone. */
static enum code ask_kick(const struct follow_up *f)
{
	if (f->act->verb != ACT_KICK || !f->act->has_person || is_there(f))
		return CODE_NONE;
	const struct stream_key *key = f->room ? feed_key(room_feed(f->room)) : NULL;
	const struct rules rules = {
		.server = &f->server,
		.room = &f->mine,
		.common = key && stream_key_is_common(key),
		.known = key &&
			 (feed_last_seq(room_feed(f->room)) > 0 || !charter_is_empty(&f->mine)),
	};
	enum code code = rules_act(&rules, !key, f->who->person, f->act, clock_wall_us());
	if (code != CODE_NONE)
		return code;
	/* That they were a member may be a note on its way to the log: then this comes after it. */
	if (f->room)
		note_parted(f->chat, f->room, f->act->person);
	return CODE_NO_CHANGE;
}

/* ---- following up ---- */

static void tell_invited(
	struct chat *c, const struct doer *who, const struct room *room, const uint8_t *person)
{
	char text[NICK_MAX + 2 * ROOM_NAME_MAX + 64];
	uint8_t frame[FRAME_HEADER + sizeof(text) + 16];
	struct feed *inbox = people_inbox(chat_people(c), person);
	size_t used = 0;

	if (!inbox)
		return;
	(void)snprintf(text, sizeof(text), "%s invites you to #%s: /join %s", who->nick,
		room_name(room), room_name(room));
	struct msg_notice m = {.kind = NOTICE_SERVER, .text = span_of(text)};
	int r = message_encode(MESSAGE_NOTICE, &m, frame, sizeof(frame), &used);
	assert(r == 0);
	if (r == 0) {
		feed_publish(inbox, frame, used, 0);
		chat_pump(c, inbox);
	}
	feed_unref(inbox);
}

static void follow_room(const struct follow_up *f)
{
	char words[AWAY_MAX + 1];

	word(f->act, words, sizeof(words));
	room_tell_act(f->room, f->who->person, f->who->nick, words);
	if (sends_out(f->act))
		expel(f);
	if (f->act->verb == ACT_INVITE)
		tell_invited(f->chat, f->who, f->room, f->act->person);
	chat_tell(f->chat, f->room);
}

/* Who is sent off the server. */
struct hit {
	const struct act *act;
	struct rules rules;
};

/* Operators are above what is done about addresses. */
static bool is_hit(const void *context, const struct login *l)
{
	const struct hit *hit = context;

	return hits(hit->act, l->peer) &&
	       (hit->act->has_person || rules_rank(&hit->rules, l->peer->person) != RANK_OPERATOR);
}

static void follow_server(const struct follow_up *f)
{
	struct hit hit = {.act = f->act, .rules = {.server = &f->server}};
	char told[REASON_MAX + 1] = "", seen[REASON_MAX + 1] = "";
	bool ban = f->act->verb == ACT_BAN;

	if (!sends_out(f->act))
		return;
	put(told, sizeof(told), f->who->nick);
	put(told, sizeof(told), ban ? " banned you from the server" : " sent you off the server");
	put(seen, sizeof(seen), ban ? "was banned from the server" : "was sent off the server");
	if (ban)
		moderate_put_time(told, sizeof(told), f->act->value);
	put_reason(told, sizeof(told), f->act);
	put_reason(seen, sizeof(seen), f->act);
	const struct login_end end = {
		.why = ban ? CODE_BANNED : CODE_KICKED, .told = told, .seen = seen};
	logins_end(chat_logins(f->chat), is_hit, &hit, &end);
}

/* Whom, or what, for the log; "": the verb says it all. */
static void detail(const struct act *a, char *out, size_t size)
{
	static const char *const entries[] = {
		[ENTRY_OPEN] = "open", [ENTRY_KEY] = "key", [ENTRY_INVITED] = "invited"};

	*out = '\0';
	if (*a->label)
		put(out, size, a->label);
	else if (a->verb == ACT_ENTRY && a->value < sizeof(entries) / sizeof(entries[0]))
		put(out, size, entries[a->value]);
	else if (a->verb == ACT_MODERATED)
		put(out, size, a->value ? "on" : "off");
	else if (a->verb == ACT_SLOW)
		(void)snprintf(out, size, "%" PRIu64, a->value);
}

static enum code do_act(
	struct chat *c, const struct doer *who, struct room *room, const struct act *a)
{
	struct stream_key key;

	stream_key_acts(room ? feed_key(room_feed(room)) : NULL, &key);
	enum code code = append(c, who, &key, room ? room_name(room) : "", a);
	if (code != CODE_NONE)
		return code;
	char what[sizeof(a->label) + 1];
	detail(a, what, sizeof(what));
	log_info("%s: %s%s%s%s%s", who->nick, act_word(a->verb), *what ? " " : "", what,
		room ? " in #" : "", room ? room_name(room) : "");
	return code;
}

enum code moderate(struct chat *c, const struct doer *who, struct room *room, const struct act *a)
{
	struct follow_up f = {.chat = c, .who = who, .room = room, .act = a};
	enum code code = CODE_RESOURCES;

	if (prepare(&f) == 0)
		code = ask_kick(&f);
	if (code == CODE_NONE)
		code = do_act(c, who, room, a);
	if (code == CODE_NONE && room)
		follow_room(&f);
	else if (code == CODE_NONE)
		follow_server(&f);
	end(&f);
	return code;
}

enum code moderate_take(struct chat *c, const struct doer *who, struct room *room)
{
	struct act a = {.verb = ACT_TAKE, .has_person = true};

	memcpy(a.person, who->person, PERSON_ID);
	(void)snprintf(a.label, sizeof(a.label), "%s", who->nick);
	return do_act(c, who, room, &a);
}
