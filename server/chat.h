/*
 * The chat: everything that connections share.
 *
 * It owns the log, the rooms, the register of people and the threads that send
 * (drain.h) and read the history (catchup.h), and connects them: what the engine
 * applies is published to feeds here.
 */
#ifndef LANCHAT_SERVER_CHAT_H
#define LANCHAT_SERVER_CHAT_H

#include "common/identity.h"
#include "common/message.h"
#include "server/admission.h"
#include "server/charter.h"
#include "server/engine.h"
#include "server/hub.h"
#include "server/logins.h"
#include "server/metrics.h"
#include "server/op_code.h"
#include "server/outlet.h"
#include "server/people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may be changed while the server runs. A plain value; times are milliseconds, 0 for never. */
struct policy {
	char name[SERVER_NAME_MAX + 1];
	int64_t handshake_ms;
	int64_t login_ms;
	int64_t frame_ms;
	int64_t ping_ms;
	int64_t idle_ms;
	uint32_t rate, burst; /* budget.h; rate 0: without limit */
	uint32_t replay_max;
	uint32_t rooms_each; /* rooms that one session may be in */
	uint32_t owned_max;  /* rooms that one person may own; 0: without limit */
	uint32_t nick_max, topic_max, text_max; /* bytes; 0: as far as the protocol goes */
	size_t members_max;                     /* of one room; 0: without limit */
	size_t rooms_max;
};

struct chat;

struct chat_config {
	struct identity identity;
	const struct engine_config *log; /* borrowed; NULL: the log is in memory */
	size_t keep_bytes;               /* of the log in memory */
	size_t window_bytes;             /* of recent frames, for all rooms */
	struct policy policy;
	const char *motd;            /* copied; NULL or "": none */
	struct admission *admission; /* borrowed, as is the next */
	struct op_code *op_code;
};

/* Open the log and start the threads. Errors as engine_open_sqlite, with one line in `error`. */
int chat_start(const struct chat_config *config, struct chat **out, char *error, size_t size);

/* Stop the threads and free everything. Every session has ended. NULL is allowed. */
void chat_stop(struct chat *c);

/* Borrowed, constant; any thread. */
struct engine *chat_engine(struct chat *c);
struct hub *chat_hub(struct chat *c);
struct people *chat_people(struct chat *c);
struct logins *chat_logins(struct chat *c);
struct metrics *chat_metrics(struct chat *c);
const struct outlet_hooks *chat_hooks(struct chat *c);
struct admission *chat_admission(struct chat *c);
struct op_code *chat_op_code(struct chat *c);
const struct identity *chat_identity(const struct chat *c);

/* The datagram lanes, borrowed; NULL: there are none. Set before any session, and constant from then
 * on. */
struct lanes;
void chat_set_lanes(struct chat *c, struct lanes *l);
struct lanes *chat_lanes(struct chat *c);

/* Bytes of recent frames, of all feeds. Any thread. */
size_t chat_window_bytes(struct chat *c);

/* Copy the policy of now, or replace it. Any thread. */
void chat_policy(struct chat *c, struct policy *out);
void chat_set_policy(struct chat *c, const struct policy *p);

/* A copy of the message of the day, for the caller to free; NULL when there is none. Any thread. */
char *chat_motd(struct chat *c);

/* Another one, copied; NULL or "" for none. ERR_TOO_BIG, ERR_TEXT, ERR_MEMORY. Any thread. */
int chat_set_motd(struct chat *c, const char *motd);

/* The server's charter as of now, or that of a room that is in use: a copy for the caller to end.
 * Errors as engine_charter; then it is empty. Any thread. */
int chat_charter(struct chat *c, struct charter *out);
int chat_room_charter(struct chat *c, struct room *room, struct charter *out);

/* Where nobody is an operator, say in the log how to become one, with a code that is made where there is
 * none; `*offered` (unless NULL) tells. Errors as chat_charter and op_code_make. Any thread. */
int chat_offer_operator(struct chat *c, bool *offered);

/* Bring a feed's news to its members, on this thread, or, where it goes on, on the drain's. */
void chat_pump(struct chat *c, struct feed *f);

/* A room's people changed: tell the others now or soon. */
void chat_tell(struct chat *c, struct room *r);

/* Have the drain thread go round once more, through the rooms as well, and how often it has so far.
 * Any thread. */
void chat_nudge(struct chat *c);
unsigned chat_turns(const struct chat *c);

/* A connection is over: the drain thread forgets its outlet. */
void chat_forget(struct chat *c, struct outlet *o);

#endif
