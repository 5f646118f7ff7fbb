/*
 * Slow mode: who has spoken in a room, and may again from a time on. By person: neither another nick nor
 * leaving and coming back makes a new turn. Not thread-safe: the room's lock is held.
 */
#ifndef LANCHAT_TURNS_H
#define LANCHAT_TURNS_H

#include "common/message.h"

#include <stddef.h>
#include <stdint.h>

struct turn;

struct turns {
	struct turn *rows; /* owned; NULL: nobody has spoken since slow mode was set */
	size_t count, room;
};

/* 0: it is this person's turn, and the next is `every` milliseconds after `now` (clock_ms). Else how long
 * it is until then. Where memory is short, and beyond 1024 who wait at once, nobody waits. */
int64_t turns_take(struct turns *t, const uint8_t person[PERSON_ID], int64_t now, int64_t every);

/* Nobody waits any more; frees what there is. */
void turns_forget(struct turns *t);

#endif
