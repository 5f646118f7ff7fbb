/*
 * People: who is logged in, under which nicks, and their inboxes.
 *
 * A person is a key's id. One person may have several sessions, under one nick or
 * several; a nick is one person's as long as one of their sessions has it. Whose it is for
 * good, the log says (engine_owner): nobody else gets one that looks like it, and who has
 * not proven their key is "~nick" where "nick" is somebody's.
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

/* Who wants to be called what. Borrowed. */
struct people_wish {
	const uint8_t *person;
	struct span nick;
	bool proven; /* that they are the person */
	bool any;    /* where it is taken, the next free one */
	bool crowd;  /* others took what was free, again and again: any, by chance */
};

/* A session begins. `nick` becomes the one given: one that they own may be written as it was last, where
 * the wanted spelling of it passes for somebody else's. `*owned`: the log has it as theirs already. `*inbox` is
 * a reference for the caller. CODE_NONE, CODE_BAD_NICK, CODE_NICK_TAKEN, CODE_RESOURCES. */
enum code people_login(struct people *p, const struct people_wish *w, char nick[NICK_MAX + 1],
	bool *owned, struct feed **inbox);

/* The session that had this nick ends. */
void people_logout(struct people *p, const uint8_t person[PERSON_ID], const char *nick);

/* A session takes one more nick, as people_login, and lets one go again. CODE_NONE, CODE_BAD_NICK,
 * CODE_NICK_TAKEN, CODE_RESOURCES. */
enum code people_take(
	struct people *p, const struct people_wish *w, char nick[NICK_MAX + 1], bool *owned);
void people_drop(struct people *p, const char *nick);

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
