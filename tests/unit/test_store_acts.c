/*
 * What acts leave in the database, and what is made of it again.
 */
#include "common/err.h"
#include "server/act.h"
#include "server/engine.h"
#include "tests/unit/engine_cases.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/log_folder.h"

#include <check.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

Suite *store_acts_suite(void);

static struct log_folder folder;
static struct log l;

static void set_up(void)
{
	log_folder_new(&folder);
	log_folder_open(&folder, 0, &l);
}

static void tear_down(void)
{
	log_close(&l);
	log_folder_remove(&folder);
}

static void reopen(uint64_t keep_messages)
{
	log_close(&l);
	log_folder_open(&folder, keep_messages, &l);
}

/* All of it has become too old. */
static void reopen_after_long(void)
{
	const struct engine_config config = {
		.folder = folder.path, .sync = SYNC_OFF, .keep_days = 1};
	char error[1024] = "";

	log_close(&l);
	log_folder_sql(folder.log, "UPDATE entry SET time = 1000000");
	l = (struct log){0};
	int r = engine_open_sqlite(&config, log_applied, &l, &l.engine, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
}

/* Do something to somebody in a room; NULL: about the server. */
static struct append_result act(const char *room, int who, enum act_verb verb, int whom)
{
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct stream_key key, stream;
	struct append_result result;
	struct act a = {.verb = verb, .has_person = true, .label = "somebody"};

	if (room)
		key = entry_room(room);
	stream_key_acts(room ? &key : NULL, &stream);
	memcpy(a.person, log_person(whom), PERSON_ID);
	act_instance(log_person(who), instance);
	struct log_entry e = {
		.room = &stream,
		.person = log_person(who),
		.instance = instance,
		.kind = SAID_ACT,
		.nick = span_of("doer"),
		.text = {.text = text, .length = (uint16_t)act_print(&a, text)},
	};
	ck_assert_int_eq(engine_append(l.engine, &e, 1, INT64_MAX, &result), 0);
	return result;
}

static void accept_act(const char *room, int who, enum act_verb verb, int whom)
{
	struct append_result r = act(room, who, verb, whom);

	ck_assert_int_eq(r.status, APPEND_OK);
	ck_assert(!r.duplicate);
}

static int number(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *t;

	ck_assert_int_eq(sqlite3_open(folder.log, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &t, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(t), SQLITE_ROW);
	int n = sqlite3_column_int(t, 0);
	sqlite3_finalize(t);
	sqlite3_close(db);
	return n;
}

/* ---- instances ---- */

/* Once each act was an instance of its own, and its row stayed for ever. */
START_TEST(a_thousand_acts_are_one_instance)
{
	accept_act("a", 1, ACT_TAKE, 1);
	for (int i = 1; i < 500; i++)
		accept_act("a", 1, i % 2 ? ACT_MUTE : ACT_UNMUTE, 2);
	/* Numbers go on after a restart, also where nothing is left of those before it. */
	faulty_vfs_install();
	reopen_after_long();
	accept_act("a", 1, ACT_UNMUTE, 2);
	/* The engine says nothing when it has pruned. */
	unsigned seen = faulty_vfs_commits();
	while (number("SELECT count(*) FROM entry") > 1)
		seen = faulty_vfs_await(seen);
	ck_assert_int_eq(number("SELECT count(*) FROM entry"), 1);
	reopen(0);
	for (int i = 0; i < 500; i++)
		accept_act("a", 1, i % 2 ? ACT_UNMUTE : ACT_MUTE, 2);
	ck_assert_uint_eq(l.count, 500);
	ck_assert_uint_eq(l.applied[0].counter, 502);
	ck_assert_int_eq(number("SELECT count(*) FROM instance"), 1);
}
END_TEST

#define THREADS 6
#define EACH    100

struct doing {
	int whom, refused;
};

static void *act_often(void *argument)
{
	struct doing *d = argument;

	for (int i = 0; i < EACH; i++)
		d->refused +=
			act("a", 1, i % 2 ? ACT_UNMUTE : ACT_MUTE, d->whom).status != APPEND_OK;
	return NULL;
}

/* Several sessions of one person at once. */
START_TEST(acts_of_many_threads)
{
	pthread_t threads[THREADS];
	struct doing doing[THREADS];

	accept_act("a", 1, ACT_TAKE, 1);
	for (int i = 0; i < THREADS; i++) {
		doing[i] = (struct doing){.whom = 10 + i};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, act_often, &doing[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(doing[i].refused, 0);
	}
	ck_assert_uint_eq(l.count, THREADS * EACH + 1);
	for (size_t i = 0; i < l.count; i++)
		ck_assert_uint_eq(l.applied[i].counter, i + 1);
	ck_assert_int_eq(number("SELECT count(*) FROM instance"), 1);
}
END_TEST

/* ---- damage ---- */

static const char *const garbage[] = {
	"UPDATE stream SET charter = 'garbage' WHERE key = x'7261'",
	"UPDATE stream SET charter = 'garbage' || char(10) WHERE key = x'7261'",
	"UPDATE stream SET charter = charter || 'ban 0' WHERE key = x'7261'",
	"UPDATE stream SET charter = substr(charter, 1, 20) WHERE key = x'7261'",
	"UPDATE stream SET charter = x'00ff' WHERE key = x'7261'",
	"UPDATE stream SET charter = hex(zeroblob(40000)) WHERE key = x'7261'",
};

static enum code say(const char *room, int who)
{
	static uint64_t counter;
	struct stream_key key = entry_room(room);
	struct append_result r = log_append(&l, log_said(&key, who, ++counter, "words"));

	ck_assert_int_eq(r.status, r.code == CODE_NONE ? APPEND_OK : APPEND_REJECTED);
	return r.code;
}

static struct append_result open_to_all(const char *room, int who)
{
	uint8_t instance[INSTANCE_ID];
	struct stream_key key = entry_room(room), stream;
	struct append_result result;
	char text[ACT_TEXT_MAX];
	const struct act a = {.verb = ACT_ENTRY, .value = ENTRY_OPEN};

	stream_key_acts(&key, &stream);
	act_instance(log_person(who), instance);
	struct log_entry e = {
		.room = &stream,
		.person = log_person(who),
		.instance = instance,
		.kind = SAID_ACT,
		.nick = span_of("doer"),
		.text = {.text = text, .length = (uint16_t)act_print(&a, text)},
	};
	ck_assert_int_eq(engine_append(l.engine, &e, 1, INT64_MAX, &result), 0);
	return result;
}

static bool is_damaged(const char *room)
{
	struct stream_key key = entry_room(room);
	struct charter c;

	ck_assert_int_eq(engine_charter(l.engine, &key, &c), 0);
	bool damaged = c.damaged;
	ck_assert(!damaged || c.entry == ENTRY_INVITED);
	charter_fini(&c);
	return damaged;
}

/* Once one such row made every append fail. */
START_TEST(one_damaged_charter)
{
	struct stream_key key = entry_room("a");
	struct room_record record;

	accept_act("a", 1, ACT_TAKE, 1);
	accept_act("b", 1, ACT_TAKE, 1);
	accept_act(NULL, 4, ACT_PROVE, 4);
	ck_assert_int_eq(say("a", 1), CODE_NONE);
	log_close(&l);
	log_folder_sql(folder.log, garbage[_i]);
	log_folder_open(&folder, 0, &l);
	/* That room is closed, to its owner as well. */
	ck_assert(is_damaged("a"));
	ck_assert_int_eq(engine_room(l.engine, &key, &record), 0);
	ck_assert(record.closed || _i == 2); /* in the list by its first line */
	ck_assert_int_eq(say("a", 1), CODE_ROOM_DAMAGED);
	ck_assert_int_eq(say("a", 2), CODE_ROOM_DAMAGED);
	ck_assert_int_eq(act("a", 1, ACT_MODERATOR, 2).code, CODE_ROOM_DAMAGED);
	ck_assert_int_eq(act("a", 2, ACT_TAKE, 2).code, CODE_ROOM_DAMAGED);
	ck_assert_int_eq(open_to_all("a", 1).code, CODE_ROOM_DAMAGED);
	/* Nobody else's. */
	ck_assert_int_eq(engine_health(l.engine), ENGINE_WELL);
	ck_assert_int_eq(say("b", 2), CODE_NONE);
	accept_act("b", 1, ACT_MODERATOR, 2);
	ck_assert(!is_damaged("b"));
	/* An operator is one there, and begins it anew. */
	ck_assert_int_eq(say("a", 4), CODE_NONE);
	ck_assert_int_eq(act("a", 4, ACT_OWNER, 4).code, CODE_ROOM_DAMAGED);
	ck_assert_int_eq(open_to_all("a", 4).status, APPEND_OK);
	ck_assert(!is_damaged("a"));
	ck_assert_int_eq(say("a", 2), CODE_NONE);
	accept_act("a", 4, ACT_OWNER, 1);
	reopen(0);
	ck_assert(!is_damaged("a"));
	accept_act("a", 1, ACT_MODERATOR, 2);
	ck_assert_int_eq(number("SELECT charter LIKE '%ban%' FROM stream WHERE key = x'7261'"), 0);
}
END_TEST

Suite *store_acts_suite(void)
{
	Suite *s = suite_create("store_acts");
	TCase *t = tcase_create("store_acts");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_thousand_acts_are_one_instance);
	tcase_add_test(t, acts_of_many_threads);
	tcase_add_loop_test(t, one_damaged_charter, 0, sizeof(garbage) / sizeof(garbage[0]));
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return s;
}
