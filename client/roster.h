/*
 * The roster: who is in a room, sorted by nick.
 *
 * A nick belongs to one person at a time, and nicks that fold to the same are the
 * same, so the folded nick is the key. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_ROSTER_H
#define LANCHAT_ROSTER_H

#include "client/ranks.h"
#include "common/message.h"

#include <stddef.h>
#include <stdint.h>

struct roster_person {
	uint8_t person[PERSON_ID];
	enum person_state state;
	enum mark mark; /* set by the model */
	uint64_t spoke; /* a rising number: who spoke last has the highest; 0: never */
	char *key;      /* the folded nick; owned */
	char *nick;     /* clean; owned */
	char *away;     /* clean, maybe empty; owned */
};

struct roster {
	struct roster_person *people; /* owned */
	size_t count, room;
};

/* A zeroed roster is empty. */
void roster_fini(struct roster *r);
void roster_clear(struct roster *r);

/* Add somebody, or bring up to date who is there already; beyond 50000 nobody is added. ERR_MEMORY; ERR_TEXT and ERR_TOO_BIG for
 * a nick that cannot be one. */
int roster_put(struct roster *r, const uint8_t person[PERSON_ID], const char *nick,
	enum person_state state, const char *away);

/* Somebody left; nothing happens when they were not there. */
void roster_remove(struct roster *r, const char *nick);

/* Give `from` the nick `to`. Nothing happens when nobody has the first. ERR_MEMORY, ERR_TEXT,
 * ERR_TOO_BIG. */
int roster_rename(struct roster *r, const char *from, const char *to);

/* Who has that nick, in whatever case; NULL when nobody does. Valid until the next change. */
struct roster_person *roster_find(const struct roster *r, const char *nick);

/* The first one, by nick, who is that person; NULL when nobody is. In time with the roster's length. */
const struct roster_person *roster_find_person(
	const struct roster *r, const uint8_t person[PERSON_ID]);

#endif
