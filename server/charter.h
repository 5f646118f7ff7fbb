/*
 * Charters: who is what in a room, and how one comes in; the same for the whole server.
 *
 * A charter is what the acts (act.h) on a room add up to: applying them in the order of the
 * log makes the same charter anywhere. The server's own has its operators and those whom it
 * lets in nowhere. What may be done is decided in rules.h.
 *
 * A charter is kept as text, the acts that would make it, one a line.
 *
 * Not locked: whoever holds a charter sees to that.
 */
#ifndef LANCHAT_SERVER_CHARTER_H
#define LANCHAT_SERVER_CHARTER_H

#include "common/message.h"
#include "common/net_range.h"
#include "common/rights.h"
#include "server/act.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHARTER_MOST 200 /* standings, so that they fit into one list of the protocol */

#define CHARTER_KEY_MAX 96 /* a room's key as it is kept, with its terminator */

/* What somebody, or a range of addresses, is. */
struct standing {
	enum standing_kind kind;
	bool is_range; /* then `label` is the range; else the nick that the person had */
	uint8_t person[PERSON_ID];
	struct net_range range;
	char label[LABEL_MAX + 1];
	uint64_t until; /* when it ends, microseconds since 1970; 0: never */
};

/* Zeroed, it is that of a room about which nothing was ever decided. */
struct charter {
	enum room_entry entry;
	bool moderated;
	bool damaged;               /* what there was of it cannot be read (charter_damage) */
	uint32_t slow;              /* seconds between two messages of one person; 0: none */
	char key[CHARTER_KEY_MAX];  /* of ENTRY_KEY: charter_lock's */
	struct standing *standings; /* owned */
	size_t count;
};

void charter_fini(struct charter *c);

/* A copy for the caller, to end with charter_fini. ERR_MEMORY: `out` is empty. */
int charter_copy(const struct charter *c, struct charter *out);

/* Apply an act of the log that was done at `time` (microseconds since 1970). What makes no difference
 * makes none. ERR_MEMORY: the charter is as before. */
int charter_apply(struct charter *c, const struct act *a, uint64_t time);

/* Is there a place for one more standing of this kind, at that time? One that replaces another needs
 * none. */
bool charter_has_room(const struct charter *c, const struct act *a, uint64_t time);

/* Would it be one more standing than before, one way or another? */
bool charter_adds(const struct charter *c, const struct act *a);

/* Would the act make a difference at that time? One that only sends somebody out (ACT_KICK) makes none to
 * a charter, and whether it makes one otherwise is not known here: true. */
bool charter_changes(const struct charter *c, const struct act *a, uint64_t time);

/* The person's standing of a kind at a time; NULL. */
const struct standing *charter_find(const struct charter *c, enum standing_kind kind,
	const uint8_t person[PERSON_ID], uint64_t time);

/* Is it an act that ends a standing? */
bool charter_ends(enum act_verb verb);

/* Where an act ends a standing that its person has not: the one of that kind whose person had the act's label
 * for a nick when it began, if there is one; else NULL. */
const struct standing *charter_holder(const struct charter *c, const struct act *a);

/* Who owns the room; NULL: nobody. Borrowed from the charter, until it changes. */
const uint8_t *charter_owner(const struct charter *c);

/* A ban of the address at a time; NULL. */
const struct standing *charter_find_address(
	const struct charter *c, const struct net_address *address, uint64_t time);

/* Was nothing ever decided there, or nothing that is left? */
bool charter_is_empty(const struct charter *c);

/* Has anybody a standing of this kind? */
bool charter_has_any(const struct charter *c, enum standing_kind kind);

/* As text, for the caller to free; NULL when memory is out. "" for a zeroed one. */
char *charter_print(const struct charter *c);

/* Is it the text of a charter with which not everybody may come in? What is none is. */
bool charter_text_is_closed(struct span text);

/* The charter of a text. ERR_TEXT: it is none; ERR_MEMORY. */
int charter_parse(const char *text, size_t length, struct charter *out);

/* Make it one of which nobody knows any more what it said: closed, and nobody is anything there. An act
 * that says who may come in (ACT_ENTRY) begins it anew. */
void charter_damage(struct charter *out);

/* ---- keys ---- */

/* A room's key as it is kept: salted, and not to be turned back. */
void charter_lock(struct span key, char out[CHARTER_KEY_MAX]);
bool charter_unlocks(const struct charter *c, struct span key);

#endif
