#include "client/link_session.h"

#include "client/event.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/message.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tests play the server: they queue encoded messages, hand them over cut into pieces of `cut`
 * bytes, and decode what the session puts out. */
struct play {
	struct link_session *s;
	struct event_list events;
	struct link_bytes out; /* what the session sent and has not been looked at, from `at` */
	size_t at;
	uint8_t in[512 * 1024]; /* queued for the session */
	size_t in_length;
	size_t cut;
	int64_t now;
};

#define SECOND INT64_C(1000000)

static const uint8_t log_a[16] = {1};
static const uint8_t log_b[16] = {2};
static struct play *play;

static struct link_session_config config_of(bool any_nick)
{
	struct link_session_config config = {
		.identity = {.id = {7}},
		.instance = {9},
		.nick = "anna",
		.any_nick = any_nick,
		.replay = 10,
	};
	return config;
}

static struct play *play_new(bool any_nick, size_t cut)
{
	struct link_session_config config = config_of(any_nick);
	struct play *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->cut = cut;
	p->now = 1000 * SECOND;
	ck_assert_int_eq(link_session_new(&config, &p->s), 0);
	return p;
}

static void play_free(struct play *p)
{
	link_session_free(p->s);
	event_list_fini(&p->events);
	free(p->out.bytes);
	free(p);
}

static void setup(void)
{
	play = play_new(true, SIZE_MAX);
}

static void teardown(void)
{
	play_free(play);
}

/* ---- the server's side ---- */

static void queue(struct play *p, enum message_number number, const void *message)
{
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, message, p->in + p->in_length,
				 sizeof(p->in) - p->in_length, &used),
		0);
	p->in_length += used;
}

/* Hand over what is queued. */
static int deliver(struct play *p)
{
	size_t have = 0;
	size_t done = 0;
	int r = 0;

	while (r == 0 && have < p->in_length) {
		size_t used;

		have = p->in_length - have < p->cut ? p->in_length : have + p->cut;
		r = link_session_input(p->s, p->in + done, have - done, p->now, &used);
		done += used;
	}
	if (r == 0)
		ck_assert_uint_eq(done, p->in_length);
	p->in_length = 0;
	link_session_events(p->s, &p->events);
	return r;
}

static int give(struct play *p, enum message_number number, const void *message)
{
	queue(p, number, message);
	return deliver(p);
}

/* The next message that the session sent; 0: there is none. */
static uint16_t sent(struct play *p, union message *m)
{
	struct frame f;

	if (p->at == p->out.length) {
		p->at = 0;
		link_session_output(p->s, &p->out);
	}
	if (p->out.length == 0)
		return 0;
	ck_assert_int_eq(frame_decode(p->out.bytes + p->at, p->out.length - p->at,
				 FRAME_PAYLOAD_MAX, &f, NULL),
		0);
	ck_assert_int_eq(message_decode(&f, m), 0);
	p->at += FRAME_HEADER + f.length;
	return f.type;
}

#define EXPECT_SENT(p, number, m) ck_assert_uint_eq(sent((p), (m)), (number))
#define EXPECT_NOTHING_SENT(p)                                                                     \
	do {                                                                                       \
		union message nothing_;                                                            \
		ck_assert_uint_eq(sent((p), &nothing_), 0);                                        \
	} while (0)

/* The next event, which must be of that type; freed by the next call. */
static const struct event *expect(struct play *p, enum event_type type)
{
	static struct event *last;

	event_free(last);
	last = event_list_take(&p->events);
	ck_assert_ptr_nonnull(last);
	ck_assert_int_eq(last->type, type);
	return last;
}

static void expect_state(struct play *p, enum link_state state)
{
	ck_assert_int_eq(expect(p, EVENT_STATE)->state, state);
}

static void expect_no_event(struct play *p)
{
	link_session_events(p->s, &p->events);
	ck_assert_ptr_null(p->events.head);
}

static int give_welcome(struct play *p, const uint8_t *log)
{
	struct msg_welcome welcome = {
		.version = PROTOCOL_VERSION,
		.server = {5},
		.kept = 1,
		.name = span_of("class"),
		.agent = span_of("test"),
	};
	memcpy(welcome.log, log, sizeof(welcome.log));
	return give(p, MESSAGE_WELCOME, &welcome);
}

static int give_logged_in(struct play *p, uint32_t tag, const char *nick, uint64_t accepted)
{
	struct msg_logged_in in = {
		.tag = tag,
		.nick = span_of(nick),
		.accepted = accepted,
		.text_max = TEXT_MAX,
	};
	return give(p, MESSAGE_LOGGED_IN, &in);
}

/* From nothing to online; the first ping is swallowed. */
static void log_in(struct play *p, const uint8_t *log, uint64_t accepted, struct msg_login *login)
{
	union message m;

	ck_assert_int_eq(link_session_begin(p->s, p->now, p->now + 10 * SECOND), 0);
	EXPECT_SENT(p, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(p, log), 0);
	EXPECT_SENT(p, MESSAGE_LOGIN, &m);
	if (login)
		*login = m.login;
	ck_assert_int_eq(give_logged_in(p, m.login.tag, "anna", accepted), 0);
	EXPECT_SENT(p, MESSAGE_PING, &m);
}

static void log_in_quietly(struct play *p, uint64_t accepted)
{
	log_in(p, log_a, accepted, NULL);
	event_list_fini(&p->events);
}

static void give_joined(struct play *p, uint32_t tag, const char *room, uint64_t after)
{
	struct msg_joined joined = {
		.tag = tag,
		.room = span_of(room),
		.after = after,
		.last = after,
		.people = 1,
		.topic = span_of("exams"),
		.topic_nick = span_of("ben"),
	};
	ck_assert_int_eq(give(p, MESSAGE_JOINED, &joined), 0);
}

/* Join a room for the first time, everything up to `after` having been seen. */
static void join(struct play *p, const char *room, uint64_t after)
{
	union message m;

	ck_assert_int_eq(link_session_join(p->s, room), 0);
	EXPECT_SENT(p, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, 0);
	ck_assert_uint_eq(m.join.replay, 10);
	give_joined(p, m.join.tag, room, after);
	event_list_fini(&p->events);
}

static int give_said(struct play *p, const char *room, uint64_t prev, uint64_t seq)
{
	struct msg_said said = {
		.seq = seq,
		.prev = prev,
		.instance = {3},
		.counter = seq,
		.nick = span_of("ben"),
		.room = span_of(room),
		.text = span_of("hi"),
	};
	return give(p, MESSAGE_SAID, &said);
}

static void give_ack(struct play *p, uint64_t counter, uint64_t seq)
{
	struct msg_ack ack = {.counter = counter, .seq = seq};

	ck_assert_int_eq(give(p, MESSAGE_ACK, &ack), 0);
}

static void give_refused(struct play *p, uint64_t counter, enum code code)
{
	struct msg_refused refused = {
		.counter = counter, .code = (uint16_t)code, .text = span_of("")};

	ck_assert_int_eq(give(p, MESSAGE_REFUSED, &refused), 0);
}

static uint64_t say(struct play *p, const char *text)
{
	uint64_t counter = 0;

	ck_assert_int_eq(link_session_say(p->s, "lobby", SAID_TEXT, text, &counter), 0);
	return counter;
}

static void expect_said(struct play *p, uint64_t counter)
{
	union message m;

	EXPECT_SENT(p, MESSAGE_SAY, &m);
	ck_assert_uint_eq(m.say.counter, counter);
}

/* ---- the opening ---- */

START_TEST(test_login)
{
	struct msg_login login;
	const struct event *e;

	log_in(play, log_a, 0, &login);
	ck_assert_uint_eq(login.flags, LOGIN_ANY_NICK);
	ck_assert_uint_eq(login.inbox_replay, 10);
	ck_assert_uint_eq(login.instance[0], 9);
	ck_assert_uint_eq(login.person[0], 7);
	expect_state(play, LINK_LOGGING_IN);
	e = expect(play, EVENT_LOGGED_IN);
	ck_assert_str_eq(e->nick, "anna");
	ck_assert_str_eq(e->text, "class");
	ck_assert(e->flag);
	ck_assert_uint_eq(e->number, TEXT_MAX);
	expect_state(play, LINK_ONLINE);
	expect_no_event(play);
	ck_assert(link_session_logged_in(play->s));
}
END_TEST

/* However the bytes are cut, the events are the same. */
START_TEST(test_cut_anywhere)
{
	struct play *p = play_new(true, (size_t)_i);
	union message m;

	log_in(p, log_a, 0, NULL);
	event_list_fini(&p->events);
	ck_assert_int_eq(link_session_join(p->s, "lobby"), 0);
	EXPECT_SENT(p, MESSAGE_JOIN, &m);
	give_joined(p, m.join.tag, "lobby", 4);
	for (uint64_t seq = 5; seq < 12; seq++) {
		struct msg_said said = {
			.seq = seq,
			.prev = seq - 1,
			.nick = span_of("ben"),
			.room = span_of("lobby"),
			.text = span_of("some words"),
		};
		queue(p, MESSAGE_SAID, &said);
	}
	ck_assert_int_eq(deliver(p), 0);
	expect(p, EVENT_JOINED);
	for (uint64_t seq = 5; seq < 12; seq++)
		ck_assert_uint_eq(expect(p, EVENT_MESSAGE)->seq, seq);
	expect_no_event(p);
	play_free(p);
}
END_TEST

START_TEST(test_nick_given_by_server)
{
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(play, log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(give_logged_in(play, m.login.tag, "anna2", 0), 0);
	link_session_end(play->s);

	/* The next login asks for the nick that we have. */
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(play, log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(m.login.nick, "anna2"));
}
END_TEST

/* What a server may say instead of accepting the login, and whether that is for good. */
static const struct {
	enum code code;
	bool any_nick;
	int result;
} login_refusals[] = {
	{CODE_NICK_TAKEN, false, ERR_REFUSED},
	{CODE_NICK_TAKEN, true, ERR_CLOSED},
	{CODE_BAD_NICK, true, ERR_REFUSED},
	{CODE_VERSION, true, ERR_REFUSED},
	{CODE_FULL, true, ERR_CLOSED},
	{CODE_STOPPING, false, ERR_CLOSED},
	{CODE_NONE, false, ERR_CLOSED},
};

START_TEST(test_login_refused)
{
	struct play *p = play_new(login_refusals[_i].any_nick, SIZE_MAX);
	struct msg_error error = {
		.code = (uint16_t)login_refusals[_i].code, .text = span_of("because")};
	union message m;
	unsigned code;

	ck_assert_int_eq(link_session_begin(p->s, p->now, INT64_MAX), 0);
	EXPECT_SENT(p, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(p, log_a), 0);
	EXPECT_SENT(p, MESSAGE_LOGIN, &m);
	error.tag = m.login.tag;
	ck_assert_int_eq(give(p, MESSAGE_ERROR, &error), login_refusals[_i].result);
	ck_assert_str_eq(link_session_reason(p->s, &code), "because");
	ck_assert_uint_eq(code, login_refusals[_i].code);
	ck_assert(!link_session_logged_in(p->s));
	play_free(p);
}
END_TEST

START_TEST(test_wrong_server)
{
	struct link_session_config config = config_of(true);
	uint8_t id[32] = {6};
	union message m;

	link_session_free(play->s);
	config.server_id = id;
	ck_assert_int_eq(link_session_new(&config, &play->s), 0);
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(play, log_a), ERR_REFUSED);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_login_deadline)
{
	ck_assert_int_eq(link_session_begin(play->s, play->now, play->now + SECOND), 0);
	ck_assert_int_eq(link_session_deadline(play->s), play->now + SECOND);
	ck_assert_int_eq(link_session_tick(play->s, play->now + SECOND - 1), 0);
	ck_assert_int_eq(link_session_tick(play->s, play->now + SECOND), ERR_TIMEOUT);
}
END_TEST

/* ---- messages and their acknowledgement ---- */

START_TEST(test_acknowledged)
{
	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	ck_assert_uint_eq(say(play, "one"), 1);
	ck_assert_uint_eq(say(play, "two"), 2);
	expect_said(play, 1);
	expect_said(play, 2);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 2);
	give_ack(play, 1, 41);
	const struct event *e = expect(play, EVENT_ACK);
	ck_assert_uint_eq(e->counter, 1);
	ck_assert_uint_eq(e->seq, 41);
	ck_assert_str_eq(e->room, "lobby");
	give_refused(play, 2, CODE_TOO_LONG);
	e = expect(play, EVENT_REFUSED);
	ck_assert_uint_eq(e->counter, 2);
	ck_assert_uint_eq(e->code, CODE_TOO_LONG);
	ck_assert_str_eq(e->text, code_text(CODE_TOO_LONG));
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 0);

	/* Answers to what was never sent, or was answered already, mean nothing. */
	give_ack(play, 1, 41);
	give_ack(play, 99, 42);
	give_refused(play, 2, CODE_RETRY);
	expect_no_event(play);
}
END_TEST

START_TEST(test_sent_again_after_break)
{
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	for (int i = 0; i < 4; i++)
		say(play, "words");
	for (uint64_t c = 1; c <= 4; c++)
		expect_said(play, c);
	give_ack(play, 1, 10);
	link_session_end(play->s);
	ck_assert_uint_eq(say(play, "offline"), 5);
	event_list_fini(&play->events);

	/* The server has 1 and 2: their acknowledgement comes with the login, the rest goes again,
	 * after the room has been joined again. */
	log_in(play, log_a, 2, NULL);
	expect_state(play, LINK_LOGGING_IN);
	expect(play, EVENT_LOGGED_IN);
	expect_state(play, LINK_ONLINE);
	const struct event *e = expect(play, EVENT_ACK);
	ck_assert_uint_eq(e->counter, 2);
	ck_assert_uint_eq(e->seq, 0);
	expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	for (uint64_t c = 3; c <= 5; c++)
		expect_said(play, c);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_retry)
{
	log_in_quietly(play, 0);
	for (int i = 0; i < 4; i++)
		say(play, "words");
	for (uint64_t c = 1; c <= 4; c++)
		expect_said(play, c);
	give_ack(play, 1, 10);
	for (uint64_t c = 2; c <= 4; c++)
		give_refused(play, c, CODE_RETRY);
	expect(play, EVENT_ACK);
	expect_no_event(play);

	/* Nothing goes before the pause is over, new messages neither; then all, in order. */
	say(play, "late");
	EXPECT_NOTHING_SENT(play);
	int64_t due = link_session_deadline(play->s);
	ck_assert_int_gt(due, play->now);
	ck_assert_int_lt(due, play->now + 3 * SECOND);
	play->now = due;
	ck_assert_int_eq(link_session_tick(play->s, due), 0);
	for (uint64_t c = 2; c <= 5; c++)
		expect_said(play, c);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 4);
}
END_TEST

START_TEST(test_claims_what_was_never_sent)
{
	union message m;

	say(play, "one");
	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(play, log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(give_logged_in(play, m.login.tag, "anna", 2), ERR_PROTOCOL);
	ck_assert_uint_eq(link_session_unacknowledged(play->s), 1);
}
END_TEST

/* ---- what others say ---- */

START_TEST(test_duplicates_are_dropped)
{
	log_in_quietly(play, 0);
	join(play, "lobby", 4);
	ck_assert_int_eq(give_said(play, "lobby", 4, 5), 0);
	ck_assert_int_eq(give_said(play, "lobby", 4, 5), 0);
	ck_assert_int_eq(give_said(play, "lobby", 2, 4), 0);
	ck_assert_int_eq(give_said(play, "elsewhere", 0, 6), 0);
	ck_assert_int_eq(give_said(play, "LOBBY", 5, 7), 0);
	ck_assert_uint_eq(expect(play, EVENT_MESSAGE)->seq, 5);
	const struct event *e = expect(play, EVENT_MESSAGE);
	ck_assert_uint_eq(e->seq, 7);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert(!e->own);
	expect_no_event(play);
	ck_assert_uint_eq(link_session_dropped(play->s), 3);
}
END_TEST

START_TEST(test_missing_message_is_noticed)
{
	log_in_quietly(play, 0);
	join(play, "lobby", 4);
	ck_assert_int_eq(give_said(play, "lobby", 5, 6), ERR_PROTOCOL);
	expect_no_event(play);
}
END_TEST

START_TEST(test_gap)
{
	struct msg_gap gap = {.room = span_of("lobby"), .after = 4, .next = 9};

	log_in_quietly(play, 0);
	join(play, "lobby", 4);
	ck_assert_int_eq(give(play, MESSAGE_GAP, &gap), 0);
	ck_assert_int_eq(give_said(play, "lobby", 8, 9), 0);
	const struct event *e = expect(play, EVENT_GAP);
	ck_assert_uint_eq(e->seq, 4);
	ck_assert_uint_eq(e->number, 9);
	ck_assert_uint_eq(expect(play, EVENT_MESSAGE)->seq, 9);
}
END_TEST

START_TEST(test_resumed_after_break)
{
	struct msg_login login;
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 4);
	ck_assert_int_eq(give_said(play, "lobby", 4, 7), 0);
	link_session_end(play->s);
	event_list_fini(&play->events);
	log_in(play, log_a, 0, &login);
	ck_assert_mem_eq(login.log, log_a, sizeof(log_a));
	event_list_fini(&play->events);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, JOIN_RESUME);
	ck_assert_uint_eq(m.join.after, 7);
	give_joined(play, m.join.tag, "lobby", 7);
	ck_assert(expect(play, EVENT_JOINED)->flag);
	ck_assert_int_eq(give_said(play, "lobby", 4, 7), 0);
	ck_assert_int_eq(give_said(play, "lobby", 7, 8), 0);
	ck_assert_uint_eq(expect(play, EVENT_MESSAGE)->seq, 8);
}
END_TEST

START_TEST(test_another_log)
{
	struct msg_login login;
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 4);
	link_session_end(play->s);
	event_list_fini(&play->events);
	log_in(play, log_b, 0, &login);
	expect_state(play, LINK_LOGGING_IN);
	expect(play, EVENT_LOG_CHANGED);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, 0);
	ck_assert_uint_eq(m.join.replay, 10);

	/* Positions are those of the new log now, however small. */
	give_joined(play, m.join.tag, "lobby", 1);
	event_list_fini(&play->events);
	ck_assert_int_eq(give_said(play, "lobby", 1, 2), 0);
	ck_assert_uint_eq(expect(play, EVENT_MESSAGE)->seq, 2);
}
END_TEST

static int give_direct(struct play *p, uint64_t seq, uint8_t from, uint8_t to)
{
	struct msg_direct_said said = {
		.seq = seq,
		.person = {from},
		.to = {to},
		.instance = {from == 7 ? 9 : 3},
		.nick = span_of(from == 7 ? "anna" : "ben"),
		.to_nick = span_of(to == 7 ? "anna" : "ben"),
		.text = span_of("psst"),
	};
	return give(p, MESSAGE_DIRECT_SAID, &said);
}

START_TEST(test_direct_messages)
{
	struct msg_login login;

	log_in_quietly(play, 0);
	ck_assert_int_eq(give_direct(play, 5, 8, 7), 0);
	ck_assert_int_eq(give_direct(play, 6, 7, 8), 0);
	ck_assert_int_eq(give_direct(play, 6, 7, 8), 0);
	const struct event *e = expect(play, EVENT_MESSAGE);
	ck_assert(e->direct && !e->own);
	ck_assert_str_eq(e->peer_nick, "ben");
	ck_assert_uint_eq(e->peer[0], 8);
	e = expect(play, EVENT_MESSAGE);
	ck_assert(e->direct && e->own);
	ck_assert_str_eq(e->peer_nick, "ben");
	ck_assert_uint_eq(e->peer[0], 8);
	expect_no_event(play);
	link_session_end(play->s);
	log_in(play, log_a, 0, &login);
	ck_assert_uint_eq(login.inbox_after, 6);
}
END_TEST

/* ---- rooms and people ---- */

START_TEST(test_join_refused)
{
	struct msg_error error = {.code = CODE_TOO_MANY_ROOMS, .text = span_of("")};
	union message m;

	log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
	error.tag = m.join.tag;
	ck_assert_int_eq(give(play, MESSAGE_ERROR, &error), 0);
	const struct event *e = expect(play, EVENT_ERROR);
	ck_assert_str_eq(e->room, "lobby");
	ck_assert_uint_eq(e->code, CODE_TOO_MANY_ROOMS);
	expect_no_event(play);

	/* It is not tried again by itself, but may be asked for. */
	link_session_end(play->s);
	log_in_quietly(play, 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
}
END_TEST

START_TEST(test_part_follows_what_was_said)
{
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	say(play, "bye");
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	ck_assert_int_eq(give(play, MESSAGE_PARTED, &parted), 0);
	ck_assert_str_eq(expect(play, EVENT_PARTED)->room, "lobby");
	ck_assert_int_eq(link_session_part(play->s, "lobby"), ERR_NOT_FOUND);
}
END_TEST

START_TEST(test_part_then_join)
{
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	ck_assert_int_eq(link_session_part(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_PART, &m);
	ck_assert_int_eq(link_session_join(play->s, "lobby"), 0);
	EXPECT_NOTHING_SENT(play);
	struct msg_parted parted = {
		.tag = m.part.tag, .room = span_of("lobby"), .text = span_of("")};
	ck_assert_int_eq(give(play, MESSAGE_PARTED, &parted), 0);
	EXPECT_SENT(play, MESSAGE_JOIN, &m);
}
END_TEST

/* A list of people n0, n1 ... in `buffer`. */
static struct list people(unsigned from, unsigned count, uint8_t *buffer, size_t size)
{
	struct list l = {0};

	for (unsigned i = from; i < from + count; i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "n%u", i);
		struct item_member member = {.nick = span_of(nick), .away = span_of("")};
		ck_assert_int_eq(message_list_add(&l, ITEM_MEMBER, &member, buffer, size), 0);
	}
	return l;
}

static int give_members(
	struct play *p, uint32_t tag, uint64_t version, bool more, struct list members)
{
	struct msg_member_list list = {
		.tag = tag,
		.room = span_of("lobby"),
		.version = version,
		.people = 1000,
		.more = more,
		.members = members,
	};
	return give(p, MESSAGE_MEMBER_LIST, &list);
}

static int give_presence(struct play *p, uint64_t version, unsigned changes)
{
	static uint8_t buffer[4096];
	struct msg_presence presence = {.room = span_of("lobby"), .version = version, .people = 3};

	for (unsigned i = 0; i < changes; i++) {
		struct item_change change = {.nick = span_of("cat"), .text = span_of("")};
		ck_assert_int_eq(message_list_add(&presence.changes, ITEM_CHANGE, &change, buffer,
					 sizeof(buffer)),
			0);
	}
	return give(p, MESSAGE_PRESENCE, &presence);
}

START_TEST(test_members_in_pages)
{
	static uint8_t buffer[32 * 1024];
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	ck_assert_int_eq(link_session_list_members(play->s, "lobby"), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, true, people(0, 200, buffer, sizeof(buffer))),
		0);
	expect_no_event(play);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert(span_equal(m.members.after, "n199"));
	ck_assert_int_eq(
		give_members(play, m.members.tag, 3, false, people(200, 5, buffer, sizeof(buffer))),
		0);
	const struct event *e = expect(play, EVENT_MEMBERS);
	ck_assert(e->flag);
	ck_assert_uint_eq(e->count, 205);
	ck_assert_str_eq(e->people[204].nick, "n204");
	ck_assert_uint_eq(e->number, 1000);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_missed_presence)
{
	static uint8_t buffer[4096];
	struct msg_caught_up up = {.room = span_of("lobby"), .version = 4};
	union message m;

	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	ck_assert_int_eq(give_members(play, 0, 3, false, people(0, 2, buffer, sizeof(buffer))), 0);
	expect(play, EVENT_MEMBERS);
	ck_assert_int_eq(give_presence(play, 3, 1), 0); /* older than the list */
	expect_no_event(play);
	ck_assert_int_eq(give_presence(play, 4, 1), 0);
	expect(play, EVENT_PRESENCE);
	ck_assert_int_eq(give(play, MESSAGE_CAUGHT_UP, &up), 0);
	expect(play, EVENT_CAUGHT_UP);
	EXPECT_NOTHING_SENT(play);

	/* Five is missing: the list is fetched, once. */
	ck_assert_int_eq(give_presence(play, 6, 1), 0);
	expect(play, EVENT_PRESENCE);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
	ck_assert_int_eq(
		give_members(play, m.members.tag, 6, false, people(0, 2, buffer, sizeof(buffer))),
		0);
	expect(play, EVENT_MEMBERS);

	/* Again, but not within a second. */
	ck_assert_int_eq(give_presence(play, 9, 1), 0);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(link_session_deadline(play->s), play->now + SECOND);
	play->now += SECOND;
	ck_assert_int_eq(link_session_tick(play->s, play->now), 0);
	EXPECT_SENT(play, MESSAGE_MEMBERS, &m);
}
END_TEST

START_TEST(test_presence_of_large_room)
{
	log_in_quietly(play, 0);
	join(play, "lobby", 0);
	ck_assert_int_eq(give_presence(play, 5, 0), 0);
	const struct event *e = expect(play, EVENT_MEMBERS);
	ck_assert(!e->flag);
	ck_assert_uint_eq(e->number, 3);
	ck_assert_uint_eq(e->count, 0);
	ck_assert_int_eq(give_presence(play, 8, 0), 0);
	EXPECT_NOTHING_SENT(play);
}
END_TEST

START_TEST(test_rooms_in_pages)
{
	uint8_t buffer[256];
	struct item_room room = {.name = span_of("exams"), .people = 2, .topic = span_of("x")};
	struct msg_room_list list = {.more = 1, .total = 2};
	union message m;

	log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_list_rooms(play->s), 0);
	ck_assert_int_eq(link_session_list_rooms(play->s), 0);
	EXPECT_SENT(play, MESSAGE_ROOMS, &m);
	EXPECT_NOTHING_SENT(play);
	ck_assert_int_eq(
		message_list_add(&list.rooms, ITEM_ROOM, &room, buffer, sizeof(buffer)), 0);
	list.tag = m.rooms.tag;
	ck_assert_int_eq(give(play, MESSAGE_ROOM_LIST, &list), 0);
	const struct event *e = expect(play, EVENT_ROOMS);
	ck_assert(!e->flag);
	ck_assert_str_eq(e->rooms[0].name, "exams");
	EXPECT_SENT(play, MESSAGE_ROOMS, &m);
	ck_assert(span_equal(m.rooms.after, "exams"));
	list = (struct msg_room_list){.tag = m.rooms.tag, .total = 2};
	ck_assert_int_eq(give(play, MESSAGE_ROOM_LIST, &list), 0);
	ck_assert(expect(play, EVENT_ROOMS)->flag);
}
END_TEST

/* ---- nick and away ---- */

START_TEST(test_nick)
{
	struct msg_error error = {.code = CODE_NICK_TAKEN, .text = span_of("")};
	union message m;

	log_in_quietly(play, 0);
	ck_assert_int_eq(link_session_nick(play->s, "bea"), 0);
	EXPECT_SENT(play, MESSAGE_NICK, &m);
	struct msg_renamed renamed = {.tag = m.nick.tag, .nick = span_of("bea")};
	ck_assert_int_eq(give(play, MESSAGE_RENAMED, &renamed), 0);
	ck_assert_str_eq(expect(play, EVENT_RENAMED)->nick, "bea");
	ck_assert_int_eq(link_session_nick(play->s, "carl"), 0);
	EXPECT_SENT(play, MESSAGE_NICK, &m);
	error.tag = m.nick.tag;
	ck_assert_int_eq(give(play, MESSAGE_ERROR, &error), 0);
	ck_assert_uint_eq(expect(play, EVENT_ERROR)->code, CODE_NICK_TAKEN);
	ck_assert_int_eq(link_session_nick(play->s, "no blanks"), ERR_TEXT);
}
END_TEST

START_TEST(test_away_survives_a_break)
{
	union message m;

	ck_assert_int_eq(link_session_away(play->s, PERSON_AWAY, "lunch"), 0);
	log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_AWAY, &m);
	ck_assert(span_equal(m.away.text, "lunch"));
	link_session_end(play->s);
	log_in_quietly(play, 0);
	EXPECT_SENT(play, MESSAGE_AWAY, &m);
	ck_assert_int_eq(link_session_away(play->s, PERSON_GONE, ""), ERR_ARGUMENT);
}
END_TEST

/* ---- the connection ---- */

START_TEST(test_pings)
{
	struct msg_ping ping = {.token = 77};
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give_welcome(play, log_a), 0);
	EXPECT_SENT(play, MESSAGE_LOGIN, &m);
	ck_assert_int_eq(give_logged_in(play, m.login.tag, "anna", 0), 0);
	event_list_fini(&play->events);
	EXPECT_SENT(play, MESSAGE_PING, &m);
	struct msg_pong pong = {.token = m.ping.token};
	play->now += 1234;
	ck_assert_int_eq(give(play, MESSAGE_PONG, &pong), 0);
	ck_assert_uint_eq(expect(play, EVENT_RTT)->number, 1234);
	ck_assert_int_eq(give(play, MESSAGE_PONG, &pong), 0);
	expect_no_event(play);
	ck_assert_int_eq(give(play, MESSAGE_PING, &ping), 0);
	EXPECT_SENT(play, MESSAGE_PONG, &m);
	ck_assert_uint_eq(m.pong.token, 77);
}
END_TEST

START_TEST(test_silence)
{
	union message m;

	log_in_quietly(play, 0); /* its ping stays without an answer */
	int64_t heard = play->now;
	ck_assert_int_eq(link_session_tick(play->s, heard + 44 * SECOND), 0);
	EXPECT_NOTHING_SENT(play);

	/* Not having listened is no silence. */
	link_session_heard(play->s, heard + 44 * SECOND);
	ck_assert_int_eq(link_session_tick(play->s, heard + 46 * SECOND), 0);
	ck_assert_int_eq(link_session_tick(play->s, heard + 90 * SECOND), ERR_TIMEOUT);
	EXPECT_SENT(play, 0, &m);
}
END_TEST

START_TEST(test_goodbye)
{
	struct msg_bye bye = {.code = CODE_STOPPING, .text = span_of("")};
	union message m;
	unsigned code;

	log_in_quietly(play, 0);
	say(play, "last words");
	ck_assert_int_eq(link_session_bye(play->s), 0);
	expect_said(play, 1);
	EXPECT_SENT(play, MESSAGE_BYE, &m);
	ck_assert_uint_eq(m.bye.code, CODE_QUIT);
	link_session_end(play->s);

	log_in_quietly(play, 0);
	ck_assert_int_eq(give(play, MESSAGE_BYE, &bye), ERR_CLOSED);
	ck_assert_str_eq(link_session_reason(play->s, &code), code_text(CODE_STOPPING));
	ck_assert_uint_eq(code, CODE_STOPPING);
}
END_TEST

START_TEST(test_garbage)
{
	static const struct {
		uint8_t bytes[12];
		size_t length;
		int result;
	} cases[] = {
		{{0xff, 0xff, 0xff, 0xff}, 4, ERR_PROTOCOL},              /* too long */
		{{0, 0, 0, 0, 0, 5, 0x80, 0}, 8, ERR_PROTOCOL},           /* undefined flag */
		{{0, 0, 0, 0, 0x7f, 0xff, 0, 0}, 8, ERR_PROTOCOL},        /* unknown type */
		{{0, 0, 0, 0, 0x7f, 0xff, 0, 1}, 8, 0},                   /* to be skipped */
		{{0, 0, 0, 1, 0, 6, 0, 0, 1}, 9, ERR_PROTOCOL},           /* PONG cut short */
		{{0, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0}, 12, ERR_PROTOCOL}, /* the client's HELLO */
		{{0, 0, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0}, 12, ERR_PROTOCOL}, /* the login again */
		{{'H', 'T', 'T', 'P'}, 4, ERR_PROTOCOL},
	};
	size_t used;

	log_in_quietly(play, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(link_session_input(play->s, cases[i].bytes, cases[i].length,
					 play->now, &used),
			cases[i].result);
		if (cases[i].result == 0)
			continue;
		link_session_end(play->s);
		log_in_quietly(play, 0);
	}
}
END_TEST

/* Messages that are legal only after the login end a connection that is not there yet. */
START_TEST(test_too_early)
{
	struct msg_notice notice = {.text = span_of("hi")};
	union message m;

	ck_assert_int_eq(link_session_begin(play->s, play->now, INT64_MAX), 0);
	EXPECT_SENT(play, MESSAGE_HELLO, &m);
	ck_assert_int_eq(give(play, MESSAGE_NOTICE, &notice), ERR_PROTOCOL);
}
END_TEST

START_TEST(test_limits_of_requests)
{
	char text[TEXT_MAX + 2];
	char room[ROOM_NAME_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[TEXT_MAX] = '\0';
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, text, NULL), 0);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TOPIC, text, NULL), ERR_TOO_BIG);
	text[TEXT_MAX] = 'x';
	text[TEXT_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, text, NULL), ERR_TOO_BIG);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "", NULL), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TOPIC, "", NULL), 0);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "\033[m", NULL), ERR_TEXT);
	ck_assert_int_eq(link_session_say(play->s, "lobby", SAID_TEXT, "\xff", NULL), ERR_TEXT);
	ck_assert_int_eq(
		link_session_direct(play->s, "", NULL, SAID_TEXT, "x", NULL), ERR_ARGUMENT);
	ck_assert_int_eq(
		link_session_direct(play->s, "ben", NULL, SAID_TOPIC, "x", NULL), ERR_ARGUMENT);
	memset(room, 'r', sizeof(room));
	room[ROOM_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(link_session_join(play->s, room), ERR_TOO_BIG);
	room[ROOM_NAME_MAX] = '\0';
	ck_assert_int_eq(link_session_join(play->s, room), 0);
	ck_assert_int_eq(link_session_join(play->s, ""), ERR_ARGUMENT);
	ck_assert_int_eq(link_session_join(play->s, "a b"), ERR_TEXT);
}
END_TEST

Suite *link_session_suite(void)
{
	Suite *s = suite_create("link_session");
	TCase *t = tcase_create("link_session");
	int refusals = (int)(sizeof(login_refusals) / sizeof(login_refusals[0]));

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_login);
	tcase_add_loop_test(t, test_cut_anywhere, 1, 40);
	tcase_add_test(t, test_nick_given_by_server);
	tcase_add_loop_test(t, test_login_refused, 0, refusals);
	tcase_add_test(t, test_wrong_server);
	tcase_add_test(t, test_login_deadline);
	tcase_add_test(t, test_acknowledged);
	tcase_add_test(t, test_sent_again_after_break);
	tcase_add_test(t, test_retry);
	tcase_add_test(t, test_claims_what_was_never_sent);
	tcase_add_test(t, test_duplicates_are_dropped);
	tcase_add_test(t, test_missing_message_is_noticed);
	tcase_add_test(t, test_gap);
	tcase_add_test(t, test_resumed_after_break);
	tcase_add_test(t, test_another_log);
	tcase_add_test(t, test_direct_messages);
	tcase_add_test(t, test_join_refused);
	tcase_add_test(t, test_part_follows_what_was_said);
	tcase_add_test(t, test_part_then_join);
	tcase_add_test(t, test_members_in_pages);
	tcase_add_test(t, test_missed_presence);
	tcase_add_test(t, test_presence_of_large_room);
	tcase_add_test(t, test_rooms_in_pages);
	tcase_add_test(t, test_nick);
	tcase_add_test(t, test_away_survives_a_break);
	tcase_add_test(t, test_pings);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_goodbye);
	tcase_add_test(t, test_garbage);
	tcase_add_test(t, test_too_early);
	tcase_add_test(t, test_limits_of_requests);
	suite_add_tcase(s, t);
	return s;
}
