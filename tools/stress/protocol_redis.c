/*
 * Redis and what speaks like it: publish and subscribe over RESP3 (redis.io, "Redis serialization
 * protocol specification"), with which one connection may do both.
 *
 * Rooms are channels. The answer to PUBLISH, the number of those who got it, is the acknowledgement;
 * answers come in the order of what was asked, and what is pushed comes in between.
 */
#include "common/err.h"
#include "tools/stress/protocol.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MOST    32768
#define CHANNEL_MOST 32

enum step {
	JOINING,
	JOINED,
};

/* How a message begins, and how it is told that a channel is subscribed to. */
static const char message[] = ">3\r\n$7\r\nmessage\r\n";
static const char subscribed[] = ">3\r\n$9\r\nsubscribe\r\n";

static size_t name_channel(const struct protocol_peer *p, char channel[CHANNEL_MOST])
{
	return (size_t)snprintf(channel, CHANNEL_MOST, "stress.%06x.%x", p->run, p->room);
}

static void greet(struct protocol_peer *p, struct outgoing *out)
{
	char channel[CHANNEL_MOST];
	size_t length = name_channel(p, channel);

	outgoing_print(out,
		"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n", length,
		channel);
}

static void say(struct protocol_peer *p, uint64_t counter, const char *text, size_t length,
	struct outgoing *out)
{
	char channel[CHANNEL_MOST];
	size_t size = name_channel(p, channel);

	outgoing_print(out, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n", size, channel, length);
	outgoing_put(out, text, length);
	outgoing_put(out, "\r\n", 2);
	if (out->full)
		return;
	p->said = counter;
	p->expects++;
}

static void leave(struct protocol_peer *p, struct outgoing *out)
{
	(void)p;
	outgoing_print(out, "*1\r\n$4\r\nQUIT\r\n");
}

/* ---- what comes ---- */

/* What is there, and how far it was read. */
struct reader {
	const char *bytes;
	size_t length;
	size_t at;
};

/* A line: `*text` is what is before its CR LF. */
static int read_line(struct reader *r, const char **text, size_t *length)
{
	const char *from = r->bytes + r->at;
	const char *end = memchr(from, '\n', r->length - r->at);

	if (!end)
		return ERR_AGAIN;
	if (end == from || end[-1] != '\r')
		return ERR_PROTOCOL;
	*text = from;
	*length = (size_t)(end - from) - 1;
	r->at += *length + 2;
	return 0;
}

/* Digits and nothing else, of which nothing larger may come than PROTOCOL_THING_MOST. */
static int number(const char *text, size_t length, size_t *out)
{
	size_t value = 0;

	if (length == 0 || length > 6)
		return ERR_PROTOCOL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return ERR_PROTOCOL;
		value = value * 10 + (size_t)(text[i] - '0');
	}
	if (value > PROTOCOL_THING_MOST)
		return ERR_PROTOCOL;
	*out = value;
	return 0;
}

/* The bytes of a string whose first line said how many. */
static int read_bytes(struct reader *r, size_t size, const char **text)
{
	if (size + 2 > PROTOCOL_THING_MOST)
		return ERR_PROTOCOL;
	if (r->length - r->at < size + 2)
		return ERR_AGAIN;
	*text = r->bytes + r->at;
	r->at += size + 2;
	return memcmp(*text + size, "\r\n", 2) == 0 ? 0 : ERR_PROTOCOL;
}

static int read_string(struct reader *r, const char **text, size_t *length)
{
	const char *head;
	size_t head_length, size;
	int e = read_line(r, &head, &head_length);

	if (e != 0)
		return e;
	if (head_length == 0 || head[0] != '$' || number(head + 1, head_length - 1, &size) != 0)
		return ERR_PROTOCOL;
	e = read_bytes(r, size, text);
	if (e == 0)
		*length = size;
	return e;
}

/* Pass over one value, and add to `*more` how many belong to it. */
static int skip_value(struct reader *r, size_t *more)
{
	const char *line, *text;
	size_t length, n = 0;
	int e = read_line(r, &line, &length);

	if (e != 0)
		return e;
	if (length == 0)
		return ERR_PROTOCOL;
	bool sized = memchr("$!=*~>%|", line[0], 8) != NULL;
	/* What there is not, RESP2 calls a string or array of -1. */
	bool null = length == 3 && memcmp(line + 1, "-1", 2) == 0 && memchr("$*", line[0], 2);
	if (sized && !null && number(line + 1, length - 1, &n) != 0)
		return ERR_PROTOCOL;
	switch (line[0]) {
	case '$':
	case '!':
	case '=':
		return null ? 0 : read_bytes(r, n, &text);
	case '*':
	case '~':
	case '>':
		*more += n;
		return 0;
	case '%':
		*more += 2 * n;
		return 0;
	case '|': /* attributes, which stand before what they are of */
		*more += 2 * n + 1;
		return 0;
	case '+':
	case '-':
	case ':':
	case '_':
	case '#':
	case ',':
	case '(':
		return 0;
	}
	return ERR_PROTOCOL;
}

/* Pass over a value and all that belongs to it. A value has three bytes or more, so what claims to have
 * more of them than fit is not waited for. */
static int skip_all(struct reader *r)
{
	size_t left = 1;

	while (left > 0) {
		size_t more = 0;
		int e = skip_value(r, &more);
		if (e != 0)
			return e;
		left += more - 1;
		if (r->at + 3 * left > PROTOCOL_THING_MOST)
			return ERR_PROTOCOL;
	}
	return 0;
}

static int take_message(struct reader *r, struct event *event)
{
	const char *text;
	size_t length;

	r->at = sizeof(message) - 1;
	int e = read_string(r, &text, &length);
	if (e == 0)
		e = read_string(r, &text, &length);
	if (e != 0)
		return e;
	*event = (struct event){.kind = EVENT_MESSAGE, .text = text, .length = length};
	return 0;
}

/* The answer to a PUBLISH. */
static int take_number(struct protocol_peer *p, struct event *event)
{
	if (p->expects == 0)
		return ERR_PROTOCOL;
	p->expects--;
	event->kind = EVENT_ACK;
	event->number = p->said - p->expects;
	return 0;
}

/* `bytes` are a whole value. */
static int take(struct protocol_peer *p, const char *bytes, size_t length, struct event *event)
{
	size_t known = sizeof(subscribed) - 1;

	switch (bytes[0]) {
	case ':':
		return take_number(p, event);
	case '-':
	case '!': /* the same, with its length before it */
		event->kind = EVENT_REFUSED;
		event->text = bytes + 1;
		event->length = length - 3;
		return 0;
	case '>':
		if (p->step == JOINING && length > known && memcmp(bytes, subscribed, known) == 0) {
			p->step = JOINED;
			event->kind = EVENT_READY;
		}
		return 0;
	default:
		return 0;
	}
}

static int next(struct protocol_peer *p, const uint8_t *bytes, size_t length, size_t *used,
	struct event *event, struct outgoing *out)
{
	size_t known = sizeof(message) - 1;
	struct reader r = {
		.bytes = (const char *)bytes,
		.length = length < PROTOCOL_THING_MOST ? length : PROTOCOL_THING_MOST,
	};
	struct event found = {.kind = EVENT_NONE};
	int e;

	(void)out; /* nothing that Redis says wants an answer */
	if (length == 0)
		return ERR_AGAIN;
	if (!memchr("$!=*~>%|+-:_#,(", bytes[0], 15))
		return ERR_PROTOCOL;
	if (length > known && memcmp(bytes, message, known) == 0) {
		e = take_message(&r, &found);
	} else {
		e = skip_all(&r);
		if (e == 0)
			e = take(p, r.bytes, r.at, &found);
	}
	if (e == ERR_AGAIN && length >= PROTOCOL_THING_MOST)
		return ERR_PROTOCOL;
	if (e != 0)
		return e;
	*used = r.at;
	*event = found;
	return 0;
}

const struct protocol protocol_redis = {
	.name = "redis",
	.about = "Redis (6 or newer), Valkey, KeyDB: publish and subscribe",
	.port = 6379,
	.echoes = true,
	.acknowledges = true,
	.text_most = TEXT_MOST,
	.greet = greet,
	.say = say,
	.leave = leave,
	.next = next,
};
