#include "client/link_session.h"

#include "client/link_session_private.h"
#include "common/clock.h"
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
	s->ranks = config->ranks;
	s->follow_log = config->follow_log || config->resume;
	if (config->server_id) {
		s->server_known = true;
		memcpy(s->server_id, config->server_id, sizeof(s->server_id));
	}
	snprintf(s->nick, sizeof(s->nick), "%s", config->nick);
	snprintf(s->password, sizeof(s->password), "%s", config->password ? config->password : "");
	s->text_max = TEXT_MAX;
	s->retry_pause = RETRY_PAUSE;
	int r = client_keep_start(s, config);
	if (r == 0)
		r = client_check_memory(s);
	if (r) {
		link_session_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void link_session_free(struct link_session *s)
{
	if (!s)
		return;
	client_keep_free(s);
	client_lane_end(s);
	client_race_free(s);
	seats_fini(&s->seats);
	outbox_fini(&s->outbox);
	client_inquiries_free(s);
	event_list_fini(&s->events);
	link_bytes_wipe(&s->out);
	free(s->out.bytes);
	explicit_bzero(s->password, sizeof(s->password));
	free(s);
}

/* ---- putting things out ---- */

void link_bytes_wipe(struct link_bytes *b)
{
	if (b->secret)
		explicit_bzero(b->bytes, b->room);
	b->secret = false;
}

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

void client_put(struct link_session *s, struct link_bytes *b, enum message_number number,
	const void *value, size_t most)
{
	size_t used;

	if (!reserve(b, most)) {
		s->out_of_memory = true;
		return;
	}
	int r = message_encode(
		(uint16_t)number, value, b->bytes + b->length, b->room - b->length, &used);
	assert(r == 0);
	(void)r;
	b->length += used;
}

void client_send(struct link_session *s, enum message_number number, const void *value)
{
	client_put(s, &s->out, number, value, CLIENT_FRAME_MAX);
}

void client_request(struct link_session *s, enum message_number number, const void *value)
{
	client_fill(s, SIZE_MAX);
	client_send(s, number, value);
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

int client_check_memory(struct link_session *s)
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

void client_fill(struct link_session *s, size_t enough)
{
	const struct outgoing *m;

	if (s->stage != STAGE_ONLINE || s->resend_at != 0 || s->copied)
		return;
	while (s->out.length < enough && !s->out_of_memory && (m = outbox_next(&s->outbox))) {
		send_outgoing(s, m);
		struct event *e = client_event(s, EVENT_SENT);
		if (e)
			e->counter = m->counter;
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

int link_session_output(struct link_session *s, struct link_bytes *out)
{
	client_fill(s, OUTPUT_ENOUGH);
	struct link_bytes full = s->out;
	out->length = 0;
	s->out = *out;
	*out = full;
	/* A message that counts as sent, but is not among them, must not wait for the next ping. */
	return client_check_memory(s);
}

bool link_session_has_output(const struct link_session *s)
{
	return s->out.length > 0 || (s->stage == STAGE_ONLINE && s->resend_at == 0 && !s->copied &&
					    outbox_next(&s->outbox));
}

void link_session_prove(struct link_session *s, const uint8_t server[IDENTITY_SIZE])
{
	s->server_proven = true;
	memcpy(s->proven_id, server, sizeof(s->proven_id));
}

void link_session_met(struct link_session *s, const uint8_t server[IDENTITY_SIZE], const char *name,
	const uint8_t *before)
{
	struct event *e = client_event(s, EVENT_MET);

	if (!e)
		return;
	memcpy(e->person, server, sizeof(e->person));
	e->flag = before != NULL;
	if (before)
		memcpy(e->peer, before, sizeof(e->peer));
	client_set(s, &e->text, name);
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
		.features = FEATURE_COMPARE | FEATURE_RIGHTS | FEATURE_LANE,
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
	return client_check_memory(s);
}

void link_session_end(struct link_session *s)
{
	struct seat *next;

	client_copied_end(s);
	s->stage = STAGE_NONE;
	client_lane_end(s);
	client_race_end(s);
	link_bytes_wipe(&s->out);
	s->out.length = 0;
	s->compare_tag = s->login_tag = s->nick_tag = s->away_tag = s->rooms_tag = s->ranks_tag = 0;
	s->server_ranks = (struct ranks_query){0};
	s->ping_out = false;
	s->resend_at = 0;
	s->retry_pause = RETRY_PAUSE;
	outbox_rewind(&s->outbox, 0);
	client_untell_read(s);
	client_inquiries_end(s);
	(void)client_keep_save(s);
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
			r = client_check_memory(s);
		*used += FRAME_HEADER + (size_t)f.length;
	}
	return r == ERR_AGAIN ? 0 : r;
}

void client_ping(struct link_session *s)
{
	struct msg_ping message = {.token = (uint64_t)s->now};

	s->ping_at = s->now + PING_EVERY;
	if (s->ping_out)
		return;
	s->ping_out = true;
	s->ping_token = message.token;
	client_send(s, MESSAGE_PING, &message);
}

int64_t client_members_due(const struct seat *seat)
{
	if (!seat->members_wanted || seat->state != SEAT_IN || seat->members_tag != 0)
		return INT64_MAX;
	return seat->members_asked_at ? seat->members_asked_at + MEMBERS_EVERY : 0;
}

/* The pause is over. */
static void resend(struct link_session *s)
{
	struct seat *next;

	s->resend_at = 0;
	/* Rooms that are to be left have waited for it. */
	for (struct seat *seat = s->seats.head; seat; seat = next) {
		next = seat->next;
		client_pursue(s, seat);
	}
}

int link_session_tick(struct link_session *s, int64_t now)
{
	s->now = now;
	client_keep_tick(s);
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
		client_ping(s);
	if (s->resend_at != 0 && now >= s->resend_at)
		resend(s);
	if (s->read_waits && now >= s->read_due)
		client_tell_read(s);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		if (now >= client_members_due(seat))
			client_ask_members(s, seat, span_of(""));
	}
	client_ranks_tick(s);
	client_lane_tick(s);
	client_race_tick(s);
	return client_check_memory(s);
}

int64_t link_session_deadline(const struct link_session *s)
{
	if (s->stage == STAGE_GREETING || s->stage == STAGE_LOGIN)
		return s->login_deadline;
	if (s->stage != STAGE_ONLINE)
		return INT64_MAX;
	int64_t due = s->ping_at;
	if (s->ping_out)
		due = clock_earlier(due, s->heard_at + SILENCE_MOST);
	if (s->resend_at != 0)
		due = clock_earlier(due, s->resend_at);
	if (s->read_waits)
		due = clock_earlier(due, s->read_due);
	if (s->save_at != 0)
		due = clock_earlier(due, s->save_at);
	for (const struct seat *seat = s->seats.head; seat; seat = seat->next)
		due = clock_earlier(due, client_members_due(seat));
	due = clock_earlier(due, client_ranks_due(s));
	return clock_earlier(due, clock_earlier(client_lane_due(s), client_race_due(s)));
}

void link_session_heard(struct link_session *s, int64_t now)
{
	s->heard_at = now;
}

const uint8_t *link_session_instance(const struct link_session *s)
{
	return s->instance;
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

int link_session_bye(struct link_session *s)
{
	struct msg_bye bye = {.code = CODE_QUIT, .text = span_of("")};

	if (s->stage == STAGE_NONE || s->stage == STAGE_OVER)
		return 0;
	if (s->stage == STAGE_ONLINE) {
		client_fill(s, SIZE_MAX);
		client_tell_read(s);
	}
	client_send(s, MESSAGE_BYE, &bye);
	s->stage = STAGE_OVER;
	return client_check_memory(s);
}
