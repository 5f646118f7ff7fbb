#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

#define PAGE LIST_MAX /* items asked for at once */

/* Rooms at once: whoever was in more is told of so many (PLACES). */
#define SEATS_MOST 10000

/* ---- wishes ---- */

static void send_join(struct link_session *s, struct seat *seat)
{
	/* The server resumes in the log that the login named. What came while the room was joined
	 * quietly was not shown, so there is nothing to go on from either. */
	bool resuming = seat->seen_known && !seat->quiet && s->log_named;
	if (seat->wanted)
		seat->quiet = false;
	struct msg_join join = {
		.tag = client_tag(s),
		.room = span_of(seat->name),
		.flags = resuming ? JOIN_RESUME : 0,
		.after = resuming ? seat->seen : 0,
		.replay = seat->quiet ? 0 : s->replay,
	};
	client_unlock(s, seat);
	seat->tag = join.tag;
	seat->state = SEAT_JOINING;
	seat->rekeyed = false;
	seat->resuming = resuming;
	if (!resuming)
		seat->seen_known = false;
	/* This one goes before what waits to be said: that may be for the room. */
	client_send(s, MESSAGE_JOIN, &join);
}

static void send_part(struct link_session *s, struct seat *seat)
{
	struct msg_part part = {.tag = client_tag(s), .room = span_of(seat->name)};

	client_tell_read_of(s, seat);
	seat->tag = part.tag;
	seat->state = SEAT_LEAVING;
	client_request(s, MESSAGE_PART, &part);
}

/* Does something that was said for the room still wait for its answer? Then the server may yet have
 * to be asked to take it, which it does of members alone. */
static bool is_owed(const struct link_session *s, const struct seat *seat)
{
	char folded[NAME_FOLDED_MAX];

	for (const struct outgoing *m = s->outbox.head; m && !seat->barred; m = m->next) {
		if (!m->direct && name_fold(m->to, strlen(m->to), folded) == 0 &&
			strcmp(folded, seat->folded) == 0)
			return true;
	}
	return false;
}

/* From here on the owner knows nothing of the room. */
static void hide(struct link_session *s, struct seat *seat)
{
	struct event *e = seat->joined_before ? client_event(s, EVENT_PARTED) : NULL;

	if (e) {
		client_set(s, &e->room, seat->name);
		client_set(s, &e->text, "");
	}
	seat->joined_before = false;
	seat->quiet = true;
}

/* The owner has left a room while there was no connection, or it could not be joined. */
static void leave_quietly(struct link_session *s, struct seat *seat)
{
	hide(s, seat);
	if (!is_owed(s, seat)) {
		if (seat->keep)
			(void)client_positions_save(s);
		seats_remove(&s->seats, seat);
	} else if (s->stage == STAGE_ONLINE)
		send_join(s, seat);
}

void client_pursue(struct link_session *s, struct seat *seat)
{
	if (!seat->wanted && seat->state == SEAT_OUT) {
		leave_quietly(s, seat);
		return;
	}
	if (s->stage != STAGE_ONLINE)
		return;
	if (seat->wanted && seat->state == SEAT_OUT) {
		send_join(s, seat);
	} else if ((!seat->wanted || seat->quiet) && seat->state == SEAT_IN) {
		/* What has to be said once more goes first. */
		if (s->resend_at == 0 || !is_owed(s, seat))
			send_part(s, seat);
	} else if (s->now >= client_members_due(seat)) {
		client_ask_members(s, seat, span_of(""));
	}
}

void client_ask_members(struct link_session *s, struct seat *seat, struct span after)
{
	struct msg_members members = {
		.tag = client_tag(s),
		.room = span_of(seat->name),
		.after = after,
		.limit = PAGE,
	};
	seat->members_tag = members.tag;
	seat->members_asked_at = s->now;
	seat->people_state = SEAT_PEOPLE_ASKED;
	client_request(s, MESSAGE_MEMBERS, &members);
}

static void send_nick(struct link_session *s)
{
	struct msg_nick nick = {.tag = client_tag(s), .nick = span_of(s->nick_wanted)};

	s->nick_tag = nick.tag;
	client_request(s, MESSAGE_NICK, &nick);
}

static void send_away(struct link_session *s)
{
	struct msg_away away = {
		.tag = client_tag(s), .state = (uint8_t)s->away, .text = span_of(s->away_text)};

	s->away_tag = away.tag;
	client_request(s, MESSAGE_AWAY, &away);
}

void client_ask_rooms(struct link_session *s, struct span after)
{
	struct msg_rooms rooms = {.tag = client_tag(s), .after = after, .limit = PAGE};

	s->rooms_tag = rooms.tag;
	if (after.length == 0)
		s->rooms_got = 0;
	client_request(s, MESSAGE_ROOMS, &rooms);
}

void client_pursue_all(struct link_session *s)
{
	struct seat *next;

	s->ping_at = s->now;
	client_ping(s);
	/* Rooms first: what waits in the outbox is for them. */
	for (struct seat *seat = s->seats.head; seat; seat = next) {
		next = seat->next;
		client_pursue(s, seat);
	}
	if (s->nick_wanted[0])
		send_nick(s);
	if (s->away != PERSON_HERE)
		send_away(s);
	if (s->rooms_wanted)
		client_ask_rooms(s, span_of(""));
}

/* ---- requests ---- */

int link_session_password(struct link_session *s, const char *password)
{
	size_t length = strlen(password);

	if (length > PASSWORD_MAX)
		return ERR_TOO_BIG;
	if (length == 0 || !utf8_is_line(password, length))
		return ERR_TEXT;
	explicit_bzero(s->password, sizeof(s->password));
	memcpy(s->password, password, length);
	return 0;
}

static int check_room(const char *room)
{
	return name_check(room, strlen(room), ROOM_NAME_MAX);
}

int link_session_join(struct link_session *s, const char *room)
{
	int r = check_room(room);

	if (r)
		return r;
	struct seat *seat = seats_find(&s->seats, span_of(room));
	if (!seat && s->seats.count >= SEATS_MOST)
		return ERR_FULL;
	if (!seat)
		seat = seats_add(&s->seats, room);
	if (!seat)
		return ERR_MEMORY;
	/* Where it cannot be told what was missed, it must not be skipped. */
	r = client_positions_of(s, seat);
	if (r)
		return r;
	/* What the owner had of a room that is just being left, they have no more: it is left to the end, and
	 * entered anew. */
	if (!seat->wanted && (seat->state == SEAT_IN || seat->state == SEAT_LEAVING ||
				     (seat->state == SEAT_JOINING && seat->resuming)))
		hide(s, seat);
	seat->wanted = true;
	client_pursue(s, seat);
	return client_check_memory(s);
}

/* The seat of a room that the user named; ERR_NOT_FOUND when there is none. */
static int find_seat(struct link_session *s, const char *room, struct seat **out)
{
	int r = check_room(room);
	struct seat *seat = r ? NULL : seats_find(&s->seats, span_of(room));

	if (r)
		return r;
	if (!seat || (seat->quiet && !seat->wanted))
		return ERR_NOT_FOUND;
	*out = seat;
	return 0;
}

int link_session_part(struct link_session *s, const char *room)
{
	struct seat *seat;
	int r = find_seat(s, room, &seat);

	if (r)
		return r;
	seat->wanted = false;
	client_pursue(s, seat);
	return client_check_memory(s);
}

static int check_text(
	const struct link_session *s, const char *text, enum said_kind kind, bool direct)
{
	size_t length = strlen(text);

	if (length > TEXT_MAX || length > s->text_max || (kind == SAID_TOPIC && length > TOPIC_MAX))
		return ERR_TOO_BIG;
	if (kind == SAID_TOPIC ? direct : length == 0)
		return ERR_ARGUMENT;
	return utf8_is_line(text, length) ? 0 : ERR_TEXT;
}

static int enqueue(
	struct link_session *s, const struct outgoing *m, const char *text, uint64_t *counter)
{
	const struct outgoing *added = outbox_add(&s->outbox, m, text);

	if (!added)
		return ERR_MEMORY;
	/* On disk before it can be sent. */
	if (s->state)
		state_add(s->state, added);
	if (counter)
		*counter = added->counter;
	return 0;
}

int link_session_say(struct link_session *s, const char *room, enum said_kind kind,
	const char *text, uint64_t *counter)
{
	struct outgoing m = {.kind = kind};
	int r = check_room(room);

	if (r == 0)
		r = check_text(s, text, kind, false);
	if (r)
		return r;
	snprintf(m.to, sizeof(m.to), "%s", room);
	return enqueue(s, &m, text, counter);
}

int link_session_direct(struct link_session *s, const char *nick, const uint8_t *person,
	enum said_kind kind, const char *text, uint64_t *counter)
{
	struct outgoing m = {.kind = kind, .direct = true};
	int r = person && !nick[0] ? 0 : name_check(nick, strlen(nick), NICK_MAX);

	if (r == 0)
		r = check_text(s, text, kind, true);
	if (r)
		return r;
	if (person)
		memcpy(m.person, person, sizeof(m.person));
	snprintf(m.to, sizeof(m.to), "%s", nick);
	return enqueue(s, &m, text, counter);
}

int link_session_nick(struct link_session *s, const char *nick)
{
	int r = name_check(nick, strlen(nick), NICK_MAX);

	if (r)
		return r;
	/* Where the other one is what keeps us out, it is for the login. */
	bool for_login = s->nick_refused;
	char *wanted = for_login ? s->nick : s->nick_wanted;
	snprintf(wanted, NICK_MAX + 1, "%s", nick);
	s->nick_refused = false;
	if (s->stage == STAGE_ONLINE)
		send_nick(s);
	r = client_check_memory(s);
	return r == 0 && for_login ? 1 : r;
}

int link_session_away(struct link_session *s, enum person_state state, const char *text)
{
	size_t length = strlen(text);

	if (state != PERSON_HERE && state != PERSON_AWAY)
		return ERR_ARGUMENT;
	if (length > AWAY_MAX)
		return ERR_TOO_BIG;
	if (!utf8_is_line(text, length))
		return ERR_TEXT;
	s->away = state;
	snprintf(s->away_text, sizeof(s->away_text), "%s", text);
	if (s->stage == STAGE_ONLINE)
		send_away(s);
	return client_check_memory(s);
}

int link_session_list_rooms(struct link_session *s)
{
	/* A list that is coming already will do. */
	s->rooms_wanted = true;
	if (s->stage == STAGE_ONLINE && s->rooms_tag == 0)
		client_ask_rooms(s, span_of(""));
	return client_check_memory(s);
}

int link_session_list_members(struct link_session *s, const char *room)
{
	struct seat *seat;
	int r = find_seat(s, room, &seat);

	if (r)
		return r;
	seat->members_wanted = true;
	client_pursue(s, seat);
	return client_check_memory(s);
}
