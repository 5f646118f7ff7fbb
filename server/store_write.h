/*
 * Entries on their way into the store.
 *
 * A writer decides whether an entry may stand, by what the log has and nothing
 * else, and appends it, inside a transaction of the caller's. It remembers the
 * rows of streams and instances that it met last; after a rollback all of that is
 * forgotten. One thread, the engine's. Acts are store_acts.h's.
 */
#ifndef LANCHAT_SERVER_STORE_WRITE_H
#define LANCHAT_SERVER_STORE_WRITE_H

#include "server/store.h"

#include <stdint.h>

#define WRITER_STREAMS   1024 /* powers of two */
#define WRITER_INSTANCES 1024

struct writer_stream {
	struct stream_key key;
	uint64_t id; /* 0: the slot is empty */
	uint64_t last;
	struct charter *charter; /* owned; of a room; NULL: an empty one */
};

struct writer_instance {
	uint8_t key[INSTANCE_ID];
	uint8_t person[PERSON_ID]; /* the first to use it; nobody else may */
	uint64_t id;               /* 0: the slot is empty */
	uint64_t accepted;         /* the highest counter */
	uint64_t pruned;           /* the highest of those that are no longer kept */
};

struct store_writer {
	struct store *store; /* borrowed */
	uint64_t seq, time;  /* of the newest entry ever */
	struct charter server;
	bool server_known; /* it has been read */
	struct writer_stream streams[WRITER_STREAMS];
	struct writer_instance instances[WRITER_INSTANCES];
};

/* Begin, or begin anew after a rollback or after pruning: see where the log ends. Errors as
 * store_error. */
int store_writer_reset(struct store_writer *w, struct store *s);

/* Forget everything. Zeroed storage is fine. */
void store_writer_fini(struct store_writer *w);

/* May this entry stand, and is it new? Gives it its time. 1: append it; 0: `*r` is what came of it; or
 * an error. */
int store_decide(struct store_writer *w, struct log_entry *e, struct append_result *r);

/* Append it, and fill in what the engine fills in. An error: the transaction must be rolled back. */
int store_append(struct store_writer *w, struct log_entry *e);

/* ---- for store_acts.c ---- */

/* The slot of a stream, which is the writer's, and lasts until the next call. Where there is no row, one
 * is made, unless `name` (of a room) is NULL: then `id` is 0. */
int store_writer_stream(struct store_writer *w, const struct stream_key *key,
	const struct span *name, struct writer_stream **out);

/* As engine_settled and engine_accepted, on any store. */
int store_settled(struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t counter,
	struct append_result *r);
int store_accepted(
	struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t *accepted);

#endif
