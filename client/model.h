/*
 * The model: all that a client knows, apart from how it is drawn.
 *
 * Buffers are the conversations: the server's own words first, then the rooms,
 * then the direct conversations. Events from the link change the model
 * (client/model_event.c); the chat screen changes it for the user; the view reads
 * it. All text in it is clean (text_sanitize). The caller owns the storage; one
 * thread.
 *
 * A buffer's lines are the newest ones. A look at what is further back, which is not
 * loaded all the way up from here, has lines of its own (struct past) until the two
 * meet or the user returns: so no pane ever shows a hole. What has to be asked of the
 * server is noted in the buffer (struct asking); the chat screen asks.
 */
#ifndef LANCHAT_MODEL_H
#define LANCHAT_MODEL_H

#include "client/link.h"
#include "client/ranks.h"
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
#define MODEL_PAGE    100 /* lines of the log that are asked for at once */

/* What a page of the log is for. */
enum page_aim {
	PAGE_NONE,   /* nothing is asked for */
	PAGE_OLDER,  /* what is before the lines shown */
	PAGE_NEWER,  /* what is after those of the past */
	PAGE_PLACE,  /* to look at what the page begins with, */
	PAGE_DETACH, /* the same, but not in the newest lines, which can take no more */
};

struct asking {
	enum page_aim aim;
	enum history_from from;
	uint64_t value;
	uint32_t request; /* of link_history; 0: not asked yet */
	unsigned pages;   /* that may be asked for until something is found */
	size_t wanted;    /* lines; 0: what a page brings */
	bool shown;       /* what came is to be looked at, */
	bool around;      /* or it is around the target, which is */
};

/* A look at what was said further back. */
struct past {
	struct scrollback lines;
	struct rows_place place;
	uint64_t marker, target; /* as in a buffer */
	uint64_t upto;           /* the log is loaded up to this sequence number */
	bool met;                /* nothing is between its end and the newest lines */
};

struct buffer {
	enum buffer_kind kind;
	char *name;                /* the server's, the room's, the other person's nick; owned */
	uint8_t person[PERSON_ID]; /* of a direct conversation; zeros: not known yet */
	char *topic;               /* of a room; the away message of a person; owned */
	enum person_state state;   /* of a person */
	struct scrollback lines;
	struct rows_place place; /* where the pane looks */
	uint64_t marker;         /* the first line that was not read; MODEL_NO_LINE */
	uint64_t target;         /* the line that was looked for; MODEL_NO_LINE */
	struct past *past;       /* owned: shown instead of the lines; or NULL */
	struct asking asking;
	uint64_t reveal; /* a line of those shown that has to come into sight; MODEL_NO_LINE */
	unsigned unread, mentions;
	unsigned
		missed; /* news while the pane looked back; whoever looks at the newest line resets it */
	struct roster roster;
	struct ranks ranks;   /* who is what in the room */
	uint64_t marks_until; /* microseconds since 1970: then a mark ends */
	uint64_t people;      /* in the room, also where the roster does not know them all */
	bool listed;          /* the roster is up to date, as far as it goes */
	bool joined;          /* in the room now */
	bool greeted;         /* what was kept from before joining has been shown */
	uint64_t last_seq;    /* of the newest message shown */
	uint64_t old_seq;     /* up to here, messages are from before joining */
	uint64_t read;        /* the user has seen everything up to here; 0: not known */
	uint64_t left_at; /* what `read` was when joining, while the marker stands for it; or 0 */
	char *draft;      /* what the user was writing here; owned, or NULL */
	bool answered;    /* the user has said something here */
};

/* A message that a search found. */
struct found_line {
	struct line line; /* owned */
	char *room;       /* owned; "" for a direct message, whose other end is `peer` */
	uint8_t peer[PERSON_ID];
	char *peer_nick; /* owned */
};

/* A search and what it has found, the newest first. */
struct found {
	bool open;
	char *words; /* owned, as they were typed */
	enum search_where where;
	char *room;               /* owned: to look in; or "" */
	uint8_t peer[PERSON_ID];  /* of the direct conversation to look in, */
	char *peer_nick;          /* owned; or NULL */
	struct found_line *lines; /* owned */
	size_t count;
	size_t chosen;
	bool asking;      /* the next page is wanted, */
	uint32_t request; /* and has been asked for under this number; or 0 */
	unsigned pages;   /* that may be asked for until something is found */
	uint64_t before;  /* for the next page; 0: from the newest on */
	bool more;        /* there may be more */
	char *trouble;    /* owned: why it failed; or NULL */
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
	char *careful; /* owned: that the server is another one than before, likewise; or NULL */
	char *met;     /* owned: the line about a key that is new here, likewise; or NULL */
	char *server_name;   /* "" until logged in */
	bool logged_in;      /* ever */
	bool was_online;     /* the state was LINK_ONLINE before */
	bool plaintext;      /* the connection is without TLS; set by whoever made it */
	bool kept;           /* the server keeps its history */
	bool inbox_shown;    /* direct messages from before the login have been shown */
	bool placed;         /* where the user was in the inbox has been told: */
	uint64_t inbox_read; /* direct messages up to here have been seen */
	uint64_t inbox_last; /* the newest that came */
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
	char hint[256];   /* a short word that the user should see; whoever shows it empties it */
	bool listing;     /* the user asked for the rooms */
	bool rooms_whole; /* `rooms` has all pages: the next one begins a new list */

	struct ranks operators;   /* of the server */
	struct model_room *rooms; /* owned: as listed last */
	size_t room_count;
	struct found found;
	uint8_t (*ignored)[PERSON_ID]; /* owned */
	char **ignored_nicks;          /* owned; as they were called last */
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

/* The user said something as a datagram: it is shown at once, and nothing more is heard of it. */
int model_tossed(struct model *m, struct buffer *b, const char *text);

/* An own message has been handed to the link under `counter`. What becomes of one to a buffer that is not
 * shown is told where the user looks then, too. ERR_MEMORY. */
int model_sent(
	struct model *m, struct buffer *b, enum said_kind kind, const char *text, uint64_t counter);

/* Add any line; takes over its strings. Counts it as unread where it is `fresh`. ERR_MEMORY. */
int model_add_line(struct model *m, struct buffer *b, struct line *l, bool fresh);

/* Do not show any more the room that is being joined. */
void model_stay(struct model *m);

/* A new copy of `text`, clean, in `*field`, whose old value is freed. ERR_MEMORY. */
int model_set(char **field, const char *text);

/* Forget which rooms there are. */
void model_forget_rooms(struct model *m);

/* The lines that the pane shows, where it looks, the marker and the line that was looked for in them. */
const struct scrollback *buffer_lines(const struct buffer *b);
struct rows_place *buffer_place(struct buffer *b);
struct rows_place buffer_where(const struct buffer *b);
uint64_t buffer_marker(const struct buffer *b);
uint64_t buffer_target(const struct buffer *b);

/* Does the pane look at something else than the newest line? */
bool buffer_is_back(const struct buffer *b);

/* Look at the newest line again. */
void buffer_to_end(struct buffer *b);

/* Forget the lines, but for those that wait to be sent, and the page that is asked for: what was said
 * before can be loaded again. */
void buffer_clear(struct buffer *b);

/* ---- what was said before (model_history.c) ---- */

/* Want what is before the lines shown: a page (`wanted` 0), or so many lines, which are then shown.
 * False: there is nothing before, or a page is being loaded already. */
bool model_want_older(struct buffer *b, size_t wanted);

/* Want what is after the lines of the past. */
void model_want_newer(struct buffer *b);

/* Want to look at the first message above a number (HISTORY_AFTER), or of a time or later
 * (HISTORY_SINCE). */
void model_want_place(struct buffer *b, enum history_from from, uint64_t value);

/* What the buffer wants has been asked for, or could not be. */
void model_asked(struct buffer *b, uint32_t request);
void model_ask_failed(struct buffer *b);

/* The user has moved down to the end of the past: go on in the newest lines, if they have met. */
void model_leave_past(struct buffer *b);

/* How far the user has seen what is in a buffer, to be told to the server (link_read); 0: as far as
 * before. A direct conversation tells how far the whole inbox was seen. */
uint64_t model_seen(struct model *m, struct buffer *b);

/* ---- searching (model_found.c) ---- */

/* Begin a search in a buffer, or everywhere. ERR_MEMORY. */
int model_search(struct model *m, const struct buffer *b, bool everywhere, const char *words);

/* Choose another one; near the end, more of them are wanted. */
void model_choose(struct model *m, size_t chosen);

/* What the search wants has been asked for. */
void model_searched(struct model *m, uint32_t request);
void model_search_failed(struct model *m, const char *why);

/* Go to what is chosen: the buffer, which is opened if need be, looks at it. NULL when there is
 * nothing, or memory is out. */
struct buffer *model_go_to_found(struct model *m);

/* ---- marks (model_ranks.c) ---- */

/* Something is being done that may change the charter of a room (NULL: of any): what is known of it is
 * not fresh any more. */
void model_doubt_ranks(struct model *m, const struct buffer *room);

/* Why the user may not speak in a room, as a sentence; NULL: they may, as far as is known. */
const char *model_silenced(const struct model *m, const struct buffer *b);

/* When (microseconds since 1970) somebody's mark ends by itself, and model_tick has something to do;
 * UINT64_MAX: never. */
uint64_t model_marks_until(const struct model *m);
void model_tick(struct model *m);

/* ---- ignoring ---- */

bool model_is_ignored(const struct model *m, const uint8_t person[PERSON_ID]);
/* Is what was said hidden because of who said it? The topic is not: it is the room's. */
bool model_hides(const struct model *m, const struct event *e);
int model_ignore(struct model *m, const uint8_t person[PERSON_ID], const char *nick);

/* They are called otherwise now, if they are ignored. ERR_MEMORY: they keep the nick before. */
int model_rename_ignored(struct model *m, const uint8_t person[PERSON_ID], const char *nick);

/* By the nick they have, or had when they were last heard of. False when nobody of that name was
 * ignored. */
bool model_unignore(struct model *m, const char *nick);

#endif
