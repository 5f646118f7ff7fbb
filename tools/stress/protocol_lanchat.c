/*
 * lanchat's own protocol (docs/PROTOCOL.md). HELLO, LOGIN and JOIN go out together.
 *
 * Of the messages that come by the million, only what is needed is looked at: a SAID is read by the
 * places of its fields rather than by the decoder of all messages, which a test holds against each
 * other.
 */
#include "common/bytes.h"
#include "common/err.h"
#include "common/message.h"
#include "tools/stress/protocol.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TAG_LOGIN 1
#define TAG_JOIN  2

/* A SAID's payload: seq, prev, time, instance, counter, person and kind, and then three texts, each with
 * a count of bytes before it. */
#define SAID_FIXED (8 + 8 + 8 + INSTANCE_ID + 8 + PERSON_ID + 1)

enum step {
	STEP_HELLO, /* nothing has been answered */
	STEP_LOGIN,
	STEP_JOIN,
	STEP_IN,
};

static void put(struct outgoing *o, enum message_number number, const void *message)
{
	size_t used = 0;

	if (o->full || message_encode((uint16_t)number, message, o->bytes + o->used,
			       o->size - o->used, &used) != 0)
		o->full = true;
	else
		o->used += used;
}

/* A room of this run only. */
static struct span room_of(const struct protocol_peer *p, char text[ROOM_NAME_MAX + 1])
{
	int n = snprintf(text, ROOM_NAME_MAX + 1, "s%06x-%u", p->run, p->room);

	return (struct span){.text = text, .length = (uint16_t)n};
}

/* The same person has the same nick in every run, for it is theirs. */
static struct span nick_of(const struct protocol_peer *p, char text[NICK_MAX + 1])
{
	int n = snprintf(text, NICK_MAX + 1, "c%08x-%u", bytes_u32(p->person), p->number);

	return (struct span){.text = text, .length = (uint16_t)n};
}

static void put_login(const struct protocol_peer *p, struct outgoing *out)
{
	char nick[NICK_MAX + 1];
	struct msg_login m = {
		.tag = TAG_LOGIN,
		.inbox_after = p->position,
		.flags = LOGIN_ANY_NICK,
		.nick = nick_of(p, nick),
	};

	memcpy(m.person, p->person, PERSON_ID);
	bytes_put_u32(m.instance, p->run);
	bytes_put_u32(m.instance + 4, p->number);
	memcpy(m.instance + 8, p->person, INSTANCE_ID - 8);
	memcpy(m.log, p->log, sizeof(m.log));
	put(out, MESSAGE_LOGIN, &m);
}

static void put_join(const struct protocol_peer *p, struct outgoing *out)
{
	char room[ROOM_NAME_MAX + 1];
	struct msg_join m = {
		.tag = TAG_JOIN,
		.room = room_of(p, room),
		.flags = p->returns ? JOIN_RESUME : 0,
		.after = p->returns ? p->position : 0,
	};

	put(out, MESSAGE_JOIN, &m);
}

static void greet(struct protocol_peer *p, struct outgoing *out)
{
	struct msg_hello hello = {
		.version_low = PROTOCOL_VERSION,
		.version_high = PROTOCOL_VERSION,
		.agent = span_of("lanchat-stress"),
	};

	put(out, MESSAGE_HELLO, &hello);
	put_login(p, out);
	put_join(p, out);
}

static void say(struct protocol_peer *p, uint64_t counter, const char *text, size_t length,
	struct outgoing *out)
{
	char room[ROOM_NAME_MAX + 1];
	struct msg_say m = {
		.counter = counter,
		.kind = SAID_TEXT,
		.room = room_of(p, room),
		.text = {.text = text, .length = (uint16_t)length},
	};

	put(out, MESSAGE_SAY, &m);
}

static void leave(struct protocol_peer *p, struct outgoing *out)
{
	struct msg_bye m = {.code = CODE_NONE};

	(void)p;
	put(out, MESSAGE_BYE, &m);
}

/* ---- what comes ---- */

static int take_said(struct protocol_peer *p, const struct frame *f, struct event *e)
{
	size_t at = SAID_FIXED;

	for (int name = 0; name < 2; name++) { /* the nick, the room */
		if (at + 2 > f->length)
			return ERR_PROTOCOL;
		at += 2 + (size_t)bytes_u16(f->payload + at);
	}
	if (at + 2 > f->length || at + 2 + bytes_u16(f->payload + at) != f->length)
		return ERR_PROTOCOL;
	*e = (struct event){
		.kind = EVENT_MESSAGE,
		.text = (const char *)f->payload + at + 2,
		.length = f->length - at - 2,
		.number = bytes_u64(f->payload),
	};
	/* One that came too late takes nothing back of what it has. */
	if (e->number > p->position)
		p->position = e->number;
	return 0;
}

static void refuse(struct event *e, struct span why)
{
	*e = (struct event){.kind = EVENT_REFUSED, .text = why.text, .length = why.length};
}

/* A message that was not accepted would be missed by everybody: that is the end of the run. */
static void take_answer(
	struct protocol_peer *p, uint16_t type, const union message *m, struct event *e)
{
	switch (type) {
	case MESSAGE_WELCOME:
		if (memcmp(p->log, m->welcome.log, sizeof(p->log)) != 0)
			p->position = 0; /* of a log that is no more */
		memcpy(p->log, m->welcome.log, sizeof(p->log));
		p->step = STEP_LOGIN;
		if (m->welcome.agent.length)
			*e = (struct event){.kind = EVENT_AGENT,
				.text = m->welcome.agent.text,
				.length = m->welcome.agent.length};
		break;
	case MESSAGE_LOGGED_IN:
		p->step = STEP_JOIN;
		if (m->logged_in.text_max < p->size)
			refuse(e, span_of("it takes no message of this size (--size; "
					  "max-text-length)"));
		break;
	case MESSAGE_JOINED:
		p->step = STEP_IN;
		if (!p->returns)
			p->position = m->joined.last;
		e->kind = EVENT_READY;
		break;
	case MESSAGE_ACK:
		*e = (struct event){.kind = EVENT_ACK, .number = m->ack.counter};
		break;
	case MESSAGE_GAP:
		e->kind = EVENT_GAP;
		break;
	case MESSAGE_REFUSED:
		refuse(e, m->refused.text);
		if (!e->length)
			refuse(e, span_of(code_text(m->refused.code)));
		break;
	case MESSAGE_BYE:
		refuse(e, m->bye.text);
		break;
	case MESSAGE_ERROR:
		if (m->error.fatal || p->step != STEP_IN)
			refuse(e, m->error.text);
		break;
	default:
		break;
	}
}

static int take(
	struct protocol_peer *p, const struct frame *f, struct event *e, struct outgoing *out)
{
	union message m;

	switch (f->type) {
	case MESSAGE_SAID:
		return take_said(p, f, e);
	case MESSAGE_WELCOME:
	case MESSAGE_LOGGED_IN:
	case MESSAGE_JOINED:
	case MESSAGE_ACK:
	case MESSAGE_GAP:
	case MESSAGE_REFUSED:
	case MESSAGE_BYE:
	case MESSAGE_ERROR:
	case MESSAGE_PING:
		break;
	default:
		return 0; /* lists of members, notices: of no use here */
	}
	if (message_decode(f, &m) != 0)
		return ERR_PROTOCOL;
	if (f->type == MESSAGE_PING)
		put(out, MESSAGE_PONG, &m.ping); /* the same field */
	else
		take_answer(p, f->type, &m, e);
	return 0;
}

static int next(struct protocol_peer *p, const uint8_t *bytes, size_t length, size_t *used,
	struct event *event, struct outgoing *out)
{
	struct frame f;
	struct event e = {.kind = EVENT_NONE};
	int r = frame_decode(bytes, length, FRAME_PAYLOAD_MAX, &f, NULL);

	if (r == 0)
		r = take(p, &f, &e, out);
	if (r)
		return r;
	*used = FRAME_HEADER + (size_t)f.length;
	*event = e;
	return 0;
}

const struct protocol protocol_lanchat = {
	.name = "lanchat",
	.about = "lanchatd",
	.port = 19830,
	.echoes = true,
	.acknowledges = true,
	.resumes = true,
	.tls = true,
	.text_most = TEXT_MAX,
	.greet = greet,
	.say = say,
	.leave = leave,
	.next = next,
};
