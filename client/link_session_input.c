#include "client/link_session_private.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this, answers are not being read while questions keep coming. What the user says is not
 * counted here: it waits in the outbox. */
#define OUTPUT_MOST ((size_t)16 * 1024 * 1024)

/* A room that claims more people than this gets its list cut here. */
#define MEMBERS_MOST 50000

#define PRINT(span) (int)(span).length, (span).text

static void copy_span(char *out, size_t size, struct span text)
{
	snprintf(out, size, "%.*s", PRINT(text));
}

/* The sentence that explains a refusal: the server's own, else ours for the code. */
static const char *reason_text(char out[REASON_MAX + 1], unsigned code, struct span text)
{
	const char *known = code_text(code);

	copy_span(out, REASON_MAX + 1, text);
	if (out[0])
		return out;
	return known ? known : "the server gave no reason";
}

/* ---- the opening ---- */

static void forget_positions(struct link_session *s)
{
	s->inbox_known = false;
	s->inbox_seen = 0;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		seat->seen_known = false;
		seat->seen = 0;
	}
	client_event(s, EVENT_LOG_CHANGED);
}

static bool any_position(const struct link_session *s)
{
	bool any = s->inbox_known;

	for (const struct seat *seat = s->seats.head; seat && !any; seat = seat->next)
		any = seat->seen_known;
	return any;
}

static void send_login(struct link_session *s)
{
	struct msg_login login = {
		.tag = client_tag(s),
		.inbox_after = s->inbox_seen,
		.inbox_replay = s->replay,
		.flags = s->any_nick ? LOGIN_ANY_NICK : 0,
		.nick = span_of(s->nick),
	};
	memcpy(login.person, s->identity.id, sizeof(login.person));
	memcpy(login.instance, s->instance, sizeof(login.instance));
	/* Without a position there is nothing to resume: no log is named. */
	if (any_position(s))
		memcpy(login.log, s->log, sizeof(login.log));
	s->login_tag = login.tag;
	s->stage = STAGE_LOGIN;
	client_send(s, MESSAGE_LOGIN, &login);
}

static int on_welcome(struct link_session *s, const union message *m)
{
	const struct msg_welcome *w = &m->welcome;

	if (s->stage != STAGE_GREETING)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL, "the server welcomed us twice");
	if (w->version != PROTOCOL_VERSION)
		return client_fail(s, ERR_REFUSED, CODE_VERSION,
			"the server speaks protocol version %u, this client %u", w->version,
			PROTOCOL_VERSION);
	if (s->server_known && memcmp(w->server, s->server_id, sizeof(s->server_id)) != 0)
		return client_fail(s, ERR_REFUSED, CODE_NONE,
			"this is not the server that was announced: its id is another one");
	if (s->log_known && memcmp(w->log, s->log, sizeof(s->log)) != 0)
		forget_positions(s);
	s->log_known = true;
	memcpy(s->log, w->log, sizeof(s->log));
	s->kept = w->kept != 0;
	copy_span(s->server_name, sizeof(s->server_name), w->name);
	send_login(s);
	return 0;
}

static void acknowledge(struct link_session *s, struct outgoing *m, uint64_t seq)
{
	struct event *e = client_event(s, EVENT_ACK);

	if (!e)
		return;
	e->counter = m->counter;
	e->seq = seq;
	e->direct = m->direct;
	memcpy(e->instance, s->instance, sizeof(e->instance));
	client_set(s, &e->room, m->direct ? "" : m->to);
	client_set(s, &e->nick, m->direct ? m->to : "");
	if (!s->out_of_memory)
		outbox_remove(&s->outbox, m);
}

static int on_logged_in(struct link_session *s, const union message *m)
{
	const struct msg_logged_in *l = &m->logged_in;
	struct event *e;

	if (s->stage != STAGE_LOGIN || l->tag != s->login_tag)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server accepted a login that was not asked for");
	if (l->accepted > s->outbox.last_counter)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server claims to have messages that were never sent");
	s->stage = STAGE_ONLINE;
	s->logged_in = s->was_online = true;
	copy_span(s->nick, sizeof(s->nick), l->nick);
	s->text_max = l->text_max > 0 && l->text_max < TEXT_MAX ? l->text_max : TEXT_MAX;
	if (!(e = client_event(s, EVENT_LOGGED_IN)))
		return 0;
	e->flag = s->kept;
	e->number = s->text_max;
	client_set(s, &e->nick, s->nick);
	client_set(s, &e->text, s->server_name);
	link_session_state(s, LINK_ONLINE, NULL, 0, 0);
	/* What the server has is kept, only its number is not known. */
	while (s->outbox.head && s->outbox.head->counter <= l->accepted && !s->out_of_memory)
		acknowledge(s, s->outbox.head, 0);
	client_pursue_all(s);
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
	return 0;
}

/* Which codes will not be better at the next try. */
static bool is_final(const struct link_session *s, unsigned code)
{
	return code == CODE_VERSION || code == CODE_BAD_NICK ||
	       (code == CODE_NICK_TAKEN && !s->any_nick);
}

static int end_of_connection(struct link_session *s, unsigned code, struct span text, int otherwise)
{
	char buffer[REASON_MAX + 1];
	bool final = s->stage != STAGE_ONLINE && is_final(s, code);

	return client_fail(
		s, final ? ERR_REFUSED : otherwise, code, "%s", reason_text(buffer, code, text));
}

/* A room could not be joined: the owner is told, and nobody tries again. */
static void refuse_seat(struct link_session *s, struct seat *seat)
{
	if (seat->state == SEAT_JOINING)
		seat->wanted = false;
	seat->tag = 0;
	seat->state = SEAT_OUT;
	client_pursue(s, seat);
}

/* An error about a request. */
static void refuse_request(struct link_session *s, const struct msg_error *error)
{
	struct seat *seat = seats_find_tag(&s->seats, error->tag);
	struct seat *listed = seats_find_members_tag(&s->seats, error->tag);
	struct event *e = client_event(s, EVENT_ERROR);
	char buffer[REASON_MAX + 1];

	if (!e)
		return;
	e->code = error->code;
	client_set(s, &e->text, reason_text(buffer, error->code, error->text));
	if (seat || listed)
		client_set(s, &e->room, seat ? seat->name : listed->name);
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

/* ---- rooms ---- */

static int on_joined(struct link_session *s, const union message *m)
{
	const struct msg_joined *j = &m->joined;
	struct seat *seat = seats_find_tag(&s->seats, j->tag);

	if (!seat || seat->state != SEAT_JOINING)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server joined us to a room that was not asked for");
	seat->tag = 0;
	seat->state = SEAT_IN;
	seat->people = j->people;
	seat_rename(seat, j->room);
	if (!seat->seen_known) {
		seat->seen_known = true;
		seat->seen = j->after;
	}
	seat->joined_before = true;
	struct event *e = client_event(s, EVENT_JOINED);
	if (!e)
		return 0;
	e->flag = seat->resuming;
	e->seq = j->last;
	e->count = j->people;
	e->time = j->topic_time;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->text, j->topic);
	client_set_span(s, &e->nick, j->topic_nick);
	client_pursue(s, seat);
	return 0;
}

static int on_parted(struct link_session *s, const union message *m)
{
	const struct msg_parted *p = &m->parted;
	struct seat *seat =
		p->tag ? seats_find_tag(&s->seats, p->tag) : seats_find(&s->seats, p->room);

	if (!seat)
		return 0;
	struct event *e = client_event(s, EVENT_PARTED);
	if (!e)
		return 0;
	e->code = p->code;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->text, p->text);
	/* Put out by the server, the seat is lost; left by request, it may be wanted again. */
	if (seat->state != SEAT_LEAVING)
		seat->wanted = false;
	seat_reset(seat);
	seat->joined_before = false;
	client_pursue(s, seat);
	return 0;
}

static int copy_rooms(struct event *e, struct list rooms)
{
	struct item_room room;

	e->rooms = calloc((size_t)rooms.count + 1, sizeof(*e->rooms));
	if (!e->rooms)
		return ERR_MEMORY;
	while (message_list_next(&rooms, ITEM_ROOM, &room)) {
		struct event_room *to = &e->rooms[e->count++];

		to->people = room.people;
		if (event_set_span(&to->name, room.name) != 0 ||
			event_set_span(&to->topic, room.topic) != 0)
			return ERR_MEMORY;
	}
	return 0;
}

static int on_room_list(struct link_session *s, const union message *m)
{
	const struct msg_room_list *l = &m->room_list;
	bool more = l->more && l->rooms.count > 0;

	if (l->tag == 0 || l->tag != s->rooms_tag)
		return 0;
	struct event *e = client_event(s, EVENT_ROOMS);
	if (!e)
		return 0;
	e->number = l->total;
	e->flag = !more;
	if (copy_rooms(e, l->rooms) != 0) {
		s->out_of_memory = s->event_broken = true;
		return 0;
	}
	s->rooms_tag = 0;
	s->rooms_wanted = more;
	if (more) {
		const char *last = e->rooms[e->count - 1].name;
		struct msg_rooms next = {
			.tag = client_tag(s), .after = span_of(last), .limit = LIST_MAX};

		s->rooms_tag = next.tag;
		client_send(s, MESSAGE_ROOMS, &next);
	}
	return 0;
}

/* ---- people ---- */

/* Room for `more` people in the list that is being put together. */
static int reserve_people(struct seat *seat, size_t more)
{
	if (!seat->pages) {
		seat->pages = event_new(EVENT_MEMBERS);
		seat->pages_room = 0;
	}
	struct event *pages = seat->pages;
	if (!pages)
		return ERR_MEMORY;
	if (pages->people && seat->pages_room - pages->count >= more)
		return 0;
	size_t room = pages->count + more + 1;
	if (room < seat->pages_room * 2)
		room = seat->pages_room * 2;
	struct event_person *people = realloc(pages->people, room * sizeof(*people));
	if (!people)
		return ERR_MEMORY;
	pages->people = people;
	seat->pages_room = room;
	return 0;
}

static enum person_state state_of(uint8_t wire)
{
	return wire <= PERSON_GONE ? (enum person_state)wire : PERSON_HERE;
}

static int add_people(struct seat *seat, struct list members)
{
	struct item_member member;

	if (reserve_people(seat, members.count) != 0)
		return ERR_MEMORY;
	while (message_list_next(&members, ITEM_MEMBER, &member)) {
		struct event_person *to = &seat->pages->people[seat->pages->count++];

		*to = (struct event_person){.state = state_of(member.state)};
		memcpy(to->person, member.person, sizeof(to->person));
		if (event_set_span(&to->nick, member.nick) != 0 ||
			event_set_span(&to->away, member.away) != 0)
			return ERR_MEMORY;
	}
	return 0;
}

/* The list is complete: it goes to the owner. */
static void deliver_people(struct link_session *s, struct seat *seat, bool whole)
{
	struct event *e = seat->pages;

	seat->pages = NULL;
	seat->pages_room = 0;
	e->flag = whole;
	e->number = seat->people;
	event_list_add(&s->events, e);
	client_set(s, &e->room, seat->name);
	seat->people_state = SEAT_PEOPLE_KNOWN;
	seat->members_wanted = false;
}

static int on_member_list(struct link_session *s, const union message *m)
{
	const struct msg_member_list *l = &m->member_list;
	struct seat *seat =
		l->tag ? seats_find_members_tag(&s->seats, l->tag) : seats_find(&s->seats, l->room);

	/* A list that comes by itself is dropped while one is being fetched, or pages would mix. */
	if (!seat || (l->tag == 0 && seat->members_tag != 0))
		return 0;
	seat->members_tag = 0;
	seat->version = l->version;
	seat->people = l->people;
	if (add_people(seat, l->members) != 0) {
		s->out_of_memory = true;
		return 0;
	}
	const struct event *pages = seat->pages;
	bool more = l->more && l->members.count > 0;
	if (more && pages->count < MEMBERS_MOST)
		client_ask_members(s, seat, span_of(pages->people[pages->count - 1].nick));
	else
		deliver_people(s, seat, !more);
	return 0;
}

/* Updates were missed: the whole list is needed, when its turn comes. */
static void refresh_people(struct link_session *s, struct seat *seat)
{
	seat->members_wanted = true;
	client_pursue(s, seat);
}

static void put_change(
	struct link_session *s, const struct seat *seat, const struct item_change *change)
{
	struct event *e;

	if (change->what > CHANGE_STATE || !(e = client_event(s, EVENT_PRESENCE)))
		return;
	e->change = (enum change_what)change->what;
	e->person_state = state_of(change->state);
	e->number = seat->people;
	memcpy(e->person, change->person, sizeof(e->person));
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->nick, change->nick);
	client_set_span(s, &e->text, change->text);
}

/* A room too large for single changes: only how many there are. */
static void put_count(struct link_session *s, struct seat *seat)
{
	struct event *e = client_event(s, EVENT_MEMBERS);

	seat->people_state = SEAT_PEOPLE_UNKNOWN;
	if (!e)
		return;
	e->number = seat->people;
	client_set(s, &e->room, seat->name);
}

static int on_presence(struct link_session *s, const union message *m)
{
	const struct msg_presence *p = &m->presence;
	struct seat *seat = seats_find(&s->seats, p->room);
	struct list changes = p->changes;
	struct item_change change;

	if (!seat || seat->state != SEAT_IN)
		return 0;
	bool known = seat->people_state != SEAT_PEOPLE_UNKNOWN;
	if (known && p->version <= seat->version)
		return 0; /* the list that we have is newer */
	bool missed = known ? p->version != seat->version + 1 : changes.count > 0;
	seat->version = p->version;
	seat->people = p->people;
	if (changes.count == 0) {
		put_count(s, seat);
		return 0;
	}
	while (message_list_next(&changes, ITEM_CHANGE, &change))
		put_change(s, seat, &change);
	if (missed)
		refresh_people(s, seat);
	return 0;
}

static int on_renamed(struct link_session *s, const union message *m)
{
	struct event *e = client_event(s, EVENT_RENAMED);

	if (m->renamed.tag == s->nick_tag) {
		s->nick_tag = 0;
		s->nick_wanted[0] = '\0';
	}
	copy_span(s->nick, sizeof(s->nick), m->renamed.nick);
	if (e)
		client_set(s, &e->nick, s->nick);
	return 0;
}

/* ---- what people say ---- */

static int on_ack(struct link_session *s, const union message *m)
{
	struct outgoing *sent = outbox_find(&s->outbox, m->ack.counter);

	client_retry_over(s);
	if (sent)
		acknowledge(s, sent, m->ack.seq);
	return 0;
}

static int on_refused(struct link_session *s, const union message *m)
{
	const struct msg_refused *r = &m->refused;
	struct outgoing *sent = outbox_find(&s->outbox, r->counter);
	char buffer[REASON_MAX + 1];

	if (!sent)
		return 0;
	if (r->code == CODE_RETRY) {
		client_retry(s, r->counter);
		return 0;
	}
	struct event *e = client_event(s, EVENT_REFUSED);
	if (!e)
		return 0;
	e->code = r->code;
	e->counter = r->counter;
	e->direct = sent->direct;
	client_set(s, &e->room, sent->direct ? "" : sent->to);
	client_set(s, &e->nick, sent->direct ? sent->to : "");
	client_set(s, &e->text, reason_text(buffer, r->code, r->text));
	outbox_remove(&s->outbox, sent);
	return 0;
}

static int said_kind(uint8_t wire)
{
	return wire < SAID_KINDS ? wire : SAID_TEXT;
}

static int on_said(struct link_session *s, const union message *m)
{
	const struct msg_said *said = &m->said;
	struct seat *seat = seats_find(&s->seats, said->room);

	if (!seat || !seat->seen_known || said->seq <= seat->seen) {
		s->dropped++;
		return 0;
	}
	/* Resuming will bring what is missing. */
	if (said->prev > seat->seen)
		return client_fail(s, ERR_PROTOCOL, CODE_PROTOCOL,
			"the server left out a message and did not say so");
	struct event *e = client_event(s, EVENT_MESSAGE);
	if (!e)
		return 0;
	e->kind = said_kind(said->kind);
	e->seq = said->seq;
	e->time = said->time;
	e->counter = said->counter;
	memcpy(e->instance, said->instance, sizeof(e->instance));
	memcpy(e->person, said->person, sizeof(e->person));
	e->own = memcmp(said->instance, s->instance, sizeof(s->instance)) == 0;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->nick, said->nick);
	client_set_span(s, &e->text, said->text);
	if (!s->out_of_memory)
		seat->seen = said->seq;
	return 0;
}

static int on_direct_said(struct link_session *s, const union message *m)
{
	const struct msg_direct_said *said = &m->direct_said;
	bool from_me = memcmp(said->person, s->identity.id, sizeof(said->person)) == 0;

	if (s->inbox_known && said->seq <= s->inbox_seen) {
		s->dropped++;
		return 0;
	}
	struct event *e = client_event(s, EVENT_MESSAGE);
	if (!e)
		return 0;
	e->direct = true;
	e->kind = said_kind(said->kind);
	e->seq = said->seq;
	e->time = said->time;
	e->counter = said->counter;
	memcpy(e->instance, said->instance, sizeof(e->instance));
	memcpy(e->person, said->person, sizeof(e->person));
	memcpy(e->peer, from_me ? said->to : said->person, sizeof(e->peer));
	e->own = memcmp(said->instance, s->instance, sizeof(s->instance)) == 0;
	client_set(s, &e->room, "");
	client_set_span(s, &e->nick, said->nick);
	client_set_span(s, &e->peer_nick, from_me ? said->to_nick : said->nick);
	client_set_span(s, &e->text, said->text);
	if (!s->out_of_memory) {
		s->inbox_known = true;
		s->inbox_seen = said->seq;
	}
	return 0;
}

static int on_gap(struct link_session *s, const union message *m)
{
	const struct msg_gap *g = &m->gap;
	struct seat *seat = g->room.length ? seats_find(&s->seats, g->room) : NULL;

	if (g->next == 0 || (g->room.length && !seat))
		return 0;
	struct event *e = client_event(s, EVENT_GAP);
	if (!e)
		return 0;
	e->seq = g->after;
	e->number = g->next;
	client_set(s, &e->room, seat ? seat->name : "");
	if (seat && seat->seen < g->next - 1)
		seat->seen = g->next - 1;
	if (!seat && s->inbox_seen < g->next - 1)
		s->inbox_seen = g->next - 1;
	return 0;
}

static int on_caught_up(struct link_session *s, const union message *m)
{
	const struct msg_caught_up *c = &m->caught_up;
	struct seat *seat = c->room.length ? seats_find(&s->seats, c->room) : NULL;

	if (c->room.length && !seat)
		return 0;
	if (!seat && !s->inbox_known) {
		s->inbox_known = true;
		s->inbox_seen = c->last > s->inbox_seen ? c->last : s->inbox_seen;
	}
	struct event *e = client_event(s, EVENT_CAUGHT_UP);
	if (!e)
		return 0;
	e->seq = c->last;
	e->number = c->people;
	client_set(s, &e->room, seat ? seat->name : "");
	if (seat && seat->people_state == SEAT_PEOPLE_KNOWN && c->version > seat->version)
		refresh_people(s, seat);
	return 0;
}

/* ---- dispatch ---- */

typedef int (*handler)(struct link_session *, const union message *);

static const handler handlers[] = {
	[MESSAGE_WELCOME] = on_welcome,
	[MESSAGE_LOGGED_IN] = on_logged_in,
	[MESSAGE_PING] = on_ping,
	[MESSAGE_PONG] = on_pong,
	[MESSAGE_DONE] = on_done,
	[MESSAGE_ERROR] = on_error,
	[MESSAGE_BYE] = on_bye,
	[MESSAGE_NOTICE] = on_notice,
	[MESSAGE_JOINED] = on_joined,
	[MESSAGE_PARTED] = on_parted,
	[MESSAGE_ROOM_LIST] = on_room_list,
	[MESSAGE_MEMBER_LIST] = on_member_list,
	[MESSAGE_PRESENCE] = on_presence,
	[MESSAGE_RENAMED] = on_renamed,
	[MESSAGE_ACK] = on_ack,
	[MESSAGE_REFUSED] = on_refused,
	[MESSAGE_SAID] = on_said,
	[MESSAGE_DIRECT_SAID] = on_direct_said,
	[MESSAGE_GAP] = on_gap,
	[MESSAGE_CAUGHT_UP] = on_caught_up,
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
