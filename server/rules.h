/*
 * Rules: what may be done, by whom.
 *
 * Every decision about rights is made here. The engine asks when an entry is about to become
 * part of the log, and its answer is the one that counts; sessions ask before, so that what
 * would be refused is refused at once. A decision looks at what the log has added up to
 * (charters, the owners of nicks and of rooms) and at the entry with its time and the limit that it
 * was given, and at nothing else, so it comes out the same wherever the log is.
 *
 * Pure functions; any thread. Times are microseconds since 1970.
 */
#ifndef LANCHAT_SERVER_RULES_H
#define LANCHAT_SERVER_RULES_H

#include "common/lookalike.h"
#include "common/message.h"
#include "server/charter.h"

#include <stdbool.h>
#include <stdint.h>

#define NICKS_EACH 100 /* that one person may own */
#define NICK_LOOKS 8   /* of the spellings of one nick, that are kept */

/* What holds in a place. NULL: nothing was ever decided there. */
struct rules {
	const struct charter *server;
	const struct charter *room; /* NULL as well where the place is the server */
	bool common;                /* the room is everybody's: nobody can own it */
	bool said;                  /* something was said in the room */
	bool known;                 /* there is such a room: something was said or decided there */
	/* Of an act that makes an owner (rules_new_owner): how many rooms they own, counted at least
	 * up to the limit, and the limit; 0: without one. */
	uint32_t owned, owned_most;
};

/* What somebody is there. Nobody who has not proven their key (NULL) is anything. */
enum rank rules_rank(const struct rules *r, const uint8_t *person);

/* May they come in? `member`: they were in the room and have not left it. `key`: they have shown the
 * room's. CODE_NONE, CODE_BANNED, CODE_KEY_WANTED, CODE_NOT_INVITED, CODE_ROOM_DAMAGED. `person` NULL: not proven. */
struct visitor {
	const uint8_t *person;
	const struct net_address *address; /* NULL: not known any more */
	bool member, key;
};
enum code rules_enter(const struct rules *r, const struct visitor *v, uint64_t time);

/* Is the room to be seen by those who are not in it? */
bool rules_is_private(const struct rules *r);

/* May they say something, or set the topic? CODE_NONE, CODE_BANNED, CODE_MUTED, CODE_MODERATED,
 * CODE_ROOM_DAMAGED. */
enum code rules_speak(const struct rules *r, const uint8_t *person, uint64_t time);

/* Whom an act makes the owner of a room; NULL: nobody. Borrowed from the act. */
const uint8_t *rules_new_owner(const struct act *a);

/* May this be done about a room, or, where `on_server`, about the server? CODE_NONE, CODE_NO_RIGHT,
 * CODE_BAD_VALUE, CODE_LIST_FULL, CODE_ROOM_DAMAGED, CODE_MUTED; CODE_NO_CHANGE, CODE_NO_SUCH_ROOM and
 * CODE_TOO_MANY_OWNED, which only those get who might do it: to others all rooms that are not for them are
 * alike. */
enum code rules_act(const struct rules *r, bool on_server, const uint8_t *actor,
	const struct act *a, uint64_t time);

/* Who owns the names that look like one, by its looks. */
struct name_owners {
	bool owned[LOOKS_MAX];
	uint8_t owner[LOOKS_MAX][PERSON_ID];
	unsigned mine; /* nicks that the actor owns */
};

/* May this person take a nick, in a spelling that has these looks, or release the nick that has the first of
 * them? CODE_NONE, CODE_NICK_TAKEN, CODE_NICKS_FULL,
 * CODE_NO_RIGHT, CODE_BAD_VALUE. */
enum code rules_name(const struct charter *server, const struct name_owners *owners,
	const uint8_t *actor, const struct act *a);

#endif
