/*
 * IRC: RFC 1459 and 2812, and from IRCv3 that a line may begin with tags.
 *
 * Rooms are channels, made by whoever joins first. A client is in its room when it has got the list of
 * its people (366). A nick has nine characters, which is all that RFC 1459 allows and what ngIRCd takes:
 * run and number of the client in base 36, and when somebody has that (a connection of ours that the
 * server has not missed yet), another three that nobody else would have.
 */
#include "common/err.h"
#include "tools/stress/mark.h"
#include "tools/stress/protocol.h"

#include <stdio.h>
#include <string.h>

#define NICK_LENGTH 9
#define NICKS       4 /* of one client */
#define LINE_MOST   (8191 + 512)

/* A line goes on to others with nick, user (ten characters at most) and host (63) before it, and has then
 * 512 bytes at most; who made it longer would see it cut. */
#define PREFIX_MOST (1 + NICK_LENGTH + 1 + 10 + 1 + 63 + 1)
#define ROOM_MOST   24
#define TEXT_MOST   (512 - PREFIX_MOST - (8 + ROOM_MOST + 2) - 2)
_Static_assert(TEXT_MOST >= MARK_LENGTH, "a mark fits");

enum step {
	LOGGING_IN,
	JOINING,
	JOINED,
};

/* A line, taken apart as far as all of them are alike. All borrowed. */
struct line {
	const char *command; /* to the end of the line: its parameters are behind it */
	size_t command_length;
	const char *rest; /* the parameters, without the blanks before them */
	size_t rest_length;
};

/* The first is a letter, and all differ without regard to case. Runs and senders leave two bits for
 * which of the client's it is: 26 * 36^8 is more than 2^46. */
static void name_nick(const struct protocol_peer *p, char nick[NICK_LENGTH + 1])
{
	uint64_t rest = (uint64_t)(p->run % MARK_RUNS) * MARK_SENDERS + p->number % MARK_SENDERS;

	rest = rest * NICKS + p->expects;
	for (int i = NICK_LENGTH - 1; i > 0; i--, rest /= 36)
		nick[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
	nick[0] = (char)('a' + (int)rest);
	nick[NICK_LENGTH] = '\0';
}

static void name_room(const struct protocol_peer *p, char room[ROOM_MOST])
{
	(void)snprintf(room, ROOM_MOST, "#s%06x-%x", p->run, p->room);
}

static void greet(struct protocol_peer *p, struct outgoing *out)
{
	char nick[NICK_LENGTH + 1];

	name_nick(p, nick);
	outgoing_print(out, "NICK %s\r\nUSER stress 0 * :stress\r\n", nick);
}

static void say(struct protocol_peer *p, uint64_t counter, const char *text, size_t length,
	struct outgoing *out)
{
	char room[ROOM_MOST];

	(void)counter;
	name_room(p, room);
	outgoing_put(out, "PRIVMSG ", 8);
	outgoing_put(out, room, strlen(room));
	outgoing_put(out, " :", 2);
	outgoing_put(out, text, length);
	outgoing_put(out, "\r\n", 2);
}

static void leave(struct protocol_peer *p, struct outgoing *out)
{
	(void)p;
	outgoing_print(out, "QUIT :done\r\n");
}

/* ---- what comes ---- */

/* Take a word and the blanks behind it off the front. */
static size_t skip_word(const char *at, size_t length, size_t *word)
{
	const char *blank = memchr(at, ' ', length);
	size_t next = blank ? (size_t)(blank - at) : length;

	*word = next;
	while (next < length && at[next] == ' ')
		next++;
	return next;
}

/* Letters, or three digits: whatever else answers at that port hardly begins so. */
static bool is_command(const char *word, size_t length)
{
	size_t letters = 0, digits = 0;

	for (size_t i = 0; i < length; i++) {
		letters += (word[i] >= 'A' && word[i] <= 'Z') || (word[i] >= 'a' && word[i] <= 'z');
		digits += word[i] >= '0' && word[i] <= '9';
	}
	return length > 0 && (letters == length || (digits == 3 && length == 3));
}

static int split(const char *at, size_t length, struct line *line)
{
	size_t word;

	for (int i = 0; i < 2; i++) {
		if (length > 0 && *at == (i == 0 ? '@' : ':')) {
			size_t next = skip_word(at, length, &word);
			at += next;
			length -= next;
		}
	}
	line->command = at;
	line->rest = at + skip_word(at, length, &line->command_length);
	line->rest_length = length - (size_t)(line->rest - at);
	return is_command(at, line->command_length) ? 0 : ERR_PROTOCOL;
}

static bool says(const struct line *line, const char *command)
{
	return line->command_length == strlen(command) &&
	       memcmp(line->command, command, line->command_length) == 0;
}

/* The `n`th parameter, from 0 on; "" where there are not so many. The last may have blanks. */
static const char *parameter(const struct line *line, int n, size_t *length)
{
	const char *at = line->rest;
	size_t left = line->rest_length;

	for (; left > 0 && *at != ':'; n--) {
		size_t word;
		size_t next = skip_word(at, left, &word);
		if (n == 0) {
			*length = word;
			return at;
		}
		at += next;
		left -= next;
	}
	bool here = left > 0 && n == 0;
	*length = here ? left - 1 : 0;
	return here ? at + 1 : at;
}

static void refuse(const struct line *line, struct event *event)
{
	event->kind = EVENT_REFUSED;
	event->text = line->command;
	event->length = line->rest_length + (size_t)(line->rest - line->command);
}

/* What goes to a nick is from a service or an operator, and none of the load. */
static void take_message(const struct line *line, struct event *event)
{
	size_t target;
	const char *to = parameter(line, 0, &target);

	if (target == 0 || (*to != '#' && *to != '&'))
		return;
	event->kind = EVENT_MESSAGE;
	event->text = parameter(line, 1, &event->length);
}

static void take_kick(const struct protocol_peer *p, const struct line *line, struct event *event)
{
	char nick[NICK_LENGTH + 1];
	size_t length;
	const char *who = parameter(line, 1, &length);

	name_nick(p, nick);
	if (length == NICK_LENGTH && memcmp(who, nick, length) == 0)
		refuse(line, event);
}

static void take_taken_nick(
	struct protocol_peer *p, const struct line *line, struct event *event, struct outgoing *out)
{
	char nick[NICK_LENGTH + 1];

	if (p->step != LOGGING_IN || p->expects + 1 >= NICKS) {
		refuse(line, event);
		return;
	}
	p->expects++;
	name_nick(p, nick);
	outgoing_print(out, "NICK %s\r\n", nick);
}

/* From 400 to 599 are refusals. Two are not: that there is no message of the day (422), and that a client
 * is to wait (439), as some networks greet. */
static void take_number(
	struct protocol_peer *p, const struct line *line, struct event *event, struct outgoing *out)
{
	const char *c = line->command;
	int number = (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');

	if (number == 433) {
		take_taken_nick(p, line, event, out);
	} else if (number >= 400 && number <= 599 && number != 422 && number != 439) {
		refuse(line, event);
	} else if (number == 1 && p->step == LOGGING_IN) {
		char room[ROOM_MOST];
		name_room(p, room);
		outgoing_print(out, "JOIN %s\r\n", room);
		p->step = JOINING;
	} else if (number == 4) { /* who it is to, the server's name, its version */
		event->text = parameter(line, 2, &event->length);
		event->kind = event->length ? EVENT_AGENT : EVENT_NONE;
	} else if (number == 366 && p->step == JOINING) {
		p->step = JOINED;
		event->kind = EVENT_READY;
	}
}

static void take(
	struct protocol_peer *p, const struct line *line, struct event *event, struct outgoing *out)
{
	if (says(line, "PRIVMSG")) {
		take_message(line, event);
	} else if (line->command[0] >= '0' && line->command[0] <= '9') {
		take_number(p, line, event, out);
	} else if (says(line, "PING")) {
		outgoing_put(out, "PONG ", 5);
		outgoing_put(out, line->rest, line->rest_length);
		outgoing_put(out, "\r\n", 2);
	} else if (says(line, "ERROR")) {
		refuse(line, event);
	} else if (says(line, "KICK")) {
		take_kick(p, line, event);
	}
}

static int next(struct protocol_peer *p, const uint8_t *bytes, size_t length, size_t *used,
	struct event *event, struct outgoing *out)
{
	const char *text = (const char *)bytes;
	size_t most = length < LINE_MOST ? length : LINE_MOST;

	if (length == 0)
		return ERR_AGAIN;
	/* TLS and the like, which may never have a line that ends. */
	if ((text[0] < ' ' && text[0] != '\r' && text[0] != '\n') || text[0] > '~')
		return ERR_PROTOCOL;
	const char *end = memchr(text, '\n', most);
	if (!end)
		return length < LINE_MOST ? ERR_AGAIN : ERR_PROTOCOL;
	size_t size = (size_t)(end - text);
	struct line line;

	if (size > 0 && text[size - 1] == '\r')
		size--;
	/* A line with nothing in it is one that may be passed over (RFC 2812, 2.3.1). */
	if (size > 0 && split(text, size, &line) != 0)
		return ERR_PROTOCOL;
	*used = (size_t)(end - text) + 1;
	*event = (struct event){.kind = EVENT_NONE};
	if (size > 0)
		take(p, &line, event, out);
	return 0;
}

const struct protocol protocol_irc = {
	.name = "irc",
	.about = "IRC servers: ngIRCd, InspIRCd, ircd-hybrid ...",
	.port = 6667,
	.text_most = TEXT_MOST,
	.greet = greet,
	.say = say,
	.leave = leave,
	.next = next,
};
