#include "client/command.h"

#include "common/err.h"
#include "common/name.h"
#include "common/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MOST 64 /* bytes of what was typed that a complaint repeats */

/* clang-format off */
static const struct command_spec table[] = {
	{"audit", COMMAND_AUDIT, SHAPE_REST, 0, "[-s] [more]",
		"what was done about this room; -s: the server; more: before that"},
	{"away", COMMAND_AWAY, SHAPE_REST, 0, "[TEXT]", "say that you are away, and why"},
	{"back", COMMAND_BACK, SHAPE_NONE, 0, "", "you are here again"},
	{"ban", COMMAND_ACT, SHAPE_REST, 1, "[-s] WHOM [TIME] [WHY]",
		"keep a nick or addresses (10.0.0.0/8) out of this room; -s: the server"},
	{"clear", COMMAND_CLEAR, SHAPE_NONE, 0, "", "empty this pane; the server keeps what was said"},
	{"connect", COMMAND_CONNECT, SHAPE_WORD, 0, "[HOST[:PORT]]",
		"go to another server; alone: try this one again now"},
	{"deop", COMMAND_ACT, SHAPE_REST, 1, "NICK", "somebody is an operator no longer"},
	{"discover", COMMAND_DISCOVER, SHAPE_NONE, 0, "", "leave, and list the servers on the network"},
	{"help", COMMAND_HELP, SHAPE_WORD, 0, "[COMMAND]", "list the commands; F1 lists the keys"},
	{"history", COMMAND_HISTORY, SHAPE_WORD, 0, "[NUMBER]",
		"show so many more earlier messages; alone: 50"},
	{"ignore", COMMAND_IGNORE, SHAPE_NICK, 0, "[NICK]", "hide what somebody says; alone: list them"},
	{"invite", COMMAND_ACT, SHAPE_REST, 1, "NICK", "let somebody into this room, and tell them"},
	{"join", COMMAND_JOIN, SHAPE_DOOR, 1, "ROOM [KEY]", "enter a room, or go to it; it need not exist yet"},
	{"kick", COMMAND_ACT, SHAPE_REST, 1, "[-s] NICK [WHY]",
		"send somebody out of this room; -s: off the server"},
	{"last", COMMAND_LAST, SHAPE_REST, 1, "TIME",
		"what was said from then on: 2h, 3d, 14:30, 2026-11-20"},
	{"list", COMMAND_ROOMS, SHAPE_NONE, 0, "", "the same as /rooms"},
	{"me", COMMAND_ME, SHAPE_REST, 1, "TEXT", "say what you do: /me waves"},
	{"mod", COMMAND_ACT, SHAPE_REST, 1, "NICK", "make somebody a moderator of this room"},
	{"mode", COMMAND_MODE, SHAPE_REST, 0, "[-s] [MODE]",
		"open, key KEY, invited, moderated, free, slow TIME; alone: show it"},
	{"msg", COMMAND_MSG, SHAPE_MSG, 2, "NICK TEXT", "say something to one person"},
	{"mute", COMMAND_ACT, SHAPE_REST, 1, "NICK [TIME] [WHY]",
		"somebody may not speak here, for 10m, 1h30m, 2d; no TIME: for good"},
	{"names", COMMAND_NAMES, SHAPE_NONE, 0, "", "list who is in this room"},
	{"nick", COMMAND_NICK, SHAPE_NICK, 1, "NICK", "be called something else"},
	{"notice", COMMAND_NOTICE, SHAPE_MSG, 2, "NICK|#ROOM TEXT",
		"say something that no program will answer"},
	{"op", COMMAND_OP, SHAPE_REST, 1, "CODE|NICK",
		"become an operator by the server's code, or make somebody one"},
	{"own", COMMAND_ACT, SHAPE_REST, 1, "NICK", "give this room to somebody"},
	{"part", COMMAND_PART, SHAPE_ROOM, 0, "[ROOM]", "leave this room, or another one; closes a conversation"},
	{"query", COMMAND_QUERY, SHAPE_MSG, 1, "NICK [TEXT]", "open a conversation with one person"},
	{"quit", COMMAND_QUIT, SHAPE_NONE, 0, "", "leave lanchat"},
	{"race", COMMAND_RACE, SHAPE_REST, 0, "[NICK] [N] [SIZE]",
		"TCP against UDP: N messages of SIZE bytes, to somebody or the server"},
	{"release", COMMAND_ACT, SHAPE_REST, 1, "NICK", "a nick of yours is nobody's again; an operator: any"},
	{"rooms", COMMAND_ROOMS, SHAPE_NONE, 0, "", "list the server's rooms"},
	{"search", COMMAND_SEARCH, SHAPE_REST, 0, "[-a] WORDS",
		"find what was said here; -a: everywhere; alone: the list again"},
	{"server", COMMAND_CONNECT, SHAPE_WORD, 0, "[HOST[:PORT]]", "the same as /connect"},
	{"topic", COMMAND_TOPIC, SHAPE_REST, 0, "[TEXT]", "show this room's topic, or set it"},
	{"udp", COMMAND_UDP, SHAPE_REST, 1, "TEXT",
		"say something as a datagram: it may be lost, and nobody keeps it"},
	{"unban", COMMAND_ACT, SHAPE_REST, 1, "[-s] WHOM",
		"take back the ban of a nick or of addresses; -s: the server's"},
	{"unignore", COMMAND_UNIGNORE, SHAPE_NICK, 1, "NICK", "show again what somebody says"},
	{"uninvite", COMMAND_ACT, SHAPE_REST, 1, "NICK", "take an invitation back"},
	{"unmod", COMMAND_ACT, SHAPE_REST, 1, "NICK", "somebody is a moderator no longer"},
	{"unmute", COMMAND_ACT, SHAPE_REST, 1, "NICK", "somebody may speak again"},
	{"unvoice", COMMAND_ACT, SHAPE_REST, 1, "NICK", "take a voice back"},
	{"voice", COMMAND_ACT, SHAPE_REST, 1, "NICK", "somebody may speak while this room is moderated"},
	{"whois", COMMAND_WHOIS, SHAPE_WORD, 1, "NICK", "whose nick it is, by the key"},
};
/* clang-format on */
#define ROWS (sizeof table / sizeof table[0])

const struct command_spec *command_table(size_t *count)
{
	*count = ROWS;
	return table;
}

const struct command_spec *command_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strlen(table[i].name) == length &&
			strncasecmp(table[i].name, name, length) == 0)
			return &table[i];
	}
	return NULL;
}

/* How many of the `length` bytes to show where there is place for `most`: no half of a character. */
static int shown_of(const char *text, size_t length, size_t most)
{
	if (length <= most)
		return (int)length;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return (int)most;
}

static int unknown(const char *name, size_t length, char *error, size_t size)
{
	struct suggestion s;
	int shown = shown_of(name, length, SHOWN_MOST);

	suggest_begin(&s, name, length);
	for (size_t i = 0; i < ROWS; i++)
		suggest_offer(&s, table[i].name);
	if (s.nearest)
		(void)snprintf(error, size,
			"There is no command /%.*s. Did you mean /%s? (To send it as text: //%.*s)",
			shown, name, s.nearest, shown, name);
	else
		(void)snprintf(error, size,
			"There is no command /%.*s; /help lists them. (To send it as text: //%.*s)",
			shown, name, shown, name);
	return ERR_ARGUMENT;
}

static int usage(const struct command_spec *spec, char *error, size_t size)
{
	(void)snprintf(error, size, "Use it so: /%s%s%s", spec->name, spec->arguments[0] ? " " : "",
		spec->arguments);
	return ERR_ARGUMENT;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

static int check_name(const char *word, size_t most, const char *what, char *error, size_t size)
{
	switch (name_check(word, strlen(word), most)) {
	case 0:
		return 0;
	case ERR_TOO_BIG:
		(void)snprintf(error, size, "That %s is too long: at most %zu bytes.", what, most);
		break;
	default:
		(void)snprintf(error, size, "\"%.*s\" cannot be a %s: %s.",
			shown_of(word, strlen(word), SHOWN_MOST), word, what,
			name_fault(word, strlen(word)));
		break;
	}
	return ERR_ARGUMENT;
}

/* Is the first argument what the command wants? A leading # of a room, or a @ of a nick, goes. */
static int check_word(const struct command_spec *spec, struct command *c, char *error, size_t size)
{
	bool room = spec->shape == SHAPE_ROOM || spec->shape == SHAPE_DOOR ||
		    (spec->id == COMMAND_NOTICE && c->word[0] == '#');
	bool marked = c->word[0] == (room ? '#' : '@');
	/* /notice keeps the #, which tells a room from a person. */
	size_t first = marked && spec->id == COMMAND_NOTICE && room ? 1 : 0;

	if (spec->shape == SHAPE_WORD || c->word[0] == '\0')
		return 0;
	if (marked && !first)
		memmove(c->word, c->word + 1, strlen(c->word));
	return check_name(c->word + first, room ? ROOM_NAME_MAX : NICK_MAX, room ? "room" : "nick",
		error, size);
}

/* May something follow the first argument? */
static bool takes_text(enum command_shape shape)
{
	return shape == SHAPE_REST || shape == SHAPE_MSG || shape == SHAPE_DOOR;
}

static int parse_arguments(const struct command_spec *spec, const char *arguments,
	struct command *c, char *error, size_t size)
{
	int count = 0;

	arguments = skip_blanks(arguments);
	if (spec->shape != SHAPE_REST && spec->shape != SHAPE_NONE && *arguments) {
		size_t length = strcspn(arguments, " ");
		if (length >= sizeof c->word) {
			(void)snprintf(error, size, "\"%.*s...\" is too long for a name.",
				shown_of(arguments, length, SHOWN_MOST), arguments);
			return ERR_ARGUMENT;
		}
		memcpy(c->word, arguments, length);
		c->word[length] = '\0';
		arguments = skip_blanks(arguments + length);
		count++;
	}
	c->rest = arguments;
	count += *arguments ? 1 : 0;
	if (count < spec->least || (*arguments && !takes_text(spec->shape)))
		return usage(spec, error, size);
	return check_word(spec, c, error, size);
}

int command_parse(const char *line, struct command *out, char *error, size_t size)
{
	struct command c = {.id = COMMAND_SAY, .rest = line};

	if (line[0] == '/' && line[1] == '/')
		c.rest = line + 1;
	if (line[0] != '/' || line[1] == '/') {
		*out = c;
		return 0;
	}
	size_t length = strcspn(line + 1, " ");
	const struct command_spec *spec = command_find(line + 1, length);
	if (!spec)
		return unknown(line + 1, length, error, size);
	c.id = spec->id;
	/* Such a command is called as the log calls what it does. */
	if (c.id == COMMAND_ACT)
		c.verb = act_verb(spec->name);
	int err = parse_arguments(spec, line + 1 + length, &c, error, size);
	if (err < 0)
		return err;
	*out = c;
	return 0;
}

int command_check_text(const char *text, size_t most, char *error, size_t size)
{
	size_t length = strlen(text);

	if (length <= most)
		return 0;
	(void)snprintf(error, size,
		"Too long to send: %zu bytes, and at most %zu are allowed. Nothing was sent; the "
		"text "
		"is still in the line below.",
		length, most);
	return ERR_TOO_BIG;
}

char *command_print(const struct command_spec *spec, char *out, size_t size)
{
	char head[64];

	(void)snprintf(head, sizeof head, "/%s %s", spec->name, spec->arguments);
	(void)snprintf(out, size, "%-*s%s", COMMAND_HELP_COLUMN, head, spec->help);
	return out;
}
