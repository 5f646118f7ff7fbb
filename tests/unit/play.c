#include "tests/unit/play.h"

#include "common/err.h"
#include "common/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

const uint8_t play_log_a[16] = {1};
const uint8_t play_log_b[16] = {2};
struct play *play;

struct link_session_config play_config_of(bool any_nick)
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

struct play *play_new(bool any_nick, size_t cut)
{
	struct link_session_config config = play_config_of(any_nick);
	struct play *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->cut = cut;
	p->now = 1000 * SECOND;
	ck_assert_int_eq(link_session_new(&config, &p->s), 0);
	return p;
}

void play_free(struct play *p)
{
	link_session_free(p->s);
	event_list_fini(&p->events);
	free(p->out.bytes);
	free(p);
}

void play_setup(void)
{
	play = play_new(true, SIZE_MAX);
}

void play_teardown(void)
{
	play_free(play);
}

/* ---- the server's side ---- */

void play_queue(struct play *p, enum message_number number, const void *message)
{
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, message, p->in + p->in_length,
				 sizeof(p->in) - p->in_length, &used),
		0);
	p->in_length += used;
}

/* Hand over what is queued. */
int play_deliver(struct play *p)
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

int play_give(struct play *p, enum message_number number, const void *message)
{
	play_queue(p, number, message);
	return play_deliver(p);
}

/* The next message that the session sent; 0: there is none. */
uint16_t play_sent(struct play *p, union message *m)
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

/* The next event, which must be of that type; freed by the next call. */
const struct event *play_expect(struct play *p, enum event_type type)
{
	static struct event *last;

	do {
		event_free(last);
		last = event_list_take(&p->events);
	} while (last && last->type == EVENT_SENT && type != EVENT_SENT);
	ck_assert_ptr_nonnull(last);
	ck_assert_int_eq(last->type, type);
	return last;
}

void play_expect_state(struct play *p, enum link_state state)
{
	ck_assert_int_eq(play_expect(p, EVENT_STATE)->state, state);
}

void play_expect_no_event(struct play *p)
{
	link_session_events(p->s, &p->events);
	while (p->events.head && p->events.head->event.type == EVENT_SENT)
		event_free(event_list_take(&p->events));
	ck_assert_ptr_null(p->events.head);
}

int play_give_welcome(struct play *p, const uint8_t *log)
{
	struct msg_welcome welcome = {
		.version = PROTOCOL_VERSION,
		.features = p->features,
		.server = {5},
		.kept = 1,
		.name = span_of("class"),
		.agent = span_of("test"),
	};
	memcpy(welcome.log, log, sizeof(welcome.log));
	return play_give(p, MESSAGE_WELCOME, &welcome);
}

int play_give_logged_in(struct play *p, uint32_t tag, const char *nick, uint64_t accepted)
{
	struct msg_logged_in in = {
		.tag = tag,
		.nick = span_of(nick),
		.accepted = accepted,
		.text_max = TEXT_MAX,
	};
	return play_give(p, MESSAGE_LOGGED_IN, &in);
}

/* From nothing to online; the first ping is swallowed. */
void play_log_in(struct play *p, const uint8_t *log, uint64_t accepted, struct msg_login *login)
{
	union message m;

	ck_assert_int_eq(link_session_begin(p->s, p->now, p->now + 10 * SECOND), 0);
	EXPECT_SENT(p, MESSAGE_HELLO, &m);
	ck_assert_int_eq(play_give_welcome(p, log), 0);
	EXPECT_SENT(p, MESSAGE_LOGIN, &m);
	if (login)
		*login = m.login;
	ck_assert_int_eq(play_give_logged_in(p, m.login.tag, "anna", accepted), 0);
	EXPECT_SENT(p, MESSAGE_PING, &m);
}

void play_log_in_quietly(struct play *p, uint64_t accepted)
{
	play_log_in(p, play_log_a, accepted, NULL);
	event_list_fini(&p->events);
}

void play_give_joined(struct play *p, uint32_t tag, const char *room, uint64_t after)
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
	ck_assert_int_eq(play_give(p, MESSAGE_JOINED, &joined), 0);
}

/* Join a room for the first time, everything up to `after` having been seen. */
void play_join(struct play *p, const char *room, uint64_t after)
{
	union message m;

	ck_assert_int_eq(link_session_join(p->s, room), 0);
	EXPECT_SENT(p, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(m.join.flags, 0);
	ck_assert_uint_eq(m.join.replay, 10);
	play_give_joined(p, m.join.tag, room, after);
	event_list_fini(&p->events);
}

int play_give_said(struct play *p, const char *room, uint64_t prev, uint64_t seq)
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
	return play_give(p, MESSAGE_SAID, &said);
}

void play_give_ack(struct play *p, uint64_t counter, uint64_t seq)
{
	struct msg_ack ack = {.counter = counter, .seq = seq};

	ck_assert_int_eq(play_give(p, MESSAGE_ACK, &ack), 0);
}

void play_give_refused(struct play *p, uint64_t counter, enum code code)
{
	struct msg_refused refused = {
		.counter = counter, .code = (uint16_t)code, .text = span_of("")};

	ck_assert_int_eq(play_give(p, MESSAGE_REFUSED, &refused), 0);
}

uint64_t play_say(struct play *p, const char *text)
{
	uint64_t counter = 0;

	ck_assert_int_eq(link_session_say(p->s, "lobby", SAID_TEXT, text, &counter), 0);
	return counter;
}

void play_expect_said(struct play *p, uint64_t counter)
{
	union message m;

	EXPECT_SENT(p, MESSAGE_SAY, &m);
	ck_assert_uint_eq(m.say.counter, counter);
}
