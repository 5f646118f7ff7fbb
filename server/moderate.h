/*
 * Moderating: acts on their way into the log, and what follows from them at once.
 *
 * An act is appended like a message, and the engine's answer, which is the rules' (rules.h),
 * decides. Then it is told to the room, and whoever was sent out is taken out. Called by
 * session threads; blocks as an append does.
 */
#ifndef LANCHAT_SERVER_MODERATE_H
#define LANCHAT_SERVER_MODERATE_H

#include "server/act.h"
#include "server/chat.h"
#include "server/room.h"

/* Who does it: a person who has proven their key. Borrowed. */
struct doer {
	const uint8_t *person;
	const char *nick;
};

/* Do something about a room (NULL: about the server). CODE_NONE: it is done. */
enum code moderate(struct chat *c, const struct doer *who, struct room *room, const struct act *a);

/* The first who comes to a room takes it; nobody is told. */
enum code moderate_take(struct chat *c, const struct doer *who, struct room *room);

/* Add " for 2 h", until a time (microseconds since 1970), to a text of `size` bytes; nothing for 0. */
void moderate_put_time(char *out, size_t size, uint64_t until);

/* Take a nick, or release one. CODE_NONE, CODE_NICK_TAKEN, CODE_NICKS_FULL, CODE_NO_SUCH_NICK,
 * CODE_NO_RIGHT; CODE_RETRY, CODE_DISK_FULL...: it cannot be kept now. */
enum code moderate_nick(
	struct chat *c, const struct doer *who, enum act_verb verb, const char *nick);

#endif
