/*
 * Who is what in a room, or on the server: people and the mark that the list of
 * members shows before their nick.
 *
 * It is made of the standings that a charter tells (docs/PROTOCOL.md section 16)
 * and asked by a person's id. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_RANKS_H
#define LANCHAT_RANKS_H

#include "client/link.h"

#include "common/rights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The higher ones are shown rather than the lower ones: whoever is muted may not speak, with or without a
 * voice; a moderator whom the owner has muted still looks after the room. */
enum mark {
	MARK_NONE,
	MARK_VOICE,
	MARK_MUTED,
	MARK_MODERATOR,
	MARK_OWNER,
	MARK_OPERATOR,
};
#define MARKS (MARK_OPERATOR + 1)

struct ranked {
	uint8_t person[PERSON_ID];
	uint64_t until; /* microseconds since 1970: the mark ends then; UINT64_MAX: it does not */
	enum mark mark;
};

/* One line of the charter. */
struct ranks_row {
	int kind; /* enum standing_kind */
	uint8_t person[PERSON_ID];
	uint64_t until; /* as of struct ranked */
	char *label;    /* owned: a nick, or a range of addresses */
};

struct ranks {
	struct ranked *people;  /* owned; sorted by person */
	struct ranks_row *rows; /* owned: the charter's */
	size_t count, row_count;

	/* What the room is like. */
	uint64_t slow;
	int entry; /* enum room_entry */
	bool moderated;

	bool fresh; /* nothing is known to have been done since the server told this */
};

/* Zeroed storage is empty. */
void ranks_fini(struct ranks *r);

/* Take over what a charter says, of a room or (`server`) of the server. ERR_MEMORY: nothing changed. */
int ranks_take(struct ranks *r, const struct event_standing *standings, size_t count, bool server);

/* Is somebody that, at a time? By person, or by label as the server writes it, in whatever case. */
bool ranks_are(const struct ranks *r, enum standing_kind kind, const uint8_t person[PERSON_ID],
	uint64_t now);
bool ranks_name(const struct ranks *r, enum standing_kind kind, const char *label, uint64_t now);

/* May some rows be missing, because there are more than the server tells? */
bool ranks_cut(const struct ranks *r);

/* The highest mark of somebody at a time (microseconds since 1970). */
enum mark ranks_of(const struct ranks *r, const uint8_t person[PERSON_ID], uint64_t now);

/* When the next mark ends; UINT64_MAX: none does. */
uint64_t ranks_until(const struct ranks *r, uint64_t now);

/* One column, and what it means in a few words; "" and NULL of MARK_NONE. */
const char *mark_sign(enum mark m);
const char *mark_help(enum mark m);

/* Where people of that mark are in a list: smaller numbers are further up. */
unsigned mark_place(enum mark m);
#define MARK_PLACES 5

#endif
