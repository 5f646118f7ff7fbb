/*
 * How far the programs of a person have read the rooms of a server: where
 * `lanchat --pipe --resume` goes on.
 *
 * One SQLite database for each server, `<folder>/servers/<server id>/resume.db`. One process at a
 * time has it, by a lock (flock) on `resume.lock`, until it ends, however it ends: two that went by
 * the same positions would each move them past what the other one has not printed.
 *
 * A position is of a log. Where the server's log turns out to be another one, all positions are
 * moved at once to where the two part, those of rooms that nobody is in included.
 *
 * What is written survives kill -9 the moment that a call returns; a power cut may take the last
 * seconds, and what was printed in these comes again. A file that is damaged is left as it is and
 * not used: without it nobody can say what was missed, so a person has to.
 *
 * No lock of its own: the link's guards it. No call waits for the network; fsync is called by
 * positions_open and when SQLite moves its write-ahead log.
 */
#ifndef LANCHAT_POSITIONS_H
#define LANCHAT_POSITIONS_H

#include "common/identity.h"
#include "common/message.h"

#include <stdbool.h>
#include <stdint.h>

struct positions;

/* Open those of a server; the first time they are made, with what an older lanchat kept elsewhere.
 * ERR_AGAIN: another process has them; ERR_DAMAGED, ERR_REFUSED (of a newer lanchat), ERR_SYSTEM with
 * errno, ERR_FULL, ERR_MEMORY, ERR_TOO_BIG. `path` is the file (PATH_MAX bytes), set in any case. */
int positions_open(const char *folder, const uint8_t server[IDENTITY_SIZE], char *path,
	struct positions **out);

/* Close and unlock. NULL is allowed. */
void positions_close(struct positions *p);

const uint8_t *positions_server(const struct positions *p);

/* The log that they are of; NULL: of none yet. */
const uint8_t *positions_log(const struct positions *p);

/* From now on they are of `log`, which is the same as the one before up to number `upto`: positions
 * above it become this one. What cannot be written now is written with the next changes. */
void positions_set_log(struct positions *p, const uint8_t log[INSTANCE_ID], uint64_t upto);

/* The last message of a room, by its folded name, that was printed; "": of the direct messages.
 * ERR_NOT_FOUND: there is none; ERR_DAMAGED, ERR_SYSTEM, ERR_MEMORY: that cannot be told. */
int positions_get(struct positions *p, const char *folded, uint64_t *seq);

/* May any be known? */
bool positions_any(struct positions *p);

/* Is the file still under its name? Else what is written is lost. */
bool positions_are_there(const struct positions *p);

/* Write several as one change. False: nothing was
 * written, which is logged the first time. */
void positions_begin(struct positions *p);
void positions_put(struct positions *p, const char *folded, uint64_t seq);
bool positions_end(struct positions *p);

#endif
