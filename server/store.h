/*
 * The store: one connection to the log's database, with its statements.
 *
 * SQLite keeps the log: write-ahead logging, one writer, any number of readers
 * that it never waits for. A store is used by one thread at a time; the engine has
 * one for writing and a few for reading (store_pool.h). The files by subject:
 *
 *     store.c          opening, statements, transactions, what an error means
 *     store_schema.c   the tables, and how older ones become today's
 *     store_write.c    entries on their way in
 *     store_read.c     entries on their way out, rooms
 *     store_people.c   what is kept about people
 *     store_words.c    the index of words, and searching
 *     store_prune.c    what goes to make room
 *
 * Sources: sqlite.org/wal.html, sqlite.org/c3ref.
 */
#ifndef LANCHAT_SERVER_STORE_H
#define LANCHAT_SERVER_STORE_H

#include "server/engine.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_FILE "log.db" /* in the data folder */

/* In whose list a stream is: stream.listed, in numbers that statements have too. */
enum store_listed {
	STORE_LISTED_NOWHERE = 0, /* no room, or one in which nothing was said */
	STORE_LISTED_CLOSED = 1,  /* in that of its members and of operators */
	STORE_LISTED_OPEN = 2,    /* in everybody's */
};

/* Statements that a store prepares the first time they are needed: STATEMENT(NAME, sql). */
enum store_statement {
#define STATEMENT(NAME, sql) STORE_##NAME,
#include "server/store_statements.def"
#undef STATEMENT
	STORE_STATEMENTS,
};

struct store {
	sqlite3 *db; /* owned */
	sqlite3_stmt *statements[STORE_STATEMENTS];
	bool writable; /* constant */
};

/* Open `path`. A writable store is made where there is none, and brought to today's schema. `error`
 * is one line that says what is wrong and what to do. ERR_SYSTEM, ERR_MEMORY; ERR_DAMAGED: it is
 * damaged or no log of ours. */
int store_open(const char *path, bool writable, struct store **out, char *error, size_t size);

/* NULL is allowed. */
void store_close(struct store *s);

/* What an SQLite result code means to us: 0 for SQLITE_OK, _ROW and _DONE; ERR_FULL: no space;
 * ERR_MEMORY; ERR_DAMAGED: the database is damaged; ERR_TIMEOUT: interrupted or busy; ERR_SYSTEM. */
int store_error(int code);

/* ---- statements ---- */

/* Prepared, reset, without values; NULL when memory is out or the schema is not ours. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which);

/* Bind to parameter `at`, from 1. Blobs and text are borrowed until the statement is reset. */
void store_bind_int(sqlite3_stmt *t, int at, uint64_t value);
void store_bind_blob(sqlite3_stmt *t, int at, const void *bytes, size_t length);
void store_bind_text(sqlite3_stmt *t, int at, struct span text);

/* Run a statement that gives no rows, and reset it. 0 or as store_error. NULL: ERR_MEMORY. */
int store_run(sqlite3_stmt *t);

/* Take a row: 1, 0 when there is none (and the statement is reset), or an error, likewise. */
int store_step(sqlite3_stmt *t);

/* The next row's only column as a number, then reset; `*value` is untouched where there is no row or
 * the column is NULL. 1: there was a row; 0; or an error. */
int store_one(sqlite3_stmt *t, uint64_t *value);

uint64_t store_int(sqlite3_stmt *t, int column);
struct span store_text(sqlite3_stmt *t, int column); /* borrowed until the next step */

/* A room's name as it is shown, or, where the column has none that could be one, the folded one of its
 * key; empty for an inbox. Borrowed, from the row or the key. */
struct span store_room_name(sqlite3_stmt *t, int column, const struct stream_key *key);

/* Copy a blob of exactly so many bytes; false when it has another size. */
bool store_blob(sqlite3_stmt *t, int column, uint8_t *out, size_t length);

/* ---- transactions ---- */

int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/* ---- the rows of streams and people ---- */

/* The row of a stream; 0 in `*id` when there is none. */
int store_find_stream(struct store *s, const struct stream_key *key, uint64_t *id);
int store_find_person(struct store *s, const uint8_t *person, uint64_t *id);

/* The same, made where there is none. `name`: of a room. */
int store_need_stream(
	struct store *s, const struct stream_key *key, struct span name, uint64_t *id);
int store_need_person(struct store *s, const uint8_t *person, uint64_t *id);

#endif
