/*
 * Rooms: what members are told of each other, when, and in how many words; the
 * list and its pages. Time is what the test says it is.
 */
#include "server/room.h"

#include "common/clock.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE (60 * 1024)

static struct segment_budget budget;
static struct room *room;
static uint64_t read_up_to; /* position in the room's feed */
static int64_t now;
static uint8_t list_bytes[LIST_SIZE];

static void setup(void)
{
	struct stream_key key = entry_room("r");

	budget.bound = 1 << 24;
	atomic_init(&budget.bytes, 0);
	room = room_new(&key, "r", &budget, 0);
	ck_assert_ptr_nonnull(room);
	now = clock_ms();
	read_up_to = 0;
}

static void teardown(void)
{
	room_unref(room);
	ck_assert_uint_eq(atomic_load(&budget.bytes), 0);
}

static uint8_t ids[512][PERSON_ID];

static struct room_session session(int who, const char *nick)
{
	ids[who][0] = (uint8_t)who;
	ids[who][1] = (uint8_t)(who >> 8);
	return (struct room_session){.person = ids[who], .nick = nick, .away = ""};
}

static struct room_session away(int who, const char *nick, const char *text)
{
	struct room_session s = session(who, nick);

	s.state = PERSON_AWAY;
	s.away = text;
	return s;
}

static void enter(struct room_session s)
{
	ck_assert_int_eq(room_enter(room, &s, 0), 0);
}

static void leave(struct room_session s)
{
	room_leave(room, &s, "");
}

static void change(struct room_session old, struct room_session new)
{
	ck_assert_int_eq(room_change(room, &old, &new), 0);
}

/* ---- what was told ---- */

struct told {
	size_t frames, changes;
	uint32_t people;
	uint64_t version;
	char words[4096]; /* each change as "what nick text", with a comma behind */
};

static void note_change(struct told *t, const struct item_change *c)
{
	static const char *const what[] = {"+", "-", ">", "="};
	size_t used = strlen(t->words);

	ck_assert_uint_lt(c->what, 4);
	t->changes++;
	snprintf(t->words + used, sizeof(t->words) - used, "%s%s%.*s%s%.*s,", what[c->what],
		c->state == PERSON_AWAY ? "~" : "", c->nick.length, c->nick.text,
		c->text.length ? ":" : "", c->text.length, c->text.text);
}

/* What the feed got since the last call. */
static struct told hear(void)
{
	struct told t = {0};
	struct feed_window w;

	feed_window_take(room_feed(room), &w);
	while (read_up_to < w.head) {
		size_t left;
		struct frame f;
		union message m;
		const uint8_t *bytes = feed_window_at(&w, read_up_to, &left);
		ck_assert_int_eq(frame_decode(bytes, left, FRAME_PAYLOAD_MAX, &f, NULL), 0);
		ck_assert_uint_eq(f.type, MESSAGE_PRESENCE);
		ck_assert_int_eq(message_decode(&f, &m), 0);
		ck_assert(span_equal(m.presence.room, "r"));
		ck_assert_uint_gt(m.presence.version, t.version);
		t.version = m.presence.version;
		t.people = m.presence.people;
		t.frames++;
		struct item_change c;
		while (message_list_next(&m.presence.changes, ITEM_CHANGE, &c))
			note_change(&t, &c);
		read_up_to += FRAME_HEADER + f.length;
	}
	if (t.frames) {
		ck_assert_uint_eq(w.version, t.version);
		ck_assert_uint_eq(w.people, t.people);
	}
	feed_window_release(&w);
	return t;
}

/* Time passes, and what waits is told. */
static struct told tell(void)
{
	bool told;

	now += ROOM_TELL_MOST;
	ck_assert_int_eq(room_tell(room, now, &told), INT64_MAX);
	return hear();
}

static void expect(const char *words, uint32_t people)
{
	struct told t = tell();

	ck_assert_str_eq(t.words, words);
	ck_assert_uint_eq(room_people(room), people);
	if (*words)
		ck_assert_uint_eq(t.people, people);
	else
		ck_assert_uint_eq(t.frames, 0);
}

/* ---- when ---- */

START_TEST(nothing_to_tell)
{
	bool told = true;

	ck_assert_int_eq(room_tell(room, now, &told), INT64_MAX);
	ck_assert(!told);
	ck_assert_uint_eq(hear().frames, 0);
}
END_TEST

static const struct {
	int people; /* who stay */
	int64_t every;
	unsigned least, most; /* tellings in ten seconds */
} crowds[] = {
	{1, ROOM_TELL_EVERY, 38, 41},
	{24, ROOM_TELL_EVERY, 38, 41},
	{50, 510, 18, 21},
	{150, ROOM_TELL_MOST, 9, 11},
};

START_TEST(the_more_the_rarer)
{
	bool told;
	unsigned tellings = 0;
	char last[16] = "n0";
	struct room_session guest = session(0, last);

	for (int i = 0; i < crowds[_i].people; i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "n%d", i);
		enter(session(i, nick));
	}
	tell();
	/* Somebody changes their nick each 10 ms for 10 seconds, and asks to tell. */
	int64_t began = now;
	for (int i = 1; now < began + 10000; now += 10, i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "g%d", i);
		struct room_session renamed = session(0, nick);
		change(guest, renamed);
		snprintf(last, sizeof(last), "%s", nick);
		guest = session(0, last);
		int64_t next = room_tell(room, now, &told);
		tellings += told;
		if (told)
			ck_assert_int_eq(next, INT64_MAX);
		else
			ck_assert(next > now && (next <= now + crowds[_i].every));
	}
	ck_assert_uint_ge(tellings, crowds[_i].least);
	ck_assert_uint_le(tellings, crowds[_i].most);
	room_tell(room, now + ROOM_TELL_MOST, &told);
	ck_assert_uint_eq(room_people(room), (unsigned)crowds[_i].people);
}
END_TEST

START_TEST(the_time_to_ask_again)
{
	bool told;

	enter(session(1, "a"));
	ck_assert_int_eq(room_tell(room, now, &told), INT64_MAX);
	ck_assert(told); /* the first at once */
	enter(session(2, "b"));
	ck_assert_int_eq(room_tell(room, now + 1, &told), now + ROOM_TELL_EVERY);
	ck_assert_int_eq(room_tell(room, now + ROOM_TELL_EVERY - 1, &told), now + ROOM_TELL_EVERY);
	ck_assert(!told);
	ck_assert_int_eq(room_tell(room, now + ROOM_TELL_EVERY, &told), INT64_MAX);
	ck_assert(told);
}
END_TEST

/* ---- what ---- */

START_TEST(coming_and_going)
{
	enter(session(1, "a"));
	enter(away(2, "b", "lunch"));
	expect("+a,+~b:lunch,", 2);
	struct room_session a = session(1, "a");
	room_leave(room, &a, "bye");
	expect("-a:bye,", 1);
	leave(session(1, "a")); /* not here any more */
	leave(session(3, "c")); /* never was */
	ck_assert_uint_eq(room_people(room), 1);
	ck_assert_uint_eq(tell().frames, 0);
	/* Within one telling it is as if nothing had been. */
	enter(session(1, "a"));
	leave(session(1, "a"));
	ck_assert_uint_eq(tell().frames, 0);
	leave(away(2, "b", "lunch"));
	enter(session(3, "c"));
	expect("-~b,+c,", 1);
}
END_TEST

/* Gone and back within one telling is nothing only when all is as it was. */
START_TEST(gone_and_back)
{
	enter(session(1, "a"));
	enter(away(2, "b", "lunch"));
	expect("+a,+~b:lunch,", 2);
	leave(session(1, "a"));
	enter(session(1, "a"));
	ck_assert_uint_eq(tell().frames, 0);
	leave(session(1, "a"));
	enter(away(1, "a", "x"));
	expect("-a,+~a:x,", 2);
	/* Back from being away: the others have to hear of it. */
	leave(away(2, "b", "lunch"));
	enter(session(2, "b"));
	expect("-~b,+b,", 2);
	leave(away(1, "a", "x"));
	enter(away(1, "a", "y"));
	expect("-~a,+~a:y,", 2);
}
END_TEST

START_TEST(several_sessions)
{
	enter(session(1, "a"));
	enter(session(1, "a"));
	expect("+a,", 1);
	change(session(1, "a"), away(1, "a", "lunch"));
	ck_assert_str_eq(tell().words, "=a:lunch,"); /* one of two: here all the same */
	change(session(1, "a"), away(1, "a", "tea"));
	expect("=~a:tea,", 1);
	/* A third one comes, and is here; it goes, and all are away again. */
	enter(session(1, "a"));
	expect("=a,", 1);
	leave(session(1, "a"));
	expect("=~a:tea,", 1);
	leave(away(1, "a", "lunch"));
	ck_assert_uint_eq(tell().frames, 0);
	leave(away(1, "a", "tea"));
	expect("-~a,", 0);
}
END_TEST

START_TEST(renaming)
{
	enter(session(1, "a"));
	expect("+a,", 1);
	change(session(1, "a"), session(1, "b"));
	expect(">a:b,", 1);
	change(session(1, "b"), session(1, "B"));
	expect(">b:B,", 1);
	/* One of two sessions: it leaves the row and makes another. */
	enter(session(1, "B"));
	tell();
	change(session(1, "B"), session(1, "c"));
	expect("+c,", 2);
	/* Into a row that is there already, the last one of its own. */
	change(session(1, "B"), session(1, "c"));
	expect(">B:c,", 1);
	leave(session(1, "c"));
	ck_assert_uint_eq(tell().frames, 0);
	leave(session(1, "c"));
	expect("-c,", 0);
}
END_TEST

START_TEST(being_away)
{
	enter(session(1, "a"));
	expect("+a,", 1);
	change(session(1, "a"), away(1, "a", "lunch"));
	expect("=~a:lunch,", 1);
	change(away(1, "a", "lunch"), away(1, "a", "tea"));
	expect("=~a:tea,", 1);
	change(away(1, "a", "tea"), away(1, "b", "tea"));
	expect(">~a:b,", 1);
	change(away(1, "b", "tea"), session(1, "b"));
	expect("=b,", 1);
	change(session(1, "b"), session(1, "b"));
	ck_assert_uint_eq(tell().frames, 0);
}
END_TEST

static void act(enum act_verb verb, uint8_t whom, uint64_t value)
{
	struct act a = {.verb = verb, .has_person = whom > 0, .person = {whom}, .value = value};

	room_apply_act(room, &a, 1);
}

/* Who may speak no longer says nothing by having been away before. */
START_TEST(away_and_muted)
{
	enter(away(1, "a", "look at this"));
	enter(away(2, "b", "lunch"));
	expect("+~a:look at this,+~b:lunch,", 2);
	act(ACT_MUTE, 1, 0);
	expect("=~a,", 2);
	act(ACT_VOICE, 2, 0);
	act(ACT_MODERATED, 0, 1);
	expect("", 2);
	act(ACT_NO_VOICE, 2, 0);
	expect("=~b,", 2);
	/* Their state is as it was. */
	change(away(2, "b", ""), session(2, "b"));
	expect("=b,", 2);
}
END_TEST

/* ---- many ---- */

static void fill(int from, int to)
{
	char nick[16];

	for (int i = from; i < to; i++) {
		snprintf(nick, sizeof(nick), "n%03d", i);
		enter(session(i, nick));
	}
}

START_TEST(above_the_limit_only_the_number)
{
	struct told t;

	fill(0, ROOM_TOLD_MAX);
	t = tell();
	ck_assert_uint_eq(t.changes, ROOM_TOLD_MAX);
	ck_assert_uint_eq(t.people, ROOM_TOLD_MAX);
	fill(ROOM_TOLD_MAX, ROOM_TOLD_MAX + 1);
	t = tell();
	ck_assert_uint_eq(t.changes, 0);
	ck_assert_uint_eq(t.frames, 1);
	ck_assert_uint_eq(t.people, ROOM_TOLD_MAX + 1);
	change(session(5, "n005"), away(5, "n005", "x"));
	ck_assert_uint_eq(tell().changes, 0);
	leave(session(3, "n003"));
	t = tell();
	ck_assert_str_eq(t.words, "-n003,");
	ck_assert_uint_eq(t.people, ROOM_TOLD_MAX);
}
END_TEST

START_TEST(across_the_limit_within_one_telling)
{
	struct told t;

	fill(0, ROOM_TOLD_MAX + 50);
	t = tell();
	ck_assert_uint_eq(t.changes, 0);
	ck_assert_uint_eq(t.frames, 1);
	ck_assert_uint_eq(t.people, ROOM_TOLD_MAX + 50);
}
END_TEST

/* More than can be noted between two tellings: the version leaves numbers out, by which a member
 * sees that the list has to be asked for. */
START_TEST(too_much_to_note)
{
	uint64_t before;
	struct told t;

	enter(session(1, "a"));
	before = tell().version;
	for (int i = 0; i < 150; i++) {
		change(session(1, "a"), session(1, "b"));
		change(session(1, "b"), session(1, "a"));
	}
	t = tell();
	ck_assert_uint_lt(t.changes, 300);
	ck_assert_uint_gt(t.version, before + t.frames);
	ck_assert_uint_eq(t.people, 1);
}
END_TEST

START_TEST(long_words_in_several_frames)
{
	char text[AWAY_MAX + 1], nick[NICK_MAX + 1];
	struct told t;

	memset(text, 'x', AWAY_MAX);
	text[AWAY_MAX] = '\0';
	for (int i = 0; i < 100; i++) {
		snprintf(nick, sizeof(nick), "%048d", i);
		enter(away(i, nick, text));
	}
	bool told;
	now += ROOM_TELL_MOST;
	room_tell(room, now, &told);
	ck_assert(told);
	struct feed_window w;
	feed_window_take(room_feed(room), &w);
	ck_assert_uint_gt(w.version, 1);
	feed_window_release(&w);
	read_up_to = w.head; /* too long for the words of the test */
	enter(session(200, "short"));
	t = tell();
	ck_assert_str_eq(t.words, "+short,");
	ck_assert_uint_eq(t.people, 101);
}
END_TEST

/* ---- the list ---- */

static const uint16_t limits[] = {1, 2, 7, 100, 300, UINT16_MAX};

START_TEST(pages)
{
	char after[NICK_MAX + 1] = "";
	unsigned seen = 0, frames = 0;
	struct msg_member_list m;

	fill(0, 300);
	do {
		struct item_member item;
		uint16_t on_page = 0;
		room_members(room, span_of(after), limits[_i], &m, list_bytes, LIST_SIZE);
		ck_assert_uint_eq(m.people, 300);
		while (message_list_next(&m.members, ITEM_MEMBER, &item)) {
			char expected[16];
			snprintf(expected, sizeof(expected), "n%03u", seen++);
			ck_assert(span_equal(item.nick, expected));
			memcpy(after, expected, sizeof(expected));
			on_page++;
		}
		ck_assert_uint_le(on_page, limits[_i]);
		ck_assert_uint_gt(on_page, 0);
		frames++;
	} while (m.more);
	ck_assert_uint_eq(seen, 300);
	ck_assert_uint_ge(frames, 300 / LIST_MAX);
}
END_TEST

START_TEST(a_page_of_what_fits)
{
	struct msg_member_list m;

	fill(0, 20);
	room_members(room, span_of(""), LIST_MAX, &m, list_bytes, 100);
	ck_assert(m.more);
	ck_assert_uint_gt(m.members.count, 0);
	ck_assert_uint_le(m.members.length, 100);
	room_members(room, span_of("n019"), LIST_MAX, &m, list_bytes, LIST_SIZE);
	ck_assert(!m.more);
	ck_assert_uint_eq(m.members.count, 0);
}
END_TEST

START_TEST(the_list_says_who_is_away)
{
	struct msg_member_list m;
	struct item_member item;

	enter(away(1, "a", "lunch"));
	enter(session(2, "b"));
	uint64_t version = tell().version;
	room_members(room, span_of(""), 10, &m, list_bytes, LIST_SIZE);
	ck_assert_uint_eq(m.version, version);
	ck_assert(message_list_next(&m.members, ITEM_MEMBER, &item));
	ck_assert_uint_eq(item.state, PERSON_AWAY);
	ck_assert(span_equal(item.away, "lunch"));
	ck_assert_uint_eq(item.person[0], 1);
	change(away(1, "a", "lunch"), session(1, "a"));
	room_members(room, span_of(""), 10, &m, list_bytes, LIST_SIZE);
	ck_assert(message_list_next(&m.members, ITEM_MEMBER, &item));
	ck_assert_uint_eq(item.state, PERSON_HERE);
	ck_assert_uint_eq(item.away.length, 0);
}
END_TEST

START_TEST(topics)
{
	struct room_topic topic;
	char text[TOPIC_MAX + 1];

	room_topic(room, &topic);
	ck_assert_str_eq(topic.text, "");
	memset(text, 't', TOPIC_MAX);
	text[TOPIC_MAX] = '\0';
	room_set_topic(room, span_of(text), span_of("anna"), 99);
	room_topic(room, &topic);
	ck_assert_str_eq(topic.text, text);
	ck_assert_str_eq(topic.nick, "anna");
	ck_assert_uint_eq(topic.time, 99);
	room_set_topic(room, (struct span){0}, span_of("b"), 100);
	room_topic(room, &topic);
	ck_assert_str_eq(topic.text, "");
}
END_TEST

static void make_slow(struct room *r, uint64_t seconds)
{
	const struct act a = {.verb = ACT_SLOW, .value = seconds};

	room_apply_act(r, &a, 1);
}

static int64_t turn_in(unsigned who, int64_t at)
{
	uint8_t person[PERSON_ID] = {(uint8_t)who, (uint8_t)(who >> 8)};

	return room_turn_in(room, person, at);
}

START_TEST(turns)
{
	make_slow(room, 10);
	ck_assert_int_eq(turn_in(1, 1000), 0);
	ck_assert_int_eq(turn_in(1, 2000), 9000);
	ck_assert_int_eq(turn_in(2, 2000), 0);
	ck_assert_int_eq(turn_in(1, 11000), 0);
	ck_assert_int_eq(turn_in(1, 11001), 9999);
	/* More than a thousand at once do not wait. */
	for (unsigned who = 3; who < 1500; who++)
		ck_assert_int_eq(turn_in(who, 11001), 0);
	ck_assert_int_eq(turn_in(3, 11002), 9999);
	ck_assert_int_eq(turn_in(1499, 11002), 0);
	ck_assert_int_eq(turn_in(1499, 21001), 0);
	ck_assert_int_eq(turn_in(1499, 21002), 9999);
}
END_TEST

/* Whoever would have waited for an hour waits for no longer than is asked for now. */
START_TEST(turns_by_the_new_time)
{
	make_slow(room, SLOW_MAX);
	ck_assert_int_eq(turn_in(1, 1000), 0);
	ck_assert_int_gt(turn_in(1, 2000), 10000);
	make_slow(room, 10);
	ck_assert_int_eq(turn_in(1, 3000), 0);
	ck_assert_int_eq(turn_in(1, 4000), 9000);
}
END_TEST

/* There may be 10,000 rooms, and anybody can say a word in each of them. */
START_TEST(turns_take_little_memory)
{
	size_t before = mallinfo2().uordblks;

	if (before == 0)
		return; /* another allocator, which does not count */
	make_slow(room, SLOW_MAX);
	ck_assert_int_eq(turn_in(1, 1000), 0);
	ck_assert_uint_lt(mallinfo2().uordblks - before, 4096);
}
END_TEST

Suite *room_suite(void)
{
	Suite *s = suite_create("room");
	TCase *c = tcase_create("room");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, nothing_to_tell);
	tcase_add_loop_test(c, the_more_the_rarer, 0, sizeof(crowds) / sizeof(crowds[0]));
	tcase_add_test(c, the_time_to_ask_again);
	tcase_add_test(c, coming_and_going);
	tcase_add_test(c, gone_and_back);
	tcase_add_test(c, several_sessions);
	tcase_add_test(c, renaming);
	tcase_add_test(c, being_away);
	tcase_add_test(c, away_and_muted);
	tcase_add_test(c, above_the_limit_only_the_number);
	tcase_add_test(c, across_the_limit_within_one_telling);
	tcase_add_test(c, too_much_to_note);
	tcase_add_test(c, long_words_in_several_frames);
	tcase_add_loop_test(c, pages, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(c, a_page_of_what_fits);
	tcase_add_test(c, the_list_says_who_is_away);
	tcase_add_test(c, topics);
	tcase_add_test(c, turns);
	tcase_add_test(c, turns_by_the_new_time);
	tcase_add_test(c, turns_take_little_memory);
	suite_add_tcase(s, c);
	return s;
}
