/*
 * Sessions: one connection, from its first byte to its last, on a thread of its
 * own.
 *
 * The thread reads, understands and acts; it sends nothing to anybody but through
 * outlets. Everything a peer can stall has a deadline. Handlers are rows of a
 * table (session_table.c) and live in files by subject: session_open.c (agreeing
 * and logging in), session_room.c (rooms and people), session_say.c (messages),
 * session_history.c (what was said before), session_rights.c (who may do what),
 * session_audit.c (what was decided and done), session_lane.c (the datagram lane). What a peer may take at most is
 * session_limit.c.
 *
 * The struct is for those files; everybody else uses session_run and
 * session_stop.
 */
#ifndef LANCHAT_SERVER_SESSION_H
#define LANCHAT_SERVER_SESSION_H

#include "common/log.h"
#include "common/net.h"
#include "common/message.h"
#include "server/budget.h"
#include "server/chat.h"
#include "server/intake.h"
#include "server/logins.h"
#include "server/member.h"
#include "server/room.h"
#include "server/rules.h"
#include "server/stack.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_BATCH      64          /* messages appended in one call at most */
#define SESSION_LIST_BYTES (60 * 1024) /* of one page of a list, so that its frame fits anyway */

enum session_phase {
	SESSION_HANDSHAKE, /* TLS is not agreed yet */
	SESSION_HELLO,     /* nothing agreed yet */
	SESSION_LOGIN,     /* a version agreed */
	SESSION_CHATTING,  /* logged in */
	SESSION_OVER,
};

/* The peer guessed at a password, an operator code or a room's key: may it be told whether that was
 * `right`? CODE_NONE, and a wrong one is counted; CODE_PENALTY. */
typedef enum code session_guess(void *context, bool right);

/* Of what an address has only so much, however many connections it has. */
enum session_share {
	SESSION_ROOM,   /* it is in one */
	SESSION_SEARCH, /* it does one */
};

/* One more, which its address may have: true; or it has one less. Of SESSION_SEARCH, `*ms` tells how long
 * the address did so of late, or is how long this one took. */
typedef bool session_count(void *context, enum session_share what, bool in, int64_t *ms);

/* A room that the session is in. */
struct session_room {
	struct room *room;     /* from hub_open, back by hub_leave */
	struct member *member; /* counted */
};

struct session {
	struct chat *chat;     /* borrowed, constant */
	struct outlet *outlet; /* counted, constant */
	const struct stack
		*stack; /* borrowed, constant while it runs: its thread's; NULL: not known */
	char peer[NET_ADDRESS_MAX];
	atomic_uint stopping; /* the code to end with, set from outside; CODE_NONE: go on */

	/* The rest is the session thread's own. */
	struct policy policy; /* as of when the connection began */
	struct intake intake;
	struct budget budget;
	int64_t resting_until; /* clock_ms: not read from before; 0: read from */
	enum session_phase phase;
	int64_t began;        /* clock_ms, as are the next three */
	int64_t heard;        /* when bytes last came */
	int64_t frame_since;  /* when the frame began that is not complete; 0: none is */
	int64_t pinged;       /* when we last asked for a sign of life */
	const char *end_text; /* constant; what the peer is told; NULL: the code's own */
	enum code end_code;   /* why it ends; CODE_NONE: the peer left */
	bool linger;          /* there is something to tell before closing */
	bool misbehaved;
	bool told_slowed;                /* that it sends more than it may */
	void (*on_login)(void *context); /* constant while it runs; NULL: nobody is told */
	void *on_login_context;
	session_guess *on_guess; /* constant while it runs; NULL: guesses are free */
	void *on_guess_context;
	session_count *on_share; /* constant while it runs; NULL: nobody counts */
	void *on_share_context;

	uint8_t person[PERSON_ID];
	bool proven;                /* that it is theirs, by TLS */
	bool borrowed;              /* it is not, and was somebody's who has */
	unsigned taken_nicks;       /* that it asked for and did not get */
	unsigned wrong_keys;        /* of rooms, that it has shown */
	char *password;             /* owned; what was shown before the login; NULL: none was */
	struct stream_key unlocked; /* the room whose key was shown last; length 0: none */
	char unlocked_key[CHARTER_KEY_MAX]; /* as it was locked then */
	uint8_t instance[INSTANCE_ID];
	struct login login; /* entered while it chats */
	char nick[NICK_MAX + 1];
	bool same_log; /* the client's positions are of this log */
	enum person_state state;
	char *away;         /* owned; NULL: no message */
	char *farewell;     /* owned: what the client said in its BYE */
	char *told, *seen;  /* owned; of a login_end, written before `stopping`; NULL: no words */
	struct feed *inbox; /* counted */
	struct member *inbox_member;
	struct session_room *rooms;
	size_t room_count, room_size;

	struct log_entry *batch; /* SESSION_BATCH of them, or NULL; they borrow from the intake */
	struct room **batch_rooms;
	size_t batch_count;
	int64_t batch_began; /* clock_us: when the first of them was understood */
	uint64_t retry_from; /* after a RETRY: the counter to go on from; 0: none */
	uint64_t accepted;   /* the highest counter known to be accepted of this instance */
	uint64_t refused;    /* the highest counter refused for good on this connection */
	int64_t raced_at;    /* clock_ms: when it asked for a race last; 0: never */
	int64_t turn_in;     /* milliseconds, in slow mode, as of the last message */
};

/* Run a connection to its end on the calling thread. `quiet`, unless NULL, is called when it has
 * heard its last message, and may wait for others to have done so too; after that it goes on to
 * send what is left, and to say goodbye. Everything it has taken, the outlet apart, is given back. */
void session_run(struct session *s, void (*quiet)(void *context), void *context);

/* Make a session for a stream, which it owns from then on. ERR_MEMORY: the stream is the
 * caller's. */
int session_new(struct chat *c, struct stream *stream, const struct net_address *peer,
	struct session **out);

/* After the thread has been joined, or was never started. NULL is allowed. */
void session_free(struct session *s);

/* Call `told` on its thread when somebody has logged in. Before session_run. */
void session_on_logged_in(struct session *s, void (*told)(void *context), void *context);

/* What its thread runs on, which is to be given back while it waits for long. Before session_run. */
void session_on_stack(struct session *s, const struct stack *stack);

/* Have `judge` count the guesses of its peer, on its thread. Before session_run. */
void session_on_guess(struct session *s, session_guess *judge, void *context);

/* Have `count` count what its address shares, on its thread. Before session_run. */
void session_on_share(struct session *s, session_count *count, void *context);

/* Did its peer break the protocol, which counts against its address? After session_run. */
bool session_misbehaved(const struct session *s);

/* Have it say goodbye and end soon. Any thread, until session_free. */
void session_stop(struct session *s);

/* ---- for the files of the session ---- */

/* Act on one message. 0: go on; otherwise the connection ends with session_end's code. */
typedef int session_handler(struct session *s, const union message *m);

struct session_row {
	uint16_t number;
	session_handler *handler;
};

/* The handler of a message that a client may send; NULL: none. */
session_handler *session_handler_of(uint16_t number);

/* Have it end, as its client has logged in anew, or is sent away. Any thread; the `end` of its login. */
void session_send_away(void *session, const struct login_end *e);

/* Encode a message and put it behind the replies. Waits while the peer has too many waiting, until
 * the idle deadline. 0, or the reason to end. */
int session_reply(struct session *s, enum message_number number, const void *message);
int session_reply_frame(struct session *s, const uint8_t *frame, size_t length);

/* The same without waiting: ERR_FULL where there is no room now. */
int session_reply_now(struct session *s, enum message_number number, const void *message);

/* The same for a message with a list of at most SESSION_LIST_BYTES. */
int session_reply_list(struct session *s, enum message_number number, const void *message);

/* ERROR for a request, with the code's own words or with better ones. */
int session_refuse(struct session *s, uint32_t tag, enum code code);
int session_refuse_saying(struct session *s, uint32_t tag, enum code code, const char *text);

/* The connection is to end: `code` is told to the peer. Returns ERR_PROTOCOL, for handlers to
 * return. */
int session_end(struct session *s, enum code code);

/* ---- session_limit.c ---- */

/* As session_end and session_refuse, for a limit: it is counted, and the text names it. */
int session_end_limit(struct session *s, enum limit limit);
int session_refuse_limit(struct session *s, uint32_t tag, enum limit limit);

/* As session_count; rooms have no `ms` (NULL). */
bool session_enter_one(struct session *s, enum session_share what, int64_t *ms);
void session_leave_one(struct session *s, enum session_share what, int64_t *ms);

/* Pay for having looked `asked` entries back, where not more than `span` numbers are: who asks for all that
 * there is, and finds little, pays little. */
void session_pay_replay(struct session *s, uint32_t asked, uint64_t span);

/* As session_guess. Before anything is done that tells whether it was right. */
enum code session_judge_guess(struct session *s, bool right);

/* It has to rest, for it sent more than it may: counted each time, told once. 0, or the reason to
 * end. */
int session_tell_slowed(struct session *s);

/* May a nick, a topic or a text (which one the limit says) have so many bytes? CODE_NONE, or the code to
 * refuse it with. */
enum code session_check_length(struct session *s, enum limit limit, size_t length);
uint32_t session_text_max(const struct session *s);

/* When it is time to look at the deadlines again, clock_ms; and looking: what is due is done. 0, or the
 * reason to end. */
int64_t session_next_deadline(const struct session *s);
int session_check_deadlines(struct session *s);

/* When a peer that has done nothing since then is given up; clock_ms. */
int64_t session_idle_deadline(const struct session *s, int64_t since);

/* ---- the rest ---- */

/* Why it ends, in words; not while it goes on. */
const char *session_last_words(const struct session *s);

/* What others are told of why it left its rooms. */
const char *session_seen_words(const struct session *s);

/* Append what the batch holds, acknowledge it, and pump its rooms. */
int session_flush_batch(struct session *s);

/* Free the batch, which is empty, until there is something to append again. */
void session_forget_batch(struct session *s);

/* Answer a message that cannot be kept as it is; or as the log says, if its counter is settled. */
int session_refuse_message(struct session *s, uint64_t counter, enum code code);

/* This session as its rooms see it. */
struct room_session session_as_seen(const struct session *s);

/* The place of a room of that name among the session's; NULL when it is in none. */
struct session_room *session_find_room(struct session *s, struct span name);
struct session_room *session_find_key(struct session *s, const struct stream_key *key);

/* Forget the rooms out of which it was sent. Not while anything is in the batch. */
void session_sweep(struct session *s);

/* ---- who may do what ---- */

/* The person, if that was proven; NULL. */
const uint8_t *session_person(const struct session *s);

/* What holds in a room (NULL: on the server), as copies: session_rules_drop ends them. ERR_MEMORY,
 * ERR_SYSTEM. */
struct session_rules {
	struct rules rules;
	struct charter server, room;
};
int session_rules_take(struct session *s, const struct stream_key *room, struct session_rules *out);
void session_rules_drop(struct session_rules *r);

/* What is kept for a person is for those who prove to be them. Whoever names the id of somebody who did so
 * before, on a server without TLS now, gets what is said to them from then on, and nothing that was; nor
 * is anything kept of where they are. Looks into the log. */
bool session_is_borrowed(struct session *s);

/* May it come into a room, or read what was said there? CODE_NONE, or why not. */
enum code session_may_enter(struct session *s, const struct stream_key *room);

/* Refuse with CODE_BANNED, from a room or (NULL) from the server; for how long, where it ends. */
int session_refuse_banned(struct session *s, uint32_t tag, const struct stream_key *room);

/* Having been let in a moment ago, may it stay? What lets people in, such as being a member, need not be
 * so any more; a ban counts. CODE_NONE, or why not. */
enum code session_may_stay(struct session *s, const struct stream_key *room);

/* Is the person an operator of the server? False where that cannot be known. */
bool session_is_operator(struct session *s);

/* Who has a nick now, or owns it, or had it last. */
enum code session_find_nick(
	struct session *s, struct span wanted, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

/* Tell the client where its person has been. */
int session_tell_places(struct session *s);

/* Have it kept that the person is a member of a room, or no longer; and what they are called. That they
 * are none any more is waited for: where only members come in, they do not come in again. */
void session_note_member(struct session *s, const struct room *room, bool member);
void session_note_nick(struct session *s);

/* Have it be the person's, if they are proven and nobody owns it. CODE_NONE, also where it could not be
 * kept; CODE_NICK_TAKEN, CODE_NICKS_FULL. */
enum code session_claim_nick(struct session *s, const char *nick);

/* A line of the log about this session. */
#define session_log(s, ...)                                                                        \
	log_about(LOG_LEVEL_INFO, &(struct log_about){.peer = (s)->peer, .nick = (s)->nick},       \
		__VA_ARGS__)

/* Its lane and its races end; or its lane's messages are from somebody of its new nick. */
void session_close_lane(struct session *s);
void session_rename_lane(struct session *s);

/* Leave every room and the register of people. */
void session_leave_all(struct session *s);

session_handler session_on_hello, session_on_compare, session_on_login, session_on_ping,
	session_on_pong, session_on_bye;
session_handler session_on_join, session_on_part, session_on_rooms, session_on_members,
	session_on_nick, session_on_away;
session_handler session_on_say, session_on_direct;
session_handler session_on_history, session_on_search, session_on_read;
session_handler session_on_act, session_on_charter, session_on_audit, session_on_unlock,
	session_on_whois, session_on_password;
session_handler session_on_lane_open, session_on_race, session_on_race_accept, session_on_probe,
	session_on_race_over;

#endif
