#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"

#include <stdio.h>
#include <string.h>

/* Above this, answers are not being read while questions keep coming. What the user says is not
 * counted here: it waits in the outbox. */
#define OUTPUT_MOST ((size_t)16 * 1024 * 1024)

#define UNPROVEN '~' /* before a nick that is somebody else's */

#define PRINT(span) (int)(span).length, (span).text

static void copy_span(char *out, size_t size, struct span text)
{
	snprintf(out, size, "%.*s", PRINT(text));
}

const char *client_reason(char out[REASON_MAX + 1], unsigned code, struct span text)
{
	const char *known = code_text(code);

	copy_span(out, REASON_MAX + 1, text);
	if (out[0])
		return out;
	return known ? known : "the server gave no reason";
}

/* ---- the opening ---- */

static void send_login(struct link_session *s)
{
	struct msg_login login = {
		.tag = client_tag(s),
		.inbox_after = s->inbox_seen,
		.inbox_replay = s->replay,
		.flags = s->any_nick ? LOGIN_ANY_NICK : 0,
		.nick = span_of(s->nick[0] == UNPROVEN ? s->nick + 1 : s->nick),
	};
	if (s->password[0] && s->rights) {
		struct msg_password password = {.password = span_of(s->password)};
		client_send(s, MESSAGE_PASSWORD, &password);
		/* Until the answer there is so little to send that the buffer stays where it is. */
		s->out.secret = true;
	}
	memcpy(login.person, s->identity.id, sizeof(login.person));
	memcpy(login.instance, s->instance, sizeof(login.instance));
	/* Without a position there is nothing to resume: no log is named. */
	s->log_named = client_positions_any(s);
	if (s->log_named)
		memcpy(login.log, s->log, sizeof(login.log));
	s->login_tag = login.tag;
	s->stage = STAGE_LOGIN;
	client_send(s, MESSAGE_LOGIN, &login);
}

/* `log` NULL: of another server. */
static void tell_log_changed(struct link_session *s, const uint8_t *log, uint64_t upto)
{
	struct event *e = client_event(s, EVENT_LOG_CHANGED);

	if (!e)
		return;
	e->flag = s->follow_log && log;
	e->own = !log;
	e->seq = upto;
	if (log)
		memcpy(e->instance, log, sizeof(e->instance));
}

/* What the positions are worth in the server's log. True: that has been asked, the answer tells. */
static bool take_log(struct link_session *s, const struct msg_welcome *w)
{
	struct msg_compare compare = {0};
	bool known = s->log_known;

	if (known && memcmp(w->log, s->log, sizeof(s->log)) == 0)
		return false;
	if (known && s->follow_log && (w->features & FEATURE_COMPARE)) {
		compare.tag = s->compare_tag = client_tag(s);
		memcpy(compare.log, s->log, sizeof(compare.log));
		memcpy(s->log_next, w->log, sizeof(s->log_next));
		client_send(s, MESSAGE_COMPARE, &compare);
		return true;
	}
	if (known && s->follow_log) {
		client_positions_move(s, w->log, 0);
	} else {
		client_positions_forget(s);
		client_positions_begin(s, w->log);
	}
	if (known)
		tell_log_changed(s, w->log, 0);
	return false;
}

static int on_compared(struct link_session *s, const union message *m)
{
	const struct msg_compared *c = &m->compared;

	if (s->stage != STAGE_GREETING || s->compare_tag == 0 || c->tag != s->compare_tag)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server compared logs without being asked");
	s->compare_tag = 0;
	client_positions_move(s, s->log_next, c->upto);
	tell_log_changed(s, s->log_next, c->upto);
	send_login(s);
	return 0;
}

/* Is it the server that we know? Open what is kept of it. */
static int meet(struct link_session *s, const uint8_t server[IDENTITY_SIZE])
{
	char reason[REASON_MAX];
	int r = 0;

	if (s->met && memcmp(s->met_id, server, sizeof(s->met_id)) != 0) {
		client_keep_leave(s);
		if (s->out_of_memory)
			return client_fail(s, ERR_MEMORY, 0, "out of memory");
		if (s->log_known)
			tell_log_changed(s, NULL, 0);
		client_positions_forget(s);
	}
	s->met = true;
	memcpy(s->met_id, server, sizeof(s->met_id));
	if (!s->positions)
		r = client_positions_open(s, server, reason, sizeof(reason));
	if (r && r != ERR_MEMORY)
		return client_fail(s, ERR_REFUSED, CODE_NONE, "%s", reason);
	if (r == 0)
		r = client_keep_meet(s, server);
	return r ? client_fail(s, r, 0, "out of memory") : 0;
}

static int on_welcome(struct link_session *s, const union message *m)
{
	const struct msg_welcome *w = &m->welcome;

	if (s->stage != STAGE_GREETING || s->compare_tag != 0)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL, "the server welcomed us twice");
	if (w->version != PROTOCOL_VERSION)
		return client_fail(s, ERR_REFUSED, CODE_VERSION,
			"the server speaks protocol version %u, this client %u", w->version,
			PROTOCOL_VERSION);
	if (s->server_known && memcmp(w->server, s->server_id, sizeof(s->server_id)) != 0)
		return client_fail(s, ERR_REFUSED, CODE_NONE,
			"this is not the server that was announced: its id is another one");
	if (s->server_proven && memcmp(w->server, s->proven_id, sizeof(s->proven_id)) != 0)
		return client_fail(s, ERR_REFUSED, CODE_NONE,
			"the server claims to be one whose key it does not have");
	int r = meet(s, w->server);
	if (r)
		return r;
	s->kept = w->kept != 0;
	s->rights = w->features & FEATURE_RIGHTS;
	s->lanes = w->features & FEATURE_LANE;
	copy_span(s->server_name, sizeof(s->server_name), w->name);
	if (!take_log(s, w))
		send_login(s);
	return 0;
}

/* It will be sent back at the next login, so it has to be a nick. */
static int take_nick(struct link_session *s, struct span nick)
{
	size_t mark = nick.length > 1 && nick.text[0] == UNPROVEN ? 1 : 0;

	if (name_check(nick.text + mark, nick.length - mark, NICK_MAX) != 0)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server gave us a nick that cannot be one");
	copy_span(s->nick, sizeof(s->nick), nick);
	s->nick_refused = false;
	return 0;
}

static int on_logged_in(struct link_session *s, const union message *m)
{
	const struct msg_logged_in *l = &m->logged_in;
	struct event *e;

	if (s->stage != STAGE_LOGIN || l->tag != s->login_tag)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server accepted a login that was not asked for");
	if (l->accepted > s->outbox.last_counter && !client_keep_overtaken(s, l->accepted))
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server claims to have messages that were never sent");
	int r = take_nick(s, l->nick);
	if (r)
		return r;
	s->stage = STAGE_ONLINE;
	s->logged_in = s->was_online = true;
	s->text_max = l->text_max > 0 && l->text_max < TEXT_MAX ? l->text_max : TEXT_MAX;
	if (!(e = client_event(s, EVENT_LOGGED_IN)))
		return 0;
	e->flag = s->kept;
	e->number = s->text_max;
	memcpy(e->instance, s->instance, sizeof(e->instance));
	client_set(s, &e->nick, s->nick);
	client_set(s, &e->text, s->server_name);
	link_session_state(s, LINK_ONLINE, NULL, 0, 0);
	client_pursue_all(s);
	client_want_ranks(s, &s->server_ranks, 0);
	return 0;
}

/* ---- the connection ---- */

static int on_ping(struct link_session *s, const union message *m)
{
	struct msg_pong pong = {.token = m->ping.token};

	client_send(s, MESSAGE_PONG, &pong);
	return 0;
}

static int on_pong(struct link_session *s, const union message *m)
{
	struct event *e;

	if (!s->ping_out || m->pong.token != s->ping_token)
		return 0;
	s->ping_out = false;
	if ((e = client_event(s, EVENT_RTT)))
		e->number = (uint64_t)(s->now - (int64_t)s->ping_token);
	return 0;
}

static int on_done(struct link_session *s, const union message *m)
{
	if (m->done.tag == s->away_tag)
		s->away_tag = 0;
	else if (!client_race_done(s, m->done.tag))
		client_done(s, m->done.tag);
	return 0;
}

/* Which codes will not be better at the next try. */
static bool is_final(const struct link_session *s, unsigned code)
{
	return code == CODE_VERSION || code == CODE_BAD_NICK || code == CODE_NICK_TOO_LONG ||
	       code == CODE_TLS_WANTED || code == CODE_NOT_YOUR_KEY || code == CODE_BANNED ||
	       code == CODE_PASSWORD || code == CODE_NOT_ALLOWED || code == CODE_NICKS_FULL ||
	       (code == CODE_NICK_TAKEN && !s->any_nick);
}

static bool is_about_nick(unsigned code)
{
	return code == CODE_BAD_NICK || code == CODE_NICK_TOO_LONG || code == CODE_NICKS_FULL ||
	       code == CODE_NICK_TAKEN;
}

static int end_of_connection(struct link_session *s, unsigned code, struct span text, int otherwise)
{
	char buffer[REASON_MAX + 1];
	/* Whoever was sent away does not come back by themselves. */
	bool sent_away = code == CODE_KICKED || code == CODE_BANNED || code == CODE_WRONG_CODE;
	bool final = s->stage == STAGE_ONLINE ? sent_away : is_final(s, code);

	s->nick_refused = s->stage != STAGE_ONLINE && is_about_nick(code);
	/* It is not the right one, or not any more. */
	if (code == CODE_PASSWORD)
		explicit_bzero(s->password, sizeof(s->password));
	return client_fail(
		s, final ? ERR_REFUSED : otherwise, code, "%s", client_reason(buffer, code, text));
}

/* A key that was shown and is not the room's would be held against us each time it is shown again. */
static bool drop_wrong_key(struct seat *seat)
{
	bool shown = seat->state == SEAT_JOINING && !seat->rekeyed && seat->key[0];

	if (shown)
		explicit_bzero(seat->key, sizeof(seat->key));
	return shown;
}

/* A room could not be joined: the owner is told, and nobody tries again, unless with another key. */
static void refuse_seat(struct link_session *s, struct seat *seat)
{
	if (seat->state == SEAT_JOINING && !seat->rekeyed) {
		seat->wanted = false;
		seat->barred = true;
	}
	seat->tag = 0;
	seat->state = SEAT_OUT;
	client_pursue(s, seat);
}

/* An error about a request. */
static void refuse_request(struct link_session *s, const struct msg_error *error)
{
	/* Nobody asked but the session itself: the room was left meanwhile, or the server is short of
	 * memory. */
	if (client_ranks_answered(s, error->tag) || client_lane_refused(s, error) ||
		client_race_refused(s, error))
		return;
	struct seat *seat = seats_find_tag(&s->seats, error->tag);
	struct seat *listed = seats_find_members_tag(&s->seats, error->tag);
	struct event *e = client_event(s, EVENT_ERROR);
	char buffer[REASON_MAX + 1];

	if (!e)
		return;
	e->code = error->code;
	e->number = error->tag;
	client_set(s, &e->text, client_reason(buffer, error->code, error->text));
	if (seat || listed)
		client_set(s, &e->room, seat ? seat->name : listed->name);
	e->flag = seat && error->code == CODE_KEY_WANTED && drop_wrong_key(seat);
	if (client_inquiry_failed(s, error->tag, e))
		return;
	if (error->tag == s->nick_tag) {
		s->nick_tag = 0;
		s->nick_wanted[0] = '\0';
	} else if (error->tag == s->rooms_tag) {
		s->rooms_tag = 0;
		s->rooms_wanted = false;
	} else if (listed) {
		listed->members_tag = 0;
		listed->members_wanted = false;
		listed->people_state = SEAT_PEOPLE_UNKNOWN;
		seat_drop_pages(listed);
	} else if (seat) {
		refuse_seat(s, seat);
	}
}

static int on_error(struct link_session *s, const union message *m)
{
	const struct msg_error *error = &m->error;

	if (error->fatal)
		return end_of_connection(s, error->code, error->text, ERR_CLOSED);
	if (s->stage != STAGE_ONLINE)
		return end_of_connection(s, error->code, error->text, ERR_CLOSED);
	/* Nothing that was asked for by number: a room's key, and joining it says the same. */
	if (error->tag != 0)
		refuse_request(s, error);
	return 0;
}

static int on_bye(struct link_session *s, const union message *m)
{
	return end_of_connection(s, m->bye.code, m->bye.text, ERR_CLOSED);
}

static int on_notice(struct link_session *s, const union message *m)
{
	struct event *e = client_event(s, EVENT_NOTICE);

	if (!e)
		return 0;
	e->kind = m->notice.kind <= NOTICE_WARNING ? m->notice.kind : NOTICE_SERVER;
	client_set_span(s, &e->text, m->notice.text);
	return 0;
}

static int on_renamed(struct link_session *s, const union message *m)
{
	int r = take_nick(s, m->renamed.nick);
	struct event *e = r ? NULL : client_event(s, EVENT_RENAMED);

	if (m->renamed.tag == s->nick_tag) {
		s->nick_tag = 0;
		s->nick_wanted[0] = '\0';
	}
	if (e)
		client_set(s, &e->nick, s->nick);
	return r;
}

/* ---- dispatch ---- */

static client_handler *const handlers[] = {
	[MESSAGE_WELCOME] = on_welcome,
	[MESSAGE_COMPARED] = on_compared,
	[MESSAGE_LOGGED_IN] = on_logged_in,
	[MESSAGE_PING] = on_ping,
	[MESSAGE_PONG] = on_pong,
	[MESSAGE_DONE] = on_done,
	[MESSAGE_ERROR] = on_error,
	[MESSAGE_BYE] = on_bye,
	[MESSAGE_NOTICE] = on_notice,
	[MESSAGE_JOINED] = client_on_joined,
	[MESSAGE_PARTED] = client_on_parted,
	[MESSAGE_ROOM_LIST] = client_on_room_list,
	[MESSAGE_MEMBER_LIST] = client_on_member_list,
	[MESSAGE_PRESENCE] = client_on_presence,
	[MESSAGE_RENAMED] = on_renamed,
	[MESSAGE_PLACES] = client_on_places,
	[MESSAGE_ACK] = client_on_ack,
	[MESSAGE_REFUSED] = client_on_refused,
	[MESSAGE_SAID] = client_on_said,
	[MESSAGE_DIRECT_SAID] = client_on_direct_said,
	[MESSAGE_GAP] = client_on_gap,
	[MESSAGE_CAUGHT_UP] = client_on_caught_up,
	[MESSAGE_HISTORY_PAGE] = client_on_history_page,
	[MESSAGE_FOUND] = client_on_found,
	[MESSAGE_CHARTER_IS] = client_on_charter_is,
	[MESSAGE_AUDIT_PAGE] = client_on_audit_page,
	[MESSAGE_PERSON] = client_on_person,
	[MESSAGE_LANE] = client_on_lane,
	[MESSAGE_TOSSED] = client_on_tossed,
	[MESSAGE_RACED] = client_on_raced,
	[MESSAGE_PROBE] = client_on_probe,
	[MESSAGE_RACE_OVER] = client_on_race_over,
};

/* May a server send this message now? */
static bool is_legal(const struct link_session *s, const struct message_spec *spec)
{
	enum message_phase phase = s->stage == STAGE_ONLINE ? PHASE_CHATTING : PHASE_OPENING;

	return (spec->sender & SENDER_SERVER) != 0 && (spec->phase & phase) != 0 &&
	       spec->number < sizeof(handlers) / sizeof(handlers[0]) && handlers[spec->number];
}

int client_handle(struct link_session *s, const struct frame *f)
{
	const struct message_spec *spec = message_spec(f->type);
	union message m;

	if (!spec && (f->flags & FRAME_FLAG_SKIP))
		return 0;
	if (!spec)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server sent a message of unknown type 0x%04x", f->type);
	if (!is_legal(s, spec))
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server sent %s where the protocol does not allow it", spec->name);
	if (s->out.length > OUTPUT_MOST)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server asks and does not read the answers");
	if (message_decode(f, &m) != 0)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server sent a broken %s message", spec->name);
	return handlers[f->type](s, &m);
}
