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

struct occupant {
	char folded[NAME_FOLDED_MAX];
	char nick[NICK_MAX + 1];
	uint8_t person[PERSON_ID];
	unsigned sessions;
	unsigned away_sessions;
	char *away; /* owned; NULL when there is no message */
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

void occupants_fini(struct occupants *o);

#endif
