/*
 * People: who is logged in, under which nicks, and their inboxes.
 *
 * A person is a key's id. One person may have several sessions, under one nick or
 * several; a nick belongs to one person as long as one of their sessions has it.
 * An inbox is the feed of a person's direct messages; it is there while they are.
 *
 * Any thread; everything is guarded by one lock inside.
 */
#ifndef LANCHAT_SERVER_PEOPLE_H
#define LANCHAT_SERVER_PEOPLE_H

#include "common/message.h"
#include "server/engine.h"
#include "server/feed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct people;

/* A registry; `e` and `budget` are borrowed. NULL when memory is out. */
struct people *people_new(struct engine *e, struct segment_budget *budget);
void people_free(struct people *p);

/* A session begins. `nick` is the one wanted and becomes the one given, which differs only where
 * `any` and it was taken. `*inbox` is a reference for the caller. CODE_NONE, CODE_BAD_NICK,
 * CODE_NICK_TAKEN, CODE_RESOURCES. */
enum code people_login(struct people *p, const uint8_t person[PERSON_ID], struct span wanted,
	bool any, char nick[NICK_MAX + 1], struct feed **inbox);

/* The session that had this nick ends. */
void people_logout(struct people *p, const uint8_t person[PERSON_ID], const char *nick);

/* A session changes its nick from `old` to `wanted`. CODE_NONE, CODE_BAD_NICK, CODE_NICK_TAKEN,
 * CODE_RESOURCES. */
enum code people_rename(struct people *p, const uint8_t person[PERSON_ID], const char *old,
	struct span wanted, char nick[NICK_MAX + 1]);

/* Whose nick is it? ERR_NOT_FOUND. `shown` is the nick as they write it. */
int people_find(
	struct people *p, struct span nick, uint8_t person[PERSON_ID], char shown[NICK_MAX + 1]);

/* A nick of a person who is here; ERR_NOT_FOUND. */
int people_nick_of(struct people *p, const uint8_t person[PERSON_ID], char shown[NICK_MAX + 1]);

/* A reference to the inbox of a person, NULL when they are not here. */
struct feed *people_inbox(struct people *p, const uint8_t person[PERSON_ID]);

/* Let go of the segments of inboxes to which nothing came since the last call. */
void people_rest(struct people *p);

/* How many people are here: persons, not sessions. */
uint32_t people_count(struct people *p);

#endif
