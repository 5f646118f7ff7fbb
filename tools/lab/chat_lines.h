/*
 * What two people say to each other, and whether each of them reads it: every line once, each one's
 * lines in their order, and both the same order of all.
 *
 * Pure; one thread.
 */
#ifndef LANCHAT_LAB_CHAT_LINES_H
#define LANCHAT_LAB_CHAT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAT_PEOPLE 2
#define CHAT_ROOM   "lobby"

/* "a" and "b": their nicks, and how a script calls them; of static duration. */
const char *chat_name(int who);

/* "a: hello": who says what; `*text` points into the line. ERR_ARGUMENT: it is not like that, or not a
 * message that lanchat would take. */
int chat_lines_read(const char *line, int *who, const char **text);

/* Is it a line of a script that nobody says: blank, or a comment, which begins with #? */
bool chat_lines_is_nothing(const char *line);

/* What one of them has read. */
struct chat_seen {
	size_t *order; /* owned: the numbers of lines, as they came first */
	size_t count, room;
	size_t next[CHAT_PEOPLE]; /* of each one's lines those before this number have come */
	size_t twice, late, strange;
};

/* Zeroed storage is an empty one. */
struct chat_lines {
	struct {
		int who;
		char *text; /* owned */
	} * said;           /* owned */
	size_t count, room;
	struct chat_seen seen[CHAT_PEOPLE];
};

void chat_lines_fini(struct chat_lines *l);

/* Somebody says that. Its number, from 0, or ERR_MEMORY. */
int64_t chat_lines_say(struct chat_lines *l, int who, const char *text);

/* `by` reads a line as `lanchat --pipe` prints it: "[lobby] a: hello". The number of what was said where
 * it came for the first time; else -1. */
int64_t chat_lines_print(struct chat_lines *l, int by, const char *line);

int chat_lines_who(const struct chat_lines *l, size_t number);

/* Has `by` read everything, once and in order? */
bool chat_lines_good(const struct chat_lines *l, int by);

/* Has each read as many lines as were said? */
bool chat_lines_all(const struct chat_lines *l);

/* Did both read in the same order, as far as both have? */
bool chat_lines_same_order(const struct chat_lines *l);

#endif
