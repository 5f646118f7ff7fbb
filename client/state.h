/*
 * What of a client outlives its process: the messages that are not acknowledged,
 * and which numbers have been used. (How far a program has read is in positions.h.)
 *
 * One SQLite database per client instance and server,
 * `<folder>/servers/<server id>/<instance>.db` (ids in hex; folders 0700, files
 * 0600). One process at a time has it: it holds a lock (flock) on `<instance>.lock`
 * until it ends, however it ends. A process that starts adopts a file that nobody
 * holds, rather one with messages that wait, else the one used last; or it makes a
 * new one. So fifty scripts of one user have fifty files, and the next fifty have
 * the same.
 *
 * A number that may have been used for one message is never used for another.
 * Whoever adopts a file first reserves 2^32 numbers above all that were reserved
 * before, with an fsync, and uses these alone. So numbers stay unique whatever
 * becomes of later writes: when the disk is full, messages go out all the same and
 * are merely not kept here, which is logged once. If the reservation itself fails,
 * the file is not used. A damaged file, whose numbers are not known, is set aside
 * (`.damaged` is added to its name, and a warning logged) and never used again.
 *
 * All else survives kill -9 of the process the moment that a call returns; a power
 * cut may take the last seconds (WAL, synchronous=NORMAL). A message that is lost
 * that way was typed in these seconds; one that comes back is sent once more, and
 * the server knows its number.
 *
 * A state has no lock of its own: the link's guards it. No call waits for the
 * network; fsync is called by state_adopt, state_create, state_reserve and when
 * SQLite moves its write-ahead log.
 */
#ifndef LANCHAT_STATE_H
#define LANCHAT_STATE_H

#include "client/outbox.h"
#include "common/identity.h"
#include "common/message.h"

#include <stdbool.h>
#include <stdint.h>

struct state;

/* Numbers reserved at once. */
#define STATE_RESERVE (UINT64_C(1) << 32)

/* Adopt a file of that server, or make one with a new instance. ERR_SYSTEM with errno (the folder
 * cannot be written), ERR_FULL (no room on the disk), ERR_MEMORY, ERR_TOO_BIG (a path too long). */
int state_adopt(const char *folder, const uint8_t server[IDENTITY_SIZE], struct state **out);

/* Make a file for a given instance, which has used numbers up to `used`. Results as above. */
int state_create(const char *folder, const uint8_t server[IDENTITY_SIZE],
	const uint8_t instance[INSTANCE_ID], uint64_t used, struct state **out);

/* Another program uses a copy of `old`: make a file for a given instance as state_create does. The
 * old one is set aside (`.copied` is added to its name), never to be used again, and closed in any
 * case. Results as above. */
int state_replace(const char *folder, struct state *old, const uint8_t instance[INSTANCE_ID],
	uint64_t used, struct state **out);

/* Close and unlock. NULL is allowed. */
void state_close(struct state *st);

const uint8_t *state_server(const struct state *st);
const uint8_t *state_instance(const struct state *st);

/* The next message's number has to be above this one. */
uint64_t state_used(const struct state *st);

/* Numbers up to `used` are taken: reserve others, above. Results as those of state_adopt. */
int state_reserve(struct state *st, uint64_t used);

/* ---- messages, by number ---- */

/* Keep a message that is about to be sent. A failure is logged, the first time: the message is to be
 * sent all the same. */
void state_add(struct state *st, const struct outgoing *m);

/* Those that are kept, in order: `m->text` has no bytes, the text is `text`; `time`: when it was
 * typed (microseconds since 1970). A negative result of `each` ends it and is returned. ERR_DAMAGED,
 * ERR_MEMORY. */
typedef int state_each(void *context, const struct outgoing *m, const char *text, uint64_t time);
int state_messages(struct state *st, state_each *each, void *context);

/* ---- several changes as one ---- */

/* Between these two; failures are logged, the first time. What has no effect then is written again
 * with the next changes, or is dispensable. */
void state_begin(struct state *st);
bool state_end(struct state *st); /* true: all was written */

/* Messages with a number below that are answered; or that one is. */
void state_forget_below(struct state *st, uint64_t counter);
void state_forget(struct state *st, uint64_t counter);

#endif
