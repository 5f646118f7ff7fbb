/*
 * Rooms: who is in one, its topic, and what its members are told of each other.
 *
 * A room's people are the persons and nicks that its sessions have; two sessions
 * of one person under one nick are one row, which is away only when both are. Who
 * comes, goes, is away or changes the nick is told by passing frames: collected,
 * so that there are at most four a second, and above ROOM_TOLD_MAX people reduced
 * to their number. What members are told carries a version, so that a client that
 * missed some notices, and asks for the list.
 *
 * A room has a copy of its charter (charter.h), as of the last act that was applied.
 *
 * Any thread may call these functions.
 */
#ifndef LANCHAT_SERVER_ROOM_H
#define LANCHAT_SERVER_ROOM_H

#include "common/message.h"
#include "server/charter.h"
#include "server/feed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOM_TOLD_MAX   200  /* people up to whom each change is told by name */
#define ROOM_TELL_EVERY 250  /* milliseconds between two tellings, at least */
#define ROOM_TELL_MOST  1000 /* and in a room of a hundred and more; between them, 10 for each */

struct room;

/* A session as a room sees it. Borrowed strings. */
struct room_session {
	const uint8_t *person;
	const char *nick;
	enum person_state state;
	const char *away; /* the message, "" when there is none */
};

struct room_topic {
	char text[TOPIC_MAX + 1];
	char nick[NICK_MAX + 1];
	uint64_t time;
};

/* A room without anybody; one reference, the caller's. `name` is how it is shown. NULL when memory is
 * out. */
struct room *room_new(const struct stream_key *key, const char *name, struct segment_budget *budget,
	uint64_t last_seq);
struct room *room_ref(struct room *r);
void room_unref(struct room *r);

/* Borrowed, constant. */
struct feed *room_feed(const struct room *r);
const char *room_name(const struct room *r);

/* A session comes. ERR_FULL: `most` persons (0: without limit) are in it already, and this would be one
 * more: who is in it under several nicks is one; ERR_MEMORY. */
int room_enter(struct room *r, const struct room_session *s, size_t most);

/* It goes; `why` may be "". */
void room_leave(struct room *r, const struct room_session *s, const char *why);

/* It becomes another: a new nick, or a new state; nothing where it has been sent out. ERR_MEMORY: the room
 * forgets that session. */
int room_change(struct room *r, const struct room_session *old, const struct room_session *new);

/* Has it a row of the session's person and nick? */
bool room_has(struct room *r, const struct room_session *s);

/* Has it any row of a person? */
bool room_has_person(struct room *r, const uint8_t person[PERSON_ID]);

uint32_t room_people(struct room *r);
void room_topic(struct room *r, struct room_topic *out);
void room_set_topic(struct room *r, struct span text, struct span nick, uint64_t time);

/* ---- who may do what ---- */

/* The charter as of now, a copy for the caller to end. ERR_MEMORY; ERR_AGAIN: it is not known here, but
 * to the engine (chat_room_charter). */
int room_charter(struct room *r, struct charter *out);

/* Take this one over. */
void room_set_charter(struct room *r, struct charter *c);

/* An act on the room was applied. Out of memory, the charter is that of before, and the log's is right. */
void room_apply_act(struct room *r, const struct act *a, uint64_t time);

/* Somebody did something about the room, in at most AWAY_MAX bytes of words; they need not be in it. */
void room_tell_act(
	struct room *r, const uint8_t person[PERSON_ID], const char *nick, const char *words);

/* A person goes, with all their sessions, which must not call room_leave any more. */
void room_remove(struct room *r, const uint8_t person[PERSON_ID], const char *why);

/* Is it one that not everybody may enter? */
bool room_is_closed(struct room *r);

/* May the person (NULL: nobody who has proven a key) speak there, as far as the room's charter says? The
 * server's operators may in any case. false as well while the charter is not known for want of memory. */
bool room_may_speak(struct room *r, const uint8_t *person, uint64_t time);

/* Is the room in slow mode? Takes no lock. */
bool room_is_slow(const struct room *r);

/* In slow mode: for how many milliseconds may the person not speak, as of now (clock_ms)? 0: they may, and
 * their next turn is counted from here. */
int64_t room_turn_in(struct room *r, const uint8_t person[PERSON_ID], int64_t now);

/* ---- lists ---- */

/* The people after the nick `after` ("" for the first), at most `limit`, as the list of a
 * MEMBER_LIST in `buffer`; `m` is filled but for its tag and room, and borrows from the buffer. */
void room_members(struct room *r, struct span after, uint16_t limit, struct msg_member_list *m,
	uint8_t *buffer, size_t size);

/* Tell the members what has changed, if the last telling was long enough ago. INT64_MAX: nothing
 * waits any more; otherwise the time (clock_ms) to call again. `*told`: something was published, and
 * the feed wants a pump. */
int64_t room_tell(struct room *r, int64_t now, bool *told);

/* ---- for hub.c ---- */

/* The room's place in the hub's list of those that have something to tell; guarded by the hub. */
struct room_link {
	struct room *next;
	bool listed;
	unsigned users;
};
struct room_link *room_link(struct room *r);

#endif
