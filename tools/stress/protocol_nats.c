/*
 * NATS: its client protocol (docs.nats.io, "Client Protocol").
 *
 * The server speaks first. Rooms are subjects. A client is in its room when the server has answered a
 * PING that was sent behind its SUB.
 */
#include "common/err.h"
#include "tools/stress/protocol.h"

#include <string.h>

#define TEXT_MOST 32768
#define FORMAT    "stress.%06x.%x" /* of the subject: run, room */

enum step {
	WAITING, /* for INFO */
	JOINING,
	JOINED,
};

/* All is said when INFO has come. */
static void greet(struct protocol_peer *p, struct outgoing *out)
{
	(void)p;
	(void)out;
}

static void say(struct protocol_peer *p, uint64_t counter, const char *text, size_t length,
	struct outgoing *out)
{
	(void)counter;
	outgoing_print(out, "PUB " FORMAT " %zu\r\n", p->run, p->room, length);
	outgoing_put(out, text, length);
	outgoing_put(out, "\r\n", 2);
}

static void leave(struct protocol_peer *p, struct outgoing *out)
{
	(void)p;
	outgoing_print(out, "UNSUB 1\r\n");
}

/* ---- what comes ---- */

static bool begins(const char *line, size_t length, const char *word)
{
	size_t size = strlen(word);

	return length >= size && memcmp(line, word, size) == 0;
}

static void refuse(const char *text, size_t length, struct event *event)
{
	event->kind = EVENT_REFUSED;
	event->text = text;
	event->length = length;
}

static void tell_version(const char *line, size_t length, struct event *event)
{
	static const char key[] = "\"version\":\"";
	const char *at = memmem(line, length, key, sizeof(key) - 1);

	if (!at)
		return;
	at += sizeof(key) - 1;
	const char *end = memchr(at, '"', length - (size_t)(at - line));
	if (end && end > at)
		*event = (struct event){
			.kind = EVENT_AGENT, .text = at, .length = (size_t)(end - at)};
}

static void take_info(struct protocol_peer *p, const char *line, size_t length, struct event *event,
	struct outgoing *out)
{
	static const char wants_tls[] = "\"tls_required\":true";
	static const char why[] = "the server wants TLS after its INFO, which is not spoken here";

	if (p->step != WAITING)
		return; /* the cluster has changed */
	if (memmem(line, length, wants_tls, sizeof(wants_tls) - 1)) {
		refuse(why, sizeof(why) - 1, event);
		return;
	}
	tell_version(line, length, event);
	outgoing_print(out,
		"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,\"headers\":true,"
		"\"name\":\"stress-%06x-%u\",\"lang\":\"c\",\"version\":\"1\",\"protocol\":1}\r\n"
		"SUB " FORMAT " 1\r\nPING\r\n",
		p->run, p->number, p->run, p->room);
	p->step = JOINING;
}

/* A line that is a thing by itself. */
static int take_line(struct protocol_peer *p, const char *line, size_t length, struct event *event,
	struct outgoing *out)
{
	if (begins(line, length, "PING")) {
		outgoing_put(out, "PONG\r\n", 6);
	} else if (begins(line, length, "PONG")) {
		if (p->step == JOINING) {
			p->step = JOINED;
			event->kind = EVENT_READY;
		}
	} else if (begins(line, length, "-ERR")) {
		size_t skip = length > 4 && line[4] == ' ' ? 5 : 4;
		refuse(line + skip, length - skip, event);
	} else if (begins(line, length, "INFO ")) {
		take_info(p, line, length, event, out);
	} else if (!begins(line, length, "+OK")) {
		return ERR_PROTOCOL;
	}
	return 0;
}

/* The number that `line` ends with, and where the rest ends, without the blank before it. */
static int last_number(const char *line, size_t *length, size_t *out)
{
	size_t at = *length, digits = 0, value = 0, unit = 1;

	for (; at > 0 && line[at - 1] >= '0' && line[at - 1] <= '9'; at--, digits++) {
		if (digits == 7)
			return ERR_PROTOCOL;
		value += unit * (size_t)(line[at - 1] - '0');
		unit *= 10;
	}
	if (digits == 0 || at == 0 || line[at - 1] != ' ' || value > PROTOCOL_THING_MOST)
		return ERR_PROTOCOL;
	*length = at - 1;
	*out = value;
	return 0;
}

/* "MSG subject sid [reply] size", or HMSG with the size of the headers before the whole. `after` is where
 * the payload begins. */
static int take_message(const char *text, size_t line, size_t after, size_t length, size_t *used,
	struct event *event)
{
	bool headers = text[0] == 'H';
	size_t size, skip = 0;

	if (last_number(text, &line, &size) != 0)
		return ERR_PROTOCOL;
	if (headers && (last_number(text, &line, &skip) != 0 || skip > size))
		return ERR_PROTOCOL;
	/* The subject and the sid; who would look at them closer would do it for each delivery. */
	size_t name = headers ? 5 : 4;
	if (line <= name || !memchr(text + name, ' ', line - name))
		return ERR_PROTOCOL;
	if (after + size + 2 > PROTOCOL_THING_MOST)
		return ERR_PROTOCOL;
	if (length - after < size + 2)
		return ERR_AGAIN;
	if (memcmp(text + after + size, "\r\n", 2) != 0)
		return ERR_PROTOCOL;
	*used = after + size + 2;
	*event = (struct event){
		.kind = EVENT_MESSAGE,
		.text = text + after + skip,
		.length = size - skip,
	};
	return 0;
}

static int next(struct protocol_peer *p, const uint8_t *bytes, size_t length, size_t *used,
	struct event *event, struct outgoing *out)
{
	const char *text = (const char *)bytes;
	size_t most = length < PROTOCOL_THING_MOST ? length : PROTOCOL_THING_MOST;

	/* What is something else is known by its first byte, and mostly has no line that ends. */
	if (length == 0)
		return ERR_AGAIN;
	if (!memchr("MHPI+-", text[0], 6))
		return ERR_PROTOCOL;
	const char *end = memchr(text, '\n', most);
	if (!end)
		return length < PROTOCOL_THING_MOST ? ERR_AGAIN : ERR_PROTOCOL;
	size_t after = (size_t)(end - text) + 1;
	size_t line = after - 1;

	if (line == 0 || text[line - 1] != '\r')
		return ERR_PROTOCOL;
	line--;
	if (begins(text, line, "MSG ") || begins(text, line, "HMSG "))
		return take_message(text, line, after, length, used, event);

	struct event found = {.kind = EVENT_NONE};
	int r = take_line(p, text, line, &found, out);
	if (r == 0) {
		*used = after;
		*event = found;
	}
	return r;
}

const struct protocol protocol_nats = {
	.name = "nats",
	.about = "NATS: nats-server",
	.port = 4222,
	.echoes = true,
	.text_most = TEXT_MOST,
	.greet = greet,
	.say = say,
	.leave = leave,
	.next = next,
};
