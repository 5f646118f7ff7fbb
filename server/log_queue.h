/*
 * What waits to be written to the log: batches of entries, whose senders wait with
 * them, and notes.
 *
 * A batch lives on its sender's stack. Once the writer has taken it, the sender
 * stays until the writer is done with it.
 */
#ifndef LANCHAT_SERVER_LOG_QUEUE_H
#define LANCHAT_SERVER_LOG_QUEUE_H

#include "common/lock.h"
#include "server/engine.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_QUEUE_NOTES   65536 /* that may wait */
#define LOG_QUEUE_ENTRIES 4096  /* about how many are taken at once */

struct batch {
	struct log_entry *entries;
	struct append_result *results;
	size_t count;
	enum {
		BATCH_WAITS,
		BATCH_TAKEN,
		BATCH_DONE
	} state;
	pthread_cond_t done;
	struct batch *next, *previous;
};

/* A note with all that it points to. */
struct kept_note {
	struct note note;
	uint8_t person[PERSON_ID];
	struct stream_key stream;
	char name[ROOM_NAME_MAX];
	struct kept_note *next;
};

/* What the writer takes in one go. Lists in order. */
struct work {
	struct batch *batches;
	struct kept_note *notes;
	bool index; /* somebody waits for the index */
};

struct log_queue {
	struct lock lock;
	pthread_cond_t work;
	pthread_cond_t indexed;
	/* guarded by lock */
	struct batch *first, *last;
	struct kept_note *notes, **notes_end;
	size_t note_count;
	uint64_t index_rounds; /* how often the index was found complete */
	uint64_t index_wanted; /* up to which round somebody waits */
	bool stopping;
};

void log_queue_init(struct log_queue *q);
void log_queue_fini(struct log_queue *q);

/* ---- for those who append ---- */

/* Wait until the batch has been dealt with. One that is still waiting at `deadline` (clock_ms) is
 * taken back, with every result RETRY. */
void log_queue_append(struct log_queue *q, struct batch *b, int64_t deadline);

/* ERR_MEMORY, also when too many wait. */
int log_queue_note(struct log_queue *q, const struct note *n);

/* Wait until the writer has found the index complete once more. ERR_TIMEOUT; ERR_STOPPING. */
int log_queue_index(struct log_queue *q, int64_t deadline);

/* The writer is to end once nothing waits any more; later batches get RETRY. */
void log_queue_stop(struct log_queue *q);

/* ---- for the writer ---- */

/* Wait for work, at most until `deadline` (clock_ms). False: it is time to end. */
bool log_queue_take(struct log_queue *q, int64_t deadline, struct work *out);

/* The batches of this work have their results: wake their senders. */
void log_queue_done(struct log_queue *q, struct batch *batches);

/* The index has everything, or as much as it will have: let those go on who wait for it. */
void log_queue_indexed(struct log_queue *q);

void kept_notes_free(struct kept_note *notes);

#endif
