/*
 * From one version of the log's tables to the next: what was there is there, and what is new says what
 * the old said.
 */
#include "server/store_schema.h"

#include "common/err.h"
#include "server/act.h"
#include "server/store_read.h"
#include "server/store_verify.h"
#include "tests/unit/engine_cases.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/log_folder.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *store_schema_suite(void);

#define VERSION_4 "tests/vectors/log-version-4.sql"

/* Of that log: who owns what, and in whose list each room is. */
#define OWNERS                                                                                     \
	"Garden of Anna, annex of bob, den of Anna, gift of bob, hall of Anna, hush of bob, "      \
	"lobby of nobody, orphan of nobody, reopened of dorothea, silent of Anna, vault of Anna"
#define LISTED                                                                                     \
	"Garden 2, annex 2, den 1, gift 2, hall 2, hush 0, lobby 2, orphan 2, reopened 2, "        \
	"silent 0, vault 1"
#define ANNA_OWNS 5

static struct log_folder folder;

static void set_up(void)
{
	char command[256];

	log_folder_new(&folder);
	snprintf(command, sizeof(command), "sqlite3 %s < " VERSION_4, folder.log);
	ck_assert_int_eq(system(command), 0);
}

static void tear_down(void)
{
	log_folder_remove(&folder);
}

/* What a query answers, its rows with commas between; for free(). */
static char *ask(const char *sql)
{
	char *text = NULL, *wrapped;
	sqlite3_stmt *t;
	sqlite3 *db;

	ck_assert_int_ge(asprintf(&wrapped, "SELECT group_concat(x, ', ') FROM (%s)", sql), 0);
	ck_assert_int_eq(sqlite3_open(folder.log, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, wrapped, -1, &t, NULL) == SQLITE_OK, "%s: %s", sql,
		sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(t), SQLITE_ROW);
	const char *answer = (const char *)sqlite3_column_text(t, 0);
	text = strdup(answer ? answer : "");
	ck_assert_ptr_nonnull(text);
	sqlite3_finalize(t);
	sqlite3_close(db);
	free(wrapped);
	return text;
}

static void expect(const char *sql, const char *answer)
{
	char *text = ask(sql);

	ck_assert_str_eq(text, answer);
	free(text);
}

static void expect_owners(const char *answer)
{
	expect("SELECT s.name || ' of ' || ifnull(p.nick, 'nobody') AS x FROM stream AS s"
	       " LEFT JOIN person AS p ON p.id = s.owner WHERE s.name <> '' ORDER BY s.name",
		answer);
}

static void expect_listed(const char *answer)
{
	expect("SELECT name || ' ' || listed AS x FROM stream WHERE name <> '' ORDER BY name",
		answer);
}

/* Everything that a log of version 4 has, but for the index of words and how far it goes. */
static char *everything(void)
{
	return ask(
		"SELECT x FROM ("
		"SELECT 1 AS n, id AS m, quote(key) || quote(name) || pruned || quote(topic)"
		"  || quote(topic_nick) || topic_time || quote(charter) AS x FROM stream UNION ALL "
		"SELECT 2, id, quote(key) || quote(nick) || quote(folded) || named FROM person "
		"UNION ALL "
		"SELECT 3, id, quote(key) || person || ' ' || pruned FROM instance UNION ALL "
		"SELECT 4, seq, time || ' ' || instance || ' ' || counter || ' ' || kind || ' ' || "
		"stream"
		"  || quote(other) || quote(recipient) || quote(nick) || quote(to_nick) || "
		"quote(text)"
		"  FROM entry UNION ALL "
		"SELECT 5, stream * 1000 + seq, prev FROM chain UNION ALL "
		"SELECT 6, person * 1000 + stream, member || ' ' || read FROM place UNION ALL "
		"SELECT 7, person, quote(look) || quote(nick) FROM nick UNION ALL "
		"SELECT 8, upto, quote(log) FROM ancestor UNION ALL "
		"SELECT 9, 0, quote(value) FROM meta WHERE name = 'log') ORDER BY n, m, x");
}

static void check_sound(void)
{
	struct verify_report report;
	char error[512] = "";

	ck_assert_msg(store_verify(folder.log, &report, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(report.findings == 0, "%s", report.shown[0]);
}

static void migrate(void)
{
	struct log l = {0};

	log_folder_open(&folder, 0, &l);
	log_close(&l);
}

START_TEST(version_4)
{
	char *before = everything();

	ck_assert_uint_gt(strlen(before), 5000);
	migrate();
	expect("SELECT user_version AS x FROM pragma_user_version", "6");
	char *after = everything();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	expect_owners(OWNERS);
	expect_listed(LISTED);
	check_sound();
	/* Once is enough. */
	migrate();
	expect_owners(OWNERS);
	check_sound();
}
END_TEST

/* Nicks whose looks were made before faint marks were left out: who was here first keeps theirs. */
START_TEST(looks_made_anew)
{
	log_folder_sql(folder.log,
		"INSERT INTO person (id, key) VALUES (901, randomblob(32)),"
		" (902, randomblob(32)), (903, randomblob(32));"
		"INSERT INTO nick VALUES ('nina', 901, 'Nina'), ('ni\u0307na', 902, 'ni\u0307na'),"
		" ('zo\u1039e', 903, 'zo\u1039e'), ('cafe\u0301', 903, 'caf\u00e9')");
	migrate();
	expect("SELECT look || ' ' || person AS x FROM nick WHERE person > 900 ORDER BY look",
		"cafe\u0301 903, nina 901, zoe 903");
	expect("SELECT nick AS x FROM nick WHERE look = 'zoe'", "zo\u1039e");
	expect("SELECT name AS x FROM sqlite_schema WHERE name = 'owned'", "");
	check_sound();
}
END_TEST

/* ---- used at once ---- */

static void id_of(const char *nick, uint8_t id[PERSON_ID])
{
	struct log l = {0};
	struct looks looks;
	char shown[NICK_MAX + 1];

	log_folder_open(&folder, 0, &l);
	ck_assert_int_eq(looks_of(nick, strlen(nick), &looks), 0);
	ck_assert_int_eq(engine_owner(l.engine, looks.at[0], id, shown), 0);
	log_close(&l);
}

/* An act of somebody about themselves, or about nobody, where one may own `most` rooms. */
static enum code act(
	struct log *l, const uint8_t *who, const char *room, enum act_verb verb, uint32_t most)
{
	struct stream_key key = entry_room(room), stream;
	struct act a = {.verb = verb, .has_person = verb != ACT_ENTRY};
	uint8_t instance[INSTANCE_ID];
	char text[ACT_TEXT_MAX];
	struct append_result result;

	if (a.has_person)
		memcpy(a.person, who, PERSON_ID);
	stream_key_acts(&key, &stream);
	act_instance(who, instance);
	struct log_entry e = {
		.room = &stream,
		.person = who,
		.instance = instance,
		.kind = SAID_ACT,
		.nick = span_of("doer"),
		.owned_most = most,
		.text = {.text = text, .length = (uint16_t)act_print(&a, text)},
	};
	ck_assert_int_eq(engine_append(l->engine, &e, 1, INT64_MAX, &result), 0);
	return result.status == APPEND_OK ? CODE_NONE : result.code;
}

static bool put_name(void *context, const struct stream_key *key, const struct room_record *room)
{
	(void)key;
	strcat(context, room->name);
	strcat(context, room->closed ? "! " : " ");
	return true;
}

static void expect_rooms(struct log *l, bool all, const char *expected)
{
	char line[256] = "";

	ck_assert_int_eq(engine_rooms(l->engine, NULL, all, 100, put_name, line), 0);
	ck_assert_str_eq(line, expected);
}

START_TEST(what_was_owned_counts)
{
	uint8_t anna[PERSON_ID];
	struct log l = {0};

	id_of("Anna", anna);
	log_folder_open(&folder, 0, &l);
	expect_rooms(&l, false, "annex Garden gift hall lobby orphan reopened ");
	expect_rooms(&l, true, "annex den! Garden gift hall lobby orphan reopened vault! ");
	ck_assert_int_eq(act(&l, anna, "more", ACT_TAKE, ANNA_OWNS), CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(act(&l, anna, "more", ACT_TAKE, ANNA_OWNS + 1), CODE_NONE);
	ck_assert_int_eq(act(&l, anna, "most", ACT_TAKE, ANNA_OWNS + 1), CODE_TOO_MANY_OWNED);
	log_close(&l);
	check_sound();
}
END_TEST

/* ---- damage ---- */

static const char *const garbage[] = {
	"UPDATE stream SET charter = 'garbage' WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = charter || 'ban 0' WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = x'00ff' WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = x'' WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = CAST(charter AS BLOB) WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = hex(zeroblob(40000)) WHERE name IN ('hall', 'silent')",
	"UPDATE stream SET charter = 7 WHERE name IN ('hall', 'silent')",
};

/* A room of which nobody knows any more whose it was is nobody's, and not shown to everybody; it costs no
 * other room anything. */
START_TEST(damaged_before)
{
	uint8_t root[PERSON_ID], anna[PERSON_ID];
	struct log l = {0};

	log_folder_sql(folder.log, garbage[_i]);
	id_of("root", root);
	id_of("Anna", anna);
	expect_owners("Garden of Anna, annex of bob, den of Anna, gift of bob, hall of nobody, "
		      "hush of bob, lobby of nobody, orphan of nobody, reopened of dorothea, "
		      "silent of nobody, vault of Anna");
	expect_listed("Garden 2, annex 2, den 1, gift 2, hall 1, hush 0, lobby 2, orphan 2, "
		      "reopened 2, silent 0, vault 1");
	log_folder_open(&folder, 0, &l);
	ck_assert_int_eq(act(&l, anna, "silent", ACT_TAKE, 0), CODE_ROOM_DAMAGED);
	/* Two of hers are gone. */
	ck_assert_int_eq(act(&l, anna, "new", ACT_TAKE, ANNA_OWNS - 2), CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(act(&l, anna, "new", ACT_TAKE, ANNA_OWNS - 1), CODE_NONE);
	/* An operator begins them anew. */
	ck_assert_int_eq(act(&l, root, "hall", ACT_ENTRY, 0), CODE_NONE);
	ck_assert_int_eq(act(&l, root, "silent", ACT_ENTRY, 0), CODE_NONE);
	expect_rooms(&l, false, "annex Garden gift hall lobby orphan reopened ");
	ck_assert_int_eq(act(&l, root, "hall", ACT_OWNER, 1), CODE_NONE);
	ck_assert_int_eq(act(&l, anna, "silent", ACT_TAKE, 0), CODE_NONE);
	log_close(&l);
	expect_owners("Garden of Anna, annex of bob, den of Anna, gift of bob, hall of root, "
		      "hush of bob, lobby of nobody, new of Anna, orphan of nobody, "
		      "reopened of dorothea, silent of Anna, vault of Anna");
	check_sound();
}
END_TEST

/* What is damaged later counts as what it was until it is begun anew: damage makes no room for more. */
START_TEST(damaged_after)
{
	uint8_t root[PERSON_ID], anna[PERSON_ID];
	struct log l = {0};

	id_of("root", root);
	id_of("Anna", anna);
	log_folder_sql(folder.log, garbage[_i]);
	log_folder_open(&folder, 0, &l);
	ck_assert_int_eq(act(&l, anna, "new", ACT_TAKE, ANNA_OWNS), CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(act(&l, anna, "hall", ACT_OWNER, 0), CODE_ROOM_DAMAGED);
	ck_assert_int_eq(act(&l, root, "hall", ACT_ENTRY, 0), CODE_NONE);
	ck_assert_int_eq(act(&l, root, "silent", ACT_ENTRY, 0), CODE_NONE);
	ck_assert_int_eq(act(&l, anna, "new", ACT_TAKE, ANNA_OWNS - 2), CODE_TOO_MANY_OWNED);
	ck_assert_int_eq(act(&l, anna, "new", ACT_TAKE, ANNA_OWNS - 1), CODE_NONE);
	log_close(&l);
	check_sound();
}
END_TEST

/* Whichever of both became of one that was closed, it is closed. */
START_TEST(closed_by_either)
{
	struct log l = {0};

	migrate();
	log_folder_sql(folder.log, _i ? "UPDATE stream SET charter = '' WHERE name = 'den'"
				      : "UPDATE stream SET listed = 2 WHERE name = 'den'");
	log_folder_open(&folder, 0, &l);
	expect_rooms(&l, true, "annex den! Garden gift hall lobby orphan reopened vault! ");
	log_close(&l);
}
END_TEST

/* ---- broken off ---- */

/* No space for the step: the log is of version 4, whole, until there is some. */
START_TEST(no_space)
{
	const struct engine_config config = {.folder = folder.path, .sync = SYNC_FULL};
	char error[512] = "";
	struct engine *e = NULL;
	char *before = everything();

	faulty_vfs_install();
	faulty_vfs_set(_i ? VFS_BROKEN : VFS_FULL);
	ck_assert_int_ne(
		engine_open_sqlite(&config, log_applied, NULL, &e, error, sizeof(error)), 0);
	ck_assert_msg(strstr(error, _i ? "I/O" : "full") != NULL, "%s", error);
	faulty_vfs_set(VFS_WELL);
	expect("SELECT user_version AS x FROM pragma_user_version", "4");
	char *after = everything();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	migrate();
	expect_owners(OWNERS);
	expect_listed(LISTED);
	check_sound();
}
END_TEST

/* ---- what it costs ---- */

#define MANY 5000

static struct store *with_many_rooms(const char *charter)
{
	char sql[1024], error[512] = "";
	struct store *s = NULL;

	migrate();
	snprintf(sql, sizeof(sql),
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO stream (key, name, charter, pruned, owner, listed)"
		" SELECT CAST('rb' || i AS BLOB), 'b' || i, %s FROM n",
		MANY, charter);
	log_folder_sql(folder.log, sql);
	ck_assert_msg(store_open(folder.log, false, &s, error, sizeof(error)) == 0, "%s", error);
	return s;
}

static int steps(struct store *s, enum store_statement which)
{
	return sqlite3_stmt_status(store_statement(s, which), SQLITE_STMTSTATUS_VM_STEP, 1);
}

/* Rooms that are not shown cost nothing: SQLite's own count of what it does. */
START_TEST(hidden_rooms_are_not_walked)
{
	static const char *const charters[] = {
		"'entry 2 - *' || char(10), 1, 2, 1", /* closed */
		"'', 0, 2, 0",                        /* nothing was said in them */
	};
	struct store *s = with_many_rooms(charters[_i]);
	char line[256] = "";

	ck_assert_int_eq(store_rooms(s, NULL, false, 100, put_name, line), 0);
	ck_assert_str_eq(line, "annex Garden gift hall lobby orphan reopened ");
	ck_assert_int_lt(steps(s, STORE_ROOMS_OPEN), 1000);
	if (_i == 1) {
		*line = '\0';
		ck_assert_int_eq(store_rooms(s, NULL, true, 100, put_name, line), 0);
		ck_assert_str_eq(line, "annex den! Garden gift hall lobby orphan reopened vault! ");
		ck_assert_int_lt(steps(s, STORE_ROOMS), 1000);
	}
	store_close(s);
}
END_TEST

/* No more is counted than it takes to know, of whoever owned many before there was a limit. */
START_TEST(no_more_are_counted)
{
	struct store *s = with_many_rooms("'', 0, 2, 0");

	for (uint64_t most = 1; most <= 100; most += 99) {
		uint64_t count = 0;
		sqlite3_stmt *t = store_statement(s, STORE_ROOMS_OF);
		store_bind_int(t, 1, 2);
		store_bind_int(t, 2, most);
		ck_assert_int_eq(store_one(t, &count), 1);
		ck_assert_uint_eq(count, most);
		ck_assert_int_lt(steps(s, STORE_ROOMS_OF), 1000);
	}
	store_close(s);
}
END_TEST

Suite *store_schema_suite(void)
{
	Suite *s = suite_create("store_schema");
	TCase *t = tcase_create("store_schema");
	int kinds = (int)(sizeof(garbage) / sizeof(garbage[0]));

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, version_4);
	tcase_add_test(t, looks_made_anew);
	tcase_add_test(t, what_was_owned_counts);
	tcase_add_loop_test(t, damaged_before, 0, kinds);
	tcase_add_loop_test(t, damaged_after, 0, kinds);
	tcase_add_loop_test(t, closed_by_either, 0, 2);
	tcase_add_loop_test(t, no_space, 0, 2);
	tcase_add_loop_test(t, hidden_rooms_are_not_walked, 0, 2);
	tcase_add_test(t, no_more_are_counted);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return s;
}
