/*
 * Acts in the store: what they add up to, and whether one may stand.
 *
 * Charters and owners of nicks are rows that each act changes, in the transaction that keeps
 * it. Errors as store_error.
 */
#ifndef LANCHAT_SERVER_STORE_ACTS_H
#define LANCHAT_SERVER_STORE_ACTS_H

#include "common/lookalike.h"
#include "server/store.h"
#include "server/store_write.h"

/* As the engine's calls of these names, on any store. */
int store_charter(struct store *s, const struct stream_key *key, struct charter *out);
int store_owner(
	struct store *s, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

/* ---- for store_write.c: the engine's thread ---- */

/* The charter in a stream's row, for the caller to end and to free; NULL where it is empty. */
int store_load_charter(struct store *s, uint64_t stream, struct charter **out);

/* The server's: the writer's own. */
int store_server_charter(struct store_writer *w, const struct charter **out);

/* Something was said in a room for the first time: whoever may find it in the list finds it. */
int store_list_room(struct store_writer *w, const struct writer_stream *room);

/* What the rules say to an entry of kind SAID_ACT that has its time. */
int store_decide_act(struct store_writer *w, const struct log_entry *e, enum code *code);

/* Change what it changes. */
int store_apply_act(struct store_writer *w, const struct log_entry *e);

#endif
