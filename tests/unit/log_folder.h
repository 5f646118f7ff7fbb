/*
 * A data folder with a log in it, for tests of what is done with a log's files.
 *
 * The log of log_folder_fill has two rooms, direct messages, one of them to oneself,
 * a topic, places, and, where it was asked for, a floor. For a test's own thread;
 * failures end the test.
 */
#ifndef LANCHAT_TESTS_LOG_FOLDER_H
#define LANCHAT_TESTS_LOG_FOLDER_H

#include "server/engine.h"
#include "tests/unit/engine_cases.h"

#include <limits.h>

#define LOG_FOLDER_ENTRIES 40 /* of a log that is filled */

/* What makes a log one of version 3. */
#define LOG_FOLDER_VERSION_3                                                                       \
	"DROP INDEX stream_owner; DROP INDEX stream_listed; DROP INDEX stream_open;"               \
	"ALTER TABLE stream DROP COLUMN owner; ALTER TABLE stream DROP COLUMN listed;"             \
	"DROP TABLE nick; ALTER TABLE stream DROP COLUMN charter; PRAGMA user_version = 3;"

struct log_folder {
	char path[64];
	char log[128]; /* the database */
};

/* Make an empty folder in /tmp; remove it with all that is in it. */
void log_folder_new(struct log_folder *f);
void log_folder_remove(struct log_folder *f);

/* A path in it. */
const char *log_folder_file(const struct log_folder *f, const char *name, char out[PATH_MAX]);

/* Open the log; close it with log_close. `keep_messages`: 0 for all. */
void log_folder_open(struct log_folder *f, uint64_t keep_messages, struct log *l);

/* Append LOG_FOLDER_ENTRIES to an open, empty log, and have their words indexed. */
void log_folder_fill(struct log *l);

/* Have the words indexed of all that was appended, some of it to `room`. */
void log_folder_index(struct log *l, const struct stream_key *room);

/* Open a log, fill and close it. */
void log_folder_make(struct log_folder *f);

/* Change the database behind everybody's back. */
void log_folder_sql(const char *path, const char *sql);

/* The id of a log. */
void log_folder_id(const char *path, uint8_t id[ENGINE_LOG_ID]);

/* How many entries it has. */
uint64_t log_folder_count(const char *path);

/* A file's bytes, for free(). */
uint8_t *log_folder_bytes(const char *path, size_t *size);

/* Make a file of these bytes, or give them to one that is there. */
void log_folder_write(const char *path, const void *bytes, size_t size);

/* How many files in the folder have names that begin so, but for those that SQLite has beside an
 * open database and a reader may leave, empty; the path of one of them in `path`. */
size_t log_folder_find(const struct log_folder *f, const char *prefix, char path[PATH_MAX]);

#endif
