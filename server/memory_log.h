/*
 * The log of engine_memory.c: entries in memory, oldest dropped first.
 *
 * An entry lives in a ring (memory_ring.h) of each of its streams and of its client
 * instance, and in the ring of the whole log, from whose old end entries are dropped
 * when the bound is reached. Acts about rooms and the server are spared then, the newest of each
 * room's and as many as fit into a quarter of the bound, in a ring of their own. Streams and instances that have entries count as well.
 * Those that have none left are kept for their numbers, a fixed number of each; beyond
 * that the one that has been without entries longest is forgotten. (A log that outlives
 * the server never forgets an instance; this one is given up with the process anyway.)
 *
 *     memory_log.c     entries on their way in and out, and what becomes of an id
 *     memory_read.c    reading them, rooms, searching
 *
 * Not locked: see engine_memory.c.
 */
#ifndef LANCHAT_SERVER_MEMORY_LOG_H
#define LANCHAT_SERVER_MEMORY_LOG_H

#include "server/engine.h"
#include "server/memory_ring.h"
#include "server/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMORY_ACTS_EACH 1000 /* of one room, and of the server, that are spared */

#define MEMORY_LOG_IDLE 65536 /* streams, and instances, without entries that are still known */

struct memory_log {
	size_t keep_bytes, keep_idle; /* constant */
	struct tree streams, authors;
	struct tree open_rooms; /* the streams that memory_log_open_room has opened */
	TAILQ_HEAD(, author) idle_authors;
	TAILQ_HEAD(, log_stream) idle_streams; /* both longest idle first */
	size_t idle_author_count, idle_stream_count;
	uint64_t forgotten;         /* the highest number of a stream that was forgotten */
	struct ring ring;           /* everything but the next */
	struct ring spared;         /* acts, older than all of that */
	size_t bytes, spared_bytes; /* the second is a part of the first */
	uint64_t seq;
	uint64_t time; /* of the last entry: times never go back along the log */
};

void memory_log_init(struct memory_log *l, size_t keep_bytes, size_t keep_idle);
void memory_log_fini(struct memory_log *l);

/* ---- memory_log.c ---- */

/* May this entry stand, and is it new? Looks at the log alone, and gives the entry its time. 0: append
 * it; otherwise `*r` is what came of it. */
int memory_log_decide(const struct memory_log *l, struct log_entry *e, struct append_result *r);

/* What an entry needs to be appended. */
struct memory_needs {
	struct log_stream *streams[2]; /* borrowed, as is the next; only inboxes may be two */
	struct author *author;
	struct topic *topic; /* owned, as is the next */
	struct stored *stored;
	bool new_room; /* nothing was said in the room before, and nobody finds it in the list yet */
};

/* Get all that appending a decided entry needs, and fill in what the engine fills in. ERR_MEMORY:
 * nothing has changed. Then comes one of the others, with nothing on the log in between: append it, or
 * leave it. */
int memory_log_prepare(struct memory_log *l, struct log_entry *e, struct memory_needs *n);
void memory_log_append(struct memory_log *l, const struct log_entry *e, struct memory_needs *n);
void memory_log_drop(struct memory_needs *n);

/* From now on everybody finds the room in the list of those that are open, once something is said in it, or
 * nobody does. A room that the log does not know is not one yet. ERR_MEMORY, of opening alone: nothing has
 * changed. */
int memory_log_open_room(struct memory_log *l, const struct stream_key *key, bool open);

/* As the engine's calls of these names. */
int memory_log_settled(const struct memory_log *l, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *r);
uint64_t memory_log_accepted(
	const struct memory_log *l, const uint8_t *instance, const uint8_t *person);

/* ---- memory_read.c ---- */

/* As the engine's calls of these names. */
void memory_log_range(const struct memory_log *l, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned);
void memory_log_last(const struct memory_log *l, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after);
void memory_log_before(const struct memory_log *l, const struct stream_key *key, uint64_t before,
	uint32_t count, uint64_t *after);
void memory_log_since(
	const struct memory_log *l, const struct stream_key *key, uint64_t time, uint64_t *after);
int memory_log_room(
	const struct memory_log *l, const struct stream_key *key, struct room_record *out);
void memory_log_rooms(const struct memory_log *l, const struct stream_key *after, bool all,
	uint32_t limit, engine_room_reader *reader, void *context);

/* Texts that were copied out of the log, newest first. */
#define MEMORY_PAGE_TEXTS 64
#define MEMORY_PAGE_BYTES 16384
struct memory_page {
	size_t count;
	struct {
		uint64_t seq;
		struct span text; /* in `bytes` */
	} texts[MEMORY_PAGE_TEXTS];
	char bytes[MEMORY_PAGE_BYTES];
};

/* Copy the newest texts below the number `before` of all these streams, as many as fit: none only
 * where there are none. ERR_MEMORY. */
int memory_log_page(const struct memory_log *l, const struct stream_key *streams, size_t count,
	uint64_t before, struct memory_page *p);

/* Hand the entry of this number to the reader, and return what it returned; true where there is no
 * such entry any more. */
bool memory_log_entry(
	const struct memory_log *l, uint64_t seq, engine_reader *reader, void *context);

#endif
