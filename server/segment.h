/*
 * Segments: the memory in which a feed's recent frames lie, one after the other.
 *
 * A segment is filled from the front and published bytes never change, so whoever
 * holds a reference may send what it has seen published without any lock. All
 * segments of a server are counted in one budget: while it is used up, new
 * segments are small and feeds keep fewer of them.
 */
#ifndef LANCHAT_SERVER_SEGMENT_H
#define LANCHAT_SERVER_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_SMALLEST 4096
#define SEGMENT_LARGEST  65536

/* One bound for all feeds of a server. */
struct segment_budget {
	size_t bound;        /* bytes; constant */
	atomic_size_t bytes; /* in use */
};

struct segment {
	atomic_uint refs;              /* the feed's, and one for each window that shows it */
	struct segment_budget *budget; /* borrowed */
	uint32_t size;                 /* constant */
	/* Guarded by the feed's lock. */
	uint32_t used;     /* bytes published */
	uint64_t start;    /* position in the feed of the first byte */
	uint64_t entries;  /* published before it, of those with a number */
	uint64_t last_seq; /* the newest number of the feed when the last byte was published */
	uint8_t data[];
};

/* A segment of at least `least` bytes (a frame must fit), `wish` where the budget allows; one
 * reference, the caller's. NULL when memory is out. Any thread. */
struct segment *segment_new(struct segment_budget *budget, size_t least, size_t wish);

struct segment *segment_ref(struct segment *s);
void segment_unref(struct segment *s);

/* Is the budget used up? */
bool segment_scarce(const struct segment_budget *budget);

#endif
