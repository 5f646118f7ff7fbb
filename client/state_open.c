#include "client/database.h"
#include "client/state_private.h"

#include "common/err.h"

#include <errno.h>
#include <string.h>

#define APPLICATION 0x4c434873 /* "LCHs" */

/* Each step as it was when it was made: never changed afterwards. */
static const char *const steps[] = {
	/* Version 1.
	 *
	 * meta     One row. `reserved`: numbers up to this one may have been used.
	 *          `log` and the table `position` are not used any more: how far a program has
	 *          read is in positions.c, which takes what an older lanchat left here.
	 * message  Not acknowledged. `target`: the room or the nick. `time`: when it was typed.
	 * position By a room's folded name; '' for the direct messages. */
	"CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), server BLOB NOT NULL,"
	"  instance BLOB NOT NULL, reserved INTEGER NOT NULL, log BLOB);"
	"CREATE TABLE message (counter INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	"  direct INTEGER NOT NULL, person BLOB NOT NULL, target TEXT NOT NULL,"
	"  text TEXT NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE position (room TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;",
};

static const char *const sql[STATE_STATEMENTS] = {
	[STATE_ADD] = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)",
	[STATE_FORGET] = "DELETE FROM message WHERE counter < ?",
	[STATE_FORGET_ONE] = "DELETE FROM message WHERE counter = ?",
	[STATE_MESSAGES] = ("SELECT counter, kind, direct, person, target, text, time"
			    " FROM message ORDER BY counter"),
	[STATE_RESERVE_TO] = "UPDATE meta SET reserved = ?",
};

/* ---- what it says ---- */

static int put_meta(sqlite3 *db, const void *context)
{
	const struct state *st = context;
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(db, "INSERT INTO meta VALUES (1, ?, ?, ?, NULL)", -1, &t, NULL);

	if (r == SQLITE_OK) {
		sqlite3_bind_blob(t, 1, st->server, sizeof(st->server), SQLITE_STATIC);
		sqlite3_bind_blob(t, 2, st->instance, sizeof(st->instance), SQLITE_STATIC);
		sqlite3_bind_int64(t, 3, (sqlite3_int64)st->reserved);
		r = sqlite3_step(t);
	}
	sqlite3_finalize(t);
	return r;
}

/* A file that was copied over another one's name would have two processes use one instance. */
static int take_meta(struct state *st, sqlite3_stmt *t)
{
	sqlite3_int64 reserved = sqlite3_column_int64(t, 2);

	if (!database_blob_is(t, 0, st->server, sizeof(st->server)) ||
		!database_blob_is(t, 1, st->instance, sizeof(st->instance)))
		return ERR_DAMAGED;
	if (reserved < 0 || reserved > INT64_MAX - (sqlite3_int64)(2 * STATE_RESERVE))
		return ERR_DAMAGED;
	st->reserved = (uint64_t)reserved;
	return 0;
}

static int read_meta(struct state *st)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(
		st->db, "SELECT server, instance, reserved FROM meta", -1, &t, NULL);
	int result;

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		result = take_meta(st, t);
	else
		result = r == SQLITE_DONE || r == SQLITE_ERROR ? ERR_DAMAGED : database_error(r);
	sqlite3_finalize(t);
	return result;
}

static int prepare(struct state *st)
{
	int r = 0;

	for (size_t i = 0; i < STATE_STATEMENTS && r == 0; i++)
		r = database_prepare(st->db, sql[i], &st->statements[i]);
	return r;
}

int state_open(struct state *st, const char *path, bool make)
{
	static const struct database_schema schema = {
		.application = APPLICATION,
		.steps = steps,
		.versions = sizeof(steps) / sizeof(steps[0]),
		.fill = put_meta,
	};
	int r = database_open(path, &schema, make, st, &st->db);

	if (r)
		return r;
	r = read_meta(st);
	if (r == 0)
		r = prepare(st);
	if (r) {
		int error = sqlite3_system_errno(st->db) ? sqlite3_system_errno(st->db) : EIO;
		state_shut(st);
		errno = error;
	}
	return r;
}

int state_waits(struct state *st, bool *waits)
{
	int found = 0;
	int r = database_number(st->db, "SELECT EXISTS (SELECT 1 FROM message)", &found);

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
