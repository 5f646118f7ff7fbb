#include "client/link_session_private.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

/* A room that claims more people than this gets its list cut here, and so does a server with more rooms. */
#define MEMBERS_MOST 50000
#define ROOMS_MOST   50000

/* Who operates the server is told by nobody: it is asked for again while something happens. */
#define OPERATORS_AGE INT64_C(60000000) /* microseconds */

/* ---- rooms ---- */

struct seat *client_seat(struct link_session *s, struct span room)
{
	struct seat *seat = seats_find(&s->seats, room);

	return seat && !seat->quiet ? seat : NULL;
}

int client_on_joined(struct link_session *s, const union message *m)
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
	/* Below our position, the room has nothing above `after`: so nothing new may have a number that is
	 * taken for an old one, if the server's disk was set back. */
	if (!seat->seen_known || j->after < seat->seen) {
		seat->seen_known = true;
		seat->seen = j->after;
	}
	client_keep_touch(s);
	if (seat->reading.upto > seat->reading.told)
		s->read_waits = true;
	/* The owner has changed their mind before the answer. */
	seat->quiet |= !seat->wanted;
	if (seat->quiet) {
		client_pursue(s, seat);
		return 0;
	}
	seat->joined_before = true;
	struct event *e = client_event(s, EVENT_JOINED);
	if (!e)
		return 0;
	e->read = j->read;
	e->flag = seat->resuming;
	e->seq = j->last;
	e->number = seat->seen;
	e->count = j->people;
	e->time = j->topic_time;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->text, j->topic);
	client_set_span(s, &e->nick, j->topic_nick);
	client_want_ranks(s, &seat->ranks, 0);
	client_pursue(s, seat);
	return 0;
}

/* The owner, who has left, wants to enter again, and is put out before that could be asked for. */
static void tell_not_entered(
	struct link_session *s, const struct seat *seat, const struct msg_parted *p)
{
	struct event *e = client_event(s, EVENT_ERROR);

	if (!e)
		return;
	e->code = p->code;
	client_set(s, &e->room, seat->name);
	client_set_span(s, &e->text, p->text);
}

int client_on_parted(struct link_session *s, const union message *m)
{
	const struct msg_parted *p = &m->parted;
	struct seat *seat =
		p->tag ? seats_find_tag(&s->seats, p->tag) : seats_find(&s->seats, p->room);

	if (!seat)
		return 0;
	/* Put out by the server, the seat is lost; left by request, it may be wanted again. */
	bool put_out = seat->state != SEAT_LEAVING;
	if (put_out && seat->quiet && seat->wanted)
		tell_not_entered(s, seat, p);
	/* Whoever was told that it is in is told that it is not, also where it will be entered anew. */
	bool unknown = seat->quiet && !seat->joined_before;
	struct event *e = unknown ? NULL : client_event(s, EVENT_PARTED);
	if (e) {
		e->code = p->code;
		client_set(s, &e->room, seat->name);
		client_set_span(s, &e->text, p->text);
	}
	seat_reset(seat);
	if (put_out) {
		seat->wanted = false;
		seat->barred = true;
	}
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

int client_on_room_list(struct link_session *s, const union message *m)
{
	const struct msg_room_list *l = &m->room_list;

	if (l->tag == 0 || l->tag != s->rooms_tag)
		return 0;
	s->rooms_got += l->rooms.count;
	bool more = l->more && l->rooms.count > 0 && s->rooms_got < ROOMS_MOST;
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
	if (more)
		client_ask_rooms(s, span_of(e->rooms[e->count - 1].name));
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

int client_on_member_list(struct link_session *s, const union message *m)
{
	const struct msg_member_list *l = &m->member_list;
	struct seat *seat =
		l->tag ? seats_find_members_tag(&s->seats, l->tag) : client_seat(s, l->room);

	/* A list that comes by itself is dropped while one is being fetched, or pages would mix. */
	if (!seat || (l->tag == 0 && seat->members_tag != 0))
		return 0;
	bool first = !seat->pages;
	seat->members_tag = 0;
	if (first)
		seat->version = l->version;
	seat->people = l->people;
	if (add_people(seat, l->members) != 0) {
		s->out_of_memory = true;
		return 0;
	}
	struct event *pages = seat->pages;
	bool more = l->more && l->members.count > 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): add_people filled it */
	pages->seq = first ? l->version : pages->seq;
	bool mixed = l->version != pages->seq;
	if (more && pages->count < MEMBERS_MOST)
		/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): add_people filled it */
		client_ask_members(s, seat, span_of(pages->people[pages->count - 1].nick));
	else
		deliver_people(s, seat, !more);
	/* Whoever left between the pages may be in the list; of a room that is still so large it is out of date
	 * soon anyway. */
	if (!more && mixed && l->people <= LIST_MAX)
		client_refresh_people(s, seat);
	return 0;
}

void client_refresh_people(struct link_session *s, struct seat *seat)
{
	seat->members_wanted = true;
	client_pursue(s, seat);
}

static void put_change(
	struct link_session *s, const struct seat *seat, const struct item_change *change)
{
	struct event *e;

	if (change->what > CHANGE_ACT || !(e = client_event(s, EVENT_PRESENCE)))
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

int client_on_presence(struct link_session *s, const union message *m)
{
	const struct msg_presence *p = &m->presence;
	struct seat *seat = client_seat(s, p->room);
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
	while (message_list_next(&changes, ITEM_CHANGE, &change)) {
		put_change(s, seat, &change);
		if (change.what == CHANGE_ACT)
			client_want_ranks(s, &seat->ranks, 0);
	}
	client_want_ranks(s, &s->server_ranks, OPERATORS_AGE);
	if (missed)
		client_refresh_people(s, seat);
	return 0;
}
