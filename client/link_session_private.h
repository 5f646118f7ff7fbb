/*
 * What the parts of the session share; nobody else includes this.
 *
 *     link_session.c          a connection's life, and what goes out
 *     link_session_request.c  what the user asks for, and the wishes that remain of it
 *     link_session_input.c    what comes in: dispatch, and the connection's own messages
 *     link_session_rooms.c    what comes in about rooms and the people in them
 *     link_session_said.c     what comes in that somebody said, and answers to what we said
 *     link_session_history.c  asking for what was said earlier, and the answers
 *     link_session_rights.c   who may do what
 *     link_session_lane.c     the datagram lane
 *     link_session_race.c     races over it
 *     link_session_read.c     how far the user has read
 *     link_session_keep.c     what outlives the process: messages that wait
 *     link_session_positions.c  how far was read, for the next process; another log
 *     link_session_copied.c   when another program has a copy of that
 */
#ifndef LANCHAT_LINK_SESSION_PRIVATE_H
#define LANCHAT_LINK_SESSION_PRIVATE_H

#include "client/link_session.h"
#include "client/outbox.h"
#include "client/positions.h"
#include "client/race.h"
#include "client/seats.h"
#include "client/state.h"
#include "common/lane.h"

/* Where a connection is. */
enum stage {
	STAGE_NONE,     /* there is none */
	STAGE_GREETING, /* HELLO is out */
	STAGE_LOGIN,    /* LOGIN is out */
	STAGE_ONLINE,
	STAGE_OVER, /* one side said goodbye */
};

/* A request of history or of a search, until its answer comes. */
struct inquiry {
	uint32_t tag;
	bool search;
	enum history_from from;
	uint64_t value; /* as in HISTORY; of a search, as `before` in SEARCH */
	uint16_t limit;
	char room[ROOM_NAME_MAX + 1]; /* empty: the inbox, or a search elsewhere */
	struct inquiry *next;
};

/* The datagram lane of a connection. */
struct client_lane {
	enum link_lane state;
	uint32_t tag; /* of LANE_OPEN, until its answer; or 0 */
	struct lane_offer offer;
	bool offered; /* and the link has not taken it */
	bool ready;   /* the link can send datagrams */
	bool tossed;  /* something was said over it */
	unsigned tries;
	int64_t ping_at, heard_at, give_up_at;
	struct link_bytes out; /* frames, each for a datagram */
	char why[REASON_MAX + 1];
};

/* The race that the user runs. */
struct client_run {
	enum link_race_stage stage;
	char nick[NICK_MAX + 1]; /* empty: the server itself */
	struct link_race_plan plan;
	uint32_t tag;      /* of RACE, until its answer; or 0 */
	uint32_t number;   /* the server's */
	int64_t ask_until; /* for an answer */
	struct race *race; /* owned, as is the next */
	char *padding;
	uint16_t padding_length;
	char why[REASON_MAX + 1];
};

/* The race that somebody else runs with us. */
struct client_guest {
	uint32_t race;   /* 0: none */
	bool waits;      /* it is to be accepted when the lane has been tried */
	int64_t idle_at; /* when it is over, unless something comes */
	uint32_t left[RACE_WAYS];
	size_t bytes[RACE_WAYS]; /* that may still be sent back */
};

struct link_session {
	/* Constant. */
	struct identity identity;
	uint8_t instance[INSTANCE_ID];
	bool any_nick;
	uint32_t replay;
	char *state_folder; /* owned; NULL: nothing is kept */
	char *address;      /* owned; under which the user knows the server, or empty */
	bool resume;
	bool follow_log;
	bool ranks;        /* the owner shows who is what */
	bool server_known; /* server_id must be met */
	uint8_t server_id[IDENTITY_SIZE];
	bool server_proven; /* on the connection that is, or comes */
	uint8_t proven_id[IDENTITY_SIZE];

	/* What outlives a connection. */
	char nick[NICK_MAX + 1];
	char password[PASSWORD_MAX + 1]; /* of the server; or empty */
	char nick_wanted[NICK_MAX + 1];  /* asked for, not given yet; or empty */
	bool nick_refused;               /* by the last login: it has to be another one */
	enum person_state away;
	char away_text[AWAY_MAX + 1];
	bool rooms_wanted; /* the list of rooms */
	size_t rooms_got;  /* of that which is coming, so far */
	bool met;          /* the server with this id is the one that all of this is of */
	uint8_t met_id[IDENTITY_SIZE];
	bool log_known;
	uint8_t log[INSTANCE_ID];
	bool inbox_known; /* there is a position in the direct messages */
	uint64_t inbox_seen;
	struct reading inbox_reading;
	bool read_waits;  /* the server is to be told how far something was read */
	int64_t read_due; /* not before that time */
	struct seats seats;
	struct outbox outbox;
	struct state *state;         /* owned; NULL: none, or the server is not known yet */
	bool keep_failed;            /* there cannot be one */
	bool left;                   /* `state` was of another server; the numbers go on */
	struct positions *positions; /* owned; NULL: without `resume`, or not known yet */
	bool was_online;
	bool copied; /* another program uses our instance: nothing more is said under it */
	uint64_t dropped;
	struct client_run run; /* what came of it is kept until it is stopped */
	unsigned logins_lost;  /* LOGINs that were not answered: the server may yet see them */

	/* This connection's. */
	enum stage stage;
	bool logged_in; /* stays true when the stage moves on */
	bool log_named; /* LOGIN said of which log the positions are */
	uint32_t last_tag;
	uint32_t compare_tag, login_tag, nick_tag, away_tag, rooms_tag, ranks_tag;
	uint64_t audit_before; /* as it was asked for last */
	struct ranks_query server_ranks;
	uint8_t log_next[INSTANCE_ID]; /* the server's, while it is asked how much of it is new */
	bool rights;                   /* the server knows of them */
	bool lanes;                    /* and of these */
	struct client_lane lane;
	struct client_guest guest;
	uint32_t race_tag;   /* of the last RACE, for whatever comes of it late; 0: none */
	uint32_t accept_tag; /* of RACE_ACCEPT, until its answer; or 0 */
	bool kept;           /* WELCOME said that history is kept */
	char server_name[SERVER_NAME_MAX + 1];
	uint32_t text_max;
	int64_t login_deadline;
	int64_t heard_at;
	int64_t ping_at; /* when the next one is due */
	bool ping_out;
	uint64_t ping_token;
	struct inquiry *inquiries; /* owned, the newest first */
	int64_t resend_at;         /* nothing is said before that time; 0: no pause */
	int64_t retry_pause;       /* how long the next pause will be */
	unsigned code;             /* why it ended */
	char reason[REASON_MAX + NICK_MAX + 64];

	/* What is to be written to disk. */
	int64_t save_at; /* 0: nothing is */
	bool inbox_keep; /* as `keep` and `kept` of a seat */
	uint64_t inbox_kept;
	bool moving; /* positions on disk are of the log before, and will be lowered to ... */
	uint64_t moving_upto;
	unsigned left_events; /* servers that were left, with events still to be dealt with */

	/* The time of the call that is being served. */
	int64_t now;

	/* What comes out. */
	struct link_bytes out;
	struct event_list events;
	bool event_broken;  /* the last event is not complete */
	bool out_of_memory; /* something could not be put out; the connection must end */
};

/* Encode a message and put it out. A failure is remembered in out_of_memory. */
void client_send(struct link_session *s, enum message_number number, const void *value);

/* The same into other bytes, or with more room: `most` bytes for the frame. */
void client_put(struct link_session *s, struct link_bytes *b, enum message_number number,
	const void *value, size_t most);

/* The same as client_send for what may not overtake what was said before it. */
void client_request(struct link_session *s, enum message_number number, const void *value);

/* Let messages out of the outbox, in order, until `enough` bytes wait to be sent. */
void client_fill(struct link_session *s, size_t enough);

/* Ask for the time of the way there and back, unless an answer is due already. */
void client_ping(struct link_session *s);

/* When a seat may ask for its members again; INT64_MAX: it need not. */
int64_t client_members_due(const struct seat *seat);

/* 0, or ERR_MEMORY when something could not be put out: then the connection must end, and resuming
 * brings again whatever got lost. */
int client_check_memory(struct link_session *s);

/* A new tag, never 0. */
uint32_t client_tag(struct link_session *s);

/* The seat of a room that the server tells about; NULL when the owner is not to hear of it. */
struct seat *client_seat(struct link_session *s, struct span room);

/* Bring a seat nearer to what is wanted of it: join, leave, ask for its members, or free it. */
void client_pursue(struct link_session *s, struct seat *seat);

/* Everything that waited for the login. */
void client_pursue_all(struct link_session *s);

/* Ask for the next page of the list of rooms; `after` is the last name of the one before. */
void client_ask_rooms(struct link_session *s, struct span after);

/* Ask for the members' next page; `after` is the last nick of the one before, or empty. */
void client_ask_members(struct link_session *s, struct seat *seat, struct span after);

/* Who is what in a room, or on the server, is to be asked for, unless it was less than `age` ago. */
void client_want_ranks(struct link_session *s, struct ranks_query *q, int64_t age);

/* Ask for it when it is due; INT64_MAX: it is not. Was that the answer, or the error instead? */
int64_t client_ranks_due(const struct link_session *s);
void client_ranks_tick(struct link_session *s);
bool client_ranks_answered(struct link_session *s, uint32_t tag);

/* The server could not say whether it kept `counter`: it and all after it go again, after a pause. */
void client_retry(struct link_session *s, uint64_t counter);

/* The server keeps messages again: the next pause is short. */
void client_retry_over(struct link_session *s);

/* An event that joins the others at once; NULL when memory is or was out, which is remembered. */
struct event *client_event(struct link_session *s, enum event_type type);

/* event_set and event_set_span, with a failure remembered. */
void client_set(struct link_session *s, char **field, const char *text);
void client_set_span(struct link_session *s, char **field, struct span text);

/* One frame of the server's; the results of link_session_input. */
int client_handle(struct link_session *s, const struct frame *f);

/* Deals with one kind of message; results as those of link_session_input. */
typedef int client_handler(struct link_session *s, const union message *m);

client_handler client_on_joined, client_on_parted, client_on_room_list, client_on_member_list,
	client_on_presence;
client_handler client_on_places, client_on_history_page, client_on_found;
client_handler client_on_charter_is, client_on_audit_page, client_on_person;
client_handler client_on_ack, client_on_refused, client_on_said, client_on_direct_said,
	client_on_gap, client_on_caught_up;

client_handler client_on_lane, client_on_raced, client_on_race_over, client_on_probe,
	client_on_tossed;

/* Ask for a lane, if that was not done yet. Settled: it is known whether datagrams get through. */
void client_lane_open(struct link_session *s);
bool client_lane_is_settled(const struct link_session *s);
/* Put out a frame, of `most` bytes at most, for a datagram; where too much waits, it is lost. */
void client_lane_put(
	struct link_session *s, enum message_number number, const void *value, size_t most);
/* A PROBE that came that way; and a copy of one. */
void client_race_probe(struct link_session *s, enum race_way way, const struct msg_probe *m);
void client_race_copy(struct link_session *s, const struct msg_probe *m);

/* An error, or a DONE, that is about the lane, or about a race. */
bool client_lane_refused(struct link_session *s, const struct msg_error *error);
bool client_race_refused(struct link_session *s, const struct msg_error *error);
bool client_race_done(struct link_session *s, uint32_t tag);

/* What is due, and when that will be; INT64_MAX: never. */
void client_lane_tick(struct link_session *s);
int64_t client_lane_due(const struct link_session *s);
void client_race_tick(struct link_session *s);
int64_t client_race_due(const struct link_session *s);

/* The connection is over; and the session. */
void client_lane_end(struct link_session *s);
void client_race_end(struct link_session *s);
void client_race_free(struct link_session *s);

/* What all events of a message have, but for its room. */
void client_fill_message(struct link_session *s, struct event *e, const struct item_entry *m);

/* If `tag` is that of a question, it will not be answered: complete the error about it. */
bool client_inquiry_failed(struct link_session *s, uint32_t tag, struct event *e);

/* The connection is over: an error for each question; or only free them. */
void client_inquiries_end(struct link_session *s);
void client_inquiries_free(struct link_session *s);

/* Tell the server how far everything was read, or one room alone. */
void client_tell_read(struct link_session *s);
void client_tell_read_of(struct link_session *s, struct seat *seat);

/* The server may not know: it will be told again. Or what was read means nothing any more. */
void client_untell_read(struct link_session *s);
void client_forget_read(struct link_session *s);

/* Updates about a room's people were missed: the whole list is needed, when its turn comes. */
void client_refresh_people(struct link_session *s, struct seat *seat);

/* A message will not be sent: the owner is told, and it leaves the outbox. */
void client_refuse(struct link_session *s, struct outgoing *m, unsigned code, const char *text);

/* Open what is kept, if the server is known; events for what an earlier process left. ERR_MEMORY. */
int client_keep_start(struct link_session *s, const struct link_session_config *config);

/* Another server answers: close what is kept for the one before. */
void client_keep_leave(struct link_session *s);

/* This is the server: open what is kept for it, if that is not done. ERR_MEMORY. */
int client_keep_meet(struct link_session *s, const uint8_t server[IDENTITY_SIZE]);

/* The server has accepted numbers that are above all that we know of. False: that cannot be. */
bool client_keep_overtaken(struct link_session *s, uint64_t accepted);

/* With `resume`, open the positions that are kept, and take them. A result of positions_open, and then
 * the reason in words. */
int client_positions_open(
	struct link_session *s, const uint8_t server[IDENTITY_SIZE], char *reason, size_t size);

/* A seat is new: give it the position that is kept, if there is one. Errors as positions_get, but for
 * ERR_NOT_FOUND. */
int client_positions_of(struct link_session *s, struct seat *seat);

/* Is any known? */
bool client_positions_any(const struct link_session *s);

/* They are of this log from now on, which is the same up to number `upto`. */
void client_positions_move(struct link_session *s, const uint8_t log[INSTANCE_ID], uint64_t upto);

/* They will be of this log; there is none yet. Or drop them: they mean nothing any more. */
void client_positions_begin(struct link_session *s, const uint8_t log[INSTANCE_ID]);
void client_positions_forget(struct link_session *s);

/* Write how far the owner has dealt with what came. False: it could not be written. */
bool client_positions_save(struct link_session *s);

/* Go on under another instance, in a file of its own: the outbox holds what was never sent. */
void client_keep_renew(struct link_session *s);

/* Another program uses a copy of what is kept, and so our instance and numbers: the owner is told,
 * once, and nothing is sent any more until there is another instance. */
void client_copied(struct link_session *s);

/* Is what the answer `duplicate` tells of a message true of another one, or may it be? Then the
 * sentence that says so; else NULL. */
const char *client_copied_reason(const struct link_session *s, const struct outgoing *m);

/* After an answer: close the connection when there are no more to wait for. */
int client_copied_answer(struct link_session *s);

/* The connection is over: what it tells about copies, and then another instance. */
void client_copied_end(struct link_session *s);

/* Something changed that is to be saved soon; save what is due; or now (false: positions could not be
 * written); and close. */
void client_keep_touch(struct link_session *s);
void client_keep_tick(struct link_session *s);
bool client_keep_save(struct link_session *s);
void client_keep_free(struct link_session *s);

/* Show the key of a seat's room, if there is one, before it is joined. */
void client_unlock(struct link_session *s, const struct seat *seat);

/* A request was done. */
void client_done(struct link_session *s, uint32_t tag);

/* The sentence that explains a refusal: the server's own, else ours for the code. */
const char *client_reason(char out[REASON_MAX + 1], unsigned code, struct span text);

/* Note why the connection ends; returns `result`. */
int client_fail(struct link_session *s, int result, unsigned code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
