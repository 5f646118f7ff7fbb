/*
 * Seats: the rooms that the user is in or wants to be in, and how far each one
 * has been read.
 *
 * A seat has a wish (to be in or out) and a state (what the server was told and
 * has answered). A new connection resets the states and keeps the wishes and the
 * positions, which is all that resuming takes.
 *
 * A plain module without a lock; the link's lock guards it.
 */
#ifndef LANCHAT_SEATS_H
#define LANCHAT_SEATS_H

#include "client/link.h"
#include "common/message.h"
#include "common/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seat_state {
	SEAT_OUT,
	SEAT_JOINING, /* asked, not answered */
	SEAT_IN,
	SEAT_LEAVING,
};

/* What is known of a room's people. */
enum seat_people {
	SEAT_PEOPLE_UNKNOWN, /* no list yet, or it has been overtaken */
	SEAT_PEOPLE_ASKED,   /* pages are coming */
	SEAT_PEOPLE_KNOWN,   /* the list and every change since */
};

/* How far the user has read, and how far the server was told. */
struct reading {
	uint64_t upto;
	uint64_t told;
};

/* Who is what somewhere: is it to be asked for? */
struct ranks_query {
	int64_t asked_at; /* clock_us; 0: not yet on this connection */
	bool wanted;
};

struct seat {
	char name[ROOM_NAME_MAX + 1]; /* as the server shows it, once it has been joined */
	char folded[NAME_FOLDED_MAX];
	bool wanted;
	bool joined_before; /* the owner was told that it is in */
	bool quiet;         /* left by the owner; joined again only for what was said before that */
	bool barred;        /* on this connection the server will not have us in it */
	bool rekeyed;       /* while joining: there is another key since, to be tried as well */
	enum seat_state state;
	char key[ROOM_KEY_MAX + 1]; /* to the room; or empty */
	uint32_t tag;               /* of the request to join or to leave */
	bool resuming;              /* that request asked to go on after `seen` */
	bool seen_known;            /* there is a position */
	uint64_t seen;              /* the last message that was delivered */
	bool keep; /* `kept` is to be written to disk: how far the owner has dealt with it */
	uint64_t kept;
	struct reading reading;

	enum seat_people people_state;
	bool members_wanted;      /* the owner asked, or updates were missed */
	uint32_t members_tag;     /* of the page asked for; 0: none */
	int64_t members_asked_at; /* clock_us */
	uint64_t version;         /* of the people, as far as they are known */
	uint32_t people;
	struct ranks_query ranks;
	struct event *pages; /* owned: the list so far, while it is being fetched */
	size_t pages_room;   /* items that `pages` has memory for */

	struct seat *next;
};

/* Zeroed storage has no seats. */
struct seats {
	struct seat *head;
	struct seat *recent; /* the one found last: messages come in runs */
	size_t count;
};

/* The seat of that name, however it is written; NULL when there is none. */
struct seat *seats_find(struct seats *s, struct span name);

/* By the tag of its request to join or leave, or for a page of members; NULL when there is none. */
struct seat *seats_find_tag(const struct seats *s, uint32_t tag);
struct seat *seats_find_members_tag(const struct seats *s, uint32_t tag);

/* A new seat, not wanted yet; NULL when memory is out. The name must fold. */
struct seat *seats_add(struct seats *s, const char *name);

/* Remove and free. */
void seats_remove(struct seats *s, struct seat *seat);

/* Call the seat by the server's name for it, if that is the same name. */
void seat_rename(struct seat *seat, struct span name);

/* Forget the list of people that is being put together. */
void seat_drop_pages(struct seat *seat);

/* Forget what belonged to the connection: state, tags, people. */
void seat_reset(struct seat *seat);

void seats_fini(struct seats *s);

#endif
