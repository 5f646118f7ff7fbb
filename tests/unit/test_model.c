/*
 * The model: events in, conversations out.
 */
#include "client/model.h"

#include "client/status.h"
#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};
static struct model m;
static uint64_t seq;

static void apply(struct event e)
{
	ck_assert_int_eq(model_apply(&m, &e), 0);
}

static void join(const char *room, uint64_t last, bool resumed)
{
	apply((struct event){.type = EVENT_JOINED,
		.room = (char *)room,
		.text = (char *)"",
		.nick = (char *)"",
		.seq = last,
		.count = 1,
		.flag = resumed});
}

static void caught_up(const char *room)
{
	apply((struct event){.type = EVENT_CAUGHT_UP, .room = (char *)room, .number = 1});
}

static void setup(void)
{
	seq = 0;
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	apply((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me",
		.text = (char *)"house",
		.flag = true,
		.number = 4096});
	apply((struct event){.type = EVENT_STATE, .state = LINK_ONLINE, .text = (char *)""});
	caught_up("");
	ck_assert_int_eq(model_set(&m.wanted, "lobby"), 0);
	join("lobby", 0, false);
	caught_up("lobby");
	join("dev", 0, false);
	caught_up("dev");
}

static void teardown(void)
{
	model_fini(&m);
}

static struct event said(
	const char *room, const uint8_t person[PERSON_ID], const char *nick, const char *text)
{
	struct event e = {.type = EVENT_MESSAGE,
		.room = (char *)room,
		.nick = (char *)nick,
		.text = (char *)text,
		.peer_nick = (char *)"",
		.seq = ++seq};

	memcpy(e.person, person, PERSON_ID);
	return e;
}

static struct event direct(const uint8_t person[PERSON_ID], const char *nick, const char *text)
{
	struct event e = said("", person, nick, text);

	e.direct = true;
	memcpy(e.peer, person, PERSON_ID);
	e.peer_nick = e.nick;
	return e;
}

static const struct line *last_line(const struct buffer *b)
{
	return scrollback_line(&b->lines, scrollback_end(&b->lines) - 1);
}

START_TEST(wanted_room_is_shown)
{
	ck_assert_str_eq(model_current(&m)->name, "lobby");
	ck_assert_uint_eq(m.count, 3);
	ck_assert_str_eq(m.buffers[0]->name, "house");
	ck_assert_ptr_nonnull(model_room(&m, "LOBBY"));
	ck_assert_ptr_null(model_room(&m, "lobb"));
}
END_TEST

START_TEST(unread_and_mentions)
{
	struct buffer *dev = model_room(&m, "dev");

	apply(said("dev", anna, "anna", "one"));
	uint64_t first = scrollback_end(&dev->lines) - 1;
	apply(said("dev", anna, "anna", "two"));
	ck_assert_uint_eq(dev->unread, 2);
	ck_assert_uint_eq(dev->mentions, 0);
	ck_assert(!m.bell);
	apply(said("dev", anna, "anna", "me: three"));
	ck_assert_uint_eq(dev->unread, 3);
	ck_assert_uint_eq(dev->mentions, 1);
	ck_assert(m.bell);
	ck_assert(last_line(dev)->mention);
	ck_assert_uint_eq(dev->marker, first);
	apply(said("lobby", anna, "anna", "here"));
	ck_assert_uint_eq(model_current(&m)->unread, 0);
	ck_assert_uint_eq(model_next_unread(&m), model_index(&m, dev));
	model_show(&m, model_index(&m, dev));
	ck_assert_uint_eq(dev->unread, 0);
	ck_assert_uint_eq(dev->marker, first); /* until the user leaves */
	model_show(&m, m.last);
	ck_assert_uint_eq(dev->marker, MODEL_NO_LINE);
	ck_assert_str_eq(model_current(&m)->name, "lobby");
	ck_assert_uint_eq(model_next_unread(&m), m.current);
}
END_TEST

START_TEST(history_is_not_news)
{
	join("old", 100, false);
	struct buffer *b = model_room(&m, "old");
	struct event e = said("old", anna, "anna", "me: from before");
	e.seq = 100;
	apply(e);
	ck_assert_uint_eq(b->unread, 0);
	ck_assert(!m.bell);
	caught_up("old");
	e.seq = 101;
	e.text = (char *)"me: now";
	apply(e);
	ck_assert_uint_eq(b->unread, 1);
	ck_assert(m.bell);
	/* After a break, what was missed is news. */
	join("old", 102, true);
	e.seq = 102;
	apply(e);
	ck_assert_uint_eq(b->unread, 2);
}
END_TEST

START_TEST(shown_once)
{
	struct buffer *b = model_current(&m);
	struct event e = said("lobby", anna, "anna", "once");

	apply(e);
	uint64_t end = scrollback_end(&b->lines);
	apply(e);
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	apply((struct event){.type = EVENT_LOG_CHANGED});
	apply(e); /* another log counts anew */
	ck_assert_str_eq(last_line(b)->text, "once");
	ck_assert_uint_eq(scrollback_end(&b->lines), end + 2);
}
END_TEST

START_TEST(own_messages)
{
	struct buffer *b = model_current(&m);

	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "hello", 7), 0);
	ck_assert_int_eq(last_line(b)->state, LINE_WAITING);
	apply(said("lobby", anna, "anna", "between"));
	ck_assert_str_eq(last_line(b)->text, "hello");
	apply((struct event){.type = EVENT_SENT, .counter = 7});
	ck_assert_int_eq(last_line(b)->state, LINE_SENT);
	apply((struct event){
		.type = EVENT_ACK, .counter = 7, .seq = seq + 1, .room = (char *)"lobby"});
	ck_assert_int_eq(last_line(b)->state, LINE_ACCEPTED);
	uint64_t end = scrollback_end(&b->lines);
	struct event e = said("lobby", me, "me", "hello");
	e.own = true;
	e.counter = 7;
	apply(e);
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_int_eq(last_line(b)->state, LINE_ACCEPTED);
	ck_assert(!m.bell);
}
END_TEST

/* What was on its way when the connection broke waits again, and what was kept does not. */
START_TEST(waiting_after_a_break)
{
	struct buffer *b = model_current(&m);

	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "kept", 1), 0);
	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "sent", 2), 0);
	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "waiting", 3), 0);
	apply((struct event){.type = EVENT_SENT, .counter = 1});
	apply((struct event){.type = EVENT_SENT, .counter = 2});
	apply((struct event){.type = EVENT_SENT, .counter = 9});
	apply((struct event){.type = EVENT_ACK, .counter = 1, .seq = 50, .room = (char *)"lobby"});
	apply((struct event){.type = EVENT_STATE, .state = LINK_WAITING, .text = (char *)"cut"});
	uint64_t end = scrollback_end(&b->lines);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 3)->state, LINE_ACCEPTED);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 2)->state, LINE_WAITING);
	ck_assert_int_eq(scrollback_line(&b->lines, end - 1)->state, LINE_WAITING);
}
END_TEST

/* What an earlier process left waits in its room; kept already, it is shown once, at its place. */
START_TEST(restored_messages)
{
	struct event e = {.type = EVENT_RESTORED,
		.room = (char *)"den",
		.text = (char *)"left over",
		.counter = 5};

	apply(e);
	struct buffer *b = model_room(&m, "den");
	ck_assert_ptr_nonnull(b);
	ck_assert(!b->joined);
	ck_assert_int_eq(last_line(b)->state, LINE_WAITING);
	e.counter = 6;
	apply(e);
	/* One is in the last page, the other one further back. */
	apply((struct event){.type = EVENT_ACK, .counter = 5, .seq = 20, .room = (char *)"den"});
	apply((struct event){.type = EVENT_ACK, .counter = 6, .seq = 30, .room = (char *)"den"});
	ck_assert_uint_eq(b->lines.waiting, 2);
	join("den", 30, false);
	struct event back = said("den", me, "me", "left over");
	back.seq = 30;
	back.own = true;
	back.counter = 6;
	apply(back);
	caught_up("den");
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_uint_eq(b->lines.count, 2); /* and that this is the room */

	struct event d = {.type = EVENT_RESTORED,
		.direct = true,
		.room = (char *)"",
		.peer_nick = (char *)"anna",
		.text = (char *)"psst",
		.counter = 7};
	memcpy(d.peer, anna, PERSON_ID);
	apply(d);
	ck_assert_str_eq(last_line(model_direct(&m, anna, "anna"))->text, "psst");
}
END_TEST

START_TEST(refused_message)
{
	struct buffer *b = model_current(&m);

	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "no", 8), 0);
	apply((struct event){.type = EVENT_REFUSED,
		.counter = 8,
		.room = (char *)"lobby",
		.text = (char *)"because"});
	ck_assert_uint_eq(b->lines.waiting, 0);
	ck_assert_int_eq(last_line(b)->kind, LINE_ERROR);
	ck_assert_ptr_nonnull(strstr(last_line(b)->text, "because"));
	ck_assert_int_eq(
		scrollback_line(&b->lines, scrollback_end(&b->lines) - 2)->state, LINE_REFUSED);
}
END_TEST

/* Whoever writes to somebody without going there is told what became of it where they are. */
START_TEST(apart)
{
	struct buffer *here = model_current(&m), *b = model_open_direct(&m, NULL, "nobody");
	struct event refused = {.type = EVENT_REFUSED,
		.counter = 8,
		.direct = true,
		.room = (char *)"",
		.text = (char *)"nobody of that name is here"};
	size_t before = here->lines.count;

	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "hey", 8), 0);
	apply(refused);
	ck_assert_str_eq(m.hint, "");
	ck_assert_uint_eq(here->lines.count, before + 1);
	ck_assert_int_eq(last_line(here)->kind, LINE_ERROR);
	ck_assert_str_eq(last_line(here)->text, "Not sent to nobody: nobody of that name is here");
	ck_assert_ptr_nonnull(strstr(last_line(b)->text, "nobody of that name is here"));
	b = model_open_direct(&m, NULL, "anna");
	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "hey", 9), 0);
	ck_assert_str_eq(m.hint, "");
	apply((struct event){.type = EVENT_ACK, .counter = 9, .seq = 3, .room = (char *)""});
	ck_assert_str_eq(m.hint, "Sent to anna: room 5 in the list.");
	/* Its coming back may be told first. */
	ck_assert_int_eq(model_sent(&m, here, SAID_TEXT, "hey", 11), 0);
	model_show(&m, 0);
	struct event back = said("lobby", me, "me", "hey");
	back.own = true;
	back.counter = 11;
	m.hint[0] = '\0';
	apply(back);
	ck_assert_str_eq(m.hint, ""); /* it was written there */
	ck_assert_int_eq(model_sent(&m, here, SAID_TEXT, "hey", 12), 0);
	back.counter = 12;
	back.seq = ++seq;
	apply(back);
	ck_assert_str_eq(m.hint, "Sent to #lobby: room 2 in the list.");
	model_show(&m, model_index(&m, here));
	before = here->lines.count;
	/* And whoever has gone there meanwhile sees it there. */
	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "hey", 10), 0);
	model_show(&m, model_index(&m, b));
	refused.counter = 10;
	apply(refused);
	uint64_t end = scrollback_end(&b->lines) - b->lines.waiting;
	ck_assert_ptr_nonnull(
		strstr(scrollback_line(&b->lines, end - 1)->text, "Up brings the text back"));
	ck_assert_uint_eq(here->lines.count, before);
}
END_TEST

static void members(const struct event_person *people, size_t count)
{
	apply((struct event){.type = EVENT_MEMBERS,
		.room = (char *)"lobby",
		.people = (struct event_person *)people,
		.count = count,
		.number = count,
		.flag = true});
}

/* What was said is from when the other one had another nick: the conversation has the one they have. */
START_TEST(direct_renamed)
{
	struct event_person people[2] = {{{2}, PERSON_HERE, (char *)"anna", NULL},
		{{3}, PERSON_HERE, (char *)"bobby", NULL}};

	apply(direct(boris, "bob", "from long ago"));
	struct buffer *b = model_direct(&m, boris, "bob");
	ck_assert_str_eq(b->name, "bob");
	members(people, 2); /* the list comes after it */
	ck_assert_str_eq(b->name, "bobby");
	apply(direct(boris, "bob", "from before, too")); /* or before it */
	ck_assert_str_eq(b->name, "bobby");
	apply((struct event){.type = EVENT_PRESENCE,
		.room = (char *)"lobby",
		.change = CHANGE_JOINED,
		.person = {3},
		.nick = (char *)"bob",
		.text = (char *)"",
		.number = 3});
	ck_assert_str_eq(b->name, "bobby"); /* both are here */
	people[1].nick = (char *)"bert";
	people[1].person[0] = 4;
	members(people, 2);
	ck_assert_str_eq(b->name, "bobby"); /* nobody knows better */
	apply(direct(boris, "robert", "hi"));
	ck_assert_str_eq(b->name, "robert");
	ck_assert_ptr_eq(model_direct(&m, boris, "robert"), b);
	/* One's own words have the other's nick as it was, too. */
	struct event own = direct(boris, "me", "hello");
	memcpy(own.person, me, PERSON_ID);
	own.peer_nick = (char *)"bob";
	own.own = true;
	apply(own);
	ck_assert_str_eq(b->name, "robert");
}
END_TEST

START_TEST(direct_conversations)
{
	apply(direct(anna, "anna", "psst"));
	struct buffer *b = model_direct(&m, anna, "anna");
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(b->kind, BUFFER_DIRECT);
	ck_assert_uint_eq(b->unread, 1);
	ck_assert_uint_eq(b->mentions, 1);
	ck_assert(m.bell);
	/* Opened by nick first: the same conversation once the person is known. */
	struct buffer *c = model_open_direct(&m, NULL, "Boris");
	apply(direct(boris, "boris", "hi"));
	ck_assert_ptr_eq(model_direct(&m, boris, "other"), c);
	ck_assert_uint_eq(m.count, 5);
	/* Somebody else with that nick is somebody else. */
	apply(direct((const uint8_t[PERSON_ID]){9}, "boris", "hi"));
	ck_assert_uint_eq(m.count, 6);
	/* Rooms stay before people. */
	join("new", 0, false);
	ck_assert_int_eq(m.buffers[3]->kind, BUFFER_ROOM);
	ck_assert_str_eq(model_current(&m)->name, "lobby");
}
END_TEST

/* Whoever has many keys begins as many conversations. */
START_TEST(direct_conversations_without_end)
{
	uint8_t person[PERSON_ID] = {9};
	char nick[16];

	apply(direct(anna, "anna", "psst"));
	struct buffer *b = model_direct(&m, anna, "anna");
	ck_assert_int_eq(model_sent(&m, b, SAID_TEXT, "what is it?", 1), 0);
	struct event own = direct(anna, "me", "what is it?");
	own.own = true;
	own.counter = 1;
	memcpy(own.person, me, PERSON_ID);
	own.peer_nick = (char *)"anna";
	apply(own);
	ck_assert_uint_eq(b->lines.waiting, 0);
	/* What is shown, what waits and what is being written stay as well. */
	apply(direct(boris, "boris", "hi"));
	model_show(&m, model_index(&m, model_direct(&m, boris, "boris")));
	for (unsigned i = 0; i < 2000; i++) {
		person[1] = (uint8_t)i;
		person[2] = (uint8_t)(i >> 8);
		(void)snprintf(nick, sizeof(nick), "n%u", i);
		apply(direct(person, nick, "buy!"));
		if (i == 0)
			model_direct(&m, person, nick)->draft = strdup("no, ");
		if (i == 1)
			ck_assert_int_eq(
				model_sent(&m, model_direct(&m, person, nick), SAID_TEXT, "no", 2),
				0);
	}
	ck_assert_uint_eq(m.count, 3 + 500);
	ck_assert_ptr_eq(model_direct(&m, anna, "anna"), b);
	ck_assert_str_eq(model_current(&m)->name, "boris");
	ck_assert_ptr_nonnull(model_direct(&m, NULL, "n0"));
	ck_assert_ptr_nonnull(model_direct(&m, NULL, "n1"));
	ck_assert_ptr_null(model_direct(&m, NULL, "n2"));
	ck_assert_ptr_nonnull(model_direct(&m, NULL, "n1999"));
}
END_TEST

/* Two programs of one person, under different nicks, talk to each other. */
START_TEST(direct_to_oneself)
{
	struct event e = direct(me, "other", "psst");

	e.peer_nick = (char *)"me";
	apply(e);
	ck_assert_ptr_nonnull(model_direct(&m, me, "other"));
	ck_assert_ptr_null(model_direct(&m, me, "me"));
	ck_assert_uint_eq(model_direct(&m, me, "other")->unread, 1);
}
END_TEST

START_TEST(inbox_from_before)
{
	model_fini(&m);
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	apply(direct(anna, "anna", "while you were away"));
	ck_assert_uint_eq(m.count, 2);
	ck_assert_uint_eq(m.buffers[1]->unread, 0);
	ck_assert(!m.bell);
}
END_TEST

static struct event presence(
	enum change_what what, const char *nick, const char *text, enum person_state state)
{
	struct event e = {.type = EVENT_PRESENCE,
		.room = (char *)"lobby",
		.change = what,
		.nick = (char *)nick,
		.text = (char *)text,
		.person_state = state,
		.number = 5};

	memcpy(e.person, anna, PERSON_ID);
	return e;
}

START_TEST(people_come_and_go)
{
	struct buffer *b = model_current(&m);

	apply(presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	ck_assert_str_eq(last_line(b)->text, "anna joined");
	ck_assert_uint_eq(b->people, 5);
	apply(presence(CHANGE_STATE, "anna", "lunch", PERSON_AWAY));
	ck_assert_str_eq(last_line(b)->text, "anna is away: lunch");
	ck_assert_int_eq(roster_find(&b->roster, "anna")->state, PERSON_AWAY);
	apply(presence(CHANGE_RENAMED, "anna", "ann", PERSON_HERE));
	ck_assert_str_eq(last_line(b)->text, "anna is now ann");
	ck_assert_ptr_nonnull(model_person(&m, "ann"));
	apply(presence(CHANGE_PARTED, "ann", "bye", PERSON_HERE));
	ck_assert_str_eq(last_line(b)->text, "ann left: bye");
	ck_assert_ptr_null(model_person(&m, "ann"));
	ck_assert_uint_eq(b->unread, 0);
}
END_TEST

/* A newcomer was told of the coming of people who were in the list of members already. */
START_TEST(known_people_do_not_come)
{
	struct buffer *b = model_current(&m);
	uint64_t end;

	apply(presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	end = scrollback_end(&b->lines);
	apply(presence(CHANGE_JOINED, "Anna", "", PERSON_HERE));
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(b->roster.count, 1);
	apply(presence(CHANGE_PARTED, "anna", "", PERSON_HERE));
	apply(presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	ck_assert_str_eq(last_line(b)->text, "anna joined");
	ck_assert_uint_eq(scrollback_end(&b->lines), end + 2);
}
END_TEST

/* "You are now me3." was followed by "me is now me3". */
START_TEST(own_changes_are_told_once)
{
	struct buffer *b = model_current(&m);
	struct event e[] = {
		presence(CHANGE_STATE, "me", "", PERSON_HERE),
		presence(CHANGE_RENAMED, "me", "me3", PERSON_HERE),
		presence(CHANGE_STATE, "me3", "", PERSON_AWAY),
	};

	apply((struct event){.type = EVENT_RENAMED, .nick = (char *)"me3"});
	ck_assert_str_eq(last_line(b)->text, "You are now me3.");
	uint64_t end = scrollback_end(&b->lines);
	for (size_t i = 0; i < sizeof e / sizeof e[0]; i++) {
		memcpy(e[i].person, me, PERSON_ID);
		apply(e[i]);
	}
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	/* Somebody else has that nick now. */
	apply(presence(CHANGE_JOINED, "me", "", PERSON_HERE));
	ck_assert_str_eq(last_line(b)->text, "me joined");
}
END_TEST

/* What was said as a datagram is at the end, marked, and has no number; it is news as any other. */
START_TEST(tossed)
{
	struct buffer *b;
	struct event e = {.type = EVENT_TOSSED,
		.room = (char *)"lobby",
		.nick = (char *)"anna",
		.text = (char *)"catch",
		.time = 5};

	join("lobby", 10, false);
	caught_up("lobby");
	b = model_room(&m, "lobby");
	memcpy(e.person, anna, PERSON_ID);
	uint64_t last = b->last_seq;
	apply(e);
	ck_assert_str_eq(last_line(b)->text, "(udp) catch");
	ck_assert_str_eq(last_line(b)->nick, "anna");
	ck_assert_int_eq(last_line(b)->state, LINE_DATAGRAM);
	ck_assert_uint_eq(last_line(b)->seq, 0);
	ck_assert_uint_eq(b->last_seq, last);
	/* As often as it comes: nobody can tell. */
	size_t count = b->lines.count;
	apply(e);
	ck_assert_uint_eq(b->lines.count, count + 1);
	ck_assert_int_eq(model_tossed(&m, b, "back"), 0);
	ck_assert_str_eq(last_line(b)->text, "(udp) back");
	ck_assert_str_eq(last_line(b)->nick, m.nick);
	ck_assert(last_line(b)->own);
	ck_assert_uint_eq(b->lines.waiting, 0);
	/* Of whom is ignored, and where nobody is, nothing is seen. */
	ck_assert_int_eq(model_ignore(&m, anna, "anna"), 0);
	count = b->lines.count;
	apply(e);
	ck_assert_uint_eq(b->lines.count, count);
	ck_assert(model_unignore(&m, "anna"));
	e.room = (char *)"elsewhere";
	apply(e);
	ck_assert_uint_eq(b->lines.count, count);
}
END_TEST

START_TEST(ignored)
{
	struct buffer *b = model_current(&m);
	uint64_t end = scrollback_end(&b->lines);

	ck_assert_int_eq(model_ignore(&m, anna, "anna"), 0);
	ck_assert_int_eq(model_ignore(&m, anna, "anna"), 0);
	ck_assert_uint_eq(m.ignored_count, 1);
	apply(said("lobby", anna, "anna", "me: look"));
	apply(direct(anna, "anna", "look"));
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(m.count, 3);
	ck_assert(!m.bell);
	ck_assert(!model_unignore(&m, "boris"));
	ck_assert(model_unignore(&m, "ANNA"));
	apply(said("lobby", anna, "anna", "again"));
	ck_assert_str_eq(last_line(b)->text, "again");
}
END_TEST

/* The number of lines below rose, and nothing told that some of them were new. */
START_TEST(news_while_scrolled_back)
{
	struct buffer *b = model_current(&m);
	char out[128];

	apply(said("lobby", anna, "anna", "one"));
	apply(said("lobby", anna, "anna", "two"));
	ck_assert_str_eq(status_scrolled(b, out, sizeof out), "");
	b->place = (struct rows_place){.back = true, .line = scrollback_end(&b->lines) - 2};
	ck_assert_str_eq(status_scrolled(b, out, sizeof out), "scrolled back, 1 below (Esc)");
	apply(said("lobby", anna, "anna", "three"));
	apply(presence(CHANGE_JOINED, "boris", "", PERSON_HERE));
	ck_assert_str_eq(
		status_scrolled(b, out, sizeof out), "scrolled back, 3 below, 1 new (Esc)");
	ck_assert_uint_lt(strlen(status_scrolled(b, out, 5)), 5);
}
END_TEST

START_TEST(closed)
{
	struct buffer *dev = model_room(&m, "dev");

	model_show(&m, model_index(&m, dev));
	model_close(&m, dev);
	ck_assert_str_eq(model_current(&m)->name, "lobby");
	ck_assert_uint_eq(m.count, 2);
	apply(said("dev", anna, "anna", "late")); /* on its way when the room was left */
	apply((struct event){.type = EVENT_PARTED, .room = (char *)"dev", .text = (char *)""});
	ck_assert_uint_eq(m.count, 2);
}
END_TEST

START_TEST(clean_text)
{
	struct buffer *b = model_current(&m);

	apply(said("lobby", anna, "an\x1b[2Jna", "a\x1b]0;x\x07\u202e\xff"));
	ck_assert_str_eq(last_line(b)->text, "a\ufffd]0;x\ufffd\ufffd\ufffd");
	ck_assert_ptr_null(strchr(last_line(b)->nick, '\x1b'));
	apply((struct event){
		.type = EVENT_NOTICE, .kind = NOTICE_SERVER, .text = (char *)"one\ntwo\x1b\n"});
	ck_assert_str_eq(last_line(b)->text, "two\ufffd");
}
END_TEST

START_TEST(taken_nick)
{
	apply((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me2",
		.text = (char *)"house",
		.flag = false,
		.number = 100});
	ck_assert_str_eq(m.nick, "me2");
	ck_assert_str_eq(last_line(model_current(&m))->text, "The nick me was taken; you are me2.");
	ck_assert_uint_eq(m.text_max, 100);
	ck_assert(!m.kept);
	/* It was said in the room that was shown; those joined later are not told. */
	join("later", 0, false);
	model_show(&m, model_index(&m, model_room(&m, "later")));
	caught_up("later");
	ck_assert_str_eq(last_line(model_current(&m))->text, "You are in #later: 1 person here.");
}
END_TEST

/* It was said in the server's pane alone, which is left as soon as the first room is joined. */
START_TEST(taken_nick_at_first)
{
	model_fini(&m);
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	ck_assert_int_eq(model_set(&m.wanted, "lobby"), 0);
	apply((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me2",
		.text = (char *)"house",
		.flag = true,
		.number = 100});
	ck_assert_str_eq(last_line(m.buffers[0])->text, "The nick me was taken; you are me2.");
	join("lobby", 0, false);
	caught_up("lobby");
	ck_assert_str_eq(model_current(&m)->name, "lobby");
	ck_assert_str_eq(last_line(model_current(&m))->text, "The nick me was taken; you are me2.");
	caught_up("lobby");
	ck_assert_ptr_null(m.taken_nick);
}
END_TEST

START_TEST(greeting_is_unread)
{
	struct event e = {.type = EVENT_NOTICE, .kind = NOTICE_MOTD, .text = (char *)"one\ntwo\n"};

	model_fini(&m);
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	ck_assert_int_eq(model_set(&m.wanted, "lobby"), 0);
	apply(e);
	join("lobby", 0, false);
	ck_assert_str_eq(model_current(&m)->name, "lobby");
	ck_assert_uint_eq(m.buffers[0]->unread, 2);
	ck_assert_uint_ne(m.buffers[0]->marker, MODEL_NO_LINE);
	model_show(&m, 0);
	ck_assert_uint_eq(m.buffers[0]->unread, 0);
}
END_TEST

START_TEST(topic)
{
	struct buffer *b = model_current(&m);
	struct event e = said("lobby", anna, "anna", "tea");

	e.kind = SAID_TOPIC;
	apply(e);
	ck_assert_str_eq(b->topic, "tea");
	ck_assert_str_eq(last_line(b)->text, "anna set the topic: tea");
	e.seq = ++seq;
	e.text = (char *)"";
	apply(e);
	ck_assert_str_eq(b->topic, "");
}
END_TEST

START_TEST(listed_rooms)
{
	struct event_room page[2] = {
		{(char *)"a", (char *)"about a", 1}, {(char *)"b", (char *)"", 2}};
	struct event e = {.type = EVENT_ROOMS, .rooms = page, .count = 2};

	m.listing = true;
	apply(e);
	ck_assert(m.listing);
	e.flag = true;
	apply(e);
	ck_assert(!m.listing);
	ck_assert_uint_eq(m.room_count, 4);
	apply(e); /* a new list */
	ck_assert_uint_eq(m.room_count, 2);
}
END_TEST

START_TEST(words_of_the_connection)
{
	char out[128];

	m.rtt_us = 400;
	ck_assert_str_eq(status_connection(&m, 0, out, sizeof out), "online, 0.4 ms");
	apply((struct event){.type = EVENT_STATE,
		.state = LINK_WAITING,
		.text = (char *)"reset",
		.number = 3500});
	int64_t then = m.retry_at - 3500;
	ck_assert_str_eq(status_connection(&m, then, out, sizeof out),
		"offline, next try in 4 s (Enter: now): reset");
	ck_assert_int_eq(status_deadline(&m, then), then + 500);
	ck_assert_str_eq(status_connection(&m, then + 500, out, sizeof out),
		"offline, next try in 3 s (Enter: now): reset");
	ck_assert_int_eq(status_deadline(&m, then + 500), then + 1500);
	ck_assert_int_eq(status_deadline(&m, then + 3500), INT64_MAX);
	ck_assert_ptr_nonnull(strstr(last_line(model_current(&m))->text, "lost: reset"));
	apply(said("dev", anna, "anna", "me: x"));
	ck_assert_ptr_nonnull(strstr(status_activity(&m, out, sizeof out), "3:#dev(1!)"));
	ck_assert_uint_lt(strlen(status_activity(&m, out, 5)), 5);
}
END_TEST

static void state(enum link_state now, const char *text)
{
	apply((struct event){
		.type = EVENT_STATE, .state = now, .text = (char *)text, .number = 1000});
}

/* How many lines the server's pane has. */
static uint64_t said_lines(void)
{
	return m.buffers[0]->lines.count;
}

/* Each try said that it began and that it failed, until nothing else was to be seen. */
START_TEST(failures_are_said_once)
{
	state(LINK_WAITING, "closed");
	uint64_t lines = said_lines();
	ck_assert_str_eq(last_line(m.buffers[0])->text, "The connection was lost: closed");
	state(LINK_CONNECTING, "here");
	ck_assert_uint_eq(said_lines(), lines);
	for (int i = 0; i < 5; i++) {
		state(LINK_WAITING, "refu\x01sed");
		state(LINK_CONNECTING, "here");
		ck_assert_uint_eq(said_lines(), lines + 1);
	}
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 2);
	ck_assert_str_eq(last_line(m.buffers[0])->text, "No connection: timeout");
	state(LINK_ONLINE, "");
	ck_assert_uint_eq(said_lines(), lines + 3);
	ck_assert_str_eq(last_line(m.buffers[0])->text, "Connected again.");
	/* The same trouble another time is news. */
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 4);
}
END_TEST

START_TEST(first_failure_tells_the_way_out)
{
	model_fini(&m);
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	state(LINK_CONNECTING, "here");
	ck_assert_uint_eq(said_lines(), 1);
	state(LINK_WAITING, "refused");
	ck_assert_ptr_nonnull(strstr(last_line(m.buffers[0])->text, "/discover"));
	uint64_t lines = said_lines();
	state(LINK_WAITING, "timeout");
	ck_assert_uint_eq(said_lines(), lines + 1);
	ck_assert_str_eq(last_line(m.buffers[0])->text, "No connection: timeout");
}
END_TEST

Suite *model_suite(void)
{
	Suite *s = suite_create("model");
	TCase *t = tcase_create("events");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, wanted_room_is_shown);
	tcase_add_test(t, unread_and_mentions);
	tcase_add_test(t, history_is_not_news);
	tcase_add_test(t, shown_once);
	tcase_add_test(t, own_messages);
	tcase_add_test(t, waiting_after_a_break);
	tcase_add_test(t, restored_messages);
	tcase_add_test(t, refused_message);
	tcase_add_test(t, apart);
	tcase_add_test(t, direct_renamed);
	tcase_add_test(t, direct_conversations);
	tcase_add_test(t, direct_conversations_without_end);
	tcase_add_test(t, direct_to_oneself);
	tcase_add_test(t, inbox_from_before);
	tcase_add_test(t, people_come_and_go);
	tcase_add_test(t, known_people_do_not_come);
	tcase_add_test(t, own_changes_are_told_once);
	tcase_add_test(t, tossed);
	tcase_add_test(t, ignored);
	tcase_add_test(t, news_while_scrolled_back);
	tcase_add_test(t, closed);
	tcase_add_test(t, clean_text);
	tcase_add_test(t, taken_nick);
	tcase_add_test(t, taken_nick_at_first);
	tcase_add_test(t, greeting_is_unread);
	tcase_add_test(t, topic);
	tcase_add_test(t, listed_rooms);
	tcase_add_test(t, words_of_the_connection);
	tcase_add_test(t, failures_are_said_once);
	tcase_add_test(t, first_failure_tells_the_way_out);
	suite_add_tcase(s, t);
	return s;
}
