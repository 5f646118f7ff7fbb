/*
 * The model: all that a client knows, apart from how it is drawn.
 *
 * Buffers are the conversations: the server's own words first, then the rooms,
 * then the direct conversations. Events from the link change the model
 * (client/model_event.c); the chat screen changes it for the user; the view reads
 * it. All text in it is clean (text_sanitize). The caller owns the storage; one
 * thread.
 */
#ifndef LANCHAT_MODEL_H
#define LANCHAT_MODEL_H

#include "client/link.h"
#include "client/roster.h"
#include "client/rows.h"
#include "client/scrollback.h"
#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum buffer_kind {
	BUFFER_SERVER,
	BUFFER_ROOM,
	BUFFER_DIRECT,
};

#define MODEL_NO_LINE UINT64_MAX

struct buffer {
	enum buffer_kind kind;
	char *name;                /* the server's, the room's, the other person's nick; owned */
	uint8_t person[PERSON_ID]; /* of a direct conversation; zeros: not known yet */
	char *topic;               /* of a room; the away message of a person; owned */
	enum person_state state;   /* of a person */
	struct scrollback lines;
	struct rows_place place; /* where the pane looks */
	uint64_t marker;         /* the first line that was not read; MODEL_NO_LINE */
	unsigned unread, mentions;
	unsigned
		missed; /* news while the pane looked back; whoever looks at the newest line resets it */
	struct roster roster;
	uint64_t people;   /* in the room, also where the roster does not know them all */
	bool joined;       /* in the room now */
	bool greeted;      /* what was kept from before joining has been shown */
	uint64_t last_seq; /* of the newest message shown */
	uint64_t old_seq;  /* up to here, messages are from before joining */
	char *draft;       /* what the user was writing here; owned, or NULL */
};

struct model_room {
	char *name, *topic; /* owned */
	uint32_t people;
};

struct model {
	struct buffer **buffers; /* owned, in the order in which they are listed; the first is the
				    server's */
	size_t count;
	size_t current, last; /* shown now, and shown before that */
	char *wanted;         /* the room to show as soon as it is joined; owned, or NULL */

	uint8_t me[PERSON_ID];
	char *nick;        /* the user's, as far as is known */
	char *nick_before; /* the one before that, under which changes may still be told; owned, or
			      NULL */
	char *taken_nick;  /* owned: what the user could not be called, still to be said in the room
			      that will be shown; or NULL */
	char *server_name; /* "" until logged in */
	bool logged_in;    /* ever */
	bool was_online;   /* the state was LINK_ONLINE before */
	bool kept;         /* the server keeps its history */
	bool inbox_read;   /* direct messages from before the login have been shown */
	bool away;
	size_t text_max; /* bytes of a message */

	enum link_state state;
	char *state_text; /* where to, or why */
	char *trouble;    /* why there is no connection, as it was said last; owned; NULL while
			     there is nothing to say again */
	int64_t retry_at; /* clock_ms, while LINK_WAITING */
	int64_t rtt_us;   /* -1: not known */
	uint64_t spoken;  /* rises with each message; see roster_person.spoke */
	bool bell;        /* ring; whoever does resets it */
	bool listing;     /* the user asked for the rooms */
	bool rooms_whole; /* `rooms` has all pages: the next one begins a new list */

	struct model_room *rooms; /* owned: as listed last */
	size_t room_count;
	uint8_t (*ignored)[PERSON_ID]; /* owned */
	char **ignored_nicks;          /* owned; as they were called then */
	size_t ignored_count;
};

/* A model with the server's buffer. ERR_MEMORY. */
int model_init(struct model *m, const uint8_t me[PERSON_ID], const char *nick);
void model_fini(struct model *m);

/* Take in what happened. ERR_MEMORY: some of it may be missing. */
int model_apply(struct model *m, const struct event *e);

/* ---- buffers ---- */

struct buffer *model_current(const struct model *m);

/* The room of that name, however it is written; NULL. */
struct buffer *model_room(const struct model *m, const char *name);

/* The conversation with a person, or, where only the nick is known (`person` NULL or zeros) or the
 * person is the user, with that nick; NULL. */
struct buffer *model_direct(
	const struct model *m, const uint8_t person[PERSON_ID], const char *nick);

/* The same, or a new one. NULL when memory is out. */
struct buffer *model_open_room(struct model *m, const char *name);
struct buffer *model_open_direct(
	struct model *m, const uint8_t person[PERSON_ID], const char *nick);

/* Close a buffer, which must not be the server's. The one before it is shown, if it was shown. */
void model_close(struct model *m, struct buffer *b);

/* Show the buffer at `index`: what was unread in it is read. */
void model_show(struct model *m, size_t index);
size_t model_index(const struct model *m, const struct buffer *b);

/* The next buffer with something unread, those with mentions first; `current` when there is none. */
size_t model_next_unread(const struct model *m);

/* Everybody who can be asked for by nick, in the current buffer or any other; NULL. Borrowed. */
const struct roster_person *model_person(const struct model *m, const char *nick);

/* ---- lines ---- */

/* Add a line of the program's own words to a buffer. `format` as for printf; the result is cleaned,
 * and cut where it is very long. ERR_MEMORY. */
int model_say(struct model *m, struct buffer *b, enum line_kind kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* An own message has been handed to the link under `counter`. ERR_MEMORY. */
int model_sent(
	struct model *m, struct buffer *b, enum said_kind kind, const char *text, uint64_t counter);

/* Add any line; takes over its strings. Counts it as unread where it is `fresh`. ERR_MEMORY. */
int model_add_line(struct model *m, struct buffer *b, struct line *l, bool fresh);

/* A new copy of `text`, clean, in `*field`, whose old value is freed. ERR_MEMORY. */
int model_set(char **field, const char *text);

/* Forget which rooms there are. */
void model_forget_rooms(struct model *m);

/* ---- ignoring ---- */

bool model_is_ignored(const struct model *m, const uint8_t person[PERSON_ID]);
int model_ignore(struct model *m, const uint8_t person[PERSON_ID], const char *nick);

/* By nick, as it was at /ignore. False when nobody of that name was ignored. */
bool model_unignore(struct model *m, const char *nick);

#endif
