/*
 * From the log to the wire: the frame of an entry.
 *
 * Pure functions; any thread.
 */
#ifndef LANCHAT_SERVER_SAID_H
#define LANCHAT_SERVER_SAID_H

#include "server/engine.h"

#include <stddef.h>
#include <stdint.h>

/* No frame of an entry is larger. */
#define SAID_FRAME_MAX (TEXT_MAX + 512)

/* Encode an entry as the members of a room called `room` get it, or, where `inbox` is not NULL, as
 * the owner of that inbox does (32 bytes: the person). Returns the frame's size. */
size_t said_encode(const struct log_entry *e, const char *room, const uint8_t *inbox,
	uint8_t out[SAID_FRAME_MAX]);

/* The number up to which whoever has got this frame of our own has everything: an entry's own, or,
 * for a GAP, the last one that is missing. 0 for a frame of another kind. */
uint64_t said_frame_seq(const uint8_t *frame);

#endif
