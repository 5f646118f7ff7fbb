/*
 * The hub: rooms that come into being and vanish, their list in pages, the most
 * there may be, and telling in time.
 */
#include "server/hub.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/act.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOMS_MAX 300
#define LIST_SIZE (60 * 1024)

static struct segment_budget budget;
static struct engine *engine;
static struct hub *hub;
static uint8_t list_bytes[LIST_SIZE];
static const uint8_t somebody[PERSON_ID] = {1};
static const struct hub_viewer everybody;

static void publish_act(const struct log_entry *e)
{
	struct stream_key subject;
	struct act a;

	ck_assert(stream_key_subject(e->room, &subject) && act_parse(e->text, &a) == 0);
	struct room *r = hub_find(hub, &subject);
	if (r)
		room_apply_act(r, &a, e->time);
	room_unref(r);
	hub_look_again(hub, &subject);
}

/* As the chat does: what is in the log is in the room's feed. */
static void publish(void *context, const struct log_entry *e)
{
	uint8_t frame[SAID_FRAME_MAX];

	(void)context;
	if (e->kind == SAID_ACT) {
		publish_act(e);
		return;
	}
	struct room *r = hub_find(hub, e->room);
	if (!r)
		return;
	feed_publish(room_feed(r), frame, said_encode(e, room_name(r), NULL, frame), e->seq);
	room_unref(r);
}

static void setup(void)
{
	budget.bound = 1 << 24;
	atomic_init(&budget.bytes, 0);
	ck_assert_int_eq(engine_open_memory(1 << 20, publish, NULL, &engine), 0);
	hub = hub_new(engine, &budget, ROOMS_MAX);
	ck_assert_ptr_nonnull(hub);
}

static void teardown(void)
{
	hub_free(hub);
	engine_close(engine);
	ck_assert_uint_eq(atomic_load(&budget.bytes), 0);
}

static struct room *open_room(const char *name)
{
	struct room *r = NULL;

	ck_assert_int_eq(hub_open(hub, span_of(name), &r), CODE_NONE);
	ck_assert_ptr_nonnull(r);
	return r;
}

static void say_kind(const char *room, enum said_kind kind, const char *text)
{
	static uint64_t counter;
	struct stream_key key = entry_room(room);
	struct append_result result;
	struct log_entry e = {
		.room = &key,
		.room_name = span_of(room),
		.kind = kind,
		.person = somebody,
		.instance = somebody,
		.counter = ++counter,
		.nick = span_of("n"),
		.text = span_of(text),
	};

	ck_assert_int_eq(engine_append(engine, &e, 1, INT64_MAX, &result), 0);
	ck_assert_int_eq(result.status, APPEND_OK);
}

static void say(const char *room)
{
	say_kind(room, SAID_TEXT, "x");
}

static uint32_t total(void)
{
	struct msg_room_list m;

	hub_list(hub, span_of(""), 1, &everybody, &m, list_bytes, LIST_SIZE);
	return m.total;
}

/* ---- rooms ---- */

START_TEST(one_room_of_a_name)
{
	struct room *r = open_room("Lobby");
	struct stream_key key = entry_room("lobby");

	ck_assert_ptr_eq(open_room("LOBBY"), r);
	ck_assert_str_eq(room_name(r), "Lobby");
	struct room *found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r);
	room_unref(found);
	hub_leave(hub, r);
	found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r); /* the other one uses it still */
	hub_leave(hub, r);
	ck_assert_str_eq(room_name(found), "Lobby"); /* our reference */
	room_unref(found);
	ck_assert_ptr_null(hub_find(hub, &key));
	ck_assert_uint_eq(total(), 0);
	/* The next one may write it otherwise. */
	hub_leave(hub, open_room("LOBBY"));
}
END_TEST

START_TEST(what_was_said_in_stays)
{
	struct stream_key key = entry_room("lobby");
	struct room *r = open_room("lobby");

	say("lobby");
	hub_leave(hub, r);
	struct room *found = hub_find(hub, &key);
	ck_assert_ptr_eq(found, r);
	ck_assert_uint_eq(feed_last_seq(room_feed(found)), 1);
	room_unref(found);
	ck_assert_uint_eq(total(), 1);
	hub_leave(hub, open_room("lobby"));
	ck_assert_uint_eq(total(), 1);
}
END_TEST

/* What the log has of a room from before it was opened is known to its feed. */
START_TEST(older_than_the_room)
{
	say("lobby");
	say("lobby");
	struct room *r = open_room("lobby");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 2);
	say("lobby");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 3);
	hub_leave(hub, r);
}
END_TEST

static const char *const bad_names[] = {"", "a b", "#a", "\xff", "a\tb", "\u0430bc"};

START_TEST(names_that_cannot_be)
{
	struct room *r = NULL;

	ck_assert_int_eq(hub_open(hub, span_of(bad_names[_i]), &r), CODE_BAD_ROOM);
	ck_assert_ptr_null(r);
	ck_assert_uint_eq(total(), 0);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	struct room *rooms[3], *r = NULL;

	hub_set_max(hub, 2);
	rooms[0] = open_room("a");
	rooms[1] = open_room("b");
	ck_assert_int_eq(hub_open(hub, span_of("c"), &r), CODE_TOO_MANY_ROOMS);
	ck_assert_ptr_null(r);
	ck_assert_ptr_eq(open_room("a"), rooms[0]); /* one that is there may be opened */
	hub_leave(hub, rooms[0]);
	hub_leave(hub, rooms[1]);
	rooms[2] = open_room("c");
	hub_set_max(hub, 1); /* those that are there stay */
	ck_assert_uint_eq(total(), 2);
	ck_assert_int_eq(hub_open(hub, span_of("d"), &r), CODE_TOO_MANY_ROOMS);
	hub_leave(hub, rooms[0]);
	hub_leave(hub, rooms[2]);
}
END_TEST

static void check_numbers(size_t open, size_t known)
{
	struct hub_numbers n;

	hub_numbers(hub, &n);
	ck_assert_uint_eq(n.open, open);
	ck_assert_uint_eq(n.known, known);
}

START_TEST(how_many_there_are)
{
	check_numbers(0, 0);
	struct room *a = open_room("a"), *b = open_room("b");
	check_numbers(2, 2);
	ck_assert_ptr_eq(open_room("A"), a); /* by two */
	check_numbers(2, 2);
	say("a");
	hub_leave(hub, a);
	hub_leave(hub, b); /* nothing was said in it */
	check_numbers(1, 1);
	hub_leave(hub, a);
	check_numbers(0, 1);
	hub_leave(hub, open_room("a"));
	check_numbers(0, 1);
}
END_TEST

/* Nobody can keep others out by saying a word everywhere: of the rooms that stay for what was said
 * in them, the one that was left first makes way. */
START_TEST(the_longest_deserted_makes_way)
{
	static const char *const names[] = {"a", "b", "c"};
	struct room *rooms[3], *r = NULL;

	hub_set_max(hub, 3);
	for (int i = 0; i < 3; i++) {
		rooms[i] = open_room(names[i]);
		say(names[i]);
	}
	hub_leave(hub, rooms[1]);
	hub_leave(hub, rooms[0]);
	hub_leave(hub, open_room("b")); /* used again: "a" has been left for longer now */
	hub_leave(hub, open_room("d"));
	struct stream_key key = entry_room("a");
	ck_assert_ptr_null(hub_find(hub, &key));
	ck_assert_uint_eq(total(), 3); /* "a" is in the log; nothing was said in "d" */
	ck_assert_ptr_eq(open_room("b"), rooms[1]);
	/* What was said in "a" is still known. */
	r = open_room("a");
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 1);
	/* Rooms that are in use stay. */
	ck_assert_int_eq(hub_open(hub, span_of("d"), &rooms[0]), CODE_TOO_MANY_ROOMS);
	hub_leave(hub, r);
	hub_leave(hub, rooms[1]);
	hub_leave(hub, rooms[2]);
}
END_TEST

/* Whoever opens a room that the table has forgotten finds its name and topic again. */
START_TEST(forgotten_and_found_again)
{
	struct room_topic topic;

	hub_set_max(hub, 1);
	struct room *r = open_room("Lobby");
	say("Lobby");
	say_kind("Lobby", SAID_TOPIC, "lunch");
	hub_leave(hub, r);
	hub_leave(hub, open_room("other"));
	struct stream_key key = entry_room("lobby");
	ck_assert_ptr_null(hub_find(hub, &key));
	r = open_room("LOBBY");
	ck_assert_str_eq(room_name(r), "Lobby");
	room_topic(r, &topic);
	ck_assert_str_eq(topic.text, "lunch");
	ck_assert_str_eq(topic.nick, "n");
	ck_assert_uint_gt(topic.time, 0);
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), 2);
	hub_leave(hub, r);
}
END_TEST

/* ---- reading and applying at the same time ---- */

static struct engine_class slow_class;
static const struct engine_class *working;
static unsigned reads;

/* The room is read, and then something is said in it, before the hub goes on. */
static int read_then_say(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	int r = working->room(e, key, out);

	if (reads++ == 0)
		say_kind("Lobby", SAID_TOPIC, "in between");
	return r;
}

/* What is applied while a room is being opened is not lost: the log is read again. */
START_TEST(said_while_it_is_opened)
{
	struct room_topic topic;

	if (_i == 1)
		say("Lobby");
	reads = 0;
	working = engine->class;
	slow_class = *working;
	slow_class.room = read_then_say;
	engine->class = &slow_class;
	struct room *r = open_room("Lobby");
	ck_assert_uint_eq(reads, 2);
	ck_assert_uint_eq(feed_last_seq(room_feed(r)), (unsigned)_i + 1U);
	room_topic(r, &topic);
	ck_assert_str_eq(topic.text, "in between");
	engine->class = working;
	hub_leave(hub, r);
}
END_TEST

static int room_fails(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	(void)e, (void)key, (void)out;
	return ERR_SYSTEM;
}

START_TEST(a_log_that_cannot_be_read)
{
	struct room *r = NULL;

	working = engine->class;
	slow_class = *working;
	slow_class.room = room_fails;
	engine->class = &slow_class;
	ck_assert_int_eq(hub_open(hub, span_of("Lobby"), &r), CODE_RESOURCES);
	ck_assert_ptr_null(r);
	engine->class = working;
	ck_assert_uint_eq(total(), 0);
}
END_TEST

/* ---- the list ---- */

static const uint16_t limits[] = {1, 3, 64, LIST_MAX, UINT16_MAX};

START_TEST(pages)
{
	struct room *rooms[250];
	char name[16], after[16] = "";
	struct msg_room_list m;
	unsigned seen = 0;

	for (unsigned i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "R%03u", i * 99 % 250);
		rooms[i] = open_room(name);
	}
	do {
		struct item_room item;
		hub_list(hub, span_of(after), limits[_i], &everybody, &m, list_bytes, LIST_SIZE);
		ck_assert_uint_eq(m.total, 250);
		ck_assert_uint_gt(m.rooms.count, 0);
		ck_assert_uint_le(m.rooms.count, limits[_i]);
		while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
			snprintf(after, sizeof(after), "R%03u", seen++);
			ck_assert(span_equal(item.name, after));
			ck_assert_uint_eq(item.people, 0);
		}
	} while (m.more);
	ck_assert_uint_eq(seen, 250);
	for (unsigned i = 0; i < 250; i++)
		hub_leave(hub, rooms[i]);
}
END_TEST

/* Rooms of the table and those that are in the log alone, in one order and each once. */
START_TEST(pages_of_both_kinds)
{
	struct room *rooms[40];
	char name[16], after[16] = "";
	struct msg_room_list m;
	unsigned seen = 0;

	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "R%03u", i);
		if (i % 3 != 0)
			say(name); /* in the log */
		if (i % 3 != 1)
			rooms[i / 3 * 2 + i % 3 / 2] = open_room(name);
	}
	do {
		struct item_room item;
		ck_assert_int_eq(hub_list(hub, span_of(after), limits[_i], &everybody, &m,
					 list_bytes, LIST_SIZE),
			0);
		ck_assert_uint_le(m.total, 60);
		ck_assert_uint_le(m.rooms.count, limits[_i]);
		while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
			snprintf(after, sizeof(after), "R%03u", seen++);
			ck_assert(span_equal(item.name, after));
		}
	} while (m.more);
	ck_assert_uint_eq(seen, 60);
	for (unsigned i = 0; i < 40; i++)
		hub_leave(hub, rooms[i]);
}
END_TEST

START_TEST(the_list_goes_on_anywhere)
{
	struct room *a = open_room("a"), *c = open_room("c");
	struct msg_room_list m;
	struct item_room item;

	room_set_topic(c, span_of("about c"), span_of("n"), 1);
	hub_list(hub, span_of("B"), 10, &everybody, &m, list_bytes, LIST_SIZE);
	ck_assert(message_list_next(&m.rooms, ITEM_ROOM, &item));
	ck_assert(span_equal(item.name, "c"));
	ck_assert(span_equal(item.topic, "about c"));
	ck_assert(!message_list_next(&m.rooms, ITEM_ROOM, &item));
	hub_list(hub, span_of("c"), 10, &everybody, &m, list_bytes, LIST_SIZE);
	ck_assert_uint_eq(m.rooms.count, 0);
	ck_assert(!m.more);
	/* No room for even one is a page of none, with more to come. */
	hub_list(hub, span_of(""), 10, &everybody, &m, list_bytes, 3);
	ck_assert_uint_eq(m.rooms.count, 0);
	ck_assert(m.more);
	hub_leave(hub, a);
	hub_leave(hub, c);
}
END_TEST

/* ---- rooms that not everybody sees ---- */

static void act(const char *room, const struct act *a)
{
	struct stream_key key = entry_room(room), stream;
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct append_result result;

	stream_key_acts(&key, &stream);
	act_instance(somebody, instance);
	struct log_entry e = {
		.room = &stream,
		.kind = SAID_ACT,
		.person = somebody,
		.instance = instance,
		.nick = span_of("n"),
		.text = {.text = text, .length = (uint16_t)act_print(a, text)},
	};
	ck_assert_int_eq(engine_append(engine, &e, 1, INT64_MAX, &result), 0);
	ck_assert_int_eq(result.status, APPEND_OK);
}

static void take(const char *room)
{
	struct act a = {.verb = ACT_TAKE, .has_person = true, .label = "n"};

	memcpy(a.person, somebody, PERSON_ID);
	act(room, &a);
}

static void set_entry(const char *room, enum room_entry entry)
{
	const struct act a = {.verb = ACT_ENTRY, .value = entry};

	act(room, &a);
}

/* The list that a viewer gets, in pages of one and in one page, and how many it says that there are. */
static void expect_list(const struct hub_viewer *v, const char *expected, uint32_t count)
{
	for (uint16_t limit = 1; limit <= 100; limit = (uint16_t)(limit + 99)) {
		struct msg_room_list m;
		struct item_room item;
		char line[256] = "", after[16] = "";
		do {
			ck_assert_int_eq(
				hub_list(hub, span_of(after), limit, v, &m, list_bytes, LIST_SIZE),
				0);
			ck_assert_uint_eq(m.total, count);
			while (message_list_next(&m.rooms, ITEM_ROOM, &item)) {
				snprintf(after, sizeof(after), "%.*s", (int)item.name.length,
					item.name.text);
				strcat(strcat(line, after), " ");
			}
		} while (m.more);
		ck_assert_str_eq(line, expected);
	}
}

/* In the table and in the log, closed while they are there and before they come. */
START_TEST(who_sees_what)
{
	static const struct hub_viewer operator= {.all = true};
	static const char *const names[] = {"a", "b", "c", "d"};
	struct room *rooms[4];

	for (int i = 0; i < 4; i++) {
		take(names[i]);
		rooms[i] = open_room(names[i]);
		say(names[i]);
	}
	expect_list(&everybody, "a b c d ", 4);
	set_entry("b", ENTRY_INVITED);
	set_entry("d", ENTRY_INVITED);
	expect_list(&everybody, "a c ", 2);
	expect_list(&operator, "a b c d ", 4);
	const struct hub_viewer guest = {.rooms = &rooms[1], .room_count = 2}; /* in "b" and "c" */
	expect_list(&guest, "a b c ", 3);
	const struct hub_viewer member = {.rooms = rooms, .room_count = 4};
	expect_list(&member, "a b c d ", 4);
	hub_leave(hub, rooms[3]);
	hub_leave(hub, rooms[0]);
	hub_set_max(hub, 4);
	hub_leave(hub, open_room("e")); /* "d" has made way, and is in the log alone */
	struct stream_key d = entry_room("d");
	ck_assert_ptr_null(hub_find(hub, &d));
	expect_list(&everybody, "a c ", 2);
	expect_list(&guest, "a b c ", 3);
	expect_list(&operator, "a b c d ", 4);
	/* It comes back, closed as it was, and is opened. */
	rooms[3] = open_room("d");
	expect_list(&everybody, "a c ", 2);
	set_entry("d", ENTRY_OPEN);
	expect_list(&everybody, "a c d ", 3);
	set_entry("c", ENTRY_INVITED);
	expect_list(&everybody, "a d ", 2);
	expect_list(&guest, "a b c d ", 4);
	for (int i = 1; i < 4; i++)
		hub_leave(hub, rooms[i]);
	expect_list(&everybody, "a d ", 2);
	expect_list(&operator, "a b c d ", 4);
}
END_TEST

/* A closed room in which nothing is said counts while it is there. */
START_TEST(closed_and_silent)
{
	take("a");
	struct room *a = open_room("a");
	const struct hub_viewer owner = {.rooms = &a, .room_count = 1};
	set_entry("a", ENTRY_INVITED);
	expect_list(&everybody, "", 0);
	expect_list(&owner, "a ", 1);
	hub_leave(hub, a);
	expect_list(&everybody, "", 0);
	struct room *b = open_room("b");
	say("b");
	hub_leave(hub, b);
	expect_list(&everybody, "b ", 1);
	a = open_room("a"); /* closed from the start */
	expect_list(&everybody, "b ", 1);
	expect_list(&owner, "a b ", 2);
	set_entry("a", ENTRY_OPEN);
	expect_list(&everybody, "a b ", 2);
	hub_leave(hub, a);
	expect_list(&everybody, "b ", 1);
}
END_TEST

/* A log that has closed rooms from before. */
START_TEST(closed_before_it_was_opened)
{
	take("a");
	say("a");
	say("b");
	set_entry("a", ENTRY_INVITED);
	hub_free(hub);
	hub = hub_new(engine, &budget, ROOMS_MAX);
	ck_assert_ptr_nonnull(hub);
	expect_list(&everybody, "b ", 1);
	struct room *a = open_room("a");
	expect_list(&everybody, "b ", 1);
	set_entry("a", ENTRY_OPEN);
	expect_list(&everybody, "a b ", 2);
	hub_leave(hub, a);
}
END_TEST

/* ---- telling ---- */

static unsigned pumped;

static void count_pump(void *context, struct feed *f)
{
	ck_assert_ptr_eq(context, &pumped);
	ck_assert_ptr_nonnull(f);
	pumped++;
}

static struct room_session named(const char *nick)
{
	return (struct room_session){.person = somebody, .nick = nick, .away = ""};
}

START_TEST(now_or_in_time)
{
	struct room *r = open_room("r");
	struct room_session a = named("a"), b = named("b");

	ck_assert(!hub_tell(hub, r)); /* nothing to tell */
	ck_assert_int_eq(room_enter(r, &a, 0), 0);
	ck_assert(hub_tell(hub, r));
	ck_assert_int_eq(room_enter(r, &b, 0), 0);
	ck_assert(!hub_tell(hub, r));
	ck_assert(!hub_tell(hub, r));
	int64_t began = clock_ms();
	int64_t next = hub_tick(hub, began - 1, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 0);
	ck_assert_int_le(next, began + ROOM_TELL_EVERY);
	next = hub_tick(hub, next, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 1);
	ck_assert_int_gt(next, began + ROOM_TELL_EVERY); /* nothing waits any more */
	hub_tick(hub, next, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 1);
	hub_leave(hub, r);
}
END_TEST

/* A room may vanish while something waits to be told, and the hub while it does. */
START_TEST(gone_before_it_was_told)
{
	struct room *r = open_room("r"), *other = open_room("other");
	struct room_session a = named("a");

	for (int i = 0; i < 2; i++) {
		struct room *x = i ? other : r;
		ck_assert_int_eq(room_enter(x, &a, 0), 0);
		ck_assert(hub_tell(hub, x));
		room_leave(x, &a, "");
		ck_assert(!hub_tell(hub, x));
	}
	hub_leave(hub, r);
	hub_tick(hub, clock_ms() + ROOM_TELL_EVERY, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 2);
	ck_assert_int_eq(room_enter(other, &a, 0), 0);
	hub_tell(hub, other);
	room_leave(other, &a, "");
	hub_tell(hub, other);
	hub_leave(hub, other);
}
END_TEST

START_TEST(idle_rooms_let_their_memory_go)
{
	struct room *r = open_room("r");

	say("r");
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&budget.bytes), SEGMENT_SMALLEST);
	say("r");
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&budget.bytes), SEGMENT_SMALLEST);
	hub_rest(hub);
	ck_assert_uint_eq(atomic_load(&budget.bytes), 0);
	hub_leave(hub, r);
}
END_TEST

/* ---- many threads ---- */

#define THREADS 4

static atomic_bool done;

static void *come_and_go(void *argument)
{
	char nick[8];
	struct room_session me = named(nick);

	snprintf(nick, sizeof(nick), "t%d", *(const int *)argument);
	for (int i = 0; i < 400; i++) {
		struct room *r;
		if (hub_open(hub, span_of(i % 3 ? "busy" : "calm"), &r) != CODE_NONE)
			return argument;
		if (room_enter(r, &me, 0) != 0)
			return argument;
		hub_tell(hub, r);
		room_leave(r, &me, "");
		hub_tell(hub, r);
		hub_leave(hub, r);
	}
	return NULL;
}

static void drop(void *context, struct feed *f)
{
	(void)context;
	(void)f;
}

static void *keep_ticking(void *argument)
{
	/* Faster than time, so that there is much to tell. */
	int64_t now = clock_ms();

	(void)argument;
	while (!atomic_load(&done)) {
		hub_tick(hub, now += ROOM_TELL_EVERY, drop, NULL);
		hub_rest(hub);
	}
	return NULL;
}

START_TEST(at_once)
{
	static const int numbers[THREADS] = {0, 1, 2, 3};
	pthread_t threads[THREADS], ticker;
	void *wrong;

	ck_assert_int_eq(pthread_create(&ticker, NULL, keep_ticking, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go,
					 (void *)(uintptr_t)&numbers[i]),
			0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	atomic_store(&done, true);
	ck_assert_int_eq(pthread_join(ticker, NULL), 0);
	ck_assert_uint_eq(total(), 0);
}
END_TEST

Suite *hub_suite(void)
{
	Suite *s = suite_create("hub");
	TCase *c = tcase_create("hub");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, one_room_of_a_name);
	tcase_add_test(c, what_was_said_in_stays);
	tcase_add_test(c, older_than_the_room);
	tcase_add_loop_test(c, names_that_cannot_be, 0, sizeof(bad_names) / sizeof(bad_names[0]));
	tcase_add_test(c, as_many_as_there_may_be);
	tcase_add_test(c, how_many_there_are);
	tcase_add_test(c, the_longest_deserted_makes_way);
	tcase_add_test(c, forgotten_and_found_again);
	tcase_add_loop_test(c, said_while_it_is_opened, 0, 2);
	tcase_add_test(c, a_log_that_cannot_be_read);
	tcase_add_loop_test(c, pages_of_both_kinds, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_loop_test(c, pages, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(c, the_list_goes_on_anywhere);
	tcase_add_test(c, who_sees_what);
	tcase_add_test(c, closed_and_silent);
	tcase_add_test(c, closed_before_it_was_opened);
	tcase_add_test(c, now_or_in_time);
	tcase_add_test(c, gone_before_it_was_told);
	tcase_add_test(c, idle_rooms_let_their_memory_go);
	tcase_add_test(c, at_once);
	suite_add_tcase(s, c);
	return s;
}
