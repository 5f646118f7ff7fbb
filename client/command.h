/*
 * Slash commands: a table that parses a typed line and prints its own help.
 *
 * "/join dev" becomes a plain value that the chat screen acts on; a line that
 * does not begin with a slash is a text to send, and "//" sends a text that begins
 * with one. What is wrong with a line is told in one sentence, and nothing is
 * done. Pure; any thread.
 */
#ifndef LANCHAT_COMMAND_H
#define LANCHAT_COMMAND_H

#include "common/message.h"

#include <stddef.h>

enum command_id {
	COMMAND_SAY, /* not a command: rest */
	COMMAND_AWAY,
	COMMAND_BACK,
	COMMAND_CLEAR,
	COMMAND_CONNECT,
	COMMAND_DISCOVER,
	COMMAND_HELP,
	COMMAND_HISTORY,
	COMMAND_IGNORE,
	COMMAND_JOIN,
	COMMAND_LAST,
	COMMAND_ME,
	COMMAND_MSG,
	COMMAND_NAMES,
	COMMAND_NICK,
	COMMAND_NOTICE,
	COMMAND_PART,
	COMMAND_QUERY,
	COMMAND_QUIT,
	COMMAND_RACE,
	COMMAND_ROOMS,
	COMMAND_SEARCH,
	COMMAND_TOPIC,
	COMMAND_UDP,
	COMMAND_UNIGNORE,
	COMMAND_ACT, /* verb: about somebody */
	COMMAND_OP,
	COMMAND_MODE,
	COMMAND_AUDIT,
	COMMAND_WHOIS,
};
#define COMMANDS (COMMAND_WHOIS + 1)

#define COMMAND_WORD_MAX 320 /* bytes of a first argument with its terminator: a host fits */

struct command {
	enum command_id id;
	char word[COMMAND_WORD_MAX]; /* the first argument, where the command has one; else empty */
	const char *rest;            /* what follows, into the line; never NULL */
	unsigned verb;               /* of COMMAND_ACT: enum act_verb */
};

enum command_shape {
	SHAPE_NONE, /* no arguments */
	SHAPE_REST, /* a text */
	SHAPE_NICK, /* a nick */
	SHAPE_MSG,  /* a nick, and perhaps a text */
	SHAPE_ROOM, /* a room, with or without # */
	SHAPE_DOOR, /* a room, and perhaps a text */
	SHAPE_WORD, /* a word */
};

struct command_spec {
	const char *name;
	enum command_id id;
	enum command_shape shape;
	int least;             /* arguments that must be there: 0, 1 or 2 */
	const char *arguments; /* "ROOM [TEXT]" */
	const char *help;
};

/* The table, sorted by name, and how many rows it has. */
const struct command_spec *command_table(size_t *count);

/* The row of a name without the slash, in whatever case; NULL when there is none. */
const struct command_spec *command_find(const char *name, size_t length);

/* Parse a line without \n. ERR_ARGUMENT with a sentence in `error` (`size` bytes). */
int command_parse(const char *line, struct command *out, char *error, size_t size);

/* Check a text before it is sent: ERR_TOO_BIG with a sentence that tells the limit, `most` bytes. */
int command_check_text(const char *text, size_t most, char *error, size_t size);

/* One line of help: "/join ROOM           enter a room, ...", cut to `size`; the words begin at this
 * column. Returns `out`. */
#define COMMAND_HELP_COLUMN 28
char *command_print(const struct command_spec *spec, char *out, size_t size);

#endif
