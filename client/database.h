/*
 * The small databases in which a client keeps what outlives it: opening one, its schema and the
 * steps from one version of it to the next, and checks.
 *
 * One connection at a time has such a file: whoever opens it holds a lock of its own (flock), so
 * SQLite needs no shared memory. Commits survive kill -9; a power cut may take the last seconds
 * (WAL, synchronous=NORMAL).
 */
#ifndef LANCHAT_DATABASE_H
#define LANCHAT_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

struct database_schema {
	int application;          /* PRAGMA application_id */
	const char *const *steps; /* steps[i]: from version i to i + 1; never changed afterwards */
	int versions;
	/* Part of the first step: what the tables hold from the start; a result of SQLite's. */
	int (*fill)(sqlite3 *db, const void *context);
};

/* Open the database `path`, and bring it to the newest version; `make`: it is an empty file that was
 * just made. ERR_DAMAGED: it must not be used; ERR_REFUSED: it is of a newer lanchat; ERR_AGAIN:
 * another process has it open; ERR_FULL, ERR_MEMORY, ERR_SYSTEM with errno. On failure nothing stays open. */
int database_open(const char *path, const struct database_schema *schema, bool make,
	const void *context, sqlite3 **out);

/* Prepare a statement for as long as the database is open. ERR_DAMAGED: the tables are not those
 * that its version has; ERR_MEMORY, ERR_SYSTEM. */
int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);

/* Run statements without results. */
int database_run(sqlite3 *db, const char *sql);

/* The number that a statement has in its first row. */
int database_number(sqlite3 *db, const char *sql, int *value);

/* Does the blob in that column have these bytes? */
bool database_blob_is(sqlite3_stmt *t, int column, const void *bytes, int size);

/* An error of SQLite's as one of ours. */
int database_error(int sqlite);

#endif
