/*
 * The index of words, and searching.
 *
 * The index follows the log: it is brought up to date when there is nothing better
 * to do, and before a search. So nobody waits for it who says something.
 */
#ifndef LANCHAT_SERVER_STORE_WORDS_H
#define LANCHAT_SERVER_STORE_WORDS_H

#include "server/store.h"

/* Begin the index anew if it was made by other rules of folding than today's, of another version of
 * Unicode: its words could neither be found nor taken out. */
int store_index_check(struct store *s);

/* How far the index goes. */
int store_indexed(struct store *s, uint64_t *seq);

/* Index up to `most` entries after `*seq`, which moves on, in a transaction of its own. */
int store_index(struct store *s, uint32_t most, uint64_t *seq);

/* Take an entry's words out of the index, where it has them; in a transaction of the caller's. `other`
 * is 0 where there is one stream. */
int store_unindex(struct store *s, uint64_t seq, uint64_t stream, uint64_t other, struct span text);

/* Begin to merge the whole index, so that what was taken out of it really goes; store_index_tidy goes
 * on with it. */
int store_index_shrink(struct store *s);

/* A bit of the work that keeps the index small and quick. */
int store_index_tidy(struct store *s);

/* As engine_search, as far as the index goes. */
int store_search(struct store *s, const struct search *what, engine_reader *reader, void *context);

#endif
