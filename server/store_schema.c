#include "server/store_schema.h"

#include "common/err.h"
#include "common/identity.h"
#include "common/lookalike.h"
#include "server/charter.h"

#include <stdio.h>
#include <string.h>

/* Each step as it was when it was made: never changed afterwards. */
static const char *const steps[] = {
	/* Version 1: the log.
	 *
	 * stream  A room ('r' and its folded name) or an inbox ('i' and a person's id). `pruned` is the
	 *         number of its newest entry that is no longer kept.
	 * instance A client instance. `pruned` is the highest counter among its entries that are no
	 *         longer kept; with the index entry_id it makes the high-water mark, so pruning
	 *         never lowers it.
	 * entry   `stream` is the room's or the writer's inbox, `other` the recipient's inbox.
	 * chain   The place of an entry in a stream, with the number before it there. */
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE stream (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL,"
	"  pruned INTEGER NOT NULL DEFAULT 0, topic TEXT NOT NULL DEFAULT '',"
	"  topic_nick TEXT NOT NULL DEFAULT '', topic_time INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE person (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
	"  nick TEXT NOT NULL DEFAULT '', folded TEXT NOT NULL DEFAULT '',"
	"  named INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX person_folded ON person (folded, named) WHERE folded <> '';"
	"CREATE TABLE instance (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
	"  person INTEGER NOT NULL, pruned INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE entry (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
	"  instance INTEGER NOT NULL, counter INTEGER NOT NULL, kind INTEGER NOT NULL,"
	"  stream INTEGER NOT NULL, other INTEGER, recipient INTEGER,"
	"  nick TEXT NOT NULL, to_nick TEXT NOT NULL, text TEXT NOT NULL);"
	"CREATE UNIQUE INDEX entry_id ON entry (instance, counter);"
	"CREATE TABLE chain (stream INTEGER NOT NULL, seq INTEGER NOT NULL, prev INTEGER NOT NULL,"
	"  PRIMARY KEY (stream, seq)) WITHOUT ROWID;"
	"CREATE TABLE place (person INTEGER NOT NULL, stream INTEGER NOT NULL,"
	"  member INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (person, stream)) WITHOUT ROWID;",

	/* Version 2: the words of every entry, folded and cut apart by words.h. The table keeps an
	 * index alone. `streams` has a word for each stream of the entry, so that a search looks
	 * nowhere else. */
	"CREATE VIRTUAL TABLE words USING fts5(streams, text, content='', tokenize='ascii',"
	"  prefix='2 3');"
	"INSERT INTO meta VALUES ('indexed', 0);",

	/* Version 3: the logs that this one was a copy of, when it was restored. Up to the number `upto`
	 * it has the same entries as they; above that, each gave out its numbers for itself. */
	"CREATE TABLE ancestor (log BLOB PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;",

	/* Version 4: what acts (act.h) add up to, so that pruning need not spare them. A charter as
	 * charter.h writes it, of a room and, in the row 's*', the server's; and who owns which nick, by
	 * each of its looks (lookalike.h). */
	"ALTER TABLE stream ADD COLUMN charter TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE nick (look TEXT PRIMARY KEY, person INTEGER NOT NULL, nick TEXT NOT NULL)"
	"  WITHOUT ROWID;"
	"CREATE INDEX nick_person ON nick (person);",

	/* Version 5: what charters say that is looked for in all of them, so that nothing walks through
	 * the rooms that it does not mean. `owner` is the person's row, NULL where nobody owns it; `listed`
	 * is an enum store_listed. */
	"ALTER TABLE stream ADD COLUMN owner INTEGER;"
	"ALTER TABLE stream ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX stream_owner ON stream (owner) WHERE owner IS NOT NULL;"
	"CREATE INDEX stream_listed ON stream (key) WHERE listed > 0;"
	"CREATE INDEX stream_open ON stream (key) WHERE listed = 2;",

	/* Version 6: some nicks look otherwise (faint marks, lookalike.h), so all looks are made anew. */
	"CREATE TABLE owned AS SELECT DISTINCT person, nick FROM nick; DELETE FROM nick;",
};

#define VERSIONS ((int)(sizeof(steps) / sizeof(steps[0])))

int store_schema_version(void)
{
	return VERSIONS;
}

static int one_number(sqlite3 *db, const char *sql, int *value)
{
	sqlite3_stmt *t;

	int r = sqlite3_prepare_v2(db, sql, -1, &t, NULL);
	if (r == SQLITE_OK) {
		r = sqlite3_step(t);
		if (r == SQLITE_ROW)
			*value = sqlite3_column_int(t, 0);
		sqlite3_finalize(t);
	}
	return store_error(r);
}

static int pragma(sqlite3 *db, const char *name, int *value)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	return one_number(db, sql, value);
}

static int count_tables(sqlite3 *db, int *count)
{
	return one_number(db, "SELECT count(*) FROM sqlite_schema", count);
}

static int fail(sqlite3 *db, int r, char *error, size_t size)
{
	snprintf(error, size, "%s", r == ERR_MEMORY ? "out of memory" : sqlite3_errmsg(db));
	return r;
}

/* What a log is called for ever. */
static int name_log(sqlite3 *db)
{
	uint8_t id[ENGINE_LOG_ID];
	sqlite3_stmt *t;

	identity_random(id, sizeof(id));
	int r = sqlite3_prepare_v2(db, "INSERT INTO meta VALUES ('log', ?)", -1, &t, NULL);
	if (r != SQLITE_OK)
		return store_error(r);
	/* Unbound it would be NULL, and the log without an id for ever. */
	r = sqlite3_bind_blob(t, 1, id, sizeof(id), SQLITE_STATIC);
	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	sqlite3_finalize(t);
	return store_error(r);
}

/* ---- what a new version makes of what is there ---- */

static bool is_owned(sqlite3 *db, const struct looks *looks)
{
	sqlite3_stmt *t;
	bool owned = false;

	if (sqlite3_prepare_v2(db, "SELECT 1 FROM nick WHERE look = ?", -1, &t, NULL) != SQLITE_OK)
		return true;
	for (size_t i = 0; i < looks->count && !owned; i++) {
		(void)sqlite3_bind_text(t, 1, looks->at[i], -1, SQLITE_STATIC);
		owned = sqlite3_step(t) == SQLITE_ROW;
		(void)sqlite3_reset(t);
	}
	sqlite3_finalize(t);
	return owned;
}

static int give_nick(sqlite3 *db, sqlite3_int64 person, const char *nick)
{
	sqlite3_stmt *t;
	struct looks looks;
	int r = SQLITE_OK;

	/* What is no nick any more, or looks like another's, has to be taken anew. */
	if (looks_of(nick, strlen(nick), &looks) != 0 || is_owned(db, &looks))
		return SQLITE_OK;
	r = sqlite3_prepare_v2(db, "INSERT INTO nick VALUES (?, ?, ?)", -1, &t, NULL);
	for (size_t i = 0; i < looks.count && (r == SQLITE_OK || r == SQLITE_DONE); i++) {
		(void)sqlite3_bind_text(t, 1, looks.at[i], -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(t, 2, person);
		(void)sqlite3_bind_text(t, 3, nick, -1, SQLITE_STATIC);
		r = sqlite3_step(t);
		(void)sqlite3_reset(t);
	}
	sqlite3_finalize(t);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* Whoever had a nick last, before nicks were owned, owns it. */
static const char had_last[] =
	"SELECT id, nick FROM person WHERE folded <> '' ORDER BY named DESC, id";

/* Of those that pass for each other now, whoever was here first keeps theirs. */
static const char came_first[] = "SELECT person, nick FROM owned ORDER BY person, nick";

/* To each in its turn: the query has the person's row and the nick. */
static int give_nicks(sqlite3 *db, const char *turns)
{
	sqlite3_stmt *t;
	int r = sqlite3_prepare_v2(db, turns, -1, &t, NULL);

	while (r == SQLITE_OK && (r = sqlite3_step(t)) == SQLITE_ROW) {
		const char *nick = (const char *)sqlite3_column_text(t, 1);
		r = nick ? give_nick(db, sqlite3_column_int64(t, 0), nick) : SQLITE_NOMEM;
	}
	sqlite3_finalize(t);
	return store_error(r);
}

/* What a charter that is in column 1 says; nobody knows of one that cannot be read, as store_acts.c has it.
 * ERR_MEMORY. */
static int read_charter(sqlite3_stmt *t, struct charter *out)
{
	bool is_text = sqlite3_column_type(t, 1) == SQLITE_TEXT;
	const char *text = (const char *)sqlite3_column_text(t, 1);
	size_t length = (size_t)sqlite3_column_bytes(t, 1);

	*out = (struct charter){0};
	int r = !is_text ? ERR_TEXT : text ? charter_parse(text, length, out) : ERR_MEMORY;
	if (r == ERR_TEXT)
		charter_damage(out);
	return r == ERR_TEXT ? 0 : r;
}

/* What fills a room in: whoever owns it may have no row of their own yet. */
enum {
	ADD_PERSON,
	SET_ROOM,
	FILLERS
};
static const char *const fillers[FILLERS] = {
	[ADD_PERSON] = "INSERT INTO person (key) VALUES (?) ON CONFLICT DO NOTHING",
	[SET_ROOM] = "UPDATE stream SET listed = ?2, owner = (SELECT id FROM person WHERE key = ?1)"
		     " WHERE id = ?3",
};

/* Run one whose first parameter is a person's id; NULL: nobody's. */
static int fill(sqlite3_stmt *t, const uint8_t *person)
{
	int r = person ? sqlite3_bind_blob(t, 1, person, PERSON_ID, SQLITE_STATIC)
		       : sqlite3_bind_null(t, 1);

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	(void)sqlite3_reset(t);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* Columns: id, charter, was anything said there? */
static int fill_room(sqlite3_stmt *room, sqlite3_stmt *const t[FILLERS])
{
	struct charter c;
	int r = SQLITE_OK;

	if (read_charter(room, &c) != 0)
		return SQLITE_NOMEM;
	int listed = c.entry == ENTRY_OPEN ? STORE_LISTED_OPEN : STORE_LISTED_CLOSED;
	const uint8_t *owner = charter_owner(&c);
	if (owner)
		r = fill(t[ADD_PERSON], owner);
	(void)sqlite3_bind_int(
		t[SET_ROOM], 2, sqlite3_column_int(room, 2) ? listed : STORE_LISTED_NOWHERE);
	(void)sqlite3_bind_int64(t[SET_ROOM], 3, sqlite3_column_int64(room, 0));
	if (r == SQLITE_OK)
		r = fill(t[SET_ROOM], owner);
	charter_fini(&c);
	return r;
}

/* What the charters say becomes columns. */
static int fill_rooms(sqlite3 *db)
{
	static const char rooms[] =
		"SELECT id, charter,"
		" pruned > 0 OR EXISTS (SELECT 1 FROM chain WHERE stream = stream.id) FROM stream"
		" WHERE key >= x'72' AND key < x'73'";
	sqlite3_stmt *room = NULL, *t[FILLERS] = {NULL};
	int r = sqlite3_prepare_v2(db, rooms, -1, &room, NULL);

	for (size_t i = 0; i < FILLERS && r == SQLITE_OK; i++)
		r = sqlite3_prepare_v2(db, fillers[i], -1, &t[i], NULL);
	while (r == SQLITE_OK && (r = sqlite3_step(room)) == SQLITE_ROW)
		r = fill_room(room, t);
	sqlite3_finalize(room);
	for (size_t i = 0; i < FILLERS; i++)
		sqlite3_finalize(t[i]);
	return store_error(r);
}

/* What no SQL can make of a log of that version. */
static int fill_in(sqlite3 *db, int version)
{
	int r;

	switch (version) {
	case 0:
		return name_log(db);
	case 3:
		return give_nicks(db, had_last);
	case 4:
		return fill_rooms(db);
	case 5:
		r = give_nicks(db, came_first);
		return r ? r : store_error(sqlite3_exec(db, "DROP TABLE owned", NULL, NULL, NULL));
	default:
		return 0;
	}
}

static int take_step(sqlite3 *db, int version, char *error, size_t size)
{
	char sql[128];

	int r = store_error(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r)
		return fail(db, r, error, size);
	r = store_error(sqlite3_exec(db, steps[version], NULL, NULL, NULL));
	if (r == 0)
		r = fill_in(db, version);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		STORE_APPLICATION, version + 1);
	if (r == 0)
		r = store_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
	if (r == 0)
		r = store_error(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	if (r == 0)
		return 0;
	(void)fail(db, r, error, size); /* before it is rolled back, which is no error */
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* Whose database it is; `*version` becomes 0 for an empty one. */
static int recognise(sqlite3 *db, int *version, char *error, size_t size)
{
	int application = 0, tables = 0, r = pragma(db, "user_version", version);

	if (r == 0)
		r = pragma(db, "application_id", &application);
	if (r == 0)
		r = count_tables(db, &tables);
	if (r)
		return fail(db, r, error, size);
	/* An empty file is nobody's yet; one with tables says whose it is. */
	bool empty = application == 0 && *version == 0 && tables == 0;
	if (!empty && (application != STORE_APPLICATION || *version < 1)) {
		snprintf(error, size, "it is not a log of lanchatd");
		return ERR_DAMAGED;
	}
	if (*version > VERSIONS) {
		snprintf(error, size,
			"it is of a newer lanchatd (version %d; this one knows %d): use that one",
			*version, VERSIONS);
		return ERR_DAMAGED;
	}
	return 0;
}

int store_schema_migrate(sqlite3 *db, char *error, size_t size)
{
	/* auto_vacuum counts only before the first table. */
	static const char first[] = "PRAGMA auto_vacuum = INCREMENTAL";
	int version = 0;

	/* What is not ours is not touched: nothing is written before that is known. */
	int r = recognise(db, &version, error, size);
	if (r)
		return r;
	if (version == 0)
		r = store_error(sqlite3_exec(db, first, NULL, NULL, NULL));
	if (r == 0)
		r = store_error(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL));
	if (r)
		return fail(db, r, error, size);
	while (r == 0 && version < VERSIONS)
		r = take_step(db, version++, error, size);
	return r;
}

int store_schema_check(sqlite3 *db, char *error, size_t size)
{
	int version = 0;
	int r = recognise(db, &version, error, size);

	if (r || version == VERSIONS)
		return r;
	if (version == 0)
		snprintf(error, size, "%s", STORE_EMPTY);
	else
		snprintf(error, size, "it is of version %d, not %d: start the server on it once",
			version, VERSIONS);
	return ERR_DAMAGED;
}
