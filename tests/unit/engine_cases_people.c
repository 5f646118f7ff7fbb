#include "tests/unit/engine_cases.h"

#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/entries.h"

#include <poll.h>
#include <string.h>

/* Notes may be seen late: how long they may take, and how often to look. */
#define PATIENCE_MS 20000
#define LOOK_MS     2

#define PLACES 8

/* A person's places as they were read. */
struct places {
	size_t count, most;
	struct {
		struct stream_key key;
		char room[ROOM_NAME_MAX + 1];
		bool member;
		uint64_t read;
	} at[PLACES];
};

static bool on_place(void *context, const struct place *p)
{
	struct places *all = context;

	ck_assert_uint_lt(all->count, PLACES);
	ck_assert_uint_le(p->room.length, ROOM_NAME_MAX);
	all->at[all->count].key = *p->stream;
	memcpy(all->at[all->count].room, p->room.text, p->room.length);
	all->at[all->count].room[p->room.length] = '\0';
	all->at[all->count].member = p->member;
	all->at[all->count++].read = p->read;
	return all->count != all->most;
}

static struct places places_of(struct log *l, int who)
{
	struct places all = {0};

	ck_assert_int_eq(engine_places(l->engine, log_person(who), on_place, &all), 0);
	return all;
}

static void take(struct log *l, enum note_kind kind, int who, const struct stream_key *stream,
	const char *name, uint64_t seq)
{
	struct note n = {
		.kind = kind,
		.person = log_person(who),
		.stream = stream,
		.name = span_of(name),
		.seq = seq,
	};

	ck_assert_int_eq(engine_note(l->engine, &n), 0);
}

static uint64_t position(struct log *l, int who, const struct stream_key *key)
{
	uint64_t seq = UINT64_MAX;

	ck_assert_int_eq(engine_read_position(l->engine, log_person(who), key, &seq), 0);
	return seq;
}

/* Notes are taken in order, so when this one is seen all those before it are. */
static void settle(struct log *l)
{
	static uint64_t mark;
	struct stream_key key = entry_room("mark");
	int64_t deadline = clock_ms() + PATIENCE_MS;

	take(l, NOTE_READ, 255, &key, "mark", ++mark);
	while (position(l, 255, &key) != mark) {
		ck_assert_int_lt(clock_ms(), deadline);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

START_TEST(members_come_and_go)
{
	struct stream_key a = entry_room("a");
	struct log l;

	log_open(&l, 1 << 20);
	ck_assert_uint_eq(places_of(&l, 1).count, 0);
	take(&l, NOTE_JOINED, 1, &a, "A", 0);
	settle(&l);
	struct places p = places_of(&l, 1);
	ck_assert_uint_eq(p.count, 1);
	ck_assert_int_eq(stream_key_compare(&p.at[0].key, &a), 0);
	ck_assert_str_eq(p.at[0].room, "A");
	ck_assert(p.at[0].member);
	ck_assert_uint_eq(p.at[0].read, 0);
	/* They have read some, go, and come back: the position is still there. */
	take(&l, NOTE_READ, 1, &a, "A", 7);
	take(&l, NOTE_PARTED, 1, &a, "A", 0);
	settle(&l);
	p = places_of(&l, 1);
	ck_assert_uint_eq(p.count, 1);
	ck_assert(!p.at[0].member);
	ck_assert_uint_eq(p.at[0].read, 7);
	take(&l, NOTE_JOINED, 1, &a, "A", 0);
	take(&l, NOTE_JOINED, 1, &a, "A", 0);
	settle(&l);
	p = places_of(&l, 1);
	ck_assert(p.at[0].member);
	ck_assert_uint_eq(p.at[0].read, 7);
	ck_assert_uint_eq(places_of(&l, 2).count, 0);
	log_close(&l);
}
END_TEST

START_TEST(places_in_the_order_of_their_keys)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), c = entry_room("c"), inbox;
	struct log l;

	stream_key_inbox(log_person(2), &inbox);
	log_open(&l, 1 << 20);
	take(&l, NOTE_JOINED, 2, &c, "C", 0);
	take(&l, NOTE_JOINED, 2, &a, "A", 0);
	take(&l, NOTE_READ, 2, &inbox, "", 3);
	take(&l, NOTE_JOINED, 2, &b, "B", 0);
	take(&l, NOTE_JOINED, 1, &b, "B", 0);
	take(&l, NOTE_JOINED, 3, &a, "A", 0);
	settle(&l);
	struct places p = places_of(&l, 2);
	static const char *const names[] = {"", "A", "B", "C"};
	ck_assert_uint_eq(p.count, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_str_eq(p.at[i].room, names[i]);
		ck_assert_int_eq(p.at[i].member, i > 0);
		ck_assert_uint_eq(p.at[i].read, i ? 0 : 3);
	}
	ck_assert_int_eq(stream_key_compare(&p.at[0].key, &inbox), 0);
	ck_assert_uint_eq(places_of(&l, 1).count, 1);
	ck_assert_uint_eq(places_of(&l, 3).count, 1);
	struct places some = {.most = 2};
	ck_assert_int_eq(engine_places(l.engine, log_person(2), on_place, &some), 0);
	ck_assert_uint_eq(some.count, 2);
	log_close(&l);
}
END_TEST

START_TEST(positions_only_rise)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), inbox;
	struct log l;

	stream_key_inbox(log_person(1), &inbox);
	log_open(&l, 1 << 20);
	ck_assert_uint_eq(position(&l, 1, &a), 0);
	take(&l, NOTE_READ, 1, &a, "a", 5);
	take(&l, NOTE_READ, 1, &a, "a", 9);
	take(&l, NOTE_READ, 1, &a, "a", 4);
	take(&l, NOTE_READ, 1, &inbox, "", 6);
	take(&l, NOTE_READ, 2, &a, "a", 2);
	settle(&l);
	ck_assert_uint_eq(position(&l, 1, &a), 9);
	ck_assert_uint_eq(position(&l, 1, &b), 0);
	ck_assert_uint_eq(position(&l, 1, &inbox), 6);
	ck_assert_uint_eq(position(&l, 2, &a), 2);
	ck_assert_uint_eq(position(&l, 3, &a), 0);
	log_close(&l);
}
END_TEST

/* Who has a nick, as it was written; 0: nobody. */
static int who_is(struct log *l, const char *folded, char nick[NICK_MAX + 1])
{
	uint8_t person[PERSON_ID] = {0};
	int r = engine_person(l->engine, folded, person, nick);

	if (r == ERR_NOT_FOUND)
		return 0;
	ck_assert_int_eq(r, 0);
	return person[0];
}

START_TEST(who_had_a_nick_last)
{
	char nick[NICK_MAX + 1];
	struct log l;

	log_open(&l, 1 << 20);
	ck_assert_int_eq(who_is(&l, "anna", nick), 0);
	take(&l, NOTE_NICK, 1, NULL, "Anna", 0);
	take(&l, NOTE_NICK, 3, NULL, "ЖЁЛУДЬ", 0);
	settle(&l);
	ck_assert_int_eq(who_is(&l, "anna", nick), 1);
	ck_assert_str_eq(nick, "Anna");
	ck_assert_int_eq(who_is(&l, "жёлудь", nick), 3);
	ck_assert_str_eq(nick, "ЖЁЛУДЬ");
	ck_assert_int_eq(who_is(&l, "ann", nick), 0);
	ck_assert_int_eq(who_is(&l, "", nick), 0);
	/* Somebody else takes it, then the first one again, many times in a moment. */
	for (int round = 0; round < 20; round++) {
		take(&l, NOTE_NICK, 2, NULL, "ANNA", 0);
		take(&l, NOTE_NICK, 1, NULL, "bob", 0);
		settle(&l);
		ck_assert_int_eq(who_is(&l, "anna", nick), 2);
		ck_assert_str_eq(nick, "ANNA");
		take(&l, NOTE_NICK, 1, NULL, "anna", 0);
		settle(&l);
		ck_assert_int_eq(who_is(&l, "anna", nick), 1);
		ck_assert_str_eq(nick, "anna");
	}
	/* Nor are notes entries. */
	ck_assert_uint_eq(l.count, 0);
	log_close(&l);
}
END_TEST

/* Notes and entries of one room meet in nothing. */
START_TEST(notes_are_not_said)
{
	struct stream_key a = entry_room("a");
	struct room_record room;
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	take(&l, NOTE_JOINED, 1, &a, "A", 0);
	take(&l, NOTE_READ, 1, &a, "A", 3);
	settle(&l);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), ERR_NOT_FOUND);
	ck_assert_uint_eq(log_read(&l, &a, 0, UINT64_MAX, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 0);
	log_check_last(&l, &a, 5, 0, 0);
	log_accept(&l, log_said(&a, 1, 1, "x"), 1);
	ck_assert_uint_eq(l.applied[0].prev, 0);
	ck_assert_int_eq(engine_room(l.engine, &a, &room), 0);
	ck_assert_uint_eq(room.last, 1);
	log_close(&l);
}
END_TEST

void engine_cases_people(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("people");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, members_come_and_go);
	tcase_add_test(t, places_in_the_order_of_their_keys);
	tcase_add_test(t, positions_only_rise);
	tcase_add_test(t, who_had_a_nick_last);
	tcase_add_test(t, notes_are_not_said);
	suite_add_tcase(s, t);
}
