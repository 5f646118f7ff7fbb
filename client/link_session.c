#include "client/link_session.h"

#include "client/link_session_private.h"
#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef LANCHAT_VERSION
#define LANCHAT_VERSION "unversioned"
#endif

#define SECOND           INT64_C(1000000)
#define PING_EVERY       (15 * SECOND)
#define SILENCE_MOST     (45 * SECOND)
#define MEMBERS_EVERY    SECOND /* a room's list is not asked for more often */
#define RETRY_PAUSE      (SECOND / 10)
#define RETRY_PAUSE_MOST (2 * SECOND)
#define PAGE             LIST_MAX

/* Messages are encoded when there is less than this to send; the rest waits in the outbox. */
#define OUTPUT_ENOUGH ((size_t)64 * 1024)

/* No message of a client's is longer: DIRECT with all fields full is about 4300 bytes. */
#define CLIENT_FRAME_MAX 8192

int link_session_new(const struct link_session_config *config, struct link_session **out)
{
	struct link_session *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_MEMORY;
	s->identity = config->identity;
	memcpy(s->instance, config->instance, sizeof(s->instance));
	s->any_nick = config->any_nick;
	s->replay = config->replay;
	if (config->server_id) {
		s->server_known = true;
		memcpy(s->server_id, config->server_id, sizeof(s->server_id));
	}
	snprintf(s->nick, sizeof(s->nick), "%s", config->nick);
	s->text_max = TEXT_MAX;
	s->retry_pause = RETRY_PAUSE;
	*out = s;
	return 0;
}

void link_session_free(struct link_session *s)
{
	if (!s)
		return;
	seats_fini(&s->seats);
	outbox_fini(&s->outbox);
	event_list_fini(&s->events);
	free(s->out.bytes);
	free(s);
}

/* ---- putting things out ---- */

static bool reserve(struct link_bytes *b, size_t more)
{
	if (b->room - b->length >= more)
		return true;
	size_t room = b->room ? b->room * 2 : OUTPUT_ENOUGH;
	while (room - b->length < more)
		room *= 2;
	uint8_t *bytes = realloc(b->bytes, room);
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->room = room;
	return true;
}

void client_send(struct link_session *s, enum message_number number, const void *value)
{
	struct link_bytes *b = &s->out;
	size_t used;

	if (!reserve(b, CLIENT_FRAME_MAX)) {
		s->out_of_memory = true;
		return;
	}
	int r = message_encode(
		(uint16_t)number, value, b->bytes + b->length, b->room - b->length, &used);
	assert(r == 0);
	(void)r;
	b->length += used;
}

uint32_t client_tag(struct link_session *s)
{
	if (++s->last_tag == 0)
		s->last_tag = 1;
	return s->last_tag;
}

struct event *client_event(struct link_session *s, enum event_type type)
{
	struct event *e = s->out_of_memory ? NULL : event_new(type);

	if (e)
		event_list_add(&s->events, e);
	else
		s->out_of_memory = true;
	return e;
}

void client_set(struct link_session *s, char **field, const char *text)
{
	if (event_set(field, text) != 0)
		s->out_of_memory = s->event_broken = true;
}

void client_set_span(struct link_session *s, char **field, struct span text)
{
	if (event_set_span(field, text) != 0)
		s->out_of_memory = s->event_broken = true;
}

int client_fail(struct link_session *s, int result, unsigned code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(s->reason, sizeof(s->reason), format, ap);
	va_end(ap);
	s->code = code;
	s->stage = STAGE_OVER;
	return result;
}

/* Memory that ran out ends the connection: resuming brings again whatever got lost here. */
static int check_memory(struct link_session *s)
{
	if (!s->out_of_memory)
		return 0;
	if (s->event_broken)
		event_list_drop_last(&s->events);
	s->out_of_memory = s->event_broken = false;
	return client_fail(s, ERR_MEMORY, 0, "out of memory");
}

/* Encode one message of the outbox. */
static void send_outgoing(struct link_session *s, const struct outgoing *m)
{
	struct span text = {.text = m->text, .length = m->length};

	if (m->direct) {
		struct msg_direct direct = {
			.counter = m->counter,
			.kind = (uint8_t)m->kind,
			.nick = span_of(m->to),
			.text = text,
		};
		memcpy(direct.person, m->person, sizeof(direct.person));
		client_send(s, MESSAGE_DIRECT, &direct);
		return;
	}
	struct msg_say say = {
		.counter = m->counter,
		.kind = (uint8_t)m->kind,
		.room = span_of(m->to),
		.text = text,
	};
	client_send(s, MESSAGE_SAY, &say);
}

/* Messages leave the outbox in order, until `enough` bytes wait to be sent. */
static void fill(struct link_session *s, size_t enough)
{
	const struct outgoing *m;

	if (s->stage != STAGE_ONLINE || s->resend_at != 0)
		return;
	while (s->out.length < enough && !s->out_of_memory && (m = outbox_next(&s->outbox))) {
		send_outgoing(s, m);
		outbox_sent(&s->outbox);
	}
}

void client_retry(struct link_session *s, uint64_t counter)
{
	outbox_rewind(&s->outbox, counter);
	if (s->resend_at != 0)
		return;
	s->resend_at = s->now + s->retry_pause;
	s->retry_pause =
		s->retry_pause * 2 < RETRY_PAUSE_MOST ? s->retry_pause * 2 : RETRY_PAUSE_MOST;
}

void client_retry_over(struct link_session *s)
{
	s->retry_pause = RETRY_PAUSE;
}

void link_session_output(struct link_session *s, struct link_bytes *out)
{
	fill(s, OUTPUT_ENOUGH);
	struct link_bytes full = s->out;
	out->length = 0;
	s->out = *out;
	*out = full;
}

bool link_session_has_output(const struct link_session *s)
{
	return s->out.length > 0 ||
	       (s->stage == STAGE_ONLINE && s->resend_at == 0 && outbox_next(&s->outbox));
}

void link_session_events(struct link_session *s, struct event_list *to)
{
	event_list_move(to, &s->events);
}

void link_session_state(struct link_session *s, enum link_state state, const char *text,
	uint64_t number, unsigned code)
{
	struct event *e = client_event(s, EVENT_STATE);

	if (!e)
		return;
	e->state = state;
	e->number = number;
	e->code = code;
	client_set(s, &e->text, text ? text : "");
}

/* ---- a connection's life ---- */

int link_session_begin(struct link_session *s, int64_t now, int64_t deadline)
{
	struct msg_hello hello = {
		.version_low = PROTOCOL_VERSION,
		.version_high = PROTOCOL_VERSION,
		.agent = span_of("lanchat/" LANCHAT_VERSION),
	};

	assert(s->stage == STAGE_NONE);
	s->stage = STAGE_GREETING;
	s->now = now;
	s->heard_at = now;
	s->login_deadline = deadline;
	s->logged_in = false;
	s->code = 0;
	s->reason[0] = '\0';
	link_session_state(s, LINK_LOGGING_IN, NULL, 0, 0);
	client_send(s, MESSAGE_HELLO, &hello);
	return check_memory(s);
}

void link_session_end(struct link_session *s)
{
	struct seat *next;

	s->stage = STAGE_NONE;
	s->out.length = 0;
	s->login_tag = s->nick_tag = s->away_tag = s->rooms_tag = 0;
	s->ping_out = false;
	s->resend_at = 0;
	s->retry_pause = RETRY_PAUSE;
	outbox_rewind(&s->outbox, 0);
	for (struct seat *seat = s->seats.head; seat; seat = next) {
		next = seat->next;
		seat_reset(seat);
		client_pursue(s, seat);
	}
}

int link_session_input(
	struct link_session *s, const uint8_t *bytes, size_t length, int64_t now, size_t *used)
{
	int r = 0;

	s->now = now;
	*used = 0;
	while (r == 0 && s->stage != STAGE_OVER) {
		struct frame f;

		r = frame_decode(bytes + *used, length - *used, FRAME_PAYLOAD_MAX, &f, NULL);
		if (r == ERR_AGAIN)
			break;
		if (r != 0)
			return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
				"the server sent what is not a lanchat frame");
		s->heard_at = now;
		r = client_handle(s, &f);
		if (r == 0)
			r = check_memory(s);
		*used += FRAME_HEADER + (size_t)f.length;
	}
	return r == ERR_AGAIN ? 0 : r;
}

static void ping(struct link_session *s)
{
	struct msg_ping message = {.token = (uint64_t)s->now};

	s->ping_at = s->now + PING_EVERY;
	if (s->ping_out)
		return;
	s->ping_out = true;
	s->ping_token = message.token;
	client_send(s, MESSAGE_PING, &message);
}

/* When a seat may ask for its members again; INT64_MAX: it need not. */
static int64_t members_due(const struct seat *seat)
{
	if (!seat->members_wanted || seat->state != SEAT_IN || seat->members_tag != 0)
		return INT64_MAX;
	return seat->members_asked_at ? seat->members_asked_at + MEMBERS_EVERY : 0;
}

int link_session_tick(struct link_session *s, int64_t now)
{
	s->now = now;
	if (s->stage == STAGE_GREETING || s->stage == STAGE_LOGIN) {
		if (now >= s->login_deadline)
			return client_fail(s, ERR_TIMEOUT, CODE_TIMEOUT,
				"the server took too long to answer the login");
		return 0;
	}
	if (s->stage != STAGE_ONLINE)
		return 0;
	if (s->ping_out && now >= s->heard_at + SILENCE_MOST)
		return client_fail(
			s, ERR_TIMEOUT, CODE_TIMEOUT, "nothing was heard of the server any more");
	if (now >= s->ping_at)
		ping(s);
	if (s->resend_at != 0 && now >= s->resend_at)
		s->resend_at = 0;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		if (now >= members_due(seat))
			client_ask_members(s, seat, span_of(""));
	}
	return check_memory(s);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t link_session_deadline(const struct link_session *s)
{
	if (s->stage == STAGE_GREETING || s->stage == STAGE_LOGIN)
		return s->login_deadline;
	if (s->stage != STAGE_ONLINE)
		return INT64_MAX;
	int64_t due = s->ping_at;
	if (s->ping_out)
		due = sooner(due, s->heard_at + SILENCE_MOST);
	if (s->resend_at != 0)
		due = sooner(due, s->resend_at);
	for (const struct seat *seat = s->seats.head; seat; seat = seat->next)
		due = sooner(due, members_due(seat));
	return due;
}

void link_session_heard(struct link_session *s, int64_t now)
{
	s->heard_at = now;
}

const char *link_session_reason(const struct link_session *s, unsigned *code)
{
	*code = s->code;
	return s->reason;
}

bool link_session_logged_in(const struct link_session *s)
{
	return s->logged_in;
}

bool link_session_was_online(const struct link_session *s)
{
	return s->was_online;
}

size_t link_session_unacknowledged(const struct link_session *s)
{
	return s->outbox.count;
}

uint64_t link_session_dropped(const struct link_session *s)
{
	return s->dropped;
}

/* ---- wishes ---- */

/* Such requests overtake nothing that was said before them. */
static void send_request(struct link_session *s, enum message_number number, const void *value)
{
	fill(s, SIZE_MAX);
	client_send(s, number, value);
}

static void send_join(struct link_session *s, struct seat *seat)
{
	struct msg_join join = {
		.tag = client_tag(s),
		.room = span_of(seat->name),
		.flags = seat->seen_known ? JOIN_RESUME : 0,
		.after = seat->seen,
		.replay = s->replay,
	};
	seat->tag = join.tag;
	seat->state = SEAT_JOINING;
	seat->resuming = seat->seen_known;
	/* This one goes before what waits to be said: that may be for the room. */
	client_send(s, MESSAGE_JOIN, &join);
}

static void send_part(struct link_session *s, struct seat *seat)
{
	struct msg_part part = {.tag = client_tag(s), .room = span_of(seat->name)};

	seat->tag = part.tag;
	seat->state = SEAT_LEAVING;
	send_request(s, MESSAGE_PART, &part);
}

static void leave_quietly(struct link_session *s, struct seat *seat)
{
	struct event *e = seat->joined_before ? client_event(s, EVENT_PARTED) : NULL;

	if (e) {
		client_set(s, &e->room, seat->name);
		client_set(s, &e->text, "");
	}
	seats_remove(&s->seats, seat);
}

void client_pursue(struct link_session *s, struct seat *seat)
{
	if (!seat->wanted && seat->state == SEAT_OUT) {
		leave_quietly(s, seat);
		return;
	}
	if (s->stage != STAGE_ONLINE)
		return;
	if (seat->wanted && seat->state == SEAT_OUT)
		send_join(s, seat);
	else if (!seat->wanted && seat->state == SEAT_IN)
		send_part(s, seat);
	else if (s->now >= members_due(seat))
		client_ask_members(s, seat, span_of(""));
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
	send_request(s, MESSAGE_MEMBERS, &members);
}

static void send_nick(struct link_session *s)
{
	struct msg_nick nick = {.tag = client_tag(s), .nick = span_of(s->nick_wanted)};

	s->nick_tag = nick.tag;
	send_request(s, MESSAGE_NICK, &nick);
}

static void send_away(struct link_session *s)
{
	struct msg_away away = {
		.tag = client_tag(s), .state = (uint8_t)s->away, .text = span_of(s->away_text)};

	s->away_tag = away.tag;
	send_request(s, MESSAGE_AWAY, &away);
}

static void send_rooms(struct link_session *s)
{
	struct msg_rooms rooms = {.tag = client_tag(s), .after = span_of(""), .limit = PAGE};

	s->rooms_tag = rooms.tag;
	send_request(s, MESSAGE_ROOMS, &rooms);
}

void client_pursue_all(struct link_session *s)
{
	struct seat *next;

	s->ping_at = s->now;
	ping(s);
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
		send_rooms(s);
}

/* ---- requests ---- */

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
	if (!seat)
		seat = seats_add(&s->seats, room);
	if (!seat)
		return ERR_MEMORY;
	seat->wanted = true;
	client_pursue(s, seat);
	return check_memory(s);
}

int link_session_part(struct link_session *s, const char *room)
{
	int r = check_room(room);

	if (r)
		return r;
	struct seat *seat = seats_find(&s->seats, span_of(room));
	if (!seat)
		return ERR_NOT_FOUND;
	seat->wanted = false;
	client_pursue(s, seat);
	return check_memory(s);
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
	snprintf(s->nick_wanted, sizeof(s->nick_wanted), "%s", nick);
	if (s->stage == STAGE_ONLINE)
		send_nick(s);
	return check_memory(s);
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
	return check_memory(s);
}

int link_session_list_rooms(struct link_session *s)
{
	/* A list that is coming already will do. */
	s->rooms_wanted = true;
	if (s->stage == STAGE_ONLINE && s->rooms_tag == 0)
		send_rooms(s);
	return check_memory(s);
}

int link_session_list_members(struct link_session *s, const char *room)
{
	int r = check_room(room);

	if (r)
		return r;
	struct seat *seat = seats_find(&s->seats, span_of(room));
	if (!seat)
		return ERR_NOT_FOUND;
	seat->members_wanted = true;
	client_pursue(s, seat);
	return check_memory(s);
}

int link_session_bye(struct link_session *s)
{
	struct msg_bye bye = {.code = CODE_QUIT, .text = span_of("")};

	if (s->stage == STAGE_NONE || s->stage == STAGE_OVER)
		return 0;
	if (s->stage == STAGE_ONLINE)
		fill(s, SIZE_MAX);
	client_send(s, MESSAGE_BYE, &bye);
	s->stage = STAGE_OVER;
	return check_memory(s);
}
