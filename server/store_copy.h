/*
 * Copies of a log: SQLite's online backup, which gives what the log was at one
 * moment, whoever writes to it meanwhile.
 *
 * A copy is one file: nothing beside it belongs to it. One thread at a time.
 * Source: sqlite.org/backup.html.
 */
#ifndef LANCHAT_SERVER_STORE_COPY_H
#define LANCHAT_SERVER_STORE_COPY_H

#include <stddef.h>
#include <stdint.h>

/* Copy the log at `from` into the file `to`, which is there and empty, and is in full on the disk
 * when this returns. `*entries` becomes how many there are. Errors as store_look, and ERR_FULL; after
 * an error `to` has nothing of use. */
int store_copy(const char *from, const char *to, uint64_t *entries, char *error, size_t size);

/* Make the copy at `path` a log of its own: of today's version, with a new id, so that clients do
 * not take its numbers for those that they know, and with the old id among its ancestors, so that they
 * can go on where the two part. `replaced` is the log whose place it takes, if there is one and it can be
 * read: where both come from one log, clients of that one can go on as well. Errors as store_open. */
int store_copy_anew(const char *path, const char *replaced, char *error, size_t size);

#endif
