#include "tests/unit/engine_cases.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/act.h"
#include "tests/unit/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR UINT64_C(3600000000)

/* By somebody, where one may own `owned_most` rooms. */
static struct append_result act_limited(struct log *l, int who, const struct stream_key *stream,
	const struct act *a, uint32_t owned_most)
{
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct append_result result;
	struct log_entry e = {
		.room = stream,
		.person = log_person(who),
		.instance = instance,
		.kind = SAID_ACT,
		.nick = span_of("doer"),
		.owned_most = owned_most,
	};

	act_instance(e.person, instance);
	e.text = (struct span){.text = text, .length = (uint16_t)act_print(a, text)};
	ck_assert_int_eq(engine_append(l->engine, &e, 1, INT64_MAX, &result), 0);
	return result;
}

struct append_result log_act(
	struct log *l, int who, const struct stream_key *stream, const struct act *a)
{
	return act_limited(l, who, stream, a, 0);
}

static struct act about(enum act_verb verb, int whom, uint64_t value)
{
	struct act a = {.verb = verb, .has_person = true, .value = value};

	memcpy(a.person, log_person(whom), PERSON_ID);
	snprintf(a.label, sizeof(a.label), "p%d", whom);
	return a;
}

/* Do something to somebody in the room "a"; NULL: about the server. */
static void act(struct log *l, const char *room, int who, enum act_verb verb, int whom,
	uint64_t value, enum code code)
{
	struct stream_key key, stream;
	struct act a = about(verb, whom, value);

	if (room)
		key = entry_room(room);
	stream_key_acts(room ? &key : NULL, &stream);
	log_check(log_act(l, who, &stream, &a), code);
}

static struct append_result say(struct log *l, int who)
{
	static uint64_t counter;
	struct stream_key room = entry_room("a");

	return log_append(l, log_said(&room, who, ++counter, "words"));
}

START_TEST(what_may_be_said)
{
	struct log l;

	log_open(&l, 1 << 20);
	act(&l, "a", 1, ACT_TAKE, 1, 0, CODE_NONE);
	act(&l, "a", 2, ACT_TAKE, 2, 0, CODE_NO_RIGHT);
	act(&l, "a", 2, ACT_OWNER, 2, 0, CODE_NO_RIGHT);
	log_check(say(&l, 2), CODE_NONE);
	act(&l, "a", 1, ACT_MUTE, 2, 0, CODE_NONE);
	log_check(say(&l, 2), CODE_MUTED);
	act(&l, "a", 1, ACT_UNMUTE, 2, 0, CODE_NONE);
	act(&l, "a", 1, ACT_MUTE, 2, clock_wall_us() - HOUR, CODE_NONE); /* it is over */
	log_check(say(&l, 2), CODE_NONE);
	act(&l, "a", 1, ACT_MUTE, 2, clock_wall_us() + HOUR, CODE_NONE);
	log_check(say(&l, 2), CODE_MUTED);
	act(&l, "a", 2, ACT_UNMUTE, 2, 0, CODE_NO_RIGHT);
	act(&l, "a", 1, ACT_BAN, 3, 0, CODE_NONE);
	log_check(say(&l, 3), CODE_BANNED);
	/* An operator may say what they like, and do what they like. */
	act(&l, NULL, 4, ACT_OPERATOR, 4, 0, CODE_NO_RIGHT);
	act(&l, NULL, 4, ACT_OPERATOR, 4, 1, CODE_BAD_VALUE);
	act(&l, NULL, 4, ACT_PROVE, 5, 0, CODE_BAD_VALUE);
	act(&l, NULL, 4, ACT_PROVE, 4, 0, CODE_NONE);
	act(&l, "a", 1, ACT_MUTE, 4, 0, CODE_NO_RIGHT);
	act(&l, "a", 4, ACT_MUTE, 1, 0, CODE_NONE);
	log_check(say(&l, 1), CODE_NONE); /* whose room it is still */
	act(&l, "a", 4, ACT_BAN, 1, 0, CODE_NONE);
	log_check(say(&l, 1), CODE_BANNED);
	log_check(say(&l, 4), CODE_NONE);
	log_close(&l);
}
END_TEST

/* A room is taken when it is new: neither after a word, nor after anything was decided about it. */
START_TEST(rooms_that_are_not_new)
{
	struct log l;

	log_open(&l, 1 << 20);
	log_check(say(&l, 2), CODE_NONE);
	act(&l, "a", 1, ACT_TAKE, 1, 0, CODE_NO_RIGHT);
	act(&l, NULL, 4, ACT_PROVE, 4, 0, CODE_NONE);
	act(&l, "b", 1, ACT_TAKE, 1, 0, CODE_NONE);
	act(&l, "b", 4, ACT_BAN, 1, 0, CODE_NONE);
	act(&l, "b", 1, ACT_TAKE, 1, 0, CODE_NO_RIGHT);
	act(&l, "b", 2, ACT_TAKE, 2, 0, CODE_NO_RIGHT);
	act(&l, "b", 4, ACT_OWNER, 2, 0, CODE_NONE);
	/* Whoever is made the owner is not banned any more. */
	act(&l, "b", 2, ACT_BAN, 3, 0, CODE_NONE);
	act(&l, "b", 2, ACT_OWNER, 3, 0, CODE_NONE);
	act(&l, "b", 3, ACT_UNBAN, 1, 0, CODE_NONE);
	act(&l, "b", 3, ACT_MODERATOR, 2, 0, CODE_NONE);
	act(&l, "lobby", 1, ACT_TAKE, 1, 0, CODE_NO_RIGHT);
	log_close(&l);
}
END_TEST

/* Room after room, so that what the engine remembers of one is not taken for another's. */
START_TEST(many_rooms)
{
	struct log l;

	log_open(&l, 8 << 20);
	for (int i = 0; i < 1500; i++) {
		char room[32];
		snprintf(room, sizeof(room), "room%d", i);
		act(&l, room, i % 7, ACT_TAKE, i % 7, 0, CODE_NONE);
	}
	for (int i = 0; i < 1500; i++) {
		char room[32];
		struct stream_key key;
		struct charter c;
		snprintf(room, sizeof(room), "room%d", i);
		key = entry_room(room);
		act(&l, room, (i + 1) % 7, ACT_TAKE, (i + 1) % 7, 0, CODE_NO_RIGHT);
		ck_assert_int_eq(engine_charter(l.engine, &key, &c), 0);
		ck_assert_ptr_nonnull(charter_find(&c, STANDING_OWNER, log_person(i % 7), 0));
		charter_fini(&c);
	}
	log_close(&l);
}
END_TEST

/* ---- owning rooms ---- */

#define OWNED 3 /* that one may have in these cases */

/* Have somebody be the owner, by themselves (ACT_TAKE) or by another. */
static void own(struct log *l, const char *room, int who, enum act_verb verb, int whom,
	uint32_t most, enum code code)
{
	struct stream_key key = entry_room(room), stream;
	struct act a = about(verb, whom, 0);

	stream_key_acts(&key, &stream);
	log_check(act_limited(l, who, &stream, &a, most), code);
}

static int owner_of(struct log *l, const char *room)
{
	struct stream_key key = entry_room(room);
	struct charter c;
	int found = -1;

	ck_assert_int_eq(engine_charter(l->engine, &key, &c), 0);
	const uint8_t *person = charter_owner(&c);
	for (int i = 0; i < 256 && person; i++) {
		if (memcmp(log_person(i), person, PERSON_ID) == 0)
			found = i;
	}
	charter_fini(&c);
	return found;
}

START_TEST(so_many_rooms_each)
{
	struct log l;

	log_open(&l, 1 << 20);
	own(&l, "a", 1, ACT_TAKE, 1, OWNED, CODE_NONE);
	own(&l, "b", 1, ACT_TAKE, 1, OWNED, CODE_NONE);
	own(&l, "c", 1, ACT_TAKE, 1, OWNED, CODE_NONE);
	own(&l, "d", 1, ACT_TAKE, 1, OWNED, CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(owner_of(&l, "d"), -1);
	/* It is as new as before, for whoever comes next. */
	own(&l, "d", 2, ACT_TAKE, 2, OWNED, CODE_NONE);
	ck_assert_int_eq(owner_of(&l, "d"), 2);
	/* That a room is no new one, or theirs already, comes first. */
	own(&l, "d", 1, ACT_TAKE, 1, OWNED, CODE_NO_RIGHT);
	own(&l, "a", 1, ACT_OWNER, 1, OWNED, CODE_NO_CHANGE);
	own(&l, "lobby", 1, ACT_TAKE, 1, OWNED, CODE_NO_RIGHT);
	/* Whoever has no right to give it learns nothing of how many others own. */
	own(&l, "d", 3, ACT_OWNER, 1, OWNED, CODE_NO_RIGHT);
	/* All else they may do. */
	act(&l, "a", 1, ACT_MODERATOR, 2, 0, CODE_NONE);
	/* The limit is that of the moment. */
	own(&l, "e", 1, ACT_TAKE, 1, OWNED + 1, CODE_NONE);
	own(&l, "f", 1, ACT_TAKE, 1, OWNED, CODE_TOO_MANY_OWNED);
	own(&l, "f", 1, ACT_TAKE, 1, 1, CODE_TOO_MANY_OWNED);
	own(&l, "f", 1, ACT_TAKE, 1, 0, CODE_NONE);
	log_close(&l);
}
END_TEST

/* Whoever gives a room away owns it no longer, and nobody is given one too many. */
START_TEST(rooms_that_are_given)
{
	struct log l;

	log_open(&l, 1 << 20);
	for (const char *const *room = (const char *const[]){"a", "b", "c", NULL}; *room; room++)
		own(&l, *room, 1, ACT_TAKE, 1, OWNED, CODE_NONE);
	own(&l, "d", 2, ACT_TAKE, 2, OWNED, CODE_NONE);
	own(&l, "d", 2, ACT_OWNER, 1, OWNED, CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(owner_of(&l, "d"), 2);
	own(&l, "a", 1, ACT_OWNER, 2, OWNED, CODE_NONE);
	own(&l, "d", 2, ACT_OWNER, 1, OWNED, CODE_NONE);
	own(&l, "e", 1, ACT_TAKE, 1, OWNED, CODE_TOO_MANY_OWNED);
	/* Somebody who has owned none, nor done anything. */
	own(&l, "b", 1, ACT_OWNER, 9, 1, CODE_NONE);
	own(&l, "c", 1, ACT_OWNER, 9, 1, CODE_TOO_MANY_OWNED);
	/* Operators are not spared, and take from others what counts then. */
	act(&l, NULL, 4, ACT_PROVE, 4, 0, CODE_NONE);
	own(&l, "a", 4, ACT_OWNER, 4, 2, CODE_NONE);
	own(&l, "b", 4, ACT_OWNER, 4, 2, CODE_NONE);
	own(&l, "c", 4, ACT_OWNER, 4, 2, CODE_TOO_MANY_OWNED);
	own(&l, "x", 4, ACT_TAKE, 4, 2, CODE_TOO_MANY_OWNED);
	own(&l, "x", 2, ACT_TAKE, 2, 1, CODE_NONE);
	own(&l, "y", 9, ACT_TAKE, 9, 1, CODE_NONE);
	/* A ban takes the room away, and lifting it does not give it back. */
	own(&l, "z", 2, ACT_TAKE, 2, 1, CODE_TOO_MANY_OWNED);
	act(&l, "x", 4, ACT_BAN, 2, 0, CODE_NONE);
	own(&l, "z", 2, ACT_TAKE, 2, 1, CODE_NONE);
	act(&l, "x", 4, ACT_UNBAN, 2, 0, CODE_NONE);
	own(&l, "x", 2, ACT_TAKE, 2, 1, CODE_TOO_MANY_OWNED);
	own(&l, "x", 3, ACT_TAKE, 3, 1, CODE_NONE);
	/* Nicks and rooms are counted apart. */
	log_name(&l, 3, ACT_CLAIM, "anna", CODE_NONE);
	log_name(&l, 3, ACT_RELEASE, "anna", CODE_NONE);
	own(&l, "w", 3, ACT_TAKE, 3, 1, CODE_TOO_MANY_OWNED);
	own(&l, "w", 3, ACT_TAKE, 3, 2, CODE_NONE);
	log_close(&l);
}
END_TEST

/* Once each act was an instance of its own, which is remembered for ever. */
START_TEST(one_instance_a_person)
{
	struct stream_key key = entry_room("a");
	uint8_t instance[INSTANCE_ID];
	struct append_result r;
	struct log l;

	log_open(&l, 1 << 20);
	act(&l, "a", 1, ACT_TAKE, 1, 0, CODE_NONE);
	for (uint64_t i = 2; i <= 1000; i++)
		act(&l, "a", 1, i % 2 ? ACT_UNMUTE : ACT_MUTE, 2, 0, CODE_NONE);
	act(&l, "a", 2, ACT_MUTE, 1, 0, CODE_NO_RIGHT); /* which counts for nothing */
	act(&l, NULL, 2, ACT_PROVE, 2, 0, CODE_NONE);
	for (int who = 1; who <= 2; who++) {
		act_instance(log_person(who), instance);
		ck_assert_uint_eq(
			engine_accepted(l.engine, instance, log_person(who)), who == 1 ? 1000 : 1);
	}
	for (size_t i = 0; i < l.count; i++)
		ck_assert_uint_eq(l.applied[i].counter, i < 1000 ? i + 1 : 1);
	/* Nobody says anything as somebody's acts, and so keeps them from acting. */
	for (int who = 1; who <= 3; who++) {
		struct log_entry e = log_said(&key, 3, 5000, "words");
		act_instance(log_person(who), instance);
		e.instance = instance;
		r = log_append(&l, e);
		ck_assert_int_eq(r.status, APPEND_REJECTED);
		ck_assert_int_eq(r.code, CODE_BAD_VALUE);
	}
	act(&l, NULL, 3, ACT_PROVE, 3, 0, CODE_NONE);
	log_close(&l);
}
END_TEST

/* What would make no difference is not in the log, and who has no right learns nothing. */
START_TEST(no_difference)
{
	struct act settings[] = {
		{.verb = ACT_ENTRY, .value = ENTRY_INVITED},
		{.verb = ACT_MODERATED, .value = 1},
		{.verb = ACT_SLOW, .value = 7},
	};
	struct stream_key key = entry_room("a"), stream;
	uint64_t until = clock_wall_us() + HOUR;
	struct log l;

	log_open(&l, 1 << 20);
	stream_key_acts(&key, &stream);
	act(&l, "a", 1, ACT_TAKE, 1, 0, CODE_NONE);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		log_check(log_act(&l, 1, &stream, &settings[i]), CODE_NONE);
		log_check(log_act(&l, 1, &stream, &settings[i]), CODE_NO_CHANGE);
		log_check(log_act(&l, 2, &stream, &settings[i]), CODE_NO_RIGHT);
	}
	act(&l, "a", 1, ACT_MODERATOR, 2, 0, CODE_NONE);
	act(&l, "a", 1, ACT_MODERATOR, 2, 0, CODE_NO_CHANGE);
	act(&l, "a", 1, ACT_OWNER, 1, 0, CODE_NO_CHANGE);
	act(&l, "a", 1, ACT_UNBAN, 3, 0, CODE_NO_CHANGE);
	act(&l, "a", 1, ACT_BAN, 3, until, CODE_NONE);
	act(&l, "a", 1, ACT_BAN, 3, until, CODE_NO_CHANGE);
	act(&l, "a", 1, ACT_BAN, 3, 0, CODE_NONE); /* longer */
	act(&l, "a", 1, ACT_NO_MODERATOR, 1, 0, CODE_NO_CHANGE);
	size_t before = l.count;
	for (int who = 3; who <= 4; who++) { /* banned, and never there */
		act(&l, "a", who, ACT_NO_MODERATOR, who, 0, CODE_NO_RIGHT);
		act(&l, "new", who, ACT_NO_MODERATOR, who, 0, CODE_NO_RIGHT);
		act(&l, NULL, who, ACT_NO_OPERATOR, who, 0, CODE_NO_RIGHT);
		act(&l, "a", who, ACT_UNBAN, 3, 0, CODE_NO_RIGHT);
	}
	ck_assert_uint_eq(l.count, before);
	act(&l, NULL, 5, ACT_PROVE, 5, 0, CODE_NONE);
	act(&l, NULL, 5, ACT_OPERATOR, 5, 0, CODE_NO_CHANGE);
	act(&l, "new", 5, ACT_MODERATOR, 2, 0, CODE_NO_SUCH_ROOM);
	act(&l, "lobby", 5, ACT_MODERATOR, 2, 0, CODE_NONE);
	/* The last words of a moderator who is muted. */
	act(&l, "a", 1, ACT_MUTE, 2, 0, CODE_NONE);
	struct act words = about(ACT_NO_MODERATOR, 2, 0);
	words.text = span_of("listen");
	log_check(log_act(&l, 2, &stream, &words), CODE_MUTED);
	act(&l, "a", 2, ACT_NO_MODERATOR, 2, 0, CODE_NONE);
	act(&l, "a", 2, ACT_NO_MODERATOR, 2, 0, CODE_NO_RIGHT);
	log_close(&l);
}
END_TEST

/* A bound on what is said drops no act; that there are too many of a room's does. A log on a disk keeps
 * everything here: see test_engine_sqlite_prune.c. */
START_TEST(spared)
{
	struct stream_key key = entry_room("a"), stream, server;
	char words[200];
	struct log l;
	uint64_t floor;

	memset(words, 'w', sizeof(words));
	log_open(&l, 1 << 20);
	stream_key_acts(&key, &stream);
	stream_key_acts(NULL, &server);
	act(&l, NULL, 4, ACT_PROVE, 4, 0, CODE_NONE);
	act(&l, "a", 1, ACT_TAKE, 1, 0, CODE_NONE);
	for (uint64_t i = 0; i < 1100; i++)
		act(&l, "a", i % 2 ? 1 : 4, i % 2 ? ACT_UNMUTE : ACT_MUTE, 2, 0, CODE_NONE);
	for (uint64_t i = 1; i <= 8000; i++) {
		struct log_entry e = log_said(&key, 2, i, "");
		e.text = (struct span){.text = words, .length = sizeof(words)};
		ck_assert_int_eq(log_append(&l, e).status, APPEND_OK);
	}
	bool kept = l.engine->class->kept;
	ck_assert_uint_eq(log_oldest(&l, &stream, &floor), kept ? 2 : 103);
	ck_assert_uint_eq(floor, kept ? 0 : 102);
	log_check_last(&l, &stream, 1, 1102, 1101);
	ck_assert_uint_eq(log_oldest(&l, &server, &floor), 1);
	ck_assert(kept || log_oldest(&l, &key, &floor) > 1103);
	log_close(&l);
}
END_TEST

/* What no act is. */
START_TEST(nonsense)
{
	static const char *const lines[] = {"", "kick", "kick 0", "kick 0 -", "kick x - *",
		"dance 0 - *", "kick 0 zz *", "claim 0 - *", "kick 0 - \n"};
	struct stream_key key = entry_room("a"), acts, names;
	struct log l;

	log_open(&l, 1 << 20);
	stream_key_acts(&key, &acts);
	stream_key_nicks(&names);
	const struct stream_key *streams[] = {&acts, &names, &key};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) * 3; i++) {
		uint8_t instance[INSTANCE_ID] = {(uint8_t)i, 1};
		struct append_result r;
		struct log_entry e = {
			.room = streams[i % 3],
			.person = log_person(1),
			.instance = instance,
			.counter = 1,
			.kind = SAID_ACT,
			.nick = span_of("n"),
			.text = span_of(lines[i / 3]),
		};
		ck_assert_int_eq(engine_append(l.engine, &e, 1, INT64_MAX, &r), 0);
		ck_assert_msg(r.status == APPEND_REJECTED && r.code == CODE_BAD_VALUE,
			"\"%s\" in %c", lines[i / 3], streams[i % 3]->bytes[0]);
	}
	ck_assert_uint_eq(l.count, 0);
	log_close(&l);
}
END_TEST

void engine_cases_acts(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("acts");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_test(t, what_may_be_said);
	tcase_add_test(t, rooms_that_are_not_new);
	tcase_add_test(t, many_rooms);
	tcase_add_test(t, so_many_rooms_each);
	tcase_add_test(t, rooms_that_are_given);
	tcase_add_test(t, one_instance_a_person);
	tcase_add_test(t, no_difference);
	tcase_add_test(t, spared);
	tcase_add_test(t, nonsense);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
}
