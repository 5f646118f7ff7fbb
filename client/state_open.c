#include "client/state_private.h"

#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define APPLICATION 0x4c434873 /* "LCHs" */

/* Each step as it was when it was made: never changed afterwards. */
static const char *const steps[] = {
	/* Version 1.
	 *
	 * meta     One row. `reserved`: numbers up to this one may have been used.
	 * message  Not acknowledged. `target`: the room or the nick. `time`: when it was typed.
	 * position By a room's folded name; '' for the direct messages. */
	"CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), server BLOB NOT NULL,"
	"  instance BLOB NOT NULL, reserved INTEGER NOT NULL, log BLOB);"
	"CREATE TABLE message (counter INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	"  direct INTEGER NOT NULL, person BLOB NOT NULL, target TEXT NOT NULL,"
	"  text TEXT NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE position (room TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;",
};

#define VERSIONS ((int)(sizeof(steps) / sizeof(steps[0])))

static const char *const sql[STATE_STATEMENTS] = {
	[STATE_ADD] = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)",
	[STATE_FORGET] = "DELETE FROM message WHERE counter < ?",
	[STATE_FORGET_ONE] = "DELETE FROM message WHERE counter = ?",
	[STATE_MESSAGES] = "SELECT counter, kind, direct, person, target, text, time"
			   " FROM message ORDER BY counter",
	[STATE_POSITION] = "SELECT seq FROM position WHERE room = ?",
	[STATE_PUT] = "INSERT INTO position VALUES (?, ?) ON CONFLICT (room)"
		      " DO UPDATE SET seq = max(seq, excluded.seq)",
	[STATE_SET_LOG] = "UPDATE meta SET log = ?",
	[STATE_DROP] = "DELETE FROM position",
	[STATE_RESERVE_TO] = "UPDATE meta SET reserved = ?",
};

int state_error(int sqlite)
{
	switch (sqlite & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_DAMAGED;
	default:
		return ERR_SYSTEM;
	}
}

static int run(struct state *st, const char *text)
{
	return state_error(sqlite3_exec(st->db, text, NULL, NULL, NULL));
}

/* The number that a statement returns in its first row. */
static int ask(struct state *st, const char *text, int *value)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(st->db, text, -1, &t, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		*value = sqlite3_column_int(t, 0);
	sqlite3_finalize(t);
	return state_error(r);
}

/* ---- the schema ---- */

static int put_meta(struct state *st)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(
		st->db, "INSERT INTO meta VALUES (1, ?, ?, ?, NULL)", -1, &t, NULL);

	if (r == SQLITE_OK) {
		sqlite3_bind_blob(t, 1, st->server, sizeof(st->server), SQLITE_STATIC);
		sqlite3_bind_blob(t, 2, st->instance, sizeof(st->instance), SQLITE_STATIC);
		sqlite3_bind_int64(t, 3, (sqlite3_int64)st->reserved);
		r = sqlite3_step(t);
	}
	sqlite3_finalize(t);
	return state_error(r);
}

static int take_step(struct state *st, int version)
{
	char numbers[128];

	snprintf(numbers, sizeof(numbers), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		APPLICATION, version + 1);
	int r = run(st, "BEGIN IMMEDIATE");
	if (r)
		return r;
	r = run(st, steps[version]);
	if (r == 0 && version == 0)
		r = put_meta(st);
	if (r == 0)
		r = run(st, numbers);
	if (r == 0)
		r = run(st, "COMMIT");
	if (r)
		(void)run(st, "ROLLBACK");
	return r;
}

/* An empty file is one whose making was cut short; nobody ever used its instance, and nobody will. */
static int migrate(struct state *st, bool make)
{
	int version = 0;
	int application = 0;
	int r = ask(st, "PRAGMA user_version", &version);

	if (r == 0)
		r = ask(st, "PRAGMA application_id", &application);
	if (r == 0 && !make && (application != APPLICATION || version < 1))
		r = ERR_DAMAGED;
	if (r == 0 && version > VERSIONS)
		r = ERR_REFUSED;
	while (r == 0 && version < VERSIONS)
		r = take_step(st, version++);
	return r;
}

/* ---- what it says ---- */

/* Does the blob in that column have these bytes? */
static bool blob_is(sqlite3_stmt *t, int column, const uint8_t *bytes, size_t size)
{
	const void *blob = sqlite3_column_blob(t, column);

	return blob && (size_t)sqlite3_column_bytes(t, column) == size &&
	       memcmp(blob, bytes, size) == 0;
}

/* A file that was copied over another one's name would have two processes use one instance. */
static int take_meta(struct state *st, sqlite3_stmt *t)
{
	const void *log = sqlite3_column_blob(t, 3);
	sqlite3_int64 reserved = sqlite3_column_int64(t, 2);

	if (!blob_is(t, 0, st->server, sizeof(st->server)) ||
		!blob_is(t, 1, st->instance, sizeof(st->instance)))
		return ERR_DAMAGED;
	if (reserved < 0 || reserved > INT64_MAX - (sqlite3_int64)(2 * STATE_RESERVE))
		return ERR_DAMAGED;
	if (log && sqlite3_column_bytes(t, 3) != sizeof(st->log))
		return ERR_DAMAGED;
	st->reserved = (uint64_t)reserved;
	st->log_known = log != NULL;
	if (log)
		memcpy(st->log, log, sizeof(st->log));
	return 0;
}

static int read_meta(struct state *st)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(
		st->db, "SELECT server, instance, reserved, log FROM meta", -1, &t, NULL);
	int result;

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		result = take_meta(st, t);
	else
		result = r == SQLITE_DONE || r == SQLITE_ERROR ? ERR_DAMAGED : state_error(r);
	sqlite3_finalize(t);
	return result;
}

static int check(struct state *st)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &t, NULL);
	int result;

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		result = strcmp((const char *)sqlite3_column_text(t, 0), "ok") == 0 ? 0
										    : ERR_DAMAGED;
	else
		result = state_error(r);
	sqlite3_finalize(t);
	return result;
}

static int prepare(struct state *st)
{
	int r = SQLITE_OK;

	for (size_t i = 0; i < STATE_STATEMENTS && r == SQLITE_OK; i++)
		r = sqlite3_prepare_v3(
			st->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &st->statements[i], NULL);
	/* What does not fit the tables says that they are not what the version claims. */
	return r == SQLITE_ERROR ? ERR_DAMAGED : state_error(r);
}

/* ---- opening ---- */

/* EXCLUSIVE: the lock keeps others out anyway, and SQLite can do without its shared memory. */
static int open_database(struct state *st, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int r = state_error(sqlite3_open_v2(path, &st->db, flags, NULL));

	if (r == 0)
		r = run(st, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF");
	return r;
}

int state_open(struct state *st, const char *path, bool make)
{
	int r = open_database(st, path);

	if (r == 0 && !make)
		r = check(st);
	if (r == 0)
		r = migrate(st, make);
	if (r == 0)
		r = read_meta(st);
	if (r == 0)
		r = prepare(st);
	if (r) {
		int error =
			st->db && sqlite3_system_errno(st->db) ? sqlite3_system_errno(st->db) : EIO;
		state_shut(st);
		errno = error;
	}
	return r;
}

int state_waits(struct state *st, bool *waits)
{
	int found = 0;
	int r = ask(st, "SELECT EXISTS (SELECT 1 FROM message)", &found);

	if (r == 0)
		*waits = found != 0;
	return r;
}

void state_shut(struct state *st)
{
	for (size_t i = 0; i < STATE_STATEMENTS; i++) {
		sqlite3_finalize(st->statements[i]);
		st->statements[i] = NULL;
	}
	sqlite3_close(st->db);
	st->db = NULL;
}
