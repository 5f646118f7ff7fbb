/*
 * Looking at a log's database without touching it.
 *
 * Whatever lies under the name (a damaged log, another program's database, a log of
 * a newer version) stays as it is, byte for byte: the connection can only read.
 * One thread at a time.
 */
#ifndef LANCHAT_SERVER_STORE_LOOK_H
#define LANCHAT_SERVER_STORE_LOOK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open the log at `path` for reading; it may be of an older version. Close it with sqlite3_close.
 * ERR_NOT_FOUND: there is none; ERR_DAMAGED: it is damaged or no log that we know; ERR_MEMORY,
 * ERR_SYSTEM; each with one line in `error`, which does not name the file. */
int store_look(const char *path, sqlite3 **out, char *error, size_t size);

/* The same, and look whether all its pages hang together, as far as that can be seen until
 * `deadline` (clock_ms): a large log takes a second or more. Being late is no error, nor is a
 * database whose making was interrupted: it can go on. */
int store_look_over(const char *path, int64_t deadline, char *error, size_t size);

/* Is the database gone, and its write-ahead log still there? That may be all that is left of what was
 * acknowledged, and SQLite would remove it. */
bool store_look_orphan(const char *path);

/* Is the file there, where there is a write-ahead log, and as long as it says? SQLite takes what was cut
 * off its last page for zeros. The length can be told only while no write-ahead log or journal lies
 * beside it; 0 where it cannot. ERR_DAMAGED, with one line in `error`. */
int store_look_size(const char *path, char *error, size_t size);

/* What an SQL query answers with its first column as a number. Errors as store_error. */
int store_look_number(sqlite3 *db, const char *sql, uint64_t *value);

#endif
