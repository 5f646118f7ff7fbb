/*
 * A ring of log entries in memory, oldest first: of the whole log, of a stream, of a
 * client instance. Entries come at the end and go at the beginning, and whatever an
 * entry is found by rises along the ring, so finding halves.
 *
 * A ring does not own its entries. Not locked.
 */
#ifndef LANCHAT_SERVER_MEMORY_RING_H
#define LANCHAT_SERVER_MEMORY_RING_H

#include <stddef.h>
#include <stdint.h>

struct author;
struct log_stream;

/* An entry as it is kept. */
struct stored {
	struct author *author;
	struct log_stream *streams[2]; /* the second of a direct message alone; may be NULL */
	uint64_t seq, time, counter;
	uint64_t prev[2];
	uint16_t nick, to_nick, text; /* lengths of the bytes that follow, in this order */
	uint8_t kind;
	uint8_t direct; /* then 32 bytes, `to`, come first */
	uint8_t bytes[];
};

struct ring {
	struct stored **slots;
	size_t first, count, size; /* size is a power of two, or 0; a zeroed ring is empty */
};

enum ring_order {
	RING_BY_SEQ,
	RING_BY_TIME,
	RING_BY_COUNTER, /* in the ring of one instance */
};

/* Make sure that one more fits. ERR_MEMORY. */
int ring_reserve(struct ring *r);

/* Add at the end; there must be room for it. */
void ring_push(struct ring *r, struct stored *s);

/* The i-th of `count`. */
struct stored *ring_at(const struct ring *r, size_t i);
void ring_drop_first(struct ring *r);

/* Take one out that is in it, wherever it is; cheap near the beginning. */
void ring_remove(struct ring *r, const struct stored *s);

/* The index of the first entry that is above `value`; the count when there is none. */
size_t ring_above(const struct ring *r, enum ring_order by, uint64_t value);

/* Free the slots; the ring is empty and may be used again. */
void ring_fini(struct ring *r);

#endif
