/*
 * Entries on their way out of the store, and rooms.
 *
 * As the engine's calls of these names, on one store.
 */
#ifndef LANCHAT_SERVER_STORE_READ_H
#define LANCHAT_SERVER_STORE_READ_H

#include "server/store.h"

int store_range(struct store *s, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned);
int store_last(struct store *s, const struct stream_key *key, uint32_t count, uint64_t *last,
	uint64_t *after);
int store_before(struct store *s, const struct stream_key *key, uint64_t before, uint32_t count,
	uint64_t *after);
int store_since(struct store *s, const struct stream_key *key, uint64_t time, uint64_t *after);
int store_room(struct store *s, const struct stream_key *key, struct room_record *out);
int store_rooms(struct store *s, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context);

/* Read entries of all streams, by number, with after < seq; `room` and `room_name` are borrowed until
 * the reader returns. For what was committed and not applied. */
int store_all(struct store *s, uint64_t after, engine_reader *reader, void *context);

/* The logs that this one was a copy of, for the caller to free; NULL where there are none. */
int store_ancestors(struct store *s, struct engine_ancestor **out, size_t *count);

/* Read one entry; ERR_NOT_FOUND. */
int store_entry(struct store *s, uint64_t seq, engine_reader *reader, void *context);

#endif
