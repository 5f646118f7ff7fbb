/*
 * The model: rooms, what is said in them, and who is there: events in, conversations out.
 */
#include "tests/unit/tell.h"

#include "client/status.h"

#include <check.h>
#include <string.h>

START_TEST(wanted_room_is_shown)
{
	ck_assert_str_eq(model_current(model)->name, "lobby");
	ck_assert_uint_eq(model->count, 3);
	ck_assert_str_eq(model->buffers[0]->name, "house");
	ck_assert_ptr_nonnull(model_room(model, "LOBBY"));
	ck_assert_ptr_null(model_room(model, "lobb"));
}
END_TEST

START_TEST(unread_and_mentions)
{
	struct buffer *dev = model_room(model, "dev");

	tell(news_said("dev", anna, "anna", "one"));
	uint64_t first = scrollback_end(&dev->lines) - 1;
	tell(news_said("dev", anna, "anna", "two"));
	ck_assert_uint_eq(dev->unread, 2);
	ck_assert_uint_eq(dev->mentions, 0);
	ck_assert(!model->bell);
	tell(news_said("dev", anna, "anna", "me: three"));
	ck_assert_uint_eq(dev->unread, 3);
	ck_assert_uint_eq(dev->mentions, 1);
	ck_assert(model->bell);
	ck_assert(tell_last_line(dev)->mention);
	ck_assert_uint_eq(dev->marker, first);
	tell(news_said("lobby", anna, "anna", "here"));
	ck_assert_uint_eq(model_current(model)->unread, 0);
	ck_assert_uint_eq(model_next_unread(model), model_index(model, dev));
	model_show(model, model_index(model, dev));
	ck_assert_uint_eq(dev->unread, 0);
	ck_assert_uint_eq(dev->marker, first); /* until the user leaves */
	model_show(model, model->last);
	ck_assert_uint_eq(dev->marker, MODEL_NO_LINE);
	ck_assert_str_eq(model_current(model)->name, "lobby");
	ck_assert_uint_eq(model_next_unread(model), model->current);
}
END_TEST

START_TEST(history_is_not_news)
{
	tell_joined("old", 100, false);
	struct buffer *b = model_room(model, "old");
	struct event e = news_said("old", anna, "anna", "me: from before");
	e.seq = 100;
	tell(e);
	ck_assert_uint_eq(b->unread, 0);
	ck_assert(!model->bell);
	tell_caught_up("old");
	e.seq = 101;
	e.text = (char *)"me: now";
	tell(e);
	ck_assert_uint_eq(b->unread, 1);
	ck_assert(model->bell);
	/* After a break, what was missed is news. */
	tell_joined("old", 102, true);
	e.seq = 102;
	tell(e);
	ck_assert_uint_eq(b->unread, 2);
}
END_TEST

START_TEST(shown_once)
{
	struct buffer *b = model_current(model);
	struct event e = news_said("lobby", anna, "anna", "once");

	tell(e);
	uint64_t end = scrollback_end(&b->lines);
	tell(e);
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	tell((struct event){.type = EVENT_LOG_CHANGED});
	tell(e); /* another log counts anew */
	ck_assert_str_eq(tell_last_line(b)->text, "once");
	ck_assert_uint_eq(scrollback_end(&b->lines), end + 2);
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

	tell_joined("lobby", 10, false);
	tell_caught_up("lobby");
	b = model_room(model, "lobby");
	memcpy(e.person, anna, PERSON_ID);
	uint64_t last = b->last_seq;
	tell(e);
	ck_assert_str_eq(tell_last_line(b)->text, "(udp) catch");
	ck_assert_str_eq(tell_last_line(b)->nick, "anna");
	ck_assert_int_eq(tell_last_line(b)->state, LINE_DATAGRAM);
	ck_assert_uint_eq(tell_last_line(b)->seq, 0);
	ck_assert_uint_eq(b->last_seq, last);
	/* As often as it comes: nobody can tell. */
	size_t count = b->lines.count;
	tell(e);
	ck_assert_uint_eq(b->lines.count, count + 1);
	ck_assert_int_eq(model_tossed(model, b, "back"), 0);
	ck_assert_str_eq(tell_last_line(b)->text, "(udp) back");
	ck_assert_str_eq(tell_last_line(b)->nick, model->nick);
	ck_assert(tell_last_line(b)->own);
	ck_assert_uint_eq(b->lines.waiting, 0);
	/* Of whom is ignored, and where nobody is, nothing is seen. */
	ck_assert_int_eq(model_ignore(model, anna, "anna"), 0);
	count = b->lines.count;
	tell(e);
	ck_assert_uint_eq(b->lines.count, count);
	ck_assert(model_unignore(model, "anna"));
	e.room = (char *)"elsewhere";
	tell(e);
	ck_assert_uint_eq(b->lines.count, count);
}
END_TEST

START_TEST(topic)
{
	struct buffer *b = model_current(model);
	struct event e = news_said("lobby", anna, "anna", "tea");

	e.kind = SAID_TOPIC;
	tell(e);
	ck_assert_str_eq(b->topic, "tea");
	ck_assert_str_eq(tell_last_line(b)->text, "anna set the topic: tea");
	e.seq = ++news_seq;
	e.text = (char *)"";
	tell(e);
	ck_assert_str_eq(b->topic, "");
}
END_TEST

START_TEST(clean_text)
{
	struct buffer *b = model_current(model);

	tell(news_said("lobby", anna, "an\x1b[2Jna", "a\x1b]0;x\x07\u202e\xff"));
	ck_assert_str_eq(tell_last_line(b)->text, "a\ufffd]0;x\ufffd\ufffd\ufffd");
	ck_assert_ptr_null(strchr(tell_last_line(b)->nick, '\x1b'));
	tell((struct event){
		.type = EVENT_NOTICE, .kind = NOTICE_SERVER, .text = (char *)"one\ntwo\x1b\n"});
	ck_assert_str_eq(tell_last_line(b)->text, "two\ufffd");
}
END_TEST

/* The number of lines below rose, and nothing told that some of them were new. */
START_TEST(news_while_scrolled_back)
{
	struct buffer *b = model_current(model);
	char out[128];

	tell(news_said("lobby", anna, "anna", "one"));
	tell(news_said("lobby", anna, "anna", "two"));
	ck_assert_str_eq(status_scrolled(b, out, sizeof out), "");
	b->place = (struct rows_place){.back = true, .line = scrollback_end(&b->lines) - 2};
	ck_assert_str_eq(status_scrolled(b, out, sizeof out), "scrolled back, 1 below (Esc)");
	b->place.line++;
	ck_assert_str_eq(status_scrolled(b, out, sizeof out), "scrolled back (Esc)");
	b->place.line--;
	tell(news_said("lobby", anna, "anna", "three"));
	tell(news_presence(CHANGE_JOINED, "boris", "", PERSON_HERE));
	ck_assert_str_eq(
		status_scrolled(b, out, sizeof out), "scrolled back, 3 below, 1 new (Esc)");
	ck_assert_uint_lt(strlen(status_scrolled(b, out, 5)), 5);
}
END_TEST

START_TEST(closed)
{
	struct buffer *dev = model_room(model, "dev");

	model_show(model, model_index(model, dev));
	model_close(model, dev);
	ck_assert_str_eq(model_current(model)->name, "lobby");
	ck_assert_uint_eq(model->count, 2);
	tell(news_said("dev", anna, "anna", "late")); /* on its way when the room was left */
	tell((struct event){.type = EVENT_PARTED, .room = (char *)"dev", .text = (char *)""});
	ck_assert_uint_eq(model->count, 2);
}
END_TEST

START_TEST(listed_rooms)
{
	struct event_room page[2] = {
		{(char *)"a", (char *)"about a", 1}, {(char *)"b", (char *)"", 2}};
	struct event e = {.type = EVENT_ROOMS, .rooms = page, .count = 2};

	model->listing = true;
	tell(e);
	ck_assert(model->listing);
	e.flag = true;
	tell(e);
	ck_assert(!model->listing);
	ck_assert_uint_eq(model->room_count, 4);
	tell(e); /* a new list */
	ck_assert_uint_eq(model->room_count, 2);
}
END_TEST

START_TEST(people_come_and_go)
{
	struct buffer *b = model_current(model);

	tell(news_presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "anna joined");
	ck_assert_uint_eq(b->people, 5);
	tell(news_presence(CHANGE_STATE, "anna", "lunch", PERSON_AWAY));
	ck_assert_str_eq(tell_last_line(b)->text, "anna is away: lunch");
	ck_assert_int_eq(roster_find(&b->roster, "anna")->state, PERSON_AWAY);
	tell(news_presence(CHANGE_RENAMED, "anna", "ann", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "anna is now ann");
	ck_assert_ptr_nonnull(model_person(model, "ann"));
	tell(news_presence(CHANGE_PARTED, "ann", "bye", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "ann left: bye");
	ck_assert_ptr_null(model_person(model, "ann"));
	ck_assert_uint_eq(b->unread, 0);
}
END_TEST

/* A newcomer was told of the coming of people who were in the list of members already. */
START_TEST(known_people_do_not_come)
{
	struct buffer *b = model_current(model);
	uint64_t end;

	tell(news_presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	end = scrollback_end(&b->lines);
	tell(news_presence(CHANGE_JOINED, "Anna", "", PERSON_HERE));
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(b->roster.count, 1);
	tell(news_presence(CHANGE_PARTED, "anna", "", PERSON_HERE));
	tell(news_presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "anna joined");
	ck_assert_uint_eq(scrollback_end(&b->lines), end + 2);
}
END_TEST

/* "You are now me3." was followed by "me is now me3". */
START_TEST(own_changes_are_told_once)
{
	struct buffer *b = model_current(model);
	struct event e[] = {
		news_presence(CHANGE_STATE, "me", "", PERSON_HERE),
		news_presence(CHANGE_RENAMED, "me", "me3", PERSON_HERE),
		news_presence(CHANGE_STATE, "me3", "", PERSON_AWAY),
	};

	tell((struct event){.type = EVENT_RENAMED, .nick = (char *)"me3"});
	ck_assert_str_eq(tell_last_line(b)->text, "You are now me3.");
	uint64_t end = scrollback_end(&b->lines);
	for (size_t i = 0; i < sizeof e / sizeof e[0]; i++) {
		memcpy(e[i].person, me, PERSON_ID);
		tell(e[i]);
	}
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	/* Somebody else has that nick now. */
	tell(news_presence(CHANGE_JOINED, "me", "", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "me joined");
}
END_TEST

START_TEST(ignored)
{
	struct buffer *b = model_current(model);
	uint64_t end = scrollback_end(&b->lines);

	ck_assert_int_eq(model_ignore(model, anna, "anna"), 0);
	ck_assert_int_eq(model_ignore(model, anna, "anna"), 0);
	ck_assert_uint_eq(model->ignored_count, 1);
	tell(news_said("lobby", anna, "anna", "me: look"));
	tell(news_direct(anna, "anna", "look"));
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_uint_eq(model->count, 3);
	ck_assert(!model->bell);
	/* The topic, and what is done about the room, are the room's: nobody may miss them. */
	struct event exams = news_said("lobby", anna, "anna", "exams");
	exams.kind = SAID_TOPIC;
	tell(exams);
	ck_assert_str_eq(b->topic, "exams");
	ck_assert_ptr_nonnull(strstr(tell_last_line(b)->text, "exams"));
	tell(news_presence(CHANGE_ACT, "anna", "muted me: noise", PERSON_HERE));
	ck_assert_str_eq(tell_last_line(b)->text, "anna muted me: noise");
	ck_assert(!model_unignore(model, "boris"));
	ck_assert(model_unignore(model, "ANNA"));
	tell(news_said("lobby", anna, "anna", "again"));
	ck_assert_str_eq(tell_last_line(b)->text, "again");
}
END_TEST

/* Whoever is ignored cannot get out of it by another nick, and goes by that one then. */
START_TEST(ignored_and_renamed)
{
	struct buffer *b = model_current(model);

	tell(news_presence(CHANGE_JOINED, "anna", "", PERSON_HERE));
	ck_assert_int_eq(model_ignore(model, anna, "anna"), 0);
	uint64_t end = scrollback_end(&b->lines);
	tell(news_presence(CHANGE_RENAMED, "anna", "ann", PERSON_HERE));
	tell(news_said("lobby", anna, "ann", "look"));
	ck_assert_uint_eq(scrollback_end(&b->lines), end);
	ck_assert_str_eq(model->ignored_nicks[0], "ann");
	ck_assert(!model_unignore(model, "anna"));
	ck_assert(model_unignore(model, "Ann"));
	ck_assert_uint_eq(model->ignored_count, 0);
	/* The change was not seen, but who comes back is known by the key. */
	ck_assert_int_eq(model_ignore(model, anna, "formerly"), 0);
	ck_assert(model_unignore(model, "ann"));
	ck_assert_int_eq(model_ignore(model, anna, "formerly"), 0);
	ck_assert(model_unignore(model, "formerly"));
}
END_TEST

Suite *model_suite(void)
{
	Suite *s = suite_create("model");
	TCase *t = tcase_create("rooms");

	tcase_add_checked_fixture(t, tell_setup, tell_teardown);
	tcase_add_test(t, wanted_room_is_shown);
	tcase_add_test(t, unread_and_mentions);
	tcase_add_test(t, history_is_not_news);
	tcase_add_test(t, shown_once);
	tcase_add_test(t, tossed);
	tcase_add_test(t, topic);
	tcase_add_test(t, clean_text);
	tcase_add_test(t, news_while_scrolled_back);
	tcase_add_test(t, closed);
	tcase_add_test(t, listed_rooms);
	tcase_add_test(t, people_come_and_go);
	tcase_add_test(t, known_people_do_not_come);
	tcase_add_test(t, own_changes_are_told_once);
	tcase_add_test(t, ignored);
	tcase_add_test(t, ignored_and_renamed);
	suite_add_tcase(s, t);
	return s;
}
