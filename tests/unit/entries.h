/*
 * Log entries and their frames, for tests of what carries them.
 *
 * A text says which entry it belongs to, so that a frame that was mixed up with
 * another one, or cut and put together wrongly, is noticed.
 */
#ifndef LANCHAT_TESTS_ENTRIES_H
#define LANCHAT_TESTS_ENTRIES_H

#include "server/engine.h"
#include "server/said.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The frame of a SAID without any text, in the room "r" by "n". */
#define ENTRY_BARE 97

/* `length` bytes of text for the entry with this key, in `out`, which has TEXT_MAX bytes. */
struct span entry_text(uint64_t key, size_t length, char *out);
bool entry_text_is(uint64_t key, struct span text);

/* The SAID of entry `seq` in the room "r" with `text` bytes of text. Returns the frame's size. */
size_t entry_frame(uint64_t seq, uint64_t prev, size_t text, uint8_t out[SAID_FRAME_MAX]);

/* A passing frame of the same room: a PRESENCE of that version. */
size_t entry_passing(uint64_t version, uint8_t out[SAID_FRAME_MAX]);

/* The key of a room whose name is plain enough. */
struct stream_key entry_room(const char *name);

#endif
