#include "client/database.h"

#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int database_error(int sqlite)
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
	case SQLITE_BUSY:
		return ERR_AGAIN; /* another process has it, whatever became of its lock */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_DAMAGED;
	default:
		return ERR_SYSTEM;
	}
}

int database_run(sqlite3 *db, const char *sql)
{
	return database_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int database_number(sqlite3 *db, const char *sql, int *value)
{
	sqlite3_stmt *t = NULL;
	int r = sqlite3_prepare_v2(db, sql, -1, &t, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		*value = sqlite3_column_int(t, 0);
	sqlite3_finalize(t);
	return database_error(r);
}

int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
	int r = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return r == SQLITE_ERROR ? ERR_DAMAGED : database_error(r);
}

bool database_blob_is(sqlite3_stmt *t, int column, const void *bytes, int size)
{
	const void *blob = sqlite3_column_blob(t, column);

	return blob && sqlite3_column_bytes(t, column) == size &&
	       memcmp(blob, bytes, (size_t)size) == 0;
}

/* ---- the schema ---- */

static int take_step(
	sqlite3 *db, const struct database_schema *schema, int version, const void *context)
{
	char numbers[128];

	snprintf(numbers, sizeof(numbers), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		schema->application, version + 1);
	int r = database_run(db, "BEGIN IMMEDIATE");
	if (r)
		return r;
	r = database_run(db, schema->steps[version]);
	if (r == 0 && version == 0)
		r = database_error(schema->fill(db, context));
	if (r == 0)
		r = database_run(db, numbers);
	if (r == 0)
		r = database_run(db, "COMMIT");
	if (r)
		(void)database_run(db, "ROLLBACK");
	return r;
}

/* Whose database it is. An empty file is one whose making was cut short, or one that lost what it had:
 * it is not used. */
static int recognise(sqlite3 *db, const struct database_schema *schema, bool make, int *version)
{
	int application = 0;
	int r = database_number(db, "PRAGMA user_version", version);

	if (r == 0)
		r = database_number(db, "PRAGMA application_id", &application);
	if (r == 0 && !make && (application != schema->application || *version < 1))
		r = ERR_DAMAGED;
	if (r == 0 && *version > schema->versions)
		r = ERR_REFUSED;
	return r;
}

static int check(sqlite3 *db)
{
	sqlite3_stmt *t = NULL;
	int result, r = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &t, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(t);
	if (r == SQLITE_ROW)
		result = strcmp((const char *)sqlite3_column_text(t, 0), "ok") == 0 ? 0
										    : ERR_DAMAGED;
	else
		result = database_error(r);
	sqlite3_finalize(t);
	return result;
}

/* ---- opening ---- */

/* What is not ours is left as it is: nothing is written before that is known. */
static int use(sqlite3 *db, const struct database_schema *schema, bool make, const void *context)
{
	int version = 0;
	int r = database_run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF");

	if (r == 0)
		r = recognise(db, schema, make, &version);
	if (r == 0 && !make)
		r = check(db);
	if (r == 0)
		r = database_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	while (r == 0 && version < schema->versions)
		r = take_step(db, schema, version++, context);
	return r;
}

int database_open(const char *path, const struct database_schema *schema, bool make,
	const void *context, sqlite3 **out)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int r = database_error(sqlite3_open_v2(path, &db, flags, NULL));

	if (r == 0)
		r = use(db, schema, make, context);
	if (r == 0) {
		*out = db;
		return 0;
	}
	int error = db && sqlite3_system_errno(db) ? sqlite3_system_errno(db) : EIO;
	(void)sqlite3_close(db);
	errno = error;
	return r;
}
