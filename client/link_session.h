/*
 * The client's side of the protocol: bytes in, events and bytes out.
 *
 * A session outlives connections. It remembers what has to survive them (the
 * nick, the rooms, how far each was read, what is not acknowledged) and drives
 * each connection through its phases: HELLO, LOGIN, then chatting. What has to
 * survive the process as well it keeps in a state (client/state.h). It knows no
 * sockets, no threads and no clock: the caller brings the bytes that arrived and
 * the time, sends what the session puts out, and closes the connection when a
 * function says so. That is why it can be tested and fuzzed byte by byte.
 *
 * Times are microseconds on the monotonic clock (clock_us). A session is not
 * thread-safe; the link's lock guards it.
 */
#ifndef LANCHAT_LINK_SESSION_H
#define LANCHAT_LINK_SESSION_H

#include "client/event.h"
#include "client/link.h"
#include "common/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_session;

struct link_session_config {
	struct identity identity;
	uint8_t instance[INSTANCE_ID];
	const char *nick;         /* copied; a good nick */
	const char *password;     /* copied; NULL: none */
	bool any_nick;            /* take the next free one */
	uint32_t replay;          /* messages to get when joining a room anew */
	const uint8_t *server_id; /* 32 bytes that WELCOME must carry, copied; NULL: any */

	bool ranks;               /* tell who is what (EVENT_RANKS) */
	const char *state_folder; /* copied; NULL: nothing outlives the process */
	const char *address;      /* copied: what the user calls the server; NULL: nothing */
	bool resume;              /* go on in rooms where the state left off (client/positions.h) */
	bool follow_log; /* implied by resume: where the server's log has become another one, go on where the
				     two part; false: begin anew */
};

/* Bytes on their way out. Zeroed storage is an empty one; `bytes` is from malloc. */
struct link_bytes {
	uint8_t *bytes;
	size_t length;
	size_t room;
	bool secret; /* a password is among them: link_bytes_wipe when they were sent */
};

/* Wipe what was sent, if that must not stay in memory. */
void link_bytes_wipe(struct link_bytes *b);

/* With a state folder, this opens files. ERR_MEMORY. */
int link_session_new(const struct link_session_config *config, struct link_session **out);
void link_session_free(struct link_session *s);

/* Write what is to outlive the process; link_session_free does so too. False: with `resume`, how far the
 * owner has dealt with what came cannot be written. */
bool link_session_save(struct link_session *s);

/* ---- one connection ---- */

/* Before it begins: the server has proven to have the key of this id, which is the only one that it may
 * claim to have in WELCOME. */
void link_session_prove(struct link_session *s, const uint8_t server[IDENTITY_SIZE]);

/* Add EVENT_MET; `before`: the key that was known by that name, or NULL. */
void link_session_met(struct link_session *s, const uint8_t server[IDENTITY_SIZE], const char *name,
	const uint8_t *before);

/* A connection is up: the greeting goes out. Login must be done by `deadline`. ERR_MEMORY. */
int link_session_begin(struct link_session *s, int64_t now, int64_t deadline);

/* The connection is gone; what was on its way will be sent again. */
void link_session_end(struct link_session *s);

/* Take what arrived: as many whole frames as there are. `*used` bytes are done with, also on
 * failure; the rest comes again, with more. 0; or the connection must be closed, and
 * link_session_reason says why: ERR_PROTOCOL (the server broke it), ERR_CLOSED (it said goodbye),
 * ERR_REFUSED (it will not have us, ever), ERR_MEMORY. */
int link_session_input(
	struct link_session *s, const uint8_t *bytes, size_t length, int64_t now, size_t *used);

/* Do what is due: pings, second tries. 0; ERR_TIMEOUT: the server has fallen silent, close. */
int link_session_tick(struct link_session *s, int64_t now);

/* When link_session_tick is next needed; INT64_MAX: never. */
int64_t link_session_deadline(const struct link_session *s);

/* The caller did not look for input, so that silence is no sign of anything. */
void link_session_heard(struct link_session *s, int64_t now);

/* Why the last connection had to be closed: one sentence, and a protocol code or 0. */
const char *link_session_reason(const struct link_session *s, unsigned *code);

/* Was the login accepted on this connection, even if it is over? And ever? */
bool link_session_logged_in(const struct link_session *s);
bool link_session_was_online(const struct link_session *s);

/* ---- what comes out ---- */

/* Swap what is to be sent into `out`, whose old content must have been sent. ERR_MEMORY: the
 * connection must be closed. */
int link_session_output(struct link_session *s, struct link_bytes *out);

/* Is there anything to send? */
bool link_session_has_output(const struct link_session *s);

/* Move the events since the last call to the end of `to`. */
void link_session_events(struct link_session *s, struct event_list *to);

/* The owner has dealt with this event, of which the type, room, seq, number, flag, own and instance are
 * looked at; in the order in which they came. With `resume`, positions on disk move behind it. True:
 * link_session_deadline has become an earlier one. */
bool link_session_done(struct link_session *s, const struct event *e);

/* The instance id under which messages are sent. EVENT_LOGGED_IN has it. */
const uint8_t *link_session_instance(const struct link_session *s);

/* Put a state event among the others, so that their order is right. `text` may be NULL. */
void link_session_state(struct link_session *s, enum link_state state, const char *text,
	uint64_t number, unsigned code);

/* ---- requests: see link.h, which has the same ones ---- */

int link_session_join(struct link_session *s, const char *room);
int link_session_part(struct link_session *s, const char *room);
int link_session_say(struct link_session *s, const char *room, enum said_kind kind,
	const char *text, uint64_t *counter);
int link_session_direct(struct link_session *s, const char *nick, const uint8_t *person,
	enum said_kind kind, const char *text, uint64_t *counter);
int link_session_nick(struct link_session *s, const char *nick); /* 1: as of link_nick */
int link_session_away(struct link_session *s, enum person_state state, const char *text);
int link_session_list_rooms(struct link_session *s);
int link_session_list_members(struct link_session *s, const char *room);
int link_session_history(struct link_session *s, const char *room, enum history_from from,
	uint64_t value, uint16_t limit, uint32_t *request);
int link_session_search(struct link_session *s, enum search_where where, const char *room,
	const char *words, uint64_t before, uint16_t limit, uint32_t *request);
int link_session_act(
	struct link_session *s, const char *room, const struct link_act *a, uint32_t *request);
int link_session_charter(struct link_session *s, const char *room, uint32_t *request);
int link_session_audit(struct link_session *s, const char *room, uint64_t before, uint16_t limit,
	uint32_t *request);
int link_session_whois(struct link_session *s, const char *nick, uint32_t *request);
int link_session_key(struct link_session *s, const char *room, const char *key);
int link_session_read(struct link_session *s, const char *room, uint64_t seq);
int link_session_password(struct link_session *s, const char *password);

int link_session_toss(struct link_session *s, const char *room, const char *text, int64_t now);
int link_session_race(
	struct link_session *s, const char *nick, const struct link_race_plan *plan, int64_t now);
void link_session_race_stop(struct link_session *s);
bool link_session_race_look(const struct link_session *s, int64_t now, struct link_race *out);
int link_session_race_accept(struct link_session *s, uint32_t race, uint32_t count, int64_t now);
int link_session_race_refuse(struct link_session *s, uint32_t race, unsigned code);

/* ---- the datagram lane of this connection ---- */

/* The lane that the server has given, once; false: there is none that is new. */
struct lane_offer {
	uint64_t id;
	uint16_t port; /* UDP, of the address that the connection is to */
	bool sealed;
};
bool link_session_lane_offer(struct link_session *s, struct lane_offer *out);

/* It can be sent to now; or, with a `problem` in words, never. */
void link_session_lane_ready(struct link_session *s, const char *problem, int64_t now);

/* What was in a datagram from the server. */
void link_session_lane_input(struct link_session *s, const struct frame *f, int64_t now);

/* A copy of a datagram that was there before came, from the server: it is counted, and nothing else. */
void link_session_lane_copy(struct link_session *s, const struct frame *f);

/* As link_session_output: whole frames, each for a datagram of its own. */
int link_session_lane_output(struct link_session *s, struct link_bytes *out);

/* Say goodbye; nothing is sent after it. */
int link_session_bye(struct link_session *s);

size_t link_session_unacknowledged(const struct link_session *s);

/* Messages that came a second time, or for a room that we are not in, and were dropped. */
uint64_t link_session_dropped(const struct link_session *s);

#endif
