/*
 * Messages: from a client's frames to the log, and the answer.
 *
 * The run of messages that one receive brought is appended in one call, so that a
 * fast sender shares the cost of keeping them, and its acknowledgements leave
 * together.
 */
#include "server/session.h"

#include "common/clock.h"
#include "common/duration.h"
#include "common/err.h"
#include "common/name.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPEND_MS 10000 /* after which an append is given up as RETRY */

/* A refusal for good is the last word about a counter: one that comes again, because its client took an
 * answer of RETRY to an earlier copy for one to this, is not to be kept after all. */
static void note_refused(struct session *s, uint64_t counter)
{
	bool waits = s->retry_from && counter >= s->retry_from; /* an earlier one will come again */

	if (!waits && counter > s->refused)
		s->refused = counter;
}

static int refuse(struct session *s, uint64_t counter, enum code code)
{
	char text[REASON_MAX + 1], wait[DURATION_SIZE];
	struct msg_refused m = {.counter = counter, .code = (uint16_t)code};

	(void)snprintf(text, sizeof(text), "%s", code_text(code));
	if (code == CODE_SLOW)
		(void)snprintf(text, sizeof(text),
			"the room is in slow mode: you may speak again in %s",
			duration_print((uint64_t)(s->turn_in + 999) / 1000, wait));
	m.text = span_of(text);

	metrics_add(chat_metrics(s->chat), code == CODE_RETRY ? METRIC_RETRIED : METRIC_REFUSED, 1);
	if (code != CODE_RETRY)
		note_refused(s, counter);
	return session_reply(s, MESSAGE_REFUSED, &m);
}

/* After a RETRY everything later is RETRY too, until the client comes again with that one: or a
 * later message would be in the log, and the earlier one, sent again, taken for known. */
static bool must_retry(const struct session *s, uint64_t counter)
{
	return s->retry_from && counter > s->retry_from;
}

static int answer(struct session *s, uint64_t counter, const struct append_result *r)
{
	if (r->status != APPEND_RETRY && counter == s->retry_from)
		s->retry_from = 0;
	switch (r->status) {
	case APPEND_OK: {
		if (counter > s->accepted)
			s->accepted = counter;
		metrics_add(chat_metrics(s->chat),
			r->duplicate ? METRIC_DUPLICATES : METRIC_ACCEPTED, 1);
		struct msg_ack ack = {.counter = counter, .seq = r->seq, .duplicate = r->duplicate};
		return session_reply(s, MESSAGE_ACK, &ack);
	}
	case APPEND_REJECTED:
		return refuse(s, counter, r->code);
	case APPEND_RETRY:
		/* One that is accepted already will not come again. */
		if (counter > s->accepted && (!s->retry_from || counter < s->retry_from))
			s->retry_from = counter;
		return refuse(s, counter, CODE_RETRY);
	case APPEND_TOO_BIG:
		return refuse(s, counter, CODE_TOO_LONG);
	}
	return ERR_ARGUMENT;
}

/* Is it decided what became of a counter? Then nothing else that a message says counts. */
static bool is_settled(const struct session *s, uint64_t counter)
{
	return counter > 0 && (counter <= s->accepted || counter <= s->refused);
}

static int answer_settled(struct session *s, uint64_t counter)
{
	static const struct append_result gone = {.status = APPEND_OK, .duplicate = true};
	struct append_result result;

	/* Its first answer may have been lost with a connection, so it comes from the log again,
	 * whatever would be said of the message today. */
	int r = engine_settled(chat_engine(s->chat), s->instance, s->person, counter, &result);
	if (r == 0)
		return answer(s, counter, &result);
	if (r != ERR_NOT_FOUND)
		return refuse(s, counter, CODE_RETRY);
	/* Above all that the log knows of: refused here, unless the log has forgotten its client. */
	return counter > s->accepted ? refuse(s, counter, CODE_NOT_KEPT)
				     : answer(s, counter, &gone);
}

/* It is not to be appended: `code` says why. But what came before with an answer of RETRY, or on a
 * connection that has broken, may be in the log by now, and then that is the answer. */
static int refuse_for_good(struct session *s, uint64_t counter, enum code code)
{
	static const struct append_result unknown = {.status = APPEND_RETRY};
	struct append_result result;
	int r = ERR_NOT_FOUND;

	if (counter > 0)
		r = engine_settled(chat_engine(s->chat), s->instance, s->person, counter, &result);
	if (r == 0)
		return answer(s, counter, &result);
	if (r != ERR_NOT_FOUND) /* the log cannot be read now */
		return answer(s, counter, &unknown);
	if (counter == s->retry_from)
		s->retry_from = 0;
	return refuse(s, counter, code);
}

int session_refuse_message(struct session *s, uint64_t counter, enum code code)
{
	if (is_settled(s, counter))
		return answer_settled(s, counter);
	if (must_retry(s, counter)) /* before any final refusal: it will come again */
		return refuse(s, counter, CODE_RETRY);
	return refuse_for_good(s, counter, code);
}

/* To the log, unless the client has logged in anew: there it may have heard of these already that they
 * are refused. */
static int append(
	struct session *s, struct log_entry *entries, size_t count, struct append_result *results)
{
	if (!login_may_append(&s->login)) {
		session_end(s, CODE_ALREADY);
		return ERR_STOPPING;
	}
	engine_append(chat_engine(s->chat), entries, count, clock_ms() + APPEND_MS, results);
	login_appended(&s->login);
	return 0;
}

/* So many messages, the first of which was understood then (clock_us), have been acknowledged, and the
 * acknowledgements are on their way. */
static void note_appended(struct session *s, int64_t since, size_t count)
{
	metrics_appended(chat_metrics(s->chat), (uint64_t)(clock_us() - since), count);
}

static void pump_batch(struct session *s)
{
	const struct room *before = NULL;

	for (size_t i = 0; i < s->batch_count; i++) {
		struct room *room = s->batch_rooms[i];
		/* Mostly they are all of one room; one pump serves all its messages. */
		if (room != before)
			chat_pump(s->chat, room_feed(room));
		before = room;
	}
}

int session_flush_batch(struct session *s)
{
	struct append_result results[SESSION_BATCH];

	if (s->batch_count == 0)
		return 0;
	assert(s->batch);
	outlet_release(s->outlet); /* appending may take long */
	int r = append(s, s->batch, s->batch_count, results);
	if (r) {
		s->batch_count = 0;
		return r;
	}
	for (size_t i = 0; i < s->batch_count && r == 0; i++)
		r = answer(s, s->batch[i].counter, &results[i]);
	/* The acknowledgements leave with the first send to this client. */
	pump_batch(s);
	note_appended(s, s->batch_began, s->batch_count);
	s->batch_count = 0;
	return r;
}

void session_forget_batch(struct session *s)
{
	assert(s->batch_count == 0);
	free(s->batch);
	free(s->batch_rooms);
	s->batch = NULL;
	s->batch_rooms = NULL;
}

static int reserve_batch(struct session *s)
{
	if (s->batch)
		return 0;
	assert(s->batch_count == 0);
	s->batch = malloc(SESSION_BATCH * sizeof(s->batch[0]));
	s->batch_rooms = malloc(SESSION_BATCH * sizeof(s->batch_rooms[0]));
	if (s->batch && s->batch_rooms)
		return 0;
	session_forget_batch(s);
	return ERR_MEMORY;
}

static struct log_entry entry_of(const struct session *s, uint64_t counter, uint8_t kind)
{
	return (struct log_entry){
		.person = s->person,
		.instance = s->instance,
		.counter = counter,
		.kind = (enum said_kind)kind,
		.unproven = !s->proven,
		.nick = span_of(s->nick),
	};
}

static enum code check_say(
	struct session *s, const struct session_room *sr, const struct msg_say *say)
{
	if (say->kind >= SAID_KINDS || say->counter == 0)
		return CODE_BAD_VALUE;
	if (!sr)
		return CODE_NOT_A_MEMBER;
	if (say->kind != SAID_TOPIC && say->text.length == 0)
		return CODE_BAD_VALUE;
	bool topic = say->kind == SAID_TOPIC;
	return session_check_length(
		s, topic ? LIMIT_MAX_TOPIC_LENGTH : LIMIT_MAX_TEXT_LENGTH, say->text.length);
}

/* In slow mode each waits for their turn, but for those who look after the room. The rest of what may
 * be said is decided in the log; but what it would refuse takes no turn. */
static enum code wait_for_turn(struct session *s, const struct session_room *sr, uint64_t counter)
{
	struct session_rules r;

	/* What comes again has had its turn. */
	bool again = s->retry_from && counter >= s->retry_from;
	if (!room_is_slow(sr->room) || again)
		return CODE_NONE;
	/* Without memory nobody waits. */
	if (session_rules_take(s, feed_key(room_feed(sr->room)), &r) != 0)
		return CODE_NONE;
	enum rank rank = rules_rank(&r.rules, session_person(s));
	enum code code = rules_speak(&r.rules, session_person(s), clock_wall_us());
	session_rules_drop(&r);
	if (code != CODE_NONE)
		return code;
	if (rank != RANK_NONE)
		return CODE_NONE;
	s->turn_in = room_turn_in(sr->room, s->person, clock_ms());
	return s->turn_in ? CODE_SLOW : CODE_NONE;
}

/* May it be appended together with those before it? */
static bool is_next(const struct session *s, uint64_t counter)
{
	if (s->batch_count && counter <= s->batch[s->batch_count - 1].counter)
		return false;
	return !is_settled(s, counter) && !must_retry(s, counter);
}

int session_on_say(struct session *s, const union message *m)
{
	const struct msg_say *say = &m->say;
	struct session_room *sr = session_find_room(s, say->room);
	enum code code = check_say(s, sr, say);

	if (code == CODE_NONE && is_next(s, say->counter))
		code = wait_for_turn(s, sr, say->counter);
	if (code == CODE_NONE && reserve_batch(s) != 0)
		code = CODE_NOT_KEPT;
	if (code != CODE_NONE || !is_next(s, say->counter)) {
		/* Answers keep the order of the questions, and this one may depend on those before. */
		int r = session_flush_batch(s);
		if (r)
			return r;
	}
	if (code != CODE_NONE || is_settled(s, say->counter) || must_retry(s, say->counter))
		return session_refuse_message(s, say->counter, code);
	if (s->batch_count == 0)
		s->batch_began = clock_us();
	struct log_entry *e = &s->batch[s->batch_count];
	*e = entry_of(s, say->counter, say->kind);
	e->room = feed_key(room_feed(sr->room));
	e->room_name = span_of(room_name(sr->room));
	e->text = say->text;
	s->batch_rooms[s->batch_count++] = sr->room;
	return s->batch_count == SESSION_BATCH ? session_flush_batch(s) : 0;
}

/* ---- direct messages ---- */

static const uint8_t nobody[PERSON_ID];

/* The owner of this very nick, not of one that looks like it. */
static int find_owner(
	struct session *s, const char *wanted, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	struct looks looks;

	if (looks_of(wanted, strlen(wanted), &looks) != 0)
		return ERR_NOT_FOUND;
	int r = engine_owner(chat_engine(s->chat), looks.at[0], person, nick);
	return r == 0 && !name_same(wanted, nick) ? ERR_NOT_FOUND : r;
}

enum code session_find_nick(
	struct session *s, struct span wanted, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	char folded[NAME_FOLDED_MAX];
	char text[NICK_MAX + 1];

	if (people_find(chat_people(s->chat), wanted, person, nick) == 0)
		return CODE_NONE;
	if (name_check(wanted.text, wanted.length, NICK_MAX) != 0 ||
		name_fold(wanted.text, wanted.length, folded) != 0)
		return CODE_NO_SUCH_PERSON;
	memcpy(text, wanted.text, wanted.length);
	text[wanted.length] = '\0';
	if (find_owner(s, text, person, nick) == 0)
		return CODE_NONE;
	switch (engine_person(chat_engine(s->chat), folded, person, nick)) {
	case 0:
		return CODE_NONE;
	case ERR_NOT_FOUND:
		return CODE_NO_SUCH_PERSON;
	default:
		return CODE_RETRY;
	}
}

/* One is enough. */
static bool note_place(void *context, const struct place *p)
{
	(void)p;
	*(bool *)context = true;
	return false;
}

/* Was somebody of this id ever here? What is kept of people is kept for good, so nobody makes any up. */
static enum code ask_known(struct session *s, const uint8_t *person, const char *nick)
{
	struct engine *e = chat_engine(s->chat);
	uint8_t called[PERSON_ID];
	char shown[NICK_MAX + 1];
	struct stream_key inbox;
	uint64_t last = 0, after;
	bool known = false;

	enum code code = session_find_nick(s, span_of(nick), called, shown);
	if (code == CODE_NONE && memcmp(called, person, PERSON_ID) == 0)
		return CODE_NONE;
	stream_key_inbox(person, &inbox);
	if (engine_last(e, &inbox, 0, &last, &after) != 0)
		return CODE_RETRY;
	if (last == 0 && engine_places(e, person, note_place, &known) != 0)
		return CODE_RETRY;
	return last > 0 || known ? CODE_NONE : CODE_NO_SUCH_PERSON;
}

/* Whom a direct message is for: by id, if there is one, else by the nick. The message to somebody who
 * is not here waits in their inbox. */
static enum code find_recipient(struct session *s, const struct msg_direct *direct,
	uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	if (memcmp(direct->person, nobody, PERSON_ID) == 0)
		return session_find_nick(s, direct->nick, person, nick);
	memcpy(person, direct->person, PERSON_ID);
	if (people_nick_of(chat_people(s->chat), person, nick) == 0)
		return CODE_NONE;
	if (direct->nick.length == 0)
		return CODE_NO_SUCH_PERSON;
	if (name_check(direct->nick.text, direct->nick.length, NICK_MAX) != 0)
		return CODE_BAD_NICK;
	memcpy(nick, direct->nick.text, direct->nick.length);
	nick[direct->nick.length] = '\0';
	return ask_known(s, person, nick);
}

static void pump_inbox(struct session *s, const uint8_t *person)
{
	struct feed *inbox = people_inbox(chat_people(s->chat), person);

	if (inbox)
		chat_pump(s->chat, inbox);
	feed_unref(inbox);
}

int session_on_direct(struct session *s, const union message *m)
{
	static const struct append_result retry = {.status = APPEND_RETRY};
	const struct msg_direct *direct = &m->direct;
	uint8_t person[PERSON_ID];
	char nick[NICK_MAX + 1];
	struct append_result result;
	enum code code = CODE_NONE;

	if (is_settled(s, direct->counter))
		return answer_settled(s, direct->counter);
	if (direct->kind >= SAID_TOPIC || direct->counter == 0)
		code = CODE_BAD_VALUE;
	else
		code = session_check_length(s, LIMIT_MAX_TEXT_LENGTH, direct->text.length);
	if (code == CODE_NONE)
		code = find_recipient(s, direct, person, nick);
	if (must_retry(s, direct->counter) || code == CODE_RETRY)
		return answer(s, direct->counter, &retry);
	if (code != CODE_NONE)
		return refuse_for_good(s, direct->counter, code);
	struct log_entry e = entry_of(s, direct->counter, direct->kind);
	e.to = person;
	e.to_nick = span_of(nick);
	e.text = direct->text;
	int64_t began = clock_us();
	int r = append(s, &e, 1, &result);
	if (r)
		return r;
	r = answer(s, direct->counter, &result);
	pump_inbox(s, s->person);
	if (memcmp(person, s->person, PERSON_ID) != 0)
		pump_inbox(s, person);
	note_appended(s, began, 1);
	return r;
}
