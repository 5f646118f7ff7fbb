/*
 * The log's files in the data folder: the database and, while it is open or after a
 * crash, the two that belong to it. For one thread, while no server has the log open.
 */
#ifndef LANCHAT_SERVER_LOG_FILE_H
#define LANCHAT_SERVER_LOG_FILE_H

#include "server/data_folder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is the log fit to be opened for writing? Looks at it, as far as that can be done until `deadline`
 * (clock_ms), and changes nothing. 0 also when there is none yet. ERR_DAMAGED..., with one line in
 * `error` that says what to do: it stays as it is, as does a write-ahead log whose database is gone.
 * One that is empty is fit, and a warning is logged. */
int log_file_check(const struct data_folder *f, int64_t deadline, char *error, size_t size);

/* Remove the copies that restoring leaves when it is killed: log.db.new-XXXXXX. For whoever holds the
 * folder's lock: nobody is restoring then. */
void log_file_tidy(const struct data_folder *f);

/* What is wrong with the log, and the ways out, in one line. `r`, `why`: as a store's opening gave
 * them. */
void log_file_explain(
	const struct data_folder *f, int r, const char *why, char *error, size_t size);

/* Give the log the name log.db.WORD-TIME, with what belongs to it; the new path in `*path`, for
 * free(). `keep`: a sound database has both names for the moment, so that there is a log under the
 * old one until another takes its place. Where only the write-ahead log is left, that is moved.
 * ERR_NOT_FOUND: there is nothing; ERR_SYSTEM with errno; ERR_MEMORY. */
int log_file_set_aside(const struct data_folder *f, const char *word, bool keep, char **path);

#endif
