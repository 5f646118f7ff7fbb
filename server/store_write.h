/*
 * Entries on their way into the store.
 *
 * A writer decides whether an entry may stand, by what the log has and nothing
 * else, and appends it, inside a transaction of the caller's. It remembers the
 * rows of streams and instances that it met last; after a rollback all of that is
 * forgotten. One thread, the engine's.
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
	struct writer_stream streams[WRITER_STREAMS];
	struct writer_instance instances[WRITER_INSTANCES];
};

/* Begin, or begin anew after a rollback or after pruning: see where the log ends. Errors as
 * store_error. */
int store_writer_reset(struct store_writer *w, struct store *s);

/* May this entry stand, and is it new? 1: append it; 0: `*r` is what came of it; or an error. */
int store_decide(struct store_writer *w, const struct log_entry *e, struct append_result *r);

/* Append it, and fill in what the engine fills in. An error: the transaction must be rolled back. */
int store_append(struct store_writer *w, struct log_entry *e);

/* As engine_settled and engine_accepted, on any store. */
int store_settled(struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t counter,
	struct append_result *r);
int store_accepted(
	struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t *accepted);

#endif
