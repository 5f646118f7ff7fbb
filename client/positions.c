#include "client/positions.h"

#include "client/database.h"
#include "client/positions_private.h"
#include "client/state_folder.h"
#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION 0x4c434870 /* "LCHp" */

/* Each step as it was when it was made: never changed afterwards. */
static const char *const steps[] = {
	/* Version 1. `meta` has one row. `room` is a folded name; '' stands for the direct messages. */
	"CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), server BLOB NOT NULL, log BLOB);"
	"CREATE TABLE position (room TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;",
};

static const char *const sql[POSITIONS_STATEMENTS] = {
	[POSITIONS_GET] = "SELECT seq FROM position WHERE room = ?",
	[POSITIONS_PUT] = ("INSERT INTO position VALUES (?, ?) ON CONFLICT (room)"
			   " DO UPDATE SET seq = excluded.seq"),
	[POSITIONS_LOWER] = "UPDATE position SET seq = min(seq, ?)",
	[POSITIONS_SET_LOG] = "UPDATE meta SET log = ?",
};

const uint8_t *positions_server(const struct positions *p)
{
	return p->server;
}

const uint8_t *positions_log(const struct positions *p)
{
	return p->log_known ? p->log : NULL;
}

/* ---- what it says ---- */

static int put_meta(sqlite3 *db, const void *server)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(db, "INSERT INTO meta VALUES (1, ?, NULL)", -1, &t, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_bind_blob(t, 1, server, IDENTITY_SIZE, SQLITE_STATIC);
	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	sqlite3_finalize(t);
	return r;
}

/* A file of another server, copied here, would skip what this one's rooms have. */
static int take_meta(struct positions *p, sqlite3_stmt *t)
{
	const void *log = sqlite3_column_blob(t, 1);

	if (!database_blob_is(t, 0, p->server, sizeof(p->server)))
		return ERR_DAMAGED;
	if (log && sqlite3_column_bytes(t, 1) != sizeof(p->log))
		return ERR_DAMAGED;
	p->log_known = log != NULL;
	if (log)
		memcpy(p->log, log, sizeof(p->log));
	return 0;
}

static int read_meta(struct positions *p)
{
	sqlite3_stmt *t = NULL;
	int result, r = sqlite3_prepare_v2(p->db, "SELECT server, log FROM meta", -1, &t, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		result = take_meta(p, t);
	else
		result = r == SQLITE_DONE || r == SQLITE_ERROR ? ERR_DAMAGED : database_error(r);
	sqlite3_finalize(t);
	return result;
}

/* ---- opening ---- */

static const struct database_schema schema = {
	.application = APPLICATION,
	.steps = steps,
	.versions = sizeof(steps) / sizeof(steps[0]),
	.fill = put_meta,
};

static void shut(struct positions *p)
{
	for (size_t i = 0; i < POSITIONS_STATEMENTS; i++) {
		sqlite3_finalize(p->statements[i]);
		p->statements[i] = NULL;
	}
	(void)sqlite3_close(p->db);
	p->db = NULL;
}

static int open_file(struct positions *p, const char *path, bool make)
{
	int r = database_open(path, &schema, make, p->server, &p->db);

	if (r)
		return r;
	r = read_meta(p);
	for (size_t i = 0; i < POSITIONS_STATEMENTS && r == 0; i++)
		r = database_prepare(p->db, sql[i], &p->statements[i]);
	if (r) {
		int error = sqlite3_system_errno(p->db) ? sqlite3_system_errno(p->db) : EIO;
		shut(p);
		errno = error;
	}
	return r;
}

/* Made under another name: a file that is there is whole, and an empty one is a damaged one. */
static int make(struct positions *p, const char *folder, const char *path)
{
	char fresh[PATH_MAX], left[PATH_MAX];

	int r = state_folder_path(fresh, folder, "resume", ".new");
	if (r == 0)
		r = state_folder_path(left, folder, "resume", ".new-wal");
	if (r)
		return r;
	(void)unlink(fresh);
	(void)unlink(left);
	r = state_folder_make(fresh);
	if (r == 0)
		r = open_file(p, fresh, true);
	if (r == 0)
		r = positions_import(p, folder);
	/* All of it into the one file that gets the name. */
	if (r == 0)
		r = database_run(p->db, "PRAGMA journal_mode = DELETE");
	shut(p);
	if (r == 0 && rename(fresh, path) != 0)
		r = ERR_SYSTEM;
	if (r == 0)
		r = folder_sync(folder);
	if (r == 0)
		positions_imported(p, folder);
	return r;
}

static int open_or_make(struct positions *p, const char *folder, const char *path)
{
	char wal[PATH_MAX];
	int r = state_folder_path(wal, folder, "resume", ".db-wal");

	if (r)
		return r;
	if (access(path, F_OK) != 0) {
		if (errno != ENOENT)
			return ERR_SYSTEM;
		/* What is in there belongs to a file that somebody took away. */
		if (access(wal, F_OK) == 0)
			return ERR_DAMAGED;
		r = make(p, folder, path);
	}
	return r ? r : open_file(p, path, false);
}

/* Somebody may remove it while it is in use, and writing to it would still succeed. */
static int remember_file(struct positions *p, const char *path)
{
	struct stat st;

	p->path = strdup(path);
	if (!p->path)
		return ERR_MEMORY;
	if (stat(path, &st) != 0)
		return ERR_SYSTEM;
	p->device = st.st_dev;
	p->inode = st.st_ino;
	return 0;
}

int positions_open(
	const char *folder, const uint8_t server[IDENTITY_SIZE], char *path, struct positions **out)
{
	struct positions *p = calloc(1, sizeof(*p));
	char inside[PATH_MAX];

	snprintf(path, PATH_MAX, "%s", folder);
	if (!p)
		return ERR_MEMORY;
	p->lock = -1;
	memcpy(p->server, server, sizeof(p->server));
	int r = state_folder(folder, server, inside);
	if (r == 0)
		r = state_folder_path(path, inside, "resume", ".db");
	if (r == 0)
		r = state_folder_lock(inside, "resume", LOCK_EX | LOCK_NB, &p->lock);
	if (r == 0)
		r = open_or_make(p, inside, path);
	if (r == 0)
		r = remember_file(p, path);
	if (r) {
		int error = errno;
		positions_close(p);
		errno = error;
		return r;
	}
	*out = p;
	return 0;
}

void positions_close(struct positions *p)
{
	if (!p)
		return;
	shut(p);
	if (p->lock >= 0)
		(void)close(p->lock); /* and with it the lock goes */
	free(p->path);
	free(p);
}

/* ---- reading ---- */

int positions_get(struct positions *p, const char *folded, uint64_t *seq)
{
	sqlite3_stmt *t = p->statements[POSITIONS_GET];

	sqlite3_bind_text(t, 1, folded, -1, SQLITE_STATIC);
	int step = sqlite3_step(t);
	int r = step == SQLITE_DONE ? ERR_NOT_FOUND : database_error(step);
	if (r == 0 &&
		(sqlite3_column_type(t, 0) != SQLITE_INTEGER || sqlite3_column_int64(t, 0) < 0))
		r = ERR_DAMAGED;
	if (r == 0)
		*seq = (uint64_t)sqlite3_column_int64(t, 0);
	sqlite3_reset(t);
	sqlite3_clear_bindings(t);
	return r;
}

bool positions_are_there(const struct positions *p)
{
	struct stat st;

	return stat(p->path, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode;
}

bool positions_any(struct positions *p)
{
	int found = 0;

	return database_number(p->db, "SELECT EXISTS (SELECT 1 FROM position)", &found) == 0 &&
	       found;
}

/* ---- writing ---- */

static void complain(struct positions *p)
{
	p->failed = true;
	if (p->warned)
		return;
	p->warned = true;
	log_warning("how far was read cannot be written to disk: %s", sqlite3_errmsg(p->db));
}

/* Run a statement whose parameters are bound. */
static void finish(struct positions *p, enum positions_statement which)
{
	sqlite3_stmt *t = p->statements[which];

	if (database_error(sqlite3_step(t)) != 0)
		complain(p);
	sqlite3_reset(t);
	sqlite3_clear_bindings(t);
}

static void run(struct positions *p, const char *text)
{
	if (database_run(p->db, text) != 0)
		complain(p);
}

static void write_log(struct positions *p)
{
	sqlite3_int64 upto = p->upto < INT64_MAX ? (sqlite3_int64)p->upto : INT64_MAX;

	sqlite3_bind_int64(p->statements[POSITIONS_LOWER], 1, upto);
	finish(p, POSITIONS_LOWER);
	sqlite3_bind_blob(
		p->statements[POSITIONS_SET_LOG], 1, p->log, sizeof(p->log), SQLITE_STATIC);
	finish(p, POSITIONS_SET_LOG);
}

void positions_begin(struct positions *p)
{
	p->failed = false;
	run(p, "BEGIN");
	if (p->log_waits)
		write_log(p);
}

bool positions_end(struct positions *p)
{
	if (!p->failed)
		run(p, "COMMIT");
	/* Some failures have ended the transaction already. */
	if (!sqlite3_get_autocommit(p->db))
		(void)sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
	if (!p->failed)
		p->log_waits = false;
	return !p->failed;
}

void positions_put(struct positions *p, const char *folded, uint64_t seq)
{
	sqlite3_stmt *t = p->statements[POSITIONS_PUT];

	if (seq > INT64_MAX)
		return; /* no server gets there honestly */
	sqlite3_bind_text(t, 1, folded, -1, SQLITE_STATIC);
	sqlite3_bind_int64(t, 2, (sqlite3_int64)seq);
	finish(p, POSITIONS_PUT);
}

void positions_set_log(struct positions *p, const uint8_t log[INSTANCE_ID], uint64_t upto)
{
	if (p->log_known && memcmp(p->log, log, sizeof(p->log)) == 0)
		return;
	/* Two changes that wait are one: to the lower of both. */
	p->upto = p->log_waits && p->upto < upto ? p->upto : upto;
	p->log_waits = p->log_known = true;
	memcpy(p->log, log, sizeof(p->log));
	positions_begin(p);
	(void)positions_end(p);
}
