/*
 * The client's network half: one thread that keeps a connection to one server.
 *
 * The link connects (trying a server's addresses in turn with a short head start
 * each), agrees on a version, logs in, joins the rooms it was told to, answers
 * pings, and after any break begins anew with back-off, resuming each room after
 * the last message that it has seen and sending what is not acknowledged again
 * under its old number. So whoever uses a link sees every message once and in
 * order, whatever the network does.
 *
 * It meets the rest of the program in two queues: requests go in by the functions
 * below, which never block on the network, and events come out by link_next.
 * link_fd becomes readable when there are events. All functions are for one
 * thread, the owner's; the link's own thread is inside.
 */
#ifndef LANCHAT_LINK_H
#define LANCHAT_LINK_H

#include "client/race.h"
#include "common/identity.h"
#include "common/message.h"
#include "common/net.h"
#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;
struct tls;

enum link_state {
	LINK_CONNECTING, /* event.text: to which address */
	LINK_LOGGING_IN,
	LINK_ONLINE,
	LINK_WAITING, /* event.number: milliseconds until the next try; event.text: why */
	LINK_FAILED,  /* for good, unless link_retry: event.text says why; event.code */
	LINK_CLOSED,  /* after link_quit */
};

/* The book (address_book.h) of servers, in config.data_folder. */
#define LINK_BOOK "known_servers"

/* Before the name of a server that was found by its beacon: no address begins so. */
#define LINK_BEACON "~"

struct link_config {
	/* Where: either host and port, resolved anew at each try, or a list of addresses (a server
	 * that discovery found). Copied. */
	const char *host; /* NULL: use the addresses */
	uint16_t port;
	const struct net_address *addresses;
	size_t address_count;
	const uint8_t *server_id; /* 32 bytes that WELCOME must carry; NULL: any */

	/* Where to look for a server that was found and is away: it may come back at another address. Not
	 * without TLS, by which it shows who it is. Borrowed until link_stop; NULL: all interfaces. */
	const struct option_list *interfaces;
	const struct option_list *not_interfaces;

	const char *name; /* what the server announced itself as; NULL: it did not */
	bool chosen;      /* the user asked for it by that name */

	struct tls *tls; /* borrowed until link_stop; NULL: plaintext */
	const char *
		data_folder; /* where servers are remembered (known_servers), copied; NULL: nowhere */
	struct identity identity; /* the one that `tls` has, too */
	const char *nick;
	const char *password; /* the server's; NULL: none. Copied */
	bool ranks;           /* tell who is what in small rooms, and on the server (EVENT_RANKS) */
	bool any_nick;        /* accept the next free one where it is taken */
	uint32_t replay;      /* messages to get when joining a room anew */
	bool keep_trying;   /* reconnect with back-off, for ever; false: a failure before the first
	                       login is LINK_FAILED, and so is a break longer than give_up_ms */
	int64_t give_up_ms; /* with keep_trying false: also the time for the first login; 0: 10 s */

	/* Where to keep what outlives the process (client/state.h): what was not acknowledged, and
	 * how far each room was read. NULL: nowhere. */
	const char *state_folder;
	bool resume;     /* join rooms where the state left off, not with the last `replay`. One
			    process at a time can, for each server: LINK_FAILED else */
	bool follow_log; /* where the server's log has become another one, go on where the two part;
			    false: begin anew, with the last `replay` */
};

enum event_type {
	EVENT_STATE,     /* state, text, number, code */
	EVENT_MET,       /* a server's key is met for the first time: person: its id, text: what the
	                      server is called; flag: another key was known by that name, peer */
	EVENT_LOGGED_IN, /* nick: the one given; text: the server's name; flag: history is kept;
	                      number: the longest text in bytes */
	EVENT_LOG_CHANGED, /* the server's log is another one (instance); flag: it goes on after seq, up
	                      to which both are the same; else positions were dropped; own: it is
	                      another server */
	EVENT_JOINED, /* room, text: topic, nick: who set it, seq: the room's last, number: what comes
	                      is above this one, count: people;
	                      read: how far the person had read it, 0 if unknown; flag: after a
	                      break, resumed */
	EVENT_PARTED,   /* room, text: why, code */
	EVENT_MESSAGE,  /* room or direct; kind, nick, person, text, seq, time, instance, counter;
	                      own: sent by this very link; direct: `room` is "", peer, peer_nick */
	EVENT_RESTORED, /* an own message that an earlier process left unacknowledged: room or
	                      direct, kind, text, counter, peer, peer_nick. It will be sent */
	EVENT_SENT,     /* counter: it is on its way. After a break it waits again */
	EVENT_ACK,      /* counter, seq, room as it was sent: it is kept */
	EVENT_REFUSED,  /* counter, code, text; not RETRY, which the link deals with */
	EVENT_MEMBERS,  /* room, number: people in all; people[count]: the whole list when flag.
	                      Without flag it is not: a room so large that the server tells only
	                      how many there are (count 0), or that its list was cut */
	EVENT_PRESENCE, /* room, change, person, nick, text, person_state, number: people in all */
	EVENT_ROOMS,    /* rooms[count], one more page; flag: the last one; number: rooms in all */
	EVENT_RENAMED,  /* nick: yours from now on */
	EVENT_NOTICE,   /* kind: enum notice_kind; text */
	EVENT_ERROR,    /* a request failed: code, text, room where it was about one; number: the
	                      request, for those that have one; flag: a key was shown, and is not the
	                      room's (code is CODE_KEY_WANTED) */
	EVENT_GAP, /* room ("" for direct messages): what came after `seq` and before `number` is
	                      no longer kept */
	EVENT_CAUGHT_UP, /* room: all that was kept has been delivered; seq */
	EVENT_RTT,       /* number: microseconds of the last ping */
	EVENT_PLACES,    /* places[count]: what the server knows of the person's rooms, after each
	                      login; flag: that was the last of them */
	EVENT_HISTORY, /* number: the request; room ("" for direct messages), entries[count] in order,
	                      as EVENT_MESSAGE; flag: there are more in that direction; seq: the
	                      newest that is no longer kept, or 0 */
	EVENT_FOUND,   /* number: the request; entries[count], newest first, as EVENT_MESSAGE; flag:
	                      there are more */
	EVENT_DONE,    /* number: the request of link_act that was done */
	EVENT_CHARTER, /* room ("": the server), kind: enum room_entry, flag: moderated, number: seconds
	                      of slow mode, code: enum rank, which is the user's; standings[count];
	                      own: nothing is known to have been done since it was asked for */
	EVENT_RANKS, /* the same, when something may have changed: config.ranks */
	EVENT_AUDIT, /* room, acts[count] in order; flag: there are earlier ones; own: those before some
	                      act were asked for, and not the newest */
	EVENT_TOSSED, /* room, kind, nick, person, text, time: somebody said it as a datagram. It has no
	                      number, and may have been lost, or come out of order */
	EVENT_LANE, /* text: why what was said as datagrams may not have arrived, or did not */
	EVENT_RACED, /* nick, person: they want to race us (link_race_accept); number: the race, read:
	                      how many messages, code: bytes of each */
	EVENT_PERSON, /* nick, person, person_state; flag: the nick is theirs; own: keys are proven
	                      here; code: enum rank on the server; text: the away message */
};
#define EVENT_TYPES (EVENT_PERSON + 1)

struct event_person {
	uint8_t person[PERSON_ID];
	enum person_state state;
	char *nick;
	char *away;
};

struct event_room {
	char *name;
	char *topic;
	uint32_t people;
};

struct event_standing {
	int kind; /* enum standing_kind */
	uint8_t person[PERSON_ID];
	char *label;
	uint64_t until; /* microseconds since 1970; 0: for good */
};

struct event_act {
	uint64_t seq;
	uint64_t time;
	unsigned verb; /* enum act_verb, or one that we do not know */
	char *nick;    /* who did it */
	char *label;   /* whom it is about, or "" */
	uint64_t value;
	char *text;
};

struct event_place {
	char *room; /* "": the direct messages */
	bool member;
	uint64_t read;
};

/* Owned strings are never NULL in events that have them; they are as they came over the wire: clean
 * them before drawing. */
struct event {
	enum event_type type;
	enum link_state state;
	char *room;
	char *nick;
	char *text;
	uint8_t person[PERSON_ID];
	uint8_t peer[PERSON_ID]; /* of a direct message: the other end, or oneself */
	char *peer_nick;
	bool direct;
	bool own;
	bool flag;
	int kind;
	unsigned code;
	uint64_t seq;
	uint64_t time; /* microseconds since 1970, UTC */
	uint8_t instance[INSTANCE_ID];
	uint64_t counter;
	uint64_t number;
	enum change_what change;
	enum person_state person_state;
	struct event_person *people;
	struct event_room *rooms;
	struct event_place *places;
	struct event_standing *standings;
	struct event_act *acts;
	struct event *entries; /* an array, owned by this event */
	size_t count;
	uint64_t read;
};

void event_free(struct event *e);

/* Start the thread. ERR_MEMORY, ERR_SYSTEM. */
int link_start(const struct link_config *config, struct link **out);

/* Say goodbye if there is a connection (within a second), end and join the thread, free all. NULL is
 * allowed. False: with config.resume, how far the owner has dealt with what came cannot be written to
 * disk, so that some of it will come again. */
bool link_stop(struct link *l);

/* Readable (poll) while events wait. */
int link_fd(const struct link *l);

/* The next event, owned by the caller (event_free); NULL when none waits. To ask for the next one is to
 * say that the one before has been dealt with: with config.resume, the positions on disk move behind
 * what it has dealt with, and a later process goes on there. */
struct event *link_next(struct link *l);

/* Requests. They may be made at any time; what cannot go now goes when there is a connection. Text
 * must be clean and within the limits: ERR_TEXT, ERR_TOO_BIG, ERR_ARGUMENT otherwise. `*counter`,
 * unless NULL, is the message's number, for the ACK that follows. */
int link_join(struct link *l, const char *room);
int link_part(struct link *l, const char *room);
int link_say(
	struct link *l, const char *room, enum said_kind kind, const char *text, uint64_t *counter);
int link_direct(struct link *l, const char *nick, const uint8_t *person, enum said_kind kind,
	const char *text, uint64_t *counter); /* person: 32 bytes, or NULL to go by nick */
/* 1: it is for the login, which another nick kept from succeeding. */
int link_nick(struct link *l, const char *nick);
int link_away(struct link *l, enum person_state state, const char *text);
int link_list_rooms(struct link *l);
int link_list_members(struct link *l, const char *room);

/* Ask for a page of what was said earlier in a room the user need not be in, or ("") of direct
 * messages; or search. `value` is a number or a time, as `from` says; limit: at most LIST_MAX.
 * `*request` is the number that EVENT_HISTORY, EVENT_FOUND or EVENT_ERROR will carry. These are for
 * this connection alone: when it breaks, the answer is EVENT_ERROR. ERR_CLOSED: there is none. */
int link_history(struct link *l, const char *room, enum history_from from, uint64_t value,
	uint16_t limit, uint32_t *request);
int link_search(struct link *l, enum search_where where, const char *room, const char *words,
	uint64_t before, uint16_t limit, uint32_t *request);

/* What may be done about a room ("": the server) and the people in it (common/rights.h): `label` is a nick
 * or a range of addresses. An answer is EVENT_DONE or EVENT_ERROR; of the others their event, or
 * EVENT_ERROR. ERR_CLOSED: there is no connection. Borrowed. */
struct link_act {
	enum act_verb verb;
	const char *label;
	uint64_t value;
	const char *text;
};
int link_act(struct link *l, const char *room, const struct link_act *a, uint32_t *request);
int link_charter(struct link *l, const char *room, uint32_t *request);
int link_audit(struct link *l, const char *room, uint64_t before, uint16_t limit,
	uint32_t *request); /* before: those below this event_act.seq; 0: the newest */
int link_whois(struct link *l, const char *nick, uint32_t *request);

/* The key to a room, shown each time that it is joined until the server says that it is a wrong one. Before
 * link_join. */
int link_key(struct link *l, const char *room, const char *key);

/* The datagram lane of the connection. */
enum link_lane {
	LINK_LANE_NONE,    /* not asked for */
	LINK_LANE_OPENING, /* asked for, or being tried */
	LINK_LANE_OPEN,    /* something came back */
	LINK_LANE_SILENT,  /* nothing does */
	LINK_LANE_REFUSED,
};

/* Say something in a room as a datagram: nobody acknowledges it, keeps it or sends it again. ERR_CLOSED:
 * there is no connection; ERR_REFUSED: no lane, for which EVENT_LANE or the race says why; ERR_FULL. */
int link_toss(struct link *l, const char *room, const char *text);

/* Send numbered messages over TCP and as datagrams at once to somebody, or ("") the server, who sends
 * them back; a race that was run before is stopped. Errors as link_toss, and ERR_MEMORY. */
struct link_race_plan {
	uint32_t count; /* 1 to RACE_COUNT_MOST */
	uint16_t size;  /* bytes of a datagram; a race has what comes nearest to it */
};
int link_race(struct link *l, const char *nick, const struct link_race_plan *plan);

/* Forget it. */
void link_race_stop(struct link *l);

enum link_race_stage {
	LINK_RACE_NONE,
	LINK_RACE_ASKING, /* for a lane, and whether they accept */
	LINK_RACE_RUNNING,
	LINK_RACE_OVER,
	LINK_RACE_FAILED,
};

#define LINK_RACE_MARKS 64

/* How a race is doing. */
struct link_race {
	enum link_race_stage stage;
	char nick[NICK_MAX + 1]; /* empty: the server itself */
	struct link_race_plan plan;
	enum link_lane lane;
	bool sealed;
	struct race_score scores[RACE_WAYS];
	enum race_mark marks[RACE_WAYS][LINK_RACE_MARKS];
	char why[REASON_MAX + 1]; /* it failed, or nothing came by UDP; or empty */
};

/* Look at it; false: there is none. */
bool link_race_look(struct link *l, struct link_race *out);

/* Send back what somebody's race (EVENT_RACED) sends, up to so many messages each way. ERR_CLOSED;
 * ERR_EXISTS: another's is going on. */
int link_race_accept(struct link *l, uint32_t race, uint32_t count);

/* Do not; `code` says why: RACING, RACE_TOO_SOON or RACE_TOO_MUCH of codes.def. ERR_CLOSED. */
int link_race_refuse(struct link *l, uint32_t race, unsigned code);

/* The user has seen everything in a room ("": the direct messages) up to `seq`. Told to the server
 * now and then; what is not told yet goes with link_quit. */
int link_read(struct link *l, const char *room, uint64_t seq);

/* Send what waits, say goodbye, then report LINK_CLOSED. */
void link_quit(struct link *l);

/* The server's password, for the next login and all after it, until the server refuses it: then it is
 * forgotten (LINK_FAILED with CODE_PASSWORD, as without one). Copied. Then it is as link_retry. */
int link_password(struct link *l, const char *password);

/* Try to connect now instead of waiting, or though it has failed for good. */
void link_retry(struct link *l);

/* Messages sent and not acknowledged yet. */
size_t link_unacknowledged(const struct link *l);

/* The instance id under which this process sends. It changes with EVENT_LOGGED_IN (which has it in
 * `instance`) when the server turns out to be another one than was expected. */
const uint8_t *link_instance(const struct link *l);

#endif
