/*
 * What the files of the model share: model.c (buffers and lines), model_event.c (the
 * connection, and which event goes where), model_room.c (rooms and people),
 * model_message.c (messages and their states), model_history.c (pages of what was
 * said before), model_found.c (searches).
 */
#ifndef LANCHAT_MODEL_PRIVATE_H
#define LANCHAT_MODEL_PRIVATE_H

#include "client/model.h"

/* The first failure of several things done one after the other. */
static inline int model_either(int a, int b)
{
	return a < 0 ? a : b;
}

static inline const char *model_or_empty(const char *text)
{
	return text ? text : "";
}

/* Does the id tell one person from all others? Sessions of the user's own are told by nick. */
bool model_is_telling(const struct model *m, const uint8_t person[PERSON_ID]);

/* Say it in the server's buffer, and where the user is looking. ERR_MEMORY. */
int model_announce(struct model *m, enum line_kind kind, const char *text);

/* A short word for the user, who is not to be kept waiting for it. */
void model_hint(struct model *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- model_room.c ---- */

int model_on_joined(struct model *m, const struct event *e);
int model_on_parted(struct model *m, const struct event *e);
int model_on_caught_up(struct model *m, const struct event *e);
int model_on_rooms(struct model *m, const struct event *e);
int model_on_places(struct model *m, const struct event *e);
int model_on_members(struct model *m, const struct event *e);
int model_on_presence(struct model *m, const struct event *e);
int model_on_renamed(struct model *m, const struct event *e);

/* Call a direct conversation as the other person is called now, where a room tells: what was said is
 * from when they may have had another nick. ERR_MEMORY. */
int model_name_direct(const struct model *m, struct buffer *b);

/* ---- model_ranks.c ---- */

int model_on_ranks(struct model *m, const struct event *e);

/* Give everybody in the room their mark; or one person who came, by nick. */
void model_mark_people(struct model *m, struct buffer *b);
void model_mark_person(struct model *m, struct buffer *b, const char *nick);

/* ---- model_message.c ---- */

int model_on_message(struct model *m, const struct event *e);
int model_on_tossed(struct model *m, const struct event *e);
int model_on_restored(struct model *m, const struct event *e);
int model_on_sent(struct model *m, const struct event *e);
int model_on_ack(struct model *m, const struct event *e);
int model_on_refused(struct model *m, const struct event *e);
int model_on_gap(struct model *m, const struct event *e);

/* After a break: what was on its way waits again. */
void model_wait_again(struct model *m);

/* What waited for its place in the log, and turns out to be before what came, waits no longer. */
void model_settle_kept(struct buffer *b);

/* The line that a message of the log makes. ERR_MEMORY. */
int model_make_line(const struct model *m, const struct event *e, struct line *l);

/* Where a message belongs; NULL: there is no such buffer. */
struct buffer *model_buffer_of(const struct model *m, const struct event *e);

/* The nick of a direct message's other end, as this client sees it. */
const char *model_other_nick(const struct model *m, const struct event *e);

/* An own message has come back from the log: it waits no longer. */
void model_stop_waiting(struct model *m, const struct event *e);

/* ---- model_history.c ---- */

void past_free(struct past *p);
int model_on_history(struct model *m, const struct event *e);

/* A request has failed: was it for a page? */
bool model_on_history_error(struct model *m, const struct event *e);

/* Put the marker where the user left off when joining. */
void model_mark_left(struct buffer *b);

/* ---- model_found.c ---- */

void found_fini(struct found *f);

/* What was found is of a log that is gone. */
void model_found_new_log(struct model *m);
int model_on_found(struct model *m, const struct event *e);
bool model_on_found_error(struct model *m, const struct event *e);

#endif
