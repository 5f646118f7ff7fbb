/*
 * What the files of the chat screen share: talk.c (its life and its picture),
 * talk_keys.c (what keys do), talk_command.c (what commands do), talk_box.c (help
 * and pastes), talk_history.c (looking back), talk_password.c (asking for the
 * server's password), talk_race.c (datagrams, and races), talk_search.c (what a
 * search found), talk_rights.c (who may do what).
 */
#ifndef LANCHAT_TALK_PRIVATE_H
#define LANCHAT_TALK_PRIVATE_H

#include "client/talk.h"

#include "client/command.h"
#include "client/complete.h"
#include "client/editor.h"
#include "client/hidden.h"
#include "client/layout.h"
#include "client/link.h"
#include "client/model.h"
#include "client/paste.h"
#include "client/recall.h"
#include "client/view.h"

#include <stdbool.h>

#define TALK_FIRST_ROOM "lobby" /* entered when no room is named */
#define SEARCH_PAGE     50      /* results that are asked for at once */

enum talk_overlay {
	OVERLAY_NONE,
	OVERLAY_HELP,
	OVERLAY_PASTE,
	OVERLAY_FOUND,
	OVERLAY_PASSWORD,
	OVERLAY_RACE,
};

struct talk {
	const struct app_config *config; /* borrowed, like the next two */
	struct terminal *terminal;
	struct canvas *canvas;
	struct keyring *passwords; /* borrowed */
	struct link *link;         /* owned */
	struct model model;

	struct editor editor;
	struct recall recall;
	struct completion completion;
	size_t input_start; /* the first byte of the input that is shown */

	struct layout layout; /* as drawn last */
	struct layout_wishes wishes;
	size_t rooms_top;

	enum talk_overlay overlay;
	char **box_lines; /* owned: what the overlay shows */
	size_t box_count, box_top;
	char box_title[64];
	struct paste paste;
	size_t found_top; /* the first result that is shown, */
	int found_line;   /* and on which line */
	bool placed;      /* the rooms where the user was before have been entered */

	struct hidden password;        /* while it is being typed */
	char place[KEYRING_PLACE_MAX]; /* the server's, in `passwords` */
	bool password_wanted; /* by the server: to be asked for when nothing else is open */
	bool password_shown;  /* to the server, which has not refused it yet */

	struct link_race race;             /* as it was looked at last */
	char race_room[ROOM_NAME_MAX + 1]; /* where it was asked for, and its result goes; */
	enum buffer_kind race_kind;
	int64_t race_look; /* clock_ms: when to look again */
	int64_t raced_at;  /* clock_ms: when we were raced last; 0: never */

	uint32_t act_request; /* of the last act, until it is answered; or 0 */
	char *act_room;       /* owned: where, "" the server */
	char *act_done;       /* owned: what is said when it is done */
	char *audit_room;     /* owned: what /audit showed last, "" the server; NULL: nothing yet */
	uint64_t audit_before; /* where the acts before that end */

	char hint[256];           /* instead of the status bar; empty: none */
	int64_t hint_until;       /* clock_ms */
	int64_t quit_until;       /* asking again until then means it */
	enum talk_wish leave_for; /* what is to come after it: TALK_QUIT, or another server */
	bool leaving;             /* what waits is being sent, and then that is the wish, */
	int64_t leave_at; /* at the latest now (clock_ms); or asking again until then means it */
	enum talk_wish wish;
	char server[COMMAND_WORD_MAX];
};

/* ---- talk.c ---- */

/* A line of the program's own words, where the user is looking. */
void talk_say(struct talk *t, enum line_kind kind, const char *text);

/* A short word instead of the status bar, for some seconds. */
void talk_hint(struct talk *t, const char *text);

/* Show a buffer that the user has chosen: what was being written stays with the one that is left. */
void talk_show(struct talk *t, size_t index);

/* The same where it is not chosen: a room that is being joined will be shown all the same. */
void talk_turn(struct talk *t, size_t index);

/* If nothing came of this server, and nothing would be lost by leaving it, wish for another one. */
void talk_despair(struct talk *t);

/* Leave this server for that, once everything has been sent; the second time at once. */
void talk_leave(struct talk *t, enum talk_wish wish);

/* ---- talk_box.c ---- */

/* Open the help, with the keys or the commands first. */
void talk_open_help(struct talk *t, bool keys_first);

/* Ask what to do with the paste in t->paste. */
void talk_open_paste(struct talk *t);
void talk_close_box(struct talk *t);

/* Add a line to the box; without memory it stays shorter. */
void talk_add_line(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The box's title and the words below it. */
struct box talk_box(const struct talk *t);

/* ---- talk_history.c ---- */

/* Ask the server for what the model wants, and tell it what the user has seen. */
void talk_ask(struct talk *t);

/* Enter the rooms of which the user is a member. */
void talk_join_places(struct talk *t, const struct event *e);

/* Scroll, up if negative; what is beyond the end is loaded. */
void talk_scroll(struct talk *t, long rows);

/* Bring the line that was looked for into sight, if there is one. */
void talk_reveal(struct talk *t);

/* To the first line that was unread. */
void talk_show_marker(struct talk *t);

/* The commands; false: they could not be done. */
bool talk_history(struct talk *t, const char *word);
bool talk_last(struct talk *t, const char *text);

/* ---- talk_password.c ---- */

/* Does the server want a password? It is asked for as soon as nothing else is open. */
void talk_password_event(struct talk *t, const struct event *e);
void talk_ask_password(struct talk *t);
void talk_password_key(struct talk *t, uint32_t key);
void talk_password_paste(struct talk *t, const struct input *in);

/* ---- talk_race.c ---- */

/* The commands; false: they could not be done. */
bool talk_udp(struct talk *t, const struct command *c);
bool talk_race(struct talk *t, const struct command *c);

/* Somebody wants to race. */
void talk_race_event(struct talk *t, const struct event *e);

void talk_race_key(struct talk *t, uint32_t key);

/* Look how the race is doing that is shown, and when to do so again, clock_ms. */
void talk_race_tick(struct talk *t, int64_t now);
int64_t talk_race_deadline(const struct talk *t);

/* ---- talk_search.c ---- */

bool talk_search(struct talk *t, const char *text);
void talk_found_key(struct talk *t, uint32_t key);
void talk_found_mouse(struct talk *t, const struct input *in);

/* ---- talk_rights.c ---- */

/* A command about rights; false: it could not be done. And what the server says to it. */
bool talk_rights(struct talk *t, const struct command *c);
void talk_rights_event(struct talk *t, const struct event *e);

/* Free what this part of the screen has. */
void talk_rights_stop(struct talk *t);

/* ---- talk_command.c ---- */

/* Say what is wrong; returns false. */
bool talk_fail(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Do what a line says. False: it could not be done, and the line should be kept. */
bool talk_run(struct talk *t, const char *line);

/* Send each line of a text as a message. False: see above; `*sent` are the bytes that went. */
bool talk_send(struct talk *t, const char *text, size_t *sent);

/* ---- talk_keys.c ---- */

void talk_key(struct talk *t, uint32_t key);
void talk_paste(struct talk *t, const struct input *in);
void talk_mouse(struct talk *t, const struct input *in);

#endif
