/*
 * What the store keeps about people: their rooms, how far they have read, their
 * nicks. None of it is part of the log.
 */
#ifndef LANCHAT_SERVER_STORE_PEOPLE_H
#define LANCHAT_SERVER_STORE_PEOPLE_H

#include "server/store.h"

/* Write a note, in a transaction of the caller's. */
int store_note(struct store *s, const struct note *n);

/* As the engine's calls of these names. */
int store_places(
	struct store *s, const uint8_t *person, engine_place_reader *reader, void *context);
int store_read_position(
	struct store *s, const uint8_t *person, const struct stream_key *key, uint64_t *seq);
int store_person(
	struct store *s, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

#endif
