/*
 * Occupants: the rows of a room's list of people, sorted by folded nick.
 *
 * Not locked: a part of a room, guarded by the room's lock.
 */
#ifndef LANCHAT_SERVER_OCCUPANT_H
#define LANCHAT_SERVER_OCCUPANT_H

#include "common/message.h"
#include "common/name.h"
#include "server/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a list of members asks for comes first: a room of thousands is read from end to end for each who
 * comes, and little of it is in the processor's cache. */
struct occupant {
	unsigned sessions;
	unsigned away_sessions;
	char *away; /* owned; NULL when there is no message */
	uint8_t person[PERSON_ID];
	char nick[NICK_MAX + 1];
	char folded[]; /* terminated; most are shorter than NAME_FOLDED_MAX by far */
};

struct occupants {
	struct occupant **rows; /* sorted by folded nick, then by person */
	size_t count, size;
	struct tree persons; /* those who have rows; owned */
	size_t person_count;
};

/* Away only when every session is. */
enum person_state occupant_state(const struct occupant *o);

/* The row of a person's nick; NULL when there is none. */
struct occupant *occupants_find(const struct occupants *o, const uint8_t *person, const char *nick);

/* Has a person any row? */
bool occupants_has(const struct occupants *o, const uint8_t *person);

/* As occupants_find, made where there is none; `*made` tells. NULL when memory is out. */
struct occupant *occupants_add(
	struct occupants *o, const uint8_t *person, const char *nick, bool *made);
void occupants_remove(struct occupants *o, struct occupant *row);

/* The index of the first row whose folded nick comes after `nick`'s. */
size_t occupants_after(const struct occupants *o, struct span nick);

/* Row `i`, if there is one, will be read soon: it is fetched into the cache meanwhile. */
void occupants_foresee(const struct occupants *o, size_t i);

void occupants_fini(struct occupants *o);

#endif
