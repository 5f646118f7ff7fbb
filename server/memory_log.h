/*
 * The log of engine_memory.c: entries in memory, oldest dropped first.
 *
 * An entry lives in a ring of each of its streams, and in the ring of the whole
 * log, from whose old end entries are dropped when the bound is reached. Streams
 * and client instances that have entries count as well. Those that have none left
 * are kept for their numbers, a fixed number of each; beyond that the one that has
 * been without entries longest is forgotten. (A log that outlives the server never
 * forgets an instance; this one is given up with the process anyway.)
 *
 * Not locked: see engine_memory.c.
 */
#ifndef LANCHAT_SERVER_MEMORY_LOG_H
#define LANCHAT_SERVER_MEMORY_LOG_H

#include "server/engine.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMORY_LOG_IDLE 65536 /* streams, and instances, without entries that are still known */

struct author;
struct log_stream;
struct stored;

/* A growing ring of entries, oldest first. */
struct ring {
	struct stored **slots;
	size_t first, count, size; /* size is a power of two, or 0 */
};

struct memory_log {
	size_t keep_bytes, keep_idle; /* constant */
	void *streams;                /* tsearch tree of struct log_stream */
	void *authors;                /* tsearch tree of struct author */
	TAILQ_HEAD(, author) idle_authors;
	TAILQ_HEAD(, log_stream) idle_streams; /* both longest idle first */
	size_t idle_author_count, idle_stream_count;
	uint64_t forgotten; /* the highest number of a stream that was forgotten */
	struct ring ring;   /* everything */
	size_t bytes;
	uint64_t seq;
	uint64_t time; /* of the last entry: times never go back along the log */
};

void memory_log_init(struct memory_log *l, size_t keep_bytes, size_t keep_idle);
void memory_log_fini(struct memory_log *l);

/* May this entry stand, and is it new? Looks at the log alone. 0: append it; otherwise `*r` is what
 * came of it. */
int memory_log_decide(
	const struct memory_log *l, const struct log_entry *e, struct append_result *r);

/* Append it, and fill in what the engine fills in. ERR_MEMORY: nothing has changed. */
int memory_log_append(struct memory_log *l, struct log_entry *e);

/* As the engine's calls of these names. */
void memory_log_range(const struct memory_log *l, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned);
void memory_log_last(const struct memory_log *l, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after);
uint64_t memory_log_accepted(
	const struct memory_log *l, const uint8_t *instance, const uint8_t *person);

#endif
